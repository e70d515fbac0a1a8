/* SPDX-License-Identifier: Apache-2.0 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "config-parse.h"
#include "name.h"
#include "sudo-rules.h"
#include "timefmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a role and a ticket say: each line that is written is one rule, or one setting, of the one it is for. */

enum { FIELDS = 8, OPTIONS = 0, ACCOUNT, REQUESTER, RUN_AS, ENV, ROLE_COMMAND, TICKET_COMMAND, ARGUMENTS };

static void require(bool condition) {
        if (!condition)
                abort();
}

static const char *behind(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0 ? s + strlen(prefix) : NULL;
}

/* What stands behind the tags must be a command, and nothing but a command. */
static void check_rule(const char *p, const char *run_as) {
        static const char *const tags[] = {"NOEXEC: ", "SETENV: ", "LOG_INPUT: ", "LOG_OUTPUT: "};
        const char *rest;

        require((p = behind(p, " ALL=(")) && (p = behind(p, run_as)) && (p = behind(p, ") NOTAFTER=20261122140000Z NOPASSWD: ")));
        for (size_t i = 0; i < ELEMENTSOF(tags); i++)
                if ((rest = behind(p, tags[i])))
                        p = rest;
        if (streq(p, "ALL, !sudoedit"))
                return;
        require(sudo_command_is_valid(p, NULL) && !strchr(p, '\n') && p[strlen(p) - 1] != '\\');
}

static void check_line(const char *line, const SudoRules *s, const Role *role, const char *user) {
        char start[128];
        const char *p;

        (void) snprintf(start, sizeof(start), "Defaults:%s ", user);
        if ((p = behind(line, start))) {
                if (behind(p, "env_keep += "))
                        require(env_name_is_valid(p + strlen("env_keep += ")));
                else
                        require(streq(p, "timestamp_timeout=0, !lecture") ||
                                streq(p, "iolog_dir=/var/log/sudo-io/jit/00ff, iolog_file=%{seq}"));
        } else if ((p = behind(line, "Defaults>"))) {
                require(s->requester && (p = behind(p, s->account)) && streq(p, " pam_session, pam_service=sudo, pam_login_service=sudo-i"));
        } else if ((p = behind(line, user)) && *p == ' ') {
                if (!streq(p, " ALL=(ALL:ALL) NOPASSWD: !ALL"))
                        check_rule(p, role->run_as);
        } else { /* who may become the account, and no more than that */
                require(s->requester && (p = behind(line, s->requester)));
                (void) snprintf(start, sizeof(start), " ALL=(%s) NOTAFTER=20261122140000Z NOPASSWD: ALL, !sudoedit", s->account);
                require(streq(p, start));
        }
}

static void check_text(const SudoRules *s, const Role *role, char *const *commands) {
        char *text = NULL, user[64];
        size_t lines = 0;

        if (sudo_rules_text(s, role, commands, &text) < 0) {
                require(!text);
                return;
        }
        (void) snprintf(user, sizeof(user), s->account ? "%s" : "#1000", s->account);
        for (char *line = text, *end; *line; line = end + 1, lines++) {
                require((end = strchr(line, '\n')));
                *end = '\0';
                check_line(line, s, role, user);
        }
        require(lines == strv_length(commands) + strv_length(role->env_keep) + (role->record == ROLE_RECORD_SUDO ? 1 : 0) +
                                 (s->requester ? 2 : 0) + (s->account ? 2 : 0));
        free(text);
}

/* A pattern that was taken matches no newline, and no blank unless one is written in it. */
static void check_pattern(const char *pattern, const char *arguments) {
        regex_t compiled;

        if (sudo_pattern_fault(pattern))
                return;
        require(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0);
        if (regexec(&compiled, arguments, 0, NULL, 0) == 0)
                require(!strpbrk(arguments, "\n\t\r\"'") && (!strchr(arguments, ' ') || strchr(pattern, ' ')));
        regfree(&compiled);
}

static void check_narrow(char *const *role_commands, const char *ticket) {
        const char *why = NULL;
        char *made = NULL;

        if (!sudo_command_is_valid(role_commands[0], NULL))
                return;
        if (sudo_command_narrow(role_commands, ticket, &made, &why) < 0) {
                require(why && !made);
                return;
        }
        require(sudo_command_is_valid(made, NULL));
        require(!streq(made, "ALL") || streq(role_commands[0], "ALL"));
        char *one[] = {made, NULL}, *again = NULL;
        require(sudo_command_narrow(one, made, &again, &why) == 0 && streq(again, made));
        free(again);
        free(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *copy = malloc(size + 1), *field[FIELDS] = {}, *next = copy;

        require(copy);
        memcpy(copy, data, size);
        copy[size] = '\0';
        for (unsigned i = 0; i < FIELDS; i++) {
                field[i] = next;
                next += strlen(next);
                if (next < copy + size)
                        next++;
        }

        unsigned options = (unsigned char) *field[OPTIONS];
        char *env[] = {field[ENV], NULL}, *role_commands[] = {field[ROLE_COMMAND], NULL},
             *commands[] = {field[ROLE_COMMAND], field[TICKET_COMMAND], NULL};
        const Role role = {.name = copy, .run_as = field[RUN_AS], .commands = role_commands, .no_exec = options & 1, .set_env = options & 2,
                           .record = options & 4 ? ROLE_RECORD_SUDO : ROLE_RECORD_NONE, .env_keep = *field[ENV] ? env : NULL};
        const SudoRules s = {.id = "00ff", .account = options & 8 ? field[ACCOUNT] : NULL, .person_uid = 1000,
                             .requester = options & 16 ? field[REQUESTER] : NULL, .until_usec = 1795356000 * USEC_PER_SEC};

        check_text(&s, &role, commands);
        check_text(&s, &role, role_commands);
        check_pattern(field[ARGUMENTS], field[TICKET_COMMAND]);
        check_pattern(field[ROLE_COMMAND], field[ARGUMENTS]);
        check_narrow(role_commands, field[TICKET_COMMAND]);
        free(copy);
        return 0;
}
