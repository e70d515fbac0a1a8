/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "approver-link.h"
#include "grant.h"
#include "log.h"
#include "lookup.h"
#include "timefmt.h"

enum {
        LOOKUPS_MAX = 64,   /* names in flight */
        WAITERS_MAX = 32,   /* connections that wait for one name */
        RATE_PER_SEC = 500, /* questions to jit-approverd about names, on average */
        RATE_BURST = 200,
};
/* A change of any ticket ends it earlier (lookup_forget_misses). */
#define MISS_USEC (5 * USEC_PER_SEC)

struct Lookup {
        Manager *manager;
        Lookup *next;
        char account[ACCOUNT_NAME_MAX + 1];
        unsigned n_waiters;
        VarlinkLink *waiters[WAITERS_MAX];
        lookup_answer_t answers[WAITERS_MAX];
};

/* FNV-1a over the name: a table without chains, a collision only costs a question. */
static size_t miss_slot(const char *account) {
        uint32_t h = 2166136261u;

        for (const char *p = account; *p; p++)
                h = (h ^ (unsigned char) *p) * 16777619u;
        return h % ELEMENTSOF(((Manager *) NULL)->misses);
}

static bool is_miss(const Manager *m, const char *account) {
        size_t i = miss_slot(account);

        return streq(m->misses[i], account) && now_usec(CLOCK_BOOTTIME) < m->misses_until_usec[i];
}

static void add_miss(Manager *m, const char *account) {
        size_t i = miss_slot(account);

        (void) snprintf(m->misses[i], sizeof(m->misses[i]), "%s", account);
        m->misses_until_usec[i] = now_usec(CLOCK_BOOTTIME) + MISS_USEC;
}

void lookup_forget_misses(Manager *m) {
        memset(m->misses, 0, sizeof(m->misses));
}

/* A bucket as a point in time (GCRA): each question moves it ahead, and it may be a burst ahead of now. */
static bool rate_allows(Manager *m) {
        uint64_t now = now_usec(CLOCK_BOOTTIME), step = USEC_PER_SEC / RATE_PER_SEC;

        if (m->bucket_usec < now)
                m->bucket_usec = now;
        if (m->bucket_usec > now + RATE_BURST * step)
                return false;
        m->bucket_usec += step;
        return true;
}

static void lookup_end(Lookup *l, Grant *g, int error) {
        Manager *m = l->manager;

        for (Lookup **p = &m->lookups; *p; p = &(*p)->next)
                if (*p == l) {
                        *p = l->next;
                        m->n_lookups--;
                        break;
                }
        for (unsigned i = 0; i < l->n_waiters; i++) {
                l->answers[i](l->waiters[i], g, error);
                varlink_link_unref(l->waiters[i]);
        }
        free(l);
}

static void on_lookup_verdict(Manager *m, Verdict *v, void *userdata) {
        Lookup *l = userdata;
        Grant *g = NULL;
        int r;

        if (!v) {
                lookup_end(l, NULL, -EAGAIN);
                return;
        }
        if (v->decision == DECISION_UNKNOWN) {
                add_miss(m, l->account);
                lookup_end(l, NULL, 0);
                return;
        }
        r = grant_reserve(m, l->account, v, &g);
        if (r == -EEXIST) {
                g = grant_by_account(m, l->account);
                r = 0;
        }
        if (r < 0)
                log_error("Cannot reserve %s: %s", l->account, strerror(-r));
        lookup_end(l, g, r);
}

static Lookup *lookup_find(const Manager *m, const char *account) {
        for (Lookup *l = m->lookups; l; l = l->next)
                if (streq(l->account, account))
                        return l;
        return NULL;
}

static int lookup_start(Manager *m, const char *account, Lookup **ret) {
        static const EvaluateContext context = {.phase = "name"};
        Lookup *l;
        int r;

        if (m->n_lookups >= LOOKUPS_MAX || !rate_allows(m))
                return -EAGAIN;
        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->manager = m;
        (void) snprintf(l->account, sizeof(l->account), "%s", account);
        r = approver_evaluate(m, account, &context, on_lookup_verdict, l);
        if (r < 0) {
                free(l);
                return r;
        }
        l->next = m->lookups;
        m->lookups = l;
        m->n_lookups++;
        *ret = l;
        return 0;
}

void lookup_account(Manager *m, const char *account, VarlinkLink *link, lookup_answer_t answer) {
        Grant *g = grant_by_account(m, account);
        Lookup *l;
        int r = 0;

        if (g || is_miss(m, account)) {
                answer(link, g, 0);
                return;
        }
        l = lookup_find(m, account);
        if (!l)
                r = lookup_start(m, account, &l);
        if (r >= 0 && l->n_waiters >= WAITERS_MAX)
                r = -EAGAIN;
        if (r < 0) {
                log_debug("Cannot ask about %s: %s", account, strerror(-r));
                answer(link, NULL, r);
                return;
        }
        l->answers[l->n_waiters] = answer;
        l->waiters[l->n_waiters++] = varlink_link_ref(link);
}

void lookup_free_all(Manager *m) {
        while (m->lookups) {
                Lookup *l = m->lookups;
                m->lookups = l->next;
                for (unsigned i = 0; i < l->n_waiters; i++)
                        varlink_link_unref(l->waiters[i]);
                free(l);
        }
}
