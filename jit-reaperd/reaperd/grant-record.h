/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GRANT_RECORD_H
#define JIT_GRANT_RECORD_H

/* /run/jit/grants/NAME.json: what is about to be true of a grant, written before it is. Root only, on a tmpfs: a reboot ends all grants and
 * their records with them. */

#include <jansson.h>

#include "grant.h"

int grant_record_save(const Grant *g);
int grant_record_remove(const Grant *g);
/* Reads all records, links the grants and calls resume for each; a record that cannot be read is reported and removed with all that bears its
 * name. */
int grant_record_load_all(Manager *m, void (*resume)(Grant *g));
/* A session as JSON: for records and receipts. */
json_t *session_to_json(const Session *s);

#endif
