/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "tree-clean.h"

enum { DEPTH_MAX = 64, ENTRIES_MAX = 100000 };

typedef struct Walk {
        const char *top;
        uid_t uid;
        dev_t device;
        unsigned entries;
        Receipt *receipt;
} Walk;

static void walk_directory(Walk *w, int fd, unsigned depth, bool all);

/* An account that was root for a while may have made its own file immutable (chattr(1)). */
static int make_mutable(int fd) {
        int attributes[2] = {}; /* the ioctl's number says "long", and an int is what it takes (ioctl_iflags(2)) */

        if (ioctl(fd, FS_IOC_GETFLAGS, attributes) < 0)
                return -errno;
        if (!(attributes[0] & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
                return 0;
        attributes[0] &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
        return ioctl(fd, FS_IOC_SETFLAGS, attributes) < 0 ? -errno : 0;
}

static int unlink_stubborn(int dir_fd, const char *name, const struct stat *st, int flags) {
        struct stat opened;

        if (unlinkat(dir_fd, name, flags) >= 0)
                return 0;
        if (errno != EPERM || !(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode))) /* opening a device may do something */
                return -errno;
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &opened) < 0 || opened.st_ino != st->st_ino || opened.st_dev != st->st_dev || make_mutable(fd) < 0)
                return -EPERM;
        return unlinkat(dir_fd, name, flags) < 0 ? -errno : 0;
}

static void visit_entry(Walk *w, int dir_fd, const char *name, unsigned depth, bool all) {
        struct stat st;
        int r;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return;
        /* Of directories only: an overlay gives files another device than the directory they are in. */
        if (S_ISDIR(st.st_mode) && st.st_dev != w->device)
                return;
        bool ours = all || st.st_uid == w->uid;
        if (S_ISDIR(st.st_mode) && (ours || (st.st_mode & 0011))) { /* where others may not go, the account left nothing */
                _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                struct stat opened;

                /* Between the look and the opening somebody may have put another directory there. */
                if (fd >= 0 && fstat(fd, &opened) >= 0 && opened.st_ino == st.st_ino && opened.st_dev == st.st_dev)
                        walk_directory(w, take_fd(&fd), depth + 1, ours);
        }
        if (!ours)
                return;
        r = unlink_stubborn(dir_fd, name, &st, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
        if (r < 0 && r != -ENOENT)
                receipt_residue(w->receipt, "below %s: %s: %s", w->top, name, strerror(-r));
        else if (!all)
                receipt_removed(w->receipt, "%s%s%s", w->top, depth == 0 ? "/" : "/.../", name);
}

/* Takes the descriptor over. */
static void walk_directory(Walk *w, int fd, unsigned depth, bool all) {
        struct dirent *e;
        DIR *d;

        if (depth > DEPTH_MAX)
                receipt_residue(w->receipt, "%s: deeper than %d directories", w->top, DEPTH_MAX);
        else if (all)
                (void) make_mutable(fd); /* else nothing goes out of it */
        d = depth > DEPTH_MAX ? NULL : fdopendir(fd);
        if (!d) {
                (void) close(fd);
                return;
        }
        while ((e = readdir(d))) {
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                if (++w->entries > ENTRIES_MAX) {
                        if (w->entries == ENTRIES_MAX + 1)
                                receipt_residue(w->receipt, "%s: more than %d files, not all looked at", w->top, ENTRIES_MAX);
                        break;
                }
                visit_entry(w, dirfd(d), e->d_name, depth, all);
        }
        (void) closedir(d);
}

void tree_clean(const char *path, uid_t uid, Receipt *receipt) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        Walk w = {.top = path, .uid = uid, .receipt = receipt};
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return;
        w.device = st.st_dev;
        walk_directory(&w, take_fd(&fd), 0, false);
}

int tree_remove(int dir_fd, const char *name) {
        Receipt ignored = {};
        Walk w = {.top = name, .receipt = &ignored};
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        w.device = st.st_dev;
        visit_entry(&w, dir_fd, name, 0, true);
        receipt_done(&ignored);
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                return 0;
        return -ENOTEMPTY;
}
