/* SPDX-License-Identifier: Apache-2.0 */

/* turns IN OUT COMMAND...: for each line that comes through the FIFO IN runs COMMAND, which must succeed, with the line
 * in place of each argument "@" and as JIT_TICKET, and writes to OUT how long it took, microseconds. So one login,
 * which is who asks, makes all the calls that are to be compared, and someone else says when. The terminal, if there is
 * one, stays COMMAND's; its output is thrown away. */

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "reaper-client.h"

extern char **environ;

enum { ARGS_MAX = 16 };

static uint64_t run(char *const args[], const posix_spawn_file_actions_t *quiet) {
        uint64_t start = bench_now_usec();
        int status;
        pid_t pid;

        if (posix_spawnp(&pid, args[0], quiet, NULL, args, environ) != 0 || waitpid(pid, &status, 0) < 0 || status != 0)
                bench_fail("%s has failed", args[0]);
        return bench_now_usec() - start;
}

int main(int argc, char *argv[]) {
        posix_spawn_file_actions_t quiet;
        char line[64], *args[ARGS_MAX + 1] = {};
        FILE *in, *out;

        if (argc < 4 || argc - 3 > ARGS_MAX)
                bench_fail("turns IN OUT COMMAND...");
        in = fopen(argv[1], "re");
        out = fopen(argv[2], "we");
        if (!in || !out)
                bench_fail("%s, %s: %m", argv[1], argv[2]);
        (void) posix_spawn_file_actions_init(&quiet);
        (void) posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
        while (fgets(line, sizeof(line), in)) {
                line[strcspn(line, "\n")] = 0;
                for (int i = 3; i < argc; i++)
                        args[i - 3] = strcmp(argv[i], "@") == 0 ? line : argv[i];
                if (setenv("JIT_TICKET", line, 1) < 0)
                        bench_fail("%m");
                (void) fprintf(out, "%llu\n", (unsigned long long) run(args, &quiet));
                (void) fflush(out);
        }
        return EXIT_SUCCESS;
}
