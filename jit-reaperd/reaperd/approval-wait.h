/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_APPROVAL_WAIT_H
#define JIT_APPROVAL_WAIT_H

/* Logins, and others who ask by a ticket that is not approved yet, and who wait for that: WaitSec= of jit.conf(5). Each is told at once
 * and every 10 s what it waits for, and the ticket is judged again when it has changed. The end: approved, refused for
 * good, the peer gone, or the limit, after which an approval does not let this login in any more. */

#include "authorization.h"

/* true: a waits, and is taken over. false: waiting makes no sense here, or is not possible. */
bool approval_wait_start(Authorization *a, const Verdict *v);
/* The ticket ("*": any) may have changed. */
void approval_wait_ask(Manager *m, const char *ticket);
void approval_wait_free_all(Manager *m);

#endif
