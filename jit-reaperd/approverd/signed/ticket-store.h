/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TICKET_STORE_H
#define JIT_TICKET_STORE_H

/* Ticket documents, one file each: STATE/tickets/KEY.json. The files are read anew for each question, so that what is
 * judged is what is there; an index in memory holds only what counting and listing need. Nothing here is trusted:
 * signatures are. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ticket.h"

enum {
        STORE_TICKETS_MAX = 10000,
        STORE_OPEN_PER_USER_MAX = 100,     /* tickets that are open and whose window has not passed */
        STORE_TICKETS_PER_USER_MAX = 1000, /* tickets whose window has not passed, in whatever state */
};

typedef struct TicketEntry {
        char *key;
        char *created_by; /* may be NULL */
        char **requesters;
        TicketState state;
        uint64_t not_after;
} TicketEntry;

typedef struct TicketStore TicketStore;

/* Makes STATE/tickets if it is not there. Files that are no documents are logged and left alone. */
int ticket_store_new(const char *state_directory, TicketStore **ret);
TicketStore *ticket_store_free(TicketStore *s);
DEFINE_CLEANUP(TicketStore, ticket_store_free);

/* Looks at the files again, for what was put there or taken away by hand. */
int ticket_store_rescan(TicketStore *s);

/* id in any case of letters. -ENOENT: there is none (or id is no id); -EBADMSG: there is one, but no document in it. */
int ticket_store_get(TicketStore *s, const char *id, TicketDocument **ret);
bool ticket_store_has(const TicketStore *s, const char *key);
/* Writes a new or changed document. now: wall clock. -EDQUOT: created_by (but root) has too many; -ENOSPC: the store is
 * full (of tickets whose window has not passed), or the disk; other errno of writing. */
int ticket_store_put(TicketStore *s, const TicketDocument *d, uint64_t now);
/* Borrowed until the next call that writes; sorted by key. */
const TicketEntry *ticket_store_entries(const TicketStore *s, size_t *ret_n);

#endif
