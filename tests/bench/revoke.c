/* SPDX-License-Identifier: Apache-2.0 */

/* revoke ACCOUNT: from the Revoke call to no process, no account, no key, no rule, no home. The answer says when; that
 * it says the truth is looked at, and if not, the time runs on until it is true. revoke --kill UID: the limit. A bare
 * write to cgroup.kill of the user's slice until the kernel says that it is empty.
 *
 * Both print microseconds. */

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>

#include "cleanup.h"
#include "reaper-client.h"

enum { LATE_USEC_MAX = 20000000 };

static uint64_t revoke_grant(const char *account) {
        const struct passwd *pw = getpwnam(account);
        uint64_t start, end;
        const char *what;
        uid_t uid;

        if (!pw)
                bench_fail("no account %s", account);
        uid = pw->pw_uid;
        if (!artefacts_are(true, account, uid, &what))
                bench_fail("%s lacks its %s", account, what);
        start = bench_now_usec();
        client_revoke(account);
        end = bench_now_usec();
        while (!artefacts_are(false, account, uid, &what)) {
                (void) fprintf(stderr, "bench: %s still had its %s when the answer came\n", account, what);
                end = bench_now_usec();
                if (end - start > LATE_USEC_MAX)
                        bench_fail("%s is never gone", account);
        }
        return end - start;
}

static int open_in_slice(unsigned uid, const char *name, int flags) {
        char path[128];
        int fd;

        (void) snprintf(path, sizeof(path), "/sys/fs/cgroup/user.slice/user-%u.slice/%s", uid, name);
        fd = open(path, flags | O_CLOEXEC);
        if (fd < 0)
                bench_fail("%s: %m", path);
        return fd;
}

static bool is_empty(int events_fd) {
        char text[128];
        ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);

        if (n < 0)
                return errno == ENODEV; /* PID 1 has removed it already */
        text[n] = 0;
        return strstr(text, "populated 0") != NULL;
}

static uint64_t kill_slice(unsigned uid) {
        _cleanup_close_ int kill_fd = open_in_slice(uid, "cgroup.kill", O_WRONLY);
        _cleanup_close_ int events_fd = open_in_slice(uid, "cgroup.events", O_RDONLY);
        uint64_t start;

        if (is_empty(events_fd))
                bench_fail("nothing runs in the slice of %u", uid);
        start = bench_now_usec();
        if (write(kill_fd, "1", 1) != 1)
                bench_fail("cgroup.kill: %m");
        while (!is_empty(events_fd)) {
                struct pollfd p = {.fd = events_fd, .events = POLLPRI};
                if (poll(&p, 1, LATE_USEC_MAX / 1000) <= 0)
                        bench_fail("the slice of %u does not become empty", uid);
        }
        return bench_now_usec() - start;
}

int main(int argc, char *argv[]) {
        uint64_t usec;

        if (argc == 2)
                usec = revoke_grant(argv[1]);
        else if (argc == 3 && streq(argv[1], "--kill"))
                usec = kill_slice(bench_number(argv[2]));
        else
                bench_fail("revoke ACCOUNT, revoke --kill UID");
        (void) printf("%llu\n", (unsigned long long) usec);
        return EXIT_SUCCESS;
}
