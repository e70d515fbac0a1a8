/* SPDX-License-Identifier: Apache-2.0 */

/* pam_sm_open_session and pam_sm_close_session through the real libpam: what is set, and how long the connection is
 * held. */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

#define SESSION(data, env)                                                                                             \
        "{\"parameters\":{\"session\":1,\"home\":\"/run/jit/home/jit-chg1\",\"until\":1795356000000000,"               \
        "\"pamData\":{" data "},\"env\":{" env "}}}"
#define RUNTIME "\"systemd.runtime_max_sec\":\"2520s\""

static const Script good = {.open_session = {.text = SESSION(RUNTIME, "")}};

static int open_session(Fixture *f, const char *user, const Script *script, const char *arguments) {
        fixture_begin(f, user, script, arguments);
        return pam_open_session(f->pamh, 0);
}

/* The call has come, and the connection is still open. */
static void check_held(Fixture *f) {
        CHECK_EQ_INT(reaper_next_event(&f->reaper, 1000), SAW_CONNECTION);
        CHECK_EQ_INT(reaper_next_event(&f->reaper, 1000), SAW_CALL);
        CHECK_EQ_INT(reaper_next_event(&f->reaper, 50), 0);
}

/* ---- not ours ---- */

TEST(ordinary_user_opens_and_closes_without_a_connection) {
        static const char *const users[] = {"alice", "root", "jit-ordinary", "xjit-chg1"};

        for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
                Fixture f;

                CHECK_EQ_INT(open_session(&f, users[i], &good, "tiemout=1"), PAM_WAS_IGNORED);
                CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_WAS_IGNORED);
                CHECK_STREQ(f.shown, "");
                CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
                fixture_end(&f);
        }
}

TEST(unresolved_jit_name_opens_no_session) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-none", &good, NULL), PAM_PERM_DENIED);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
        fixture_end(&f);
}

TEST(bad_argument_opens_no_session_of_ours) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &good, "tiemout=1"), PAM_PERM_DENIED);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
        fixture_end(&f);
}

/* ---- the connection is the session ---- */

TEST(connection_is_held_until_close_session) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &good, NULL), PAM_SUCCESS);
        check_held(&f);
        CHECK(strstr(f.reaper.seen->request, "\"io.pamjit.Reaper.OpenSession\"") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"account\":\"jit-chg1\"") != NULL);
        CHECK_STREQ(f.shown, "");
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);
        CHECK_EQ_INT(f.reaper.seen->calls, 1); /* nothing was said at the end */
        fixture_end(&f);
}

TEST(pam_end_without_close_session_closes_it) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &good, NULL), PAM_SUCCESS);
        check_held(&f);
        fixture_pam_end(&f);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);
        fixture_end(&f);
}

TEST(killed_process_closes_it) {
        Fixture f;
        pid_t child;
        int ready[2];

        fixture_begin(&f, "jit-chg1", &good, NULL);
        CHECK(pipe(ready) == 0);
        child = fork();
        if (child == 0) {
                char code = (char) pam_open_session(f.pamh, 0);
                (void) !write(ready[1], &code, 1);
                for (;;)
                        (void) pause();
        }
        char code = 1;
        CHECK(read(ready[0], &code, 1) == 1 && code == PAM_SUCCESS);
        check_held(&f);
        (void) kill(child, SIGKILL);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);
        (void) waitpid(child, NULL, 0);
        (void) close(ready[0]);
        (void) close(ready[1]);
        fixture_end(&f);
}

TEST(second_close_does_no_harm) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &good, NULL), PAM_SUCCESS);
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        (void) pam_close_session(f.pamh, 0);
        CHECK_EQ_INT(f.reaper.seen->connections, 1);
        fixture_end(&f);
}

TEST(second_open_replaces_the_first_without_a_gap) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &good, NULL), PAM_SUCCESS);
        check_held(&f);
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_CONNECTION);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_CALL); /* the new one is there ... */
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);  /* ... before the old one goes */
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 50), 0);
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);
        fixture_end(&f);
}

TEST(session_can_be_opened_again_after_its_end) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &good, NULL), PAM_SUCCESS);
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(f.reaper.seen->calls, 2);
        fixture_end(&f);
}

/* ---- fork: sshd forks after the session is open, and its child ends its copy of the handle ---- */

/* A child that does that and then lives on until its input ends. Returns what to close for that. */
static pid_t fork_child(Fixture *f, bool exec, int *ret_life) {
        int life[2], ready[2];
        char c;
        pid_t child;

        CHECK(pipe(life) == 0 && pipe(ready) == 0);
        child = fork();
        if (child == 0) {
                (void) close(life[1]);
                (void) dup2(life[0], STDIN_FILENO);
                if (exec) {
                        (void) dup2(ready[1], STDOUT_FILENO);
                        (void) execl("/bin/sh", "sh", "-c", "echo; read x", NULL);
                        _exit(127);
                }
                (void) pam_end(f->pamh, (int) (PAM_SUCCESS | PAM_DATA_SILENT));
                (void) !write(ready[1], "\n", 1);
                (void) !read(STDIN_FILENO, &c, 1);
                _exit(0);
        }
        CHECK(read(ready[0], &c, 1) == 1);
        (void) close(life[0]);
        (void) close(ready[0]);
        (void) close(ready[1]);
        *ret_life = life[1];
        return child;
}

static void check_fork(bool exec, bool child_first) {
        Fixture f;
        pid_t child;
        int life = -1;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &good, NULL), PAM_SUCCESS);
        check_held(&f);
        child = fork_child(&f, exec, &life);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 50),
                     0); /* the child's pam_end() or exec ended nothing and said nothing */
        if (child_first) {
                (void) close(life);
                (void) waitpid(child, NULL, 0);
                CHECK_EQ_INT(reaper_next_event(&f.reaper, 50), 0); /* nor did its death */
        }
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END); /* although the child may still live */
        if (!child_first) {
                (void) close(life);
                (void) waitpid(child, NULL, 0);
        }
        CHECK_EQ_INT(f.reaper.seen->calls, 1);
        fixture_end(&f);
}

TEST(child_that_ends_its_handle_does_not_end_the_session) {
        check_fork(false, true);
}

TEST(child_that_has_ended_its_handle_does_not_prolong_the_session) {
        check_fork(false, false);
}

TEST(program_that_a_child_runs_does_not_inherit_the_connection) {
        check_fork(true, false);
}

/* ---- what the answer sets ---- */

TEST(limits_reach_the_modules_behind) {
        static const Script script = {
                        .open_session = {.text = SESSION(RUNTIME ",\"systemd.tasks_max\":\"4096\",\"systemd.memory_"
                                                                 "max\":\"512M\",\"systemd.cpu_weight\":\"10000\"",
                                                         "")}};
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &script, NULL), PAM_SUCCESS);
        CHECK_STREQ(pam_getenv(f.pamh, "systemd.runtime_max_sec"), "2520s");
        CHECK_STREQ(pam_getenv(f.pamh, "systemd.tasks_max"), "4096");
        CHECK_STREQ(pam_getenv(f.pamh, "systemd.memory_max"), "512M");
        CHECK(pam_getenv(f.pamh, "systemd.cpu_weight") == NULL); /* a name that is not on the list */
        CHECK(strstr(fixture_log(), "ignoring: systemd.cpu_weight") != NULL);
        fixture_end(&f);
}

TEST(environment_is_set_from_a_list) {
        static const Script script = {
                        .open_session = {.text = SESSION(RUNTIME, "\"JIT_TICKET\":\"CHG1\",\"JIT_GRANT\":\"01JD-4f\","
                                                                  "\"JIT_DEADLINE\":\"2026-11-22T14:00:00Z\","
                                                                  "\"LD_PRELOAD\":\"/tmp/x.so\",\"PATH\":\"/tmp\"")}};
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &script, NULL), PAM_SUCCESS);
        CHECK_STREQ(pam_getenv(f.pamh, "JIT_TICKET"), "CHG1");
        CHECK_STREQ(pam_getenv(f.pamh, "JIT_GRANT"), "01JD-4f");
        CHECK_STREQ(pam_getenv(f.pamh, "JIT_DEADLINE"), "2026-11-22T14:00:00Z");
        CHECK(pam_getenv(f.pamh, "LD_PRELOAD") == NULL);
        CHECK(pam_getenv(f.pamh, "PATH") == NULL);
        fixture_end(&f);
}

/* No session, and the reaper sees the end of the connection at once, so that it can take back what it made. */
static void check_no_session(const char *text, const char *shown) {
        const Script script = {.open_session = {.text = text}};
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &script, NULL), PAM_PERM_DENIED);
        if (!strstr(f.shown, shown))
                TEST_FAIL("%s: shown: %s", text, f.shown);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_CONNECTION);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_CALL);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);
        fixture_end(&f);
}

#define NOT_CLEAR "pam_jit: the approval service gave no clear answer"

TEST(session_without_an_end_is_refused) {
        check_no_session(SESSION("", ""), NOT_CLEAR);
        check_no_session(SESSION("\"systemd.tasks_max\":\"10\"", ""), NOT_CLEAR);
}

TEST(evil_limits_are_refused) {
#define RUNTIME_MAX(v) SESSION("\"systemd.runtime_max_sec\":" v, "")
        static const char *const evil[] = {
                        RUNTIME_MAX("\"infinity\""),
                        RUNTIME_MAX("\"\""),
                        RUNTIME_MAX("\"0\""),
                        RUNTIME_MAX("\"0000s\""),
                        RUNTIME_MAX("\"-4s\""),
                        RUNTIME_MAX("4"),
                        RUNTIME_MAX("null"),
                        RUNTIME_MAX("[\"4s\"]"),
                        RUNTIME_MAX("\"4s \""),
                        RUNTIME_MAX("\"4 s\""),
                        RUNTIME_MAX("\"4w\""),
                        RUNTIME_MAX("\"4s\\n\""),
                        RUNTIME_MAX("\"1e9\""),
                        RUNTIME_MAX("\"0x10\""),
                        RUNTIME_MAX("\"%n\""),
                        RUNTIME_MAX("\"99999999999999999\""),
                        SESSION(RUNTIME ",\"systemd.tasks_max\":\"infinity\"", ""),
                        SESSION(RUNTIME ",\"systemd.tasks_max\":\"100%\"", ""),
                        SESSION(RUNTIME ",\"systemd.memory_max\":\"infinity\"", ""),
                        SESSION(RUNTIME ",\"systemd.memory_max\":\"1E\"", ""),
        };

        for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++)
                check_no_session(evil[i], NOT_CLEAR);
}

TEST(evil_environment_is_refused) {
        static const char *const evil[] = {
                        SESSION(RUNTIME, "\"JIT_TICKET\":\"CHG1\\nPATH=/tmp\""),
                        SESSION(RUNTIME, "\"JIT_TICKET\":\"\""),
                        SESSION(RUNTIME, "\"JIT_TICKET\":\"$(reboot)\""),
                        SESSION(RUNTIME, "\"JIT_TICKET\":\"\\u001b[2J\""),
                        SESSION(RUNTIME, "\"JIT_GRANT\":7"),
                        SESSION(RUNTIME, "\"JIT_DEADLINE\":\"a=b\""),
                        SESSION(RUNTIME, "\"JIT_GRANT\":"
                                         "\"0123456789012345678901234567890123456789012345678901234567890123456789\""),
        };

        for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++)
                check_no_session(evil[i], NOT_CLEAR);
}

TEST(answer_of_another_shape_is_refused) {
        static const char *const odd[] = {
                        "{}",
                        "{\"parameters\":{\"session\":1}}",
                        "{\"parameters\":{\"session\":1,\"home\":\"/\",\"until\":1,\"pamData\":[],\"env\":{}}}",
                        "{\"parameters\":{\"session\":1,\"home\":\"/\",\"until\":1,\"pamData\":{" RUNTIME
                        "},\"env\":null}}",
                        "{\"parameters\":{\"session\":-1,\"home\":\"/\",\"until\":1,\"pamData\":{" RUNTIME
                        "},\"env\":{}}}",
                        "{\"parameters\":{\"session\":1,\"home\":\"/\",\"until\":1,\"pamData\":{" RUNTIME
                        "},\"env\":{},\"x\":1}}",
                        "{\"parameters\":{\"session\":1,\"home\":\"/\",\"until\":1,\"pamData\":{" RUNTIME "," RUNTIME
                        "},\"env\":{}}}",
                        "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"x\"}}",
                        "{\"error\":\"io.pamjit.Reaper.Refused\",\"parameters\":{}}",
        };

        for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
                check_no_session(odd[i], NOT_CLEAR);
}

TEST(refusal_is_told) {
        check_no_session("{\"error\":\"io.pamjit.Reaper.Refused\",\"parameters\":{\"reason\":\"no-space\","
                         "\"message\":\"there is no room for a home\"}}",
                         "pam_jit: there is no room for a home\n");
        check_no_session("{\"error\":\"io.pamjit.Reaper.TryAgain\",\"parameters\":{\"reason\":\"try-again\","
                         "\"message\":\"CHG1 is just ending\"}}",
                         "pam_jit: CHG1 is just ending\n");
}

/* ---- no answer ---- */

TEST(absent_reaper_opens_no_session) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", NULL, NULL), PAM_PERM_DENIED);
        CHECK(strstr(f.shown, "pam_jit: the approval service does not answer") != NULL);
        fixture_end(&f);
}

TEST(silent_reaper_opens_no_session_within_the_deadline) {
        static const Script silent = {};
        Fixture f;
        uint64_t start = clock_msec(), took;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &silent, "timeout=1"), PAM_PERM_DENIED);
        took = clock_msec() - start;
        CHECK(took >= 1000 && (took <= 1100 || getenv("PAM_TEST_SLOW")));
        fixture_end(&f);
}

TEST(dead_reaper_kills_nobody_at_close) {
        Fixture f;

        CHECK_EQ_INT(open_session(&f, "jit-chg1", &good, NULL), PAM_SUCCESS);
        check_held(&f);
        reaper_stop(&f.reaper); /* nobody there any more */
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_PERM_DENIED);
        (void) pam_close_session(f.pamh, 0); /* SIGPIPE would end this program here */
        fixture_end(&f);
}

TEST_MAIN
