/* SPDX-License-Identifier: Apache-2.0 */

/* Live grants whose time has come are asked about together: one timer for all, one call for up to 256. Without such a
 * grant there is no timer. */

#include <errno.h>
#include <sys/random.h>

#include "approver-link.h"
#include "grant-recheck.h"
#include "log.h"
#include "timefmt.h"

enum {
        BATCH_MAX = 256, /* questions of one call: io.pamjit.Approver.varlink */
        BATCHES_MAX = 8, /* calls at a time; who has no place comes half a second later */
};
/* Between two rounds, at least: fewer wake-ups. */
#define COALESCE_USEC (500 * USEC_PER_MSEC)
#define ACCURACY_USEC (50 * USEC_PER_MSEC)

typedef struct Member {
        GrantRef grant; /* it may have gone meanwhile, and another of its name have come */
        bool answered;
} Member;

typedef struct Batch {
        struct Batch *next;
        Rechecks *rechecks;
        VarlinkCall *call;
        uint16_t provider; /* one that hangs keeps no other's answers back */
        bool sent;
        unsigned n;
        Member members[BATCH_MAX];
} Batch;

struct Rechecks {
        Manager *manager;
        sd_event_source *timer;
        uint64_t armed_usec; /* CLOCK_BOOTTIME; USEC_INFINITY: off */
        uint64_t last_usec;  /* when it last went off */
        Batch *batches;
        unsigned n_batches;
};

/* ---- time ---- */

/* recheck_sec from now, or up to a tenth earlier, so that a thousand grants of one minute do not stay together. Never
 * later: a no is to be heard within recheck_sec. */
static uint64_t next_usec(const Grant *g, uint64_t now) {
        uint64_t every = (uint64_t) g->recheck_sec * USEC_PER_SEC;
        uint32_t dice = 0;

        (void) !getrandom(&dice, sizeof(dice), GRND_NONBLOCK); /* without it all come late */
        return now + every - every / 10 * (dice & 0xffff) / 0xffff;
}

/* Who is due within so long comes along: the fewer the calls, the less a question costs on both sides. */
static uint64_t early_usec(const Grant *g) {
        return (uint64_t) g->recheck_sec * USEC_PER_SEC / 15;
}

static uint64_t due_usec(const Grant *g) {
        uint64_t due = g->recheck_at_usec;

        if (g->state != GRANT_ACTIVE || g->recheck_sec == 0)
                return USEC_INFINITY;
        if (g->silence > 0 && g->grace_sec != GRACE_NONE) {
                uint64_t end = g->answered_usec + (uint64_t) g->grace_sec * USEC_PER_SEC;
                return end < due ? end : due;
        }
        return due;
}

static void arm(Rechecks *r, uint64_t due_at) {
        uint64_t earliest = r->last_usec + COALESCE_USEC;

        if (due_at >= r->armed_usec)
                return;
        r->armed_usec = due_at < earliest ? earliest : due_at;
        if (sd_event_source_set_time(r->timer, r->armed_usec) < 0 ||
            sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT) < 0)
                log_error("Cannot arm the timer for asking again about live grants, ignoring: their deadlines hold");
}

void grant_recheck_schedule(Grant *g) {
        if (g->recheck_sec == 0 || g->state != GRANT_ACTIVE)
                return;
        g->recheck_at_usec = next_usec(g, now_usec(CLOCK_BOOTTIME));
        arm(g->manager->rechecks, due_usec(g));
}

void grant_recheck_begin(Grant *g) {
        if (g->silence == 0)
                g->answered_usec = now_usec(CLOCK_BOOTTIME);
        g->recheck_at_usec = USEC_INFINITY;
        grant_recheck_schedule(g);
}

/* ---- one call ---- */

static void batch_free(Batch *b) {
        for (Batch **p = &b->rechecks->batches; *p; p = &(*p)->next)
                if (*p == b) {
                        *p = b->next;
                        b->rechecks->n_batches--;
                        break;
                }
        free(b);
}

static void member_answer(const Batch *b, Member *member, Verdict *v) {
        Grant *g = grant_get(b->rechecks->manager, &member->grant);

        member->answered = true;
        if (g && g->state == GRANT_ACTIVE)
                grant_judge(g, v);
}

/* A ticket may have several requesters, and an account beside their elevations. */
static const char *asked_person(const Grant *g) {
        return g->way == WAY_ELEVATION ? g->requester : NULL;
}

static bool is_about(const Grant *g, const char *account, const char *person) {
        const char *asked = asked_person(g);

        return streq(g->account, account) && !asked == !person && (!asked || streq(asked, person));
}

static void batch_answer(Batch *b, const char *account, const char *person, Verdict *v) {
        for (unsigned i = 0; i < b->n; i++) {
                const Grant *g = b->members[i].answered ? NULL : grant_get(b->rechecks->manager, &b->members[i].grant);
                if (g && is_about(g, account, person)) {
                        member_answer(b, &b->members[i], v);
                        return;
                }
        }
        /* Nobody asked about it. */
}

static void batch_end(Batch *b) {
        for (unsigned i = 0; i < b->n; i++)
                if (!b->members[i].answered)
                        member_answer(b, &b->members[i], NULL);
        batch_free(b);
}

static void on_answer(const char *error, json_t *parameters, bool continues, void *userdata) {
        _cleanup_free_ char *account = NULL, *person = NULL;
        _cleanup_verdict_ Verdict v = {};
        Batch *b = userdata;

        if (error)
                log_debug("jit-approverd gave no answer: %s", error);
        else {
                int r = approver_take_recheck(b->rechecks->manager, parameters, &account, &person, &v);
                if (account)
                        batch_answer(b, account, person, r < 0 ? NULL : &v);
        }
        if (!continues)
                batch_end(b);
}

static void batch_send(Batch *b) {
        Manager *m = b->rechecks->manager;
        json_t *questions = json_array();

        b->sent = true;
        for (unsigned i = 0; i < b->n; i++) {
                const Grant *g = grant_get(m, &b->members[i].grant);
                if (g)
                        (void) json_array_append_new(questions, json_pack("{s:s,s:s*}", "account", g->account, "person",
                                                                          asked_person(g)));
        }
        if (approver_recheck(m, questions, on_answer, b, &b->call) < 0)
                batch_end(b);
}

static Batch *batch_for(Rechecks *r, uint16_t provider) {
        Batch *b = r->batches;

        while (b && (b->sent || b->provider != provider))
                b = b->next;
        if (b)
                return b;
        b = r->n_batches < BATCHES_MAX ? malloc(sizeof(*b)) : NULL;
        if (!b)
                return NULL;
        *b = (Batch){.rechecks = r, .next = r->batches, .provider = provider};
        r->batches = b;
        r->n_batches++;
        return b;
}

static void batch_add(Batch *b, Grant *g) {
        b->members[b->n++] = (Member){.grant = grant_ref(g)};
        g->recheck_at_usec = USEC_INFINITY;
}

/* ---- all of them ---- */

static void ask_those_due(Rechecks *r, uint64_t now) {
        for (Grant *g = r->manager->grants, *next; g; g = next) {
                Batch *b;

                next = g->next;
                if (due_usec(g) > now + early_usec(g) || grant_end_if_silent(g, now) ||
                    g->recheck_at_usec > now + early_usec(g))
                        continue;
                b = batch_for(r, g->provider);
                if (!b)
                        continue; /* still due: the next time */
                batch_add(b, g);
                if (b->n == BATCH_MAX)
                        batch_send(b);
        }
        for (Batch *b = r->batches, *next; b; b = next) {
                next = b->next;
                if (!b->sent)
                        batch_send(b);
        }
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        uint64_t now = now_usec(CLOCK_BOOTTIME), due = USEC_INFINITY;
        Rechecks *r = userdata;

        (void) s, (void) usec;
        r->last_usec = now;
        r->armed_usec = USEC_INFINITY;
        ask_those_due(r, now);
        for (const Grant *g = r->manager->grants; g; g = g->next)
                if (due_usec(g) < due)
                        due = due_usec(g);
        arm(r, due);
        return 0;
}

int rechecks_new(Manager *m, Rechecks **ret) {
        Rechecks *r = calloc(1, sizeof(*r));
        int e;

        if (!r)
                return -ENOMEM;
        *r = (Rechecks){.manager = m, .armed_usec = USEC_INFINITY};
        e = sd_event_add_time(m->event, &r->timer, CLOCK_BOOTTIME, 0, ACCURACY_USEC, on_timer, r);
        if (e >= 0)
                e = sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
        if (e < 0) {
                rechecks_free(r);
                return e;
        }
        *ret = r;
        return 0;
}

Rechecks *rechecks_free(Rechecks *r) {
        if (!r)
                return NULL;
        while (r->batches) {
                varlink_call_free(r->batches->call);
                batch_free(r->batches);
        }
        sd_event_source_disable_unref(r->timer);
        free(r);
        return NULL;
}
