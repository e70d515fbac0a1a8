/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>
#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#include "cleanup.h"
#include "inside.h"
#include "kept-text.h"
#include "paths.h"
#include "shortage.h"

#define CGROUP "/proc/self/cgroup"

enum { CGROUP_TEXT_MAX = 4096, SLICE_NAME_MAX = 48 };

/* The line of the unified hierarchy, "0::/user.slice/...", without its newline: a pointer into text, which is cut
 * there. NULL: there is none. */
static char *unified_path(char *text) {
        char *line = text;

        while (line && strncmp(line, "0::/", 4) != 0) {
                line = strchr(line, '\n');
                if (line)
                        line++;
        }
        if (!line)
                return NULL;
        line[strcspn(line, "\n")] = 0;
        return line + 3;
}

/* The second part of a path below user.slice or jit.slice, from the root on: what a user names so further down, in the
 * part of the tree that is delegated to him, is nothing to us. "": none. */
static void path_slice(const char *path, char ret[static SLICE_NAME_MAX + 1]) {
        static const char *const tops[] = {"/user.slice/user-", "/jit.slice/jit-"};

        ret[0] = 0;
        for (size_t i = 0; i < ELEMENTSOF(tops); i++) {
                const char *name;
                size_t length;

                if (strncmp(path, tops[i], strlen(tops[i])) != 0)
                        continue;
                name = path + (strrchr(tops[i], '/') - tops[i]) + 1;
                length = strcspn(name, "/");
                if (length > SLICE_NAME_MAX)
                        return;
                memcpy(ret, name, length);
                ret[length] = 0;
        }
}

static int slice_read(char ret[static SLICE_NAME_MAX + 1]) {
        _cleanup_close_ int fd = open(CGROUP, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        char text[CGROUP_TEXT_MAX + 1];
        const char *path;
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, text, sizeof(text) - 1);
        if (n < 0)
                return -errno;
        text[n] = 0;
        path = unified_path(text);
        if (!path)
                return -ENODATA;
        path_slice(path, ret);
        return 0;
}

/* Whether a grant's: jit-ID.slice, or that of a user who is ours. One whom nobody knows any more may have been. */
static bool slice_is_ours(pam_handle_t *pamh, const char *slice) {
        const struct passwd *pw;
        unsigned long uid;
        char *end;

        if (strncmp(slice, "jit-", 4) == 0)
                return true;
        if (strncmp(slice, "user-", 5) != 0)
                return false;
        errno = 0;
        uid = strtoul(slice + 5, &end, 10);
        if (errno != 0 || uid >= UINT32_MAX || !streq(end, ".slice"))
                return false;
        pw = pam_modutil_getpwuid(pamh, (uid_t) uid);
        return !pw || (pw->pw_dir && strncmp(pw->pw_dir, HOME_ROOT "/", strlen(HOME_ROOT "/")) == 0);
}

int inside_keep(pam_handle_t *pamh) {
        char slice[SLICE_NAME_MAX + 1];
        int r = slice_read(slice);

        if (r < 0) {
                bool deny = is_shortage(r);
                errno = -r;
                pam_syslog(pamh, LOG_WARNING, "cannot find out which slice this process is in%s: %m",
                           deny ? "" : ", ignoring");
                return deny ? PAM_PERM_DENIED : PAM_IGNORE;
        }
        return kept_text_set(pamh, KEPT_SLICE, slice_is_ours(pamh, slice) ? slice : NULL) == PAM_SUCCESS
                               ? PAM_IGNORE
                               : PAM_PERM_DENIED;
}

const char *inside_left(pam_handle_t *pamh) {
        const char *kept = kept_text_get(pamh, KEPT_SLICE);
        char slice[SLICE_NAME_MAX + 1];

        if (!kept || (slice_read(slice) == 0 && streq(slice, kept)))
                return NULL;
        return kept;
}
