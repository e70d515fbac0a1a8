/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GRANT_NOTICE_H
#define JIT_GRANT_NOTICE_H

/* What a ticket's system is to hear of a grant whose provider wants comments: that it started, and how it ended. Each
 * notice is a file /var/lib/jit/notices/GRANT-KIND.json until jit-approverd has it (io.pamjit.Approver.Notice), which
 * sends it on.
 *
 * MUST NOT: delay a login or a revocation. A notice that cannot be written is lost, with a warning. */

#include "grant.h"

enum { NOTICES_MAX = 4096 }; /* files that wait; beyond, the newest is lost */

/* Reads what the last start left. To be called before the records are read. */
int notices_new(Manager *m, Notices **ret);
Notices *notices_free(Notices *n);
/* jit-approverd is there. */
void notices_kick(Notices *n);
/* g is ACTIVE: written soon, if it is wanted and was not yet. */
void grant_notice_start(Grant *g);
/* The receipt is written: receipt is the SHA-256 of its line. */
void grant_notice_end(Grant *g, const char *receipt, unsigned killed);

#endif
