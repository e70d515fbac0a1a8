/* SPDX-License-Identifier: Apache-2.0 */

/* How a session begins, and with the first one its grant: the record first, then its effects, then whoever waits is told. */

#include <errno.h>

#include "artefact.h"
#include "cgroup-path.h"
#include "deadline-guard.h"
#include "grant-log.h"
#include "grant-notice.h"
#include "grant-recheck.h"
#include "grant-record.h"
#include "json.h"
#include "log.h"
#include "origin.h"
#include "session-record.h"
#include "terminal.h"
#include "timefmt.h"
#include "used-ticket.h"

enum { SESSIONS_MAX = 128 }; /* at one time under one grant */

typedef struct Opening {
        session_opened_t opened;
        void *userdata;
        VarlinkLink *link;
} Opening;

static void opening_done(Opening *o, Session *s, int r) {
        o->opened(s, r, o->userdata);
        varlink_link_unref(o->link);
        free(o);
}

void session_opening_cancel(void *opening) {
        if (opening)
                opening_done(opening, NULL, -ECANCELED);
}

/* ---- what a grant's first session makes ---- */

static int make_account(const Grant *g) {
        int r = manager_mask_make(g);

        if (r >= 0)
                r = keys_file_make(g, g->until_usec);
        if (r >= 0)
                r = home_make(g);
        if (r >= 0)
                r = sudoers_file_make(g);
        return r;
}

/* A rule without its marker would let sudo start what nobody binds to the deadline. */
static int make_elevation(const Grant *g) {
        int r = g->has_rule ? elevated_marker_make(g) : 0;

        return r < 0 || !g->has_rule ? r : sudoers_file_make(g);
}

/* A grant without its line in the audit file is none. */
static int audit_active(const Grant *g) {
        bool elevation = g->way == WAY_ELEVATION;
        json_t *event = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s*,s:s,s:s,s:o,s:I}", "event", "grant.active", "grant", g->id, "way",
                                  elevation ? "elevation" : "account", "account", grant_user(g), "uid",
                                  (json_int_t) (elevation ? g->person_uid : g->uid), "ticket", g->ticket, "digest", g->digest, "requester",
                                  g->requester, "role", g->role, "approvers", json_from_strv(g->approvers), "until",
                                  (json_int_t) g->until_usec);
        int r;

        if (elevation)
                (void) json_set_opt(event, "rule", json_boolean(g->has_rule));
        r = audit_write(g->manager->audit, event, false);
        if (r >= 0)
                grant_log(g, LOG_NOTICE, "approved", "%s of %s is active as %s (role %s)", g->ticket, g->requester, grant_user(g), g->role);
        return r;
}

/* RESERVED to ACTIVE: first what will be, in the record, then its effects. */
static int activate(Grant *g) {
        int r = grant_recording_check(g);

        if (r < 0)
                return r;
        g->state = GRANT_ACTIVE;
        r = grant_record_save(g);
        if (r >= 0)
                r = grant_record_save_live(g);
        if (r >= 0)
                r = used_ticket_mark(g);
        if (r >= 0)
                r = g->way == WAY_ELEVATION ? make_elevation(g) : make_account(g);
        if (r >= 0)
                r = grant_arm(g);
        if (r >= 0)
                r = audit_active(g);
        if (r < 0)
                return r;
        g->keys = strv_free(g->keys); /* in the file, and needed no more */
        grant_recheck_begin(g);
        grant_notice_start(g);
        return 0;
}

static void audit_session(const Session *s) {
        json_t *event = session_to_json(s);

        if (event) {
                (void) json_set_str(event, "event", "session.open");
                (void) json_set_str(event, "grant", s->grant->id);
                (void) json_set_str(event, "account", grant_user(s->grant));
        }
        if (!event || audit_write(s->grant->manager->audit, event, false) < 0)
                log_warning("Cannot write the audit line of a session of %s, ignoring", grant_user(s->grant));
}

/* ---- into the grant, and out again ---- */

static bool has_too_many_sessions(const Grant *g) {
        unsigned n = 0;

        for (const Session *s = g->sessions; s; s = s->next)
                n++;
        return n >= SESSIONS_MAX;
}

static int copy_text(char **to, const char *from) {
        *to = from ? strdup(from) : NULL;
        return *to || !from ? 0 : -ENOMEM;
}

static int prepare(Grant *g, SessionKind kind, VarlinkLink *link, const Caller *c, const char *target, Session **ret) {
        Session *s;

        if (g->state != GRANT_RESERVED && g->state != GRANT_ACTIVE)
                return -ESRCH;
        s = has_too_many_sessions(g) ? NULL : session_new(g);
        if (!s)
                return -ENOMEM;
        s->kind = kind;
        s->pid = varlink_link_pid(link);
        s->from_usec = now_usec(CLOCK_REALTIME);
        if (copy_text(&s->service, c->service) < 0 || copy_text(&s->rhost, c->rhost) < 0 || copy_text(&s->tty, c->tty) < 0 ||
            copy_text(&s->target, target) < 0) {
                session_free(s);
                return -ENOMEM;
        }
        *ret = s;
        return 0;
}

static const char *failure_reason(int r) {
        switch (r) {
        case -ENOSPC:
                return "no-space";
        case -ESRCH: /* the caller has gone away meanwhile */
                return "session-ended";
        case -ENODATA:
        case -EOPNOTSUPP: /* no sudo rule can be made of this ticket, or on this host */
                return "way-not-allowed";
        default:
                return "internal";
        }
}

/* Half made: the one way out takes all of it back, and says so in the receipt. */
static void give_up(Session *s, int r) {
        Grant *g = s->grant;

        session_unlink(s);
        session_free(s);
        if (g->sessions || g->state != GRANT_ACTIVE)
                return;
        if (!grant_sibling(g))
                used_ticket_unmark(g);
        grant_revoke(g, failure_reason(r), NULL, NULL);
}

/* r: how it has gone so far. On failure s is gone. */
static int join(Session *s, int r) {
        Grant *g = s->grant;

        if (r < 0) {
                session_free(s);
                return r;
        }
        session_link(s);
        r = g->state == GRANT_RESERVED ? activate(g) : grant_record_save(g);
        if (r < 0)
                give_up(s, r);
        return r;
}

/* ---- a login ---- */

int session_open(Grant *g, VarlinkLink *link, const Caller *caller) {
        Session *s;
        int r = prepare(g, SESSION_LOGIN, link, caller, NULL, &s);

        if (r >= 0)
                r = join(s, session_watch_process(s));
        if (r < 0)
                return r;
        session_watch_login(s, link);
        audit_session(s);
        return 0;
}

/* ---- a scope ---- */

/* su(1) inside a scope of the grant: pam_systemd has moved it to a session of its own, and its parent is there yet. */
static const Session *scope_around(const Session *s, const Origin *o) {
        char unit[SCOPE_UNIT_SIZE];
        CgroupPlace place;

        if (o->parent <= 1 || cgroup_place_of(o->parent, &place) < 0)
                return NULL;
        for (const Session *i = s->grant->sessions; i; i = i->next)
                if (i->kind == SESSION_SCOPE && streq(place.unit, scope_unit(i, unit)))
                        return i;
        return NULL;
}

/* What tmux or user@.service has started is in no login session, or in one that is over: any other login of the same person keeps it then. */
static int watch_login(Session *s, const Origin *o, bool any) {
        int r = o->session ? login_session_watch(s, o->login_uid, o->session, any, &s->from) : -ENXIO;

        return r == -ENXIO ? login_session_watch(s, o->login_uid, NULL, true, &s->from) : r;
}

/* A service has no login session, and needs none. */
static int watch_caller(Session *s, const Origin *o) {
        const Role *role = grant_role(s->grant);
        const Session *around = o->session ? NULL : scope_around(s, o);
        int r;

        if (o->login_uid == UID_NONE || (role && !role->end_with_caller))
                return 0;
        if (around && around->from)
                return login_session_watch(s, o->login_uid, login_session_id(around->from), login_session_is(around->from, NULL), &s->from);
        r = watch_login(s, o, false);
        return r == -ENXIO && !o->session ? 0 : r;
}

static bool has_guarded(const Session *s) {
        while (s && !s->guarded)
                s = s->next;
        return s;
}

/* By the first alone: PID 1 is busy with the scope already. */
static void guard_deadline(Session *s) {
        if (has_guarded(s->grant->sessions) || has_guarded(s->grant->past))
                return;
        deadline_guard_start(s->grant);
        s->guarded = true;
}

static void on_scope_started(Session *s, int r, void *userdata) {
        Opening *o = userdata;

        if (r >= 0 && s->grant->state != GRANT_ACTIVE) { /* its end has begun meanwhile, and takes this with the rest */
                session_kill(s);
                opening_done(o, NULL, -ESRCH);
                return;
        }
        if (r < 0) {
                give_up(s, r);
                opening_done(o, NULL, r);
                return;
        }
        /* From here on the cgroup is the witness: the process may go and leave others behind. */
        s->pidfd = sd_event_source_disable_unref(s->pidfd);
        guard_deadline(s);
        audit_session(s);
        opening_done(o, s, 0);
}

/* The process that asked, still itself, and where it comes from. */
static int watch_origin(Session *s, const Origin *o) {
        if (s->pid != o->pid)
                return -ESRCH;
        s->pid_start = o->pid_start;
        return session_watch_process(s);
}

static int start_scope(Session *s, VarlinkLink *link, session_opened_t opened, void *userdata) {
        Opening *o = malloc(sizeof(*o));
        int r;

        if (!o)
                return -ENOMEM;
        *o = (Opening){opened, userdata, varlink_link_ref(link)};
        r = scope_start(s, on_scope_started, o, &s->scope);
        if (r < 0) {
                varlink_link_unref(link);
                free(o);
        }
        return r;
}

int session_open_scope(Grant *g, VarlinkLink *link, const Caller *caller, const Origin *o, const char *target, session_opened_t opened,
                       void *userdata) {
        Session *s;
        int r = prepare(g, SESSION_SCOPE, link, caller, target, &s);

        if (r < 0)
                return r;
        r = watch_origin(s, o);
        if (r >= 0)
                r = watch_caller(s, o);
        r = join(s, r);
        if (r < 0)
                return r;
        r = start_scope(s, link, opened, userdata);
        if (r < 0)
                give_up(s, r);
        return r;
}

/* ---- an elevation ---- */

int session_open_elevated(Grant *g, VarlinkLink *link, const Caller *caller, const Origin *o, bool by_terminal) {
        Session *s;
        int r = prepare(g, SESSION_ELEVATED, link, caller, NULL, &s);

        if (r < 0)
                return r;
        s->pid_start = o->pid_start;
        r = join(s, watch_login(s, o, !by_terminal));
        if (r >= 0)
                audit_session(s);
        return r;
}

Session *session_elevated_here(const Grant *g, const char *tty, const Origin *o) {
        if (g->state != GRANT_ACTIVE)
                return NULL;
        for (Session *s = g->sessions; s; s = s->next) {
                if (s->kind != SESSION_ELEVATED || !s->from)
                        continue;
                if (tty && *tty ? s->tty && terminal_is_same(tty, s->tty) && (!o->session || login_session_is(s->from, o->session))
                                : !(s->tty && *s->tty) && o->session && streq(login_session_id(s->from), o->session))
                        return s;
        }
        return NULL;
}
