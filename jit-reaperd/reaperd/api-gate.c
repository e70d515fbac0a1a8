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

/* Root itself: a service of the host's, or root's own login. */
static bool is_root(const Origin *o) {
        return o->real_uid == 0 && (o->login_uid == UID_NONE || o->login_uid == 0);
}

/* Lives and dies with a grant already. */
static bool is_inside(const Origin *o) {
        return o->inside && o->inside->state == GRANT_ACTIVE;
}

/* An elevation with a rule of its own is the person's, wherever they are logged in; one that a ticket opened at a terminal is that terminal's. */
static bool is_open_here(const Authorization *a, const Grant *g) {
        return g->state == GRANT_ACTIVE &&
               ((g->has_rule && session_is_elevated(g)) || session_elevated_here(g, a->caller.tty, &a->origin));
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
        const Grant *g;

        if (is_root(&a->origin) || is_inside(&a->origin)) {
                authorization_allow(a, "not-needed", "", 0);
                return;
        }
        if (!elevation_identify(a, true))
                return;
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

/* The grant of a person whose own account has a sudo rule of ours. sudo(8) goes by the real UID, whoever has logged in: but what alice's cron job or
 * somebody who has become alice by su(1) may do is not what alice was elevated for. NULL: answered. */
static Grant *grant_of_rule(Authorization *a) {
        uid_t uid = a->origin.real_uid;
        Grant *g;

        if (uid != 0 && elevated_marker_bars(a->manager, uid, a->origin.pid_start)) {
                authorization_refuse(a, "not-elevated", "your elevation is over, and this was started before; start it again");
                return NULL;
        }
        g = uid == 0 ? NULL : grant_by_person(a->manager, uid);
        if (!g || !g->has_rule || g->state == GRANT_RESERVED) {
                reply_unbound(a);
                return NULL;
        }
        if (g->state == GRANT_ACTIVE && !session_is_elevated(g)) {
                authorization_refuse(a, "not-elevated", "your elevation is over: only what it started goes on");
                return NULL;
        }
        if (a->origin.login_uid != uid) {
                authorization_refuse(a, a->origin.login_uid == UID_NONE ? "caller-unknown" : "caller-mismatch",
                                     "only the login of the one who is elevated may use that");
                return NULL;
        }
        if (g->state != GRANT_ACTIVE) {
                elevation_refuse_second(a, g);
                return NULL;
        }
        authorization_bind(a, g);
        return g;
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

/* su(1) inside a grant: pam_systemd(8), which comes before us in its stack, knows of sessions of logind's alone, has made a new one, and moved the
 * process there. It goes back under the same grant's deadline; that new session is none that it should end with. */
static void open_inside(Authorization *a) {
        Grant *g = grant_of_slice(a->manager, a->extra.inside);
        int r;

        if (!g) {
                authorization_refuse(a, "not-elevated", "the grant that this was started under is over");
                return;
        }
        authorization_bind(a, g);
        free(take_ptr(a->origin.session));
        r = session_open_scope(g, a->link, &a->caller, &a->origin, a->caller.account, on_scope, a);
        if (r < 0)
                authorization_refuse_open(a, r);
}

static void open_elevation_begin(Authorization *a) {
        const Origin *o = &a->origin;
        Grant *g;
        int r;

        if (is_inside(o) || (a->extra.gate && !a->extra.inside && is_root(o))) {
                reply_unbound(a);
                return;
        }
        if (a->extra.inside) {
                open_inside(a);
                return;
        }
        if (o->transient) {
                authorization_refuse(a, "transient-caller", "a session by a ticket gets no rights by another one; ask from your own login");
                return;
        }
        g = a->extra.gate ? grant_of_decision(a) : grant_of_rule(a);
        if (!g)
                return;
        r = open_here(a, g);
        if (r >= 0)
                r = session_open_scope(g, a->link, &a->caller, o, a->caller.account, on_scope, a);
        if (r < 0)
                take_back(a, r);
}

static const AuthorizationKind open_by_gate = {.way = "gate", .is_error = true, .begin = open_elevation_begin};
static const AuthorizationKind open_by_rule = {.way = "elevate", .is_error = true, .begin = open_elevation_begin};

int vl_method_open_elevation(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_extra_ CallerExtra extra = {};
        _cleanup_caller_ Caller c = {};
        int r = caller_parse_any(parameters, CALLER_GATE | CALLER_INSIDE | CALLER_DECISION, &c, &extra);

        (void) more;
        if (r >= 0 && !(c.target = strdup(c.account)))
                r = -ENOMEM;
        return r < 0 ? r : authorization_start(userdata, l, extra.gate ? &open_by_gate : &open_by_rule, &c, &extra, false);
}
