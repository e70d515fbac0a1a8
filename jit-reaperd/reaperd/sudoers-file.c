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

int sudoers_text(const char *account, const Role *role, char *const *commands, uint64_t until_usec, char **ret) {
        char not_after[32];
        size_t length;
        FILE *f;
        int r;

        r = format_not_after(until_usec, not_after, sizeof(not_after));
        if (r < 0)
                return r;
        f = open_memstream(ret, &length);
        if (!f)
                return -ENOMEM;
        /* The account has no password to ask for: what is not allowed is refused and not asked for one. timestamp_timeout=0: nothing is remembered. */
        (void) fprintf(f, "Defaults:%s timestamp_timeout=0, !authenticate, !lecture\n", account);
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
        if (!commands)
                return sudoers_file_remove(g);
        r = sudoers_text(g->account, role, commands, g->until_usec, &text);
        if (r < 0)
                return r;
        return file_write_atomic(g->manager->dirs.sudoers, g->account, text, strlen(text), 0440, 0, 0, false);
}
