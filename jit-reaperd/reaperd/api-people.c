/* SPDX-License-Identifier: Apache-2.0 */

/* What people ask through jitctl: live grants, their end, how the daemon is. Who may is decided from SO_PEERCRED. */

#include <errno.h>

#include "approver-link.h"
#include "json.h"
#include "people.h"
#include "reap.h"
#include "reaper-api.h"
#include "session.h"
#include "uid-range.h"

static json_t *session_to_api(const Session *s) {
        return json_pack("{s:s*,s:s,s:s*,s:s*,s:I,s:I}", "id", s->logind_id, "service", s->service, "rhost", s->rhost, "tty",
                         s->tty, "pid", (json_int_t) s->pid, "since", (json_int_t) s->from_usec);
}

static json_t *grant_to_json(const Grant *g) {
        json_t *sessions = json_array(), *j;

        for (const Session *s = g->sessions; s; s = s->next) {
                json_t *o = session_to_api(s);
                if (!o || json_array_append_new(sessions, o) < 0)
                        break;
        }
        j = json_pack("{s:s,s:s,s:I,s:s,s:s,s:s*,s:s,s:s,s:o,s:I,s:I,s:s*,s:o}", "id", g->id, "account", g->account, "uid",
                      (json_int_t) g->uid, "state", grant_state_to_string(g->state == GRANT_FORGOTTEN ? GRANT_REVOKING : g->state), "ticket", g->ticket, "title", g->title,
                      "requester", g->requester, "role", g->role ?: "", "approvers", json_from_strv(g->approvers), "since",
                      (json_int_t) g->since_usec, "until", (json_int_t) g->until_usec, "reason", g->end_reason, "sessions",
                      sessions);
        return j;
}

/* root; the account itself; the person it is for, by the name of a local account. Asked of no name service: see manager.h. */
static bool may_see(const Grant *g, uid_t uid, const char *person) {
        return uid == 0 || uid == g->uid || (person && streq(person, g->requester));
}

int vl_method_list_grants(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        uid_t uid = varlink_link_uid(l);
        _cleanup_free_ char *person = uid == 0 ? NULL : person_by_uid(uid);
        json_t *list = json_array();
        Manager *m = userdata;

        (void) parameters, (void) more;
        for (const Grant *g = m->grants; g; g = g->next)
                if (may_see(g, uid, person) && g->state != GRANT_FORGOTTEN && (uid == 0 || g->state != GRANT_RESERVED))
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

static Grant *find_for(Manager *m, const VarlinkLink *l, const char *what) {
        uid_t uid = varlink_link_uid(l);
        _cleanup_free_ char *person = uid == 0 ? NULL : person_by_uid(uid);
        Grant *g = grant_find(m, what);

        return g && may_see(g, uid, person) ? g : NULL;
}

int vl_method_get_grant(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_grant_query_ GrantQuery q = {};
        const Grant *g;
        int r;

        (void) more;
        r = grant_query_parse(parameters, &q);
        if (r < 0)
                return r;
        g = find_for(userdata, l, q.grant);
        return g ? varlink_reply(l, json_pack("{s:o}", "grant", grant_to_json(g))) : no_such_grant(l, q.grant);
}

/* ---- revoking: the answer comes when all of it is gone ---- */

typedef struct Revocation {
        unsigned waiting;
        json_t *accounts;
} Revocation;

static void on_revoked(VarlinkLink *l, void *userdata) {
        Revocation *r = userdata;

        if (--r->waiting > 0)
                return;
        (void) varlink_reply(l, json_pack("{s:o}", "revoked", r->accounts));
        free(r);
}

static void revoke_one(Grant *g, VarlinkLink *l, Revocation *r, const char *reason, const char *by) {
        Manager *m = g->manager;
        char account[ACCOUNT_NAME_MAX + 1], id[17], detail[300];
        Grant *left;

        memcpy(account, g->account, sizeof(account));
        memcpy(id, g->id, sizeof(id));
        (void) json_array_append_new(r->accounts, json_string(account));
        (void) snprintf(detail, sizeof(detail), "this grant was revoked by %s%s%s", by, reason ? ": " : "", reason ?: "");
        grant_revoke(g, "revoked", detail, by);
        left = grant_by_account(m, account);
        if (!left || !streq(left->id, id) || left->state != GRANT_REVOKING)
                return;
        r->waiting++;
        if (reap_wait(left, l, on_revoked, r) < 0)
                r->waiting--;
}

int vl_method_revoke(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_grant_query_ GrantQuery q = {};
        _cleanup_free_ char *by = NULL;
        Manager *m = userdata;
        Revocation *r;
        Grant *one = NULL;
        int e;

        (void) more;
        e = grant_query_parse(parameters, &q);
        if (e < 0)
                return e;
        by = person_by_uid(varlink_link_uid(l));
        if (!streq(q.grant, "*")) {
                one = find_for(m, l, q.grant);
                if (!one)
                        return no_such_grant(l, q.grant);
        } else if (varlink_link_uid(l) != 0)
                return -EPERM;
        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        *r = (Revocation){.waiting = 1, .accounts = json_array()};
        if (one)
                revoke_one(one, l, r, q.reason, by ?: "its own session");
        else
                for (Grant *g = m->grants, *next; g; g = next) {
                        next = g->next;
                        revoke_one(g, l, r, q.reason, by ?: "root");
                }
        on_revoked(l, r); /* our own share of the count */
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
