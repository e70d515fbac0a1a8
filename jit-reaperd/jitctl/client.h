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

/* One call on a connection of its own. parameters (stolen) may be NULL. method: without the interface. Returns a
 * STATUS_; whatever is not STATUS_OK has been said on stderr, *ret is untouched. */
int client_call(const Ctl *ctl, Service service, const char *method, json_t *parameters, uint64_t timeout_usec,
                json_t **ret);
/* The same, but what was wrong is not said: *ret_why has the sentence (free()), or is NULL without memory. */
int client_try(const Ctl *ctl, Service service, const char *method, json_t *parameters, uint64_t timeout_usec,
               json_t **ret, char **ret_why);

/* json_dispatch() of an answer; says what is wrong with it. */
struct JsonField;
int client_dispatch(Service service, const json_t *answer, const struct JsonField *table, void *target);

#endif
