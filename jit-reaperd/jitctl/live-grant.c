/* SPDX-License-Identifier: Apache-2.0 */

#include <time.h>

#include "client.h"
#include "fetched.h"
#include "json.h"
#include "live-grant.h"
#include "strv.h"

static const JsonField grant_fields[] = {
                {"id", JSON_FIELD_STRING, offsetof(LiveGrant, id), 128, JSON_REQUIRED},
                {"account", JSON_FIELD_STRING, offsetof(LiveGrant, account), 64, JSON_REQUIRED},
                {"uid", JSON_FIELD_UINT, offsetof(LiveGrant, uid), UINT32_MAX, JSON_REQUIRED},
                {"way", JSON_FIELD_STRING, offsetof(LiveGrant, way), 32, JSON_REQUIRED},
                {"rule", JSON_FIELD_BOOL, offsetof(LiveGrant, rule), 0, 0},
                {"state", JSON_FIELD_STRING, offsetof(LiveGrant, state), 32, JSON_REQUIRED},
                {"ticket", JSON_FIELD_STRING, offsetof(LiveGrant, ticket), 64, JSON_REQUIRED},
                {"title", JSON_FIELD_TEXT, offsetof(LiveGrant, title), 1024, 0},
                {"requester", JSON_FIELD_STRING, offsetof(LiveGrant, requester), 64, JSON_REQUIRED},
                {"role", JSON_FIELD_STRING, offsetof(LiveGrant, role), 64, JSON_REQUIRED},
                {"approvers", JSON_FIELD_STRV, offsetof(LiveGrant, approvers), 128, 0},
                {"since", JSON_FIELD_UINT, offsetof(LiveGrant, since), INT64_MAX, JSON_REQUIRED},
                {"until", JSON_FIELD_UINT, offsetof(LiveGrant, until), INT64_MAX, JSON_REQUIRED},
                {"reason", JSON_FIELD_TEXT, offsetof(LiveGrant, reason), 1024, 0},
                {"sessions", JSON_FIELD_ARRAY, offsetof(LiveGrant, sessions), 0, 0},
                {0},
};

typedef struct LiveSession {
        char *id, *kind, *service, *rhost, *tty, *target, *unit;
        uint64_t pid, since;
} LiveSession;

static const JsonField session_fields[] = {
                {"id", JSON_FIELD_STRING, offsetof(LiveSession, id), 128, 0},
                {"kind", JSON_FIELD_STRING, offsetof(LiveSession, kind), 32, JSON_REQUIRED},
                {"service", JSON_FIELD_STRING, offsetof(LiveSession, service), 128, JSON_REQUIRED},
                {"rhost", JSON_FIELD_STRING, offsetof(LiveSession, rhost), 512, 0},
                {"tty", JSON_FIELD_STRING, offsetof(LiveSession, tty), 128, 0},
                {"pid", JSON_FIELD_UINT, offsetof(LiveSession, pid), INT32_MAX, 0},
                {"since", JSON_FIELD_UINT, offsetof(LiveSession, since), INT64_MAX, 0},
                {"target", JSON_FIELD_STRING, offsetof(LiveSession, target), 64, 0},
                {"unit", JSON_FIELD_STRING, offsetof(LiveSession, unit), 256, 0},
                {0},
};

int live_grant_parse(const json_t *grant, LiveGrant *ret) {
        return client_dispatch(SERVICE_REAPER, grant, grant_fields, ret);
}

void live_grant_done(LiveGrant *g) {
        free(g->id);
        free(g->account);
        free(g->way);
        free(g->state);
        free(g->ticket);
        free(g->title);
        free(g->requester);
        free(g->role);
        strv_free(g->approvers);
        free(g->reason);
        json_decref(g->sessions);
}

static void live_session_done(LiveSession *s) {
        free(s->id);
        free(s->kind);
        free(s->service);
        free(s->rhost);
        free(s->tty);
        free(s->target);
        free(s->unit);
}

const char *grant_way(const char *way, bool rule, const char **ret_means) {
        const char *means = NULL;

        if (streq(way, "account"))
                means = "an account that lives as long as the grant";
        else if (streq(way, "elevation")) {
                way = rule ? "elevate" : "gate";
                means = rule ? "the person's own account, by sudo rules of the role"
                             : "the person's own account, by the host's own sudo rules";
        }
        if (ret_means)
                *ret_means = means;
        return way;
}

const char *live_grant_ends(const LiveGrant *g, char *ret, size_t size) {
        uint64_t now = now_usec(CLOCK_REALTIME);
        char span[TIME_TEXT_MAX];

        if (g->until == 0) /* reserved: the clock starts at the login */
                (void) snprintf(ret, size, "-");
        else if (g->until <= now)
                (void) snprintf(ret, size, "now");
        else
                (void) snprintf(ret, size, "in %s", time_format_span(g->until - now, span));
        return ret;
}

/* "sshd from ::1 on ssh, since 2026-11-22T06:03:33Z, process 7, logind session 5"
 * "sudo to root on pts/1, since 2026-11-22T06:03:33Z, process 7, jit-0123456789abcdef-7.scope"
 * "elevated on pts/1, since ..., process 7": by that jitctl(1) or sudo(8) */
static int show_session(Table *t, const char *name, const json_t *session) {
        JIT_CLEANUP(live_session_done) LiveSession s = {0};
        char since[TIME_TEXT_MAX];
        int status = client_dispatch(SERVICE_REAPER, session, session_fields, &s);

        if (status != STATUS_OK)
                return status;
        table_pairf(t, name, COLOR_NONE, "%s%s%s%s%s%s%s, since %s, process %ju%s%s%s%s",
                    streq(s.kind, "elevated") ? "elevated" : s.service, s.target && *s.target ? " to " : "",
                    s.target ? s.target : "", s.rhost && *s.rhost ? " from " : "", s.rhost ? s.rhost : "",
                    s.tty && *s.tty ? " on " : "", s.tty ? s.tty : "", time_format_rfc3339(s.since, since),
                    (uintmax_t) s.pid, s.id ? ", logind session " : "", s.id ? s.id : "", s.unit ? ", " : "",
                    s.unit ? s.unit : "");
        return STATUS_OK;
}

int live_grant_print(const json_t *grant, bool colors) {
        JIT_CLEANUP(live_grant_done) LiveGrant g = {0};
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
        char since[TIME_TEXT_MAX], until[TIME_TEXT_MAX], ends[TIME_TEXT_MAX + 8];
        const char *way, *means = NULL;
        json_t *session;
        size_t i;
        int status = live_grant_parse(grant, &g);

        if (status != STATUS_OK)
                return status;
        if (!t)
                return say_no_memory();
        way = grant_way(g.way, g.rule, &means);
        table_pair(t, "Grant", g.id, COLOR_STRONG);
        table_pair(t, "State", g.state, state_color(g.state));
        table_pairf(t, "Account", COLOR_NONE, "%s (uid %ju)", g.account, (uintmax_t) g.uid);
        table_pairf(t, "Way", COLOR_NONE, "%s%s%s", way, means ? ": " : "", means ? means : "");
        table_pairf(t, "Ticket", COLOR_NONE, "%s%s%s", g.ticket, g.title ? ": " : "", g.title ? g.title : "");
        table_pair(t, "Person", g.requester, COLOR_NONE);
        table_pair(t, "Role", g.role, COLOR_NONE);
        table_pair_strv(t, "Approved by", g.approvers);
        if (g.until > 0)
                table_pairf(t, "Window", COLOR_NONE, "%s to %s (ends %s)", time_format_rfc3339(g.since, since),
                            time_format_rfc3339(g.until, until), live_grant_ends(&g, ends, sizeof(ends)));
        table_pair(t, "Reason", g.reason, COLOR_NONE);
        json_array_foreach (g.sessions, i, session) {
                status = show_session(t, i == 0 ? "Sessions" : "", session);
                if (status != STATUS_OK)
                        return status;
        }
        return table_print(t, stdout, colors) < 0 ? say_error(STATUS_NO, "cannot write the answer") : STATUS_OK;
}
