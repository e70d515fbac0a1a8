/* SPDX-License-Identifier: Apache-2.0 */

/* cycle PREFIX FIRST COUNT [useradd]: for each account PREFIX-N what a login and its end make and remove, through
 * jit-reaperd's sockets: look-up, Authorize, OpenSession; then Revoke, which answers when all of it is gone. With
 * "useradd" each is followed by `useradd -m` and `userdel -r`.
 *
 * Prints a line per cycle, microseconds: "cycle TOTAL LOOKUP AUTHORIZE OPEN REVOKE RECEIPT" and "useradd TOTAL USERADD
 * USERDEL". RECEIPT is how long after the end the receipt is written: jit-reaperd waits until logind and journald have
 * forgotten the account too. */

#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "paths.h"
#include "reaper-client.h"

extern char **environ;

enum { GONE_MSEC_MAX = 20000 };
/* After each step: what PID 1, logind and the journal still do for it is no part of the next. */
enum { PAUSE_USEC = 50000, SESSION_USEC = 250000 };
/* Between the look-up and the account phase sshd and its client sign and check: not less than this, and not counted. */
enum { SIGNATURE_USEC = 10000 };

typedef struct Holder {
        pid_t pid;
        int tell, hear;
} Holder;

/* As sshd's monitor: opens the session when told, and keeps it until it is killed or the pipe ends. */
static _Noreturn void hold(const char *account, int from, int to) {
        char c;

        if (read(from, &c, 1) != 1)
                _exit(EXIT_FAILURE);
        (void) client_open_session(account);
        if (write(to, "o", 1) != 1)
                _exit(EXIT_FAILURE);
        (void) !read(from, &c, 1);
        _exit(EXIT_SUCCESS);
}

static Holder holder_start(const char *account) {
        int down[2], up[2];
        Holder h;

        if (pipe(down) < 0 || pipe(up) < 0)
                bench_fail("pipe: %m");
        h.pid = fork();
        if (h.pid < 0)
                bench_fail("fork: %m");
        if (h.pid == 0) {
                (void) close(down[1]);
                (void) close(up[0]);
                hold(account, down[0], up[1]);
        }
        (void) close(down[0]);
        (void) close(up[1]);
        h.tell = down[1];
        h.hear = up[0];
        return h;
}

static void holder_open(const Holder *h) {
        char c;

        if (write(h->tell, "o", 1) != 1 || read(h->hear, &c, 1) != 1)
                bench_fail("the session's process has failed");
}

static void holder_reap(const Holder *h) {
        (void) close(h->tell);
        (void) close(h->hear);
        (void) waitpid(h->pid, NULL, 0);
}

/* Waits until a record is deleted. It can only be this account's, as nothing else comes or goes meanwhile; temporary
 * files have a dot. */
static void wait_for_record(int inotify_fd, const char *account) {
        for (;;) {
                char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
                struct pollfd p = {.fd = inotify_fd, .events = POLLIN};
                ssize_t n;

                if (poll(&p, 1, GONE_MSEC_MAX) <= 0)
                        bench_fail("%s is not gone after %d ms", account, GONE_MSEC_MAX);
                n = read(inotify_fd, buffer, sizeof(buffer));
                for (ssize_t at = 0; at < n;) {
                        const struct inotify_event *e = (const struct inotify_event *) (const void *) (buffer + at);
                        if ((e->mask & IN_DELETE) && e->name[0] != '.')
                                return;
                        at += (ssize_t) (sizeof(*e) + e->len);
                }
        }
}

static void check(bool present, const char *account, uid_t uid) {
        const char *what;

        if (!artefacts_are(present, account, uid, &what))
                bench_fail("%s %s its %s", account, present ? "lacks" : "still has", what);
}

static int watch_records(void) {
        int fd = inotify_init1(IN_CLOEXEC);

        if (fd < 0 || inotify_add_watch(fd, JIT_RUN "/grants", IN_DELETE) < 0)
                bench_fail("%s/grants: %m", JIT_RUN);
        return fd;
}

static void cycle(const char *account) {
        enum { START, NAMED, KNOWN, AUTHORIZED, OPENED, REVOKE, GONE, RECEIPT, N };
        _cleanup_close_ int records_fd = watch_records();
        Holder h = holder_start(account);
        unsigned long long at[N];
        uid_t uid;

        (void) usleep(PAUSE_USEC);
        at[START] = bench_now_usec();
        uid = client_lookup(account);
        at[NAMED] = bench_now_usec();
        (void) usleep(SIGNATURE_USEC);
        at[KNOWN] = bench_now_usec();
        client_authorize(account);
        at[AUTHORIZED] = bench_now_usec();
        holder_open(&h);
        at[OPENED] = bench_now_usec();
        check(true, account, uid);
        (void) usleep(SESSION_USEC);
        at[REVOKE] = bench_now_usec();
        client_revoke(account);
        at[GONE] = bench_now_usec();
        check(false, account, uid);
        wait_for_record(records_fd, account);
        at[RECEIPT] = bench_now_usec();
        holder_reap(&h);
        (void) printf("cycle %llu %llu %llu %llu %llu %llu\n",
                      at[NAMED] - at[START] + at[OPENED] - at[KNOWN] + at[GONE] - at[REVOKE], at[NAMED] - at[START],
                      at[AUTHORIZED] - at[KNOWN], at[OPENED] - at[AUTHORIZED], at[GONE] - at[REVOKE],
                      at[RECEIPT] - at[GONE]);
}

static uint64_t run(const char *const argv[]) {
        posix_spawn_file_actions_t quiet;
        uint64_t start = bench_now_usec();
        int status = 0;
        pid_t pid;

        (void) posix_spawn_file_actions_init(&quiet);
        (void) posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0); /* userdel: no mail spool */
        if (posix_spawnp(&pid, argv[0], &quiet, NULL, (char *const *) argv, environ) != 0 ||
            waitpid(pid, &status, 0) < 0 || status != 0)
                bench_fail("%s: exit status %d", argv[0], status);
        (void) posix_spawn_file_actions_destroy(&quiet);
        return bench_now_usec() - start;
}

static void cycle_ordinary(unsigned number) {
        char name[32];
        uint64_t add, del;

        (void) snprintf(name, sizeof(name), "ordinary%u", number);
        add = run((const char *const[]){"useradd", "-m", name, NULL});
        del = run((const char *const[]){"userdel", "-r", name, NULL});
        (void) printf("useradd %llu %llu %llu\n", (unsigned long long) (add + del), (unsigned long long) add,
                      (unsigned long long) del);
}

int main(int argc, char *argv[]) {
        if (argc < 4)
                bench_fail("cycle PREFIX FIRST COUNT [useradd]");
        for (unsigned i = bench_number(argv[2]), end = i + bench_number(argv[3]); i < end; i++) {
                char account[32];

                (void) snprintf(account, sizeof(account), "%.20s%u", argv[1], i);
                cycle(account);
                (void) usleep(PAUSE_USEC);
                if (argc > 4) {
                        cycle_ordinary(i);
                        (void) usleep(PAUSE_USEC);
                }
        }
        return EXIT_SUCCESS;
}
