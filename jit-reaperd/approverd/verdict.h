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
/* "refuse" before anything was judged: what knows the ticket gives no answer. */
json_t *verdict_no_answer(const Reference *reference, const ProviderAnswer *answer);
/* "allow" or "refuse". Allows nothing without a role, outside the window or without time left, whatever the policy
 * says. */
json_t *verdict_make(const VerdictInput *in);

bool verdict_allows(const json_t *verdict);
/* An allowed verdict becomes a refusal. message: NULL: one that goes with reason. */
void verdict_refuse(json_t *verdict, const char *reason, const char *message);
/* What another policy says of an allowed verdict: no, or a shorter time. */
void verdict_restrict(json_t *verdict, const PolicyResult *policy);

typedef struct VerdictProvider {
        char *provider;
        uint64_t recheck_usec, grace_usec; /* as in Provider */
        bool comments;
} VerdictProvider;
/* How the grant is to be followed; -ENOMEM. */
int verdict_set_provider(json_t *verdict, const VerdictProvider *p);

/* How many approvals count: of people who are not requesters. */
size_t approval_count(const Approval *a);
unsigned role_approvers(const Role *role); /* 1 without a role */
/* pending, approved, denied, closed or expired: a ticket's state for people. */
const char *approval_state_text(const Approval *a, const Role *role, uint64_t now);

#endif
