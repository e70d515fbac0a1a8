/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_ELEVATION_H
#define JIT_ELEVATION_H

/* What `jitctl elevate` and the gate have in common: from a ticket that a person has named to a yes for that person's own account.
 *
 * MUST NOT: let a person learn of a ticket that is not theirs: it is as unknown as one that does not exist. */

#include "authorization.h"

/* Fills person and person_uid. workloads: also a service without a login, by the user it runs as; whether the role lets it is known later. in: the grant
 * that it is inside of, if that may be the person's own elevation; else nobody is elevated from inside a grant. False: a was refused. */
bool elevation_identify(Authorization *a, bool workloads, const Grant *in);
/* The ticket as it was typed. False: a was refused. */
bool elevation_take_ticket(Authorization *a, const char *ticket);
/* Asks, if this person has not asked too often; kind->finish() follows. */
void elevation_ask(Authorization *a);
/* g: ACTIVE, or RESERVED and authorized for 30 s; it may be used for left_usec. Answers and frees a. */
typedef void (*elevation_allowed_t)(Authorization *a, Grant *g, uint64_t left_usec);
/* For kind->finish(). way: ROLE_WAY_*, what the role has to allow. */
void elevation_judge(Authorization *a, Verdict *v, unsigned way, elevation_allowed_t allowed);
/* The person is elevated already, by another ticket or way: answers and frees a. */
void elevation_refuse_second(Authorization *a, const Grant *g);
/* JIT_TICKET, JIT_GRANT, JIT_DEADLINE; for the command. */
json_t *elevation_environment(const Grant *g);

#endif
