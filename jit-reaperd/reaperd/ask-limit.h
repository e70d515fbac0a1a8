/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_ASK_LIMIT_H
#define JIT_ASK_LIMIT_H

/* How often a person may have tickets asked about that they have no grant by: a prompt for a ticket, which any local user can call up again and
 * again, is not to become a hammer on the ticket system, nor a way to fill the audit file. 20 at once, one a second for long. */

#include "manager.h"
#include "name.h"

/* False: too many, for now. */
bool ask_limit_take(Manager *m, uid_t person_uid);
/* It was a ticket that is approved: that is what it is for. */
void ask_limit_give_back(Manager *m, uid_t person_uid);
/* The ticket is not there for this person: so for 5 s, or until any ticket changes. */
void ask_limit_add_miss(Manager *m, uid_t person_uid, const char *account);
bool ask_limit_is_miss(const Manager *m, uid_t person_uid, const char *account);
void ask_limits_forget_misses(Manager *m);
void ask_limits_free(Manager *m);

#endif
