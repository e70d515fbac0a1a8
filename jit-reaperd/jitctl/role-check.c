/* SPDX-License-Identifier: Apache-2.0 */

/* What config_load() does not look at, because a daemon must not: other programs and other databases. */

#include <grp.h>

#include "cleanup.h"
#include "findings.h"
#include "process.h"

/* As jit-reaperd writes it for a grant, see sudoers-file.c. */
static int sample_rule(const Role *role, char **ret) {
        size_t size = 0;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return -ENOMEM;
        fputs("Defaults:jit-check timestamp_timeout=0, !lecture\n", f);
        STRV_FOREACH(c, role->commands)
        fprintf(f, "jit-check ALL=(%s) NOTAFTER=20380119031407Z NOPASSWD: %s\n", role->run_as, *c);
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

static void check_rule(Findings *f, const Role *role, const char *file) {
        static const char *const argv[] = {"visudo", "-c", "-f", "-", NULL};
        _cleanup_free_ char *rule = NULL, *output = NULL;
        int status, r;

        if (sample_rule(role, &rule) < 0) {
                f->failed = true;
                return;
        }
        r = process_run(argv, rule, strlen(rule), true, &output, &status);
        if (r == -ENOENT)
                return; /* no sudo here: sudo_check() says so */
        if (r < 0) {
                findings_add(f, false, file, "run visudo by hand", "cannot run visudo: %s", strerror(-r));
                return;
        }
        if (status == 0)
                return;
        output[strcspn(output, "\n")] = 0;
        findings_add(f, true, file, "write Command= and RunAs= as sudoers(5) wants them",
                     "visudo refuses the role's sudo rule: %s", output);
}

void role_check(Findings *f, const Role *role, const char *root) {
        _cleanup_free_ char *file = NULL, *shell = NULL;

        if (asprintf(&file, "roles.d/%s.conf", role->name) < 0 ||
            asprintf(&shell, "%s%s", root, role->shell ? role->shell : "/") < 0) {
                f->failed = true;
                return;
        }
        if (role->commands)
                check_rule(f, role, file);
        STRV_FOREACH(g, role->groups)
        if (!getgrnam(*g))
                findings_add(f, false, file,
                             "make the group, or take it out of Groups=", "there is no group %s on this host", *g);
        if (role->shell && access(shell, X_OK) < 0)
                findings_add(f, false, file, "set Shell= to one that is there", "the shell %s: %s", role->shell,
                             strerror(errno));
}
