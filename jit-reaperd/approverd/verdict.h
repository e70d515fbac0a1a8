/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_VERDICT_H
#define JIT_VERDICT_H

/* The Verdict object of io.pamjit.Approver: a decision, its reason code and the sentence that a person reads. */

#include <jansson.h>

#include "config.h"
#include "policy.h"
#include "provider.h"

enum { VERDICT_MESSAGE_MAX = 1000 }; /* bytes; jit-reaperd takes 1024 */

typedef struct VerdictInput {
        const Reference *reference;
        const Approval *approval;
        const Role *role; /* NULL: there is none of that name */
        const PolicyResult *policy;
        char *const *host_names;
        char *const *keys;
        uint64_t now; /* usec since 1970 */
} VerdictInput;

/* "unknown": there is no such user. NULL: no memory (for all three). */
json_t *verdict_unknown(const char *reason, const char *message);
/* "refuse" before anything was judged: what knows the ticket does not answer. */
json_t *verdict_unreachable(const Reference *reference);
/* "allow" or "refuse". Allows nothing without a role, outside the window or without time left, whatever the policy
 * says. */
json_t *verdict_make(const VerdictInput *in);

/* How many approvals count: of people who are not requesters. */
size_t approval_count(const Approval *a);
unsigned role_approvers(const Role *role); /* 1 without a role */
/* pending, approved, denied, closed or expired: a ticket's state for people. */
const char *approval_state_text(const Approval *a, const Role *role, uint64_t now);

#endif
