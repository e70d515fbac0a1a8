/* SPDX-License-Identifier: Apache-2.0 */

/* PAM's account phase: Authorize. Root only. */

#include <errno.h>

#include "approval-wait.h"
#include "approver-link.h"
#include "authorization.h"
#include "grant-log.h"
#include "grant-recheck.h"
#include "json.h"
#include "log.h"
#include "reaper-api.h"
#include "timefmt.h"
#include "used-ticket.h"

/* PAM's session phase follows its account phase at once. */
#define AUTHORIZED_USEC (30 * USEC_PER_SEC)

#define AGAIN "the ticket changed or the account went while you logged in; try again"
#define UNREACHABLE "the approval service does not answer, so nothing can be granted now; try again later"

Authorization *authorization_free(Authorization *a) {
        if (!a)
                return NULL;
        varlink_link_unref(a->link);
        caller_done(&a->caller);
        free(a);
        return NULL;
}

Grant *authorization_grant(const Authorization *a) {
        Grant *g = grant_by_account(a->manager, a->caller.account);

        return g && streq(g->id, a->id) && g->state != GRANT_REVOKING ? g : NULL;
}

/* ---- answers ---- */

static int refuse(VarlinkLink *l, const char *reason, const char *message) {
        return varlink_reply(l, json_pack("{s:b,s:s,s:s}", "allow", 0, "reason", reason, "message", message));
}

/* With the line that says whom to ask (jit.conf(5), Contact=). */
static int tell_refusal(VarlinkLink *l, const Config *config, const char *reason, const char *message) {
        _cleanup_free_ char *text = NULL;

        if (!config->emergency_contact)
                return refuse(l, reason, message);
        if (asprintf(&text, "%s; %s", message, config->emergency_contact) < 0)
                return -ENOMEM;
        return refuse(l, reason, text);
}

/* The person has proved who they are: they are told, and the refusal is on record. */
static int refuse_person(VarlinkLink *l, const Grant *g, const Caller *c, const char *reason, const char *message) {
        json_t *event = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s*,s:s*}", "event", "login.refused", "account",
                                  g->account, "ticket", g->ticket, "requester", g->requester, "reason", reason,
                                  "service", c->service, "rhost", c->rhost, "tty", c->tty);

        if (audit_write(g->manager->audit, event, false) < 0)
                log_warning("Cannot write the audit line of a refusal, ignoring");
        grant_log(g, LOG_NOTICE, reason, "Refused %s: %s", g->account, message);
        return tell_refusal(l, g->manager->config, reason, message);
}

static char *join(char *const *v) {
        char *text = NULL;
        size_t length;
        FILE *f = open_memstream(&text, &length);

        if (!f)
                return NULL;
        STRV_FOREACH (s, v)
                (void) fprintf(f, "%s%s", s == v ? "" : ", ", *s);
        return fclose(f) == 0 ? text : NULL;
}

static int welcome(VarlinkLink *l, const Grant *g, uint64_t left_usec) {
        _cleanup_free_ char *approvers = join(g->approvers), *message = NULL;
        uint64_t until = now_usec(CLOCK_REALTIME) + left_usec;
        char at[TIME_TEXT_MAX], span[TIME_TEXT_MAX];
        bool titled = g->title && g->title[0];

        if (asprintf(&message, "%s %s%s%sapproved by %s; role %s; ends %s (in %s)", g->ticket, titled ? "\"" : "",
                     titled ? g->title : "", titled ? "\" " : "", approvers ?: "nobody", g->role,
                     time_format_rfc3339(until, at), time_format_span(left_usec + USEC_PER_SEC / 2, span)) < 0)
                return -ENOMEM;
        return varlink_reply(l, json_pack("{s:b,s:s,s:s,s:I}", "allow", 1, "reason", "approved", "message", message,
                                          "until", (json_int_t) until));
}

/* How long the grant may live from now: the role's TTL, the verdict's, the end of the ticket's window. */
static uint64_t allowed_usec(const Grant *g, const Verdict *v) {
        const Role *role = grant_role(g);
        uint64_t now = now_usec(CLOCK_REALTIME), left = v->not_after_usec > now ? v->not_after_usec - now : 0;

        if (v->ttl_usec < left)
                left = v->ttl_usec;
        return role && role->ttl_usec < left ? role->ttl_usec : left;
}

static int refuse_used(Authorization *a, const Grant *g) {
        char message[160];

        (void) snprintf(message, sizeof(message),
                        "%s has been used, and the role %s lets a ticket be used only once; ask for a new one",
                        g->ticket, g->role);
        return refuse_person(a->link, g, &a->caller, "ticket-used", message);
}

static int authorize_allowed(Authorization *a, Grant *g, Verdict *v) {
        uint64_t left = allowed_usec(g, v);

        if (grant_update(g, v) < 0)
                return refuse_person(a->link, g, &a->caller, "ticket-changed",
                                     "the ticket is not the one this account was made for");
        if (!grant_role(g))
                return refuse_person(a->link, g, &a->caller, "role-unknown",
                                     "this host does not know the ticket's role");
        if (left < USEC_PER_SEC)
                return refuse_person(a->link, g, &a->caller, "too-late", "the ticket's time is over");
        if (g->state == GRANT_RESERVED && used_ticket_is_marked(g))
                return refuse_used(a, g);
        if (g->state == GRANT_RESERVED) {
                g->allowed_usec = left;
                g->authorized = true;
                g->authorized_usec = now_usec(CLOCK_BOOTTIME) + AUTHORIZED_USEC;
        } else {
                uint64_t now = now_usec(CLOCK_BOOTTIME);

                grant_answered(g);
                left = g->deadline_usec > now ? g->deadline_usec - now : 0;
        }
        return welcome(a->link, g, left);
}

void authorization_refuse(Authorization *a, const char *reason, const char *message) {
        const Grant *g = authorization_grant(a);

        if (g)
                (void) refuse_person(a->link, g, &a->caller, reason, message);
        else
                (void) refuse(a->link, "try-again", AGAIN);
        authorization_free(a);
}

void authorization_finish(Authorization *a, Verdict *v) {
        Grant *g = authorization_grant(a);

        if (!g || !v) {
                authorization_refuse(a, "provider-unreachable", UNREACHABLE);
                return;
        }
        if (v->decision == DECISION_ALLOW)
                (void) authorize_allowed(a, g, v);
        else {
                (void) refuse_person(a->link, g, &a->caller, v->reason, v->message);
                if (g->state == GRANT_ACTIVE && !verdict_is_no_answer(v))
                        grant_revoke(g, v->reason, v->message, NULL);
        }
        authorization_free(a);
}

int authorization_ask(Authorization *a, verdict_t answer, void *userdata) {
        const EvaluateContext context = {.phase = "account",
                                         .service = a->caller.service,
                                         .rhost = a->caller.rhost,
                                         .tty = a->caller.tty};

        return approver_evaluate(a->manager, a->caller.account, &context, answer, userdata);
}

/* ---- the call ---- */

static void on_authorize_verdict(Manager *m, Verdict *v, void *userdata) {
        Authorization *a = userdata;

        (void) m;
        if (!v || !a->wait || !approval_wait_start(a, v))
                authorization_finish(a, v);
}

int vl_method_authorize(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_ Caller c = {};
        Manager *m = userdata;
        Authorization *a;
        const Grant *g;
        bool wait = false;
        int r;

        r = caller_parse(parameters, &c, &wait);
        if (r < 0)
                return r;
        g = grant_by_account(m, c.account);
        if (!g)
                return refuse(l, "session-unknown", "the login took too long; try again");
        if (g->state == GRANT_REVOKING)
                return refuse_person(l, g, &c, "try-again",
                                     "an earlier session of this ticket is being removed; try again in a moment");
        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        *a = (Authorization){.manager = m, .link = varlink_link_ref(l), .caller = c, .wait = wait && more};
        memcpy(a->id, g->id, sizeof(a->id));
        c = (Caller){};
        if (authorization_ask(a, on_authorize_verdict, a) < 0)
                authorization_refuse(a, "provider-unreachable",
                                     "the approval service cannot be reached, so nothing can be granted now; try again "
                                     "later");
        return 0;
}
