/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

#include "cleanup.h"
#include "sudo-options.h"

enum { ARGUMENTS_MAX = 64 * 1024 }; /* the options are at the beginning: what is longer is cut, and a word that is cut is no option of ours */

typedef struct Words {
        const char *next, *end;
} Words;

static const char *take_word(Words *w) {
        const char *word = w->next, *nul = word < w->end ? memchr(word, 0, (size_t) (w->end - word)) : NULL;

        if (!nul)
                return NULL;
        w->next = nul + 1;
        return word;
}

static bool ends_in(const char *text, const char *end) {
        size_t n = strlen(text), m = strlen(end);

        return n >= m && streq(text + n - m, end);
}

/* Letters behind one '-'. PLAIN: the next word is looked at. */
static SudoUse take_letters(Words *w, const char *letters) {
        for (; *letters; letters++) {
                if (*letters == 'e')
                        return SUDO_USE_EDIT;
                if (*letters == 'u') /* the rest is the user, or the next word */
                        return letters[1] || take_word(w) ? SUDO_USE_PLAIN : SUDO_USE_OTHER;
                if (!strchr("nisHkSAblvE", *letters))
                        return SUDO_USE_OTHER;
        }
        return SUDO_USE_PLAIN;
}

/* getopt_long(3) takes abbreviations, which are not worth knowing: but for one, whose use has its own sentence. */
static SudoUse take_long(Words *w, const char *word) {
        if (strncmp(word, "--user=", strlen("--user=")) == 0)
                return SUDO_USE_PLAIN;
        if (streq(word, "--user"))
                return take_word(w) ? SUDO_USE_PLAIN : SUDO_USE_OTHER;
        return word[2] == 'e' ? SUDO_USE_EDIT : SUDO_USE_OTHER;
}

SudoUse sudo_use_parse(const char *words, size_t length) {
        Words w = {words, words + length};
        const char *word = take_word(&w), *slash;
        SudoUse use;

        if (!word)
                return SUDO_USE_OTHER;
        slash = strrchr(word, '/');
        word = slash ? slash + 1 : word;
        if (ends_in(word, "edit")) /* sudo(8) goes by its name */
                return SUDO_USE_EDIT;
        if (!streq(word, "sudo") && !streq(word, "sudo-rs"))
                return SUDO_USE_OTHER;
        while ((word = take_word(&w))) {
                if (*word != '-') {
                        if (strchr(word, '='))
                                continue; /* a variable for the command; options may come behind it */
                        return SUDO_USE_PLAIN;
                }
                if (streq(word, "--"))
                        return SUDO_USE_PLAIN;
                if (!word[1])
                        return SUDO_USE_OTHER;
                use = word[1] == '-' ? take_long(&w, word) : take_letters(&w, word + 1);
                if (use != SUDO_USE_PLAIN)
                        return use;
        }
        return w.next == w.end ? SUDO_USE_PLAIN : SUDO_USE_OTHER;
}

SudoUse sudo_use_of(pid_t pid) {
        _cleanup_free_ char *words = malloc(ARGUMENTS_MAX);
        size_t length = 0;
        char path[32];
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || !words)
                return SUDO_USE_OTHER;
        while (length < ARGUMENTS_MAX && (n = read(fd, words + length, ARGUMENTS_MAX - length)) > 0)
                length += (size_t) n;
        return sudo_use_parse(words, length);
}
