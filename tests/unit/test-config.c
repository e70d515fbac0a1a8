/* SPDX-License-Identifier: Apache-2.0 */
#include "test-config.h"

/* Where the files are, and who may have written them. */

TEST(nothing_at_all_means_defaults) {
        tree_begin();
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c) {
                CHECK_EQ_INT(c->uid_min, 65536);
                CHECK_EQ_INT(c->uid_max, 99999);
                CHECK_EQ_INT(c->reserve_usec, 2 * USEC_PER_MINUTE);
                CHECK_EQ_INT(c->grants_max, 1024);
                CHECK_EQ_INT(c->approval_usec, 10 * USEC_PER_SEC);
                CHECK_EQ_INT(c->wait_usec, 0);
                CHECK_EQ_INT(c->warn_usec[0], 5 * USEC_PER_MINUTE);
                CHECK_EQ_INT(c->warn_usec[1], USEC_PER_MINUTE);
                CHECK_EQ_INT(c->warn_usec[2], 0);
                CHECK(c->emergency_contact == NULL && c->user_ca_file == NULL && c->roles == NULL);
                CHECK(config_role(c, "dba") == NULL);
        }
        tree_end();
}

TEST(an_empty_role_file_is_a_role_without_rights) {
        tree_begin();
        put("/etc/jit/roles.d/nothing.conf", "");
        JIT_CLEANUP(config_freep) Config *c = load();
        const Role *role = c ? config_role(c, "nothing") : NULL;
        CHECK(role != NULL);
        if (role) {
                CHECK(role->groups == NULL && role->commands == NULL && role->description == NULL);
                CHECK_STREQ(role->run_as, "root");
                CHECK_STREQ(role->shell, "/bin/bash");
                CHECK_EQ_INT(role->ttl_usec, USEC_PER_HOUR);
                CHECK_EQ_INT(role->idle_usec, 0);
                CHECK_EQ_INT(role->approvers, 1);
                CHECK_EQ_INT(role->home_size_max, 64 << 20);
                CHECK_EQ_INT(role->home_inodes_max, 16384);
                CHECK_EQ_INT(role->memory_max, 0);
                CHECK_EQ_INT(role->tasks_max, 4096);
                CHECK(!role->reactivate);
        }
        tree_end();
}

TEST(every_key) {
        tree_begin();
        put("/etc/jit/jit.conf", "# all of it\n"
                                 "[Host]\nName=DB1 db1.example.org\nName = db-alias\n\n"
                                 "[Accounts]\nUIDRange=1879048192-1879148191\nReserveSec=30s\nGrantsMax=7\n"
                                 "[Approval]\nTimeoutSec=5\nWaitSec=50\n"
                                 "[Sessions]\nWarnSec=1h30min 10min 30s\nContact=call +49 30 1234; day and night\n"
                                 "UserCAFile=/etc/ssh/user-ca.pub\n");
        put("/etc/jit/roles.d/dba.conf", "; databases\n[Role]\nDescription=Datenbank-Betrieb f\xc3\xbcr alle\n"
                                         "Groups=adm systemd-journal\nGroups=adm Domain.Admins\n"
                                         "Command=/usr/bin/systemctl restart postgresql\n"
                                         "Command=/usr/bin/psql\nRunAs=postgres:postgres\nShell=/bin/sh\nTTLSec=30min\n"
                                         "IdleSec=5min\nApprovers=2\nHomeSizeMax=1G\nHomeInodesMax=64\nMemoryMax=512M\n"
                                         "TasksMax=100\nReactivate=yes");
        JIT_CLEANUP(config_freep) Config *c = load();
        const Role *role = c ? config_role(c, "dba") : NULL;
        CHECK(role != NULL);
        if (role) {
                CHECK_EQ_INT(strv_length(c->host_names), 3);
                CHECK_STREQ(c->host_names[0], "db1");
                CHECK_STREQ(c->host_names[2], "db-alias");
                CHECK_EQ_INT(c->uid_min, 1879048192);
                CHECK_EQ_INT(c->uid_max, 1879148191);
                CHECK_EQ_INT(c->reserve_usec, 30 * USEC_PER_SEC);
                CHECK_EQ_INT(c->grants_max, 7);
                CHECK_EQ_INT(c->approval_usec, 5 * USEC_PER_SEC);
                CHECK_EQ_INT(c->wait_usec, 50 * USEC_PER_SEC);
                CHECK_EQ_INT(c->warn_usec[0], 90 * USEC_PER_MINUTE);
                CHECK_EQ_INT(c->warn_usec[3], 0);
                CHECK_STREQ(c->emergency_contact, "call +49 30 1234; day and night");
                CHECK_STREQ(c->user_ca_file, "/etc/ssh/user-ca.pub");
                CHECK_STREQ(role->description, "Datenbank-Betrieb f\xc3\xbcr alle");
                CHECK_EQ_INT(strv_length(role->groups), 3);
                CHECK_STREQ(role->groups[2], "Domain.Admins");
                CHECK_EQ_INT(strv_length(role->commands), 2);
                CHECK_STREQ(role->commands[1], "/usr/bin/psql");
                CHECK_STREQ(role->run_as, "postgres:postgres");
                CHECK_STREQ(role->shell, "/bin/sh");
                CHECK_EQ_INT(role->ttl_usec, 30 * USEC_PER_MINUTE);
                CHECK_EQ_INT(role->idle_usec, 5 * USEC_PER_MINUTE);
                CHECK_EQ_INT(role->approvers, 2);
                CHECK_EQ_INT(role->home_size_max, 1 << 30);
                CHECK_EQ_INT(role->home_inodes_max, 64);
                CHECK_EQ_INT(role->memory_max, 512 << 20);
                CHECK_EQ_INT(role->tasks_max, 100);
                CHECK(role->reactivate);
        }
        tree_end();
}

TEST(etc_hides_vendor_and_dropins_merge_by_name) {
        tree_begin();
        put("/usr/lib/jit/jit.conf", "[Accounts]\nGrantsMax=1\nReserveSec=10s\n");
        put("/etc/jit/jit.conf", "[Accounts]\nGrantsMax=2\n");
        put("/usr/lib/jit/jit.conf.d/10-a.conf", "[Accounts]\nGrantsMax=3\n[Host]\nName=vendor\n");
        put("/etc/jit/jit.conf.d/20-b.conf", "[Accounts]\nGrantsMax=4\n[Host]\nName=etc\n");
        put("/usr/lib/jit/jit.conf.d/20-b.conf", "[Nonsense]\nhidden=by the one in /etc\n");
        put("/usr/lib/jit/jit.conf.d/30-c.conf", "[Accounts]\nGrantsMax=5\n");
        put("/etc/jit/jit.conf.d/.hidden.conf", "rubbish");
        put("/etc/jit/jit.conf.d/40-d.conf~", "rubbish");
        put("/etc/jit/jit.conf.d/README", "rubbish");
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c) {
                CHECK_EQ_INT(c->grants_max, 5);
                CHECK_EQ_INT(c->reserve_usec, 2 * USEC_PER_MINUTE); /* the vendor's jit.conf does not count at all */
                CHECK_EQ_INT(strv_length(c->host_names), 2);
                CHECK_STREQ(c->host_names[0], "vendor");
                CHECK_STREQ(c->host_names[1], "etc");
        }
        tree_end();
}

TEST(empty_assignments_start_over) {
        tree_begin();
        put("/usr/lib/jit/roles.d/web.conf", "[Role]\nCommand=/usr/bin/a\nGroups=adm\nTTLSec=2h\nDescription=x\n");
        put("/etc/jit/roles.d/web.conf.d/50.conf",
            "[Role]\nCommand=\nCommand=/usr/bin/b\nCommand=/usr/bin/c\nGroups=staff\nTTLSec=\nDescription=\n");
        JIT_CLEANUP(config_freep) Config *c = load();
        const Role *role = c ? config_role(c, "web") : NULL;
        CHECK(role != NULL);
        if (role) {
                CHECK_EQ_INT(strv_length(role->commands), 2);
                CHECK_STREQ(role->commands[0], "/usr/bin/b");
                CHECK_EQ_INT(strv_length(role->groups), 2);
                CHECK_EQ_INT(role->ttl_usec, USEC_PER_HOUR);
                CHECK(role->description == NULL);
        }
        tree_end();
}

TEST(dev_null_masks) {
        tree_begin();
        put("/usr/lib/jit/jit.conf", "[Accounts]\nGrantsMax=1\n");
        put("/usr/lib/jit/roles.d/full-root.conf", "[Role]\nCommand=ALL\n");
        put("/usr/lib/jit/roles.d/full-root.conf.d/x.conf", "[Role]\nTTLSec=5min\n");
        put("/usr/lib/jit/jit.conf.d/x.conf", "[Accounts]\nGrantsMax=3\n");
        tree_make_folders("/etc/jit/roles.d/x");
        tree_make_folders("/etc/jit/jit.conf.d/x");
        CHECK_EQ_INT(symlink("/dev/null", tree_path("/etc/jit/jit.conf")), 0);
        CHECK_EQ_INT(symlink("/dev/null", tree_path("/etc/jit/jit.conf.d/x.conf")), 0);
        CHECK_EQ_INT(symlink("/dev/null", tree_path("/etc/jit/roles.d/full-root.conf")), 0);
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c) {
                CHECK_EQ_INT(c->grants_max, 1024);
                CHECK(config_role(c, "full-root") == NULL);
                CHECK(c->roles == NULL);
        }
        tree_end();
}

TEST(roles_are_sorted_by_name) {
        tree_begin();
        put("/etc/jit/roles.d/b.conf", "");
        put("/usr/lib/jit/roles.d/a-b.conf", "");
        put("/etc/jit/roles.d/a.conf", "");
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c) {
                CHECK_STREQ(c->roles[0]->name, "a");
                CHECK_STREQ(c->roles[1]->name, "a-b");
                CHECK_STREQ(c->roles[2]->name, "b");
                CHECK(c->roles[3] == NULL);
        }
        tree_end();
}

TEST(files_that_others_could_have_written) {
        tree_begin();
        put("/etc/jit/roles.d/dba.conf", "[Role]\n");
        CHECK_EQ_INT(chmod(tree_path("/etc/jit/roles.d/dba.conf"), 0664), 0);
        CHECK_REFUSED("/etc/jit/roles.d/dba.conf: ", "writable by nobody else");
        CHECK_EQ_INT(chmod(tree_path("/etc/jit/roles.d/dba.conf"), 0644), 0);
        CHECK_EQ_INT(chmod(tree_path("/etc/jit/roles.d"), 0777), 0);
        CHECK_REFUSED("/etc/jit/roles.d: ", "writable by nobody else");
        CHECK_EQ_INT(chmod(tree_path("/etc/jit/roles.d"), 0755), 0);
        CHECK_EQ_INT(chmod(tree_path("/etc/jit"), 0775), 0);
        CHECK_REFUSED("/etc/jit: ", "writable by nobody else");
        CHECK_EQ_INT(chmod(tree_path("/etc/jit"), 0755), 0);
        if (geteuid() == 0) {
                CHECK_EQ_INT(chown(tree_path("/etc/jit/roles.d/dba.conf"), 4242, (gid_t) -1), 0);
                CHECK_REFUSED("/etc/jit/roles.d/dba.conf: ", "must belong to root");
        }
        tree_end();
}

TEST(files_that_are_none) {
        tree_begin();
        tree_make_folders("/etc/jit/roles.d/dba.conf/x");
        CHECK_REFUSED("/etc/jit/roles.d/dba.conf: is not a regular file");
        CHECK_EQ_INT(rmdir(tree_path("/etc/jit/roles.d/dba.conf")), 0);
        CHECK_EQ_INT(symlink("/etc/hostname", tree_path("/etc/jit/roles.d/dba.conf")), 0);
        CHECK_REFUSED("/etc/jit/roles.d/dba.conf: is a symbolic link");
        CHECK_EQ_INT(unlink(tree_path("/etc/jit/roles.d/dba.conf")), 0);
        CHECK_EQ_INT(mkfifo(tree_path("/etc/jit/roles.d/dba.conf"), 0644), 0);
        CHECK_REFUSED("/etc/jit/roles.d/dba.conf: is not a regular file");
        CHECK_EQ_INT(unlink(tree_path("/etc/jit/roles.d/dba.conf")), 0);
        put_bytes("/etc/jit/roles.d/dba.conf", "[Role]\n\0", 8);
        CHECK_REFUSED("/etc/jit/roles.d/dba.conf: holds a NUL byte");
        tree_end();
}

TEST(file_size_limit) {
        static char text[CONFIG_FILE_MAX + 1];

        tree_begin();
        memset(text, '\n', sizeof(text));
        put_bytes("/etc/jit/jit.conf", text, CONFIG_FILE_MAX);
        config_free(load());
        put_bytes("/etc/jit/jit.conf", text, sizeof(text));
        CHECK_REFUSED("/etc/jit/jit.conf: is longer than 64 KiB");
        tree_end();
}

TEST(role_count_limit) {
        char name[64];

        tree_begin();
        for (unsigned i = 0; i < 256; i++) {
                (void) snprintf(name, sizeof(name), "/etc/jit/roles.d/r%u.conf", i);
                put(name, "");
        }
        config_free(load());
        put("/usr/lib/jit/roles.d/one-more.conf", "");
        CHECK_REFUSED("roles.d: more than 256 files");
        tree_end();
}

TEST(role_names) {
        tree_begin();
        put("/etc/jit/roles.d/DBA.conf", "");
        CHECK_REFUSED("/etc/jit/roles.d/DBA.conf: a role's name is");
        tree_end();
        tree_begin();
        put("/etc/jit/roles.d/a234567890123456789012345678.conf", "");
        CHECK_REFUSED("a role's name is");
        tree_end();
}

/* A restriction in a folder that is named wrongly must not be lost quietly. */
TEST(dropins_without_a_role) {
        tree_begin();
        put("/etc/jit/roles.d/dba.conf", "");
        put("/etc/jit/roles.d/dbaa.conf.d/x.conf", "[Role]\nTTLSec=1min\n");
        CHECK_REFUSED("roles.d/dbaa.conf.d: ", "no role file dbaa.conf");
        tree_end();
}

static void put_example(const char *name) {
        char source[PATH_MAX], text[CONFIG_FILE_MAX];
        const char *slash = strrchr(__FILE__, '/');

        (void) snprintf(source, sizeof(source), "%.*s/../../examples/%s", slash ? (int) (slash - __FILE__) : 1,
                        slash ? __FILE__ : ".", name);
        FILE *f = fopen(source, "re");
        if (!f) {
                TEST_FAIL("%s: %s", source, strerror(errno));
                return;
        }
        size_t n = fread(text, 1, sizeof(text), f);
        (void) fclose(f);
        (void) snprintf(source, sizeof(source), "/etc/jit/%s", name);
        put_bytes(source, text, n);
}

TEST(examples) {
        tree_begin();
        JIT_CLEANUP(config_freep) Config *defaults = load();
        put_example("jit.conf");
        put_example("roles.d/dba.conf");
        put_example("roles.d/web-operator.conf");
        put_example("roles.d/full-root.conf");
        put_example("roles.d/deploy.conf");
        put_example("roles.d/operator-gate.conf");
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c && defaults) {
                CHECK_EQ_INT(c->grants_max, defaults->grants_max);
                const Role *dba = config_role(c, "dba"), *web = config_role(c, "web-operator"),
                           *root_role = config_role(c, "full-root");
                CHECK(dba && strv_contains(dba->commands, "/usr/bin/systemctl restart postgresql"));
                CHECK(web && web->reactivate);
                CHECK(root_role && root_role->approvers == 2 && strv_contains(root_role->commands, "ALL"));
                const Role *deploy = config_role(c, "deploy"), *gate = config_role(c, "operator-gate");
                CHECK(deploy && deploy->workloads && strv_length(deploy->env_keep) == 2 && strv_length(deploy->commands) == 2);
                CHECK(gate && gate->ways == ROLE_WAY_GATE && !gate->commands);
        }
        tree_end();
}

/* What jit.conf shows commented out is what holds without it. */
TEST(example_shows_the_defaults) {
        char text[CONFIG_FILE_MAX];

        tree_begin();
        put_example("jit.conf");
        FILE *f = fopen(tree_path("/etc/jit/jit.conf"), "re");
        size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
        if (f)
                (void) fclose(f);
        for (size_t i = 0; i + 1 < n; i++)
                if (text[i] == '#' && (i == 0 || text[i - 1] == '\n') && text[i + 1] != ' ')
                        text[i] = '\n';
        CHECK(n > 0 && memmem(text, n, "\nGrantsMax=1024\n", 16) != NULL);
        put_bytes("/etc/jit/jit.conf", text, n);
        JIT_CLEANUP(config_freep) Config *c = load();
        CHECK_EQ_INT(unlink(tree_path("/etc/jit/jit.conf")), 0);
        JIT_CLEANUP(config_freep) Config *d = load();
        if (c && d) {
                CHECK_EQ_INT(c->uid_min, d->uid_min);
                CHECK_EQ_INT(c->uid_max, d->uid_max);
                CHECK_EQ_INT(c->reserve_usec, d->reserve_usec);
                CHECK_EQ_INT(c->grants_max, d->grants_max);
                CHECK_EQ_INT(c->approval_usec, d->approval_usec);
                CHECK_EQ_INT(c->wait_usec, d->wait_usec);
                CHECK(memcmp(c->warn_usec, d->warn_usec, 3 * sizeof(uint64_t)) == 0);
        }
        tree_end();
}

TEST_MAIN
