/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PERSON_KEYS_H
#define JIT_PERSON_KEYS_H

#include "strv.h"
#include "ticket.h"

enum { PERSON_KEYS_FILE_MAX = 64 * 1024, PERSON_KEYS_MAX = 32 };

/* Appends the public keys in ETC/keys.d/PERSON to *keys as "type base64", up to PERSON_KEYS_MAX in all. No file: none.
 * Lines that are no plain key are left out. -ENOMEM; another errno if the file cannot be trusted or read. */
int person_keys_load(const char *etc, const char *person, char ***keys);
/* Appends lines ("type base64 comment") of list that are not there, up to max keys in all. -ENOMEM. */
int person_keys_add(char *const *list, size_t max, char ***keys);
/* What opens person's account of a ticket, and what opens any requester's account of it: keys.d and the ticket's own
 * ssh_keys. ret_all: NULL if not wanted; then no other requester's file is read. A file that cannot be used is logged and
 * opens nothing. -ENOMEM. */
int requester_keys_load(const char *etc, char *const *requesters, char *const *ssh_keys, const char *person,
                        char ***ret_person, char ***ret_all);

#endif
