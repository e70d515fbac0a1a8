/* SPDX-License-Identifier: Apache-2.0 */

/* examples/pam.d/sshd. The two promises: whatever is wrong with pam_jit, ordinary accounts get in; and whatever is wrong, ours do
 * not. */

#include "example.h"
#include "test.h"

#define AUTHORIZED "{\"parameters\":{\"allow\":true,\"reason\":\"approved\",\"message\":\"CHG2 approved by bob\"}}"
#define OPENED                                                                                                         \
        "{\"parameters\":{\"session\":1,\"home\":\"/run/jit/home/jit-chg2\",\"until\":1,\"env\":{},"                   \
        "\"pamData\":{\"systemd.runtime_max_sec\":\"60s\"}}}"
#define REFUSED                                                                                                        \
        "{\"error\":\"io.pamjit.Reaper.Refused\",\"parameters\":{\"reason\":\"no-space\",\"message\":\"no room\"}}"

static const Script good = {.authorize = {.text = AUTHORIZED}, .open_session = {.text = OPENED}};

/* How far user gets: 0 not past account, 1 not past session, 2 in. */
enum { KEPT_OUT, NO_SESSION, LOGGED_IN };

static int log_in(Fixture *f, const char *user, const Script *script, const char *module, const char *arguments) {
        int got = KEPT_OUT;

        fixture_dir(f, script);
        CHECK_EQ_INT(example_write(f, "pam.d", "sshd", user, module, arguments), 2);
        fixture_start(f, "sshd", user);
        if (pam_acct_mgmt(f->pamh, 0) == PAM_SUCCESS)
                got = pam_open_session(f->pamh, 0) == PAM_SUCCESS ? LOGGED_IN : NO_SESSION;
        return got;
}

static void check_log_in(const char *user, const Script *script, const char *module, const char *arguments,
                         int expected) {
        Fixture f;

        CHECK_EQ_INT(log_in(&f, user, script, module, arguments), expected);
        if (expected == LOGGED_IN)
                CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        fixture_end(&f);
}

TEST(example_sshd_lets_ordinary_accounts_in) {
        check_log_in("alice", &good, NULL, "", LOGGED_IN);
        check_log_in("root", &good, NULL, "", LOGGED_IN);
}

TEST(example_sshd_lets_ordinary_accounts_in_without_a_reaper) {
        check_log_in("alice", NULL, NULL, "", LOGGED_IN);
}

TEST(example_sshd_lets_ordinary_accounts_in_with_wrong_arguments) {
        check_log_in("alice", NULL, NULL, "tiemout=1", LOGGED_IN);
}

TEST(example_sshd_lets_ordinary_accounts_in_without_the_module) {
        check_log_in("alice", NULL, "/nonexistent/pam_jit.so", "", LOGGED_IN);
}

TEST(example_sshd_lets_ordinary_accounts_in_with_a_broken_module) {
        check_log_in("alice", NULL, "/etc/passwd", "", LOGGED_IN); /* a file that is no module */
}

TEST(example_sshd_lets_an_allowed_account_in) {
        Fixture f;

        CHECK_EQ_INT(log_in(&f, ALLOWED, &good, NULL, ""), LOGGED_IN);
        CHECK_STREQ(f.shown, "pam_jit: CHG2 approved by bob\n");
        CHECK_STREQ(pam_getenv(f.pamh, "systemd.runtime_max_sec"), "60s"); /* common-session came behind */
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        fixture_end(&f);
}

TEST(example_sshd_keeps_ours_out_without_a_reaper) {
        check_log_in(ALLOWED, NULL, NULL, "", KEPT_OUT);
}

TEST(example_sshd_keeps_ours_out_with_wrong_arguments) {
        check_log_in(ALLOWED, &good, NULL, "tiemout=1", KEPT_OUT);
}

TEST(example_sshd_keeps_ours_out_without_the_module) {
        check_log_in(NOT_YET_ALLOWED, &good, "/nonexistent/pam_jit.so", "", KEPT_OUT);
        check_log_in(NOT_YET_ALLOWED, &good, "/etc/passwd", "", KEPT_OUT);
}

TEST(example_sshd_asks_before_it_looks_at_the_expiry) {
        Fixture f;

        /* A yes lifts the expiry on a host; here it stays, and the no that follows must be common-account's. */
        CHECK_EQ_INT(log_in(&f, NOT_YET_ALLOWED, &good, NULL, ""), KEPT_OUT);
        CHECK_EQ_INT(f.reaper.seen->calls, 1);
        CHECK(strstr(f.shown, "approved") == NULL);
        fixture_end(&f);
}

TEST(example_sshd_opens_no_session_that_the_reaper_refuses) {
        static const Script refusing = {.authorize = {.text = AUTHORIZED}, .open_session = {.text = REFUSED}};
        Fixture f;

        CHECK_EQ_INT(log_in(&f, ALLOWED, &refusing, NULL, ""), NO_SESSION);
        CHECK(pam_getenv(f.pamh, "systemd.runtime_max_sec") == NULL); /* pam_systemd was not reached */
        fixture_end(&f);
}

TEST_MAIN
