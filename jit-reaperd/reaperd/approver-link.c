/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "approval-wait.h"
#include "approver-link.h"
#include "grant-notice.h"
#include "grant-recheck.h"
#include "json.h"
#include "log.h"
#include "lookup.h"
#include "paths.h"
#include "timefmt.h"

enum { QUESTIONS_MAX = 128 };
#define RETRY_MIN_USEC (1 * USEC_PER_SEC)
#define RETRY_MAX_USEC (60 * USEC_PER_SEC)
/* A ticket system that lets us ask 50 times a second needs so much longer for a full Recheck than for one question. */
#define RECHECK_MORE_USEC (10 * USEC_PER_SEC)
#define NOTICE_USEC (10 * USEC_PER_SEC)

struct ApproverLink {
        Manager *manager;
        VarlinkPool *pool; /* for questions: two of them make a login */
        VarlinkCall *watch;
        sd_event_source *retry;
        uint64_t retry_usec;
        const char *state;
        bool connected;
        unsigned n_questions;
};

typedef struct Question {
        Manager *manager;
        verdict_t answer;
        void *userdata;
} Question;

static void watch_start(ApproverLink *l);

/* It answers, so there is no need to wait for the next try. */
static void watch_now(ApproverLink *l) {
        if (l->watch)
                return;
        l->retry = sd_event_source_disable_unref(l->retry);
        watch_start(l);
}

/* ---- one question ---- */

static int take_verdict(json_t *parameters, Verdict *ret) {
        struct {
                json_t *verdict;
        } p = {};
        static const JsonField table[] = {{"verdict", JSON_FIELD_OBJECT, 0, 0, JSON_REQUIRED}, {}};
        int r = json_dispatch(parameters, table, &p, NULL);

        if (r >= 0)
                r = verdict_parse(p.verdict, ret);
        json_decref(p.verdict);
        return r;
}

static void on_verdict(const char *error, json_t *parameters, bool continues, void *userdata) {
        Question *q = userdata;
        _cleanup_verdict_ Verdict v = {};
        int r = -EHOSTUNREACH;

        (void) continues;
        q->manager->approver->n_questions--;
        if (!error)
                watch_now(q->manager->approver);
        if (error)
                log_debug("jit-approverd gave no answer: %s", error); /* who asked says what that means */
        else {
                r = take_verdict(parameters, &v);
                if (r < 0)
                        log_error("jit-approverd gave an answer that is not a verdict: %s", strerror(-r));
        }
        q->answer(q->manager, r < 0 ? NULL : &v, q->userdata);
        free(q);
}

int approver_evaluate(Manager *m, const char *account, const EvaluateContext *context, verdict_t answer, void *userdata) {
        ApproverLink *l = m->approver;
        json_t *parameters;
        Question *q;
        int r;

        if (l->n_questions >= QUESTIONS_MAX)
                return -EBUSY;
        q = malloc(sizeof(*q));
        if (!q)
                return -ENOMEM;
        *q = (Question){m, answer, userdata};
        parameters = json_pack("{s:s,s:{s:s,s:s*,s:s*,s:s*,s:s*,s:s*,s:s*}}", "account", account, "context", "phase", context->phase,
                               "service", context->service, "rhost", context->rhost, "tty", context->tty, "person", context->person,
                               "way", context->way, "target", context->target);
        r = varlink_pool_call(l->pool, "io.pamjit.Approver.Evaluate", parameters, m->config->approval_usec, on_verdict, q, NULL);
        if (r < 0) {
                free(q);
                return r;
        }
        l->n_questions++;
        return 0;
}

/* ---- many questions ---- */

int approver_recheck(Manager *m, json_t *questions, varlink_answer_t answer, void *userdata, VarlinkCall **ret) {
        return varlink_call_async(m->event, APPROVER_SOCKET, "io.pamjit.Approver.Recheck", json_pack("{s:o}", "questions", questions), true,
                                  m->config->approval_usec + RECHECK_MORE_USEC, answer, userdata, ret);
}

int approver_take_recheck(Manager *m, json_t *parameters, char **ret_account, char **ret_person, Verdict *ret) {
        typedef struct Answer {
                char *account, *person;
                json_t *verdict;
        } Answer;
        static const JsonField table[] = {
                {"account", JSON_FIELD_STRING, offsetof(Answer, account), ACCOUNT_NAME_MAX, JSON_REQUIRED},
                {"person", JSON_FIELD_STRING, offsetof(Answer, person), PERSON_NAME_MAX, 0},
                {"verdict", JSON_FIELD_OBJECT, offsetof(Answer, verdict), 0, JSON_REQUIRED},
                {},
        };
        Answer p = {};
        int r = json_dispatch(parameters, table, &p, NULL);

        watch_now(m->approver);
        if (r >= 0)
                r = verdict_parse(p.verdict, ret);
        if (r < 0)
                log_error("jit-approverd gave an answer that is not a verdict: %s", strerror(-r));
        json_decref(p.verdict);
        *ret_account = p.account;
        *ret_person = p.person;
        return r;
}

int approver_notice(Manager *m, json_t *notice, varlink_answer_t answer, void *userdata, VarlinkCall **ret) {
        return varlink_call_async(m->event, APPROVER_SOCKET, "io.pamjit.Approver.Notice", notice, false, NOTICE_USEC, answer, userdata,
                                  ret);
}

/* ---- the stream of changed tickets ---- */

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) s, (void) usec;
        watch_start(userdata);
        return 0;
}

static void watch_retry(ApproverLink *l, const char *why) {
        l->watch = NULL;
        l->connected = false;
        l->state = why;
        l->retry = sd_event_source_disable_unref(l->retry);
        /* A wake-up late by a quarter does no harm and may be shared. */
        (void) sd_event_add_time_relative(l->manager->event, &l->retry, CLOCK_BOOTTIME, l->retry_usec, l->retry_usec / 4,
                                          on_retry, l);
        l->retry_usec = l->retry_usec * 2 > RETRY_MAX_USEC ? RETRY_MAX_USEC : l->retry_usec * 2;
}

static void ticket_changed(Manager *m, const char *ticket) {
        lookup_forget_misses(m);
        approval_wait_ask(m, ticket);
        for (Grant *g = m->grants, *next; g; g = next) {
                next = g->next;
                if (streq(ticket, "*") || strcasecmp(g->ticket, ticket) == 0)
                        grant_recheck(g);
        }
}

static void on_watch(const char *error, json_t *parameters, bool continues, void *userdata) {
        ApproverLink *l = userdata;
        struct {
                char *ticket;
        } p = {};
        static const JsonField table[] = {{"ticket", JSON_FIELD_STRING, 0, TICKET_ID_MAX, JSON_REQUIRED}, {}};

        if (error || !continues) {
                watch_retry(l, "not connected");
                return;
        }
        if (!l->connected)
                notices_kick(l->manager->notices);
        l->retry_usec = RETRY_MIN_USEC;
        l->state = "connected";
        l->connected = true;
        if (json_dispatch(parameters, table, &p, NULL) >= 0)
                ticket_changed(l->manager, p.ticket);
        free(p.ticket);
}

static void watch_start(ApproverLink *l) {
        int r = varlink_call_async(l->manager->event, APPROVER_SOCKET, "io.pamjit.Approver.Watch", NULL, true, 0, on_watch, l,
                                   &l->watch);

        if (r < 0)
                watch_retry(l, "not connected");
}

int approver_link_new(Manager *m, ApproverLink **ret) {
        ApproverLink *l = calloc(1, sizeof(*l));
        int r;

        if (!l)
                return -ENOMEM;
        *l = (ApproverLink){.manager = m, .retry_usec = RETRY_MIN_USEC, .state = "connecting"};
        r = varlink_pool_new(m->event, APPROVER_SOCKET, &l->pool);
        if (r < 0) {
                free(l);
                return r;
        }
        *ret = l;
        watch_start(l);
        return 0;
}

ApproverLink *approver_link_free(ApproverLink *l) {
        if (!l)
                return NULL;
        varlink_call_free(l->watch);
        varlink_pool_free(l->pool);
        sd_event_source_disable_unref(l->retry);
        free(l);
        return NULL;
}

bool approver_link_is_connected(const ApproverLink *l) {
        return l->connected;
}

const char *approver_link_state(const ApproverLink *l) {
        return l->state;
}
