/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <stdint.h>

#include "cleanup.h"
#include "login-uid.h"

#define LOGIN_UID "/proc/self/loginuid"
enum { UID_DIGITS_MAX = 10 };

int login_uid_get(uid_t *ret) {
        _cleanup_close_ int fd = open(LOGIN_UID, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        char text[UID_DIGITS_MAX + 2]; /* one more, to see a longer one */
        uint64_t uid = 0;
        ssize_t n;

        if (fd < 0 && errno == ENOENT) {
                *ret = UID_NONE;
                return 0;
        }
        if (fd < 0)
                return -errno;
        n = read(fd, text, sizeof(text) - 1);
        if (n < 0)
                return -errno;
        if (n < 1 || n > UID_DIGITS_MAX)
                return -EBADMSG;
        for (ssize_t i = 0; i < n; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -EBADMSG;
                uid = uid * 10 + (uint64_t) (text[i] - '0');
        }
        if (uid > UINT32_MAX)
                return -EBADMSG;
        *ret = (uid_t) uid; /* not set: all bits are, which is UID_NONE */
        return 0;
}
