/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "config-parse.h"
#include "timefmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

static void check_role(const Role *role) {
        require(strv_length(role->groups) <= 32 && strv_length(role->commands) <= 64);
        STRV_FOREACH(command, role->commands)
        require(sudo_command_is_valid(*command, NULL) && strlen(*command) < CONFIG_LINE_MAX);
        STRV_FOREACH(group, role->groups)
        require(!strpbrk(*group, " ,:%/\n") && strlen(*group) <= 31);
        require(role->run_as && !strpbrk(role->run_as, " ,()%#!\n"));
        require(role->shell && role->shell[0] == '/' && !strpbrk(role->shell, " :\n"));
        require(role->ttl_usec >= USEC_PER_MINUTE && role->ttl_usec <= 7 * 24 * USEC_PER_HOUR);
        require(role->approvers >= 1 && role->approvers <= 8);
        require(role->home_size_max >= 1 << 20 && role->tasks_max >= 16 && role->home_inodes_max >= 64);
        require(role->ways != 0 && (role->ways & ~(unsigned) (ROLE_WAY_ACCOUNT | ROLE_WAY_ELEVATE | ROLE_WAY_GATE)) == 0);
        require(strv_length(role->env_keep) <= 32);
        STRV_FOREACH(name, role->env_keep)
        require(env_name_is_valid(*name) && !strpbrk(*name, " ,=\"*\n") && strncmp(*name, "LD_", 3) != 0);
        if (!role_fault(role))
                require(role->record == ROLE_RECORD_NONE || !(role->ways & ROLE_WAY_GATE));
}

static void check_config(const Config *c) {
        require(c->uid_min >= 65536 && c->uid_max > c->uid_min && c->uid_max - c->uid_min >= 99);
        require(c->grants_max >= 1 && c->grants_max <= 100000 && c->warn_usec);
        for (const uint64_t *w = c->warn_usec; *w; w++)
                require(w[1] < w[0]);
        require(c->approval_usec >= USEC_PER_SEC && c->approval_usec <= USEC_PER_MINUTE);
        STRV_FOREACH(name, c->host_names)
        require(**name && !strpbrk(*name, " */\n"));
}

/* A whole file for each of the two tables; what is not refused keeps every limit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char why[CONFIG_WHY_MAX] = "";
        Config c = {};
        Role role = {};

        require(config_table_defaults(config_keys, &c) == 0 && config_table_defaults(role_keys, &role) == 0);

        if (config_table_apply(config_keys, &c, "f.conf", (const char *) data, size, why) == 0)
                check_config(&c);
        else
                require(strncmp(why, "f.conf:", 7) == 0 && strlen(why) > 9);
        if (config_table_apply(role_keys, &role, "f.conf", (const char *) data, size, why) == 0)
                check_role(&role);
        else
                require(strncmp(why, "f.conf:", 7) == 0 && strlen(why) > 9);

        config_table_clear(config_keys, &c);
        config_table_clear(role_keys, &role);
        return 0;
}
