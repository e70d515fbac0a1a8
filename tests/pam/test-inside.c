/* SPDX-License-Identifier: Apache-2.0 */

/* The argument "inside": pam_systemd between our two lines has moved the process out of a grant's slice, or has not. */

#include "answers.h"
#include "fixture.h"
#include "test.h"

#define PLACE(path) "0::" path "\n"
#define SCOPE_OF_ELEVATION PLACE("/jit.slice/jit-0123456789abcdef.slice/jit-0123456789abcdef-77.scope")
#define SCOPE_OF_ACCOUNT PLACE("/user.slice/user-65536.slice/jit-0123456789abcdef-77.scope")
#define SESSION_OF_OTHER PLACE("/user.slice/user-1005.slice/session-c3.scope")

static const Script good = {.authorize = {.text = YES},
                            .authorize_elevation = {.text = NOT_NEEDED},
                            .open_session = {.text = SESSION},
                            .open_elevation = {.text = SCOPE}};
static const Answer no_answers[] = {NO_ANSWERS};
enum { SILENT = (int) PAM_SILENT };

/* As su's stack: the line with "inside", pam_systemd, and the usual one, which has these arguments. */
static void begin(Fixture *f, const char *user, const Script *script, const char *arguments, const char *before,
                  const char *after) {
        const char *probe = getenv("PAM_PROBE_MODULE");

        fixture_dir(f, script);
        fixture_write(f, "su-l",
                      "account [success=ok ignore=ignore default=die] %s socket=%s timeout=1 inside\n"
                      "account [success=ok ignore=ignore default=die] %s socket=%s timeout=1 %s\n"
                      "account [default=done] %s code=0\n"
                      "session [success=ok ignore=ignore default=die] %s inside\n"
                      "session [success=ok ignore=1 default=die] %s socket=%s elevated=%s timeout=1 %s\n"
                      "session [default=done] %s code=0\n"
                      "session [default=bad] %s code=%d\n",
                      module_path(), f->socket, module_path(), f->socket, arguments, probe, module_path(),
                      module_path(), f->socket, f->dir, arguments, probe, probe, PAM_WAS_IGNORED);
        fixture_start(f, "su-l", user);
        fixture_cgroup(f, before, after, 0);
}

static void check_brought_back(const char *arguments, const char *before, const char *after, const char *slice) {
        char quoted[128];
        Fixture f;

        begin(&f, "alice", &good, arguments, before, after);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "OpenElevation ");
        (void) snprintf(quoted, sizeof(quoted), "\"inside\":\"%s\"", slice);
        if (!strstr(f.reaper.seen->request, quoted))
                TEST_FAIL("%s: %s", quoted, f.reaper.seen->request);
        CHECK_STREQ(f.shown, "");
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        fixture_end(&f);
}

TEST(process_that_left_a_grant_is_brought_back) {
        check_brought_back("", SCOPE_OF_ELEVATION, SESSION_OF_OTHER, "jit-0123456789abcdef.slice");
        check_brought_back("", SCOPE_OF_ACCOUNT, SESSION_OF_OTHER, "user-65536.slice");
        check_brought_back("gate", SCOPE_OF_ACCOUNT, SESSION_OF_OTHER, "user-65536.slice");
        check_brought_back("", PLACE("/user.slice/user-65536.slice/user@65536.service/app.slice/x.service"),
                           SESSION_OF_OTHER, "user-65536.slice");
        /* with a hierarchy of version 1 beside it */
        check_brought_back("", "12:pids:/x\n1:name=systemd:/y\n" SCOPE_OF_ELEVATION, SESSION_OF_OTHER,
                           "jit-0123456789abcdef.slice");
        /* an account that nobody knows any more */
        check_brought_back("", PLACE("/user.slice/user-65539.slice/user@65539.service"), SESSION_OF_OTHER,
                           "user-65539.slice");
        /* where it is now cannot be read */
        check_brought_back("", SCOPE_OF_ACCOUNT, "", "user-65536.slice");
}

static void check_ignored(const char *before, const char *after) {
        Fixture f;

        begin(&f, "root", &good, "", before, after);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_WAS_IGNORED);
        CHECK_EQ_INT(f.reaper.seen->connections, 0);
        fixture_end(&f);
}

TEST(process_that_stayed_is_not_asked_about) {
        check_ignored(SCOPE_OF_ELEVATION, SCOPE_OF_ELEVATION);
        check_ignored(SCOPE_OF_ACCOUNT, PLACE("/user.slice/user-65536.slice/session-9.scope"));
}

/* What people name so in the part of the tree that is theirs is nothing. */
TEST(process_of_anybody_else_is_not_asked_about) {
        static const char *const places[] = {
                        PLACE("/user.slice/user-1000.slice/session-3.scope"),
                        PLACE("/user.slice/user-1000.slice/user@1000.service/tmux.scope"),
                        PLACE("/user.slice/user-1000.slice/user@1000.service/jit.slice/jit-0123456789abcdef.slice/"
                              "jit-0123456789abcdef-77.scope"),
                        PLACE("/user.slice/user-1000.slice/user@1000.service/user.slice/user-65536.slice/x.scope"),
                        PLACE("/user.slice/user-0.slice/session-c1.scope"),
                        PLACE("/system.slice/user-65536.slice"),
                        PLACE("/user.slice/user-65536.slicee/x"),
                        PLACE("/user.slice/user-.slice/x"),
                        PLACE("/user.slice/user-99999999999999999999.slice/x"),
                        PLACE("/user.slice"),
                        PLACE("/"),
                        PLACE("/../../jit.slice/jit-0123456789abcdef.slice"),
                        "1:name=systemd:/jit.slice/jit-0123456789abcdef.slice/x.scope\n",
                        "0::jit.slice/jit-0123456789abcdef.slice/x.scope\n",
                        "",
                        "\n\n",
        };

        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                check_ignored(places[i], SESSION_OF_OTHER);
}

TEST(very_long_path_is_not_asked_about) {
        char text[8000] = "0::/jit.slice/jit-";

        memset(text + strlen(text), 'a', sizeof(text) - 1 - strlen(text));
        text[sizeof(text) - 1] = 0;
        check_ignored(text, SESSION_OF_OTHER);
}

TEST(place_that_cannot_be_read) {
        static const struct {
                int error, code;
        } table[] = {{ENOENT, PAM_WAS_IGNORED},
                     {EACCES, PAM_WAS_IGNORED},
                     {EMFILE, PAM_PERM_DENIED},
                     {ENFILE, PAM_PERM_DENIED},
                     {ENOMEM, PAM_PERM_DENIED}};

        for (size_t i = 0; i < 5; i++) {
                Fixture f;

                begin(&f, "root", &good, "", NULL, NULL);
                fixture_cgroup(&f, NULL, NULL, table[i].error);
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), table[i].code);
                CHECK_EQ_INT(f.reaper.seen->connections, 0);
                fixture_end(&f);
        }
}

TEST(every_no_is_a_denial) {
        const Script refused = {.open_elevation = {.text = ERROR("Refused")}}, silent = {};
        Fixture f;

        begin(&f, "alice", &refused, "", SCOPE_OF_ELEVATION, SESSION_OF_OTHER);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
        CHECK_STREQ(f.shown, "pam_jit: CHG1 is just ending\n");
        fixture_end(&f);
        begin(&f, "alice", &silent, "", SCOPE_OF_ELEVATION, SESSION_OF_OTHER);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
        fixture_end(&f);
        begin(&f, "alice", NULL, "", SCOPE_OF_ELEVATION, SESSION_OF_OTHER);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
        fixture_end(&f);
        begin(&f, "alice", &good, "tiemout=1", SCOPE_OF_ELEVATION, SESSION_OF_OTHER);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
        fixture_end(&f);
        for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++) {
                const Script script = {.open_elevation = no_answers[i]};
                begin(&f, "alice", &script, "", SCOPE_OF_ELEVATION, SESSION_OF_OTHER);
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
                fixture_end(&f);
        }
}

TEST(gate_that_asked_for_nothing_does_not_let_it_leave) {
        Fixture f;

        begin(&f, "alice", &good, "gate", SCOPE_OF_ELEVATION, SESSION_OF_OTHER);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_SUCCESS); /* the stack's; ours: PAM_IGNORE */
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "AuthorizeElevation OpenElevation ");
        fixture_end(&f);
}

/* With pam_systemd behind it it would be moved out of its scope again: the control is success=done. */
TEST(account_of_ours_is_opened_by_the_line_before) {
        Fixture f;

        fixture_begin_service(&f, "su", "jit-chg1", &good, "timeout=1 inside");
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_SUCCESS);
        CHECK_STREQ(f.reaper.seen->methods, "Authorize OpenSession ");
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
        fixture_end(&f);
        fixture_begin_service(&f, "su", "jit-none", &good, "timeout=1 inside");
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_PERM_DENIED);
        fixture_end(&f);
        fixture_begin_service(&f, "su", "jit-chg1", &good, "tiemout=1 inside");
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_PERM_DENIED);
        fixture_end(&f);
        fixture_begin_service(&f, "sshd", "jit-chg1", &good, "timeout=1 inside");
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_WAS_IGNORED);
        CHECK_EQ_INT(f.reaper.seen->connections, 0);
        fixture_end(&f);
}

TEST(line_before_has_no_say_in_other_phases) {
        Fixture f;

        fixture_begin_service(&f, "su", "jit-chg1", &good, "timeout=1 inside");
        CHECK_EQ_INT(pam_authenticate(f.pamh, 0), PAM_WAS_IGNORED);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_WAS_IGNORED);
        CHECK_EQ_INT(f.reaper.seen->connections, 0);
        fixture_end(&f);
}

TEST_MAIN
