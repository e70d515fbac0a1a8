/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cgroup-warm.h"
#include "cleanup.h"

static atomic_flag under_way = ATOMIC_FLAG_INIT;

/* The unified hierarchy's line is "0::/PATH"; cgroups(7). -errno: there is none. */
static int open_own_procs(void) {
        _cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
        _cleanup_free_ char *line = NULL, *path = NULL;
        size_t size = 0;
        int fd;

        while (f && getline(&line, &size, f) > 0)
                if (strncmp(line, "0::/", 4) == 0) {
                        line[strcspn(line, "\n")] = 0;
                        if (asprintf(&path, "/sys/fs/cgroup%s/cgroup.procs", line + 3) < 0)
                                return -ENOMEM;
                        fd = open(path, O_WRONLY | O_CLOEXEC);
                        return fd < 0 ? -errno : fd;
                }
        return -ENOENT;
}

static void *warm_main(void *userdata) {
        int fd = open_own_procs();

        if (fd >= 0) {
                (void) !write(fd, "0", 1); /* the process that writes */
                (void) close(fd);
        }
        atomic_flag_clear(&under_way);
        return userdata;
}

void cgroup_warm(void) {
        pthread_attr_t attributes;
        sigset_t all, before;
        pthread_t thread;

        if (atomic_flag_test_and_set(&under_way))
                return;
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        (void) pthread_attr_init(&attributes);
        (void) pthread_attr_setstacksize(&attributes, 64 * 1024);
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        if (pthread_create(&thread, &attributes, warm_main, NULL) != 0)
                atomic_flag_clear(&under_way);
        (void) pthread_attr_destroy(&attributes);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
}
