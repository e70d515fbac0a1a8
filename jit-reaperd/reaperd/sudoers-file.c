/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdio.h>

#include "artefact.h"
#include "file-io.h"
#include "grant-log.h"
#include "strv.h"
#include "sudo-rules.h"
#include "sudo-stack.h"

/* sudo(8) reads every file of the folder whose name has no '.' and does not end in '~': both alphabets have neither, and what
 * file_write_atomic() has not finished yet has a name that begins with one. */

_Static_assert(SUDOERS_NAME_MAX >= sizeof("elevate-4294967295-") + (size_t) ACCOUNT_NAME_MAX, "a name is cut short");

const char *sudoers_file_name(const Grant *g, char ret[static SUDOERS_NAME_MAX]) {
        if (g->way == WAY_ELEVATION)
                (void) snprintf(ret, SUDOERS_NAME_MAX, "elevate-%u-%s", g->person_uid, g->account);
        else
                (void) snprintf(ret, SUDOERS_NAME_MAX, "%s", g->account);
        return ret;
}

const char *sudoers_fault(const Manager *m) {
        if (m->config->no_sudo_rules)
                return "this host's sudo takes no rules that end by themselves (visudo refuses NOTAFTER=, as sudo-rs does)";
        if (!sudo_stack_has_us("/etc/pam.d"))
                return "sudo does not ask pam_jit on this host: its session line is missing in /etc/pam.d/sudo or sudo-i";
        return NULL;
}

/* A ticket's text is a stranger's. */
static const char *printable(const char *command, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s", command);
        for (char *p = ret; *p; p++)
                if ((unsigned char) *p < 0x20 || (unsigned char) *p >= 0x7f)
                        *p = '?';
        return ret;
}

int sudoers_commands(const Grant *g, const Role *role, char ***ret) {
        _cleanup_strv_ char **commands = NULL;
        char shown[128];

        STRV_FOREACH(c, g->commands ? g->commands : role->commands) {
                _cleanup_free_ char *command = NULL;
                const char *why = "";
                int r = 0;

                if (!g->commands)
                        command = strdup(*c);
                else
                        r = sudo_command_narrow(role->commands, *c, &command, &why);
                if (r == -EINVAL) {
                        grant_log(g, LOG_WARNING, "command-not-allowed", "%s names the command \"%s\", which %s; it is left out", g->ticket,
                                  printable(*c, shown, sizeof(shown)), why);
                        continue;
                }
                if (r < 0 || !command)
                        return -ENOMEM;
                if (!strv_contains(commands, command) && strv_extend(&commands, command) < 0)
                        return -ENOMEM;
        }
        *ret = take_ptr(commands);
        return 0;
}

/* Of a RESERVED account: *ret stays NULL where nobody may come by sudo. */
static int reserved_text(const SudoRules *s, char **ret) {
        return s->requester ? sudo_rules_become(s, ret) : 0;
}

static int role_text(const Grant *g, const SudoRules *s, const Role *role, char **ret) {
        _cleanup_strv_ char **commands = NULL;
        int r = sudoers_commands(g, role, &commands);

        if (r < 0)
                return r;
        if (!commands && g->way == WAY_ELEVATION)
                return -ENODATA;
        return sudo_rules_text(s, role, commands, ret);
}

static int account_text(const Grant *g, const Role *role, char **ret) {
        bool may_come = (role->ways & ROLE_WAY_ACCOUNT) && person_name_is_valid(g->requester) && !account_name_is_ours(g->requester) &&
                        !sudoers_fault(g->manager);
        const SudoRules s = {.id = g->id,
                             .account = g->account,
                             .requester = may_come ? g->requester : NULL,
                             .person_uid = UID_NONE,
                             .until_usec = g->until_usec};

        if (g->state == GRANT_RESERVED)
                return reserved_text(&s, ret);
        if (g->manager->config->no_sudo_rules)
                return sudo_rules_refusal(&s, ret);
        return role_text(g, &s, role, ret);
}

static int elevation_text(const Grant *g, const Role *role, char **ret) {
        const SudoRules s = {.id = g->id, .person_uid = g->person_uid, .until_usec = g->until_usec};

        if (!g->has_rule)
                return 0;
        if (sudoers_fault(g->manager))
                return -EOPNOTSUPP;
        return role_text(g, &s, role, ret);
}

int sudoers_file_remove(const Grant *g) {
        char name[SUDOERS_NAME_MAX];

        return artefact_unlink(g->manager->dirs.sudoers, sudoers_file_name(g, name));
}

int sudoers_file_make(const Grant *g) {
        const Role *role = grant_role(g);
        _cleanup_free_ char *text = NULL;
        char name[SUDOERS_NAME_MAX];
        int r;

        if (!role)
                return -ENOENT;
        r = g->way == WAY_ELEVATION ? elevation_text(g, role, &text) : account_text(g, role, &text);
        if (r < 0)
                return r;
        if (!text)
                return sudoers_file_remove(g);
        return file_write_atomic(g->manager->dirs.sudoers, sudoers_file_name(g, name), text, strlen(text), 0440, 0, 0, false);
}
