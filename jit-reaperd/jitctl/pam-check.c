/* SPDX-License-Identifier: Apache-2.0 */

/* Whether pam_jit.so stands where it has to: before pam_systemd.so where people log in, since that takes the session's
 * limits from it; behind it where one becomes another, since that would move the process out of its scope again. */

#include <glob.h>

#include "cleanup.h"
#include "findings.h"
#include "pam-stack.h"

#define EXAMPLES "/usr/share/doc/pam_jit/examples/pam.d"

typedef struct Service {
        const char *name, *file;
        bool wanted; /* its lines have to be there; else they may be left out, all of them */
} Service;

static void add(Findings *f, const Service *s, bool is_error, const char *action, const char *message) {
        findings_add(f, is_error, s->file, action, "%s", message);
}

static void check_controls(Findings *f, const Service *s, const PamStack *account, const PamStack *session) {
        if (account->ignored || session->ignored)
                add(f, s, true, "write its controls as in pam_jit(8)",
                    "pam_jit.so stands there with a control that ignores its no");
}

/* sshd, login: who somebody is has been proved, and a session of logind's begins. */
static void check_login(Findings *f, const char *root, const Service *s) {
        PamStack account, session;
        int r = pam_stack_read(root, s->name, "account", &account);

        if (r >= 0)
                r = pam_stack_read(root, s->name, "session", &session);
        if (r < 0) {
                if (s->wanted)
                        findings_add(f, false, s->file, "see pam_jit(8) for its lines", "not checked: %s",
                                     strerror(-r));
                return;
        }
        if (!session.loginuid_at)
                add(f, s, false, "add `session required pam_loginuid.so`",
                    "no pam_loginuid.so: for who logs in here, sudo, su and jitctl elevate cannot tell who asks");
        if (!s->wanted && !account.jit_first && !session.jit_first)
                return;
        if (!account.jit_first)
                add(f, s, false, "add the account line of pam_jit(8)",
                    "no account line for pam_jit.so: accounts of tickets stay locked");
        if (!session.jit_first)
                add(f, s, false, "add the session line of pam_jit(8)",
                    "no session line for pam_jit.so: no home, no sudo rule, no end of the session");
        else if (session.systemd_at && session.jit_first > session.systemd_at)
                add(f, s, false, "move the session line of pam_jit.so up",
                    "pam_jit.so comes after pam_systemd.so, which must hear from it when the session has to end");
        check_controls(f, s, &account, &session);
}

static void check_password(Findings *f, const char *root, const Service *s, const PamStack *account) {
        PamStack auth;

        (void) pam_stack_read(root, s->name, "auth", &auth); /* the file has just been read */
        if (account->jit_first && (!auth.jit_first || (auth.unix_at && auth.jit_first > auth.unix_at)))
                add(f, s, false, "add the auth line of " EXAMPLES "/su before `@include common-auth`",
                    "no auth line for pam_jit.so before pam_unix.so: su asks for a password, and accounts of tickets "
                    "have none");
}

/* sudo, su, run0. Returns whether a ticket is asked for. */
static bool check_elevating(Findings *f, const char *root, const Service *s) {
        PamStack account, session;

        (void) pam_stack_read(root, s->name, "account", &account); /* not there: see found */
        (void) pam_stack_read(root, s->name, "session", &session);
        if (!s->wanted && !account.jit_first && !session.jit_first)
                return false;
        if (!session.jit_first) {
                if (s->wanted) /* jit-reaperd looks as well, and writes no such rule */
                        add(f, s, false, "add the session line of " EXAMPLES ", as the last one",
                            "no session line for pam_jit.so: no jitctl elevate and no sudo -u jit-TICKET");
                else
                        findings_add(f, true, s->file, "add the session line of " EXAMPLES ", as the last one",
                                     "no session line for pam_jit.so: what %s starts by a ticket does not end with it",
                                     s->name);
                return false;
        }
        if (session.systemd_at > session.jit_last)
                add(f, s, true, "make the session line of pam_jit.so the last one",
                    "pam_systemd.so comes after pam_jit.so and moves the process out of its scope: it does not end "
                    "with its ticket");
        if (account.gate != session.gate)
                add(f, s, true, "give both lines of pam_jit.so the argument gate, or none",
                    account.gate ? "gate stands on the account line alone: whoever it lets through is not bound to the "
                                   "ticket"
                                 : "gate stands on the session line alone: nobody but root gets through");
        if (account.open_without || session.open_without)
                add(f, s, false, "take module_unknown=ignore out of the lines with gate, as in " EXAMPLES "-gate",
                    "module_unknown=ignore beside gate: if pam_jit.so is missing, everybody gets through");
        if (account.found && (streq(s->name, "su") || streq(s->name, "su-l")))
                check_password(f, root, s, &account);
        check_controls(f, s, &account, &session);
        return account.gate && session.gate;
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

static bool starts_scopes(const char *root, const Service *s) {
        PamStack session;

        return pam_stack_read(root, s->name, "session", &session) >= 0 && session.jit_last;
}

/* logind takes a scope of ours for no session, and makes one: what root starts by su in there would leave it. */
static void check_inside(Findings *f, const char *root) {
        static const Service services[] = {
                        {"sudo", "/etc/pam.d/sudo", false},       {"sudo-i", "/etc/pam.d/sudo-i", false},
                        {"su", "/etc/pam.d/su", false},           {"su-l", "/etc/pam.d/su-l", false},
                        {"runuser", "/etc/pam.d/runuser", false}, {"runuser-l", "/etc/pam.d/runuser-l", false}};

        for (const Service *s = services; s < services + ELEMENTSOF(services); s++) {
                PamStack session;

                if (pam_stack_read(root, s->name, "session", &session) < 0 || !session.systemd_at)
                        continue;
                if (!session.jit_last || !session.inside_at || session.inside_at > session.systemd_at)
                        findings_add(f, false, s->file,
                                     "add the session lines of " EXAMPLES "/su: with inside before pam_systemd.so, and "
                                     "without as the last one",
                                     "no line of pam_jit.so with the argument inside before pam_systemd.so: root can "
                                     "leave by %s what sudo and su started by a ticket, and outlive it",
                                     s->name);
        }
}

bool pam_check(Findings *f, const char *root) {
        static const Service sshd = {"sshd", "/etc/pam.d/sshd", true}, login = {"login", "/etc/pam.d/login", false},
                             sudo = {"sudo", "/etc/pam.d/sudo", true}, sudo_i = {"sudo-i", "/etc/pam.d/sudo-i", true},
                             su = {"su", "/etc/pam.d/su", false}, su_l = {"su-l", "/etc/pam.d/su-l", false},
                             run0 = {"systemd-run0", "/etc/pam.d/systemd-run0", false};
        bool gate = false, gate_i, gate_run0;

        check_login(f, root, &sshd);
        check_login(f, root, &login);
        if (file_is_there(root, sudo.file)) { /* else there is no sudo */
                gate = check_elevating(f, root, &sudo);
                gate_i = check_elevating(f, root, &sudo_i);
                if (gate != gate_i)
                        add(f, gate ? &sudo_i : &sudo, true, "treat sudo and sudo-i alike",
                            gate ? "sudo asks for a ticket, and `sudo -i` does not"
                                 : "`sudo -i` asks for a ticket, and sudo does not");
        }
        (void) check_elevating(f, root, &su); /* who has root's password may: README, the gate */
        (void) check_elevating(f, root, &su_l);
        if (starts_scopes(root, &sudo) || starts_scopes(root, &su))
                check_inside(f, root);
        if (file_is_there(root, "/usr/bin/run0")) {
                gate_run0 = check_elevating(f, root, &run0);
                if (gate && !gate_run0)
                        add(f, &run0, false, "install " EXAMPLES "/systemd-run0 with the argument gate",
                            "sudo asks for a ticket, and run0 does not: whom polkit lets use it needs none");
        }
        if (!module_is_installed(root))
                findings_add(f, false, NULL, "install pam_jit.so", "pam_jit.so is in none of libpam's folders");
        return gate;
}
