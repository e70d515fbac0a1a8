/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_CLIENT_H
#define JIT_CLIENT_H

/* Calls to the two daemons, and what their refusals mean to a person. */

#include "jitctl.h"
#include "timefmt.h"

typedef enum Service {
        SERVICE_REAPER,
        SERVICE_APPROVER,
} Service;

#define CALL_USEC (15 * USEC_PER_SEC)
#define EXPLAIN_USEC (45 * USEC_PER_SEC) /* a ticket system has 30 s, jit-provider(5), TimeoutSec= */
#define REVOKE_USEC (120 * USEC_PER_SEC)
#define ELEVATE_USEC (75 * USEC_PER_SEC)   /* a question has 60 s at most, jit.conf(5), TimeoutSec= */
#define WAIT_MAX_USEC (100 * USEC_PER_SEC) /* jit.conf(5), WaitSec= */

/* One call on a connection of its own. parameters (stolen) may be NULL. method: without the interface. Returns a
 * STATUS_; whatever is not STATUS_OK has been said on stderr, *ret is untouched. */
int client_call(const Ctl *ctl, Service service, const char *method, json_t *parameters, uint64_t timeout_usec,
                json_t **ret);
/* The same, but what was wrong is not said: *ret_why has the sentence (free()), or is NULL without memory. */
int client_try(const Ctl *ctl, Service service, const char *method, json_t *parameters, uint64_t timeout_usec,
               json_t **ret, char **ret_why);

/* What a call came to that is not STATUS_OK; each may be NULL. */
typedef struct ClientFailure {
        char *error;  /* the Varlink error's name; NULL where nothing was answered */
        char *reason; /* the reason code that came with it */
        char *why;    /* the sentence for people; NULL without memory */
} ClientFailure;

void client_failure_done(ClientFailure *failure);

typedef void (*client_sentence_t)(const char *message);

/* The same with more: say is called with what is waited for, as often as the service says it; the time for the answer
 * begins when the waiting is over, which takes WAIT_MAX_USEC at most. say NULL: nothing is waited for. */
int client_wait(const Ctl *ctl, Service service, const char *method, json_t *parameters, uint64_t timeout_usec,
                client_sentence_t say, json_t **ret, ClientFailure *ret_failure);

/* json_dispatch() of an answer; says what is wrong with it. */
struct JsonField;
int client_dispatch(Service service, const json_t *answer, const struct JsonField *table, void *target);

#endif
