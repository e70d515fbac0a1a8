/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_H
#define JIT_PROVIDER_H

/* The seam between what knows tickets and what judges them. A provider says what is so (who asked, who approved, which
 * approvals do not count and why); whether that is enough is the policy's business.
 *
 * MUST NOT wait in any of its functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "name.h"
#include "ticket.h"

typedef struct Reference {
        char ticket[TICKET_ID_MAX + 1]; /* in lower case */
        char person[PERSON_NAME_MAX + 1];
} Reference;

typedef enum ApprovalState { APPROVAL_PENDING, APPROVAL_APPROVED, APPROVAL_DENIED, APPROVAL_CLOSED } ApprovalState;

typedef struct ApprovalBy {
        const char *name;
        uint64_t at;
        const char *reason; /* of one that does not count: ticket-tampered, approver-unknown, approver-revoked,
                               self-approved ... */
} ApprovalBy;

/* What a ticket comes to, whatever the system behind it. Everything is borrowed until the answer function returns. */
typedef struct Approval {
        const char *ticket; /* as its author wrote it */
        const char *title, *role, *reason, *digest;
        char *const *requesters, *const *hosts, *const *commands, *const *ssh_keys;
        uint64_t not_before, not_after; /* usec since 1970 */
        bool emergency;
        ApprovalState state;
        const char *state_by, *state_reason; /* of denied and closed; may be NULL */
        uint64_t state_at;
        ApprovalBy approvers[TICKET_APPROVALS_MAX]; /* who count, requesters perhaps among them */
        size_t n_approvers;
        ApprovalBy invalid[TICKET_APPROVALS_MAX];
        size_t n_invalid;
} Approval;

/* error: 0; -ENOENT: no such ticket, or person is none of its requesters; -EBADMSG: not a ticket; -EAGAIN, -ETIMEDOUT,
 * others: cannot be known now. approval and keys (what opens person's account: "type base64") are NULL then. */
typedef void (*provider_answer_t)(int error, const Approval *approval, char *const *keys, void *userdata);

typedef struct Provider Provider;
struct Provider {
        const char *kind;
        /* Which ticket and person an account's name (in lower case) means. -ENOENT: none of this provider's. */
        int (*resolve)(Provider *p, const char *account, Reference *ret);
        /* Calls answer once, perhaps before it returns; with -ECANCELED when the provider is freed first. person may be
         * empty: then no keys are given. urgent: a login waits. */
        void (*ask)(Provider *p, const Reference *reference, bool urgent, provider_answer_t answer, void *userdata);
        Provider *(*free)(Provider *p);
};

struct Approver;
/* kind "signed" (provider-signed.c): tickets from our own store, approvals by SSH signatures. */
int provider_signed_new(struct Approver *approver, Provider **ret);

#endif
