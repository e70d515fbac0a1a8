/* SPDX-License-Identifier: Apache-2.0 */

/* A sudo that has read a rule and is stopped before it calls PAM: found and killed at the rule's end, or not believed afterwards. */

#include <signal.h>
#include <sys/wait.h>

#include "artefact.h"
#include "process-kill.h"
#include "stale-sudo.h"
#include "test-reaperd.h"

static uid_t person, other;

__attribute__((constructor)) static void choose_uids(void) {
        person = test_uid_base() + 0x2001;
        other = test_uid_base() + 0x2002;
}

static void copy_program(const char *to) {
        char command[128];

        (void) snprintf(command, sizeof(command), "cp /bin/sleep %s && chmod 755 %s", to, to);
        CHECK_EQ_INT(system(command), 0); /* NOLINT */
}

/* What it is called does not matter, what it is does. Returns when it is that. */
static pid_t spawn(const char *program, uid_t uid) {
        char path[64], exe[128];
        pid_t pid = fork();

        if (pid == 0) {
                if (setresuid(uid, uid, uid) < 0)
                        _exit(1);
                (void) execl(program, "sudo", "1000", NULL);
                _exit(2);
        }
        (void) snprintf(path, sizeof(path), "/proc/%d/exe", pid);
        for (unsigned i = 0; i < 2000; i++) {
                ssize_t n = readlink(path, exe, sizeof(exe) - 1);
                if (n > 0 && (size_t) n == strlen(program) && memcmp(exe, program, (size_t) n) == 0)
                        return pid;
                (void) usleep(1000);
        }
        TEST_FAIL("%s did not start", program);
        return pid;
}

/* Within 2 s. */
static bool dies(pid_t pid) {
        for (unsigned i = 0; i < 400; i++) {
                if (waitpid(pid, NULL, WNOHANG) == pid)
                        return true;
                (void) usleep(5000);
        }
        return false;
}

static bool lives(pid_t pid) {
        return waitpid(pid, NULL, WNOHANG) == 0;
}

static void finish(pid_t pid) {
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
}

static uint64_t start_of(pid_t pid) {
        uint64_t start = 0;

        CHECK_EQ_INT(process_start_time(pid, &start), 0);
        return start;
}

static Grant *elevate(void) {
        _cleanup_verdict_ Verdict v = verdict_of(ALLOW);
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        Grant *g = NULL;

        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", person, &v, now + 30 * USEC_PER_SEC, USEC_PER_HOUR, &g), 0);
        g->state = GRANT_ACTIVE;
        g->has_rule = true;
        g->since_usec = now_usec(CLOCK_REALTIME);
        g->until_usec = g->since_usec + USEC_PER_HOUR;
        g->deadline_usec = now_usec(CLOCK_BOOTTIME) + USEC_PER_HOUR;
        g->recheck_at_usec = USEC_INFINITY;
        CHECK_EQ_INT(grant_record_save(g), 0);
        CHECK_EQ_INT(elevated_marker_make(g), 0);
        return g;
}

static bool has_marker(void) {
        char name[16];

        (void) snprintf(name, sizeof(name), "%u", person);
        return is_there(manager->dirs.elevated, name);
}

/* proc_pid_stat(5) counts in hundredths of a second. */
static void next_tick(void) {
        (void) usleep(25000);
}

static bool begin(const char *name) {
        if (!without_valgrind(name) || !manager_begin(name))
                return false;
        copy_program("/tmp/sudo");
        copy_program("/tmp/sudo-rs");
        copy_program("/tmp/sudoers");
        return true;
}

TEST(those_of_the_elevation_are_killed) {
        if (!begin("those_of_the_elevation_are_killed"))
                return;
        Grant *g = elevate();
        next_tick();
        pid_t sudo = spawn("/tmp/sudo", person), rs = spawn("/tmp/sudo-rs", person), stopped = spawn("/tmp/sudo", person),
              theirs = spawn("/tmp/sudo", other), no_sudo = spawn("/tmp/sudoers", person);
        CHECK(kill(stopped, SIGSTOP) >= 0);
        grant_revoke(g, "dropped", NULL, NULL);
        CHECK(dies(sudo) && dies(rs) && dies(stopped));
        CHECK(lives(theirs) && lives(no_sudo));
        finish(theirs);
        finish(no_sudo);
        run_until_gone();
        CHECK(!has_marker());
        manager_end();
}

/* The first one's last look comes half a second after its end. */
TEST(next_elevation_keeps_its_marker_and_its_sudo) {
        if (!begin("next_elevation_keeps_its_marker_and_its_sudo"))
                return;
        Grant *g = elevate();
        next_tick();
        grant_revoke(g, "dropped", NULL, NULL);
        for (unsigned i = 0; i < 100 && grant_by_person(manager, person); i++)
                run_for(5 * USEC_PER_MSEC);
        CHECK(!has_marker());
        CHECK_EQ_INT(manager->n_grants, 1);
        g = elevate();
        next_tick();
        pid_t sudo = spawn("/tmp/sudo", person);
        for (unsigned i = 0; i < 100 && manager->n_grants > 1; i++)
                run_for(50 * USEC_PER_MSEC);
        CHECK_EQ_INT(manager->n_grants, 1);
        CHECK(lives(sudo) && has_marker());
        finish(sudo);
        grant_revoke(g, "dropped", NULL, NULL);
        run_until_gone();
        CHECK(!has_marker());
        manager_end();
}

/* An older process may be what has become sudo only now: it is somebody's own sudo as well, so it lives, and is not believed. */
TEST(older_ones_are_barred) {
        unsigned left;
        pid_t first;

        if (!begin("older_ones_are_barred"))
                return;
        pid_t old = spawn("/tmp/sudo", person);
        next_tick();
        Grant *g = elevate();
        CHECK(!elevated_marker_bars_process(manager, person, old, start_of(old))); /* no rule has ended */
        CHECK_EQ_INT(elevated_marker_remove(g, &left, &first), 0);
        CHECK_EQ_INT(left, 1);
        CHECK_EQ_INT(first, old);
        CHECK(has_marker() && lives(old));
        next_tick();
        pid_t later = spawn("/tmp/sudo", person);
        CHECK(elevated_marker_bars_process(manager, person, old, start_of(old)));
        CHECK(!elevated_marker_bars_process(manager, person, later, start_of(later)));
        CHECK(!elevated_marker_bars_process(manager, other, old, start_of(old)));
        /* A second look kills nobody who came after the end. */
        CHECK_EQ_INT(elevated_marker_remove(g, &left, &first), 0);
        CHECK(lives(later) && left == 2);
        /* A second elevation does not forget the end of the first. */
        CHECK_EQ_INT(elevated_marker_make(g), 0);
        CHECK(elevated_marker_bars_process(manager, person, old, start_of(old)));
        finish(old);
        CHECK_EQ_INT(elevated_marker_remove(g, &left, &first), 0);
        CHECK(left == 1 && has_marker()); /* it may be a child of the old one's */
        finish(later);
        CHECK_EQ_INT(elevated_marker_remove(g, &left, &first), 0);
        CHECK(left == 0 && !has_marker());
        grant_revoke(g, "dropped", NULL, NULL);
        run_until_gone();
        manager_end();
}

/* Without the grant the marker goes with the first question after the last old sudo. */
TEST(marker_goes_when_it_is_needed_no_more) {
        if (!begin("marker_goes_when_it_is_needed_no_more"))
                return;
        pid_t old = spawn("/tmp/sudo", person);
        next_tick();
        grant_revoke(elevate(), "dropped", NULL, NULL);
        run_until_gone();
        CHECK(has_marker());
        next_tick();
        pid_t later = spawn("/tmp/sudo", person);
        CHECK(!elevated_marker_bars_process(manager, person, later, start_of(later)) && has_marker());
        finish(old);
        pid_t child = spawn("/tmp/sudo", person); /* sudo -b: the old one is gone, and this is what it was */
        CHECK(!elevated_marker_bars_process(manager, person, later, start_of(later)) && has_marker());
        finish(child);
        CHECK(!elevated_marker_bars_process(manager, person, later, start_of(later)) && !has_marker());
        finish(later);
        manager_end();
}

/* jit-reaperd was killed between the rule's end and the marker's. */
TEST(marker_without_a_grant) {
        char name[16];

        if (!begin("marker_without_a_grant"))
                return;
        (void) snprintf(name, sizeof(name), "%u", person);
        pid_t old = spawn("/tmp/sudo", person);
        put_file(manager->dirs.elevated, name, "");
        next_tick();
        CHECK(elevated_marker_orphan(manager, name) && has_marker());
        CHECK(elevated_marker_bars_process(manager, person, old, start_of(old)));
        finish(old);
        CHECK(elevated_marker_orphan(manager, name) && !has_marker());
        manager_end();
}

TEST_MAIN
