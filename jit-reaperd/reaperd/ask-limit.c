/* SPDX-License-Identifier: Apache-2.0 */

#include "ask-limit.h"
#include "cleanup.h"
#include "timefmt.h"

enum { PERSONS_MAX = 64, BURST = 20 };
#define TOKEN_USEC (1 * USEC_PER_SEC)
#define MISS_USEC (5 * USEC_PER_SEC)

typedef struct AskLimit {
        uid_t person_uid;
        uint64_t full_usec; /* CLOCK_BOOTTIME: when all tokens are there again; 0: free */
        char missed[ACCOUNT_NAME_MAX + 1];
        uint64_t missed_until_usec;
} AskLimit;

struct AskLimits {
        AskLimit persons[PERSONS_MAX];
};

static AskLimit *find(const Manager *m, uid_t person_uid) {
        for (size_t i = 0; m->ask_limits && i < PERSONS_MAX; i++) {
                AskLimit *l = &m->ask_limits->persons[i];
                if (l->full_usec > 0 && l->person_uid == person_uid)
                        return l;
        }
        return NULL;
}

/* The person's own, or the place of the one that was still for longest. */
static AskLimit *find_or_make(Manager *m, uid_t person_uid) {
        AskLimit *l = find(m, person_uid);

        if (l)
                return l;
        if (!m->ask_limits && !(m->ask_limits = calloc(1, sizeof(*m->ask_limits))))
                return NULL;
        l = &m->ask_limits->persons[0];
        for (size_t i = 1; i < PERSONS_MAX; i++)
                if (m->ask_limits->persons[i].full_usec < l->full_usec)
                        l = &m->ask_limits->persons[i];
        *l = (AskLimit){.person_uid = person_uid};
        return l;
}

bool ask_limit_take(Manager *m, uid_t person_uid) {
        AskLimit *l = find_or_make(m, person_uid);
        uint64_t now = now_usec(CLOCK_BOOTTIME);

        if (!l)
                return false;
        if (l->full_usec < now)
                l->full_usec = now;
        if (l->full_usec + TOKEN_USEC > now + BURST * TOKEN_USEC)
                return false;
        l->full_usec += TOKEN_USEC;
        return true;
}

void ask_limit_give_back(Manager *m, uid_t person_uid) {
        AskLimit *l = find(m, person_uid);

        if (l && l->full_usec > TOKEN_USEC)
                l->full_usec -= TOKEN_USEC;
}

void ask_limit_add_miss(Manager *m, uid_t person_uid, const char *account) {
        AskLimit *l = find(m, person_uid);

        if (!l)
                return;
        (void) snprintf(l->missed, sizeof(l->missed), "%s", account);
        l->missed_until_usec = now_usec(CLOCK_BOOTTIME) + MISS_USEC;
}

bool ask_limit_is_miss(const Manager *m, uid_t person_uid, const char *account) {
        const AskLimit *l = find(m, person_uid);

        return l && streq(l->missed, account) && now_usec(CLOCK_BOOTTIME) < l->missed_until_usec;
}

void ask_limits_forget_misses(Manager *m) {
        for (size_t i = 0; m->ask_limits && i < PERSONS_MAX; i++)
                m->ask_limits->persons[i].missed[0] = '\0';
}

void ask_limits_free(Manager *m) {
        free(take_ptr(m->ask_limits));
}
