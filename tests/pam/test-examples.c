/* SPDX-License-Identifier: Apache-2.0 */

/* examples/pam.d/sshd as it is shipped, but for the module's path and for the lines that would change the test's own
 * process. The two promises: whatever is wrong with pam_jit, ordinary accounts get in; and whatever is wrong, ours do
 * not. */

#include <shadow.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

#define AUTHORIZED "{\"parameters\":{\"allow\":true,\"reason\":\"approved\",\"message\":\"CHG2 approved by bob\"}}"
#define OPENED                                                                                                         \
        "{\"parameters\":{\"session\":1,\"home\":\"/run/jit/home/jit-chg2\",\"until\":1,\"env\":{},"                   \
        "\"pamData\":{\"systemd.runtime_max_sec\":\"60s\"}}}"
#define REFUSED                                                                                                        \
        "{\"error\":\"io.pamjit.Reaper.Refused\",\"parameters\":{\"reason\":\"no-space\",\"message\":\"no room\"}}"

static const Script good = {.authorize = {.text = AUTHORIZED}, .open_session = {.text = OPENED}};

/* The reaper serves an account that has not been allowed as expired. */
#define NOT_YET_ALLOWED "jit-chg1"
#define ALLOWED "jit-chg2"

/* libnss_wrapper has no getspnam_r(), which libpam calls for pam_unix: the program comes first in symbol look-up. */
__attribute__((visibility("default"))) int getspnam_r(const char *name, struct spwd *entry, char *buffer, size_t size,
                                                      struct spwd **ret) {
        if (snprintf(buffer, size, "%s", name) >= (int) size)
                return ERANGE;
        *entry = (struct spwd){.sp_namp = buffer,
                               .sp_pwdp = buffer + strlen(buffer), /* empty: never looked at here */
                               .sp_lstchg = 19000,
                               .sp_min = -1,
                               .sp_max = -1,
                               .sp_warn = -1,
                               .sp_inact = -1,
                               .sp_expire = strcmp(name, NOT_YET_ALLOWED) == 0 ? 1 : -1,
                               .sp_flag = ~0ul};
        *ret = entry;
        return 0;
}

/* What stands where the file says "@include NAME": Debian's files reduced to what they do. (libpam reads included files
 * from /etc/pam.d even when it is given another directory.) Without root pam_unix cannot read the expiry, and the probe
 * stands in for it. */
static void common_text(const char *name, const char *user, size_t size, char *ret) {
        const char *probe = getenv("PAM_PROBE_MODULE");

        ret[0] = 0;
        if (strncmp(name, "common-session", 14) == 0)
                (void) snprintf(ret, size, "session required pam_permit.so\nsession optional %s\n", probe);
        else if (strncmp(name, "common-account", 14) != 0)
                return;
        else if (geteuid() == 0)
                (void) snprintf(ret, size,
                                "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
                                "account requisite pam_deny.so\naccount required pam_permit.so\n");
        else
                (void) snprintf(ret, size, "account required %s code=%d\naccount required pam_permit.so\n", probe,
                                strcmp(user, NOT_YET_ALLOWED) == 0 ? PAM_ACCT_EXPIRED : PAM_SUCCESS);
}

/* The shipped file with module in pam_jit.so's place, and arguments behind it. */
static void write_example(const Fixture *f, const char *user, const char *module, const char *arguments) {
        char path[256], line[512], text[8192] = "";
        unsigned replaced = 0;
        FILE *example;

        (void) snprintf(path, sizeof(path), "%s/pam.d/sshd", getenv("PAM_EXAMPLES"));
        example = fopen(path, "re");
        CHECK(example != NULL);
        while (example && fgets(line, sizeof(line), example)) {
                char *name = strstr(line, "pam_jit.so");
                size_t used = strlen(text);

                if (line[0] == '@')
                        common_text(line + strlen("@include "), user, sizeof(text) - used, text + used);
                else if (line[0] != '#' && strstr(line, "pam_nologin.so"))
                        (void) snprintf(text + used, sizeof(text) - used, "%s", line);
                else if (line[0] != '#' && name) {
                        *name = 0;
                        (void) snprintf(text + used, sizeof(text) - used, "%s %s socket=%s timeout=1 %s\n", line,
                                        module, f->socket, arguments);
                        replaced++;
                }
        }
        if (example)
                (void) fclose(example);
        CHECK_EQ_INT(replaced, 2);
        fixture_write(f, "sshd", "%s", text);
}

/* How far user gets: 0 not past account, 1 not past session, 2 in. */
enum { KEPT_OUT, NO_SESSION, LOGGED_IN };

static int log_in(Fixture *f, const char *user, const Script *script, const char *module, const char *arguments) {
        int got = KEPT_OUT;

        fixture_dir(f, script);
        write_example(f, user, module ? module : module_path(), arguments);
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
