/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdarg.h>

#include "approval-wait.h"
#include "ask-limit.h"
#include "authorization.h"
#include "cgroup-warm.h"
#include "grant-log.h"
#include "json.h"
#include "log.h"
#include "pam-service.h"
#include "reaper-api.h"
#include "timefmt.h"

#define UNREACHABLE "the approval service cannot be reached, so nothing can be granted now; try again later"

Authorization *authorization_free(Authorization *a) {
        if (!a)
                return NULL;
        varlink_link_unref(a->link);
        caller_done(&a->caller);
        caller_extra_done(&a->extra);
        origin_done(&a->origin);
        free(a->person);
        free(a);
        return NULL;
}

void authorization_bind(Authorization *a, const Grant *g) {
        a->grant = grant_ref(g);
        memcpy(a->account, g->account, sizeof(a->account));
}

static Grant *bound_grant(const Authorization *a) {
        return a->grant.id[0] ? grant_get(a->manager, &a->grant) : NULL;
}

Grant *authorization_grant(const Authorization *a) {
        Grant *g = bound_grant(a);

        return g && (g->state == GRANT_RESERVED || g->state == GRANT_ACTIVE) ? g : NULL;
}

/* ---- who asks ---- */

static void on_origin(Manager *m, VarlinkLink *l, Origin *o, int r, void *userdata) {
        Authorization *a = userdata;

        (void) m, (void) l;
        if (r == -ESRCH) {
                authorization_dismiss(a, "try-again", "who asked has gone away");
                return;
        }
        if (r < 0) {
                authorization_refuse(a, "caller-unknown", "it cannot be made out who asks");
                return;
        }
        a->origin = *o;
        *o = (Origin){};
        a->kind->begin(a);
}

int authorization_start(Manager *m, VarlinkLink *l, const AuthorizationKind *kind, Caller *caller, CallerExtra *extra, bool more) {
        Authorization *a = calloc(1, sizeof(*a));
        int r;

        if (!a)
                return -ENOMEM;
        *a = (Authorization){
                .kind = kind, .manager = m, .link = varlink_link_ref(l), .caller = *caller, .origin = {.login_uid = UID_NONE}, .person_uid = UID_NONE};
        *caller = (Caller){};
        if (extra) {
                a->extra = *extra;
                *extra = (CallerExtra){};
                a->extra.wait = a->extra.wait && more;
        }
        if (pam_service_elevates(a->caller.service))
                cgroup_warm();
        r = origin_resolve(m, l, a->caller.service, on_origin, a);
        if (r < 0)
                authorization_refuse(a, "try-again", "too many ask at the same time; try again in a moment");
        return 0;
}

/* ---- asking ---- */

int authorization_evaluate(Authorization *a, verdict_t answer, void *userdata) {
        const EvaluateContext context = {.phase = "account",
                                         .service = a->caller.service,
                                         .rhost = a->caller.rhost,
                                         .tty = a->caller.tty,
                                         .person = a->person,
                                         .way = a->kind->way,
                                         .target = a->caller.target};

        a->origin.inside = NULL; /* not to be kept over a turn of the loop */
        return approver_evaluate(a->manager, a->account, &context, answer, userdata);
}

static void on_verdict(Manager *m, Verdict *v, void *userdata) {
        Authorization *a = userdata;

        (void) m;
        if (!v || !a->extra.wait || !approval_wait_start(a, v))
                a->kind->finish(a, v);
}

void authorization_ask(Authorization *a) {
        if (authorization_evaluate(a, on_verdict, a) < 0)
                authorization_refuse(a, "provider-unreachable", UNREACHABLE);
}

/* ---- answers ---- */

static void answer_no(const Authorization *a, const char *reason, const char *message) {
        static const char *const again[] = {"try-again", "rate-limited", "session-unknown"};
        const char *error = REAPER "Refused";

        if (!a->kind->is_error) {
                (void) varlink_reply(a->link, json_pack("{s:b,s:s,s:s}", "allow", 0, "reason", reason, "message", message));
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(again); i++)
                if (streq(reason, again[i]))
                        error = REAPER "TryAgain";
        (void) varlink_error(a->link, error, json_pack("{s:s,s:s}", "reason", reason, "message", message));
}

/* The ticket as people write it, or as it was typed; NULL: none was named. */
static const char *ticket_of(const Authorization *a, const Grant *g) {
        return g ? g->ticket : a->account[0] ? a->account + strlen(ACCOUNT_PREFIX) : NULL;
}

static uid_t asking_uid(const Authorization *a) {
        return a->origin.login_uid != UID_NONE ? a->origin.login_uid : a->origin.real_uid;
}

/* sshd's peers have shown a key. Whoever calls su or sudo need not have anything, and may call it again and again. */
static bool may_be_recorded(const Authorization *a) {
        bool is_free = streq(a->kind->way, "account") && !pam_service_elevates(a->caller.service);

        return is_free || a->counted || ask_limit_take(a->manager, asking_uid(a));
}

static void record_refusal(const Authorization *a, const Grant *g, const char *reason) {
        const char *account = a->person ?: a->account[0] ? a->account : a->caller.account;
        json_t *event = json_pack("{s:s,s:s,s:s*,s:s*,s:s*,s:s*,s:s,s:s*,s:s*,s:s*,s:s*,s:s*}", "event", "login.refused", "reason", reason,
                                  "account", account, "ticket", ticket_of(a, g), "requester", g ? g->requester : NULL, "person",
                                  a->origin.person, "way", a->kind->way, "service", a->caller.service, "rhost", a->caller.rhost, "tty",
                                  a->caller.tty, "ruser", a->caller.ruser, "target", a->caller.target);

        if (audit_write(a->manager->audit, event, false) < 0)
                log_warning("Cannot write the audit line of a refusal, ignoring");
}

void authorization_dismiss(Authorization *a, const char *reason, const char *message) {
        answer_no(a, reason, message);
        authorization_free(a);
}

static const char *name_of(const Authorization *a) {
        if (streq(a->kind->way, "account"))
                return a->caller.account;
        return a->person ?: a->origin.person ?: a->caller.account ?: "a process";
}

/* Who asked has proved who they are, by a key or by being logged in: they are told, with the line that says whom to ask (jit.conf(5), Contact=). */
void authorization_refuse(Authorization *a, const char *reason, const char *message) {
        const char *contact = a->manager->config->emergency_contact;
        _cleanup_free_ char *text = NULL;

        if (may_be_recorded(a)) {
                authorization_log(a, LOG_NOTICE, reason, "Refused %s: %s", name_of(a), message);
                record_refusal(a, bound_grant(a), reason);
        }
        if (contact && asprintf(&text, "%s; %s", message, contact) < 0)
                text = NULL;
        authorization_dismiss(a, reason, text ?: message);
}

json_t *authorization_allowed(const char *reason, const char *message, uint64_t left_usec) {
        json_t *answer = json_pack("{s:b,s:s,s:s}", "allow", 1, "reason", reason, "message", message);

        if (left_usec > 0)
                (void) json_set_uint(answer, "until", now_usec(CLOCK_REALTIME) + left_usec);
        return answer;
}

void authorization_allow(Authorization *a, const char *reason, const char *message, uint64_t left_usec) {
        (void) varlink_reply(a->link, authorization_allowed(reason, message, left_usec));
        authorization_free(a);
}

void authorization_refuse_open(Authorization *a, int r) {
        static const struct {
                int error;
                const char *reason, *message;
        } table[] = {
                {-ENOSPC, "no-space", "this host has no room for it now: nothing was made"},
                {-EDQUOT, "no-space", "this host has no room for it now: nothing was made"},
                {-ENOPKG, "recording-missing", "the role asks for a recording that this host cannot make: tlog is not installed, or is no way to record this"},
                {-ENODATA, "way-not-allowed", "the ticket names no command that its role has"},
                {-EOPNOTSUPP, "way-not-allowed", "sudo on this host cannot be given such a rule; its journal says why"},
                {-ENXIO, "no-session", "there is no login session that this could end with; log in anew"},
                {-ECANCELED, "try-again", "the grant ended while this was on its way; try again"},
                {-ESRCH, "try-again", "the grant or the session that asked is gone; try again"},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].error == r) {
                        authorization_refuse(a, table[i].reason, table[i].message);
                        return;
                }
        log_error("Cannot open a session for %s: %s", a->person ?: a->account, strerror(-r));
        authorization_refuse(a, "internal", "it could not be made on this host; its journal says why");
}

void authorization_log(const Authorization *a, int priority, const char *reason, const char *format, ...) {
        const Grant *g = bound_grant(a);
        const char *const values[][2] = {{"JIT_REASON", reason},
                                         {"JIT_TICKET", ticket_of(a, NULL)},
                                         {"JIT_ACCOUNT", a->caller.account},
                                         {"JIT_REQUESTER", a->person ?: a->origin.person}};
        char texts[ELEMENTSOF(values)][300], message[1024];
        const char *fields[ELEMENTSOF(values) + 1] = {};
        size_t n = 0;
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        if (g) {
                grant_log(g, priority, reason, "%s", message);
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                if (values[i][1]) {
                        (void) snprintf(texts[n], sizeof(texts[n]), "%s=%s", values[i][0], values[i][1]);
                        fields[n] = texts[n];
                        n++;
                }
        log_fields(priority, fields, "%s", message);
}

/* ---- time, and the sentence about it ---- */

uint64_t authorization_allowed_usec(const Role *role, const Verdict *v) {
        uint64_t now = now_usec(CLOCK_REALTIME), left = v->not_after_usec > now ? v->not_after_usec - now : 0;

        if (v->ttl_usec < left)
                left = v->ttl_usec;
        return role->ttl_usec < left ? role->ttl_usec : left;
}

uint64_t authorization_left_usec(const Grant *g, uint64_t allowed_usec) {
        const Grant *timed = g->state == GRANT_ACTIVE ? g : grant_sibling(g);
        uint64_t now = now_usec(CLOCK_BOOTTIME), left = allowed_usec;

        if (timed && (g == timed || timed->deadline_usec < now + allowed_usec))
                left = timed->deadline_usec > now ? timed->deadline_usec - now : 0;
        return left;
}

void authorization_start_clock(Grant *g) {
        uint64_t now = now_usec(CLOCK_BOOTTIME), since = g->authorized_usec - AUTHORIZED_USEC, gone = now > since ? now - since : 0;
        uint64_t left = g->allowed_usec > gone ? g->allowed_usec - gone : 0;
        const Grant *sibling = grant_sibling(g);

        if (sibling && sibling->deadline_usec <= now + left) {
                g->until_usec = sibling->until_usec;
                g->deadline_usec = sibling->deadline_usec;
                g->since_usec = g->until_usec - (g->deadline_usec > now ? g->deadline_usec - now : 0);
                return;
        }
        /* Whole milliseconds: what ends with the ticket's window, on a full second, does so for sudoers(5) as well, which knows seconds alone. */
        g->since_usec = now_usec(CLOCK_REALTIME);
        g->until_usec = (g->since_usec + left) / USEC_PER_MSEC * USEC_PER_MSEC;
        g->deadline_usec = now + (g->until_usec > g->since_usec ? g->until_usec - g->since_usec : 0);
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

char *authorization_welcome(const Grant *g, uint64_t left_usec) {
        _cleanup_free_ char *approvers = join(g->approvers);
        char at[TIME_TEXT_MAX], span[TIME_TEXT_MAX], *message;
        bool titled = g->title && g->title[0];

        if (asprintf(&message, "%s %s%s%sapproved by %s; role %s; ends %s (in %s)", g->ticket, titled ? "\"" : "", titled ? g->title : "",
                     titled ? "\" " : "", approvers ?: "nobody", g->role, time_format_rfc3339(now_usec(CLOCK_REALTIME) + left_usec, at),
                     time_format_span(left_usec + USEC_PER_SEC / 2, span)) < 0)
                return NULL;
        return message;
}
