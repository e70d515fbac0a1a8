/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "cgroup-path.h"
#include "cleanup.h"
#include "process-kill.h"
#include "stale-sudo.h"
#include "timefmt.h"
#include "uid-range.h"

uint64_t usec_to_ticks(uint64_t usec) {
        return usec / (USEC_PER_SEC / (uint64_t) sysconf(_SC_CLK_TCK));
}

static ssize_t read_file(int proc_fd, const char *pid, const char *name, char *ret, size_t size) {
        char path[64];
        ssize_t n;

        (void) snprintf(path, sizeof(path), "%.20s/%s", pid, name);
        _cleanup_close_ int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, ret, size - 1);
        ret[n > 0 ? n : 0] = 0;
        return n;
}

/* proc_pid_exe(5): " (deleted)" where an upgrade has replaced it. */
static bool runs_sudo(int proc_fd, const char *pid) {
        static const char deleted[] = " (deleted)";
        char path[64], exe[512];
        const char *name;
        ssize_t n;

        (void) snprintf(path, sizeof(path), "%.20s/exe", pid);
        n = readlinkat(proc_fd, path, exe, sizeof(exe) - 1);
        if (n <= 0)
                return false;
        exe[n] = 0;
        if ((size_t) n >= sizeof(deleted) && streq(exe + n - (sizeof(deleted) - 1), deleted))
                exe[n - (ssize_t) (sizeof(deleted) - 1)] = 0;
        name = strrchr(exe, '/');
        return name && (streq(name, "/sudo") || streq(name, "/sudo-rs"));
}

/* By login, and by whose rules sudo looks at: its real UID's, until it has become root altogether. */
static bool is_of(int proc_fd, const char *pid, uid_t uid) {
        char text[4096];
        const char *line;

        if (read_file(proc_fd, pid, "loginuid", text, sizeof(text)) > 0 && strtoul(text, NULL, 10) == uid)
                return true;
        line = read_file(proc_fd, pid, "status", text, sizeof(text)) > 0 ? strstr(text, "\nUid:") : NULL;
        return line && strtoul(line + 5, NULL, 10) == uid;
}

static bool is_in_our_slice(const Manager *m, pid_t pid) {
        CgroupPlace place;

        return cgroup_place_of(pid, &place) >= 0 && (place.grant[0] || uid_range_contains(m->uids, place.owner));
}

static int look_at(const Manager *m, int proc_fd, const char *name, StaleSudo *s) {
        pid_t pid = (pid_t) atoi(name);
        uint64_t start;

        if (pid == s->except || !runs_sudo(proc_fd, name))
                return 0;
        /* What is read from here on is of one process: the number cannot be another's before the last look at it. */
        _cleanup_close_ int fd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0 || !runs_sudo(proc_fd, name) || !is_of(proc_fd, name, s->uid) || is_in_our_slice(m, pid) ||
            process_start_time(pid, &start) < 0)
                return 0;
        if (start < s->kill_from || start > s->kill_until) {
                if (s->left++ == 0)
                        s->first = pid;
                return 0;
        }
        s->killed++;
        return syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH ? -errno : 0;
}

int stale_sudo_find(const Manager *m, StaleSudo *s) {
        DIR *d = opendir("/proc");
        struct dirent *e;
        int r = 0;

        if (!d)
                return -errno;
        s->killed = s->left = 0;
        s->first = 0;
        while ((e = readdir(d)))
                if (isdigit((unsigned char) e->d_name[0])) {
                        int k = look_at(m, dirfd(d), e->d_name, s);
                        if (k < 0)
                                r = k;
                }
        (void) closedir(d);
        return r;
}
