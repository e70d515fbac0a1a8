/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "log.h"
#include "manager.h"

static int run(void) {
        JIT_CLEANUP(manager_freep) Manager *m = NULL;
        int r;

        r = manager_new(&m);
        if (r >= 0)
                r = manager_start(m);
        if (r >= 0)
                r = manager_loop(m);
        if (r < 0)
                log_error("jit-reaperd ends: %s", strerror(-r));
        return r;
}

/* sched(7), "The autogroup feature": where it is on, and every service is a session of its own, Nice= alone means nothing. */
static void nice_as_a_group(void) {
        _cleanup_close_ int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

        if (fd >= 0 && dprintf(fd, "%d", getpriority(PRIO_PROCESS, 0)) < 0)
                log_debug("Cannot set the priority of the autogroup, ignoring: %m");
}

int main(int argc, char *argv[]) {
        if (argc > 1) {
                (void) fprintf(stderr, "%s takes no arguments; systemctl start jit-reaperd.socket starts it. See jit-reaperd(8).\n", argv[0]);
                return 2;
        }
        if (geteuid() != 0) {
                (void) fprintf(stderr, "%s must be started by systemd, as root\n", argv[0]);
                return 1;
        }
        nice_as_a_group();
        (void) umask(022);
        (void) prctl(PR_SET_DUMPABLE, 0); /* the audit key is in memory */
        return run() < 0 ? 1 : 0;
}
