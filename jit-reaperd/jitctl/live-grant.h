/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LIVE_GRANT_H
#define JIT_LIVE_GRANT_H

/* A grant as jit-reaperd describes it: io.pamjit.Reaper's type Grant. */

#include "jitctl.h"
#include "table.h"

typedef struct LiveGrant {
        char *id, *account, *state, *ticket, *title, *requester, *role, **approvers, *reason;
        uint64_t uid, since, until;
        json_t *sessions;
} LiveGrant;

/* A STATUS_. The caller frees ret's members in every case; it starts zeroed. */
int live_grant_parse(const json_t *grant, LiveGrant *ret);
void live_grant_done(LiveGrant *g);
/* "in 42 min", "now" when that is over, "-" before the login. */
const char *live_grant_ends(const LiveGrant *g, char *ret, size_t size);
int live_grant_print(const json_t *grant, bool colors);

#endif
