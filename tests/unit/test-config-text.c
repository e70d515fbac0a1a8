/* SPDX-License-Identifier: Apache-2.0 */
#include "test-config.h"

/* What the files say: lines, and values. A fault names file, line, key and rule. */

TEST(faults_name_the_place) {
        tree_begin();
        put("/etc/jit/roles.d/dba.conf", "# one\n\n[Role]\n  # four\nGroups=adm\n\nTTLSec=9d\n");
        CHECK_REFUSED("/etc/jit/roles.d/dba.conf:7: TTLSec=: must be a time span from 1min to 7d, not \"9d\"");
        put("/etc/jit/roles.d/dba.conf", "");
        put("/etc/jit/roles.d/dba.conf.d/x.conf", "[Role]\nApprovers=0\n");
        CHECK_REFUSED("/etc/jit/roles.d/dba.conf.d/x.conf:2: Approvers=: must be a number from 1 to 8, not \"0\"");
        tree_end();
}

TEST(the_first_fault_counts) {
        tree_begin();
        put("/etc/jit/jit.conf", "[Accounts]\nGrantsMax=x\nGrantsMax=y\nrubbish\n");
        CHECK_REFUSED("/etc/jit/jit.conf:2: GrantsMax=");
        tree_end();
}

TEST(line_faults) {
        static const Fault faults[] = {
                        {"[Accounts]\nGrantsMax=1 ; two\n", ":2: has a ';' behind a blank"},
                        {"[Accounts]\nGrantsMax=1\t;two\n", ":2: has a ';' behind a blank"},
                        {"[Accounts]\nGrantsMax= ;\n", ":2: has a ';' behind a blank"},
                        {"[Accounts] ; x\n", ":1: has a ';' behind a blank"},
                        {"[Sessions]\nContact=a\n  b\n", ":3: starts with a blank"},
                        {"[Sessions]\nContact=a\n\tb\n", ":3: starts with a blank"},
                        {" [Sessions]\n", ":1: starts with a blank"},
                        {"[Sessions]\nContact=a\\\nb\n", ":2: ends with a backslash"},
                        {"[Sessions]\nContact=a\\ \t\nb\n", ":2: ends with a backslash"},
                        {"[Accounts]GrantsMax=1\n", ":1: must be [Section] and nothing else"},
                        {"[Accounts\n", ":1: must be [Section] and nothing else"},
                        {"[Accounts]]\n", ":1: must be [Section] and nothing else"},
                        {"[Accounts]\nGrantsMax\n", ":2: must be [Section] or Key=value"},
                        {"[Accounts]\n=1\n", ":2: must be [Section] or Key=value"},
                        {"[Accounts]\nGrantsMax:1\n", ":2: must be [Section] or Key=value"},
                        {"[Accounts]\nGrants:Max=1\n", ":2: must be [Section] or Key=value"},
                        {"[Accounts]\nGrants Max=1\n", ":2: must be [Section] or Key=value"},
                        {"[Accounts]\nGr\xc3\xa4nts=1\n", ":2: must be [Section] or Key=value"},
                        {"[Accounts]\r\nGrantsMax=1\r\n", ":1: a carriage return"},
                        {"\xef\xbb\xbf[Accounts]\n", ":1: a byte order mark"},
                        {"# \x1b[31mred\n", ":1: a control character"},
                        {"#\n# \x7f\n", ":2: a control character"},
                        {"# \xc2\x9b"
                         "31m\n",
                         ":1: a control character"},
                        {"# \xff\n", ":1: not UTF-8"},
                        {"# \xc0\xaf\n", ":1: not UTF-8"},
                        {"# \xe0\x80\xaf\n", ":1: not UTF-8"},
                        {"# \xed\xa0\x80\n", ":1: not UTF-8"},
                        {"# \xf4\x90\x80\x80\n", ":1: not UTF-8"},
                        {"# \xf5\x80\x80\x80\n", ":1: not UTF-8"},
                        {"# \x80\n", ":1: not UTF-8"},
                        {"# \xe2\x82", ":1: not UTF-8"},
                        {"GrantsMax=1\n", ":1: GrantsMax=: stands before the first [Section]"},
                        {"[Nonsense]\nGrantsMax=1\n", ":2: GrantsMax=: unknown section [Nonsense]"},
                        {"[accounts]\nGrantsMax=1\n", ":2: GrantsMax=: unknown section [accounts]"},
                        {"[Accounts ]\nGrantsMax=1\n", ":2: GrantsMax=: unknown section [Accounts ]"},
                        {"[Accounts]\ngrantsmax=1\n", ":2: grantsmax=: unknown key in section [Accounts]"},
                        {"[Accounts]\nWarnSec=1\n", ":2: WarnSec=: unknown key in section [Accounts]"},
                        {"[Accounts]\nGrantsMax=1\n[Host]\n[Accounts]\nGrantsMax=1\n",
                         ":5: GrantsMax=: set twice in one file"},
                        {"[Accounts]\nGrantsMax=\nGrantsMax=2\n", ":3: GrantsMax=: set twice in one file"},
        };

        check_faults("/etc/jit/jit.conf", faults, sizeof(faults) / sizeof(faults[0]));
}

/* libinih splits what is longer than its buffer, and the rest of a comment would become an assignment. */
TEST(long_lines) {
        char text[512], value[256];

        for (size_t n = 150; n <= 250; n++) {
                memset(value, 'x', sizeof(value));
                value[n - strlen("Contact=")] = '\0';
                (void) snprintf(text, sizeof(text), "[Sessions]\nContact=%s\n", value);
                tree_begin();
                put("/etc/jit/jit.conf", text);
                if (n <= 168)
                        config_free(load());
                else
                        CHECK_REFUSED("/etc/jit/jit.conf:2: ",
                                      n <= CONFIG_LINE_MAX ? "at most 160 bytes" : "longer than 198 bytes");
                tree_end();
        }

        /* 198 bytes arrive whole. */
        char command[300];
        memset(value, 'y', sizeof(value));
        value[CONFIG_LINE_MAX - strlen("Command=/bin/")] = '\0';
        (void) snprintf(command, sizeof(command), "/bin/%s", value);
        (void) snprintf(text, sizeof(text), "[Role]\nCommand=%s\n", command);
        tree_begin();
        put("/etc/jit/roles.d/r.conf", text);
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c)
                CHECK_STREQ(c->roles[0]->commands[0], command);
        tree_end();
}

TEST(comments_of_any_length) {
        char filler[1001], text[4096];

        memset(filler, 'x', sizeof(filler) - 1);
        filler[sizeof(filler) - 1] = '\0';
        (void) snprintf(text, sizeof(text), "#%.197s\n[Accounts]\n#%.198sGrantsMax=6\n   ;%s\n\t\n   \nGrantsMax=5",
                        filler, filler, filler);
        tree_begin();
        put("/etc/jit/jit.conf", text);
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c)
                CHECK_EQ_INT(c->grants_max, 5);
        tree_end();
}

TEST(value_faults) {
        static const Fault faults[] = {
                        {"[Host]\nName=db_1\n", "Name=: must be"},
                        {"[Host]\nName=db*\n", "Name=: must be"},
                        {"[Host]\nName=a b c d e f g h i j k l m n o p q\n", "Name=: must be at most 16"},
                        {"[Accounts]\nGrantsMax=-1\n", "GrantsMax="},
                        {"[Accounts]\nGrantsMax=+1\n", "GrantsMax="},
                        {"[Accounts]\nGrantsMax=0\n", "GrantsMax="},
                        {"[Accounts]\nGrantsMax=010\n", "GrantsMax="},
                        {"[Accounts]\nGrantsMax=0x10\n", "GrantsMax="},
                        {"[Accounts]\nGrantsMax=1 2\n", "GrantsMax="},
                        {"[Accounts]\nGrantsMax=100001\n", "GrantsMax="},
                        {"[Accounts]\nGrantsMax=4294967297\n", "GrantsMax="},
                        {"[Accounts]\nGrantsMax=18446744073709551617\n", "GrantsMax="},
                        {"[Accounts]\nUIDRange=65536\n", "UIDRange=: must be MIN-MAX"},
                        {"[Accounts]\nUIDRange=65536-\n", "UIDRange=: must be MIN-MAX"},
                        {"[Accounts]\nUIDRange=-99999\n", "UIDRange=: must be MIN-MAX"},
                        {"[Accounts]\nUIDRange=65536 - 99999\n", "UIDRange=: must be MIN-MAX"},
                        {"[Accounts]\nUIDRange=65536-99999x\n", "UIDRange=: must be MIN-MAX"},
                        {"[Accounts]\nUIDRange=0-99999\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=1000-60000\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=65535-99999\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=65536-524288\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=524288-600000\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=1879048191-1879148191\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=2147352500-2147352576\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=65536-1879048192\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=4295032832-4295042832\n", "UIDRange=: must be MIN-MAX within"},
                        {"[Accounts]\nUIDRange=99999-65536\n", "at least 100 wide"},
                        {"[Accounts]\nUIDRange=65536-65634\n", "at least 100 wide"},
                        {"[Accounts]\nReserveSec=9s\n", "ReserveSec=: must be a time span"},
                        {"[Accounts]\nReserveSec=11min\n", "ReserveSec=: must be a time span"},
                        {"[Accounts]\nReserveSec=0\n", "ReserveSec=: must be a time span"},
                        {"[Accounts]\nReserveSec=soon\n", "ReserveSec=: must be a time span"},
                        {"[Approval]\nTimeoutSec=999ms\n", "TimeoutSec="},
                        {"[Approval]\nTimeoutSec=61\n", "TimeoutSec="},
                        {"[Approval]\nWaitSec=999ms\n", "WaitSec="},
                        {"[Approval]\nWaitSec=101s\n", "WaitSec="},
                        {"[Approval]\nWaitSec=yes\n", "WaitSec="},
                        {"[Sessions]\nWarnSec=1min 5min\n", "from the longest to the shortest"},
                        {"[Sessions]\nWarnSec=5min 5min\n", "from the longest to the shortest"},
                        {"[Sessions]\nWarnSec=5 min\n", "WarnSec=: must be"},
                        {"[Sessions]\nWarnSec=5min 0\n", "WarnSec=: must be"},
                        {"[Sessions]\nWarnSec=0 5min\n", "WarnSec=: must be"},
                        {"[Sessions]\nWarnSec=2d\n", "WarnSec=: must be"},
                        {"[Sessions]\nWarnSec=9s 8s 7s 6s 5s 4s 3s 2s 1s\n", "WarnSec=: must be"},
                        {"[Sessions]\nUserCAFile=ca.pub\n", "UserCAFile=: must be the absolute path"},
                        {"[Sessions]\nUserCAFile=/\n", "UserCAFile="},
                        {"[Sessions]\nUserCAFile=/a/../b\n", "'.' or '..'"},
                        {"[Sessions]\nUserCAFile=/a/..\n", "'.' or '..'"},
                        {"[Sessions]\nUserCAFile=/./a\n", "'.' or '..'"},
                        {"[Sessions]\nUserCAFile=//a\n", "empty part"},
                        {"[Sessions]\nUserCAFile=/a b\n", "has a character other than"},
                        {"[Sessions]\nUserCAFile=/a:b\n", "has a character other than"},
        };

        check_faults("/etc/jit/jit.conf", faults, sizeof(faults) / sizeof(faults[0]));
}

TEST(role_value_faults) {
        static const Fault faults[] = {
                        {"[Host]\nName=x\n", "unknown section [Host]"},
                        {"[Role]\nGroups=adm,sudo\n", "Groups=: must be"},
                        {"[Role]\nGroups=%wheel\n", "Groups=: must be"},
                        {"[Role]\nGroups=1000\n", "Groups=: must be"},
                        {"[Role]\nGroups=-adm\n", "Groups=: must be"},
                        {"[Role]\nGroups=adm a:b\n", "Groups=: must be"},
                        {"[Role]\nGroups=abcdefghijklmnopqrstuvwxyz0123456\n", "Groups=: must be"},
                        {"[Role]\nRunAs=DBA\n", "RunAs=: must be"}, /* an alias */
                        {"[Role]\nRunAs=all\n[Role]\nRunAs=ALL\n", "set twice"},
                        {"[Role]\nRunAs=root,postgres\n", "RunAs=: must be"},
                        {"[Role]\nRunAs=root:\n", "RunAs=: must be"},
                        {"[Role]\nRunAs=:adm\n", "RunAs=: must be"},
                        {"[Role]\nRunAs=root:adm:x\n", "RunAs=: must be"},
                        {"[Role]\nRunAs=root) NOPASSWD: ALL\n", "RunAs=: must be"},
                        {"[Role]\nRunAs=!root\n", "RunAs=: must be"},
                        {"[Role]\nRunAs=#0\n", "RunAs=: must be"},
                        {"[Role]\nRunAs=%wheel\n", "RunAs=: must be"},
                        {"[Role]\nRunAs=root:ALL\n", "RunAs=: must be"},
                        {"[Role]\nShell=bash\n", "Shell=: must be"},
                        {"[Role]\nShell=/bin/bash -l\n", "has a character other than"},
                        {"[Role]\nShell=/bin/bash:x\n", "has a character other than"},
                        {"[Role]\nTTLSec=59s\n", "TTLSec=: must be"},
                        {"[Role]\nTTLSec=0\n", "TTLSec=: must be"},
                        {"[Role]\nTTLSec=604801\n", "TTLSec=: must be"},
                        {"[Role]\nTTLSec=infinity\n", "TTLSec=: must be"},
                        {"[Role]\nIdleSec=9s\n", "IdleSec=: must be"},
                        {"[Role]\nIdleSec=8d\n", "IdleSec=: must be"},
                        {"[Role]\nApprovers=9\n", "Approvers=: must be"},
                        {"[Role]\nHomeSizeMax=1048575\n", "HomeSizeMax=: must be"},
                        {"[Role]\nHomeSizeMax=0\n", "HomeSizeMax=: must be"},
                        {"[Role]\nHomeSizeMax=17G\n", "HomeSizeMax=: must be"},
                        {"[Role]\nHomeSizeMax=1T\n", "HomeSizeMax=: must be"},
                        {"[Role]\nHomeSizeMax=64m\n", "HomeSizeMax=: must be"},
                        {"[Role]\nHomeSizeMax=64MB\n", "HomeSizeMax=: must be"},
                        {"[Role]\nHomeSizeMax=64 M\n", "HomeSizeMax=: must be"},
                        {"[Role]\nHomeSizeMax=17179869184G\n", "HomeSizeMax=: must be"}, /* 2^64 */
                        {"[Role]\nHomeInodesMax=63\n", "HomeInodesMax=: must be"},
                        {"[Role]\nMemoryMax=64\n", "MemoryMax=: must be"},
                        {"[Role]\nTasksMax=15\n", "TasksMax=: must be"},
                        {"[Role]\nReactivate=maybe\n", "Reactivate=: must be yes or no"},
                        {"[Role]\nReactivate=2\n", "Reactivate=: must be yes or no"},
                        {"[Role]\nCommand=/bin/ls, /bin/sh\n", ":2: Command=: \"/bin/ls, /bin/sh\" has one of"},
        };

        check_faults("/etc/jit/roles.d/dba.conf", faults, sizeof(faults) / sizeof(faults[0]));
}

TEST(limits_at_their_edges) {
        tree_begin();
        put("/etc/jit/jit.conf", "[Accounts]\nUIDRange=2147352476-2147352575\nGrantsMax=100000\nReserveSec=10min\n"
                                 "[Sessions]\nWarnSec=0\n");
        put("/etc/jit/roles.d/r.conf", "[Role]\nTTLSec=7d\nIdleSec=10s\nApprovers=8\nHomeSizeMax=16G\nMemoryMax=16M\n"
                                       "RunAs=ALL:ALL\nReactivate=FALSE\n");
        JIT_CLEANUP(config_freep) Config *c = load();
        if (c) {
                CHECK_EQ_INT(c->uid_max, 2147352575);
                CHECK_EQ_INT(c->warn_usec[0], 0);
                CHECK_EQ_INT(c->roles[0]->home_size_max, INT64_C(16) << 30);
                CHECK_STREQ(c->roles[0]->run_as, "ALL:ALL");
        }
        tree_end();
}

TEST_MAIN
