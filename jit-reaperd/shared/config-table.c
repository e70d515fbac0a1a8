/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "config-parse.h"
#include "timefmt.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)

#define CONFIG(member) offsetof(Config, member)
#define ROLE(member) offsetof(Role, member)

/* jit.conf(5) says the same in words. */

/* clang-format off */
const ConfigKey config_keys[] = {
        {"Host", "Name", config_value_hosts, CONFIG(host_names), 0, 16, NULL,
         "must be at most 16 host names of a-z 0-9 . -", true},
        {"Accounts", "UIDRange", config_value_uid_range, CONFIG(uid_min), 100, 0, "65536-99999",
         "must be MIN-MAX within 65536-524287 or 1879048192-2147352575", false},
        {"Accounts", "ReserveSec", config_value_span, CONFIG(reserve_usec), 10 * USEC_PER_SEC, 10 * USEC_PER_MINUTE,
         "2min", "must be a time span from 10s to 10min", false},
        {"Accounts", "GrantsMax", config_value_unsigned, CONFIG(grants_max), 1, 100000, "1024",
         "must be a number from 1 to 100000", false},
        {"Approval", "TimeoutSec", config_value_span, CONFIG(approval_usec), USEC_PER_SEC, USEC_PER_MINUTE, "10s",
         "must be a time span from 1s to 60s", false},
        {"Approval", "WaitSec", config_value_span, CONFIG(wait_usec), USEC_PER_SEC, 100 * USEC_PER_SEC, "0",
         "must be a time span from 1s to 100s, or 0 for no waiting", false},
        {"Sessions", "WarnSec", config_value_warnings, CONFIG(warn_usec), USEC_PER_SEC, USEC_PER_DAY, "5min 1min",
         "must be 0, or at most 8 time spans from 1s to 1d", false},
        {"Sessions", "Contact", config_value_text, CONFIG(emergency_contact), 1, 160, NULL,
         "must be a line of at most 160 bytes", false},
        {"Sessions", "UserCAFile", config_value_path, CONFIG(user_ca_file), 0, 1024, NULL,
         "must be the absolute path of a file", false},
        {},
};

const ConfigKey role_keys[] = {
        {"Role", "Description", config_value_text, ROLE(description), 1, 120, NULL,
         "must be a line of at most 120 bytes", false},
        {"Role", "Groups", config_value_groups, ROLE(groups), 0, 32, NULL,
         "must be at most 32 group names: a letter or _, then letters, digits, _ . -, 31 characters at most", true},
        {"Role", "Command", config_value_command, ROLE(commands), 0, 64, NULL,
         "must be one command as sudoers(5) has it", true},
        {"Role", "RunAs", config_value_run_as, ROLE(run_as), 0, 0, "root",
         "must be USER, USER:GROUP or ALL, names in small letters", false},
        {"Role", "Shell", config_value_path, ROLE(shell), 0, 255, "/bin/bash",
         "must be the absolute path of a program", false},
        {"Role", "TTLSec", config_value_span, ROLE(ttl_usec), USEC_PER_MINUTE, 7 * USEC_PER_DAY, "1h",
         "must be a time span from 1min to 7d", false},
        {"Role", "IdleSec", config_value_span, ROLE(idle_usec), 10 * USEC_PER_SEC, 7 * USEC_PER_DAY, "0",
         "must be a time span from 10s to 7d, or 0 for no limit", false},
        {"Role", "Approvers", config_value_unsigned, ROLE(approvers), 1, 8, "1",
         "must be a number from 1 to 8", false},
        {"Role", "HomeSizeMax", config_value_size, ROLE(home_size_max), MIB, 16 * GIB, "64M",
         "must be a size from 1M to 16G (with K, M or G)", false},
        {"Role", "HomeInodesMax", config_value_uint64, ROLE(home_inodes_max), 64, 1048576, "16384",
         "must be a number from 64 to 1048576", false},
        {"Role", "MemoryMax", config_value_size, ROLE(memory_max), 16 * MIB, 65536 * GIB, "0",
         "must be a size from 16M to 65536G (with K, M or G), or 0 for no limit", false},
        {"Role", "TasksMax", config_value_uint64, ROLE(tasks_max), 16, 4194304, "4096",
         "must be a number from 16 to 4194304", false},
        {"Role", "Reactivate", config_value_bool, ROLE(reactivate), 0, 0, "no",
         "must be yes or no", false},
        {"Role", "Ways", config_value_ways, ROLE(ways), 0, 0, "account elevate",
         "must be one or more of account, elevate and gate", false},
        {"Role", "Record", config_value_record, ROLE(record), 0, 0, "no",
         "must be no, sudo or tlog", false},
        {"Role", "Workloads", config_value_bool, ROLE(workloads), 0, 0, "no",
         "must be yes or no", false},
        {"Role", "EndWithCaller", config_value_bool, ROLE(end_with_caller), 0, 0, "yes",
         "must be yes or no", false},
        {"Role", "NoExec", config_value_bool, ROLE(no_exec), 0, 0, "no",
         "must be yes or no", false},
        {"Role", "SetEnv", config_value_bool, ROLE(set_env), 0, 0, "no",
         "must be yes or no", false},
        {"Role", "EnvKeep", config_value_env_keep, ROLE(env_keep), 0, 32, NULL,
         "must be at most 32 names of variables", true},
        {},
};
/* clang-format on */

enum { CONFIG_KEYS_MAX = 32 }; /* of one table: a bit each in ConfigTable.seen */
_Static_assert(ELEMENTSOF(config_keys) <= CONFIG_KEYS_MAX && ELEMENTSOF(role_keys) <= CONFIG_KEYS_MAX,
               "ConfigTable.seen is too narrow");

/* What a member holds follows from its parser. */
static void key_clear(const ConfigKey *key, void *target) {
        void *member = (char *) target + key->offset;

        if (key->list) {
                char ***v = member;
                *v = strv_free(*v);
        } else if (key->parse == config_value_text || key->parse == config_value_path ||
                   key->parse == config_value_run_as) {
                char **s = member;
                free(take_ptr(*s));
        } else if (key->parse == config_value_warnings) {
                uint64_t **spans = member;
                free(take_ptr(*spans));
        }
}

static int key_set_fallback(const ConfigKey *key, void *target) {
        const char *why = NULL;

        if (!key->fallback) {
                key_clear(key, target);
                return 0;
        }
        return key->parse(key, key->fallback, target, &why);
}

int config_table_defaults(const ConfigKey *table, void *target) {
        for (const ConfigKey *key = table; key->name; key++) {
                int r = key_set_fallback(key, target);
                if (r < 0)
                        return r;
        }
        return 0;
}

void config_table_clear(const ConfigKey *table, void *target) {
        for (const ConfigKey *key = table; key->name; key++)
                key_clear(key, target);
}

static int table_find(const ConfigKey *table, const char *section, const char *name, const ConfigKey **ret,
                      char *ret_why) {
        bool section_is_known = false;

        for (const ConfigKey *key = table; key->name; key++)
                if (streq(key->section, section)) {
                        section_is_known = true;
                        if (streq(key->name, name)) {
                                *ret = key;
                                return 0;
                        }
                }

        if (!*section)
                (void) snprintf(ret_why, CONFIG_WHY_MAX, "%s=: stands before the first [Section]", name);
        else if (section_is_known)
                (void) snprintf(ret_why, CONFIG_WHY_MAX, "%s=: unknown key in section [%s]", name, section);
        else
                (void) snprintf(ret_why, CONFIG_WHY_MAX, "%s=: unknown section [%s]", name, section);
        return -EBADMSG;
}

int config_table_assign(void *table, const char *section, const char *name, const char *value, char *ret_why) {
        ConfigTable *f = table;
        const ConfigKey *key = NULL;
        const char *why = NULL;

        int r = table_find(f->keys, section, name, &key, ret_why);
        if (r < 0)
                return r;

        uint32_t bit = UINT32_C(1) << (key - f->keys);
        if (!key->list && (f->seen & bit)) {
                (void) snprintf(ret_why, CONFIG_WHY_MAX, "%s=: set twice in one file", name);
                return -EBADMSG;
        }
        f->seen |= bit;

        r = *value ? key->parse(key, value, f->target, &why) : key_set_fallback(key, f->target);
        if (r == 0 || r == -ENOMEM)
                return r;

        if (why)
                (void) snprintf(ret_why, CONFIG_WHY_MAX, "%s=: \"%.160s\" %s", name, value, why);
        else
                (void) snprintf(ret_why, CONFIG_WHY_MAX, "%s=: %s, not \"%.160s\"", name, key->rule, value);
        return -EBADMSG;
}

int config_table_apply(const ConfigKey *table, void *target, const char *path, const char *text, size_t length,
                       char *ret_why) {
        ConfigTable f = {.keys = table, .target = target};

        return config_ini_parse(path, text, length, config_table_assign, &f, ret_why);
}
