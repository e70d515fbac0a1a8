/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_CHAIN_H
#define JIT_CHAIN_H

/* The audit file, read for people: one grant's lines out of it, and the receipt among them. The file's format and its
 * checks are shared/audit-chain.h. */

#include "jitctl.h"

typedef struct Chain {
        json_t *lines;   /* array of the grant's lines, in order */
        json_t *receipt; /* the last of them that is one, borrowed; NULL while there is none */
        json_t *refusal; /* when there is no grant: the last login refused under that name; may be NULL */
        bool sealed, seal_checked;
        const char *seal_fault; /* static; NULL: none found */
} Chain;

/* wanted: a grant's id, or the last grant of an account or ticket. -ENOENT without such a grant (refusal may be set),
 * -EBADMSG for a file that is none, errno of the file. The caller frees *ret in every case; it starts zeroed. */
int chain_find(const Ctl *ctl, const char *wanted, Chain *ret);
void chain_done(Chain *c);

/* The receipt for people, or, while there is none, what has happened so far. */
int chain_print(const Ctl *ctl, const Chain *c);

#endif
