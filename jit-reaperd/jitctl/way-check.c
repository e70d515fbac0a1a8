/* SPDX-License-Identifier: Apache-2.0 */

/* Whether the ways that the roles give are there on this host, and the other way round. */

#include "cleanup.h"
#include "findings.h"
#include "paths.h"

#define LOGIN_UID "/proc/self/loginuid"
#define ROLES JIT_ETC "/roles.d"
#define EXAMPLES "/usr/share/doc/pam_jit/examples"

static void check_login_uid(Findings *f, const char *root) {
        if (!file_is_there(root, LOGIN_UID))
                findings_add(f, false, LOGIN_UID,
                             "boot a kernel with CONFIG_AUDIT; without it tickets are for ssh and login alone",
                             "not there: the kernel does not say who logged in, so jitctl elevate, su, sudo -u and the "
                             "gate refuse everybody (caller-unknown)");
}

/* "dba, web-operator": the roles with this way and not with that; NULL: there is none, or no memory. free() */
static char *roles_with(Findings *f, const Config *config, unsigned way, unsigned without) {
        char *names = NULL;
        size_t size = 0;
        FILE *text = open_memstream(&names, &size);

        if (!text) {
                f->failed = true;
                return NULL;
        }
        for (Role **role = config->roles; role && *role; role++)
                if (((*role)->ways & way) && !((*role)->ways & without))
                        fprintf(text, "%s%s", ftell(text) > 0 ? ", " : "", (*role)->name);
        if (fclose(text) != 0)
                f->failed = true;
        if (size > 0)
                return names;
        free(names);
        return NULL;
}

static void check_gate(Findings *f, const Config *config) {
        _cleanup_free_ char *gate = roles_with(f, config, ROLE_WAY_GATE, 0),
                            *elevate = roles_with(f, config, ROLE_WAY_ELEVATE, ROLE_WAY_GATE);

        if (!gate)
                findings_add(f, false, "/etc/pam.d/sudo", "add gate to Ways= of a role, or take the argument gate away",
                             "it asks for a ticket, and no role has gate in Ways=: nobody but root can use sudo");
        else if (elevate)
                findings_add(f, false, ROLES, "add gate to their Ways=, or take elevate out",
                             "elevate is one of the ways of %s, and gate is not: sudo has the gate here, and lets "
                             "nobody "
                             "through whom such a ticket elevates",
                             elevate);
}

static void check_no_gate(Findings *f, const Config *config) {
        _cleanup_free_ char *gate = roles_with(f, config, ROLE_WAY_GATE, 0);

        if (gate)
                findings_add(f, false, ROLES,
                             "install " EXAMPLES "/pam.d-gate for sudo and sudo-i, or take gate out of Ways=",
                             "gate is one of the ways of %s, and neither sudo nor sudo-i asks for a ticket here", gate);
}

void way_check(Findings *f, const Config *config, const char *root, bool gate) {
        if (!config->roles || !config->roles[0])
                return;
        if (gate)
                check_gate(f, config);
        else
                check_no_gate(f, config);
        check_login_uid(f, root);
}
