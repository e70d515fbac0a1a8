/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "artefact.h"
#include "file-io.h"
#include "log.h"
#include "paths.h"
#include "tree-clean.h"

enum {
        SKEL_FILES_MAX = 32,
        SKEL_FILE_MAX = 64 * 1024,
};

static void home_path(const Grant *g, char ret[static 64]) {
        (void) snprintf(ret, 64, "%s/%s", HOME_ROOT, g->account);
}

static int copy_skel_file(const Grant *g, int skel_fd, int home_fd, const char *name) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -1;
        size_t length;
        int r;

        r = file_read_capped(skel_fd, name, SKEL_FILE_MAX, true, &text, &length);
        if (r < 0)
                return r;
        fd = openat(home_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        if (fchown(fd, g->uid, g->uid) < 0)
                return -errno;
        return write_all(fd, text, length);
}

/* As useradd(8) -m does with /etc/skel, its plain files only. A home without them works too, so nothing here fails the login. */
static void copy_skel(const Grant *g, int home_fd) {
        _cleanup_close_ int fd = open("/etc/skel", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        unsigned n = 0;
        struct dirent *e;
        DIR *d;

        if (fd < 0)
                return;
        d = fdopendir(dup(fd));
        if (!d)
                return;
        while ((e = readdir(d)) && n < SKEL_FILES_MAX) {
                if (e->d_type != DT_REG)
                        continue;
                n++;
                if (copy_skel_file(g, fd, home_fd, e->d_name) < 0)
                        log_debug("Cannot copy /etc/skel/%s, ignoring", e->d_name);
        }
        (void) closedir(d);
}

int home_make(const Grant *g) {
        const Role *role = grant_role(g);
        _cleanup_close_ int fd = -1;
        char path[64], options[160];

        if (!role)
                return -ENOENT;
        home_path(g, path);
        if (mkdirat(g->manager->dirs.homes, g->account, 0700) < 0 && errno != EEXIST)
                return -errno;
        (void) snprintf(options, sizeof(options), "mode=0700,uid=%u,gid=%u,size=%" PRIu64 ",nr_inodes=%" PRIu64, g->uid, g->uid,
                        role->home_size_max, role->home_inodes_max);
        if (mount("pam_jit", path, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
                return -errno;
        fd = openat(g->manager->dirs.homes, g->account, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        copy_skel(g, fd);
        return 0;
}

int home_remove(const Grant *g) {
        char path[64];

        home_path(g, path);
        /* Detached at once whatever is still open in it or mounted below it; EINVAL: nothing is mounted there. Several, if a kill came between a
         * mount and its record. */
        while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) >= 0)
                ;
        if (errno != EINVAL && errno != ENOENT)
                return -errno;
        if (unlinkat(g->manager->dirs.homes, g->account, AT_REMOVEDIR) >= 0 || errno == ENOENT)
                return 0;
        /* An account that was root for a while may have unmounted its home and put things where it was. */
        return tree_remove(g->manager->dirs.homes, g->account);
}
