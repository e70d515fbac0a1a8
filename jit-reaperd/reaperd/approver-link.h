/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_APPROVER_LINK_H
#define JIT_APPROVER_LINK_H

/* Questions to jit-approverd, never waited for. */

#include "manager.h"
#include "varlink.h"
#include "verdict.h"

/* What the question is asked for; strings may be NULL. */
typedef struct EvaluateContext {
        const char *phase; /* name, account, recheck */
        const char *service, *rhost, *tty;
        const char *person; /* who asks, by the kernel's word: a ticket with several requesters is asked about for this one */
        const char *way;    /* account, elevate, gate */
        const char *target; /* whom the command is to run as */
} EvaluateContext;

/* verdict: NULL if there is no answer (unreachable, too late, not one we trust). The callee may take members out of it. */
typedef void (*verdict_t)(Manager *m, Verdict *verdict, void *userdata);

int approver_link_new(Manager *m, ApproverLink **ret);
ApproverLink *approver_link_free(ApproverLink *l);
/* -EBUSY: too many questions are open. */
int approver_evaluate(Manager *m, const char *account, const EvaluateContext *context, verdict_t answer, void *userdata);
/* Many at once, for live grants: an answer for each, each to be read by approver_take_recheck(). questions: stolen; {account, person?} each. */
int approver_recheck(Manager *m, json_t *questions, varlink_answer_t answer, void *userdata, VarlinkCall **ret);
/* On failure, which is logged, *ret is empty; *ret_account (free()) is NULL only if it cannot be told which one was meant. */
int approver_take_recheck(Manager *m, json_t *parameters, char **ret_account, char **ret_person, Verdict *ret);
/* A grant's start or end, for the ticket's system: see grant-notice.h. notice: stolen; has the call's parameters. error: as in varlink.h. */
int approver_notice(Manager *m, json_t *notice, varlink_answer_t answer, void *userdata, VarlinkCall **ret);
/* Whether changes of tickets reach us: while they do not, nothing may be remembered that a change would undo. */
bool approver_link_is_connected(const ApproverLink *l);
/* "connected", or why not. */
const char *approver_link_state(const ApproverLink *l);

#endif
