/* SPDX-License-Identifier: Apache-2.0 */

/* The argument "gate": where the ticket comes from, and what becomes of a yes. */

#include <sys/wait.h>
#include <unistd.h>

#include "answers.h"
#include "fixture.h"
#include "test.h"

static const Script good = {.authorize_elevation = {.text = YES}, .open_elevation = {.text = SCOPE}};
static const Script ticket_good = {.authorize_elevation = {.text = TICKET_NEEDED},
                                   .with_ticket = {.text = YES},
                                   .open_elevation = {.text = SCOPE}};
static const Answer no_answers[] = {NO_ANSWERS};
enum { SILENT = (int) PAM_SILENT };

/* sudo's account phase, for its caller. */
static int ask(Fixture *f, const Script *script, const char *arguments) {
        fixture_begin_service(f, "sudo", "alice", script, arguments ?: "timeout=1 gate");
        return pam_acct_mgmt(f->pamh, SILENT);
}

TEST(ticket_is_taken_from_the_environment) {
        Fixture f;

        (void) setenv("JIT_TICKET", "CHG1", 1);
        CHECK_EQ_INT(ask(&f, &ticket_good, NULL), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "AuthorizeElevation AuthorizeElevation ");
        CHECK(strstr(f.reaper.seen->request, "\"ticket\":\"chg1\"") != NULL);
        CHECK_EQ_INT(f.prompts, 0);
        fixture_end(&f);
        CHECK_EQ_INT(ask(&f, &good, NULL), PAM_SUCCESS); /* a live grant comes first */
        CHECK_STREQ(f.reaper.seen->methods, "AuthorizeElevation ");
        fixture_end(&f);
        (void) unsetenv("JIT_TICKET");
}

static const char *const no_tickets[] = {
                "CHG 1",   " CHG1",      "CHG1\n", "CHG1 ", "-CHG1",    "CHG--1", "CHG1-",
                "../CHG1", "CHG\x1b[2J", "\xff",   "%n",    "hunter2!", "\"",     "0123456789012345678901234567"};

TEST(variable_that_holds_no_ticket_is_a_no) {
        for (size_t i = 0; i < sizeof(no_tickets) / sizeof(no_tickets[0]); i++) {
                Fixture f;

                (void) setenv("JIT_TICKET", no_tickets[i], 1);
                f.prompts = 0;
                CHECK_EQ_INT(ask(&f, &ticket_good, NULL), PAM_PERM_DENIED);
                CHECK(strstr(f.shown, "pam_jit: JIT_TICKET does not hold") != NULL);
                CHECK_EQ_INT(f.prompts, 0);
                CHECK_EQ_INT(f.reaper.seen->calls, 1);
                CHECK(strstr(f.shown, no_tickets[i] + 1) == NULL || strlen(no_tickets[i]) < 4);
                fixture_end(&f);
        }
        (void) unsetenv("JIT_TICKET");
}

/* Asks with somebody who types. */
static int type(Fixture *f, const Script *script, const char *text, const char *arguments) {
        fixture_begin_service(f, "sudo", "alice", script, arguments ?: "timeout=1 gate");
        f->typed = text;
        return pam_acct_mgmt(f->pamh, SILENT);
}

TEST(ticket_is_asked_for) {
        Fixture f;

        CHECK_EQ_INT(type(&f, &ticket_good, "Chg-1", NULL), PAM_SUCCESS);
        CHECK_STREQ(f.shown, "Ticket: \n");
        CHECK_EQ_INT(f.prompts, 1);
        CHECK(strstr(f.reaper.seen->request, "\"ticket\":\"chg-1\"") != NULL);
        CHECK_EQ_INT(fixture_erased("Chg-1"), 1);
        fixture_end(&f);
        (void) setenv("JIT_TICKET", "", 1); /* as if it were not set */
        CHECK_EQ_INT(type(&f, &ticket_good, "CHG1", NULL), PAM_SUCCESS);
        CHECK_EQ_INT(f.prompts, 1);
        fixture_end(&f);
        (void) unsetenv("JIT_TICKET");
}

TEST(what_is_typed_by_mistake_is_erased_and_told_nobody) {
        for (size_t i = 0; i < sizeof(no_tickets) / sizeof(no_tickets[0]); i++) {
                Fixture f;

                CHECK_EQ_INT(type(&f, &ticket_good, no_tickets[i], NULL), PAM_PERM_DENIED);
                CHECK_STREQ(f.shown, "Ticket: \npam_jit: that is not the name of a ticket: letters and digits, with "
                                     "single - in between\n");
                CHECK_EQ_INT(f.reaper.seen->calls, 1);
                CHECK_EQ_INT(fixture_erased(no_tickets[i]), 1);
                CHECK(strlen(no_tickets[i]) < 4 || strstr(fixture_log(), no_tickets[i]) == NULL);
                fixture_end(&f);
        }
        Fixture f;
        CHECK_EQ_INT(type(&f, &ticket_good, "", NULL), PAM_PERM_DENIED);
        CHECK_EQ_INT(f.reaper.seen->calls, 1);
        fixture_end(&f);
}

TEST(very_long_ticket_is_refused) {
        size_t length = 100000;
        char *text = malloc(length + 1);
        Fixture f;

        memset(text, 'a', length);
        text[length] = 0;
        CHECK_EQ_INT(type(&f, &ticket_good, text, NULL), PAM_PERM_DENIED);
        CHECK_EQ_INT(f.reaper.seen->calls, 1);
        fixture_end(&f);
        free(text);
}

/* sudo -n, cron, run0: the conversation fails. */
TEST(nobody_to_ask_is_a_no_that_names_the_variable) {
        Fixture f;

        CHECK_EQ_INT(ask(&f, &ticket_good, NULL), PAM_PERM_DENIED);
        CHECK_EQ_INT(f.prompts, 1);
        CHECK(strstr(f.shown, "JIT_TICKET=") != NULL);
        CHECK_EQ_INT(f.reaper.seen->calls, 1);
        fixture_end(&f);
}

TEST(typing_may_take_longer_than_an_answer) {
        Fixture f;

        fixture_begin_service(&f, "sudo", "alice", &ticket_good, "timeout=1 gate");
        f.typed = "CHG1";
        f.typing_msec = 1200;
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_SUCCESS);
        fixture_end(&f);
}

TEST(no_to_the_ticket_is_a_no) {
        static const struct {
                const char *answer;
                int code;
        } table[] = {
                        {NO("ticket-unknown"), PAM_PERM_DENIED},
                        {NO("way-not-allowed"), PAM_PERM_DENIED},
                        {NO("provider-unreachable"), PAM_AUTHINFO_UNAVAIL},
                        {ERROR("Refused"), PAM_AUTHINFO_UNAVAIL},
                        {TICKET_NEEDED, PAM_PERM_DENIED}, /* nobody is asked twice */
        };

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                const Script script = {.authorize_elevation = {.text = TICKET_NEEDED},
                                       .with_ticket = {.text = table[i].answer}};
                Fixture f;

                CHECK_EQ_INT(type(&f, &script, "CHG1", NULL), table[i].code);
                CHECK_EQ_INT(f.prompts, 1);
                CHECK_EQ_INT(f.messages, 2);
                CHECK_EQ_INT(f.reaper.seen->calls, 2);
                fixture_end(&f);
        }
        for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++) {
                const Script script = {.authorize_elevation = {.text = TICKET_NEEDED}, .with_ticket = no_answers[i]};
                Fixture f;

                CHECK_EQ_INT(type(&f, &script, "CHG1", NULL), PAM_AUTHINFO_UNAVAIL);
                fixture_end(&f);
        }
}

TEST(yes_that_asks_for_a_ticket_is_a_yes) {
        static const Script script = {.authorize_elevation = {.text = VERDICT("true", "ticket-needed", "m")}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, NULL), PAM_SUCCESS);
        CHECK_EQ_INT(f.prompts, 0);
        fixture_end(&f);
}

TEST(pending_ticket_is_waited_for) {
        static const Script script = {.authorize_elevation = {.text = TICKET_NEEDED},
                                      .with_ticket = {.first = {WAITING}, .pause_msec = 1200, .text = YES}};
        Fixture f;

        CHECK_EQ_INT(type(&f, &script, "CHG1", "timeout=1 gate wait"), PAM_SUCCESS);
        CHECK_STREQ(f.shown, "Ticket: \npam_jit: CHG1 waits for bob\n");
        CHECK(strstr(f.reaper.seen->request, "\"wait\":true") != NULL);
        fixture_end(&f);
        CHECK_EQ_INT(type(&f, &script, "CHG1", "timeout=1 gate"), PAM_AUTHINFO_UNAVAIL); /* nobody asked it to */
        fixture_end(&f);
}

/* sudo -b has its session phase in a child: what the yes is known by goes with the handle. */
TEST(decision_is_handed_in_by_the_session_phase) {
        static const Script script = {.authorize_elevation = {.text = TICKET_NEEDED},
                                      .with_ticket = {.text = YES_WITH_DECISION},
                                      .open_elevation = {.text = SCOPE}};
        Fixture f;
        int status = 0;
        pid_t pid;

        CHECK_EQ_INT(type(&f, &script, "CHG1", NULL), PAM_SUCCESS);
        CHECK(strstr(f.reaper.seen->request, "decision") == NULL);
        pid = fork();
        if (pid == 0)
                _exit(pam_open_session(f.pamh, SILENT) == PAM_SUCCESS ? 0 : 1);
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(strstr(f.reaper.seen->request, "\"decision\":\"0123456789abcdef0123456789abcdef\"") != NULL);
        fixture_end(&f);
        /* one of a transaction before is none */
        CHECK_EQ_INT(ask(&f, &good, NULL), PAM_SUCCESS);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
        CHECK(strstr(f.reaper.seen->request, "decision") == NULL);
        fixture_end(&f);
}

TEST_MAIN
