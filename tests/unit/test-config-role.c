/* SPDX-License-Identifier: Apache-2.0 */
#include "test-config.h"

/* Ways=, Record=, EnvKeep= and what does not go together. */

TEST(defaults) {
        tree_begin();
        put("/etc/jit/roles.d/r.conf", "");
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c) {
                const Role *role = c->roles[0];
                CHECK_EQ_INT(role->ways, ROLE_WAY_ACCOUNT | ROLE_WAY_ELEVATE);
                CHECK_EQ_INT(role->record, ROLE_RECORD_NONE);
                CHECK(!role->workloads && role->end_with_caller && !role->no_exec && !role->set_env && !role->env_keep);
        }
        tree_end();
}

TEST(every_key) {
        tree_begin();
        put("/etc/jit/roles.d/r.conf", "[Role]\nWays=elevate\nRecord=sudo\nWorkloads=yes\nEndWithCaller=no\nNoExec=yes\n"
                                       "SetEnv=yes\nEnvKeep=A_1 _b\nEnvKeep=LANG A_1\n");
        put("/etc/jit/roles.d/g.conf", "[Role]\nWays=gate \t account\n");
        put("/etc/jit/roles.d/t.conf", "[Role]\nWays=account\nRecord=tlog\n");
        JIT_CLEANUP(config_freep) Config *c = load();
        const Role *role = c ? config_role(c, "r") : NULL;
        CHECK(role != NULL);
        if (role) {
                CHECK_EQ_INT(role->ways, ROLE_WAY_ELEVATE);
                CHECK_EQ_INT(role->record, ROLE_RECORD_SUDO);
                CHECK(role->workloads && !role->end_with_caller && role->no_exec && role->set_env);
                CHECK_EQ_INT(strv_length(role->env_keep), 3);
                CHECK_STREQ(role->env_keep[1], "_b");
                CHECK_EQ_INT(config_role(c, "g")->ways, ROLE_WAY_ACCOUNT | ROLE_WAY_GATE);
                CHECK_EQ_INT(config_role(c, "t")->record, ROLE_RECORD_TLOG);
        }
        tree_end();
}

/* Ways= is no list: a drop-in that names one way means that one. */
TEST(a_drop_in_replaces_ways_and_adds_variables) {
        tree_begin();
        put("/etc/jit/roles.d/r.conf", "[Role]\nWays=account elevate gate\nEnvKeep=A\n");
        put("/etc/jit/roles.d/r.conf.d/1.conf", "[Role]\nWays=gate\nEnvKeep=B\n");
        put("/etc/jit/roles.d/r.conf.d/2.conf", "[Role]\nNoExec=yes\n");
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c) {
                CHECK_EQ_INT(c->roles[0]->ways, ROLE_WAY_GATE);
                CHECK_EQ_INT(strv_length(c->roles[0]->env_keep), 2);
        }
        tree_end();
}

TEST(value_faults) {
        static const Fault faults[] = {
                        {"[Role]\nWays=ssh\n", ":2: Ways=: must be one or more of account, elevate and gate, not \"ssh\""},
                        {"[Role]\nWays=account,gate\n", ":2: Ways=: must be one or more"},
                        {"[Role]\nWays=Account\n", ":2: Ways=: must be one or more"},
                        {"[Role]\nWays=gat\n", ":2: Ways=: must be one or more"},
                        {"[Role]\nWays=gates\n", ":2: Ways=: must be one or more"},
                        {"[Role]\nWays=account no\n", ":2: Ways=: must be one or more"},
                        {"[Role]\nWays=gate\nWays=account\n", ":3: Ways=: set twice"},
                        {"[Role]\nRecord=yes\n", ":2: Record=: must be no, sudo or tlog, not \"yes\""},
                        {"[Role]\nRecord=sudo tlog\n", ":2: Record=: must be no, sudo or tlog"},
                        {"[Role]\nWorkloads=maybe\n", ":2: Workloads=: must be yes or no"},
                        {"[Role]\nEndWithCaller=2\n", ":2: EndWithCaller=: must be yes or no"},
                        {"[Role]\nNoExec=x\n", ":2: NoExec=: must be yes or no"},
                        {"[Role]\nSetEnv=x\n", ":2: SetEnv=: must be yes or no"},
                        {"[Role]\nEnvKeep=1A\n", ":2: EnvKeep=: \"1A\" must be names of variables"},
                        {"[Role]\nEnvKeep=A=b\n", ":2: EnvKeep=: \"A=b\" must be names"},
                        {"[Role]\nEnvKeep=A*\n", ":2: EnvKeep=: \"A*\" must be names"},
                        {"[Role]\nEnvKeep=A,B\n", ":2: EnvKeep=: \"A,B\" must be names"},
                        {"[Role]\nEnvKeep=\"A\"\n", ":2: EnvKeep=: "},
                        {"[Role]\nEnvKeep=\xc3\xa4\n", ":2: EnvKeep=: "},
                        {"[Role]\nEnvKeep=LANG LD_PRELOAD\n", "LD_*, PATH"},
                        {"[Role]\nEnvKeep=LD_\n", "LD_*, PATH"},
                        {"[Role]\nEnvKeep=PATH\n", "LD_*, PATH"},
                        {"[Role]\nEnvKeep=BASH_ENV\n", "LD_*, PATH"},
                        {"[Role]\nEnvKeep=PERL5OPT\n", "LD_*, PATH"},
                        {"[Role]\nEnvKeep=A23456789012345678901234567890123456789012345678901234567890123456789\n", ":2: EnvKeep=: "},
                        {"[Role]\nEnvKeep=a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F\nEnvKeep=G\n",
                         ":3: EnvKeep=: must be at most 32 names"},
        };

        check_faults("/etc/jit/roles.d/r.conf", faults, sizeof(faults) / sizeof(faults[0]));
}

/* Seen when all of a role's files are read. */
TEST(what_does_not_go_together) {
        static const Fault faults[] = {
                        {"[Role]\nWays=gate\nRecord=sudo\n", ": Record=: cannot be had with gate in Ways=: through the gate it is the host's own"},
                        {"[Role]\nRecord=sudo\nWays=account elevate gate\n", ": Record=: cannot be had with gate"},
                        {"[Role]\nWays=account gate\nRecord=tlog\n", ": Record=: cannot be had with gate"},
                        {"[Role]\nWays=elevate\nRecord=tlog\n", ": Record=: tlog is the login shell"},
        };

        check_faults("/etc/jit/roles.d/r.conf", faults, sizeof(faults) / sizeof(faults[0]));

        tree_begin();
        put("/etc/jit/roles.d/r.conf", "[Role]\nRecord=sudo\n");
        put("/etc/jit/roles.d/r.conf.d/1.conf", "[Role]\nWays=gate\n");
        CHECK_REFUSED("/etc/jit/roles.d/r.conf", "Record=");
        put("/etc/jit/roles.d/r.conf.d/2.conf", "[Role]\nRecord=no\n");
        config_free(load());
        tree_end();
}

TEST_MAIN
