/* SPDX-License-Identifier: Apache-2.0 */

/* pam_sm_acct_mgmt through the real libpam. */

#include "fixture.h"
#include "test.h"

#define YES                                                                                                            \
        "{\"parameters\":{\"allow\":true,\"reason\":\"approved\",\"message\":\"CHG1 approved by "                      \
        "bob\",\"until\":1795356000000000}}"

static const Script yes = {.authorize = {.text = YES}};

static int ask(Fixture *f, const char *user, const Script *script, const char *arguments) {
        fixture_begin(f, user, script, arguments);
        return pam_acct_mgmt(f->pamh, 0);
}

/* ---- accounts that are not ours: no connection is made, whatever the state of things ---- */

static void check_ignored(const char *user, const Script *script, const char *arguments) {
        Fixture f;

        CHECK_EQ_INT(ask(&f, user, script, arguments), PAM_WAS_IGNORED);
        CHECK_STREQ(f.shown, "");
        if (script)
                CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
        fixture_end(&f);
}

TEST(ordinary_user_is_ignored_without_a_connection) {
        check_ignored("alice", &yes, NULL);
        check_ignored("root", &yes, NULL);
}

TEST(unknown_ordinary_name_is_ignored_without_a_connection) {
        check_ignored("nobody-here", &yes, NULL);
        check_ignored("jit", &yes, NULL);
        check_ignored("", &yes, NULL);
}

TEST(prefix_in_the_middle_is_ignored) {
        check_ignored("xjit-chg1", &yes, NULL);
}

TEST(ordinary_account_named_jit_is_ignored) {
        check_ignored("jit-ordinary", &yes, NULL);
}

TEST(home_that_only_looks_like_ours_is_ignored) {
        check_ignored("jit-nearly", &yes, NULL);
}

TEST(ordinary_user_is_ignored_when_the_reaper_is_absent) {
        check_ignored("alice", NULL, NULL);
}

TEST(ordinary_user_is_ignored_whatever_the_arguments) {
        check_ignored("alice", &yes, "tiemout=5");
        check_ignored("alice", &yes, "timeout=0 timeout=x socket=relative debug");
        CHECK(strstr(fixture_log(), "timeout=0") != NULL);
}

TEST(no_user_name_is_ignored) {
        Fixture f;

        fixture_begin(&f, NULL, &yes, NULL);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_WAS_IGNORED);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
        fixture_end(&f);
}

/* ---- names that would be ours: no account, no call ---- */

static void check_unknown(const char *user) {
        Fixture f;

        CHECK_EQ_INT(ask(&f, user, &yes, NULL), PAM_USER_UNKNOWN);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
        /* one line, however the name tries */
        CHECK(strchr(fixture_log(), '\n') == strrchr(fixture_log(), '\n'));
        fixture_end(&f);
}

TEST(unresolved_jit_name_is_refused_without_a_connection) {
        check_unknown("jit-none");
        check_unknown("JIT-none");
        check_unknown("jit-");
}

TEST(resolved_name_outside_the_grammar_is_refused) {
        check_unknown("jit-bad_name");
}

TEST(very_long_name_is_refused) {
        size_t length = 100000;
        char *name = malloc(length + 1);

        memset(name, 'a', length);
        name[length] = 0;
        memcpy(name, "jit-", 4);
        check_unknown(name);
        memcpy(name, "abc-", 4);
        check_ignored(name, &yes, NULL);
        free(name);
}

TEST(name_with_newline_or_bytes_is_refused) {
        check_unknown("jit-chg1\nroot");
        check_unknown("jit-chg1\x1b[2J");
        check_unknown("jit-\xff\xfe");
}

/* ---- a verdict ---- */

TEST(yes_is_success_and_its_message_waits_for_the_session) {
        Fixture f;

        CHECK_EQ_INT(ask(&f, "jit-chg1", &yes, NULL), PAM_SUCCESS);
        CHECK_STREQ(f.shown, "");
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_CONNECTION);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_CALL);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END); /* nothing is kept from the account phase */
        CHECK(strstr(f.reaper.seen->request, "\"account\":\"jit-chg1\"") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"service\":\"probe\"") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"io.pamjit.Reaper.Authorize\"") != NULL);
        CHECK(strstr(f.reaper.seen->request, "rhost") == NULL);
        fixture_end(&f);
}

TEST(name_typed_in_capitals_is_sent_as_it_is) {
        Fixture f;

        CHECK_EQ_INT(ask(&f, "JIT-CHG1", &yes, NULL), PAM_SUCCESS);
        CHECK(strstr(f.reaper.seen->request, "\"account\":\"JIT-CHG1\"") != NULL);
        fixture_end(&f);
}

TEST(silent_flag_is_obeyed) {
        Fixture f;

        fixture_begin(&f, "jit-chg1", &yes, NULL);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, (int) PAM_SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.shown, "");
        fixture_end(&f);
}

TEST(items_are_capped_and_cleaned) {
        char rhost[2000];
        Fixture f;

        memset(rhost, 'h', sizeof(rhost));
        rhost[sizeof(rhost) - 1] = 0;
        fixture_begin(&f, "jit-chg1", &yes, NULL);
        CHECK_EQ_INT(pam_set_item(f.pamh, PAM_RHOST, rhost), PAM_SUCCESS);
        CHECK_EQ_INT(pam_set_item(f.pamh, PAM_TTY, "pts\n\x1b[31m/\xc3\xa9\x7f"), PAM_SUCCESS);
        CHECK_EQ_INT(pam_set_item(f.pamh, PAM_RUSER, "a\"b\\\xff"), PAM_SUCCESS);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_SUCCESS);
        rhost[255] = 0;
        CHECK(strstr(f.reaper.seen->request, rhost) != NULL);
        rhost[255] = 'h';
        rhost[256] = 0;
        CHECK(strstr(f.reaper.seen->request, rhost) == NULL);
        CHECK(strstr(f.reaper.seen->request, "\"tty\":\"pts[31m/??\"") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"ruser\":\"a\\\"b\\\\?\"") != NULL);
        fixture_end(&f);
}

/* ---- arguments ---- */

static void check_argument(const char *arguments, int code) {
        Fixture f;

        CHECK_EQ_INT(ask(&f, "jit-chg1", &yes, arguments), code);
        if (code == PAM_SERVICE_ERR) {
                CHECK(strstr(fixture_log(), "unknown or wrong argument") != NULL);
                CHECK(strstr(f.shown, "configuration of this host is wrong") != NULL);
                CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
        }
        fixture_end(&f);
}

TEST(good_arguments_are_taken) {
        check_argument("", PAM_SUCCESS);
        check_argument("debug timeout=1", PAM_SUCCESS);
        check_argument("timeout=100", PAM_SUCCESS);
}

TEST(bad_arguments_fail_closed_for_ours) {
        static const char *const bad[] = {"timeout=0",
                                          "timeout=101",
                                          "timeout=",
                                          "timeout=-1",
                                          "timeout=1s",
                                          "timeout=0x10",
                                          "timeout=001x",
                                          "timeout",
                                          "debugger",
                                          "use_first_pass",
                                          "socket=",
                                          "socket=run/jit/x",
                                          "timeout=99999999999999999999"};

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                check_argument(bad[i], PAM_SERVICE_ERR);
}

TEST(socket_path_that_does_not_fit_fails_closed) {
        char text[300] = "socket=/";

        memset(text + strlen(text), 's', 200);
        check_argument(text, PAM_SERVICE_ERR);
}

/* ---- the module in an auth stack has no say ---- */

TEST(auth_line_is_ignored) {
        Fixture f;

        fixture_dir(&f, &yes);
        fixture_write(&f, "auth", "auth required %s\nauth required pam_permit.so\n", module_path());
        fixture_start(&f, "auth", "jit-chg1");
        CHECK_EQ_INT(pam_authenticate(f.pamh, 0), PAM_SUCCESS);
        CHECK_EQ_INT(pam_setcred(f.pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
        fixture_end(&f);
}

TEST(auth_line_alone_lets_nobody_in) {
        Fixture f;

        fixture_dir(&f, &yes);
        fixture_write(&f, "auth", "auth required %s\n", module_path());
        fixture_start(&f, "auth", "jit-chg1");
        CHECK(pam_authenticate(f.pamh, 0) != PAM_SUCCESS);
        CHECK_EQ_INT(reaper_next_event(&f.reaper, 20), 0);
        fixture_end(&f);
}

TEST_MAIN
