/* SPDX-License-Identifier: Apache-2.0 */

/* cgroup-move COUNT: moves a process from one cgroup to another and back, 50 ms apart, and prints how long each write to
 * cgroup.procs took, microseconds: what PID 1 waits for when it makes a scope out of a running process. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "reaper-client.h"

#define CGROUPS "/sys/fs/cgroup/"

enum { PAUSE_USEC = 50000 };

static const char *const names[] = {CGROUPS "bench-a", CGROUPS "bench-b"};

static uint64_t move(pid_t pid, const char *cgroup) {
        char path[64], text[16];
        uint64_t start;
        int fd, n;

        (void) snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
        n = snprintf(text, sizeof(text), "%d", pid);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                bench_fail("%s: %m", path);
        start = bench_now_usec();
        if (write(fd, text, (size_t) n) != n)
                bench_fail("%s: %m", path);
        start = bench_now_usec() - start;
        (void) close(fd);
        return start;
}

int main(int argc, char *argv[]) {
        pid_t pid;

        if (argc != 2)
                bench_fail("cgroup-move COUNT");
        for (unsigned i = 0; i < 2; i++)
                if (mkdir(names[i], 0755) < 0)
                        bench_fail("%s: %m", names[i]);
        pid = fork();
        if (pid < 0)
                bench_fail("fork: %m");
        if (pid == 0)
                for (;;)
                        (void) pause();
        for (unsigned i = 0, n = bench_number(argv[1]); i < n; i++) {
                (void) usleep(PAUSE_USEC);
                (void) printf("%llu\n", (unsigned long long) move(pid, names[i % 2]));
        }
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        for (unsigned i = 0; i < 2; i++)
                (void) rmdir(names[i]);
        return EXIT_SUCCESS;
}
