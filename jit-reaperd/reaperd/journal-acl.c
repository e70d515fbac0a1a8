/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "cleanup.h"
#include "journal-acl.h"

enum { FILES_MAX = 65536 };

static void clean_machine(int fd, const char *prefix, Receipt *receipt) {
        struct dirent *e;
        DIR *d = fdopendir(fd);

        if (!d) {
                (void) close(fd);
                return;
        }
        for (unsigned n = 0; n < FILES_MAX && (e = readdir(d)); n++) {
                size_t length = strlen(prefix);
                /* user-UID.journal, user-UID@....journal once rotated */
                if (strncmp(e->d_name, prefix, length) != 0 || (e->d_name[length] != '.' && e->d_name[length] != '@'))
                        continue;
                /* O_NONBLOCK: an account that was root may have put a FIFO there. */
                _cleanup_close_ int file = openat(fd, e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
                if (file < 0)
                        continue;
                if (fremovexattr(file, "system.posix_acl_access") >= 0)
                        receipt_removed(receipt, "the account's right to read %s", e->d_name);
                else if (errno != ENODATA && errno != EOPNOTSUPP)
                        receipt_residue(receipt, "the account's right to read %s: %s", e->d_name, strerror(errno));
        }
        (void) closedir(d);
}

void journal_acl_remove(uid_t uid, Receipt *receipt) {
        static const char *const roots[] = {"/var/log/journal", "/run/log/journal"};
        char prefix[32];

        (void) snprintf(prefix, sizeof(prefix), "user-%u", uid);
        for (size_t i = 0; i < ELEMENTSOF(roots); i++) {
                DIR *d = opendir(roots[i]);
                struct dirent *e;

                while (d && (e = readdir(d))) {
                        int fd = e->d_name[0] == '.' ? -1
                                                     : openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                        if (fd >= 0)
                                clean_machine(fd, prefix, receipt);
                }
                if (d)
                        (void) closedir(d);
        }
}
