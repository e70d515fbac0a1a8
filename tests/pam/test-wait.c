/* SPDX-License-Identifier: Apache-2.0 */

/* The option "wait": what a person sees while the approval is still to come, and what ends it. */

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

#define LAST(parameters) "{\"parameters\":{" parameters "}}"
#define SENTENCE(text) SENTENCE_UNTIL(text, "4000000000000000")
#define SENTENCE_UNTIL(text, until)                                                                                    \
        "{\"parameters\":{\"allow\":false,\"reason\":\"ticket-pending\",\"message\":\"" text "\",\"until\":" until     \
        "},\"continues\":true}"
#define YES                                                                                                            \
        LAST("\"allow\":true,\"reason\":\"approved\",\"message\":\"CHG1 approved by bob\",\"until\":1795356000000000")
#define NO(reason) LAST("\"allow\":false,\"reason\":\"" reason "\",\"message\":\"CHG1 is no good\"")
#define WAITS "CHG1 waits for approval by bob; 50 s left; Ctrl-C ends it"

static int ask(Fixture *f, const Script *script, const char *arguments) {
        fixture_begin(f, "jit-chg1", script, arguments);
        return pam_acct_mgmt(f->pamh, 0);
}

TEST(not_asked_for_unless_set) {
        static const Script script = {.authorize = {.text = YES}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, NULL), PAM_SUCCESS);
        CHECK(strstr(f.reaper.seen->request, "\"wait\"") == NULL && strstr(f.reaper.seen->request, "\"more\"") == NULL);
        fixture_end(&f);
        CHECK_EQ_INT(ask(&f, &script, "timeout=2 wait"), PAM_SUCCESS); /* nothing to wait for */
        CHECK(strstr(f.reaper.seen->request, "\"wait\":true") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"more\":true") != NULL);
        CHECK_STREQ(f.shown, "");
        fixture_end(&f);
}

TEST(session_does_not_wait) {
        static const Script script = {.authorize = {.text = YES}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, "timeout=1 wait"), PAM_SUCCESS);
        (void) pam_open_session(f.pamh, 0);
        CHECK(strstr(f.reaper.seen->request, "OpenSession") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"wait\"") == NULL && strstr(f.reaper.seen->request, "\"more\"") == NULL);
        fixture_end(&f);
}

/* Longer than timeout=1 in all: the time for an answer does not run while it waits. Each sentence is shown as it comes.
 */
TEST(approved_in_mid_wait) {
        static const Script script = {.authorize = {.first = {SENTENCE(WAITS), SENTENCE("40 s left")},
                                                    .pause_msec = 700,
                                                    .text = YES}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, "timeout=1 wait"), PAM_SUCCESS);
        uint64_t end = clock_msec();
        CHECK_EQ_INT(f.messages, 2);
        CHECK_STREQ(f.shown, "pam_jit: " WAITS "\npam_jit: 40 s left\n");
        CHECK(f.shown_msec[1] - f.shown_msec[0] >= 600);
        CHECK(end - f.shown_msec[0] >= 1200);
        fixture_end(&f);
}

TEST(denied_in_mid_wait) {
        static const Script script = {
                        .authorize = {.first = {SENTENCE(WAITS)}, .pause_msec = 300, .text = NO("ticket-closed")}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, "timeout=1 wait"), PAM_ACCT_EXPIRED);
        CHECK_STREQ(f.shown, "pam_jit: " WAITS "\npam_jit: CHG1 is no good\n");
        fixture_end(&f);
}

TEST(limit_of_the_host) {
        static const Script script = {
                        .authorize = {.first = {SENTENCE(WAITS)}, .pause_msec = 300, .text = NO("ticket-pending")}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, "timeout=1 wait"), PAM_PERM_DENIED);
        CHECK(strstr(fixture_log(), "reason=ticket-pending") != NULL);
        fixture_end(&f);
}

/* The daemon hangs after it has said until when: not a moment longer than that and the timeout. */
TEST(silence_in_mid_wait) {
        struct timespec t;
        char sentence[300];
        Fixture f;

        (void) clock_gettime(CLOCK_REALTIME, &t);
        (void) snprintf(sentence, sizeof(sentence), SENTENCE_UNTIL(WAITS, "%lld"),
                        ((long long) t.tv_sec + 2) * 1000000);
        const Script script = {.authorize = {.first = {sentence}}};
        uint64_t start = clock_msec();
        CHECK_EQ_INT(ask(&f, &script, "timeout=1 wait"), PAM_AUTHINFO_UNAVAIL);
        uint64_t took = clock_msec() - start;
        CHECK(took >= 1500 && took < 15000);
        CHECK(strstr(f.shown, "does not answer") != NULL);
        fixture_end(&f);
}

TEST(until_is_not_said_or_over) {
        static const char *const sentences[] = {
                        "{\"parameters\":{\"allow\":false,\"reason\":\"x\",\"message\":\"m\"},\"continues\":true}",
                        SENTENCE_UNTIL("m", "1"),
        };

        for (size_t i = 0; i < 2; i++) {
                const Script script = {.authorize = {.first = {sentences[i]}}};
                Fixture f;
                uint64_t start = clock_msec();
                CHECK_EQ_INT(ask(&f, &script, "timeout=1 wait"), PAM_AUTHINFO_UNAVAIL);
                CHECK(clock_msec() - start < 10000);
                fixture_end(&f);
        }
}

TEST(daemon_gone_in_mid_wait) {
        static const Script script = {.authorize = {.first = {SENTENCE(WAITS)},
                                                    .pause_msec = 100,
                                                    .text = "",
                                                    .length = 1,
                                                    .hang_up = true}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, "timeout=20 wait"), PAM_AUTHINFO_UNAVAIL);
        fixture_end(&f);
}

/* A yes is the last word or none. */
static void check_no(const char *first, const char *text) {
        const Script script = {.authorize = {.first = {first}, .text = text}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, "timeout=1 wait"), PAM_AUTHINFO_UNAVAIL);
        for (const char *p = f.shown; *p; p++)
                CHECK((unsigned char) *p >= 0x20 || *p == '\n');
        fixture_end(&f);
}

TEST(sentences_that_are_none) {
        check_no("{\"parameters\":{\"allow\":true,\"reason\":\"approved\",\"message\":\"m\"},\"continues\":true}", YES);
        check_no("{\"parameters\":{\"allow\":1,\"reason\":\"x\",\"message\":\"m\"},\"continues\":true}", YES);
        check_no("{\"parameters\":{},\"continues\":true}", YES);
        check_no("{\"parameters\":{\"allow\":false,\"reason\":\"x\",\"message\":\"m\",\"until\":-1},\"continues\":"
                 "true}",
                 YES);
        check_no("{", YES);
        check_no(SENTENCE("m"), "{\"parameters\":{\"allow\":true}}");
        check_no(SENTENCE("m"), "{\"error\":\"io.pamjit.Reaper.Other\"}");
}

/* A daemon that never stops talking. */
TEST(too_many_sentences) {
        enum { N = 500 };
        static const char one[] = SENTENCE("again");
        char *text = malloc(N * sizeof(one));
        Fixture f;

        for (size_t i = 0; i < N; i++)
                memcpy(text + i * sizeof(one), one, sizeof(one));
        const Script script = {.authorize = {.text = text, .length = N * sizeof(one)}};
        CHECK_EQ_INT(ask(&f, &script, "timeout=5 wait"), PAM_AUTHINFO_UNAVAIL);
        CHECK(f.messages <= 66);
        fixture_end(&f);
        free(text);
}

TEST(sentences_are_cleaned) {
        static const Script script = {
                        .authorize = {.first = {SENTENCE("a\\nb\\tc \\u202e d")}, .text = NO("ticket-pending")}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, "timeout=1 wait"), PAM_PERM_DENIED);
        CHECK_STREQ(f.shown, "pam_jit: a b c   d\npam_jit: CHG1 is no good\n");
        fixture_end(&f);
}

TEST(silent_flag_is_obeyed) {
        static const Script script = {.authorize = {.first = {SENTENCE(WAITS)}, .pause_msec = 100, .text = YES}};
        Fixture f;

        fixture_begin(&f, "jit-chg1", &script, "timeout=1 wait");
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, (int) PAM_SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.shown, "");
        fixture_end(&f);
}

/* Without the option a daemon that lets wait all the same is not understood. */
TEST(sentence_that_nobody_asked_for) {
        static const Script script = {.authorize = {.first = {SENTENCE(WAITS)}, .text = YES}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, NULL), PAM_AUTHINFO_UNAVAIL);
        fixture_end(&f);
}

/* Ctrl-C, where the program leaves it its meaning: the process ends, and the daemon sees its connection end. */
TEST(interrupt_ends_it) {
        static const Script script = {.authorize = {.first = {SENTENCE(WAITS)}}};
        Fixture f;
        int event, status = 0;
        pid_t pid;

        fixture_begin(&f, "jit-chg1", &script, "timeout=20 wait");
        pid = fork();
        if (pid == 0) {
                (void) signal(SIGINT, SIG_DFL);
                (void) pam_acct_mgmt(f.pamh, 0);
                _exit(0);
        }
        while ((event = reaper_next_event(&f.reaper, 10000)) == SAW_CONNECTION)
                ;
        CHECK_EQ_INT(event, SAW_CALL);
        (void) kill(pid, SIGINT);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 10000), SAW_END);
        CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
        fixture_end(&f);
}

static void on_interrupt(int number) {
        (void) number;
}

/* As sudo(8) does: a handler that returns. */
TEST(interrupt_with_a_handler_ends_it) {
        static const Script script = {.authorize = {.first = {SENTENCE(WAITS)}}};
        const struct sigaction action = {.sa_handler = on_interrupt};
        Fixture f;
        int event, status = 0;
        pid_t pid;

        fixture_begin(&f, "jit-chg1", &script, "timeout=20 wait");
        pid = fork();
        if (pid == 0) {
                (void) sigaction(SIGINT, &action, NULL);
                _exit(pam_acct_mgmt(f.pamh, 0) == PAM_PERM_DENIED ? 7 : 8);
        }
        do
                event = reaper_next_event(&f.reaper, 10000);
        while (event == SAW_CONNECTION);
        CHECK_EQ_INT(event, SAW_CALL);
        /* More than once: a signal before the sentence is there does not count. */
        for (unsigned i = 0; i < 100 && reaper_next_event(&f.reaper, 100) != SAW_END; i++)
                (void) kill(pid, SIGINT);
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
        fixture_end(&f);
}

TEST(wrong_argument) {
        static const char *const bad[] = {"wait=1", "wait=", "waiting", "WAIT"};
        static const Script script = {.authorize = {.text = YES}};

        for (size_t i = 0; i < 4; i++) {
                Fixture f;
                CHECK_EQ_INT(ask(&f, &script, bad[i]), PAM_SERVICE_ERR);
                fixture_end(&f);
        }
}

TEST_MAIN
