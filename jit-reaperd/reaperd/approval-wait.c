/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "approval-wait.h"
#include "json.h"
#include "log.h"
#include "timefmt.h"

enum { WAITS_MAX = 64 };
#define SAY_USEC (10 * USEC_PER_SEC)
/* A reservation lives on with the wait, and so much longer: for what comes after an approval. */
#define AFTER_USEC (10 * USEC_PER_SEC)

struct Wait {
        Wait *next;
        Manager *manager;
        Authorization *authorization; /* NULL: it is answered, and only the question under way keeps this here */
        char *message;                /* what is waited for, as jit-approverd says it */
        uint64_t limit_usec;          /* WaitSec= at the beginning */
        uint64_t end_usec, say_at_usec, ask_at_usec; /* CLOCK_BOOTTIME */
        sd_event_source *timer;
        bool asking, ask_again;
};

/* Who may approve has not yet: this may change while somebody waits. */
static bool is_pending(const Verdict *v) {
        return v->decision == DECISION_REFUSE &&
               (streq(v->reason, "ticket-pending") || streq(v->reason, "too-few-approvers"));
}

static uint64_t left_usec(const Wait *w) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);

        return w->end_usec > now ? w->end_usec - now : 0;
}

static void wait_free(Wait *w) {
        sd_event_source_disable_unref(w->timer);
        authorization_free(w->authorization);
        free(w->message);
        free(w);
}

/* Out of the list; returns what is still to be answered. */
static Authorization *wait_end(Wait *w) {
        Authorization *a = take_ptr(w->authorization);

        for (Wait **p = &w->manager->waits; *p; p = &(*p)->next)
                if (*p == w) {
                        *p = w->next;
                        w->manager->n_waits--;
                        break;
                }
        w->timer = sd_event_source_disable_unref(w->timer);
        varlink_link_on_gone(a->link, NULL, NULL);
        if (!w->asking)
                wait_free(w);
        return a;
}

static void on_peer_gone(VarlinkLink *l, void *userdata) {
        Authorization *a = wait_end(userdata);

        (void) l;
        authorization_log(a, LOG_INFO, "ticket-pending", "%s is not waited for any more: who asked went away", a->account);
        authorization_free(a);
}

/* Until the next time. */
static bool lasts(Authorization *a) {
        return a->kind->lasts && a->kind->lasts(a, now_usec(CLOCK_BOOTTIME) + SAY_USEC + AFTER_USEC);
}

/* ---- telling ---- */

static void say(Wait *w) {
        uint64_t left = left_usec(w), until = now_usec(CLOCK_REALTIME) + left;
        _cleanup_free_ char *text = NULL;
        char span[TIME_TEXT_MAX];

        if (asprintf(&text, "%s; %s left; Ctrl-C ends it", w->message,
                     time_format_span(left + USEC_PER_SEC / 2, span)) < 0) {
                text = NULL;
                return;
        }
        if (w->authorization->kind->is_error)
                (void) varlink_notify(w->authorization->link, json_pack("{s:s,s:I}", "message", text, "until", (json_int_t) until));
        else
                (void) varlink_notify(w->authorization->link,
                                      json_pack("{s:b,s:s,s:s,s:I}", "allow", 0, "reason", "ticket-pending", "message", text,
                                                "until", (json_int_t) until));
}

static void give_up(Wait *w) {
        _cleanup_free_ char *text = NULL;
        char span[TIME_TEXT_MAX];

        if (asprintf(&text, "%s; it was not approved within %s", w->message, time_format_span(w->limit_usec, span)) < 0)
                text = NULL;
        authorization_refuse(wait_end(w), "ticket-pending", text ?: "the ticket waits for approval");
}

/* ---- asking ---- */

static int arm(Wait *w);
static void ask(Wait *w);

/* No answer is not a no. */
static bool goes_on(const Wait *w, const Verdict *v) {
        return (!v || verdict_is_no_answer(v) || is_pending(v)) && lasts(w->authorization);
}

static void on_verdict(Manager *m, Verdict *v, void *userdata) {
        Wait *w = userdata;
        uint64_t again = SAY_USEC;

        (void) m;
        w->asking = false;
        if (!w->authorization) {
                wait_free(w);
                return;
        }
        if (!goes_on(w, v)) {
                Authorization *a = wait_end(w);
                a->kind->finish(a, v);
                return;
        }
        if (v && is_pending(v)) {
                free(w->message);
                w->message = take_ptr(v->message);
                again = v->recheck_usec > 0 ? v->recheck_usec : USEC_INFINITY; /* none: we hear of a change */
        }
        w->ask_at_usec = again == USEC_INFINITY ? again : now_usec(CLOCK_BOOTTIME) + again;
        if (w->ask_again)
                ask(w);
        (void) arm(w);
}

static void ask(Wait *w) {
        w->ask_again = w->asking; /* the answer under way may be older than the change */
        if (w->asking)
                return;
        w->asking = authorization_evaluate(w->authorization, on_verdict, w) >= 0;
        w->ask_at_usec = w->asking ? USEC_INFINITY : now_usec(CLOCK_BOOTTIME) + SAY_USEC;
}

void approval_wait_ask(Manager *m, const char *ticket) {
        for (Wait *w = m->waits; w; w = w->next) {
                const Authorization *a = w->authorization;
                const Grant *g = authorization_grant(a);
                const char *waited = g ? g->ticket : a->account + strlen(ACCOUNT_PREFIX);

                if (!streq(ticket, "*") && strcasecmp(waited, ticket) != 0)
                        continue;
                ask(w);
                (void) arm(w);
        }
}

/* ---- time ---- */

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        Wait *w = userdata;

        (void) s, (void) usec;
        if (now >= w->end_usec) {
                give_up(w);
                return 0;
        }
        if (now >= w->say_at_usec) {
                say(w);
                w->say_at_usec += SAY_USEC;
                if (!lasts(w->authorization))
                        log_warning("%s may not stay reserved as long as somebody waits, ignoring", w->authorization->account);
        }
        if (now >= w->ask_at_usec)
                ask(w);
        return arm(w);
}

static int arm(Wait *w) {
        uint64_t due = w->end_usec < w->say_at_usec ? w->end_usec : w->say_at_usec;
        int r;

        if (w->ask_at_usec < due)
                due = w->ask_at_usec;
        if (!w->timer)
                return sd_event_add_time(w->manager->event, &w->timer, CLOCK_BOOTTIME, due, 10 * USEC_PER_MSEC,
                                         on_timer, w);
        r = sd_event_source_set_time(w->timer, due);
        return r < 0 ? r : sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* ---- beginning ---- */

static int wait_new(Manager *m, const Verdict *v, Wait **ret) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        Wait *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        *w = (Wait){.manager = m,
                    .message = strdup(v->message),
                    .limit_usec = m->config->wait_usec,
                    .end_usec = now + m->config->wait_usec,
                    .say_at_usec = now + SAY_USEC,
                    .ask_at_usec = v->recheck_usec > 0 ? now + v->recheck_usec : USEC_INFINITY};
        r = w->message ? arm(w) : -ENOMEM;
        if (r < 0) {
                wait_free(w);
                return r;
        }
        *ret = w;
        return 0;
}

bool approval_wait_start(Authorization *a, const Verdict *v) {
        Manager *m = a->manager;
        Wait *w;

        if (m->config->wait_usec == 0 || !is_pending(v) || m->n_waits >= WAITS_MAX || varlink_link_is_gone(a->link) || !lasts(a))
                return false;
        if (wait_new(m, v, &w) < 0) {
                log_warning("%s cannot wait for its approval: no memory", a->account);
                return false;
        }
        w->authorization = a;
        w->next = m->waits;
        m->waits = w;
        m->n_waits++;
        varlink_link_on_gone(a->link, on_peer_gone, w);
        authorization_log(a, LOG_INFO, v->reason, "%s waits for its approval", a->account);
        say(w);
        return true;
}

void approval_wait_free_all(Manager *m) {
        while (m->waits)
                authorization_free(wait_end(m->waits));
}
