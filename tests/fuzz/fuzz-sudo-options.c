/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sudo-options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* The words as they are, and with option as the first one behind the program's name. A copy of the very length: nothing
 * behind it is looked at. */
static SudoUse parse_with(const char *words, size_t length, const char *option) {
        size_t name = strnlen(words, length), n = option ? strlen(option) + 1 : 0;
        char *all = malloc(length + n + 1);
        SudoUse use;

        require(all);
        name += name < length; /* its NUL */
        memcpy(all, words, name);
        if (option)
                memcpy(all + name, option, n);
        memcpy(all + name + n, words + name, length - name);
        all = realloc(all, length + n > 0 ? length + n : 1);
        require(all);
        use = sudo_use_parse(all, length + n);
        free(all);
        return use;
}

/* /proc/PID/cmdline of a sudo. Whatever else it has, with one of these it does more than to become a user. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const more[] = {"-gadm",     "--group=adm", "-R/tmp", "--chroot=/tmp", "-D/tmp", "--chdir=/tmp",
                                           "-C9",       "-e",          "--edit", "-nbgadm",       "-nR/tmp"};
        const char *words = (const char *) data;
        SudoUse use = parse_with(words, size, NULL);

        require(use == SUDO_USE_PLAIN || use == SUDO_USE_EDIT || use == SUDO_USE_OTHER);
        if (!memchr(words, 0, size))
                return 0;
        for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
                require(parse_with(words, size, more[i]) != SUDO_USE_PLAIN);
        return 0;
}
