/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "elevated-marker.h"
#include "login-uid.h"

/* 1, 0, -errno */
static int marker_look(const char *dir, uid_t uid) {
        char path[PATH_MAX];
        struct stat st;
        int n = snprintf(path, sizeof(path), "%s/%u", dir, (unsigned) uid);

        if (n < 0 || (size_t) n >= sizeof(path))
                return -ENAMETOOLONG;
        /* Not access(2), which looks with the real user's eyes: in sudo(8) that is the person. */
        if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
                return 1;
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int elevated_marker_look(const char *dir, uid_t caller) {
        uid_t uids[] = {getuid(), caller, UID_NONE};
        int r = login_uid_get(&uids[2]), found = 0;

        for (size_t i = 0; i < ELEMENTSOF(uids) && found == 0; i++)
                if (uids[i] != 0 && uids[i] != UID_NONE)
                        found = marker_look(dir, uids[i]);
        return found != 0 ? found : r;
}
