/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_DECISION_H
#define JIT_DECISION_H

/* The gate's yes between PAM's account phase and its session phase. It holds for one PAM transaction, one person and one terminal, once, and for 30 s:
 * what comes from another transaction or terminal is asked anew, and one that was stopped in between finds the grant gone. A transaction may go on in
 * a child of the process that began it (sudo -b), so it is known by a number that only its own memory has. */

#include "grant.h"
#include "origin.h"

enum { DECISION_TOKEN_HEX = 32 };

/* -ENOSPC: 256 are open, of 16 people at least: of one person the oldest gives way to a seventeenth. An older one of the same process is replaced.
 * tty may be NULL. */
int decision_add(Manager *m, const Origin *o, const char *tty, const Grant *g, char ret_token[static DECISION_TOKEN_HEX + 1]);
/* The grant, NULL if there is no such decision or the grant is over; the decision is used up. */
Grant *decision_take(Manager *m, const Origin *o, const char *tty, const char *token);
void decisions_free(Manager *m);

#endif
