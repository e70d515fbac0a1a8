/* SPDX-License-Identifier: Apache-2.0 */

/* stopwatch COMMAND...: runs it, which must succeed, and prints how long it took, microseconds. Its own output is
 * thrown away. */

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "reaper-client.h"

extern char **environ;

int main(int argc, char *argv[]) {
        posix_spawn_file_actions_t quiet;
        uint64_t start;
        int status;
        pid_t pid;

        if (argc < 2)
                bench_fail("stopwatch COMMAND...");
        (void) posix_spawn_file_actions_init(&quiet);
        (void) posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", 0, 0);
        (void) posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
        start = bench_now_usec();
        if (posix_spawnp(&pid, argv[1], &quiet, NULL, argv + 1, environ) != 0 || waitpid(pid, &status, 0) < 0 ||
            status != 0)
                bench_fail("%s has failed", argv[1]);
        (void) printf("%llu\n", (unsigned long long) (bench_now_usec() - start));
        return 0;
}
