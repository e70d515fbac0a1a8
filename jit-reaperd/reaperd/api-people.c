/* SPDX-License-Identifier: Apache-2.0 */

/* What people ask through jitctl: live grants, their end, how the daemon is. Who may is decided from SO_PEERCRED. (Elevate: api-elevate.c.) */

#include <errno.h>
#include <stdio.h>

#include "approver-link.h"
#include "json.h"
#include "people.h"
#include "reap.h"
#include "reaper-api.h"
#include "session-record.h"
#include "uid-range.h"

static json_t *session_to_api(const Session *s) {
        json_t *j = session_to_json(s);

        /* Live ones all: their beginning has its own name there. */
        if (j && json_set_uint(j, "since", s->from_usec) >= 0)
                (void) json_object_del(j, "from");
        return j;
}

static json_t *grant_to_json(const Grant *g) {
        json_t *sessions = json_array(), *j;

        for (const Session *s = g->sessions; s; s = s->next) {
                json_t *o = session_to_api(s);
                if (!o || json_array_append_new(sessions, o) < 0)
                        break;
        }
        j = json_pack("{s:s,s:s,s:I,s:s,s:s,s:s,s:s*,s:s,s:s,s:o,s:I,s:I,s:s*,s:o}", "id", g->id, "account", grant_user(g), "uid",
                      (json_int_t) grant_user_uid(g), "way", grant_way_to_string(g->way), "state",
                      grant_state_to_string(g->state == GRANT_FORGOTTEN ? GRANT_REVOKING : g->state), "ticket", g->ticket, "title", g->title,
                      "requester", g->requester, "role", g->role ?: "", "approvers", json_from_strv(g->approvers), "since",
                      (json_int_t) g->since_usec, "until", (json_int_t) g->until_usec, "reason", g->end_reason, "sessions", sessions);
        if (j && g->way == WAY_ELEVATION)
                (void) json_set_opt(j, "rule", json_boolean(g->has_rule));
        return j;
}

/* Who asks: by SO_PEERCRED, and the name of a local account. Asked of no name service: see manager.h. */
typedef struct Asker {
        uid_t uid;
        char *person; /* NULL: root, or nobody's name */
} Asker;

static Asker asker_of(const VarlinkLink *l) {
        uid_t uid = varlink_link_uid(l);

        return (Asker){uid, uid == 0 ? NULL : person_by_uid(uid)};
}

static void asker_done(Asker *a) {
        free(a->person);
}
#define _cleanup_asker_ JIT_CLEANUP(asker_done)

/* root; the account itself; the person it is for. */
static bool may_see(const Grant *g, const Asker *a) {
        return a->uid == 0 || a->uid == grant_user_uid(g) || (a->person && streq(a->person, g->requester));
}

int vl_method_list_grants(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_asker_ Asker a = asker_of(l);
        json_t *list = json_array();
        Manager *m = userdata;

        (void) parameters, (void) more;
        for (const Grant *g = m->grants; g; g = g->next)
                if (may_see(g, &a) && g->state != GRANT_FORGOTTEN && (a.uid == 0 || g->state != GRANT_RESERVED))
                        (void) json_array_append_new(list, grant_to_json(g));
        return varlink_reply(l, json_pack("{s:o}", "grants", list));
}

typedef struct GrantQuery {
        char *grant, *reason;
} GrantQuery;

static int grant_query_parse(json_t *parameters, GrantQuery *ret) {
        static const JsonField table[] = {
                {"grant", JSON_FIELD_STRING, offsetof(GrantQuery, grant), 64, JSON_REQUIRED},
                {"reason", JSON_FIELD_STRING, offsetof(GrantQuery, reason), 200, 0},
                {},
        };

        return json_dispatch(parameters, table, ret, NULL);
}

static void grant_query_done(GrantQuery *q) {
        free(q->grant);
        free(q->reason);
}
#define _cleanup_grant_query_ JIT_CLEANUP(grant_query_done)

static int no_such_grant(VarlinkLink *l, const char *what) {
        return varlink_error(l, REAPER "NoSuchGrant", json_pack("{s:s}", "grant", what));
}

/* An account's name is not looked for in the list, which may be long; and it is not taken for another's ticket. */
static Grant *find_account(const Manager *m, const char *what, const Asker *a) {
        char account[ACCOUNT_NAME_MAX + 1];
        Grant *g = account_name_parse(what, account) < 0 ? NULL : grant_by_account(m, account);

        return g && may_see(g, a) ? g : NULL;
}

int vl_method_get_grant(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_asker_ Asker a = asker_of(l);
        _cleanup_grant_query_ GrantQuery q = {};
        Manager *m = userdata;
        const Grant *g;
        int r;

        (void) more;
        r = grant_query_parse(parameters, &q);
        if (r < 0)
                return r;
        g = find_account(m, q.grant, &a);
        for (const Grant *i = m->grants; !g && i; i = i->next)
                if (grant_matches(i, q.grant) && may_see(i, &a))
                        g = i;
        return g ? varlink_reply(l, json_pack("{s:o}", "grant", grant_to_json(g))) : no_such_grant(l, q.grant);
}

/* ---- revoking: the answer comes when all of it is gone ---- */

typedef struct Revocation {
        unsigned waiting;
        json_t *users;
} Revocation;

static void on_revoked(VarlinkLink *l, void *userdata) {
        Revocation *r = userdata;

        if (--r->waiting > 0)
                return;
        (void) varlink_reply(l, json_pack("{s:o}", "revoked", r->users));
        free(r);
}

static Revocation *revocation_new(void) {
        Revocation *r = malloc(sizeof(*r));

        if (r)
                *r = (Revocation){.waiting = 1, .users = json_array()};
        return r;
}

/* detail may be NULL. */
static void revoke_one(Grant *g, VarlinkLink *l, Revocation *r, const char *reason, const char *detail, const char *by) {
        const GrantRef ref = grant_ref(g);
        Manager *m = g->manager;
        Grant *left;

        (void) json_array_append_new(r->users, json_string(grant_user(g)));
        grant_revoke(g, reason, detail, by);
        left = grant_get(m, &ref);
        if (!left || left->state != GRANT_REVOKING)
                return;
        r->waiting++;
        if (reap_wait(left, l, on_revoked, r) < 0)
                r->waiting--;
}

static bool is_meant(const Grant *g, const char *what, const Asker *a) {
        return g->state != GRANT_FORGOTTEN && (streq(what, "*") || grant_matches(g, what)) && may_see(g, a);
}

int vl_method_revoke(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_asker_ Asker a = asker_of(l);
        _cleanup_grant_query_ GrantQuery q = {};
        Manager *m = userdata;
        Revocation *r;
        const char *by;
        char detail[300];
        Grant *one;
        int e;

        (void) more;
        e = grant_query_parse(parameters, &q);
        if (e < 0)
                return e;
        if (streq(q.grant, "*") && a.uid != 0)
                return -EPERM;
        r = revocation_new();
        if (!r)
                return -ENOMEM;
        by = a.uid == 0 ? "root" : a.person ?: "its own session";
        (void) snprintf(detail, sizeof(detail), "this grant was revoked by %s%s%s", by, q.reason ? ": " : "", q.reason ?: "");
        one = find_account(m, q.grant, &a);
        if (one)
                revoke_one(one, l, r, "revoked", detail, by);
        for (Grant *g = one ? NULL : m->grants, *next; g; g = next) {
                next = g->next;
                if (is_meant(g, q.grant, &a))
                        revoke_one(g, l, r, "revoked", detail, by);
        }
        if (json_array_size(r->users) == 0 && !streq(q.grant, "*")) {
                json_decref(r->users);
                free(r);
                return no_such_grant(l, q.grant);
        }
        on_revoked(l, r); /* our own share of the count */
        return 0;
}

/* The peer's own, and nobody else's, root's included: who elevated themselves may stop at any time. */
int vl_method_drop(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_asker_ Asker a = asker_of(l);
        Manager *m = userdata;
        Grant *g = grant_by_person(m, a.uid);
        Revocation *r;

        (void) parameters, (void) more;
        if (!g || g->state == GRANT_RESERVED)
                return no_such_grant(l, "elevation");
        r = revocation_new();
        if (!r)
                return -ENOMEM;
        revoke_one(g, l, r, "dropped", NULL, g->requester);
        on_revoked(l, r);
        return 0;
}

int vl_method_get_status(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        Manager *m = userdata;

        (void) parameters, (void) more;
        return varlink_reply(l, json_pack("{s:s,s:I,s:I,s:s,s:s,s:s}", "version", JIT_VERSION, "grants",
                                          (json_int_t) m->n_grants, "uidNext", (json_int_t) uid_range_next(m->uids), "approver",
                                          approver_link_state(m->approver), "audit", audit_trouble(m->audit) ?: "ok",
                                          "configuration", m->config_error ?: "ok"));
}
