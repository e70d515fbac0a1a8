/* SPDX-License-Identifier: Apache-2.0 */

#include <spawn.h>
#include <sys/wait.h>

#include "artefact.h"
#include "cleanup.h"
#include "strv.h"
#include "test-host.h"

static char *commands[] = {(char *) "/usr/bin/systemctl restart postgresql", (char *) "/usr/bin/id", NULL};
static Role dba = {.name = (char *) "dba", .run_as = (char *) "root", .commands = commands}, *roles[] = {&dba, NULL};
static Config config = {.roles = roles};
static Manager manager = {.config = &config};
static Grant grant = {
                .manager = &manager, .account = "jit-chg1", .role = (char *) "dba", .until_usec = 1795356000999999};
static char directory[64];

static bool setup(const char *name) {
        if (!test_is_root(name))
                return false;
        (void) snprintf(directory, sizeof(directory), "/tmp/jit-test-XXXXXX");
        CHECK(mkdtemp(directory) != NULL);
        manager.dirs.sudoers = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return true;
}

static void teardown(void) {
        grant.commands = NULL;
        grant.role = (char *) "dba";
        CHECK_EQ_INT(sudoers_file_remove(&grant), 0);
        (void) close(manager.dirs.sudoers);
        CHECK(rmdir(directory) >= 0); /* nothing else was left in it */
}

TEST(text) {
        _cleanup_free_ char *text = NULL;

        CHECK_EQ_INT(sudoers_text("jit-chg1", &dba, commands, 1795356000999999, &text), 0);
        CHECK_EQ_INT(strncmp(text, "Defaults:jit-chg1 timestamp_timeout=0, ", 39), 0);
        CHECK_STREQ(strchr(text, '\n') + 1,
                    "jit-chg1 ALL=(ALL:ALL) NOPASSWD: !ALL\n" /* the last match counts: rules of the host's own are overruled */
                    "jit-chg1 ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/systemctl restart postgresql\n"
                    "jit-chg1 ALL=(root) NOTAFTER=20261122140000Z NOPASSWD: /usr/bin/id\n");
}

TEST(nothing_gets_out_of_its_line) {
        static const char *const bad[] = {
                        "/bin/id\nroot ALL=(ALL) NOPASSWD: ALL",
                        "/bin/id\r",
                        "/bin/id \\",
                        "/bin/id, ALL",
                        "/bin/id : ALL = ALL",
                        "/bin/id #x",
                        "/bin/id\\",
                        "",
                        "!/bin/id",
                        "ALL, !/bin/id",
                        "#includedir /tmp",
                        "@include /tmp/x",
                        "/bin/",
                        "\t/bin/id",
                        "NOPASSWD: ALL",
                        "/bin/id\x7f",
                        "/bin/id\xc3\xa4",
                        "(ALL) ALL",
                        "/bin/a=b",
                        "sudoedit /etc/shadow",
                        "/bin/cat *",
        };

        /* Two walls: the configuration refuses such a command, and the writer does as well. */
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char *v[] = {(char *) bad[i], NULL}, *text = NULL;
                CHECK(!sudo_command_is_valid(bad[i], NULL));
                if (sudoers_text("jit-chg1", &dba, v, 1795356000000000, &text) != -EINVAL)
                        TEST_FAIL("written: %s", bad[i]);
                free(text);
        }
}

TEST(account_and_run_as) {
        static const char *const accounts[] = {"",       "jit-a ALL", "jit-a,root", "jit-a\n", "ALL",
                                               "%wheel", "root",      "jit-A",      "#0",      "jit-a:x"};
        static const char *const run_as[] = {"root) NOPASSWD: ALL #", "ALL\n", "", "a b", "root)"};

        for (size_t i = 0; i < ELEMENTSOF(accounts); i++) {
                char *text = NULL;
                if (sudoers_text(accounts[i], &dba, commands, 1795356000000000, &text) != -EINVAL)
                        TEST_FAIL("written for: %s", accounts[i]);
                free(text);
        }
        for (size_t i = 0; i < ELEMENTSOF(run_as); i++) {
                Role r = dba;
                char *text = NULL;
                r.run_as = (char *) run_as[i];
                if (sudoers_text("jit-chg1", &r, commands, 1795356000000000, &text) != -EINVAL)
                        TEST_FAIL("written as: %s", run_as[i]);
                free(text);
        }
}

TEST(file) {
        struct stat st;

        if (!setup("file"))
                return;
        CHECK_EQ_INT(sudoers_file_make(&grant), 0);
        CHECK_EQ_INT(sudoers_file_make(&grant), 0); /* again: replaced */
        CHECK(fstatat(manager.dirs.sudoers, "jit-chg1", &st, 0) >= 0 && (st.st_mode & 07777) == 0440 &&
              st.st_uid == 0 && st.st_gid == 0);
        _cleanup_free_ char *all = get_file(manager.dirs.sudoers, "jit-chg1");
        CHECK(strstr(all, "postgresql") && strstr(all, "/usr/bin/id"));
        /* A ticket narrows the role, and never widens it. */
        char *some[] = {(char *) "/usr/bin/id", (char *) "/bin/sh", (char *) "ALL", NULL};
        grant.commands = some;
        CHECK_EQ_INT(sudoers_file_make(&grant), 0);
        _cleanup_free_ char *narrow = get_file(manager.dirs.sudoers, "jit-chg1");
        CHECK(!strstr(narrow, "postgresql") && strstr(narrow, "/usr/bin/id\n") && !strstr(narrow, "/bin/sh") &&
              !strstr(narrow, ": ALL"));
        char *none[] = {(char *) "/bin/sh", NULL};
        grant.commands = none;
        CHECK_EQ_INT(sudoers_file_make(&grant), 0);
        _cleanup_free_ char *empty = get_file(manager.dirs.sudoers, "jit-chg1");
        CHECK(strstr(empty, "!ALL\n") && !strstr(empty, "NOTAFTER")); /* nothing but the refusal, which holds against the host's own rules */
        CHECK_EQ_INT(sudoers_file_remove(&grant), 0);
        grant.role = (char *) "gone";
        CHECK_EQ_INT(sudoers_file_make(&grant), -ENOENT);
        teardown();
}

/* guest-oslogin #115: a full disk leaves an empty sudoers file. */
TEST(full_disk_leaves_the_old_rule) {
        char filler[4096];

        if (!private_host("full_disk_leaves_the_old_rule") || !setup("full_disk_leaves_the_old_rule"))
                return;
        (void) close(manager.dirs.sudoers);
        CHECK(mount("test", directory, "tmpfs", 0, "size=16k,mode=0755") >= 0);
        manager.dirs.sudoers = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_EQ_INT(sudoers_file_make(&grant), 0);
        _cleanup_free_ char *before = get_file(manager.dirs.sudoers, "jit-chg1");
        int fd = openat(manager.dirs.sudoers, "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        memset(filler, 'x', sizeof(filler));
        while (write(fd, filler, sizeof(filler)) > 0)
                ;
        (void) close(fd);
        CHECK_EQ_INT(sudoers_file_make(&grant), -ENOSPC);
        _cleanup_free_ char *after = get_file(manager.dirs.sudoers, "jit-chg1");
        CHECK_STREQ(after, before);
        CHECK_EQ_INT(sudoers_file_remove(&grant), 0);
        CHECK(!is_there(manager.dirs.sudoers, ".jit-chg1.tmp"));
        (void) close(manager.dirs.sudoers);
        CHECK(umount2(directory, MNT_DETACH) >= 0);
        manager.dirs.sudoers = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        teardown();
}

TEST(visudo_takes_it) {
        char name[] = "/tmp/jit-test-XXXXXX";
        char *const argv[] = {(char *) "visudo", (char *) "-cqf", name, NULL}, *const envp[] = {NULL};
        _cleanup_free_ char *text = NULL;
        char *many[] = {(char *) "ALL", (char *) "/usr/bin/id \"\"", (char *) "/usr/bin/env A\\=1 b\\:c\\,d\\#",
                        (char *) "/usr/bin/systemctl restart postgresql", NULL};
        int fd, status = -1;
        pid_t pid;

        if (access("/usr/sbin/visudo", X_OK) < 0) {
                printf("skip visudo_takes_it (there is no visudo here)\n");
                return;
        }
        for (char **c = many; *c; c++)
                CHECK(sudo_command_is_valid(*c, NULL));
        CHECK_EQ_INT(sudoers_text("jit-chg1", &dba, many, 1795356000000000, &text), 0);
        fd = mkostemp(name, O_CLOEXEC);
        CHECK_EQ_INT(write(fd, text, strlen(text)), strlen(text));
        (void) close(fd);
        (void) chmod(name, 0440);
        CHECK_EQ_INT(posix_spawn(&pid, "/usr/sbin/visudo", NULL, NULL, argv, envp), 0);
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_EQ_INT(status, 0);
        (void) unlink(name);
}

TEST_MAIN
