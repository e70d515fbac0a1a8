/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_VERDICT_H
#define JIT_VERDICT_H

/* What jit-approverd says of an account. It is checked like a stranger's: names by their grammar, keys by type and alphabet, times by
 * range, so that a lying approver can at most say yes or no. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"

typedef enum VerdictDecision { DECISION_UNKNOWN, DECISION_REFUSE, DECISION_ALLOW } VerdictDecision;

typedef struct Verdict {
        VerdictDecision decision;
        char *decision_text, *reason, *message;
        char *ticket, *title, *requester, *role, *digest;
        char **approvers, **commands, **keys;
        uint64_t not_before_usec, not_after_usec, ttl_usec; /* 0: not said */
        char *provider;
        uint64_t recheck_usec; /* 0: asked again only when something changed */
        uint64_t grace_usec;   /* USEC_INFINITY: to the deadline */
        bool comments;
} Verdict;

/* -EBADMSG, -ERANGE, -EINVAL... as json_dispatch(); *ret is empty then. */
int verdict_parse(const json_t *object, Verdict *ret);
/* Whether its ticket and requester are those that the account's name says: jit-TICKET or jit-TICKET-REQUESTER. */
bool verdict_is_for(const Verdict *v, const char *account);
void verdict_done(Verdict *v);
/* Says no more than that nobody could be asked: nothing is granted on it, and nothing live is revoked before its grace is over. */
bool verdict_is_no_answer(const Verdict *v);
#define _cleanup_verdict_ JIT_CLEANUP(verdict_done)

#endif
