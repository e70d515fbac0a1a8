/* SPDX-License-Identifier: Apache-2.0 */

/* What pam_jit asks: Authorize and OpenSession. Root only. */

#include <errno.h>

#include "approver-link.h"
#include "grant-log.h"
#include "json.h"
#include "log.h"
#include "paths.h"
#include "reaper-api.h"
#include "session.h"
#include "timefmt.h"
#include "used-ticket.h"

/* PAM's session phase follows its account phase at once. */
#define AUTHORIZED_USEC (30 * USEC_PER_SEC)

/* ---- account phase ---- */

static void caller_done(Caller *c) {
        free(c->account);
        free(c->service);
        free(c->rhost);
        free(c->tty);
        free(c->ruser);
        *c = (Caller){};
}
#define _cleanup_caller_ JIT_CLEANUP(caller_done)

static int caller_parse(json_t *parameters, Caller *ret) {
        static const JsonField table[] = {
                {"account", JSON_FIELD_STRING, offsetof(Caller, account), 255, JSON_REQUIRED},
                {"service", JSON_FIELD_STRING, offsetof(Caller, service), 255, JSON_REQUIRED},
                {"rhost", JSON_FIELD_STRING, offsetof(Caller, rhost), 255, 0},
                {"tty", JSON_FIELD_STRING, offsetof(Caller, tty), 255, 0},
                {"ruser", JSON_FIELD_STRING, offsetof(Caller, ruser), 255, 0},
                {},
        };
        char folded[ACCOUNT_NAME_MAX + 1];
        int r = json_dispatch(parameters, table, ret, NULL);

        if (r < 0)
                return r;
        r = account_name_parse(ret->account, folded);
        if (r < 0)
                return r;
        memcpy(ret->account, folded, strlen(folded) + 1);
        return 0;
}

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
        json_t *event = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s*,s:s*}", "event", "login.refused", "account", g->account,
                                  "ticket", g->ticket, "requester", g->requester, "reason", reason, "service", c->service,
                                  "rhost", c->rhost, "tty", c->tty);

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
        STRV_FOREACH(s, v)
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
        return varlink_reply(l, json_pack("{s:b,s:s,s:s,s:I}", "allow", 1, "reason", "approved", "message", message, "until",
                                          (json_int_t) until));
}

typedef struct Authorization {
        VarlinkLink *link;
        Caller caller;
        char id[17];
} Authorization;

static void authorization_free(Authorization *a) {
        varlink_link_unref(a->link);
        caller_done(&a->caller);
        free(a);
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

        (void) snprintf(message, sizeof(message), "%s has been used, and the role %s lets a ticket be used only once; ask for a new one",
                        g->ticket, g->role);
        return refuse_person(a->link, g, &a->caller, "ticket-used", message);
}

static int authorize_allowed(Authorization *a, Grant *g, Verdict *v) {
        uint64_t left = allowed_usec(g, v);

        if (grant_update(g, v) < 0)
                return refuse_person(a->link, g, &a->caller, "ticket-changed", "the ticket is not the one this account was made for");
        if (!grant_role(g))
                return refuse_person(a->link, g, &a->caller, "role-unknown", "this host does not know the ticket's role");
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

                left = g->deadline_usec > now ? g->deadline_usec - now : 0;
        }
        return welcome(a->link, g, left);
}

static void on_authorize_verdict(Manager *m, Verdict *v, void *userdata) {
        Authorization *a = userdata;
        Grant *g = grant_by_account(m, a->caller.account);

        if (!g || !streq(g->id, a->id) || g->state == GRANT_REVOKING)
                (void) refuse(a->link, "try-again", "the ticket changed or the account went while you logged in; try again");
        else if (!v)
                (void) refuse_person(a->link, g, &a->caller, "provider-unreachable",
                                     "the approval service does not answer, so nothing can be granted now; try again later");
        else if (v->decision == DECISION_ALLOW)
                (void) authorize_allowed(a, g, v);
        else {
                (void) refuse_person(a->link, g, &a->caller, v->reason, v->message);
                if (g->state == GRANT_ACTIVE && !verdict_is_no_answer(v))
                        grant_revoke(g, v->reason, v->message, NULL);
        }
        authorization_free(a);
}

int vl_method_authorize(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_ Caller c = {};
        Manager *m = userdata;
        Authorization *a;
        const Grant *g;
        int r;

        (void) more;
        r = caller_parse(parameters, &c);
        if (r < 0)
                return r;
        g = grant_by_account(m, c.account);
        if (!g)
                return refuse(l, "session-unknown", "the login took too long; try again");
        if (g->state == GRANT_REVOKING)
                return refuse_person(l, g, &c, "try-again", "an earlier session of this ticket is being removed; try again in a moment");
        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        EvaluateContext context = {.phase = "account", .service = c.service, .rhost = c.rhost, .tty = c.tty};
        memcpy(a->id, g->id, sizeof(a->id));
        a->link = varlink_link_ref(l);
        a->caller = c;
        c = (Caller){};
        r = approver_evaluate(m, a->caller.account, &context, on_authorize_verdict, a);
        if (r < 0) {
                (void) refuse_person(l, g, &a->caller, "provider-unreachable",
                                     "the approval service cannot be reached, so nothing can be granted now; try again later");
                authorization_free(a);
        }
        return 0;
}

/* ---- session phase ---- */

static json_t *pam_data(const Grant *g, uint64_t left_usec) {
        const Role *role = grant_role(g);
        json_t *data = json_object();
        char text[32];

        /* pam_systemd(8): systemd.runtime_max_sec. PID 1 ends the session's scope by itself at the deadline. */
        (void) snprintf(text, sizeof(text), "%llums", (unsigned long long) (left_usec / USEC_PER_MSEC));
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

static int reply_opened(VarlinkLink *l, const Grant *g) {
        char home[64], until[TIME_TEXT_MAX];
        uint64_t now = now_usec(CLOCK_BOOTTIME), left = g->deadline_usec > now ? g->deadline_usec - now : 0;

        (void) snprintf(home, sizeof(home), "%s/%s", HOME_ROOT, g->account);
        return varlink_reply(l, json_pack("{s:I,s:s,s:I,s:o,s:{s:s,s:s,s:s}}", "session", (json_int_t) varlink_link_pid(l), "home",
                                          home, "until", (json_int_t) g->until_usec, "pamData", pam_data(g, left), "env",
                                          "JIT_TICKET", g->ticket, "JIT_GRANT", g->id, "JIT_DEADLINE",
                                          time_format_rfc3339(g->until_usec, until)));
}

int vl_method_open_session(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_ Caller c = {};
        Manager *m = userdata;
        Grant *g;
        int r;

        (void) more;
        r = caller_parse(parameters, &c);
        if (r < 0)
                return r;
        g = grant_by_account(m, c.account);
        if (!g || !grant_is_authorized(g))
                return varlink_error(l, REAPER "TryAgain",
                                     json_pack("{s:s,s:s}", "reason", "session-unknown", "message",
                                               "there is no grant for this session; log in again"));
        if (g->state == GRANT_RESERVED) {
                /* The clock starts here, at the login. */
                g->since_usec = now_usec(CLOCK_REALTIME);
                g->until_usec = g->since_usec + g->allowed_usec;
                g->deadline_usec = now_usec(CLOCK_BOOTTIME) + g->allowed_usec;
        }
        r = session_open(g, l, &c);
        if (r < 0) {
                log_error("Cannot open a session for %s: %s", c.account, strerror(-r));
                return varlink_error(l, REAPER "Refused",
                                     json_pack("{s:s,s:s}", "reason", r == -ENOSPC ? "no-space" : "internal", "message",
                                               "the account could not be made on this host"));
        }
        varlink_link_mute(l);
        return reply_opened(l, g);
}
