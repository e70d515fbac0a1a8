/* SPDX-License-Identifier: Apache-2.0 */

/* PAM about accounts that are not ours, in sudo, su and run0: AuthorizeElevation (account phase, the module's "gate") and OpenElevation (session
 * phase). Root only.
 *
 * MUST: decide by the kernel's word for the process that asks (origin.h). PAM_USER and all that PAM says are for the record, but for the target of the
 * session phase, which is whom PAM's caller is about to become. */

#include <errno.h>

#include "artefact.h"
#include "decision.h"
#include "elevation.h"
#include "json.h"
#include "log.h"
#include "reaper-api.h"
#include "session.h"
#include "target.h"
#include "timefmt.h"
#include "used-ticket.h"

#define TRANSIENT "a session by a ticket gets no rights by another one; ask from your own login"

/* The grant in whose slice the process is, and dies. */
static Grant *grant_around(const Origin *o) {
        return o->inside && o->inside->state == GRANT_ACTIVE ? o->inside : NULL;
}

/* Root itself (a service of the host's, or root's own login) needs no ticket; nor does, inside a grant, root, which may do anything there, and the
 * grant's account, whose rules are the ticket's. Whoever else is inside has come there by another user's password or set-user-ID program, and has that
 * user's rules, of which the ticket knows nothing. in: may be NULL. */
static bool needs_no_ticket(const Origin *o, const Grant *in) {
        if (o->real_uid == 0)
                return in || o->login_uid == UID_NONE || o->login_uid == 0;
        return in && in->way == WAY_ACCOUNT && o->real_uid == in->uid;
}

/* An elevation with a rule of its own is the person's, wherever they are logged in; one that a ticket opened at a terminal is that terminal's, and of
 * what was started there. */
static bool is_open_here(const Authorization *a, const Grant *g) {
        return g->state == GRANT_ACTIVE && (a->origin.inside == g || (g->has_rule && session_is_elevated(g)) ||
                                            session_elevated_here(g, a->caller.tty, &a->origin));
}

/* ---- AuthorizeElevation ---- */

static void gate_allowed(Authorization *a, Grant *g, uint64_t left_usec) {
        _cleanup_free_ char *welcome = is_open_here(a, g) ? NULL : authorization_welcome(g, left_usec);

        char token[DECISION_TOKEN_HEX + 1];
        json_t *answer;

        if (decision_add(a->manager, &a->origin, a->caller.tty, g, token) < 0) {
                authorization_refuse(a, "try-again", "too many wait for their session at the same time; try again in a moment");
                return;
        }
        answer = authorization_allowed("approved", welcome ?: "", left_usec);
        (void) json_set_str(answer, "decision", token);
        (void) varlink_reply(a->link, answer);
        authorization_free(a);
}

static void gate_finish(Authorization *a, Verdict *v) {
        elevation_judge(a, v, ROLE_WAY_GATE, gate_allowed);
}

static bool gate_lasts(Authorization *a, uint64_t until_usec) {
        (void) until_usec;
        return !authorization_grant(a);
}

static void gate_begin(Authorization *a) {
        const Grant *in = grant_around(&a->origin), *g;

        if (needs_no_ticket(&a->origin, in)) {
                authorization_allow(a, "not-needed", "", 0);
                return;
        }
        if (!elevation_identify(a, true, in))
                return;
        if (streq(a->caller.service, "sudo") || streq(a->caller.service, "sudo-i")) {
                a->sudo_use = sudo_use_of(a->origin.pid);
                if (varlink_link_has_hung_up(a->link)) { /* the number may be another's by now */
                        authorization_dismiss(a, "try-again", "who asked has gone away");
                        return;
                }
        }
        g = grant_by_person(a->manager, a->person_uid);
        if (g && g->state == GRANT_REVOKING) {
                elevation_refuse_second(a, g);
                return;
        }
        if (a->extra.ticket) {
                if (!elevation_take_ticket(a, a->extra.ticket))
                        return;
        } else if (!g || !is_open_here(a, g)) {
                authorization_log(a, LOG_INFO, "ticket-needed", "%s is asked for a ticket", a->person);
                authorization_dismiss(a, "ticket-needed", "this host's sudo rules are open to approved tickets only");
                return;
        } else
                memcpy(a->account, g->account, sizeof(a->account));
        if (g && g->state == GRANT_ACTIVE && !streq(g->account, a->account)) {
                elevation_refuse_second(a, g);
                return;
        }
        if (g && streq(g->account, a->account))
                authorization_bind(a, g);
        elevation_ask(a);
}

static const AuthorizationKind gate = {.way = "gate", .begin = gate_begin, .finish = gate_finish, .lasts = gate_lasts};

int vl_method_authorize_elevation(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_extra_ CallerExtra extra = {};
        _cleanup_caller_ Caller c = {};
        int r = caller_parse_any(parameters, CALLER_WAIT | CALLER_TICKET, &c, &extra);
        const char *target = r < 0 ? NULL : target_of_account_phase(c.service, c.account);

        if (target && !(c.target = strdup(target)))
                r = -ENOMEM;
        return r < 0 ? r : authorization_start(userdata, l, &gate, &c, &extra, more);
}

/* ---- OpenElevation ---- */

/* Nothing is to be bound: PAM goes on as if we were not there. */
static void reply_unbound(Authorization *a) {
        (void) varlink_reply(a->link, json_pack("{s:{}}", "env"));
        authorization_free(a);
}

/* What this call made goes with it. */
static void take_back(Authorization *a, int r) {
        Grant *g = a->fresh ? authorization_grant(a) : NULL;

        if (g && g->state == GRANT_ACTIVE) {
                used_ticket_unmark(g);
                grant_revoke(g, r == -ENOSPC ? "no-space" : "internal", NULL, NULL);
        }
        authorization_refuse_open(a, r);
}

static void on_scope(Session *s, int r, void *userdata) {
        Authorization *a = userdata;
        char unit[SCOPE_UNIT_SIZE];

        if (r < 0) {
                take_back(a, r);
                return;
        }
        varlink_link_mute(a->link);
        (void) varlink_reply(a->link, json_pack("{s:s,s:I,s:o}", "unit", scope_unit(s, unit), "until", (json_int_t) s->grant->until_usec,
                                                "env", elevation_environment(s->grant)));
        authorization_free(a);
}

/* The grant that the account phase of this very process was about, and whether it covers the target. NULL: answered. */
static Grant *grant_of_decision(Authorization *a) {
        Grant *g = decision_take(a->manager, &a->origin, a->caller.tty, a->extra.decision ?: "");
        const Role *role = g ? grant_role(g) : NULL;
        char message[320];

        if (!role) {
                authorization_refuse(a, "try-again", "there is no approval for this very command and terminal, or no more; try again");
                return NULL;
        }
        authorization_bind(a, g);
        if (target_is_allowed(role->run_as, a->caller.account))
                return g;
        (void) snprintf(message, sizeof(message), "the role %s runs commands as %s, not as %.100s", role->name, role->run_as, a->caller.account);
        authorization_refuse(a, "target-not-allowed", message);
        return NULL;
}

/* The ticket is open at this terminal. A service without a login has none: its scope alone keeps the grant alive. */
static int open_here(Authorization *a, Grant *g) {
        a->fresh = g->state == GRANT_RESERVED;
        if (a->fresh)
                authorization_start_clock(g);
        if (is_open_here(a, g) || a->origin.login_uid == UID_NONE)
                return 0;
        return session_open_elevated(g, a->link, &a->caller, &a->origin, true);
}

static Grant *grant_of_slice(const Manager *m, const char *name) {
        char id[17], own[SLICE_NAME_MAX];
        Grant *g = NULL;
        unsigned uid;

        if (sscanf(name, "user-%u.slice", &uid) == 1)
                g = grant_by_uid(m, uid);
        else if (sscanf(name, "jit-%16[0-9a-f].slice", id) == 1)
                g = grant_by_id(m, id);
        return g && g->state == GRANT_ACTIVE && streq(grant_slice(g, own), name) ? g : NULL;
}

static void open_scope(Authorization *a, Grant *g) {
        int r = open_here(a, g);

        if (r >= 0)
                r = session_open_scope(g, a->link, &a->caller, &a->origin, a->caller.account, on_scope, a);
        if (r < 0)
                take_back(a, r);
}

/* The process ends with the grant that it is inside of. su(1) may have been moved out, though: pam_systemd(8), which comes before us in its stack,
 * knows of sessions of logind's alone, and has made a new one. It goes back under the same grant's deadline; that new session is none to end with. */
static void stay_inside(Authorization *a, Grant *in) {
        int r;

        if (a->origin.inside == in) {
                reply_unbound(a);
                return;
        }
        authorization_bind(a, in);
        free(take_ptr(a->origin.session));
        r = session_open_scope(in, a->link, &a->caller, &a->origin, a->caller.account, on_scope, a);
        if (r < 0)
                authorization_refuse_open(a, r);
}

static void open_by_decision(Authorization *a, Grant *in) {
        Grant *g;

        if (needs_no_ticket(&a->origin, in)) {
                if (in)
                        stay_inside(a, in);
                else
                        reply_unbound(a);
                return;
        }
        g = grant_of_decision(a);
        if (!g)
                return;
        if (in == g)
                stay_inside(a, in);
        else if (in || a->origin.transient)
                authorization_refuse(a, "transient-caller", TRANSIENT);
        else
                open_scope(a, g);
}

/* The older of the process that asks and the one that has read sudo's rules: `sudo -b` goes on in a child. 0: not known, older than anything. */
static uint64_t started(const Authorization *a) {
        return a->extra.started < a->origin.pid_start ? a->extra.started : a->origin.pid_start;
}

/* sudo(8) goes by the real UID, whoever has logged in: but what alice's cron job, or somebody who has become alice by su(1), or a session by another
 * ticket may do is not what alice was elevated for. */
static void open_by_rule(Authorization *a, Grant *in) {
        const Origin *o = &a->origin;
        /* In sudoedit's session phase it is root's: it was the caller's when the rules were read. */
        uid_t uid = a->extra.uid == CALLER_UID_UNSAID ? o->real_uid : (uid_t) a->extra.uid;
        bool is_sudo = streq(a->caller.service, "sudo") || streq(a->caller.service, "sudo-i");
        Grant *g = uid == 0 ? NULL : grant_by_person(a->manager, uid);
        bool has_rule = g && g->has_rule && g->state != GRANT_RESERVED;

        if (is_sudo && a->extra.uid == CALLER_UID_UNSAID)
                authorization_refuse(a, "not-elevated", "it is not known who has called sudo: its PAM account phase is switched off");
        else if (uid != 0 && elevated_marker_bars_process(a->manager, uid, o->pid, started(a)))
                authorization_refuse(a, "not-elevated", "your elevation is over, and this was started before; start it again");
        else if (in && (!has_rule || in == g))
                stay_inside(a, in);
        else if (in || o->transient)
                authorization_refuse(a, "transient-caller", TRANSIENT);
        else if (!has_rule)
                reply_unbound(a);
        else if (g->state != GRANT_ACTIVE)
                elevation_refuse_second(a, g);
        else if (!session_is_elevated(g))
                authorization_refuse(a, "not-elevated", "your elevation is over: only what it started goes on");
        else if (o->login_uid != uid)
                authorization_refuse(a, o->login_uid == UID_NONE ? "caller-unknown" : "caller-mismatch",
                                     "only the login of the one who is elevated may use that");
        else {
                authorization_bind(a, g);
                open_scope(a, g);
        }
}

static void open_elevation_begin(Authorization *a) {
        Grant *in = grant_around(&a->origin);

        if (!in && a->extra.inside) {
                in = grant_of_slice(a->manager, a->extra.inside);
                if (!in) {
                        authorization_refuse(a, "not-elevated", "the grant that this was started under is over");
                        return;
                }
        }
        if (a->extra.gate)
                open_by_decision(a, in);
        else
                open_by_rule(a, in);
}

static const AuthorizationKind gate_open = {.way = "gate", .is_error = true, .begin = open_elevation_begin};
static const AuthorizationKind rule_open = {.way = "elevate", .is_error = true, .begin = open_elevation_begin};

int vl_method_open_elevation(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_extra_ CallerExtra extra = {};
        _cleanup_caller_ Caller c = {};
        int r = caller_parse_any(parameters, CALLER_GATE | CALLER_INSIDE | CALLER_DECISION | CALLER_STARTED | CALLER_UID, &c, &extra);

        (void) more;
        if (r >= 0 && !(c.target = strdup(c.account)))
                r = -ENOMEM;
        return r < 0 ? r : authorization_start(userdata, l, extra.gate ? &gate_open : &rule_open, &c, &extra, false);
}
