/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_APPROVAL_RECORD_H
#define JIT_APPROVAL_RECORD_H

/* The canonical approval that a provider's jq program makes out of a ticket system's answers, range-checked, with its
 * memory. See jit-provider(5), "CANONICAL APPROVAL".
 *
 * MUST: refuse a member that is not known, missing or of another type; a name that does not fit its grammar; a window
 * that is empty, ends before it begins or is longer than TICKET_WINDOW_MAX_USEC.
 * Free texts (title, reason, state_reason) are never a reason to refuse: what cannot be shown becomes a space, what is
 * too long is cut. A name that is there twice counts once, an approver's with the earliest time. */

#include <jansson.h>

#include "provider.h"

typedef struct ApprovalRecord {
        unsigned n_refs;
        Approval approval; /* points into what follows; digest covers what was approved: ticket, requesters, hosts,
                              role, window, reason, commands, ssh_keys, emergency; neither state nor approvers. Lists
                              count as sets: a system may give them in any order. Keys are without their comments. */
        char digest[TICKET_DIGEST_HEX + 1];
        json_t *object; /* as the program gave it, but for the texts, which may be shown */
        json_t *approvers, *invalid;
        char *ticket, *state, *title, *role, *reason, *state_by, *state_at, *state_reason, *not_before, *not_after;
        char **requesters, **hosts, **commands, **ssh_keys, **may_approve;
        char **people; /* names and reasons of approvers */
} ApprovalRecord;

enum { APPROVAL_WHY_MAX = 256 };

/* ticket: the reference's (lower case); the object's must be the same but for case. -EBADMSG and ret_why (one line of
 * plain text); -ENOMEM; -EIO: no SHA-256. */
int approval_record_new(const json_t *object, const char *ticket, ApprovalRecord **ret, char *ret_why);
ApprovalRecord *approval_record_ref(ApprovalRecord *r); /* NULL: NULL */
ApprovalRecord *approval_record_unref(ApprovalRecord *r);
DEFINE_CLEANUP(ApprovalRecord, approval_record_unref);

#endif
