/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_FETCHED_H
#define JIT_FETCHED_H

/* A ticket with its approvals, as jit-approverd or a file has it. */

#include "jitctl.h"
#include "ticket-view.h"

typedef struct Approval {
        char *approver, *at, *signature;
} Approval;

enum { FETCHED_APPROVALS_MAX = 64 };

typedef struct Fetched {
        json_t *answer;   /* of GetTicket, or NULL for a file */
        json_t *document; /* {"ticket": ..., "approvals": [...], "state": ...} */
        char *canonical;
        char *state; /* what jit-approverd calls it; for a file its own word */
        char *state_by, *state_at, *state_reason;
        json_t *approvals;
        TicketView *view;
} Fetched;

/* Return a STATUS_, said on stderr if it is not STATUS_OK. id may be NULL for a file. The caller frees *ret in every
 * case; it starts zeroed. */
int fetched_from_service(const Ctl *ctl, const char *id, Fetched *ret);
int fetched_from_file(const char *path, const char *id, Fetched *ret);
void fetched_done(Fetched *f);

/* The ticket, its state and its approvals, as a table on f. */
int fetched_print(const Fetched *fetched, FILE *f, bool colors);
Color state_color(const char *state);

#endif
