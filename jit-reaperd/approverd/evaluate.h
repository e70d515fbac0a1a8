/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_EVALUATE_H
#define JIT_EVALUATE_H

/* One verdict: provider, then policy, then the sentence. */

#include <jansson.h>
#include <stdbool.h>

#include "approver.h"

typedef struct EvaluateContext {
        char *phase, *service, *rhost, *tty; /* NULL: not said */
        char *person;                        /* who asks: the ticket is judged for this requester; NULL: the account's name says for whom */
        char *way, *target;                  /* see PolicyInput */
} EvaluateContext;

void evaluate_context_done(EvaluateContext *c);

/* verdict: stolen by the callee; NULL: no memory. inputs: what the policy saw and said; stolen; NULL unless asked for,
 * and without approval. */
typedef void (*evaluate_done_t)(json_t *verdict, json_t *inputs, void *userdata);

/* account: the name as a stranger typed it. context is taken over (emptied). done is called once, perhaps before this
 * returns. */
void evaluate_account(Approver *a, const char *account, EvaluateContext *context, bool inputs, evaluate_done_t done,
                      void *userdata);
/* The same for a reference that is known already; account: as it is to stand in the policy's input. reference->person
 * may be empty: then the account of the ticket's one requester is meant. */
void evaluate_reference(Approver *a, const Reference *reference, const char *account, EvaluateContext *context,
                        bool inputs, evaluate_done_t done, void *userdata);

/* What came of asking reference->provider is known: only policy and sentence are missing. */
void evaluate_answer(Approver *a, const Reference *reference, const char *account, const ProviderAnswer *answer,
                     evaluate_done_t done, void *userdata);

#endif
