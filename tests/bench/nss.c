/* SPDX-License-Identifier: Apache-2.0 */

/* nss PREFIX FIRST COUNT: getpwnam(3) of COUNT names that nobody has, each only once; prints what each took,
 * nanoseconds. */

#include <pwd.h>
#include <stdio.h>
#include <time.h>

#include "reaper-client.h"

static uint64_t now_nsec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

int main(int argc, char *argv[]) {
        if (argc != 4)
                bench_fail("nss PREFIX FIRST COUNT");
        for (unsigned i = bench_number(argv[2]), end = i + bench_number(argv[3]); i < end; i++) {
                char name[32];
                uint64_t start;

                (void) snprintf(name, sizeof(name), "%.20s%u", argv[1], i);
                start = now_nsec();
                if (getpwnam(name))
                        bench_fail("there is a user %s", name);
                (void) printf("%llu\n", (unsigned long long) (now_nsec() - start));
        }
        return 0;
}
