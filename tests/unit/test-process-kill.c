/* SPDX-License-Identifier: Apache-2.0 */

/* Processes that do not want to die, under a UID that nobody has. */

#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "process-kill.h"
#include "test-host.h"

static uid_t base;
#define SENDER base
#define VICTIM (base + 1)
#define NEIGHBOUR (base + 2)

__attribute__((constructor)) static void choose_uids(void) {
        base = test_uid_base();
}

static pid_t spawn(uid_t ruid, uid_t euid, uid_t suid, void (*run)(void)) {
        int ready[2];
        char c;
        pid_t pid;

        CHECK(pipe(ready) >= 0);
        pid = fork();
        if (pid == 0) {
                (void) close(ready[0]);
                if (setgroups(0, NULL) < 0 || setresuid(ruid, euid, suid) < 0)
                        _exit(1);
                (void) !write(ready[1], "x", 1);
                (void) close(ready[1]);
                run();
                _exit(0);
        }
        (void) close(ready[1]);
        CHECK_EQ_INT(read(ready[0], &c, 1), 1);
        (void) close(ready[0]);
        return pid;
}

static void run_sleep(void) {
        for (;;)
                (void) pause();
}

static void run_stubborn(void) {
        sigset_t all;

        (void) sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, NULL);
        (void) setsid();
        run_sleep();
}

static void run_stopped(void) {
        (void) raise(SIGSTOP);
        run_sleep();
}

/* Each generation ends as soon as the next one lives: a list of PIDs is old before it is used. */
static void run_runaway(void) {
        for (;;) {
                pid_t pid = fork();
                if (pid > 0)
                        _exit(0);
                (void) setsid();
        }
}

/* Grows up to some hundreds, and refills what is killed one by one. */
static void run_bomb(void) {
        for (unsigned i = 0; i < 6; i++)
                (void) fork();
        for (;;) {
                pid_t pid = fork();
                if (pid == 0) {
                        (void) usleep(2000);
                        _exit(0);
                }
                (void) usleep(1000);
                (void) waitpid(-1, NULL, WNOHANG);
        }
}

static void *thread_sleep(void *userdata) {
        (void) userdata;
        run_sleep();
        return NULL;
}

/* The first thread ends, another one goes on: a zombie that is not dead. */
static void run_headless(void) {
        pthread_t t;

        (void) pthread_create(&t, NULL, thread_sleep, NULL);
        (void) syscall(SYS_exit, 0); /* this thread alone */
}

/* Tries to kill whoever may try to kill it. */
static void run_avenger(void) {
        for (;;) {
                (void) kill(getppid(), SIGKILL);
                (void) usleep(100);
        }
}

static unsigned count(uid_t uid) {
        unsigned n = 0;
        pid_t first;

        CHECK_EQ_INT(uid_count_processes(uid, &n, &first), 0);
        CHECK((n == 0) == (first == 0));
        return n;
}

/* True as soon as all of uid is dead. */
static bool all_dead(uid_t uid) {
        for (unsigned i = 0; i < 500; i++) {
                if (count(uid) == 0)
                        return true;
                (void) usleep(5000);
        }
        return false;
}

/* One look at /proc may miss who changes numbers all the time. */
static bool is_seen(uid_t uid) {
        for (unsigned i = 0; i < 200; i++)
                if (count(uid) > 0)
                        return true;
        return false;
}

static void reap_children(void) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
}

static char *capabilities(void) {
        static char line[2][64];
        static unsigned turn;
        char *ret = line[turn++ % 2], text[4096];
        int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        const char *p;

        (void) close(fd);
        text[n > 0 ? n : 0] = 0;
        p = strstr(text, "CapPrm:");
        (void) snprintf(ret, 64, "%.50s", p ? p : "");
        return ret;
}

static void check_root_again(const char *capabilities_before) {
        uid_t r, e, s;

        CHECK(getresuid(&r, &e, &s) >= 0 && r == 0 && e == 0 && s == 0);
        CHECK_STREQ(capabilities(), capabilities_before);
        CHECK_EQ_INT(setfsuid((uid_t) -1), 0);
}

TEST(kills_every_kind) {
        const struct {
                const char *name;
                void (*run)(void);
                uid_t r, e, s;
        } kinds[] = {
                        {"sleep", run_sleep, VICTIM, VICTIM, VICTIM},
                        {"stubborn", run_stubborn, VICTIM, VICTIM, VICTIM},
                        {"stopped", run_stopped, VICTIM, VICTIM, VICTIM},
                        {"runaway", run_runaway, VICTIM, VICTIM, VICTIM},
                        {"bomb", run_bomb, VICTIM, VICTIM, VICTIM},
                        {"headless", run_headless, VICTIM, VICTIM, VICTIM},
                        {"avenger", run_avenger, VICTIM, VICTIM, VICTIM},
                        /* set-user-ID programs: as su or passwd run them, and one that comes back */
                        {"setuid root", run_sleep, VICTIM, 0, 0},
                        {"saved", run_sleep, NEIGHBOUR, NEIGHBOUR, VICTIM},
        };

        if (!test_is_root("kills_every_kind") || !without_valgrind("kills_every_kind"))
                return;
        const char *before = capabilities();
        pid_t neighbour = spawn(NEIGHBOUR, NEIGHBOUR, NEIGHBOUR, run_sleep), ours = spawn(0, 0, 0, run_sleep);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                (void) spawn(kinds[i].r, kinds[i].e, kinds[i].s, kinds[i].run);
                (void) usleep(50000);
                if (!is_seen(VICTIM))
                        TEST_FAIL("%s is not there", kinds[i].name);
                CHECK_EQ_INT(uid_kill_all(VICTIM, SENDER), 0); /* once */
                if (!all_dead(VICTIM))
                        TEST_FAIL("%s lives", kinds[i].name);
                reap_children();
                check_root_again(before);
        }
        CHECK_EQ_INT(count(NEIGHBOUR), 1);
        CHECK(kill(ours, 0) >= 0);
        CHECK_EQ_INT(uid_kill_all(VICTIM, SENDER), 0); /* nobody there: fine */
        pid_t left[] = {neighbour, ours};
        for (size_t i = 0; i < ELEMENTSOF(left); i++) {
                (void) kill(left[i], SIGKILL);
                CHECK_EQ_INT(waitpid(left[i], NULL, 0), left[i]);
        }
}

TEST(all_kinds_together) {
        void (*const kinds[])(void) = {run_sleep, run_stubborn, run_stopped, run_runaway,
                                       run_bomb,  run_runaway,  run_avenger, run_headless};

        if (!test_is_root("all_kinds_together") || !without_valgrind("all_kinds_together"))
                return;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                (void) spawn(VICTIM, VICTIM, VICTIM, kinds[i]);
        (void) usleep(100000);
        CHECK(count(VICTIM) > 10);
        CHECK_EQ_INT(uid_kill_all(VICTIM, SENDER), 0);
        CHECK(all_dead(VICTIM));
        reap_children();
}

TEST(refuses_what_would_hit_others) {
        if (!test_is_root("refuses_what_would_hit_others"))
                return;
        CHECK_EQ_INT(uid_kill_all(0, SENDER), -EPERM);
        CHECK_EQ_INT(uid_kill_all(VICTIM, 0), -EPERM);
        CHECK_EQ_INT(uid_kill_all(SENDER, SENDER), -EPERM);
        CHECK_EQ_INT(uid_kill_all((uid_t) -1, SENDER), -EPERM);
        CHECK_EQ_INT(uid_kill_all(VICTIM, (uid_t) -1), -EPERM);
        /* Capabilities that stay over a change of UID would make pid -1 everybody: in a child of its own, in case it
         * does. */
        pid_t pid = fork();
        if (pid == 0) {
                if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                        _exit(2);
                _exit(uid_kill_all(VICTIM, SENDER) == -EPERM ? 0 : 1);
        }
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_EQ_INT(status, 0);
}

static void *other_thread(void *userdata) {
        volatile bool *stop = userdata;
        uid_t r, e, s;

        while (!*stop)
                if (syscall(SYS_getresuid, &r, &e, &s) < 0 || r != 0 || e != 0 || s != 0)
                        return (void *) 1;
        return NULL;
}

TEST(other_threads_stay_root) {
        volatile bool stop = false;
        pthread_t t;
        void *result = (void *) 1;

        if (!test_is_root("other_threads_stay_root"))
                return;
        CHECK_EQ_INT(pthread_create(&t, NULL, other_thread, (void *) &stop), 0);
        for (unsigned i = 0; i < 200; i++)
                CHECK_EQ_INT(uid_kill_all(VICTIM, SENDER), 0);
        stop = true;
        (void) pthread_join(t, &result);
        CHECK(result == NULL);
}

TEST(counts) {
        if (!test_is_root("counts"))
                return;
        CHECK_EQ_INT(count(VICTIM), 0);
        pid_t one = spawn(VICTIM, VICTIM, VICTIM, run_sleep), two = spawn(VICTIM, NEIGHBOUR, NEIGHBOUR, run_sleep);
        CHECK_EQ_INT(count(VICTIM), 2);
        (void) kill(one, SIGKILL);
        (void) kill(two, SIGKILL);
        CHECK(all_dead(VICTIM)); /* zombies now: we have not waited for them */
        CHECK_EQ_INT(waitpid(one, NULL, 0), one);
        CHECK_EQ_INT(waitpid(two, NULL, 0), two);
}

TEST(start_time) {
        uint64_t ours = 0, again = 0, child = 0;

        CHECK_EQ_INT(process_start_time(getpid(), &ours), 0);
        CHECK_EQ_INT(process_start_time(getpid(), &again), 0);
        CHECK(ours > 0 && ours == again);
        CHECK_EQ_INT(process_start_time(0x7ffffff0, &again), -ESRCH);
        CHECK_EQ_INT(again, ours); /* untouched */
        /* A name made to look like the fields that follow it. */
        int pipe_fd[2];
        char c;
        CHECK(pipe(pipe_fd) >= 0);
        pid_t pid = fork();
        if (pid == 0) {
                (void) prctl(PR_SET_NAME, ") 1 2 3 4 (x");
                (void) !write(pipe_fd[1], "x", 1);
                run_sleep();
        }
        CHECK_EQ_INT(read(pipe_fd[0], &c, 1), 1);
        CHECK_EQ_INT(process_start_time(pid, &child), 0);
        CHECK(child >= ours && child < ours + 100000);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        (void) close(pipe_fd[0]);
        (void) close(pipe_fd[1]);
}

TEST(slices) {
        CHECK_EQ_INT(user_slice_open(VICTIM), -ENOENT);
        CHECK_EQ_INT(slice_open("jit-0123456789abcdef.slice"), -ENOENT);
        CHECK_EQ_INT(slice_open("jit-../../x.slice"), -EINVAL);
        CHECK_EQ_INT(slice_open("nothing.slice"), -ENOENT);
        /* A cgroup that is gone is empty; anything else that cannot be read is not. */
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        CHECK(!slice_is_empty(fd));
        (void) close(fd);
        CHECK(!slice_is_empty(-1));
        char name[] = "/tmp/jit-test-XXXXXX";
        fd = mkstemp(name);
        (void) unlink(name);
        static const char full[] = "populated 1\nfrozen 0\n", empty[] = "populated 0\nfrozen 1\n";
        CHECK(pwrite(fd, full, sizeof(full) - 1, 0) > 0 && !slice_is_empty(fd));
        CHECK(pwrite(fd, empty, sizeof(empty) - 1, 0) > 0 && slice_is_empty(fd));
        (void) close(fd);
}

TEST_MAIN
