/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_HOST_H
#define JIT_TEST_HOST_H

/* A host of its own for a test program that is root: a private mount namespace, with nothing in the folders where
 * jit-reaperd works. */

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* UIDs that nobody has: outside of what systemd, Debian and containers give out (systemd, docs/UIDS-GIDS.md). */
enum { TEST_UID_MIN = 0x70ff0000, TEST_UID_MAX = 0x70ff0fff };

/* A line is out before a fork: under valgrind a child's end writes what was not yet written a second time. */
__attribute__((constructor)) static void lines_at_once(void) {
        (void) setvbuf(stdout, NULL, _IOLBF, 0);
}

/* For what is killed by its UID: 4096 numbers of this process alone, as another run of the same test may be under way.
 */
static inline uid_t test_uid_base(void) {
        return 0x60000000u + ((uid_t) getpid() & 0xffffu) * 0x1000u;
}

static inline bool private_tmpfs(const char *path) {
        return mount("test", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64M") >= 0;
}

/* False: not possible here, and "skip" has been said for name. Undone by the end of the program. */
static inline bool private_host(const char *name) {
        static const char *const folders[] = {"/run",     "/var/log", "/var/spool", "/var/mail",
                                              "/var/tmp", "/var/lib", "/dev/shm",   "/tmp"};
        static int state; /* 0: not tried, 1: there, -1: not possible */

        if (state == 0) {
                state = geteuid() == 0 && unshare(CLONE_NEWNS) >= 0 &&
                                                        mount("", "/", "", MS_REC | MS_PRIVATE, NULL) >= 0
                                        ? 1
                                        : -1;
                for (size_t i = 0; state > 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
                        if (!private_tmpfs(folders[i]) && errno != ENOENT)
                                state = -1;
        }
        if (state < 0)
                printf("skip %s (needs root, and a mount namespace of its own)\n", name);
        return state > 0;
}

static inline bool test_is_root(const char *name) {
        if (geteuid() == 0)
                return true;
        printf("skip %s (needs root)\n", name);
        return false;
}

/* valgrind knows no pidfd_open(2), keeps descriptors for itself, and is no guide to kill(2). */
static inline bool without_valgrind(const char *name) {
        const char *preload = getenv("LD_PRELOAD");

        if (!preload || !strstr(preload, "vgpreload"))
                return true;
        printf("skip %s (not under valgrind)\n", name);
        return false;
}

static inline int make_folder(int parent_fd, const char *name) {
        (void) mkdirat(parent_fd, name, 0755);
        return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void put_file(int dir_fd, const char *name, const char *text) {
        int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        size_t length = strlen(text);

        if (fd < 0 || write(fd, text, length) != (ssize_t) length)
                TEST_FAIL("cannot write %s: %s", name, strerror(errno));
        if (fd >= 0)
                (void) close(fd);
}

/* free() */
static inline char *get_file(int dir_fd, const char *name) {
        int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        char *text = calloc(1, 1024 * 1024);
        size_t used = 0;
        ssize_t n;

        while (fd >= 0 && text && used < 1024 * 1024 - 1 && (n = read(fd, text + used, 1024 * 1024 - 1 - used)) > 0)
                used += (size_t) n;
        if (fd >= 0)
                (void) close(fd);
        return text;
}

static inline bool is_there(int dir_fd, const char *name) {
        return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

#endif
