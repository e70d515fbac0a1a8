/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LOOKUP_H
#define JIT_LOOKUP_H

/* From a name that a stranger typed to a reserved grant: one flight a name, a bounded queue, a short memory of misses. */

#include "manager.h"

/* answer: with the grant, or NULL for "there is no such user", or -error for "ask again". The link is held meanwhile. */
typedef void (*lookup_answer_t)(VarlinkLink *link, Grant *g, int error);
/* account: already folded (account_name_parse). Answers at once or later. */
void lookup_account(Manager *m, const char *account, VarlinkLink *link, lookup_answer_t answer);
/* A ticket has changed: names that were unknown may be known now. */
void lookup_forget_misses(Manager *m);
void lookup_free_all(Manager *m);

#endif
