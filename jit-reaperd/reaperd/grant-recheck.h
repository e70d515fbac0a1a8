/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GRANT_RECHECK_H
#define JIT_GRANT_RECHECK_H

/* A ticket is judged again while its grant lives: at once when it may have changed, and every so often where its
 * provider says so.
 *
 * A clear no revokes, and so does a yes to something else than what was approved. No answer is not a no: the grant
 * lives until its provider has been silent for the grace; without one, to its deadline. */

#include "grant.h"

/* ---- grant-recheck.c: one grant ---- */

/* The ticket may have changed: jit-approverd is asked, and a no revokes (ACTIVE) or takes the authorization back
 * (RESERVED). */
void grant_recheck(Grant *g);
/* What came of a question. v: NULL, or what verdict_parse() gave; its members are taken. g may be gone afterwards. */
void grant_judge(Grant *g, Verdict *v);
/* A clear yes that was heard elsewhere. */
void grant_answered(Grant *g);
/* ACTIVE, and silent for longer than its grace: revokes it. */
bool grant_end_if_silent(Grant *g, uint64_t now_boottime_usec);
/* For records: NULL while the last answer was clear; and back (0 for a reason that is none). */
const char *silence_to_string(uint8_t silence);
uint8_t silence_from_string(const char *reason);

/* ---- recheck-timer.c: all of them, one timer, few calls ---- */

int rechecks_new(Manager *m, Rechecks **ret);
Rechecks *rechecks_free(Rechecks *r);
/* ACTIVE: from now on it is asked about every recheck_sec, or a little more often, if that is not 0. */
void grant_recheck_begin(Grant *g);
/* It was just asked about, or has another recheck_sec: when next? */
void grant_recheck_schedule(Grant *g);

#endif
