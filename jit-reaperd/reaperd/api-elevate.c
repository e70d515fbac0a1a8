/* SPDX-License-Identifier: Apache-2.0 */

/* Elevate: `jitctl elevate`. Who asks is the peer, and must be the one who is logged in. */

#include <errno.h>

#include "artefact.h"
#include "elevation.h"
#include "json.h"
#include "reaper-api.h"
#include "session.h"
#include "strv.h"

static void reply_elevated(Authorization *a, const Grant *g, uint64_t left_usec) {
        _cleanup_free_ char *message = authorization_welcome(g, left_usec);
        _cleanup_strv_ char **commands = NULL;
        const Role *role = grant_role(g);

        (void) sudoers_commands(g, role, &commands);
        (void) varlink_reply(a->link, json_pack("{s:s,s:s,s:s,s:s,s:I,s:o}", "grant", g->id, "account", a->person, "role", g->role,
                                                "message", message ?: "", "until", (json_int_t) g->until_usec, "commands",
                                                json_from_strv(commands)));
        authorization_free(a);
}

static void elevate_allowed(Authorization *a, Grant *g, uint64_t left_usec) {
        int r;

        if (g->state == GRANT_ACTIVE) { /* the gate opened it while jit-approverd was asked */
                elevation_refuse_second(a, g);
                return;
        }
        g->has_rule = true;
        authorization_start_clock(g);
        r = session_open_elevated(g, a->link, &a->caller, &a->origin, false);
        if (r >= 0) {
                reply_elevated(a, g, left_usec);
                return;
        }
        g = authorization_grant(a);
        if (g && g->state == GRANT_RESERVED)
                grant_release(g);
        authorization_refuse_open(a, r);
}

static void elevate_finish(Authorization *a, Verdict *v) {
        elevation_judge(a, v, ROLE_WAY_ELEVATE, elevate_allowed);
}

static bool elevate_lasts(Authorization *a, uint64_t until_usec) {
        const Grant *g = grant_by_person(a->manager, a->person_uid);

        (void) until_usec;
        return !g || g->state == GRANT_RESERVED;
}

static void elevate_begin(Authorization *a) {
        const char *fault = sudoers_fault(a->manager);
        uid_t uid = varlink_link_uid(a->link);
        const Grant *g;

        if (uid == 0) {
                authorization_refuse(a, "already-root", "root has every right already");
                return;
        }
        if (!elevation_identify(a, false, NULL))
                return;
        if (uid != a->person_uid) {
                authorization_refuse(a, "caller-mismatch", "you have logged in as another user than the one you ask as; ask from your own login");
                return;
        }
        if (fault) {
                authorization_refuse(a, "way-not-allowed", fault);
                return;
        }
        g = grant_by_person(a->manager, uid);
        if (g && g->state != GRANT_RESERVED)
                elevation_refuse_second(a, g);
        else if (elevation_take_ticket(a, a->extra.ticket))
                elevation_ask(a);
}

static const AuthorizationKind elevate = {
        .way = "elevate", .is_error = true, .begin = elevate_begin, .finish = elevate_finish, .lasts = elevate_lasts};

int vl_method_elevate(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField table[] = {
                {"ticket", JSON_FIELD_STRING, offsetof(CallerExtra, ticket), 255, JSON_REQUIRED},
                {"wait", JSON_FIELD_BOOL, offsetof(CallerExtra, wait), 0, 0},
                {},
        };
        _cleanup_caller_extra_ CallerExtra extra = {};
        _cleanup_caller_ Caller c = {};
        int r = json_dispatch(parameters, table, &extra, NULL);

        if (r >= 0 && !(c.service = strdup("jitctl")))
                r = -ENOMEM;
        return r < 0 ? r : authorization_start(userdata, l, &elevate, &c, &extra, more);
}
