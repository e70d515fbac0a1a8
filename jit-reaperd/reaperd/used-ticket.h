/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_USED_TICKET_H
#define JIT_USED_TICKET_H

/* /var/lib/jit/used/TICKET:PERSON: this person has used the ticket, by either way, and its role does not let it be activated again. Kept across
 * reboots for 32 days from its modification time: longer than any ticket's window (31 days, jit-approverd(8)). */

#include "grant.h"

int used_ticket_mark(const Grant *g);
void used_ticket_unmark(const Grant *g);
bool used_ticket_is_marked(const Grant *g);
/* Removes marks whose time is over. */
void used_ticket_clean(Manager *m);

#endif
