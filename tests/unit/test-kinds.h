/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_KINDS_H
#define JIT_TEST_KINDS_H

/* Elevations without logind: see test-reaperd.h. */

#include "test-reaperd.h"

enum { ALICE = 1007, BOB = 1008 };

#define FOR(person)                                                                                                    \
        "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG1\",\"requester\":"       \
        "\"" person "\",\"role\":\"dba\",\"approvers\":[\"carol\"],\"notAfter\":4000000000000000,\"ttlUSec\":"         \
        "600000000,\"digest\":\"d1\"}"

static inline Grant *elevate(uid_t person_uid, const char *verdict) {
        _cleanup_verdict_ Verdict v = verdict_of(verdict);
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        Grant *g = NULL;

        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", person_uid, &v, now + 30 * USEC_PER_SEC, USEC_PER_HOUR, &g), 0);
        return g;
}

/* As session_open_elevated() leaves it, without a session: nobody is logged in here. */
static inline void activate(Grant *g, bool rule) {
        g->state = GRANT_ACTIVE;
        g->has_rule = rule;
        g->since_usec = now_usec(CLOCK_REALTIME);
        g->until_usec = g->since_usec + USEC_PER_HOUR;
        g->deadline_usec = now_usec(CLOCK_BOOTTIME) + USEC_PER_HOUR;
        g->recheck_at_usec = USEC_INFINITY;
        CHECK_EQ_INT(grant_record_save(g), 0);
        CHECK_EQ_INT(grant_arm(g), 0);
}

static inline void end(void) {
        while (manager->grants) {
                (void) grant_record_remove(manager->grants);
                grant_free(manager->grants);
        }
        manager_end();
}

#endif
