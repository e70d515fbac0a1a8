/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_CONFIG_PARSE_H
#define JIT_CONFIG_PARSE_H

/* Inside config*.c, and for its tests: lines (config-ini.c), values (config-value.c, config-role.c, config-command.c,
 * config-pattern.c), the tables (config-table.c). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum {
        CONFIG_LINE_MAX = 198, /* bytes without newline: libinih's buffer of 200 less newline and NUL */
        CONFIG_FILE_MAX = 64 * 1024,
};

/* One Key=value. Returns 0, -EBADMSG with a sentence in ret_why (CONFIG_WHY_MAX bytes), or -ENOMEM. */
typedef int (*config_assign_t)(void *userdata, const char *section, const char *key, const char *value, char *ret_why);

/* Calls assign for each assignment of a whole file's text and stops at the first fault. path is for ret_why alone,
 * which gets "PATH:LINE: sentence". 0, -EBADMSG, -ENOMEM. */
int config_ini_parse(const char *path, const char *text, size_t length, config_assign_t assign, void *userdata,
                     char *ret_why);

typedef struct ConfigKey ConfigKey;
/* Puts value into target. A list's parser appends. -EINVAL or -ERANGE, then *ret_why may get a sentence (static) that
 * says more than the key's rule; -ENOMEM. On failure target is as before. */
typedef int (*config_parse_t)(const ConfigKey *key, const char *value, void *target, const char **ret_why);

struct ConfigKey {
        const char *section, *name;
        config_parse_t parse;
        size_t offset;        /* of the member in Config, Role or ProviderFile */
        uint64_t min, max;    /* of the number, of each number, or of the length in bytes, as parse has it */
        const char *fallback; /* what counts when nothing or the empty string is assigned, as text; NULL: none */
        const char *rule;     /* "must be ..." */
        bool list;            /* assignments add up; the empty one starts over */
};

int config_value_bool(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_unsigned(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_uint64(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_size(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_span(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_text(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_path(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_run_as(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_groups(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_hosts(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_command(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_ways(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_record(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_env_keep(const ConfigKey *key, const char *value, void *target, const char **ret_why);
int config_value_warnings(const ConfigKey *key, const char *value, void *target,
                          const char **ret_why); /* uint64_t *, ends with 0 */
int config_value_uid_range(const ConfigKey *key, const char *value, void *target,
                           const char **ret_why); /* target: Config */

/* Adds each word of value to the list of at most key->max, in lower case if fold. Nothing is added unless all of them
 * are. Returns as config_parse_t. */
int config_words_append(const ConfigKey *key, const char *value, void *target, bool fold,
                        bool (*is_valid)(const char *word));
/* What is wrong with a pattern of a command's arguments ("^...$"): the end of a sentence, "has ..." (static); NULL. */
const char *sudo_pattern_fault(const char *pattern);
/* What does not go together in a role, once all of its files are read: "KEY=: sentence" (static); NULL. */
const char *role_fault(const Role *role);

/* Both end with a NULL name. */
extern const ConfigKey config_keys[], role_keys[];

/* One file's assignments, one by one: a config_assign_t over a ConfigTable, for files that have sections besides
 * those of a table (jit-provider(5)). */
typedef struct ConfigTable {
        const ConfigKey *keys; /* at most 31 */
        void *target;
        uint32_t seen; /* keys assigned in this file, by place in keys; starts with 0 */
} ConfigTable;
int config_table_assign(void *table, const char *section, const char *name, const char *value, char *ret_why);

/* Every key's fallback into a zeroed target. */
int config_table_defaults(const ConfigKey *table, void *target);
/* One file's text over what target has. target may be half changed on failure: throw it away. Returns as
 * config_ini_parse(). */
int config_table_apply(const ConfigKey *table, void *target, const char *path, const char *text, size_t length,
                       char *ret_why);
/* Frees each heap member that the table names. */
void config_table_clear(const ConfigKey *table, void *target);

#endif
