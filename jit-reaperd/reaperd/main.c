/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

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

int main(int argc, char *argv[]) {
        if (argc > 1) {
                (void) fprintf(stderr, "%s takes no arguments; systemctl start jit-reaperd.socket starts it. See jit-reaperd(8).\n", argv[0]);
                return 2;
        }
        if (geteuid() != 0) {
                (void) fprintf(stderr, "%s must be started by systemd, as root\n", argv[0]);
                return 1;
        }
        (void) umask(022);
        (void) prctl(PR_SET_DUMPABLE, 0); /* the audit key is in memory */
        return run() < 0 ? 1 : 0;
}
