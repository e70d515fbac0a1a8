/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GRANT_RECORD_H
#define JIT_GRANT_RECORD_H

/* /run/jit/grants/ID.json: what is about to be true of a grant, written before it is. Root only, on a tmpfs: a reboot ends all grants and
 * their records with them. */

#include <jansson.h>

#include "grant.h"

int grant_record_save(const Grant *g);
int grant_record_remove(const Grant *g);
/* Reads all records, links the grants and calls resume for each; one that cannot be read is reported and removed, and what it was for
 * is an orphan (reap.h). */
int grant_record_load_all(Manager *m, void (*resume)(Grant *g));
/* A session as JSON: for records and receipts. */
json_t *session_to_json(const Session *s);

#endif
