/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdio.h>

#include "artefact.h"
#include "file-io.h"
#include "strv.h"
#include "timefmt.h"

/* sudoers(5) "Date_Spec": NOTAFTER=yyyymmddHHMMSSZ, generalized time. Rounded down: the rule may end early, never late. */
static int format_not_after(uint64_t until_usec, char *ret, size_t size) {
        time_t t = (time_t) (until_usec / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&t, &tm) || strftime(ret, size, "%Y%m%d%H%M%SZ", &tm) == 0)
                return -ERANGE;
        return 0;
}

/* The configuration was checked when it was read. This is the last place before sudo obeys: nothing that could end its part of the line. */
static bool line_is_safe(const char *account, const Role *role, char *const *commands) {
        if (strncmp(account, ACCOUNT_PREFIX, strlen(ACCOUNT_PREFIX)) != 0 || account[strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789-")] ||
            !*role->run_as ||
            role->run_as[strspn(role->run_as, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-")])
                return false;
        STRV_FOREACH(c, commands)
                if (!sudo_command_is_valid(*c, NULL))
                        return false;
        return true;
}

int sudoers_text(const char *account, const Role *role, char *const *commands, uint64_t until_usec, char **ret) {
        char not_after[32];
        size_t length;
        FILE *f;
        int r;

        if (!line_is_safe(account, role, commands))
                return -EINVAL;
        r = format_not_after(until_usec, not_after, sizeof(not_after));
        if (r < 0)
                return r;
        f = open_memstream(ret, &length);
        if (!f)
                return -ENOMEM;
        /* sudoers(5): the last match counts. First everything is refused, so that rules of the host's own for a group of the account's do not add to
         * the ticket's; NOPASSWD, because there is no password to ask for. timestamp_timeout=0: nothing is remembered. */
        (void) fprintf(f, "Defaults:%s timestamp_timeout=0, !lecture\n", account);
        (void) fprintf(f, "%s ALL=(ALL:ALL) NOPASSWD: !ALL\n", account);
        STRV_FOREACH(c, commands)
                (void) fprintf(f, "%s ALL=(%s) NOTAFTER=%s NOPASSWD: %s\n", account, role->run_as, not_after, *c);
        if (fclose(f) != 0) {
                free(*ret);
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

/* A ticket may name some of its role's commands, word for word, and then those are all it gets. What the role does not have is never added. */
static int granted_commands(const Grant *g, const Role *role, char ***ret) {
        STRV_FOREACH(c, role->commands) {
                int r;
                if (g->commands && !strv_contains(g->commands, *c))
                        continue;
                r = strv_extend(ret, *c);
                if (r < 0)
                        return r;
        }
        return 0;
}

int sudoers_file_remove(const Grant *g) {
        return artefact_unlink(g->manager->dirs.sudoers, g->account);
}

int sudoers_file_make(const Grant *g) {
        const Role *role = grant_role(g);
        _cleanup_strv_ char **commands = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        if (!role)
                return -ENOENT;
        r = granted_commands(g, role, &commands);
        if (r < 0)
                return r;
        r = sudoers_text(g->account, role, commands, g->until_usec, &text);
        if (r < 0)
                return r;
        return file_write_atomic(g->manager->dirs.sudoers, g->account, text, strlen(text), 0440, 0, 0, false);
}
