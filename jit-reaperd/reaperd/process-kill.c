/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "process-kill.h"

/* "unified" beside the v1 controllers where the host has the hybrid layout (systemd, docs/CGROUP_DELEGATION.md). */
static const char *cgroup_root(void) {
        struct statfs fs;

        return statfs("/sys/fs/cgroup", &fs) >= 0 && fs.f_type == CGROUP2_SUPER_MAGIC ? "/sys/fs/cgroup"
                                                                                       : "/sys/fs/cgroup/unified";
}

/* systemd.slice(5): the name says the place, "jit-x.slice" is in "jit.slice". */
const char *slice_path(const char *slice, char ret[static SLICE_PATH_MAX]) {
        const char *dash = strchr(slice, '-');

        if (dash)
                (void) snprintf(ret, SLICE_PATH_MAX, "%s/%.*s.slice/%s", cgroup_root(), (int) (dash - slice), slice, slice);
        else
                (void) snprintf(ret, SLICE_PATH_MAX, "%s/%s", cgroup_root(), slice);
        return ret;
}

int slice_open(const char *slice) {
        char path[SLICE_PATH_MAX];
        int fd;

        if (strchr(slice, '/'))
                return -EINVAL;
        fd = open(slice_path(slice, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int user_slice_open(uid_t uid) {
        char slice[40];

        (void) snprintf(slice, sizeof(slice), "user-%u.slice", uid);
        return slice_open(slice);
}

int slice_kill(int slice_fd) {
        _cleanup_close_ int fd = openat(slice_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? -EOPNOTSUPP : -errno;
        return write(fd, "1", 1) == 1 ? 0 : -errno;
}

int slice_events_open(int slice_fd) {
        int fd = openat(slice_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

bool slice_is_empty(int events_fd) {
        char text[128];
        ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);

        if (n < 0)
                return errno == ENODEV;
        text[n] = 0;
        return strstr(text, "populated 0") != NULL;
}

static unsigned count_lines(int dir_fd) {
        _cleanup_close_ int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        char buffer[4096];
        unsigned count = 0;
        ssize_t n;

        while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
                for (ssize_t i = 0; i < n; i++)
                        count += buffer[i] == '\n';
        return count;
}

/* Three levels hold slice, session scopes, and what a session may have made below; deeper ones are killed all the same. */
static unsigned count_below(int dir_fd, unsigned depth) {
        unsigned count = count_lines(dir_fd);
        struct dirent *e;
        DIR *d;
        int copy;

        if (depth == 0)
                return count;
        copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d = copy < 0 ? NULL : fdopendir(copy);
        if (!d) {
                if (copy >= 0)
                        (void) close(copy);
                return count;
        }
        while ((e = readdir(d))) {
                if (e->d_type != DT_DIR || e->d_name[0] == '.')
                        continue;
                _cleanup_close_ int fd = openat(copy, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0)
                        count += count_below(fd, depth - 1);
        }
        (void) closedir(d);
        return count;
}

unsigned slice_count(int slice_fd) {
        return count_below(slice_fd, 3);
}

int uid_kill_all(uid_t uid, uid_t sender) {
        int r = 0, bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

        /* With these bits CAP_KILL would outlive the change of UID, and pid -1 would mean everybody. */
        if (bits < 0 || (bits & (SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS)) || uid == 0 || sender == 0 || uid == sender ||
            uid == (uid_t) -1 || sender == (uid_t) -1) /* which setresuid(2) takes for "as it is", root */
                return -EPERM;
        /* The kernel lets a sender signal whose effective or real UID is the target's real or saved one (kill(2)). With effective UID = the account's
         * and real UID = one that nobody has, pid -1 reaches exactly the account's processes, in one pass under the task list lock: a fork() either
         * was before it, and the child is hit, or finds the signal pending and fails. The account cannot signal us back meanwhile: our real UID is
         * the sender's and our saved one 0. The raw system call changes this thread alone; root's capabilities come back with the effective UID. */
        if (syscall(SYS_setresuid, sender, uid, 0) < 0)
                return -errno;
        if (kill(-1, SIGKILL) < 0 && errno != ESRCH)
                r = -errno;
        if (syscall(SYS_setresuid, 0, 0, 0) < 0)
                abort(); /* a reaper that is not root any more must not go on: it is started again and reads its records */
        return r;
}

bool uid_has_no_process(uid_t uid) {
        errno = 0;
        return getpriority(PRIO_USER, uid) == -1 && errno == ESRCH;
}

/* proc_pid_status(5): "State:\tZ" is dead already, unless only its first thread has ended. */
static bool status_is_dead(const char *status) {
        const char *state = strstr(status, "\nState:\t"), *threads = strstr(status, "\nThreads:\t");

        return state && (state[8] == 'X' || (state[8] == 'Z' && (!threads || strtoul(threads + 10, NULL, 10) <= 1)));
}

/* "Uid:" real, effective, saved, filesystem. */
static bool status_has_uid(const char *status, uid_t uid) {
        const char *line = strstr(status, "\nUid:");
        unsigned u[4];

        if (!line || status_is_dead(status))
                return false;
        if (sscanf(line + 5, "%u %u %u %u", &u[0], &u[1], &u[2], &u[3]) != 4)
                return false;
        return u[0] == uid || u[1] == uid || u[2] == uid || u[3] == uid;
}

/* proc(5): the directory's owner is the effective UID, whether the process is dumpable or not (task_dump_owner() in the kernel), and "task" has a link
 * for each thread, and two. process_vm_readv(2) finds no process where there is no memory any more, which is so of a first thread that has ended
 * alone, too. A thousand zombies that their parent has not waited for yet are so passed by quickly. */
static bool has_euid_and_is_dead(int proc_fd, const char *pid, uid_t uid) {
        char path[300], byte;
        struct iovec here = {&byte, 1}, there = {NULL, 1};
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s/task", pid);
        if (fstatat(proc_fd, path, &st, 0) < 0 || st.st_uid != uid || st.st_nlink > 3)
                return false;
        return process_vm_readv((pid_t) atoi(pid), &here, 1, &there, 1, 0) < 0 && errno == ESRCH;
}

int uid_count_processes(uid_t uid, unsigned *ret_count, pid_t *ret_first) {
        DIR *d = opendir("/proc");
        unsigned count = 0;
        pid_t first = 0;
        struct dirent *e;

        if (!d)
                return -errno;
        while ((e = readdir(d))) {
                char path[300], status[4096];
                ssize_t n;

                if (!isdigit((unsigned char) e->d_name[0]))
                        continue;
                if (has_euid_and_is_dead(dirfd(d), e->d_name, uid))
                        continue;
                (void) snprintf(path, sizeof(path), "%s/status", e->d_name);
                _cleanup_close_ int fd = openat(dirfd(d), path, O_RDONLY | O_CLOEXEC);
                n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
                if (n <= 0)
                        continue; /* gone since */
                status[n] = 0;
                if (!status_has_uid(status, uid))
                        continue;
                if (count++ == 0)
                        first = (pid_t) atoi(e->d_name);
        }
        (void) closedir(d);
        *ret_count = count;
        *ret_first = first;
        return 0;
}

int process_start_time(pid_t pid, uint64_t *ret) {
        char path[64], text[1024];
        const char *p;
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (n <= 0)
                return -ESRCH;
        text[n] = 0;
        /* Field 22; field 2 is the name in parentheses, which may hold anything. */
        p = strrchr(text, ')');
        for (unsigned field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        if (!p)
                return -EBADMSG;
        *ret = strtoull(p + 1, NULL, 10);
        return 0;
}
