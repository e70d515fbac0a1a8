/* SPDX-License-Identifier: Apache-2.0 */

/* The argument "gate": every answer, in both phases. Where the ticket comes from: test-ticket.c. */

#include "answers.h"
#include "fixture.h"
#include "test.h"

static const Script good = {.authorize_elevation = {.text = YES}, .open_elevation = {.text = SCOPE}};
static const Answer no_answers[] = {NO_ANSWERS};
enum { SILENT = (int) PAM_SILENT };

/* sudo's account phase, for its caller. */
static int ask(Fixture *f, const Script *script, const char *arguments) {
        fixture_begin_service(f, "sudo", "alice", script, arguments ?: "timeout=1 gate");
        return pam_acct_mgmt(f->pamh, SILENT);
}

/* ---- the account phase ---- */

TEST(live_grant_is_enough) {
        static const char *const services[] = {"sudo", "sudo-i", "su", "su-l", "systemd-run0", "a-sudo-of-its-own"};

        for (size_t i = 0; i < 6; i++) {
                Fixture f;

                fixture_begin_service(&f, services[i], "root", &good, "timeout=1 gate");
                CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_SUCCESS);
                CHECK_STREQ(f.reaper.seen->methods, "AuthorizeElevation ");
                CHECK(strstr(f.reaper.seen->request, "\"ticket\"") == NULL);
                CHECK(strstr(f.reaper.seen->request, "\"wait\"") == NULL);
                CHECK(strstr(f.reaper.seen->request, "\"account\":\"root\"") != NULL);
                CHECK_EQ_INT(f.prompts, 0);
                CHECK_STREQ(f.shown, "");
                fixture_end(&f);
        }
}

static void check_no(const Script *script, const char *arguments, int code, const char *shown) {
        Fixture f;

        CHECK_EQ_INT(ask(&f, script, arguments), code);
        if (!strstr(f.shown, shown) || f.messages != 1)
                TEST_FAIL("shown: %s", f.shown);
        CHECK_EQ_INT(f.prompts, 0);
        fixture_end(&f);
}

TEST(every_no_is_a_no) {
        const Script mismatch = {.authorize_elevation = {.text = NO("caller-mismatch")}},
                     too_late = {.authorize_elevation = {.text = NO("too-late")}},
                     unreachable = {.authorize_elevation = {.text = NO("provider-unreachable")}},
                     again = {.authorize_elevation = {.text = ERROR("TryAgain")}}, silent = {};

        check_no(&mismatch, NULL, PAM_PERM_DENIED, "pam_jit: CHG1 is no good\n");
        check_no(&too_late, NULL, PAM_PERM_DENIED, "pam_jit: CHG1 is no good\n"); /* not the account's expiry */
        check_no(&unreachable, NULL, PAM_AUTHINFO_UNAVAIL, "pam_jit: CHG1 is no good\n");
        check_no(&again, NULL, PAM_AUTHINFO_UNAVAIL, "pam_jit: CHG1 is just ending\n");
        check_no(&silent, NULL, PAM_AUTHINFO_UNAVAIL, "does not answer");
        check_no(NULL, NULL, PAM_AUTHINFO_UNAVAIL, "does not answer");
        for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++) {
                const Script script = {.authorize_elevation = no_answers[i]};
                check_no(&script, NULL, PAM_AUTHINFO_UNAVAIL, "pam_jit: the approval service");
        }
}

TEST(wrong_argument_beside_the_gate_is_a_no) {
        static const char *const bad[] = {"gate tiemout=1", "tiemout=1 gate",         "timeout=0 gate",
                                          "gate logins",    "logins gate elevations", "gate gate=1"};

        for (size_t i = 0; i < 6; i++) {
                Fixture f;

                CHECK_EQ_INT(ask(&f, &good, bad[i]), PAM_SERVICE_ERR);
                CHECK(strstr(f.shown, "configuration of this host is wrong") != NULL);
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
                CHECK_EQ_INT(f.reaper.seen->connections, 0);
                fixture_end(&f);
        }
}

TEST(who_needs_no_ticket_is_ignored) {
        static const Script script = {.authorize_elevation = {.text = NOT_NEEDED}, .open_elevation = {.text = SCOPE}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, &script, NULL), PAM_WAS_IGNORED);
        CHECK_STREQ(f.shown, "");
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_WAS_IGNORED);
        CHECK_STREQ(f.reaper.seen->methods, "AuthorizeElevation ");
        fixture_end(&f);
}

TEST(account_of_ours_goes_its_own_way) {
        static const Script script = {.authorize = {.text = YES}};
        Fixture f;

        fixture_begin_service(&f, "sudo", "jit-chg1", &script, "timeout=1 gate");
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "Authorize ");
        fixture_end(&f);
}

TEST(what_the_caller_says_of_himself_changes_nothing) {
        static const Script script = {.authorize_elevation = {.text = NO("caller-unknown")}};
        Fixture f;

        fixture_begin_service(&f, "sudo", "alice", &script, "timeout=1 gate");
        CHECK_EQ_INT(pam_set_item(f.pamh, PAM_RUSER, "root"), PAM_SUCCESS);
        CHECK_EQ_INT(pam_set_item(f.pamh, PAM_USER, "ro\not\x1b[2J"), PAM_SUCCESS);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_PERM_DENIED);
        CHECK(strstr(f.reaper.seen->request, "\"account\":\"root[2J\"") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"ruser\":\"root\"") != NULL);
        CHECK(strchr(fixture_log(), '\n') == strrchr(fixture_log(), '\n'));
        fixture_end(&f);
}

/* ---- the session phase ---- */

static int open_as(Fixture *f, const Script *script, const char *target, int flags) {
        fixture_begin_service(f, "sudo", "alice", script, "timeout=1 gate");
        CHECK_EQ_INT(pam_acct_mgmt(f->pamh, SILENT), PAM_SUCCESS);
        CHECK_EQ_INT(pam_set_item(f->pamh, PAM_USER, target), PAM_SUCCESS);
        return pam_open_session(f->pamh, flags);
}

TEST(session_is_bound_and_held) {
        Fixture f;

        CHECK_EQ_INT(open_as(&f, &good, "root", SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "AuthorizeElevation OpenElevation ");
        CHECK(strstr(f.reaper.seen->request, "\"gate\":true") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"account\":\"root\"") != NULL);
        CHECK_STREQ(pam_getenv(f.pamh, "JIT_TICKET"), "CHG1");
        CHECK_STREQ(f.shown, "");
        while (reaper_next_event(&f.reaper, 50) != 0)
                ;
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);
        fixture_end(&f);
}

TEST(greeting_only_as_pam_silent_allows) {
        Fixture f;

        CHECK_EQ_INT(open_as(&f, &good, "root", 0), PAM_SUCCESS);
        CHECK_STREQ(f.shown, "pam_jit: CHG1 approved by bob\n");
        fixture_end(&f);
}

TEST(nothing_is_held_where_nothing_was_bound) {
        static const Script script = {.authorize_elevation = {.text = YES}, .open_elevation = {.text = NO_SCOPE}};
        Fixture f;

        CHECK_EQ_INT(open_as(&f, &script, "root", SILENT), PAM_SUCCESS);
        CHECK(fixture_nothing_held(&f));
        fixture_end(&f);
}

/* ---- root itself ---- */

TEST(root_itself_needs_no_daemon) {
        static const char *const login_uids[] = {"4294967295", "0", NULL};

        for (size_t i = 0; i < 3; i++) {
                Fixture f;

                fixture_begin_service(&f, "sudo", "root", NULL, "timeout=1 gate");
                fixture_login_uid(&f, login_uids[i], login_uids[i] ? 0 : ENOENT);
                fixture_real_uid(0);
                CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_WAS_IGNORED);
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_WAS_IGNORED);
                CHECK_STREQ(f.shown, "");
                fixture_end(&f);
        }
}

TEST(who_became_root_is_asked) {
        static const struct {
                const char *service, *login_uid;
                int error;
        } table[] = {
                        {"sudo", "1000", 0},
                        {"sudo", NULL, EMFILE},
                        {"sudo", "x", 0},
                        {"systemd-run0", "4294967295", 0}, /* PID 1's child: so they all look there */
        };

        for (size_t i = 0; i < 4; i++) {
                Fixture f;

                fixture_begin_service(&f, table[i].service, "root", NULL, "timeout=1 gate");
                fixture_login_uid(&f, table[i].login_uid, table[i].error);
                fixture_real_uid(0);
                CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_AUTHINFO_UNAVAIL);
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
                fixture_end(&f);
        }
}

/* sudoedit of a service of alice's: in the session phase it looks like root's own. */
TEST(who_becomes_root_between_the_phases_is_asked) {
        Fixture f;

        CHECK_EQ_INT(ask(&f, &good, NULL), PAM_SUCCESS);
        fixture_real_uid(0);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "AuthorizeElevation OpenElevation ");
        CHECK(strstr(f.reaper.seen->request, "\"uid\":4242") != NULL);
        fixture_end(&f);
}

/* sudo with "Defaults !pam_acct_mgmt". */
TEST(session_phase_asks_without_an_account_phase) {
        static const Script script = {.open_elevation = {.text = ERROR("Refused")}};
        Fixture f;

        fixture_begin_service(&f, "sudo", "root", &script, "timeout=1 gate");
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
        CHECK_STREQ(f.reaper.seen->methods, "OpenElevation ");
        fixture_end(&f);
}

static void check_no_session(const Answer *answer, const char *shown) {
        const Script script = {.authorize_elevation = {.text = YES}, .open_elevation = *answer};
        Fixture f;

        CHECK_EQ_INT(open_as(&f, &script, "root", SILENT), PAM_PERM_DENIED);
        if (!strstr(f.shown, shown))
                TEST_FAIL("shown: %s", f.shown);
        CHECK(fixture_nothing_held(&f));
        fixture_end(&f);
}

TEST(every_no_in_the_session_phase_is_a_denial) {
        static const Answer refused = {.text = ERROR("Refused")}, again = {.text = ERROR("TryAgain")}, silent = {},
                            evil = {.text = ANSWER("\"unit\":\"x.scope\",\"env\":{\"JIT_TICKET\":\"a\\nb\"}")};

        check_no_session(&refused, "pam_jit: CHG1 is just ending\n");
        check_no_session(&again, "pam_jit: CHG1 is just ending\n");
        check_no_session(&silent, "does not answer");
        check_no_session(&evil, "gave no clear answer");
        for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++)
                check_no_session(&no_answers[i], "pam_jit: the approval service");
}

/* ---- lines that several services share ---- */

TEST(gate_for_elevations_leaves_logins_alone) {
        static const char *const arguments[] = {"gate elevations", "gate elevations tiemout=1"};

        for (size_t i = 0; i < 2; i++) {
                Fixture f;

                fixture_begin_service(&f, "sshd", "alice", &good, arguments[i]);
                CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_WAS_IGNORED);
                CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_WAS_IGNORED);
                CHECK_EQ_INT(f.reaper.seen->connections, 0);
                fixture_end(&f);
        }
}

TEST_MAIN
