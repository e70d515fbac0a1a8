/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LIVE_GRANT_H
#define JIT_LIVE_GRANT_H

/* A grant as jit-reaperd describes it: io.pamjit.Reaper's type Grant. */

#include "jitctl.h"
#include "table.h"

typedef struct LiveGrant {
        char *id, *account, *way, *state, *ticket, *title, *requester, *role, **approvers, *reason;
        uint64_t uid, since, until;
        bool rule; /* a sudo rule of its own, for the person's account */
        json_t *sessions;
} LiveGrant;

/* A STATUS_. The caller frees ret's members in every case; it starts zeroed. */
int live_grant_parse(const json_t *grant, LiveGrant *ret);
void live_grant_done(LiveGrant *g);
/* "in 42 min", "now" when that is over, "-" before the login. */
const char *live_grant_ends(const LiveGrant *g, char *ret, size_t size);
/* A grant's way, and whether it has a sudo rule of its own, in the words of a role's Ways=; and what that means (NULL
 * if it is none that we know). way or a constant; ret_means may be NULL. */
const char *grant_way(const char *way, bool rule, const char **ret_means);
int live_grant_print(const json_t *grant, bool colors);

#endif
