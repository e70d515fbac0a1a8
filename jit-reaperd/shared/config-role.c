/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "config-parse.h"

/* Keys of a role that say how it is used and what sudo does besides: words of fixed lists. */

enum { ENV_NAME_MAX = 64 };

typedef struct Word {
        const char *text;
        unsigned value;
} Word;

static const Word ways[] = {{"account", ROLE_WAY_ACCOUNT}, {"elevate", ROLE_WAY_ELEVATE}, {"gate", ROLE_WAY_GATE}, {}};
static const Word records[] = {{"no", ROLE_RECORD_NONE}, {"sudo", ROLE_RECORD_SUDO}, {"tlog", ROLE_RECORD_TLOG}, {}};

/* text: length bytes. */
static const Word *word_find(const Word *words, const char *text, size_t length) {
        for (const Word *w = words; w->text; w++)
                if (strlen(w->text) == length && strncmp(w->text, text, length) == 0)
                        return w;
        return NULL;
}

/* Not a list that grows: a drop-in that names one way means that one. */
int config_value_ways(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        unsigned mask = 0;

        (void) ret_why;
        for (const char *p = value + strspn(value, " \t"); *p; p += strspn(p, " \t")) {
                size_t n = strcspn(p, " \t");
                const Word *w = word_find(ways, p, n);

                if (!w)
                        return -EINVAL;
                mask |= w->value;
                p += n;
        }
        if (mask == 0)
                return -EINVAL;
        *(unsigned *) (void *) ((char *) target + key->offset) = mask;
        return 0;
}

int config_value_record(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        const Word *w = word_find(records, value, strlen(value));

        (void) ret_why;
        if (!w)
                return -EINVAL;
        *(RoleRecord *) (void *) ((char *) target + key->offset) = (RoleRecord) w->value;
        return 0;
}

/* sudo's own list of what it never lets through by itself (plugins/sudoers/env.c, initial_badenv_table): with one of
 * these, whoever sets it runs what they like as the target user. */
static bool env_name_is_dangerous(const char *name) {
        static const char *const names[] = {
                        "IFS",           "CDPATH",
                        "LOCALDOMAIN",   "RES_OPTIONS",
                        "HOSTALIASES",   "NLSPATH",
                        "PATH_LOCALE",   "TERMINFO",
                        "TERMINFO_DIRS", "TERMPATH",
                        "TERMCAP",       "ENV",
                        "BASH_ENV",      "PS4",
                        "GLOBIGNORE",    "BASHOPTS",
                        "SHELLOPTS",     "JAVA_TOOL_OPTIONS",
                        "PERLIO_DEBUG",  "PERLLIB",
                        "PERL5LIB",      "PERL5OPT",
                        "PERL5DB",       "FPATH",
                        "NULLCMD",       "READNULLCMD",
                        "ZDOTDIR",       "TMPPREFIX",
                        "PYTHONHOME",    "PYTHONPATH",
                        "PYTHONINSPECT", "PYTHONUSERBASE",
                        "RUBYLIB",       "RUBYOPT",
                        "GCONV_PATH",    "PATH",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(name, names[i]))
                        return true;
        return strncmp(name, "LD_", 3) == 0 || strncmp(name, "_RLD", 4) == 0;
}

bool env_name_is_valid(const char *name) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
        size_t n = strspn(name, letters);

        return n > 0 && n <= ENV_NAME_MAX && !name[n] && !(name[0] >= '0' && name[0] <= '9') &&
               !env_name_is_dangerous(name);
}

int config_value_env_keep(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        int r = config_words_append(key, value, target, false, env_name_is_valid);

        if (r == -EINVAL)
                *ret_why = "must be names of variables, and none of those by which whoever sets it runs programs of "
                           "their own: LD_*, PATH, IFS, ENV, BASH_ENV, PERL5LIB, PYTHONPATH and their like";
        return r;
}

const char *role_fault(const Role *role) {
        if (role->record != ROLE_RECORD_NONE && (role->ways & ROLE_WAY_GATE))
                return "Record=: cannot be had with gate in Ways=: through the gate it is the host's own sudoers that "
                       "decide which commands sudo records (log_output, log_input)";
        if (role->record == ROLE_RECORD_TLOG && !(role->ways & ROLE_WAY_ACCOUNT))
                return "Record=: tlog is the login shell of a transient account, and Ways= has no account";
        return NULL;
}
