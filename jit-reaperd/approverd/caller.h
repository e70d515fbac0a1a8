/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_CALLER_H
#define JIT_CALLER_H

/* Who is at the other end of a connection, by the kernel's word, and what that person may do.
 *
 * MUST: decide by Caller alone, never by a name in a message. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "name.h"
#include "ticket.h"

struct Approver;

typedef struct Caller {
        uid_t uid;
        bool root;
        char name[PERSON_NAME_MAX + 1]; /* "": nobody that tickets know: no account, or a transient one */
} Caller;

void caller_identify(uid_t uid, Caller *ret);
bool caller_is_approver(const struct Approver *a, const Caller *c);
bool caller_is_requester(const Caller *c, char *const *requesters);
/* Requesters, approvers and root: for anybody else the ticket does not exist. */
bool caller_may_see(const struct Approver *a, const Caller *c, char *const *requesters);

/* ---- how often (a token bucket for each user) ---- */

enum { RATE_USERS_MAX = 256, RATE_PER_SECOND = 20, RATE_BURST = 100 };

typedef struct RateBucket {
        uid_t uid;
        uint64_t at; /* CLOCK_BOOTTIME of the last change, 0: free */
        double tokens;
} RateBucket;

typedef struct RateTable {
        RateBucket buckets[RATE_USERS_MAX];
} RateTable;

/* Takes cost tokens of uid's; false if there are too few. root is not limited. */
bool rate_take(RateTable *t, uid_t uid, unsigned cost, uint64_t now);

#endif
