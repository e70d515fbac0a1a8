/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TICKET_VIEW_H
#define JIT_TICKET_VIEW_H

/* A ticket as a person sees it before signing it: read from the very bytes that are signed.
 *
 * MUST: what is shown comes from canonical, and canonical is what is signed.
 * MUST NOT: sign text that is not its own canonical form, or that has a member which is not shown. */

#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"
#include "table.h"

enum {
        TICKET_CANONICAL_MAX = 64 * 1024,
        TICKET_FILE_MAX = 256 * 1024, /* a document with its approvals */
        TICKET_WHY_MAX = 320,
};

typedef struct TicketView {
        char *canonical;
        uint64_t version;
        char *id, *title;
        char **requesters;
        char *role;
        char **hosts;
        char *not_before, *not_after, *reason;
        char **ssh_keys, **commands;
        bool emergency;
        char *nonce;
} TicketView;

/* id: what was asked for, in any case of letters, or NULL. -EBADMSG and a sentence in ret_why (TICKET_WHY_MAX bytes),
 * -ENOMEM. */
int ticket_view_new(const char *canonical, const char *id, TicketView **ret, char *ret_why);
TicketView *ticket_view_free(TicketView *v);
DEFINE_CLEANUP(TicketView, ticket_view_free);

/* Adds all of it to t. Keys are shown with their fingerprints as ssh-keygen(1) computes them. */
void ticket_view_show(const TicketView *v, Table *t);
/* The row "Window" alone; times as RFC 3339. */
void ticket_window_show(Table *t, const char *not_before, const char *not_after);

#endif
