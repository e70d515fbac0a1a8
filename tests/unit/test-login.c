/* SPDX-License-Identifier: Apache-2.0 */

/* From a login to nothing, by a process in sshd's place. */

#include <signal.h>
#include <sys/wait.h>

#include "session.h"
#include "test-reaperd.h"

enum { STEP_NAME = 1, STEP_AUTHORIZE = 2, STEP_SESSION = 4, STEP_HOLD = 8 };

static json_t *caller(const char *account) {
        return json_pack("{s:s,s:s,s:s,s:s}", "account", account, "service", "sshd", "rhost", "192.0.2.1", "tty",
                         "ssh");
}

static void must(bool condition, int step) {
        if (!condition)
                _exit(100 + step);
}

static json_t *answer_of(VarlinkPeer *peer, const char *method, json_t *parameters, int step) {
        json_t *p = NULL;

        must(varlink_call(peer, method, parameters, &p, NULL) >= 0, step);
        return p;
}

/* Ends with 0, or 100 + the step that was refused. */
static void login(const char *account, int steps) {
        uint64_t deadline = now_usec(CLOCK_BOOTTIME) + 20 * USEC_PER_SEC;
        VarlinkPeer *peer = NULL;
        json_t *p;

        if (steps & STEP_NAME) {
                must(varlink_dial(USERDB_SOCKET, deadline, &peer) >= 0, STEP_NAME);
                p = answer_of(peer, "io.systemd.UserDatabase.GetUserRecord",
                              json_pack("{s:s,s:s}", "userName", account, "service", USERDB_SERVICE), STEP_NAME);
                must(json_is_integer(json_object_get(json_object_get(p, "record"), "notAfterUSec")),
                     STEP_NAME); /* locked */
                json_decref(p);
                varlink_peer_free(peer);
        }
        if (steps & STEP_AUTHORIZE) {
                must(varlink_dial(REAPER_SOCKET, deadline, &peer) >= 0, STEP_AUTHORIZE);
                p = answer_of(peer, "io.pamjit.Reaper.Authorize", caller(account), STEP_AUTHORIZE);
                bool allow = json_is_true(json_object_get(p, "allow"));
                json_decref(p);
                varlink_peer_free(peer);
                must(allow, STEP_AUTHORIZE);
        }
        if (steps & STEP_SESSION) {
                must(varlink_dial(REAPER_SOCKET, deadline, &peer) >= 0, STEP_SESSION);
                json_decref(answer_of(peer, "io.pamjit.Reaper.OpenSession", caller(account), STEP_SESSION));
                while (steps & STEP_HOLD)
                        (void) pause();
                varlink_peer_free(peer);
        }
        _exit(0);
}

static pid_t start_login(const char *account, int steps) {
        pid_t pid = fork();

        if (pid == 0)
                login(account, steps);
        return pid;
}

/* Runs the loop until the process has ended: its exit status, or -signal. */
static int wait_login(pid_t pid) {
        int status = 0;

        for (unsigned i = 0; i < 2000; i++) {
                if (waitpid(pid, &status, WNOHANG) == pid)
                        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
                (void) sd_event_run(manager->event, 5000);
        }
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);
        return -1000;
}

static Grant *wait_active(const char *account) {
        for (unsigned i = 0; i < 1000; i++) {
                Grant *g = grant_by_account(manager, account);
                if (g && g->state == GRANT_ACTIVE)
                        return g;
                (void) sd_event_run(manager->event, 5000);
        }
        return NULL;
}

static char *last_audit_line(void) {
        char *text = get_file(manager->dirs.state, "audit.jsonl"), *line;
        size_t n = strlen(text);

        if (n > 0)
                text[n - 1] = 0;
        line = strrchr(text, '\n');
        line = strdup(line ? line + 1 : text);
        free(text);
        return line;
}

TEST(login_and_logout) {
        struct stat st;

        if (!without_valgrind("login_and_logout") || !manager_begin("login_and_logout"))
                return;
        pid_t pid = start_login("jit-chg1", STEP_NAME | STEP_AUTHORIZE | STEP_SESSION | STEP_HOLD);
        Grant *g = wait_active("jit-chg1");
        CHECK(g && g->sessions && g->sessions->pid == pid);
        CHECK(is_there(manager->dirs.keys, "jit-chg1") && is_there(manager->dirs.sudoers, "jit-chg1"));
        CHECK(fstatat(manager->dirs.homes, "jit-chg1", &st, 0) >= 0 && st.st_uid == g->uid &&
              (st.st_mode & 07777) == 0700);
        uid_t uid = g->uid;
        /* A process of the account that has left its session. */
        pid_t stray = fork();
        if (stray == 0) {
                (void) setsid();
                if (setresuid(uid, uid, uid) < 0)
                        _exit(1);
                for (;;)
                        (void) pause();
        }
        run_for(20 * USEC_PER_MSEC);
        (void) kill(pid, SIGKILL); /* sshd dies: the held connection says so */
        (void) waitpid(pid, NULL, 0);
        run_until_gone();
        int status = 0;
        CHECK(waitpid(stray, &status, 0) == stray && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        check_nothing_left("jit-chg1");
        _cleanup_free_ char *receipt = last_audit_line();
        CHECK(strstr(receipt, "\"event\":\"grant.receipt\"") && strstr(receipt, "\"seal\":\"") &&
              strstr(receipt, "\"end_reason\":\"session-ended\""));
        CHECK(strstr(receipt, "\"process\"") && strstr(receipt, "\"account\"") && strstr(receipt, "\"home\""));
        CHECK(audit_trouble(manager->audit) == NULL);
        manager_end();
}

TEST(root_that_unmounted_its_home) {
        if (!without_valgrind("root_that_unmounted_its_home") || !manager_begin("root_that_unmounted_its_home"))
                return;
        pid_t pid = start_login("jit-chg1", STEP_NAME | STEP_AUTHORIZE | STEP_SESSION | STEP_HOLD);
        CHECK(wait_active("jit-chg1") != NULL);
        CHECK(umount2(HOME_ROOT "/jit-chg1", MNT_DETACH) >= 0);
        put_file(manager->dirs.homes, "jit-chg1/left", "x");
        CHECK(mkdirat(manager->dirs.homes, "jit-chg1/folder", 0700) >= 0);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        run_until_gone();
        check_nothing_left("jit-chg1");
        manager_end();
}

TEST(nothing_without_a_yes) {
        if (!manager_begin("nothing_without_a_yes"))
                return;
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_AUTHORIZE)), 100 + STEP_AUTHORIZE); /* never named */
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_NAME | STEP_SESSION)),
                     100 + STEP_SESSION); /* never authorized */
        approver_says = REFUSE;
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_AUTHORIZE)), 100 + STEP_AUTHORIZE);
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_SESSION)), 100 + STEP_SESSION);
        approver_stop();
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_AUTHORIZE)), 100 + STEP_AUTHORIZE);
        approver_start();
        approver_says = ALLOW;
        test_role.name = (char *) "other"; /* a role that this host has not */
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_AUTHORIZE)), 100 + STEP_AUTHORIZE);
        test_role.name = (char *) "dba";
        CHECK(!is_there(manager->dirs.sudoers, "jit-chg1") && !is_there(manager->dirs.homes, "jit-chg1"));
        manager_end();
}

TEST(another_ticket_between_name_and_login) {
        if (!manager_begin("another_ticket_between_name_and_login"))
                return;
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_NAME)), 0);
        approver_says = "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG1\","
                        "\"requester\":\"mallory\","
                        "\"role\":\"dba\",\"notAfter\":4000000000000000,\"ttlUSec\":600000000}";
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_AUTHORIZE)), 100 + STEP_AUTHORIZE);
        manager_end();
}

TEST(used_once) {
        if (!without_valgrind("used_once") || !manager_begin("used_once"))
                return;
        test_role.reactivate = false;
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_NAME | STEP_AUTHORIZE | STEP_SESSION)), 0);
        run_until_gone();
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_NAME | STEP_AUTHORIZE)), 100 + STEP_AUTHORIZE);
        test_role.reactivate = true;
        CHECK(unlinkat(manager->dirs.used, "chg1:alice", 0) >= 0);
        manager_end();
}

TEST(ends_at_its_deadline) {
        if (!without_valgrind("ends_at_its_deadline") || !manager_begin("ends_at_its_deadline"))
                return;
        test_role.ttl_usec = 1500 * USEC_PER_MSEC;
        pid_t pid = start_login("jit-chg1", STEP_NAME | STEP_AUTHORIZE | STEP_SESSION | STEP_HOLD);
        CHECK(wait_active("jit-chg1") != NULL);
        CHECK_EQ_INT(wait_login(pid), -SIGKILL); /* PAM's own process as well */
        run_until_gone();
        _cleanup_free_ char *receipt = last_audit_line();
        CHECK(strstr(receipt, "\"end_reason\":\"deadline\""));
        test_role.ttl_usec = 3600 * USEC_PER_SEC;
        manager_end();
}

TEST(half_made_is_taken_back) {
        if (!without_valgrind("half_made_is_taken_back") || !manager_begin("half_made_is_taken_back"))
                return;
        /* A home that cannot be made: its options are refused by the kernel. */
        int homes = manager->dirs.homes;
        manager->dirs.homes = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_EQ_INT(wait_login(start_login("jit-chg1", STEP_NAME | STEP_AUTHORIZE | STEP_SESSION)),
                     100 + STEP_SESSION);
        (void) close(manager->dirs.homes);
        manager->dirs.homes = homes;
        run_until_gone();
        check_nothing_left("jit-chg1");
        manager_end();
}

static unsigned n_kept;

static void keep(Grant *g) {
        for (Session *s = g->sessions; s; s = s->next)
                n_kept += session_resume(s) >= 0;
        CHECK_EQ_INT(grant_arm(g), 0);
}

TEST(killed_and_started_again) {
        if (!without_valgrind("killed_and_started_again") || !manager_begin("killed_and_started_again"))
                return;
        pid_t pid = start_login("jit-chg1", STEP_NAME | STEP_AUTHORIZE | STEP_SESSION | STEP_HOLD);
        CHECK(wait_active("jit-chg1") != NULL);
        manager_crash();
        if (!manager_begin("killed_and_started_again"))
                return;
        n_kept = 0;
        CHECK_EQ_INT(grant_record_load_all(manager, keep), 0);
        CHECK_EQ_INT(n_kept, 1);
        Grant *g = grant_by_account(manager, "jit-chg1");
        CHECK(g && g->state == GRANT_ACTIVE && is_there(manager->dirs.sudoers, "jit-chg1"));
        /* Without a connection to hold: the process itself is the witness. */
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        run_until_gone();
        check_nothing_left("jit-chg1");
        manager_end();
}

TEST(a_thousand_logins_in_one_grant) {
        if (!without_valgrind("a_thousand_logins_in_one_grant") || !manager_begin("a_thousand_logins_in_one_grant"))
                return;
        pid_t pid = start_login("jit-chg1", STEP_NAME | STEP_AUTHORIZE | STEP_SESSION | STEP_HOLD);
        Grant *g = wait_active("jit-chg1");
        CHECK(g != NULL);
        for (unsigned i = 0; g && i < 1000; i++) {
                Session *s = session_new(g);
                s->service = strdup("sshd");
                s->rhost = strdup("192.0.2.1");
                session_link(s);
                session_end(s);
        }
        _cleanup_free_ char *record = record_path(g), *text = get_file(manager->dirs.grants, record);
        CHECK(strlen(text) < JSON_MESSAGE_MAX);
        CHECK(g->n_forgotten > 800);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        run_until_gone();
        manager_end();
}

TEST_MAIN
