/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "approver-link.h"
#include "artefact.h"
#include "ask-limit.h"
#include "grant.h"
#include "log.h"
#include "lookup.h"
#include "people.h"
#include "timefmt.h"

enum {
        /* Names in flight. Each asker waits for its answer, and sshd's MaxStartups bounds those that strangers can make ask: so this queue is what
         * keeps made-up names from crowding out real ones, who take their turn in it. How often a ticket system is asked is its provider's
         * business, in jit-approverd. */
        LOOKUPS_MAX = 96,
        WAITERS_MAX = 32, /* connections that wait for one name */
};
/* A change of any ticket ends it earlier (lookup_forget_misses). */
#define MISS_USEC (5 * USEC_PER_SEC)
/* sshd asks more than once for a name that it did not get: one that nobody answered for is not asked for again at once. */
#define NO_ANSWER_USEC (2 * USEC_PER_SEC)

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

static void add_miss(Manager *m, const char *account, uint64_t for_usec) {
        size_t i = miss_slot(account);

        (void) snprintf(m->misses[i], sizeof(m->misses[i]), "%s", account);
        m->misses_until_usec[i] = now_usec(CLOCK_BOOTTIME) + for_usec;
}

void lookup_forget_misses(Manager *m) {
        memset(m->misses, 0, sizeof(m->misses));
        ask_limits_forget_misses(m);
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

static void log_no_answer(const char *account, const char *reason, const char *why) {
        char account_field[64], reason_field[64];
        const char *fields[] = {reason_field, account_field, NULL};

        (void) snprintf(reason_field, sizeof(reason_field), "JIT_REASON=%s", reason);
        (void) snprintf(account_field, sizeof(account_field), "JIT_ACCOUNT=%s", account);
        log_fields(LOG_WARNING, fields, "Nobody could say whether %s may log in, so there is no such user now: %s", account, why);
}

static void on_lookup_verdict(Manager *m, Verdict *v, void *userdata) {
        Lookup *l = userdata;
        Grant *g = NULL;
        int r;

        if (!v) {
                log_no_answer(l->account, "provider-unreachable", "jit-approverd did not answer");
                add_miss(m, l->account, NO_ANSWER_USEC);
                lookup_end(l, NULL, -EAGAIN);
                return;
        }
        if (verdict_is_no_answer(v) && !v->requester) {
                log_no_answer(l->account, v->reason, v->message);
                add_miss(m, l->account, NO_ANSWER_USEC);
                lookup_end(l, NULL, -EAGAIN);
                return;
        }
        if (v->decision == DECISION_UNKNOWN) {
                if (approver_link_is_connected(m->approver)) /* else nobody would tell us when it changes */
                        add_miss(m, l->account, MISS_USEC);
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
        if (g)
                manager_mask_announce(g);
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

        if (m->n_lookups >= LOOKUPS_MAX)
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
        /* pam_systemd and logind ask userdb before /etc/passwd: an ordinary account of such a name must stay what it is for them, too. */
        if (name_is_local(account)) {
                answer(link, NULL, 0);
                return;
        }
        l = lookup_find(m, account);
        if (!l)
                r = lookup_start(m, account, &l);
        if (r >= 0 && l->n_waiters >= WAITERS_MAX)
                r = -EAGAIN;
        if (r < 0) {
                log_no_answer(account, "provider-unreachable", strerror(-r));
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
