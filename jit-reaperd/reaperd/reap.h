/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_REAP_H
#define JIT_REAP_H

/* From REVOKING to nothing: no new session, kill everything, prove it dead, remove, forget the account, write the receipt.
 *
 * Each step is idempotent, and a failed one is tried again for as long as it takes: the account stays locked and its UID out of use meanwhile. */

#include "grant.h"
#include "varlink.h"

/* Starts it, or takes it up after a restart of ours. detail: a sentence for the account's terminals, or NULL. */
void reap_start(Grant *g, const char *detail);
/* done is called once with link when the grant is gone; the link is held meanwhile. */
typedef void (*reap_done_t)(VarlinkLink *link, void *userdata);
int reap_wait(Grant *g, VarlinkLink *link, reap_done_t done, void *userdata);
Reaping *reaping_free(Reaping *r);
/* Removes what lies in our directories without a grant. Called once, after the records have been read. */
void reap_orphans(Manager *m);

#endif
