/* SPDX-License-Identifier: Apache-2.0 */

/* Without the gate, for accounts that are not ours: only who has a sudo rule of ours is asked about. And the arguments
 * that make a line one for some services. */

#include <fcntl.h>
#include <sys/wait.h>

#include "answers.h"
#include "fixture.h"
#include "test.h"

static const Script good = {
                .authorize = {.text = YES}, .open_session = {.text = SESSION}, .open_elevation = {.text = SCOPE}};
static const Answer no_answers[] = {NO_ANSWERS};
enum { SILENT = (int) PAM_SILENT };

static int open_marked(Fixture *f, const char *service, const Script *script, const char *arguments,
                       const char *login_uid, const char *marker) {
        fixture_begin_service(f, service, "root", script, arguments);
        fixture_login_uid(f, login_uid, 0);
        if (marker)
                fixture_write(f, marker, "%s", "");
        return pam_open_session(f->pamh, SILENT);
}

/* ---- an ordinary sudo: nobody is asked ---- */

static void check_ignored(const char *service, const char *arguments, const char *login_uid, const char *marker) {
        Fixture f;

        CHECK_EQ_INT(open_marked(&f, service, &good, arguments, login_uid, marker), PAM_WAS_IGNORED);
        CHECK_EQ_INT(f.reaper.seen->connections, 0);
        CHECK_STREQ(f.shown, "");
        CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_WAS_IGNORED);
        fixture_end(&f);
}

TEST(sudo_of_somebody_without_a_rule_of_ours_is_ignored) {
        static const char *const services[] = {"sudo", "sudo-i", "su", "su-l", "systemd-run0", "sshd", "login", "cron"};

        for (size_t i = 0; i < 8; i++) {
                check_ignored(services[i], NULL, "1000", NULL);
                check_ignored(services[i], "tiemout=1", "1000", NULL);
        }
}

TEST(markers_of_others_are_none) {
        static const char *const others[] = {"100", "10001", "01000", "0", "4294967295", "1000.", "alice"};

        for (size_t i = 0; i < 7; i++)
                check_ignored("sudo", NULL, "1000", others[i]);
}

TEST(service_without_a_login_is_ignored) {
        check_ignored("sudo", NULL, "4294967295", "4294967295");
        check_ignored("sudo", "tiemout=1", "4294967295", "4294967295");
}

TEST(login_uid_that_is_none_is_ignored) {
        static const char *const odd[] = {"", "1000\n", "-1", "1000 ", "../1000", "99999999999", "x", "+1000"};

        for (size_t i = 0; i < 8; i++)
                check_ignored("sudo", NULL, odd[i], "1000");
}

TEST(login_uid_that_cannot_be_read_is_ignored) {
        static const int errors[] = {ENOENT, EACCES, EPERM};

        for (size_t i = 0; i < 3; i++) {
                Fixture f;

                fixture_begin_service(&f, "sudo", "root", &good, NULL);
                fixture_login_uid(&f, NULL, errors[i]);
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_WAS_IGNORED);
                CHECK_EQ_INT(f.reaper.seen->connections, 0);
                fixture_end(&f);
        }
}

/* Who starts sudo with no descriptors left must not pass for somebody without a rule of ours. */
TEST(shortage_is_no_way_around) {
        static const int errors[] = {EMFILE, ENFILE, ENOMEM};

        for (size_t i = 0; i < 3; i++) {
                Fixture f;

                fixture_begin_service(&f, "sudo", "root", &good, NULL);
                fixture_login_uid(&f, NULL, errors[i]);
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_PERM_DENIED);
                fixture_end(&f);
        }
}

/* sudo matches rules by the real UID: what runs as alice without her login may use her rule. */
TEST(marker_of_the_real_user_counts) {
        static const char *const login_uids[] = {"4294967295", "1001", "0", NULL};

        for (size_t i = 0; i < 4; i++) {
                Fixture f;

                fixture_begin_service(&f, "sudo", "root", &good, NULL);
                fixture_login_uid(&f, login_uids[i], login_uids[i] ? 0 : ENOENT);
                fixture_real_uid(1000);
                fixture_write(&f, "1000", "%s", "");
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
                CHECK_STREQ(f.reaper.seen->methods, "OpenElevation ");
                fixture_end(&f);
        }
}

TEST(marker_of_roots_own_is_none) {
        Fixture f;

        fixture_begin_service(&f, "sudo", "root", &good, NULL);
        fixture_real_uid(0);
        fixture_write(&f, "0", "%s", "");
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_WAS_IGNORED);
        fixture_end(&f);
}

TEST(folder_that_is_not_there_is_ignored) {
        check_ignored("sudo", "timeout=1 elevated=/nonexistent", "1000", "1000");
        check_ignored("sudo", "timeout=1 elevated=/etc/passwd", "1000", "1000");
}

TEST(logins_and_account_phases_do_not_look) {
        static const char *const services[] = {"sshd", "login", "cron", "polkit"};
        Fixture f;

        for (size_t i = 0; i < 4; i++)
                check_ignored(services[i], NULL, "1000", "1000");
        fixture_begin_service(&f, "sudo", "alice", &good, NULL);
        fixture_login_uid(&f, "1000", 0);
        fixture_write(&f, "1000", "%s", "");
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_WAS_IGNORED);
        CHECK_EQ_INT(f.reaper.seen->connections, 0);
        fixture_end(&f);
}

/* ---- somebody with a rule of ours ---- */

TEST(marker_is_asked_about_and_held) {
        static const char *const services[] = {"sudo", "sudo-i", "su", "su-l", "systemd-run0"};

        for (size_t i = 0; i < 5; i++) {
                Fixture f;

                CHECK_EQ_INT(open_marked(&f, services[i], &good, NULL, "1000", "1000"), PAM_SUCCESS);
                CHECK_STREQ(f.reaper.seen->methods, "OpenElevation ");
                CHECK(strstr(f.reaper.seen->request, "\"gate\":false") != NULL);
                CHECK(strstr(f.reaper.seen->request, "\"account\":\"root\"") != NULL);
                CHECK_STREQ(f.shown, "");
                while (reaper_next_event(&f.reaper, 50) != 0)
                        ;
                CHECK_EQ_INT(pam_close_session(f.pamh, 0), PAM_SUCCESS);
                CHECK_EQ_INT(reaper_next_event(&f.reaper, 1000), SAW_END);
                fixture_end(&f);
        }
}

static void check_denied(const Script *script, const char *arguments, const char *shown) {
        Fixture f;

        CHECK_EQ_INT(open_marked(&f, "sudo", script, arguments, "1000", "1000"), PAM_PERM_DENIED);
        if (!strstr(f.shown, shown))
                TEST_FAIL("shown: %s", f.shown);
        CHECK(!script || fixture_nothing_held(&f));
        fixture_end(&f);
}

TEST(every_no_is_a_denial) {
        const Script refused = {.open_elevation = {.text = ERROR("Refused")}},
                     again = {.open_elevation = {.text = ERROR("TryAgain")}}, silent = {};

        check_denied(&refused, NULL, "pam_jit: CHG1 is just ending\n");
        check_denied(&again, NULL, "pam_jit: CHG1 is just ending\n");
        check_denied(&silent, NULL, "does not answer");
        check_denied(NULL, NULL, "does not answer");
        check_denied(&good, "tiemout=1", "configuration of this host is wrong");
        for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++) {
                const Script script = {.open_elevation = no_answers[i]};
                check_denied(&script, NULL, "pam_jit: the approval service");
        }
}

/* Anything of that name: a link that leads nowhere, too. */
TEST(marker_may_be_of_any_kind) {
        char path[128];
        Fixture f;

        fixture_begin_service(&f, "sudo", "root", &good, NULL);
        fixture_login_uid(&f, "1000", 0);
        (void) snprintf(path, sizeof(path), "%s/1000", f.dir);
        CHECK(symlink("/nonexistent", path) == 0);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
        fixture_end(&f);
}

/* ---- since when the process that read sudoers runs ---- */

#define STAT(name, start)                                                                                              \
        "7 (" name ") S 1 7 7 34816 9 4194304 151 0 0 0 0 0 0 0 20 0 1 0 " start                                       \
        " 11243520 512 18446744073709551615 1\n"

static void check_started(const char *stat, int error, const char *started) {
        char member[64];
        Fixture f;

        fixture_begin_service(&f, "sudo", "alice", &good, NULL);
        fixture_login_uid(&f, "1000", 0);
        fixture_write(&f, "1000", "%s", "");
        fixture_stat(&f, stat, error);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_WAS_IGNORED);
        fixture_stat(&f, STAT("sudo", "9999"), 0); /* a child's */
        CHECK_EQ_INT(pam_set_item(f.pamh, PAM_USER, "root"), PAM_SUCCESS);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
        (void) snprintf(member, sizeof(member), "\"started\":%s", started);
        if (!strstr(f.reaper.seen->request, member) ||
            !strchr(",}", *(strstr(f.reaper.seen->request, member) + strlen(member))))
                TEST_FAIL("%s: %s", started, f.reaper.seen->request);
        fixture_end(&f);
}

TEST(start_of_the_process_that_read_sudoers_is_told) {
        check_started(STAT("sudo", "1234567"), 0, "1234567");
        check_started(STAT(") R 1 2 3 (", "1234567"), 0, "1234567");
        check_started(STAT("a b)", "1"), 0, "1");
}

TEST(start_that_cannot_be_read_is_older_than_anything) {
        check_started(NULL, ENOENT, "0");
        check_started(NULL, EACCES, "0");
        check_started("", 0, "0");
        check_started("7 (sudo) S 1 7", 0, "0");
        check_started("7 (sudo)", 0, "0");
        check_started(STAT("sudo", "-1"), 0, "0");
        check_started(STAT("sudo", ""), 0, "0");
        check_started(STAT("sudo", "99999999999999999999"), 0, "0");
}

TEST(start_that_a_shortage_hides_is_a_denial) {
        Fixture f;

        fixture_begin_service(&f, "sudo", "alice", &good, NULL);
        fixture_stat(&f, NULL, EMFILE);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_PERM_DENIED);
        fixture_end(&f);
        fixture_begin_service(&f, "sshd", "alice", &good, NULL); /* not asked for there */
        fixture_stat(&f, NULL, EMFILE);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_WAS_IGNORED);
        fixture_end(&f);
}

TEST(start_without_an_account_phase_is_older_than_anything) {
        Fixture f;

        CHECK_EQ_INT(open_marked(&f, "sudo", &good, NULL, "1000", "1000"), PAM_SUCCESS);
        CHECK(strstr(f.reaper.seen->request, "\"started\":0") != NULL);
        CHECK(strstr(f.reaper.seen->request, "\"uid\"") == NULL);
        fixture_end(&f);
}

/* sudoedit: root's real UID in the session phase. */
TEST(real_user_of_the_account_phase_counts) {
        static const char *const arguments[] = {NULL, "timeout=1 gate"};

        for (size_t i = 0; i < 2; i++) {
                const Script script = {.authorize_elevation = {.text = YES}, .open_elevation = {.text = SCOPE}};
                Fixture f;

                fixture_begin_service(&f, "sudo", "alice", &script, arguments[i]);
                fixture_real_uid(1000);
                fixture_write(&f, "1000", "%s", "");
                CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), i == 0 ? PAM_WAS_IGNORED : PAM_SUCCESS);
                fixture_real_uid(0);
                CHECK_EQ_INT(pam_set_item(f.pamh, PAM_USER, "root"), PAM_SUCCESS);
                CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
                CHECK(strstr(f.reaper.seen->request, "\"uid\":1000") != NULL);
                fixture_end(&f);
        }
}

TEST(account_of_ours_as_the_caller_is_told_too) {
        Fixture f;

        fixture_begin_service(&f, "sudo", "jit-chg1", &good, NULL);
        fixture_real_uid(65536);
        fixture_login_uid(&f, "1000", 0);
        fixture_write(&f, "1000", "%s", "");
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, SILENT), PAM_SUCCESS);
        CHECK_EQ_INT(pam_set_item(f.pamh, PAM_USER, "root"), PAM_SUCCESS);
        CHECK_EQ_INT(pam_open_session(f.pamh, SILENT), PAM_SUCCESS);
        CHECK(strstr(f.reaper.seen->request, "\"uid\":65536") != NULL);
        fixture_end(&f);
}

/* The kernel's own file, once: it says 1000, or nobody's in a process that was started without a login. */
TEST(kernels_own_file_is_understood) {
        Fixture f;
        int status = 0;
        pid_t pid = fork();

        if (pid == 0) {
                int fd = -1, r;

                fixture_begin_service(&f, "sudo", "root", &good, NULL);
                fixture_login_uid(&f, NULL, 0);
                fixture_write(&f, "1000", "%s", "");
                fd = openat(AT_FDCWD, "/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
                r = fd >= 0 && write(fd, "1000", 4) == 4 ? pam_open_session(f.pamh, SILENT) : -1;
                fixture_end(&f);
                _exit(r == PAM_SUCCESS ? 0 : r < 0 ? 77 : 1);
        }
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
                printf("# kernels_own_file_is_understood: SKIP the login UID cannot be set here\n");
        else
                CHECK_EQ_INT(WEXITSTATUS(status), 0);
}

/* ---- logins, elevations ---- */

static void check_phases(const char *service, const char *arguments, int code) {
        Fixture f;

        fixture_begin_service(&f, service, "jit-chg1", &good, arguments);
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), code);
        CHECK_EQ_INT(pam_open_session(f.pamh, 0), code == PAM_SERVICE_ERR ? PAM_PERM_DENIED : code);
        if (code != PAM_SUCCESS)
                CHECK_EQ_INT(f.reaper.seen->connections, 0);
        fixture_end(&f);
}

TEST(line_for_logins) {
        check_phases("sshd", "timeout=1 logins", PAM_SUCCESS);
        check_phases("login", "timeout=1 logins", PAM_SUCCESS);
        check_phases("sudo", "timeout=1 logins", PAM_WAS_IGNORED);
        check_phases("su", "timeout=1 logins", PAM_WAS_IGNORED);
        check_phases("systemd-run0", "timeout=1 logins", PAM_WAS_IGNORED);
}

TEST(line_for_elevations) {
        check_phases("sshd", "timeout=1 elevations", PAM_WAS_IGNORED);
        check_phases("login", "timeout=1 elevations", PAM_WAS_IGNORED);
        check_phases("sudo", "timeout=1 elevations", PAM_SUCCESS);
        check_phases("su-l", "timeout=1 elevations", PAM_SUCCESS);
}

TEST(line_for_nothing_is_a_mistake) {
        check_phases("sshd", "logins elevations", PAM_SERVICE_ERR);
        check_phases("su", "elevations logins", PAM_SERVICE_ERR);
        check_phases("su", "logins tiemout=1", PAM_SERVICE_ERR);
        check_phases("su", "elevated=run/jit/elevated", PAM_SERVICE_ERR);
        check_phases("su", "elevated=", PAM_SERVICE_ERR);
        check_phases("su", "gates", PAM_SERVICE_ERR);
}

TEST(line_for_logins_does_not_look_for_markers) {
        check_ignored("sudo", "timeout=1 logins", "1000", "1000");
}

TEST(line_for_elevations_looks_for_markers) {
        Fixture f;

        CHECK_EQ_INT(open_marked(&f, "sudo", &good, "timeout=1 elevations", "1000", "1000"), PAM_SUCCESS);
        fixture_end(&f);
}

TEST_MAIN
