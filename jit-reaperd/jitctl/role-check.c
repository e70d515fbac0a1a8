/* SPDX-License-Identifier: Apache-2.0 */

/* What config_load() does not look at, because a daemon must not: other programs and other databases. */

#include <grp.h>

#include "cleanup.h"
#include "findings.h"
#include "process.h"
#include "sudo-rules.h"

/* visudo(8) over rules: its exit status, and the first line of what it says in *ret_output; -ENOENT and others. */
static int visudo(const char *rules, char **ret_output) {
        static const char *const argv[] = {"visudo", "-c", "-f", "-", NULL};
        int status, r;

        r = process_run(argv, rules, strlen(rules), true, ret_output, &status);
        if (r < 0)
                return r;
        (*ret_output)[strcspn(*ret_output, "\n")] = 0;
        return status;
}

static void check_rules(Findings *f, const Role *role, const char *file) {
        _cleanup_free_ char *rules = NULL, *output = NULL, *probe_output = NULL;
        int r;

        if (sudo_rules_sample(role, &rules) < 0) {
                f->failed = true;
                return;
        }
        r = visudo(rules, &output);
        if (r == 0 || r == -ENOENT)
                return; /* no sudo here: sudo_check() says so */
        if (r < 0)
                findings_add(f, false, file, "run visudo by hand", "cannot run visudo: %s", strerror(-r));
        else if (visudo(sudo_rules_probe, &probe_output) == 0) /* else no role is at fault: sudo_check() says so */
                findings_add(f, true, file, "write Command=, RunAs= and EnvKeep= as sudoers(5) wants them",
                             "visudo refuses the role's sudo rules: %s", output);
}

void role_check(Findings *f, const Role *role, const char *root) {
        _cleanup_free_ char *file = NULL, *shell = NULL;

        if (asprintf(&file, "roles.d/%s.conf", role->name) < 0 ||
            asprintf(&shell, "%s%s", root, role->shell ? role->shell : "/") < 0) {
                f->failed = true;
                return;
        }
        if (role->commands)
                check_rules(f, role, file);
        STRV_FOREACH(g, role->groups)
        if (!getgrnam(*g))
                findings_add(f, false, file,
                             "make the group, or take it out of Groups=", "there is no group %s on this host", *g);
        if (role->shell && access(shell, X_OK) < 0)
                findings_add(f, false, file, "set Shell= to one that is there", "the shell %s: %s", role->shell,
                             strerror(errno));
        if (role->record == ROLE_RECORD_TLOG && !file_is_there(root, "/usr/bin/tlog-rec-session"))
                findings_add(f, false, file, "install tlog, or take Record=tlog away",
                             "Record=tlog, but there is no /usr/bin/tlog-rec-session: logins with this role are refused");
}
