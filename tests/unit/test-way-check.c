/* SPDX-License-Identifier: Apache-2.0 */

/* `jitctl check`: whether what the ways in need stands in PAM's files and in sudoers, and what there would let
 * something outlive its ticket. */

#include "test-check.h"

static void check_pam(Findings *f, const char *where) {
        (void) pam_check(f, where);
}

TEST(setup) {
        CHECK(mkdtemp(root));
}

#define ACCOUNT "account [success=ok ignore=ignore default=die] pam_jit.so"
#define SESSION "session [success=ok ignore=ignore default=die] pam_jit.so"

TEST(pam) {
        check_found(check_pam, "not checked");
        put("/usr/lib/x86_64-linux-gnu/security/pam_jit.so", "");
        put("/etc/pam.d/sshd", "account required pam_nologin.so\n@include common-session\n");
        put("/etc/pam.d/common-session",
            "session [success=ok default=die] pam_unix.so\n-session optional pam_systemd.so\n");
        check_found(check_pam, "no account line");
        check_found(check_pam, "no session line");
        check_found(check_pam, "no pam_loginuid.so");
        put("/etc/pam.d/sshd", "account  [success=done ignore=ignore default=die] /usr/lib/security/pam_jit.so\n"
                               "session required pam_loginuid.so\n"
                               "session required \\\n pam_jit.so # here\n@include common-session\n");
        check_found(check_pam, "");
        put("/etc/pam.d/sshd", "account required pam_jit.so\nsession required pam_loginuid.so\n"
                               "session include common-session\nsession required pam_jit.so\n");
        check_found(check_pam, "after pam_systemd.so");
        put("/etc/pam.d/sshd", ACCOUNT "\nsession required pam_loginuid.so\nsession optional pam_jit.so\n");
        check_found(check_pam, "ignores its no");
        put("/etc/pam.d/sshd",
            "account [success=ok default=ignore] pam_jit.so\nsession required pam_loginuid.so\n" SESSION "\n");
        check_found(check_pam, "ignores its no");
        put("/etc/pam.d/sshd", ACCOUNT "\nsession required pam_loginuid.so\n" SESSION "\n");
        check_found(check_pam, "");
}

static char wanted_file[64];

static void check_pam_file(Findings *f, const char *where) {
        json_t *finding;
        size_t i;

        (void) pam_check(f, where);
        json_array_foreach (f->list, i, finding) {
                const char *file = json_string_value(json_object_get(finding, "file"));
                if (!file || !streq(file, wanted_file))
                        TEST_FAIL("\"%s\" is said of %s, not of %s",
                                  json_string_value(json_object_get(finding, "message")), file ? file : "nothing",
                                  wanted_file);
        }
}

static void check_said_of(const char *file, const char *part) {
        (void) snprintf(wanted_file, sizeof(wanted_file), "%s", file);
        check_found(check_pam_file, part);
}

TEST(login_is_looked_at_where_tickets_may_log_in) {
        put("/etc/pam.d/login", "session required pam_loginuid.so\n@include common-session\n");
        check_found(check_pam, "");
        put("/etc/pam.d/login", ACCOUNT "\nsession required pam_loginuid.so\n@include common-session\n");
        check_said_of("/etc/pam.d/login", "no session line");
        put("/etc/pam.d/login", "@include common-session\n");
        check_said_of("/etc/pam.d/login", "cannot tell who asks");
        put("/etc/pam.d/login", "session required pam_loginuid.so\n");
}

#define INSIDE "session optional pam_jit.so inside"
#define SESSIONS INSIDE "\n@include common-session\n" SESSION "\n" /* where pam_systemd.so is among them */

TEST(what_sudo_starts_is_bound) {
        put("/etc/pam.d/common-account", "account required pam_unix.so\n");
        put("/etc/pam.d/noninteractive", "session required pam_unix.so\n");
        put("/etc/pam.d/sudo", "@include common-account\n@include noninteractive\n");
        put("/etc/pam.d/sudo-i", "@include common-account\n" SESSIONS);
        check_said_of("/etc/pam.d/sudo", "no jitctl elevate and no sudo -u");
        put("/etc/pam.d/sudo", INSIDE "\n" SESSION "\n@include common-session\n");
        check_said_of("/etc/pam.d/sudo", "moves the process out of its scope");
        put("/etc/pam.d/sudo", "@include noninteractive\nsession optional pam_jit.so\n");
        check_said_of("/etc/pam.d/sudo", "ignores its no");
        put("/etc/pam.d/sudo", "@include noninteractive\n" SESSION "\n");
        check_found(check_pam, "");
        put("/etc/pam.d/sudo-i", "@include noninteractive\n");
        check_said_of("/etc/pam.d/sudo-i", "no jitctl elevate and no sudo -u");
        put("/etc/pam.d/sudo-i", "session include sudo\n");
        check_found(check_pam, "");
}

TEST(su_asks_for_no_password) {
        put("/etc/pam.d/common-auth", "auth [success=1 default=ignore] pam_unix.so\n");
        put("/etc/pam.d/su", "@include common-auth\n@include common-account\n@include common-session\n");
        check_said_of("/etc/pam.d/su", "root can leave by su"); /* also where nobody is to come in by it */
        put("/etc/pam.d/su", "@include common-auth\n" ACCOUNT "\n" SESSION "\n");
        check_said_of("/etc/pam.d/su", "su asks for a password");
        put("/etc/pam.d/su", "@include common-auth\nauth sufficient pam_jit.so\n" ACCOUNT "\n" SESSION "\n");
        check_said_of("/etc/pam.d/su", "su asks for a password");
        put("/etc/pam.d/su", "auth sufficient pam_jit.so\n@include common-auth\n" ACCOUNT "\n");
        check_said_of("/etc/pam.d/su", "what su starts");
        put("/etc/pam.d/su", "auth sufficient pam_jit.so\n@include common-auth\n" ACCOUNT "\n" SESSION "\n");
        put("/etc/pam.d/su-l", "auth include su\naccount include su\nsession include su\n");
        check_found(check_pam, "");
}

static bool has_gate(void) {
        _cleanup_json_ json_t *list = json_array();
        Findings f = {.list = list};

        return pam_check(&f, root);
}

TEST(nobody_leaves_by_su) {
        drop("/etc/pam.d/su-l");
        put("/etc/pam.d/su",
            "auth sufficient pam_jit.so\n" ACCOUNT "\n@include common-session\n" SESSION "\n" INSIDE "\n");
        check_said_of("/etc/pam.d/su", "root can leave by su");
        put("/etc/pam.d/su", "auth sufficient pam_jit.so\n" ACCOUNT "\n" INSIDE "\n@include common-session\n");
        check_said_of("/etc/pam.d/su", "what su starts");
        put("/etc/pam.d/su", "auth sufficient pam_jit.so\n" ACCOUNT "\n" SESSIONS);
        check_found(check_pam, "");
        put("/etc/pam.d/runuser-l", "-session optional pam_systemd.so\n");
        check_said_of("/etc/pam.d/runuser-l", "root can leave by runuser-l");
        put("/etc/pam.d/runuser-l", SESSIONS);
        check_found(check_pam, "");
        put("/etc/pam.d/sudo-i", "@include common-session\n" SESSION "\n");
        check_said_of("/etc/pam.d/sudo-i", "root can leave by sudo-i");
        put("/etc/pam.d/sudo-i", SESSIONS);
        check_found(check_pam, "");
}

#define LOGIN_ACCOUNT ACCOUNT "\nsession required pam_loginuid.so\n"

TEST(one_file_for_both) {
        put("/etc/pam.d/common-session",
            INSIDE " elevations\n" SESSION " logins\n-session optional pam_systemd.so\n" SESSION " elevations\n");
        put("/etc/pam.d/sshd", LOGIN_ACCOUNT "@include common-session\n");
        put("/etc/pam.d/sudo", "@include common-session\n");
        put("/etc/pam.d/sudo-i", "@include common-session\n");
        put("/etc/pam.d/su", "auth sufficient pam_jit.so\n" ACCOUNT "\n@include common-session\n");
        put("/etc/pam.d/runuser-l", "@include common-session\n");
        check_found(check_pam, "");
        put("/etc/pam.d/common-session", SESSION " elevations\n-session optional pam_systemd.so\n" SESSION " logins\n");
        check_found(check_pam, "must hear from it");
        check_found(check_pam, "moves the process out of its scope");
        put("/etc/pam.d/common-session", SESSION " logins\n-session optional pam_systemd.so\n");
        check_found(check_pam, "no sudo -u jit-TICKET");
        put("/etc/pam.d/common-session", "-session optional pam_systemd.so\n");
        put("/etc/pam.d/sshd", LOGIN_ACCOUNT SESSION "\n@include common-session\n");
        put("/etc/pam.d/sudo", "@include noninteractive\n" SESSION "\n");
        put("/etc/pam.d/sudo-i", SESSIONS);
        drop("/etc/pam.d/su");
        drop("/etc/pam.d/runuser-l");
        check_found(check_pam, "");
}

TEST(gate_is_all_or_nothing) {
        CHECK(!has_gate());
        put("/etc/pam.d/sudo", ACCOUNT " gate\n@include noninteractive\n" SESSION " timeout=5 gate\n");
        put("/etc/pam.d/sudo-i", "account include sudo\nsession include sudo\n");
        check_found(check_pam, "");
        CHECK(has_gate());
        put("/etc/pam.d/sudo-i",
            "account [success=ok module_unknown=ignore default=die] pam_jit.so gate\nsession include sudo\n");
        check_said_of("/etc/pam.d/sudo-i", "if pam_jit.so is missing, everybody gets through");
        put("/etc/pam.d/sudo-i", "session include sudo\n");
        check_said_of("/etc/pam.d/sudo-i", "nobody but root gets through");
        put("/etc/pam.d/sudo-i", "account include sudo\n" SESSION " # gate\n");
        check_said_of("/etc/pam.d/sudo-i", "whoever it lets through is not bound");
        put("/etc/pam.d/sudo-i", SESSION "\n");
        check_said_of("/etc/pam.d/sudo-i", "sudo asks for a ticket, and `sudo -i` does not");
        put("/etc/pam.d/sudo-i", "account include sudo\nsession include sudo\n");
        put("/usr/bin/run0", "");
        check_said_of("/etc/pam.d/systemd-run0", "whom polkit lets use it needs none");
        put("/etc/pam.d/systemd-run0", "account include sudo\n");
        check_said_of("/etc/pam.d/systemd-run0", "what systemd-run0 starts");
        put("/etc/pam.d/systemd-run0", "account include sudo\nsession include sudo\n");
        check_found(check_pam, "");
}

TEST(a_service_without_a_file_has_that_of_other) {
        drop("/etc/pam.d/sudo-i");
        check_said_of("/etc/pam.d/sudo-i", "no jitctl elevate and no sudo -u");
        put("/etc/pam.d/other", "account include sudo\nsession include sudo\n");
        check_found(check_pam, "");
        drop("/etc/pam.d/other");
        put("/usr/lib/pam.d/sudo-i", "account include sudo\nsession include sudo\n");
        check_found(check_pam, "");
}

static Role gate_role = {.name = (char *) "g", .ways = ROLE_WAY_GATE},
            ssh_role = {.name = (char *) "s", .ways = ROLE_WAY_ACCOUNT},
            both_role = {.name = (char *) "b", .ways = ROLE_WAY_ELEVATE | ROLE_WAY_GATE},
            elevate_role = {.name = (char *) "e", .ways = ROLE_WAY_ACCOUNT | ROLE_WAY_ELEVATE};
static Role *roles[4];
static const Config ways_config = {.roles = roles};
static bool gate_is_there;

static void check_ways(Findings *f, const char *where) {
        way_check(f, &ways_config, where, gate_is_there);
}

TEST(ways) {
        check_found(check_ways, ""); /* no role, no way */
        put("/proc/self/loginuid", "4294967295");
        gate_is_there = true;
        roles[0] = &ssh_role;
        check_found(check_ways, "nobody but root can use sudo");
        roles[1] = &gate_role;
        check_found(check_ways, "");
        roles[2] = &elevate_role;
        check_found(check_ways, "elevate is one of the ways of e, and gate is not");
        roles[2] = &both_role;
        check_found(check_ways, "");
        gate_is_there = false;
        check_found(check_ways, "gate is one of the ways of g, b, and neither sudo nor sudo-i asks");
        roles[1] = roles[2] = NULL;
        check_found(check_ways, "");
        drop("/proc/self/loginuid");
        check_found(check_ways, "does not say who logged in");
}

TEST(sudo) {
        check_found(sudo_check, "not checked");
        put("/etc/sudoers", "root ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n");
        put("/etc/sudoers.d/jit.disabled", "@includedir /run/jit/sudoers.d\n");
        check_found(sudo_check, "is not included");
        put("/etc/sudoers.d/jit", "#includedir /run/jit/sudoers.d/\n");
        check_found(sudo_check, "");
        put("/etc/sudoers", "@includedir sudoers.d\n");
        check_found(sudo_check, "");
        put("/etc/sudoers", "@include \"sudoers.d/jit\"\n");
        check_found(sudo_check, "");
        put("/etc/sudoers", "@include sudoers\n"); /* for ever */
        check_found(sudo_check, "is not included");
        put("/etc/sudoers", "@includedir /etc/sudoers.d\n");
}

/* Whether a line of sudoers is found to switch PAM off. */
static void check_defaults(const char *line, const char *part) {
        put("/etc/sudoers.d/defaults", line);
        check_found(sudo_check, part);
}

TEST(sudo_without_pam) {
        static const char *const off[] = {"Defaults !pam_session",
                                          "Defaults\t!  pam_session\n",
                                          "Defaults env_reset, !pam_session",
                                          "Defaults secure_path=\"/a, !b\" , !pam_session",
                                          "Defaults:alice !pam_session",
                                          "Defaults:ALICE,%wheel,\"bob b\" !pam_session",
                                          "Defaults@db* !pam_session",
                                          "Defaults>root !pam_session",
                                          "Defaults!/usr/bin/su !pam_session",
                                          "Defaults use_pty, \\\n   !pam_session",
                                          "Defaults passwd_tries = 3 !pam_session",
                                          "Defaults env_keep += \"A B\", !pam_session",
                                          "# comment \\\nDefaults !pam_session",
                                          NULL},
                                 *const on[] = {"Defaults pam_session",
                                                "Defaults !!pam_session",
                                                "Defaults badpass_message=\"a, !pam_session\"",
                                                "Defaults badpass_message=!pam_session",
                                                "# Defaults !pam_session",
                                                "alice ALL=(ALL) ALL # Defaults",
                                                "DefaultsX !pam_session",
                                                "Defaults !pam_setcred, !pam_silent",
                                                "Defaults !pam_sessions",
                                                "Defaults",
                                                NULL};

        for (const char *const *line = off; *line; line++)
                check_defaults(*line, "!pam_session: ");
        for (const char *const *line = on; *line; line++)
                check_defaults(*line, "");
        check_defaults("Defaults !pam_acct_mgmt", "the gate is open");
        check_defaults("Defaults pam_service=login", "pam_service: ");
        check_defaults("Defaults pam_login_service = \"x\"", "pam_login_service: ");
        check_defaults("Defaults pam_service=sudo, pam_login_service=sudo", "");
        drop("/etc/sudoers.d/defaults");
}

TEST(sudo_rs) {
        char path[256];

        put("/usr/bin/sudo-rs", "");
        check_found(sudo_check, "sudo-rs reads it too");
        put("/etc/sudoers-rs", "");
        check_found(sudo_check, "");
        (void) snprintf(path, sizeof(path), "%s/usr/bin/sudo", root);
        CHECK_EQ_INT(symlink("/etc/alternatives/sudo", path), 0);
        check_found(sudo_check, "");
        put("/etc/alternatives/README", "");
        (void) snprintf(path, sizeof(path), "%s/etc/alternatives/sudo", root);
        CHECK_EQ_INT(symlink("../lib/cargo/bin/sudo", path), 0);
        check_found(sudo_check, "is sudo-rs (/etc/alternatives/../lib/cargo/bin/sudo)");
        CHECK_EQ_INT(unlink(path), 0);
        CHECK_EQ_INT(symlink("sudo", path), 0); /* for ever */
        check_found(sudo_check, "");
}

TEST(teardown) {
        remove_root();
}

TEST_MAIN
