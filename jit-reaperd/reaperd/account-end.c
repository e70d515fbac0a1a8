/* SPDX-License-Identifier: Apache-2.0 */

#include "account-end.h"
#include "cleanup.h"
#include "name.h"
#include "timefmt.h"

enum { ENDS_MAX = 512, TICKS_PER_SEC = 100 /* of /proc, whatever the kernel's own: proc(5), sysconf(_SC_CLK_TCK) */ };

typedef struct AccountEnd {
        char account[ACCOUNT_NAME_MAX + 1];
        uint64_t usec; /* CLOCK_BOOTTIME; 0: free */
} AccountEnd;

struct AccountEnds {
        AccountEnd ends[ENDS_MAX];
        uint64_t forgotten_usec; /* the latest of those that gave way */
};

static AccountEnd *find(const Manager *m, const char *account) {
        for (size_t i = 0; m->account_ends && i < ENDS_MAX; i++)
                if (m->account_ends->ends[i].usec > 0 && streq(m->account_ends->ends[i].account, account))
                        return &m->account_ends->ends[i];
        return NULL;
}

static AccountEnd *make_room(AccountEnds *e) {
        AccountEnd *oldest = &e->ends[0];

        for (size_t i = 1; i < ENDS_MAX; i++)
                if (e->ends[i].usec < oldest->usec)
                        oldest = &e->ends[i];
        if (oldest->usec > e->forgotten_usec)
                e->forgotten_usec = oldest->usec;
        return oldest;
}

void account_end_note(Manager *m, const char *account) {
        AccountEnd *e = find(m, account);

        if (!e) {
                if (!m->account_ends && !(m->account_ends = calloc(1, sizeof(*m->account_ends))))
                        return;
                e = make_room(m->account_ends);
                (void) snprintf(e->account, sizeof(e->account), "%s", account);
        }
        e->usec = now_usec(CLOCK_BOOTTIME);
}

bool account_end_is_after(const Manager *m, const char *account, uint64_t pid_start) {
        const AccountEnd *e = find(m, account);
        uint64_t started = pid_start * (USEC_PER_SEC / TICKS_PER_SEC);

        if (!m->account_ends)
                return false;
        return started < (e ? e->usec : m->account_ends->forgotten_usec);
}

void account_ends_free(Manager *m) {
        free(take_ptr(m->account_ends));
}
