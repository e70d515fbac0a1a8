/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SESSION_RECORD_H
#define JIT_SESSION_RECORD_H

/* Sessions in the record of their grant, in its receipt, and as jitctl shows them. */

#include <jansson.h>

#include "session.h"

const char *session_kind_to_string(SessionKind k); /* login, scope, elevated */
/* For receipts and audit lines. */
json_t *session_to_json(const Session *s);

/* With what is needed to find a live one again. NULL: no memory. */
json_t *sessions_to_record(const Session *first);
/* live: they may go on: session_resume(). On failure *ret_first has those that were read. */
int sessions_from_record(Grant *g, const json_t *array, bool live, Session **ret_first);

#endif
