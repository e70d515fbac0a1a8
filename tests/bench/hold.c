/* SPDX-License-Identifier: Apache-2.0 */

/* hold PREFIX FIRST COUNT: opens a session for each account PREFIX-N and keeps them all until its standard input ends.
 * Says "held". */

#include <stdio.h>
#include <sys/resource.h>

#include "cleanup.h"
#include "reaper-client.h"

int main(int argc, char *argv[]) {
        struct rlimit files;
        char c;

        if (argc != 4)
                bench_fail("hold PREFIX FIRST COUNT");
        (void) getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) < 0)
                bench_fail("RLIMIT_NOFILE: %m");
        for (unsigned i = bench_number(argv[2]), end = i + bench_number(argv[3]); i < end; i++) {
                char account[32];

                (void) snprintf(account, sizeof(account), "%.20s%u", argv[1], i);
                (void) client_lookup(account);
                client_authorize(account);
                (void) client_open_session(account); /* kept by its descriptor */
        }
        (void) puts("held");
        (void) fflush(stdout);
        (void) !read(STDIN_FILENO, &c, 1);
        return EXIT_SUCCESS;
}
