/* SPDX-License-Identifier: Apache-2.0 */

/* Secrets that systemd hands to the unit (systemd.exec(5), LoadCredential=). */

#include <fcntl.h>

#include "file-io.h"
#include "http-login.h"

enum { CREDENTIAL_NAME_MAX = 255, CREDENTIAL_MAX = 64 * 1024 };

static bool name_is_valid(const char *name) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        size_t n = strlen(name);

        return n > 0 && n <= CREDENTIAL_NAME_MAX && name[0] != '.' && strspn(name, allowed) == n;
}

/* NULL: we were started without credentials. */
static const char *folder(void) {
        const char *path = getenv("CREDENTIALS_DIRECTORY");

        return path && path[0] == '/' ? path : NULL;
}

int credential_path(const char *name, char **ret) {
        char *path;

        if (!name_is_valid(name))
                return -EINVAL;
        if (!folder())
                return -ENOENT;
        if (asprintf(&path, "%s/%s", folder(), name) < 0)
                return -ENOMEM;
        *ret = path;
        return 0;
}

int credential_load(const char *name, char **ret) {
        _cleanup_close_ int fd = -1;
        size_t length;
        char *text;
        int r;

        if (!name_is_valid(name))
                return -EINVAL;
        if (!folder())
                return -ENOENT;
        if ((fd = open(folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                return -errno;
        r = file_read_capped(fd, name, CREDENTIAL_MAX, true, &text, &length);
        if (r < 0)
                return r == -EBADMSG ? -EINVAL : r;
        while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
                text[--length] = '\0';
        *ret = text;
        return 0;
}

char *credential_free(char *secret) {
        if (secret)
                explicit_bzero(secret, strlen(secret));
        free(secret);
        return NULL;
}
