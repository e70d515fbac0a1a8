/* SPDX-License-Identifier: Apache-2.0 */

/* pam.conf(5): whether pam_jit.so stands where it has to in the stack of sshd. */

#include <glob.h>

#include "cleanup.h"
#include "findings.h"

#define PAM_SSHD "/etc/pam.d/sshd"
enum { INCLUDE_DEPTH_MAX = 16 };

typedef struct PamScan {
        const char *root, *type;
        unsigned depth, modules;
        unsigned jit_at, systemd_at; /* counted from 1; 0: not there */
} PamScan;

static int on_pam_line(char *line, void *userdata);

static void scan_service(PamScan *s, const char *name) {
        static const char *const folders[] = {"/etc/pam.d/", "/usr/lib/pam.d/"};
        int r = -ENOENT;

        if (s->depth >= INCLUDE_DEPTH_MAX)
                return;
        s->depth++;
        for (size_t i = 0; i < (*name == '/' ? 1 : ELEMENTSOF(folders)) && r == -ENOENT; i++) {
                _cleanup_free_ char *path = NULL;

                if (asprintf(&path, "%s%s", *name == '/' ? "" : folders[i], name) < 0) {
                        path = NULL;
                        break;
                }
                r = each_config_line(s->root, path, on_pam_line, s);
        }
        s->depth--;
}

static bool module_is(const char *path, const char *name) {
        const char *slash = strrchr(path, '/');

        return streq(slash ? slash + 1 : path, name);
}

static int on_pam_line(char *line, void *userdata) {
        PamScan *s = userdata;
        char *type = next_word(&line), *control, *module;

        if (!type)
                return 0;
        if (streq(type, "@include")) {
                module = next_word(&line);
                if (module)
                        scan_service(s, module);
                return 0;
        }
        if (!streq(*type == '-' ? type + 1 : type, s->type))
                return 0;
        control = next_word(&line);
        if (control && *control == '[' && !strchr(control, ']')) {
                (void) strsep(&line, "]"); /* [value=action ...] has blanks inside */
                if (!line)
                        return 0;
        }
        module = next_word(&line);
        if (!control || !module)
                return 0;
        if (streq(control, "include") || streq(control, "substack")) {
                scan_service(s, module);
                return 0;
        }
        s->modules++;
        if (module_is(module, "pam_jit.so") && !s->jit_at)
                s->jit_at = s->modules;
        if (module_is(module, "pam_systemd.so") && !s->systemd_at)
                s->systemd_at = s->modules;
        return 0;
}

/* libpam's own folders on Debian (multiarch), Fedora and others. */
static bool module_is_installed(const char *root) {
        static const char *const places[] = {"/usr/lib/security", "/usr/lib/*/security", "/usr/lib64/security",
                                             "/lib/security",     "/lib/*/security",     "/lib64/security"};
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(places) && !found; i++) {
                _cleanup_free_ char *pattern = NULL;
                glob_t g = {0};

                if (asprintf(&pattern, "%s%s/pam_jit.so", root, places[i]) < 0) {
                        pattern = NULL;
                        return true;
                }
                found = glob(pattern, 0, NULL, &g) == 0;
                globfree(&g);
        }
        return found;
}

void pam_check(Findings *f, const char *root) {
        PamScan account = {.root = root, .type = "account"}, session = {.root = root, .type = "session"};
        int r = each_config_line(root, PAM_SSHD, on_pam_line, &account);

        if (r >= 0)
                r = each_config_line(root, PAM_SSHD, on_pam_line, &session);
        if (r < 0) {
                findings_add(f, false, PAM_SSHD, "see pam_jit(8) for its lines", "not checked: %s", strerror(-r));
                return;
        }
        if (!account.jit_at)
                findings_add(f, false, PAM_SSHD, "add the account line of pam_jit(8)",
                             "no account line for pam_jit.so: accounts of tickets stay locked");
        if (!session.jit_at)
                findings_add(f, false, PAM_SSHD, "add the session line of pam_jit(8)",
                             "no session line for pam_jit.so: no home, no sudo rule, no end of the session");
        else if (session.systemd_at && session.jit_at > session.systemd_at)
                findings_add(f, false, PAM_SSHD, "move the session line of pam_jit.so up",
                             "pam_jit.so comes after pam_systemd.so, which must hear from it when the session has to "
                             "end");
        if (!module_is_installed(root))
                findings_add(f, false, NULL, "install pam_jit.so", "pam_jit.so is in none of libpam's folders");
}
