/* SPDX-License-Identifier: Apache-2.0 */

#include <pwd.h>

#include "approver.h"
#include "strv.h"

void caller_identify(uid_t uid, Caller *ret) {
        char buffer[16 * 1024];
        struct passwd entry, *found = NULL;

        *ret = (Caller){.uid = uid, .root = uid == 0};
        if (ret->root) {
                (void) snprintf(ret->name, sizeof(ret->name), "root");
                return;
        }
        /* NSS may wait for a service of this host's, at most briefly. It does not ask jit-reaperd
         * (SYSTEMD_BYPASS_USERDB= in the unit): a transient account is nobody here, whoever uses it asks for tickets
         * under the own name. */
        if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) != 0 || !found)
                return;
        if (!person_name_is_valid(found->pw_name) || account_name_is_ours(found->pw_name) ||
            streq(found->pw_name, "root"))
                return;
        (void) snprintf(ret->name, sizeof(ret->name), "%s", found->pw_name);
}

bool caller_is_approver(const Approver *a, const Caller *c) {
        return c->name[0] && !c->root && approvers_file_lists(a->approvers, c->name);
}

bool caller_is_requester(const Caller *c, char *const *requesters) {
        return c->name[0] && strv_contains(requesters, c->name);
}

bool caller_may_see(const Approver *a, const Caller *c, char *const *requesters) {
        return c->root || caller_is_requester(c, requesters) || caller_is_approver(a, c);
}

bool rate_take(RateTable *t, uid_t uid, unsigned cost, uint64_t now) {
        RateBucket *b = NULL;

        if (uid == 0)
                return true;
        for (size_t i = 0; i < RATE_USERS_MAX; i++)
                if (t->buckets[i].at > 0 && t->buckets[i].uid == uid)
                        b = &t->buckets[i];
        if (!b) { /* a free one, or the one that was still for longest, which is the fullest as well */
                b = &t->buckets[0];
                for (size_t i = 1; i < RATE_USERS_MAX; i++)
                        if (t->buckets[i].at < b->at)
                                b = &t->buckets[i];
                *b = (RateBucket){.uid = uid, .at = now, .tokens = RATE_BURST};
        }
        b->tokens += (double) (now - b->at) / (double) USEC_PER_SEC * RATE_PER_SECOND;
        if (b->tokens > RATE_BURST)
                b->tokens = RATE_BURST;
        b->at = now;
        if (b->tokens < cost)
                return false;
        b->tokens -= cost;
        return true;
}
