/* SPDX-License-Identifier: Apache-2.0 */

/* hold PREFIX FIRST COUNT [PEOPLE]: opens a session for each account PREFIXn and keeps them all until its standard
 * input ends; with PEOPLE for each PREFIXn-p1 to PREFIXn-pPEOPLE, who share a ticket. Says "held". */

#include <stdio.h>
#include <sys/resource.h>

#include "cleanup.h"
#include "reaper-client.h"

static void hold(const char *account) {
        (void) client_lookup(account);
        client_authorize(account);
        (void) client_open_session(account); /* kept by its descriptor */
}

int main(int argc, char *argv[]) {
        struct rlimit files;
        unsigned people;
        char c;

        if (argc < 4)
                bench_fail("hold PREFIX FIRST COUNT [PEOPLE]");
        people = argc > 4 ? bench_number(argv[4]) : 0;
        (void) getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) < 0)
                bench_fail("RLIMIT_NOFILE: %m");
        for (unsigned i = bench_number(argv[2]), end = i + bench_number(argv[3]); i < end; i++) {
                char account[32];

                (void) snprintf(account, sizeof(account), "%.12s%u", argv[1], i);
                if (people == 0)
                        hold(account);
                for (unsigned p = 1; p <= people; p++) {
                        (void) snprintf(account, sizeof(account), "%.12s%u-p%u", argv[1], i, p);
                        hold(account);
                }
        }
        (void) puts("held");
        (void) fflush(stdout);
        (void) !read(STDIN_FILENO, &c, 1);
        return EXIT_SUCCESS;
}
