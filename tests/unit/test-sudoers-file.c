/* SPDX-License-Identifier: Apache-2.0 */

#include "artefact.h"
#include "cleanup.h"
#include "strv.h"
#include "sudo-stack.h"
#include "test-host.h"

/* The file in /run/jit/sudoers.d, by kind and state of the grant. Its text: test-sudo-rules.c. */

static char *commands[] = {(char *) "/usr/bin/systemctl restart postgresql", (char *) "/usr/bin/id", NULL};
static Role dba = {.name = (char *) "dba", .run_as = (char *) "root", .commands = commands, .ways = ROLE_WAY_ACCOUNT | ROLE_WAY_ELEVATE},
            *roles[] = {&dba, NULL};
static Config config = {.roles = roles};
static Manager manager = {.config = &config};
static Grant account, elevation;
static char directory[64];

#define NAME "jit-chg1"
#define ELEVATION_NAME "elevate-1000-jit-chg1"

static void put_stack(const char *service, const char *text) {
        int fd = open("/etc/pam.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        put_file(fd, service, text);
        (void) close(fd);
}

static bool setup(const char *name) {
        static const Grant fresh = {.manager = &manager,
                                    .id = "0123456789abcdef",
                                    .account = NAME,
                                    .ticket = (char *) "CHG1",
                                    .requester = (char *) "alice",
                                    .role = (char *) "dba",
                                    .until_usec = 1795356000999999,
                                    .person_uid = UID_NONE};

        if (!private_host(name))
                return false;
        account = elevation = fresh;
        account.state = GRANT_ACTIVE;
        elevation.state = GRANT_ACTIVE;
        elevation.way = WAY_ELEVATION;
        elevation.uid = UID_NONE;
        elevation.person_uid = 1000;
        elevation.has_rule = true;
        dba.ways = ROLE_WAY_ACCOUNT | ROLE_WAY_ELEVATE;
        config.no_sudo_rules = false;
        CHECK(private_tmpfs("/etc/pam.d"));
        put_stack("sudo", "session required pam_jit.so\n");
        put_stack("sudo-i", "session required pam_jit.so\n");
        (void) snprintf(directory, sizeof(directory), "/tmp/jit-test-XXXXXX");
        CHECK(mkdtemp(directory) != NULL);
        manager.dirs.sudoers = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return true;
}

static void teardown(void) {
        CHECK_EQ_INT(sudoers_file_remove(&account), 0);
        CHECK_EQ_INT(sudoers_file_remove(&elevation), 0);
        (void) close(manager.dirs.sudoers);
        CHECK(rmdir(directory) >= 0); /* nothing else was left in it */
        CHECK(umount2("/etc/pam.d", MNT_DETACH) >= 0);
}

static bool file_has(const char *name, const char *text) {
        _cleanup_free_ char *all = get_file(manager.dirs.sudoers, name);

        return strstr(all, text) != NULL;
}

TEST(active_account) {
        struct stat st;

        if (!setup("active_account"))
                return;
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK_EQ_INT(sudoers_file_make(&account), 0); /* again: replaced */
        CHECK(fstatat(manager.dirs.sudoers, NAME, &st, 0) >= 0 && (st.st_mode & 07777) == 0440 && st.st_uid == 0 && st.st_gid == 0);
        CHECK(file_has(NAME, NAME " ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/id\n"));
        CHECK(file_has(NAME, "postgresql\n") && file_has(NAME, "!ALL\n"));
        CHECK(file_has(NAME, "\nalice ALL=(" NAME ") NOTAFTER=20261122140000Z NOPASSWD: ALL, !sudoedit\n"));
        dba.ways = ROLE_WAY_ELEVATE;
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK(file_has(NAME, "/usr/bin/id\n") && !file_has(NAME, "alice"));
        account.role = (char *) "gone";
        CHECK_EQ_INT(sudoers_file_make(&account), -ENOENT);
        teardown();
}

TEST(reserved_account) {
        static const char *const not_people[] = {"ALL", "%wheel", "Alice", "jit-chg2", "a b", "", "alice,bob"};

        if (!setup("reserved_account"))
                return;
        account.state = GRANT_RESERVED;
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        _cleanup_free_ char *text = get_file(manager.dirs.sudoers, NAME);
        CHECK_STREQ(text, "Defaults>" NAME " pam_session, pam_service=sudo, pam_login_service=sudo-i\n"
                          "alice ALL=(" NAME ") NOTAFTER=20261122140000Z NOPASSWD: ALL, !sudoedit\n");
        /* The role has no such way any more: what was there goes. */
        dba.ways = ROLE_WAY_ELEVATE | ROLE_WAY_GATE;
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK(!is_there(manager.dirs.sudoers, NAME));
        dba.ways = ROLE_WAY_ACCOUNT;
        for (size_t i = 0; i < ELEMENTSOF(not_people); i++) {
                account.requester = (char *) not_people[i];
                CHECK_EQ_INT(sudoers_file_make(&account), 0);
                CHECK(!is_there(manager.dirs.sudoers, NAME));
        }
        teardown();
}

TEST(elevation_of_a_person) {
        if (!setup("elevation_of_a_person"))
                return;
        CHECK_EQ_INT(sudoers_file_make(&elevation), 0);
        _cleanup_free_ char *text = get_file(manager.dirs.sudoers, ELEVATION_NAME);
        CHECK_STREQ(text, "#1000 ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/systemctl restart postgresql\n"
                          "#1000 ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/id\n");
        CHECK(!is_there(manager.dirs.sudoers, NAME));
        CHECK(!strpbrk(ELEVATION_NAME, ".~")); /* such names sudo ignores */
        CHECK_EQ_INT(sudoers_file_remove(&elevation), 0);
        CHECK(!is_there(manager.dirs.sudoers, ELEVATION_NAME));
        elevation.has_rule = false; /* the gate: the host's own rules */
        CHECK_EQ_INT(sudoers_file_make(&elevation), 0);
        CHECK(!is_there(manager.dirs.sudoers, ELEVATION_NAME));
        elevation.has_rule = true;
        elevation.person_uid = 0;
        CHECK_EQ_INT(sudoers_file_make(&elevation), -EINVAL);
        elevation.person_uid = 4294967294;
        CHECK_EQ_INT(sudoers_file_make(&elevation), 0);
        CHECK(is_there(manager.dirs.sudoers, "elevate-4294967294-" NAME));
        CHECK_EQ_INT(sudoers_file_remove(&elevation), 0);
        elevation.person_uid = 1000;
        teardown();
}

TEST(a_ticket_narrows_the_role) {
        char *some[] = {(char *) "/usr/bin/id -u", (char *) "/bin/sh", (char *) "ALL", (char *) "/usr/bin/id -u", NULL};
        char *none[] = {(char *) "/bin/sh", (char *) "/usr/bin/id\nroot ALL=(ALL) ALL", NULL};
        _cleanup_strv_ char **left = NULL;

        if (!setup("a_ticket_narrows_the_role"))
                return;
        account.commands = elevation.commands = some;
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK(file_has(NAME, ": /usr/bin/id -u\n") && !file_has(NAME, "postgresql") && !file_has(NAME, "/bin/sh"));
        CHECK(!file_has(NAME, "(root) NOTAFTER=20261122140000Z NOPASSWD: ALL"));
        CHECK_EQ_INT(sudoers_commands(&elevation, &dba, &left), 0);
        CHECK_EQ_INT(strv_length(left), 1);
        CHECK_EQ_INT(sudoers_file_make(&elevation), 0);
        CHECK(file_has(ELEVATION_NAME, "NOPASSWD: /usr/bin/id -u\n"));
        account.commands = elevation.commands = none;
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK(file_has(NAME, "!ALL\n") && !file_has(NAME, "(root)")); /* nothing but the refusal, which holds against the host's own rules */
        CHECK_EQ_INT(sudoers_file_make(&elevation), -ENODATA);
        CHECK(file_has(ELEVATION_NAME, "/usr/bin/id -u\n")); /* as it was: who cannot make it removes it */
        teardown();
}

/* sudo-rs: what it does not know would be printed on everybody's terminal. */
TEST(sudo_without_notafter) {
        if (!setup("sudo_without_notafter"))
                return;
        config.no_sudo_rules = true;
        CHECK(sudoers_fault(&manager) && strstr(sudoers_fault(&manager), "NOTAFTER"));
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK(file_has(NAME, "!ALL\n") && !file_has(NAME, "NOTAFTER") && !file_has(NAME, "alice") && !file_has(NAME, "/usr/bin/id"));
        CHECK_EQ_INT(sudoers_file_make(&elevation), -EOPNOTSUPP);
        CHECK(!is_there(manager.dirs.sudoers, ELEVATION_NAME));
        account.state = GRANT_RESERVED;
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK(!is_there(manager.dirs.sudoers, NAME));
        teardown();
}

/* Where sudo does not ask pam_jit, what it starts would have no end. */
TEST(stack_without_pam_jit) {
        static const char *const without[] = {
                        "", "auth required pam_jit.so\naccount required pam_jit.so\n", "#session required pam_jit.so\n",
                        "session required pam_unix.so # pam_jit.so\n", "session required pam_jit.so.old\n", "@include sudo\n",
                        "@include nowhere\n", "@include\n", "session [success=ok default=die\n", "session\nrequired pam_jit.so\n",
                        "session required pam_jit.so inside\n@include ours-inside\n",
        };
        static const char *const with[] = {
                        "session required pam_jit.so\n",
                        "auth required pam_unix.so\n@include ours\n",
                        " session\t[success=ok default=bad]  /usr/lib/security/pam_jit.so gate\n",
                        "SESSION include ours",
                        "session substack ours\n",
                        "session required pam_jit.so inside\n@include ours\n",
        };

        if (!setup("stack_without_pam_jit"))
                return;
        put_stack("ours-inside", "session required pam_jit.so debug inside\n");
        put_stack("ours", "session required pam_limits.so\nsession required pam_jit.so\n");
        for (size_t i = 0; i < ELEMENTSOF(without); i++) {
                put_stack("sudo", without[i]);
                if (sudo_stack_has_us("/etc/pam.d"))
                        TEST_FAIL("found in: %s", without[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(with); i++) {
                put_stack("sudo", with[i]);
                if (!sudo_stack_has_us("/etc/pam.d"))
                        TEST_FAIL("not found in: %s", with[i]);
        }
        CHECK(sudoers_fault(&manager) == NULL);
        CHECK(unlink("/etc/pam.d/sudo-i") >= 0);
        CHECK(sudoers_fault(&manager) && strstr(sudoers_fault(&manager), "pam_jit"));
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK(file_has(NAME, "/usr/bin/id\n") && !file_has(NAME, "alice")); /* what came by ssh may use sudo */
        CHECK_EQ_INT(sudoers_file_make(&elevation), -EOPNOTSUPP);
        account.state = GRANT_RESERVED;
        CHECK_EQ_INT(sudoers_file_make(&account), 0);
        CHECK(!is_there(manager.dirs.sudoers, NAME));
        teardown();
}

static void fill_disk(void) {
        int fd = openat(manager.dirs.sudoers, "filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        char filler[4096];

        memset(filler, 'x', sizeof(filler));
        while (write(fd, filler, sizeof(filler)) > 0)
                ;
        (void) close(fd);
}

/* guest-oslogin #115: a full disk leaves an empty sudoers file. */
static void check_full_disk(const Grant *g, const char *name) {
        char temporary[64];

        (void) close(manager.dirs.sudoers);
        CHECK(mount("test", directory, "tmpfs", 0, "size=16k,mode=0755") >= 0);
        manager.dirs.sudoers = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_EQ_INT(sudoers_file_make(g), 0);
        _cleanup_free_ char *before = get_file(manager.dirs.sudoers, name);
        fill_disk();
        CHECK_EQ_INT(sudoers_file_make(g), -ENOSPC);
        _cleanup_free_ char *after = get_file(manager.dirs.sudoers, name);
        CHECK_STREQ(after, before);
        (void) snprintf(temporary, sizeof(temporary), ".%s.tmp", name);
        CHECK(!is_there(manager.dirs.sudoers, temporary));
        CHECK_EQ_INT(sudoers_file_remove(g), 0);
        fill_disk();
        CHECK_EQ_INT(sudoers_file_make(g), -ENOSPC); /* and where there was none, there is none */
        CHECK(!is_there(manager.dirs.sudoers, name) && !is_there(manager.dirs.sudoers, temporary));
        (void) close(manager.dirs.sudoers);
        CHECK(umount2(directory, MNT_DETACH) >= 0);
        manager.dirs.sudoers = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

TEST(full_disk_leaves_the_old_rule) {
        if (!setup("full_disk_leaves_the_old_rule"))
                return;
        check_full_disk(&account, NAME);
        check_full_disk(&elevation, ELEVATION_NAME);
        teardown();
}

TEST_MAIN
