/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "name.h"
#include "sudo-rules.h"
#include "timefmt.h"

/* Options stand in the rules as tags. Where sudo knows a setting only as Defaults, these are bound to the user, not to
 * the commands: those others may run as well, by rules of the host's own, and theirs would change with it. */

const char sudo_rules_probe[] = "jit-check ALL=(root) NOTAFTER=20380119031407Z NOPASSWD: /usr/bin/true\n";

enum { USER_MAX = 40, NOT_AFTER_MAX = 32 };

/* sudoers(5) "Date_Spec": yyyymmddHHMMSSZ, generalized time. Rounded down: the rule may end early, never late. */
static int format_not_after(uint64_t until_usec, char *ret, size_t size) {
        time_t t = (time_t) (until_usec / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&t, &tm) || tm.tm_year > 9999 - 1900 || strftime(ret, size, "%Y%m%d%H%M%SZ", &tm) == 0)
                return -ERANGE;
        return 0;
}

static bool account_is_safe(const char *account) {
        char parsed[ACCOUNT_NAME_MAX + 1];

        return account && account_name_parse(account, parsed) >= 0 && streq(account, parsed);
}

static bool requester_is_safe(const char *requester) {
        return person_name_is_valid(requester) && !account_name_is_ours(requester);
}

static bool subject_is_safe(const SudoRules *s) {
        if (s->account)
                return account_is_safe(s->account) && (!s->requester || requester_is_safe(s->requester));
        return !s->requester && s->person_uid != 0 && s->person_uid != (uid_t) -1;
}

static bool id_is_safe(const char *id) {
        return id && *id && !id[strspn(id, "0123456789abcdef")];
}

static bool role_is_safe(const Role *role) {
        if (!*role->run_as ||
            role->run_as[strspn(role->run_as, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-")])
                return false;
        STRV_FOREACH (name, role->env_keep)
                if (!env_name_is_valid(*name))
                        return false;
        return true;
}

static bool commands_are_safe(char *const *commands) {
        STRV_FOREACH (c, commands)
                if (!sudo_command_is_valid(*c, NULL))
                        return false;
        return true;
}

/* As sudoers(5) names the one whose rules they are. */
static const char *subject_user(const SudoRules *s, char ret[static USER_MAX]) {
        if (s->account)
                (void) snprintf(ret, USER_MAX, "%s", s->account);
        else
                (void) snprintf(ret, USER_MAX, "#%u", s->person_uid);
        return ret;
}

/* pam_jit opens or refuses the session. So there is one, in the stacks that pam_jit stands in, whatever the host has
 * set for its own before it includes ours (what comes later in its files counts, and is for jitctl check to find).
 * Bound to the target, these settings touch nobody else's sudo. Not sudoedit: it reads its files before the session is
 * opened, and so without one. */
static void write_become(FILE *f, const SudoRules *s, const char *not_after) {
        (void) fprintf(f, "Defaults>%s pam_session, pam_service=sudo, pam_login_service=sudo-i\n", s->account);
        (void) fprintf(f, "%s ALL=(%s) NOTAFTER=%s NOPASSWD: ALL, !sudoedit\n", s->requester, s->account, not_after);
}

/* NOPASSWD, because an account has no password to ask for, and the person has proved who they are: the approval is
 * theirs. timestamp_timeout=0: nothing is remembered. */
static void write_refusal(FILE *f, const SudoRules *s) {
        (void) fprintf(f, "Defaults:%s timestamp_timeout=0, !lecture\n", s->account);
        (void) fprintf(f, "%s ALL=(ALL:ALL) NOPASSWD: !ALL\n", s->account);
}

static void write_defaults(FILE *f, const char *user, const SudoRules *s, const Role *role) {
        STRV_FOREACH (name, role->env_keep)
                (void) fprintf(f, "Defaults:%s env_keep += %s\n", user, *name);
        if (role->record == ROLE_RECORD_SUDO)
                (void) fprintf(f, "Defaults:%s iolog_dir=" SUDO_IO_LOGS "/%s, iolog_file=%%{seq}\n", user, s->id);
}

/* A person's own sudoedit, stopped before the session phase, would read its file after the end. */
static void write_commands(FILE *f, const SudoRules *s, const Role *role, char *const *commands, const char *not_after) {
        char user[USER_MAX];

        (void) subject_user(s, user);
        STRV_FOREACH (c, commands)
                (void) fprintf(f, "%s ALL=(%s) NOTAFTER=%s NOPASSWD: %s%s%s%s%s\n", user, role->run_as, not_after,
                               role->no_exec ? "NOEXEC: " : "", role->set_env ? "SETENV: " : "",
                               role->record == ROLE_RECORD_SUDO ? "LOG_INPUT: LOG_OUTPUT: " : "", *c,
                               !s->account && streq(*c, "ALL") ? ", !sudoedit" : "");
}

/* Closes f, which open_memstream() has made of *text. */
static int text_done(FILE *f, char **text, char **ret) {
        bool failed = ferror(f);

        if (fclose(f) != 0 || failed) {
                free(*text);
                return -ENOMEM;
        }
        *ret = *text;
        return 0;
}

static int text_begin(char **text, size_t *length, FILE **ret) {
        *ret = open_memstream(text, length);
        return *ret ? 0 : -ENOMEM;
}

/* As text_begin(), for rules that end. */
static int timed_begin(const SudoRules *s, char not_after[static NOT_AFTER_MAX], char **text, size_t *length,
                       FILE **ret) {
        int r = format_not_after(s->until_usec, not_after, NOT_AFTER_MAX);

        return r < 0 ? r : text_begin(text, length, ret);
}

int sudo_rules_become(const SudoRules *s, char **ret) {
        char not_after[NOT_AFTER_MAX], *text = NULL;
        size_t length;
        FILE *f;

        if (!s->requester || !subject_is_safe(s))
                return -EINVAL;
        int r = timed_begin(s, not_after, &text, &length, &f);
        if (r < 0)
                return r;
        write_become(f, s, not_after);
        return text_done(f, &text, ret);
}

int sudo_rules_refusal(const SudoRules *s, char **ret) {
        char *text = NULL;
        size_t length;
        FILE *f;

        if (!account_is_safe(s->account))
                return -EINVAL;
        int r = text_begin(&text, &length, &f);
        if (r < 0)
                return r;
        write_refusal(f, s);
        return text_done(f, &text, ret);
}

int sudo_rules_text(const SudoRules *s, const Role *role, char *const *commands, char **ret) {
        char not_after[NOT_AFTER_MAX], user[USER_MAX], *text = NULL;
        size_t length;
        FILE *f;

        if (!subject_is_safe(s) || !id_is_safe(s->id) || !role_is_safe(role) || !commands_are_safe(commands))
                return -EINVAL;
        int r = timed_begin(s, not_after, &text, &length, &f);
        if (r < 0)
                return r;

        (void) subject_user(s, user);
        if (s->requester)
                write_become(f, s, not_after);
        if (s->account)
                write_refusal(f, s);
        write_defaults(f, user, s, role);
        write_commands(f, s, role, commands, not_after);
        return text_done(f, &text, ret);
}

int sudo_rules_sample(const Role *role, char **ret) {
        char account[sizeof(ACCOUNT_PREFIX) + ROLE_NAME_MAX];
        SudoRules as_account = {.id = "0123456789abcdef",
                                .account = account,
                                .requester = "jit",
                                .until_usec = now_usec(CLOCK_REALTIME)};
        SudoRules as_person = {.id = as_account.id, .person_uid = 65534, .until_usec = as_account.until_usec};
        _cleanup_free_ char *account_text = NULL, *person_text = NULL;

        (void) snprintf(account, sizeof(account), ACCOUNT_PREFIX "%s", role->name);
        /* "a--b" and "a-" are names of roles, not of accounts */
        if (!account_is_safe(account))
                (void) snprintf(account, sizeof(account), ACCOUNT_PREFIX "check");

        int r = sudo_rules_text(&as_account, role, role->commands, &account_text);
        if (r >= 0)
                r = sudo_rules_text(&as_person, role, role->commands, &person_text);
        if (r >= 0 && asprintf(ret, "%s%s", account_text, person_text) < 0)
                r = -ENOMEM;
        return r;
}
