/* SPDX-License-Identifier: Apache-2.0 */

/* su and sudo -u to the account of a ticket: the auth phase, PAM_USER that changes between the phases, and what is
 * shown although PAM_SILENT is set. */

#include <unistd.h>

#include "answers.h"
#include "fixture.h"
#include "test.h"

static const Script good = {
                .authenticate = {.text = YES}, .authorize = {.text = YES}, .open_session = {.text = SESSION}};
static const Answer no_answers[] = {NO_ANSWERS};

static int authenticate(Fixture *f, const char *service, const char *user, const Script *script,
                        const char *arguments) {
        fixture_begin_service(f, service, user, script, arguments);
        return pam_authenticate(f->pamh, 0);
}

/* ---- the auth phase ---- */

TEST(su_asks_whose_the_account_is) {
        static const char *const services[] = {"su", "su-l"};

        for (size_t i = 0; i < 2; i++) {
                Fixture f;

                CHECK_EQ_INT(authenticate(&f, services[i], "jit-chg1", &good, "timeout=1 wait"), PAM_SUCCESS);
                CHECK_STREQ(f.reaper.seen->methods, "Authenticate ");
                CHECK(strstr(f.reaper.seen->request, "\"account\":\"jit-chg1\"") != NULL);
                CHECK(strstr(f.reaper.seen->request, "\"wait\"") == NULL);
                CHECK_STREQ(f.shown, "");
                CHECK_EQ_INT(pam_setcred(f.pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
                fixture_end(&f);
        }
}

TEST(su_of_somebody_else_is_refused_with_a_sentence) {
        static const Script script = {.authenticate = {.text = NO("caller-mismatch")}};
        Fixture f;

        CHECK_EQ_INT(authenticate(&f, "su", "jit-chg1", &script, NULL), PAM_PERM_DENIED);
        CHECK_STREQ(f.shown, "pam_jit: CHG1 is no good\n");
        CHECK(strstr(fixture_log(), "refused jit-chg1: reason=caller-mismatch") != NULL);
        fixture_end(&f);
}

TEST(auth_without_a_clear_yes_is_a_no) {
        for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++) {
                const Script script = {.authenticate = no_answers[i]};
                Fixture f;

                CHECK_EQ_INT(authenticate(&f, "su", "jit-chg1", &script, NULL), PAM_AUTHINFO_UNAVAIL);
                CHECK_EQ_INT(f.messages, 1);
                fixture_end(&f);
        }
        Fixture f;
        CHECK_EQ_INT(authenticate(&f, "su", "jit-chg1", NULL, NULL), PAM_AUTHINFO_UNAVAIL);
        fixture_end(&f);
        static const Script silent = {};
        CHECK_EQ_INT(authenticate(&f, "su", "jit-chg1", &silent, NULL), PAM_AUTHINFO_UNAVAIL);
        fixture_end(&f);
        CHECK_EQ_INT(authenticate(&f, "su", "jit-chg1", &good, "tiemout=1"), PAM_SERVICE_ERR);
        CHECK_EQ_INT(f.reaper.seen->calls, 0);
        fixture_end(&f);
        CHECK_EQ_INT(authenticate(&f, "su", "jit-none", &good, NULL), PAM_USER_UNKNOWN);
        CHECK_EQ_INT(f.reaper.seen->calls, 0);
        fixture_end(&f);
}

TEST(auth_has_no_say_about_anybody_else) {
        static const char *const users[] = {"alice", "root", "jit-ordinary", "nobody-here"};

        for (size_t i = 0; i < 4; i++) {
                Fixture f;

                CHECK_EQ_INT(authenticate(&f, "su", users[i], &good, "timeout=1 gate"), PAM_WAS_IGNORED);
                CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
                fixture_end(&f);
                CHECK_EQ_INT(authenticate(&f, "su", users[i], NULL, "tiemout=1"), PAM_WAS_IGNORED);
                fixture_end(&f);
        }
}

/* There PAM_USER is who asks, and his own password is what is wanted. */
TEST(auth_has_no_say_where_the_user_is_the_caller) {
        static const char *const services[] = {"sudo", "sudo-i", "doas", "polkit-1", "sshd", "login"};

        for (size_t i = 0; i < 6; i++) {
                Fixture f;

                CHECK_EQ_INT(authenticate(&f, services[i], "jit-chg1", &good, NULL), PAM_WAS_IGNORED);
                CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
                fixture_end(&f);
        }
}

/* ---- account and session: su has one PAM_USER, sudo two ---- */

static int open_as(Fixture *f, const char *target, int flags) {
        CHECK_EQ_INT(pam_set_item(f->pamh, PAM_USER, target), PAM_SUCCESS);
        return pam_open_session(f->pamh, flags);
}

TEST(su_is_asked_about_once) {
        Fixture f;

        fixture_begin_service(&f, "su", "jit-chg1", &good, NULL);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "Authorize OpenSession ");
        CHECK_STREQ(f.shown, "pam_jit: CHG1 approved by bob\n");
        fixture_end(&f);
}

TEST(sudo_u_is_asked_about_in_the_session_phase) {
        Fixture f;

        fixture_begin_service(&f, "sudo", "alice", &good, NULL);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, (int) PAM_SILENT), PAM_WAS_IGNORED);
        CHECK_EQ_INT(f.reaper.seen->connections, 0);
        CHECK_EQ_INT(open_as(&f, "jit-chg1", (int) PAM_SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "Authorize OpenSession ");
        CHECK(strstr(f.reaper.seen->request, "\"account\":\"jit-chg1\"") != NULL);
        CHECK_STREQ(pam_getenv(f.pamh, "JIT_TICKET"), "CHG1");
        CHECK_STREQ(f.shown, ""); /* a greeting, and sudo wants none for a command */
        /* Authorize's connection has ended, the session's has not. */
        while (reaper_next_event(&f.reaper, 50) != 0)
                ;
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);
        fixture_end(&f);
}

TEST(sudo_u_with_a_shell_is_greeted) {
        Fixture f;

        fixture_begin_service(&f, "sudo-i", "alice", &good, NULL);
        CHECK_EQ_INT(open_as(&f, "jit-chg1", 0), PAM_SUCCESS);
        CHECK_STREQ(f.shown, "pam_jit: CHG1 approved by bob\n");
        fixture_end(&f);
}

TEST(yes_for_one_account_is_none_for_another) {
        Fixture f;

        fixture_begin_service(&f, "sudo", "jit-chg1", &good, NULL);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, (int) PAM_SILENT), PAM_SUCCESS);
        CHECK_EQ_INT(open_as(&f, "jit-chg2", (int) PAM_SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "Authorize Authorize OpenSession ");
        fixture_end(&f);
}

TEST(a_later_no_takes_the_yes_back) {
        static const Script no = {.authorize = {.text = NO("ticket-closed")}, .open_session = {.text = SESSION}};
        Fixture f;

        fixture_begin_service(&f, "su", "jit-chg1", &good, NULL);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_SUCCESS);
        reaper_stop(&f.reaper);
        (void) unlink(f.socket);
        CHECK_EQ_INT(reaper_start(&f.reaper, f.socket, &no), 0);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_ACCT_EXPIRED);
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_PERM_DENIED);
        CHECK_STREQ(f.reaper.seen->methods, "Authorize Authorize ");
        fixture_end(&f);
}

/* PAM_SESSION_ERR and PAM_IGNORE would both run the command. */
static void check_no_session(const Script *script, const char *arguments, const char *shown) {
        Fixture f;

        fixture_begin_service(&f, "sudo", "alice", script, arguments);
        CHECK_EQ_INT(open_as(&f, "jit-chg1", (int) PAM_SILENT), PAM_PERM_DENIED);
        if (!strstr(f.shown, shown))
                TEST_FAIL("shown: %s", f.shown);
        fixture_end(&f);
}

TEST(every_no_of_authorize_is_a_denial) {
        const Script too_late = {.authorize = {.text = NO("too-late")}},
                     unreachable = {.authorize = {.text = NO("provider-unreachable")}},
                     mismatch = {.authorize = {.text = NO("caller-mismatch")}}, silent = {};

        check_no_session(&too_late, NULL, "pam_jit: CHG1 is no good\n");
        check_no_session(&unreachable, NULL, "pam_jit: CHG1 is no good\n");
        check_no_session(&mismatch, NULL, "pam_jit: CHG1 is no good\n");
        check_no_session(&silent, NULL, "does not answer");
        check_no_session(NULL, NULL, "does not answer");
        check_no_session(&good, "tiemout=1", "configuration of this host is wrong");
        for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++) {
                const Script script = {.authorize = no_answers[i], .open_session = {.text = SESSION}};
                check_no_session(&script, NULL, "pam_jit: the approval service");
        }
}

TEST(every_no_of_open_session_is_a_denial) {
        const Script refused = {.authorize = {.text = YES}, .open_session = {.text = ERROR("Refused")}},
                     again = {.authorize = {.text = YES}, .open_session = {.text = ERROR("TryAgain")}},
                     silent = {.authorize = {.text = YES}};

        check_no_session(&refused, NULL, "pam_jit: CHG1 is just ending\n");
        check_no_session(&again, NULL, "pam_jit: CHG1 is just ending\n");
        check_no_session(&silent, NULL, "does not answer");
        for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++) {
                const Script script = {.authorize = {.text = YES}, .open_session = no_answers[i]};
                check_no_session(&script, NULL, "pam_jit: the approval service");
        }
}

TEST(account_that_there_is_not_is_a_denial) {
        Fixture f;

        fixture_begin_service(&f, "sudo", "alice", &good, NULL);
        CHECK_EQ_INT(open_as(&f, "jit-none", (int) PAM_SILENT), PAM_PERM_DENIED);
        CHECK_EQ_INT(f.reaper.seen->connections, 0);
        fixture_end(&f);
}

TEST(session_phase_waits_where_it_is_the_one_that_asks) {
        static const Script script = {.authorize = {.first = {WAITING}, .pause_msec = 1200, .text = YES},
                                      .open_session = {.text = SESSION}};
        Fixture f;

        fixture_begin_service(&f, "sudo", "alice", &script, "timeout=1 wait");
        CHECK_EQ_INT(open_as(&f, "jit-chg1", (int) PAM_SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.shown, "pam_jit: CHG1 waits for bob\n");
        CHECK(strstr(f.reaper.seen->request, "\"wait\"") == NULL); /* OpenSession's */
        fixture_end(&f);
}

/* ---- PAM_SILENT, which sudo sets always in the account phase ---- */

TEST(refusal_and_waiting_are_shown_all_the_same) {
        static const Script script = {
                        .authorize = {.first = {WAITING}, .pause_msec = 100, .text = NO("ticket-closed")}};
        Fixture f;

        fixture_begin_service(&f, "sudo", "jit-chg1", &script, "timeout=1 wait");
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, (int) PAM_SILENT), PAM_ACCT_EXPIRED);
        CHECK_STREQ(f.shown, "pam_jit: CHG1 waits for bob\npam_jit: CHG1 is no good\n");
        fixture_end(&f);
        /* not where people log in: there it means that nothing is to be shown */
        fixture_begin_service(&f, "login", "jit-chg1", &script, "timeout=1 wait");
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, (int) PAM_SILENT), PAM_ACCT_EXPIRED);
        CHECK_STREQ(f.shown, "");
        fixture_end(&f);
}

TEST(what_the_caller_says_of_himself_is_recorded_only) {
        static const Script script = {.authenticate = {.text = NO("caller-mismatch")}};
        Fixture f;

        fixture_begin_service(&f, "su", "jit-chg1", &script, NULL);
        CHECK_EQ_INT(pam_set_item(f.pamh, PAM_RUSER, "root"), PAM_SUCCESS);
        CHECK_EQ_INT(pam_authenticate(f.pamh, 0), PAM_PERM_DENIED);
        CHECK(strstr(f.reaper.seen->request, "\"ruser\":\"root\"") != NULL);
        fixture_end(&f);
}

TEST_MAIN
