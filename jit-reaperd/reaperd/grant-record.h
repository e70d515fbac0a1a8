/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GRANT_RECORD_H
#define JIT_GRANT_RECORD_H

/* /run/jit/grants/ID.json: what is about to be true of a grant, written before it is. Root only, on a tmpfs: a reboot ends all grants and
 * their records with them. */

#include "grant.h"

int grant_record_save(const Grant *g);
int grant_record_remove(const Grant *g);
/* The same below /var/lib/jit/live, at the activation: a reboot forgets the record, and the receipt is owed all the same. */
int grant_record_save_live(const Grant *g);
/* Reads all records, links the grants and calls resume for each; one that cannot be read is reported and removed, and what it was for
 * is an orphan (reap.h). */
int grant_record_load_all(Manager *m, void (*resume)(Grant *g));
/* The grants that a reboot ended: what they left on the disk is removed, and their receipts are written (reason "reboot"). To be called after
 * grant_record_load_all(). */
int grant_record_load_lost(Manager *m);

#endif
