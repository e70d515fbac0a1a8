/* SPDX-License-Identifier: Apache-2.0 */

#include <spawn.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "strv.h"
#include "sudo-rules.h"
#include "test-host.h"

/* The text that sudo obeys, and what a ticket may make of its role's commands. */

#define HEX64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"
#define UNTIL UINT64_C(1795356000999999) /* 2026-11-22T14:00:00.999999Z */

static char *commands[] = {(char *) "/usr/bin/systemctl restart postgresql", (char *) "/usr/bin/id", NULL};
static const Role dba = {.name = (char *) "dba", .run_as = (char *) "root", .commands = commands};
static const SudoRules account = {.id = "0123456789abcdef", .account = "jit-chg1", .until_usec = UNTIL};
static const SudoRules person = {.id = "0123456789abcdef", .person_uid = 1000, .until_usec = UNTIL};

TEST(text_for_an_account) {
        _cleanup_free_ char *text = NULL, *become = NULL, *refusal = NULL;
        SudoRules s = account;

        CHECK_EQ_INT(sudo_rules_text(&s, &dba, commands, &text), 0);
        CHECK_STREQ(text, "Defaults:jit-chg1 timestamp_timeout=0, !lecture\n"
                          "jit-chg1 ALL=(ALL:ALL) NOPASSWD: !ALL\n"
                          "jit-chg1 ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/systemctl restart postgresql\n"
                          "jit-chg1 ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/id\n");
        s.requester = "alice.b-c";
        CHECK_EQ_INT(sudo_rules_become(&s, &become), 0);
        CHECK_STREQ(become, "Defaults>jit-chg1 pam_session, pam_service=sudo, pam_login_service=sudo-i\n"
                            "alice.b-c ALL=(jit-chg1) NOTAFTER=20261122140000Z NOPASSWD: ALL, !sudoedit\n");
        free(take_ptr(text));
        CHECK_EQ_INT(sudo_rules_text(&s, &dba, NULL, &text), 0);
        CHECK(strncmp(text, become, strlen(become)) == 0);
        CHECK_EQ_INT(sudo_rules_refusal(&s, &refusal), 0);
        CHECK_STREQ(text + strlen(become), refusal); /* no command of the role's: only the refusal */
}

/* The person's own rules stay in force: nothing is refused, and no setting of theirs is changed. */
TEST(text_for_a_person) {
        _cleanup_free_ char *text = NULL;

        CHECK_EQ_INT(sudo_rules_text(&person, &dba, commands, &text), 0);
        CHECK_STREQ(text, "#1000 ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/systemctl restart postgresql\n"
                          "#1000 ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/id\n");
}

TEST(options) {
        char *keep[] = {(char *) "A", (char *) "PGDATA", NULL}, *one[] = {(char *) "/usr/bin/id ^-[ug]$", NULL};
        Role r = {.name = (char *) "r", .run_as = (char *) "www-data:adm", .no_exec = true, .set_env = true,
                  .record = ROLE_RECORD_SUDO, .env_keep = keep};
        _cleanup_free_ char *text = NULL, *for_account = NULL;

        CHECK_EQ_INT(sudo_rules_text(&person, &r, one, &text), 0);
        CHECK_STREQ(text, "Defaults:#1000 env_keep += A\n"
                          "Defaults:#1000 env_keep += PGDATA\n"
                          "Defaults:#1000 iolog_dir=/var/log/sudo-io/jit/0123456789abcdef, iolog_file=%{seq}\n"
                          "#1000 ALL=(www-data:adm) NOTAFTER=20261122140000Z NOPASSWD: NOEXEC: SETENV: LOG_INPUT: LOG_OUTPUT: "
                          "/usr/bin/id ^-[ug]$\n");
        CHECK_EQ_INT(sudo_rules_text(&account, &r, one, &for_account), 0);
        CHECK(strstr(for_account, "\nDefaults:jit-chg1 env_keep += A\n") && strstr(for_account, "\nDefaults:jit-chg1 iolog_dir=") &&
              strstr(for_account, "NOPASSWD: NOEXEC: SETENV: LOG_INPUT: LOG_OUTPUT: /usr/bin/id ^-[ug]$\n"));
}

TEST(nothing_gets_out_of_its_line) {
        static const char *const bad[] = {
                        "/bin/id\nroot ALL=(ALL) NOPASSWD: ALL", "/bin/id\r", "/bin/id \\", "/bin/id, ALL", "/bin/id : ALL = ALL",
                        "/bin/id #x", "/bin/id\\", "", "!/bin/id", "ALL, !/bin/id", "#includedir /tmp", "@include /tmp/x", "/bin/",
                        "\t/bin/id", "NOPASSWD: ALL", "/bin/id\x7f", "/bin/id\xc3\xa4", "(ALL) ALL", "/bin/a=b",
                        "sudoedit /etc/shadow", "/bin/cat *", "/bin/cat ^a$, ALL", "/bin/cat ^a\n$", "/bin/cat ^.*$", "/bin/cat ^a\\$",
        };

        /* Two walls: the configuration refuses such a command, and the writer does as well. */
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char *v[] = {(char *) bad[i], NULL}, *text = NULL;
                CHECK(!sudo_command_is_valid(bad[i], NULL));
                if (sudo_rules_text(&account, &dba, v, &text) != -EINVAL || sudo_rules_text(&person, &dba, v, &text) != -EINVAL)
                        TEST_FAIL("written: %s", bad[i]);
                free(text);
        }
}

TEST(names_that_are_none) {
        static const char *const accounts[] = {"", "jit-", "jit-a ALL", "jit-a,root", "jit-a\n", "ALL", "%wheel", "root", "jit-A",
                                               "#0", "jit-a:x", "jit-a.b", "jit-a~", "jit-a--b", "jit-a/b"};
        static const char *const requesters[] = {"", "ALL", "Alice", "%wheel", "#0", "+net", "a b", "a,b", "a\n", "alice ALL=(ALL) ALL #",
                                                 "jit-other", "a!", "a=b", "a:b", "a\\", "\xc3\xa4",
                                                 "abcdefghijklmnopqrstuvwxyz012345"};
        static const char *const run_as[] = {"root) NOPASSWD: ALL #", "ALL\n", "", "a b", "root)"};
        static const char *const ids[] = {"", "../x", "0123\n", "ABC", "a b", "%{user}"};
        char *text = NULL;

        for (size_t i = 0; i < ELEMENTSOF(accounts); i++) {
                const SudoRules s = {.id = "0", .account = accounts[i], .requester = "alice", .until_usec = UNTIL};
                if (sudo_rules_text(&s, &dba, commands, &text) != -EINVAL || sudo_rules_become(&s, &text) != -EINVAL ||
                    sudo_rules_refusal(&s, &text) != -EINVAL)
                        TEST_FAIL("written for: %s", accounts[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(requesters); i++) {
                const SudoRules s = {.id = "0", .account = "jit-a", .requester = requesters[i], .until_usec = UNTIL};
                if (sudo_rules_text(&s, &dba, commands, &text) != -EINVAL || sudo_rules_become(&s, &text) != -EINVAL)
                        TEST_FAIL("written for: %s", requesters[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(run_as); i++) {
                Role r = dba;
                r.run_as = (char *) run_as[i];
                if (sudo_rules_text(&account, &r, commands, &text) != -EINVAL)
                        TEST_FAIL("written as: %s", run_as[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                const SudoRules s = {.id = ids[i], .account = "jit-a", .until_usec = UNTIL};
                if (sudo_rules_text(&s, &dba, commands, &text) != -EINVAL)
                        TEST_FAIL("written with: %s", ids[i]);
        }
}

TEST(others_that_are_refused) {
        char *keep[] = {(char *) "A, !requiretty", NULL}, *text = NULL;
        const Role r = {.name = (char *) "r", .run_as = (char *) "root", .env_keep = keep};
        SudoRules s = person;

        CHECK_EQ_INT(sudo_rules_text(&account, &r, commands, &text), -EINVAL);
        s.person_uid = 0;
        CHECK_EQ_INT(sudo_rules_text(&s, &dba, commands, &text), -EINVAL);
        s.person_uid = (uid_t) -1;
        CHECK_EQ_INT(sudo_rules_text(&s, &dba, commands, &text), -EINVAL);
        s = person;
        s.requester = "alice"; /* nobody becomes a person */
        CHECK_EQ_INT(sudo_rules_text(&s, &dba, commands, &text), -EINVAL);
        CHECK_EQ_INT(sudo_rules_become(&account, &text), -EINVAL);
        s = account;
        s.until_usec = UINT64_MAX;
        CHECK_EQ_INT(sudo_rules_text(&s, &dba, commands, &text), -ERANGE);
        s.until_usec = UINT64_C(253402300800000000); /* the year 10000 has a digit too many */
        CHECK_EQ_INT(sudo_rules_text(&s, &dba, commands, &text), -ERANGE);
        CHECK(text == NULL);
}

/* ---- narrowing ---- */

static char *patterned[] = {(char *) "/usr/bin/systemctl restart ^x$", NULL}; /* no command: set by the tests */

static void check_narrow(const char *role_command, const char *ticket, const char *want) {
        _cleanup_free_ char *got = NULL;
        const char *why = "";

        patterned[0] = (char *) role_command;
        CHECK(sudo_command_is_valid(role_command, NULL));
        int r = sudo_command_narrow(patterned, ticket, &got, &why);
        if (want ? r != 0 || !streq(got, want) : r != -EINVAL || !*why || got != NULL)
                TEST_FAIL("of \"%s\" \"%s\" makes %d, %s (%s)", role_command, ticket, r, got ? got : "nothing", why);
}

#define RESTART "/usr/bin/systemctl ^(restart|reload) [a-z-]+(@[a-z0-9.-]+)?\\.service$"

TEST(a_ticket_narrows) {
        static const char *const same[][2] = {
                        {"/usr/bin/systemctl restart cron", "/usr/bin/systemctl restart cron"},
                        {"ALL", "ALL"},
                        {RESTART, RESTART},
                        {RESTART, "/usr/bin/systemctl restart nginx.service"},
                        {RESTART, "/usr/bin/systemctl reload web@a.b-1.service"},
                        {"/bin/x ^--unit=[a-z,:]+$", "/bin/x --unit\\=a\\,b\\:c"},
                        {"/bin/x ^\\*\\?\\[\\]\\!$", NULL},
                        {"/bin/x ^a\\*b\\?\\#$", "/bin/x a\\*b\\?\\#"},
                        {"/bin/x ^a\\\\b$", "/bin/x a\\\\\\\\b"},
                        {"/bin/x ^a b$", "/bin/x a   b "}, /* sudo sees one blank, too */
                        {"/usr/bin/id", "/usr/bin/id -u"},
                        {"/usr/bin/id", "/usr/bin/id \"\""},
                        {"ALL", "/usr/bin/id"},
                        {"ALL", "/usr/bin/id -u"},
                        {"/opt/a\\,b", "/opt/a\\,b x"},
        };

        for (size_t i = 0; i < ELEMENTSOF(same); i++)
                if (same[i][1])
                        check_narrow(same[i][0], same[i][1], same[i][1]);
        /* The role's demand stays. */
        check_narrow("sha256:" HEX64 " /usr/bin/id", "/usr/bin/id -u", "sha256:" HEX64 " /usr/bin/id -u");
        check_narrow("sha256:" HEX64 " /usr/bin/id ^-[ug]$", "/usr/bin/id -u", "sha256:" HEX64 " /usr/bin/id -u");
}

TEST(a_ticket_never_widens) {
        static const char *const bad[][2] = {
                        {"/usr/bin/systemctl restart cron", "/usr/bin/systemctl restart nginx"},
                        {"/usr/bin/systemctl restart cron", "/usr/bin/systemctl restart cron now"},
                        {"/usr/bin/systemctl restart cron", "/usr/bin/systemctl"},
                        {"/usr/bin/systemctl restart cron", "ALL"},
                        {"/usr/bin/id \"\"", "/usr/bin/id"},
                        {"/usr/bin/id \"\"", "/usr/bin/id -u"},
                        {"/usr/bin/id", "/usr/bin/idx"},
                        {"/usr/bin/id", "/bin/id"},
                        {"/usr/bin/id", "ALL"},
                        {RESTART, "/usr/bin/systemctl"},
                        {RESTART, "/usr/bin/systemctl \"\""},
                        {RESTART, "/usr/bin/systemctl restart"},
                        {RESTART, "/usr/bin/systemctl restart a.service b.service"},
                        {RESTART, "/usr/bin/systemctl restart a.service --now"},
                        {RESTART, "/usr/bin/systemctl restart ../a.service"},
                        {RESTART, "/bin/systemctl restart a.service"},
                        {RESTART, "/usr/bin/systemctl ^restart [a-z]+\\.service$"}, /* a pattern, but not the role's */
                        {RESTART, "ALL"},
                        {"/bin/x ^(a)?$", "/bin/x \"\""},
                        {"/bin/x ^a\\\\b$", "/bin/x ab"},
                        {"/usr/bin/id", "sha256:" HEX64 " /usr/bin/id"},
                        {"sha256:" HEX64 " /usr/bin/id", "sha256:1" HEX64 " /usr/bin/id"},
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                check_narrow(bad[i][0], bad[i][1], NULL);
}

/* Each by its own test: none is a command, whatever the role has. */
static void check_hostile(const char *ticket) {
        check_narrow("ALL", ticket, NULL);
        check_narrow("/bin/x", ticket, NULL);
        check_narrow("/bin/x ^[a-z]+$", ticket, NULL);
}

TEST(narrow_newline) {
        check_hostile("/bin/x a\nroot ALL=(ALL) ALL");
        check_hostile("/bin/x a\n");
        check_hostile("/bin/x\n");
        check_hostile("/bin/x a\r");
}

TEST(narrow_quotes) {
        check_hostile("/bin/x \"a\"");
        check_hostile("/bin/x 'a'");
        check_hostile("/bin/x \"\" \"\"");
        check_hostile("\"/bin/x\" a");
}

TEST(narrow_globs) {
        check_hostile("/bin/x *");
        check_hostile("/bin/x a?");
        check_hostile("/bin/x [a-z]");
        check_hostile("/bin/* a");
        check_hostile("/bin/ a");
        check_hostile("/bin/x ^[a-z]*$, ALL");
        check_hostile("/bin/x ^.*$");
}

TEST(narrow_blank_inside_an_argument) {
        check_hostile("/bin/x a\\ b");
        check_hostile("/bin/x a\tb");
        check_hostile("/bin/x\\ a");
}

TEST(narrow_comment_comma_and_backslash) {
        check_hostile("/bin/x #a");
        check_hostile("/bin/x a#");
        check_hostile("/bin/x a, ALL");
        check_hostile("/bin/x a,b");
        check_hostile("/bin/x a:b");
        check_hostile("/bin/x a\\");
        check_hostile("/bin/x \\");
        check_hostile("/bin/x\\");
        check_hostile("!/bin/x");
        check_hostile("");
}

TEST(narrow_length) {
        char ticket[1100] = "/bin/x ";

        memset(ticket + 7, 'a', sizeof(ticket) - 8);
        ticket[1025] = '\0';
        check_hostile(ticket);
        ticket[1024] = '\0';
        check_narrow("/bin/x ^[a-z]+$", ticket, ticket);
}

/* ---- visudo ---- */

static int visudo(const char *text) {
        char name[] = "/tmp/jit-test-XXXXXX";
        char *const argv[] = {(char *) "visudo", (char *) "-cqf", name, NULL}, *const envp[] = {NULL};
        int fd = mkostemp(name, O_CLOEXEC), status = -1;
        pid_t pid;

        CHECK_EQ_INT(write(fd, text, strlen(text)), strlen(text));
        (void) close(fd);
        (void) chmod(name, 0440);
        CHECK_EQ_INT(posix_spawn(&pid, "/usr/sbin/visudo", NULL, NULL, argv, envp), 0);
        CHECK(waitpid(pid, &status, 0) == pid);
        (void) unlink(name);
        return status;
}

TEST(visudo_takes_it) {
        char *many[] = {(char *) "ALL", (char *) "/usr/bin/id \"\"", (char *) "/usr/bin/env A\\=1 b\\:c\\,d\\# \\\\\\\\ \\* \\[",
                        (char *) "/usr/bin/systemctl restart postgresql", (char *) RESTART,
                        (char *) "/bin/x ^a,b:c=d\\#\\$\\\\ \\[[a-z,:=]{1,3}(x|y)+!@%$", (char *) "sha256:" HEX64 " /bin/ls ^[a-z]+$",
                        (char *) "/opt/a\\,b\\:c\\=d\\#e", NULL};
        char *keep[] = {(char *) "A", (char *) "B_2", NULL};
        Role r = {.name = (char *) "r", .run_as = (char *) "ALL:ALL", .commands = many, .no_exec = true, .set_env = true,
                  .record = ROLE_RECORD_SUDO, .env_keep = keep};

        if (access("/usr/sbin/visudo", X_OK) < 0) {
                printf("skip visudo_takes_it (there is no visudo here)\n");
                return;
        }
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_free_ char *text = NULL;
                CHECK_EQ_INT(sudo_rules_sample(i ? &r : &dba, &text), 0);
                CHECK(strstr(text, "\njit ALL=(jit-") || strstr(text, "jit ALL=(jit-"));
                CHECK(strstr(text, "\n#65534 ALL=("));
                CHECK_EQ_INT(visudo(text), 0);
        }
        r.name = (char *) "a--b-"; /* a role's name that is no account's */
        _cleanup_free_ char *text = NULL;
        CHECK_EQ_INT(sudo_rules_sample(&r, &text), 0);
        CHECK_EQ_INT(visudo(text), 0);
        CHECK_EQ_INT(visudo(sudo_rules_probe), 0);
        CHECK(visudo("x ALL=(root NOTAFTER\n") != 0); /* it can say no */
}

TEST_MAIN
