/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_OUTBOX_H
#define JIT_OUTBOX_H

/* Comments on tickets that wait to be written: STATE/outbox/GRANT-start.json and GRANT-end.json, each a file before
 * jit-reaperd is told that it is ours, sent by the provider's [Comment] in the order they came (for one ticket).
 *
 * MUST: never send one twice. Before a request that may have arrived is sent, the file says so (renamed to .sent); what
 * was sent and not clearly refused for now (no connection, 401, 403, 429, 503) is never sent again, also after a crash.
 * MUST NOT: keep anybody waiting. */

#include <jansson.h>

struct Approver;
typedef struct Outbox Outbox;

enum { OUTBOX_MAX = 4096 }; /* comments that wait; beyond, the newest is refused */

/* Reads what is there. */
int outbox_new(struct Approver *a, const char *state, Outbox **ret);
Outbox *outbox_free(Outbox *o);
/* grant: 16 hex digits, kind: "start" or "end"; event: see io.pamjit.Approver Notice. On disk when this returns 0 (or
 * was already there, or was sent before). -ENOSPC, -EDQUOT, -EINVAL. */
int outbox_put(Outbox *o, const char *provider, const char *grant, const char *kind, const json_t *event);
/* The providers were loaded anew, or a server came back. */
void outbox_kick(Outbox *o);
unsigned outbox_waiting(const Outbox *o);

#endif
