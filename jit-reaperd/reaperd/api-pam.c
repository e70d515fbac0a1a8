/* SPDX-License-Identifier: Apache-2.0 */

/* PAM about our own accounts: Authenticate, Authorize (account phase), OpenSession (session phase). Root only.
 *
 * sshd and login prove who somebody is, and make a session of their own. su, sudo -u and run0 change the user of a process that is somebody's
 * already: there the kernel's word for who that is must be the requester's name (origin.h), and the process goes into a scope. */

#include <errno.h>

#include "account-end.h"
#include "approver-link.h"
#include "authorization.h"
#include "grant-recheck.h"
#include "json.h"
#include "log.h"
#include "pam-service.h"
#include "paths.h"
#include "reaper-api.h"
#include "session.h"
#include "timefmt.h"
#include "used-ticket.h"

#define AGAIN "the ticket changed or the account went while you logged in; try again"
#define REMOVING "an earlier session of this ticket is being removed; try again in a moment"
#define UNREACHABLE "the approval service does not answer, so nothing can be granted now; try again later"

/* The process lives and dies with the grant already. */
static bool is_inside(const Authorization *a, const Grant *g) {
        return a->origin.inside == g && g->state == GRANT_ACTIVE;
}

/* Whether who asks may have this account: NULL, or a reason code. A login UID is the account's own after pam_loginuid(8), and is not set before it:
 * any other was there before, and is whose process this is. */
static const char *account_fault(const Authorization *a, const Grant *g, const char **ret_message) {
        const Role *role = grant_role(g);
        uid_t login_uid = a->origin.login_uid;

        if (!pam_service_elevates(a->caller.service) && (login_uid == UID_NONE || login_uid == g->uid))
                return NULL;
        return origin_fault(&a->origin, g->requester, role && role->workloads, ret_message);
}

/* What all three begin with. NULL: answered. */
static Grant *account_grant(Authorization *a) {
        Grant *g = grant_by_account(a->manager, a->caller.account);
        const char *reason, *message = "this account is somebody else's";

        if (!g) {
                authorization_dismiss(a, "session-unknown", "the login took too long; try again");
                return NULL;
        }
        authorization_bind(a, g);
        if (!is_inside(a, g) && account_end_is_after(a->manager, g->account, a->origin.pid_start)) {
                authorization_refuse(a, "try-again", "an earlier grant of this account has ended while you asked for it; start again");
                return NULL;
        }
        if (g->state == GRANT_REVOKING) {
                authorization_refuse(a, "try-again", REMOVING);
                return NULL;
        }
        reason = is_inside(a, g) ? NULL : account_fault(a, g, &message);
        if (reason) {
                authorization_refuse(a, reason, message);
                return NULL;
        }
        return g;
}

static void allow(Authorization *a, const Grant *g, uint64_t left_usec) {
        _cleanup_free_ char *message = authorization_welcome(g, left_usec);

        authorization_allow(a, "approved", message ?: "", left_usec);
}

static void allow_active(Authorization *a, const Grant *g) {
        allow(a, g, authorization_left_usec(g, 0));
}

/* ---- Authenticate ---- */

static void authenticate_begin(Authorization *a) {
        if (account_grant(a))
                authorization_allow(a, "requester", "", 0);
}

static const AuthorizationKind authenticate = {.way = "account", .begin = authenticate_begin};

int vl_method_authenticate(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_ Caller c = {};
        int r = caller_parse(parameters, 0, &c, NULL);

        (void) more;
        return r < 0 ? r : authorization_start(userdata, l, &authenticate, &c, NULL, false);
}

/* ---- Authorize ---- */

static void refuse_used(Authorization *a, const Grant *g) {
        char message[160];

        (void) snprintf(message, sizeof(message), "%s has been used, and the role %s lets a ticket be used only once; ask for a new one",
                        g->ticket, g->role);
        authorization_refuse(a, "ticket-used", message);
}

/* A yes of jit-approverd's: what only this host knows may still be against it. */
static void authorize_allowed(Authorization *a, Grant *g, Verdict *v) {
        const Role *role;
        uint64_t left;

        if (grant_update(g, v) < 0) {
                authorization_refuse(a, "ticket-changed", "the ticket is not the one this account was made for");
                return;
        }
        role = grant_role(g);
        if (!role) {
                authorization_refuse(a, "role-unknown", "this host does not know the ticket's role");
                return;
        }
        if (!(role->ways & ROLE_WAY_ACCOUNT)) {
                authorization_refuse(a, "way-not-allowed", "the ticket's role gives no account of its own on this host; try jitctl elevate, or sudo");
                return;
        }
        left = authorization_left_usec(g, authorization_allowed_usec(role, v));
        if (authorization_allowed_usec(role, v) < USEC_PER_SEC || left < USEC_PER_SEC) {
                authorization_refuse(a, "too-late", "the ticket's time is over");
                return;
        }
        if (g->state == GRANT_RESERVED && used_ticket_is_marked(g) && !grant_sibling(g)) {
                refuse_used(a, g);
                return;
        }
        if (g->state == GRANT_RESERVED) {
                g->allowed_usec = left;
                g->authorized = true;
                g->authorized_usec = now_usec(CLOCK_BOOTTIME) + AUTHORIZED_USEC;
        } else
                grant_answered(g);
        allow(a, g, left);
}

static void authorize_finish(Authorization *a, Verdict *v) {
        Grant *g = authorization_grant(a);
        bool revoke;

        if (!g)
                authorization_refuse(a, "try-again", AGAIN);
        else if (!v)
                authorization_refuse(a, "provider-unreachable", UNREACHABLE);
        else if (v->decision == DECISION_ALLOW)
                authorize_allowed(a, g, v);
        else {
                revoke = g->state == GRANT_ACTIVE && !verdict_is_no_answer(v);
                authorization_refuse(a, v->reason, v->message);
                if (revoke)
                        grant_revoke(g, v->reason, v->message, NULL);
        }
}

static void authorize_begin(Authorization *a) {
        const Grant *g = account_grant(a);

        if (!g)
                return;
        if (is_inside(a, g))
                allow_active(a, g);
        else
                authorization_ask(a);
}

/* Only who logs in first waits: an approval that is withdrawn from a live grant ends it. */
static bool authorize_lasts(Authorization *a, uint64_t until_usec) {
        Grant *g = authorization_grant(a);

        return g && g->state == GRANT_RESERVED && grant_extend(g, until_usec) >= 0;
}

static const AuthorizationKind authorize = {
        .way = "account", .begin = authorize_begin, .finish = authorize_finish, .lasts = authorize_lasts};

int vl_method_authorize(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_extra_ CallerExtra extra = {};
        _cleanup_caller_ Caller c = {};
        int r = caller_parse(parameters, CALLER_WAIT, &c, &extra);

        if (r >= 0 && !(c.target = strdup(c.account)))
                r = -ENOMEM;
        return r < 0 ? r : authorization_start(userdata, l, &authorize, &c, &extra, more);
}

/* ---- OpenSession ---- */

static json_t *pam_data(const Grant *g) {
        const Role *role = grant_role(g);
        json_t *data = json_object();
        char text[32];

        /* pam_systemd(8): systemd.runtime_max_sec. PID 1 ends the session's scope by itself at the deadline. */
        (void) snprintf(text, sizeof(text), "%llums", (unsigned long long) (authorization_left_usec(g, 0) / USEC_PER_MSEC));
        (void) json_set_str(data, "systemd.runtime_max_sec", text);
        if (role && role->tasks_max > 0) {
                (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) role->tasks_max);
                (void) json_set_str(data, "systemd.tasks_max", text);
        }
        if (role && role->memory_max > 0) {
                (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) role->memory_max);
                (void) json_set_str(data, "systemd.memory_max", text);
        }
        return data;
}

static json_t *environment(const Grant *g) {
        const Role *role = grant_role(g);
        char until[TIME_TEXT_MAX];
        json_t *env = json_pack("{s:s,s:s,s:s}", "JIT_TICKET", g->ticket, "JIT_GRANT", g->id, "JIT_DEADLINE",
                                time_format_rfc3339(g->until_usec, until));

        if (role && role->record == ROLE_RECORD_TLOG)
                (void) json_set_str(env, "TLOG_REC_SESSION_SHELL", role->shell); /* tlog-rec-session(8): what it starts */
        return env;
}

static void reply_opened(Authorization *a, const Grant *g) {
        char home[64];

        (void) snprintf(home, sizeof(home), "%s/%s", HOME_ROOT, g->account);
        varlink_link_mute(a->link);
        (void) varlink_reply(a->link, json_pack("{s:I,s:s,s:I,s:o,s:o}", "session", (json_int_t) varlink_link_pid(a->link), "home", home,
                                                "until", (json_int_t) g->until_usec, "pamData", pam_data(g), "env", environment(g)));
        authorization_free(a);
}

static void on_scope(Session *s, int r, void *userdata) {
        Authorization *a = userdata;

        if (r < 0)
                authorization_refuse_open(a, r);
        else
                reply_opened(a, s->grant);
}

static void open_session_begin(Authorization *a) {
        Grant *g = account_grant(a);
        int r;

        if (!g)
                return;
        if (is_inside(a, g)) {
                reply_opened(a, g);
                return;
        }
        if (!grant_is_authorized(g)) {
                authorization_dismiss(a, "session-unknown", "there is no grant for this session; log in again");
                return;
        }
        if (g->state == GRANT_RESERVED)
                authorization_start_clock(g); /* it starts here, at the login */
        if (pam_service_elevates(a->caller.service)) {
                r = session_open_scope(g, a->link, &a->caller, &a->origin, a->account, on_scope, a);
                if (r < 0)
                        authorization_refuse_open(a, r);
                return;
        }
        r = session_open(g, a->link, &a->caller);
        if (r < 0)
                authorization_refuse_open(a, r);
        else
                reply_opened(a, g);
}

static const AuthorizationKind open_session = {.way = "account", .is_error = true, .begin = open_session_begin};

int vl_method_open_session(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_ Caller c = {};
        int r = caller_parse(parameters, 0, &c, NULL);

        (void) more;
        return r < 0 ? r : authorization_start(userdata, l, &open_session, &c, NULL, false);
}
