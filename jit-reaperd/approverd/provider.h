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

typedef struct Provider Provider;

typedef struct Reference {
        char ticket[TICKET_ID_MAX + 1];    /* in lower case */
        char person[PERSON_NAME_MAX + 1];  /* "": the ticket's one requester, if it has one only */
        bool told; /* person was told beside the ticket: any requester; else it is what the account's name says */
        Provider *provider;                /* borrowed; whose ticket it is. Valid until the providers are loaded anew */
} Reference;

/* What the question is asked for; NULL: not said. Only providers that send it on (Context=yes) look at it. */
typedef struct QuestionContext {
        const char *phase; /* name, account, recheck */
        const char *service, *rhost, *tty;
        const char *way, *target; /* as in PolicyInput */
} QuestionContext;

typedef enum ApprovalState { APPROVAL_PENDING, APPROVAL_APPROVED, APPROVAL_DENIED, APPROVAL_CLOSED } ApprovalState;

typedef struct ApprovalBy {
        const char *name;
        uint64_t at;        /* usec since 1970; 0: the system does not say */
        const char *reason; /* of one that does not count: ticket-tampered, approver-unknown, approver-revoked,
                               self-approved ... */
} ApprovalBy;

/* What a ticket comes to, whatever the system behind it. Everything is borrowed until the answer function returns. */
typedef struct Approval {
        const char *ticket; /* as its author wrote it */
        const char *title, *role, *reason, *digest;
        char *const *requesters, *const *hosts, *const *commands, *const *ssh_keys;
        char *const *may_approve; /* who could, for a person who waits; NULL: not known */
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

/* How a question ended. Every code that begins with "provider-" means that nothing is known: nothing new is granted on
 * it, and nothing live is revoked before the provider's grace is over. */
typedef enum ProviderResult {
        PROVIDER_OK,
        PROVIDER_NO_MEMORY,
        PROVIDER_UNKNOWN,     /* ticket-unknown: no such ticket, or person is none of its requesters */
        PROVIDER_INVALID,     /* ticket-invalid: there is something, but values are missing, unknown or contradict */
        PROVIDER_UNREACHABLE, /* provider-unreachable: no connection, no answer in time, 5xx, the breaker is open */
        PROVIDER_TLS,         /* provider-tls: not the server it should be: certificate, pin, protocol version */
        PROVIDER_LOGIN,       /* provider-login: it refuses our own credentials (401, 403, no token) */
        PROVIDER_LIMIT,       /* provider-limit: 429, our own rate limit, or the queue is full */
        PROVIDER_ANSWER,      /* provider-answer: too long, not JSON, not signed, a redirect to another host */
        PROVIDER_CANCELED,    /* provider-unreachable: the provider is being freed */
} ProviderResult;

typedef struct ProviderAnswer {
        ProviderResult result;
        const char *detail;       /* a sentence for the journal and for `jitctl explain`, or NULL; never a secret */
        const Approval *approval; /* PROVIDER_OK only */
        const char *person;       /* PROVIDER_OK only: reference->person, or the ticket's one requester */
        char *const *keys;        /* what opens person's account: "type base64" */
} ProviderAnswer;

/* The code for journals and verdicts: "ticket-unknown" ...; NULL for OK and NO_MEMORY. */
const char *provider_result_reason(ProviderResult r);

/* answer is borrowed. */
typedef void (*provider_answer_t)(const ProviderAnswer *answer, void *userdata);

struct Provider {
        const char *kind; /* "signed", "http" */
        char *name;       /* the file's name without .conf; "signed" */
        /* 0: live grants are asked again only when something changed; else every so often, by jit-reaperd. */
        uint64_t recheck_usec;
        /* So long a live grant outlives a provider of which nothing can be known. USEC_INFINITY: to its deadline. */
        uint64_t grace_usec;
        bool comments; /* wants to hear of a grant's start and end (outbox.h) */
        /* Which ticket and person an account's name (in lower case) means. -ENOENT: none of this provider's. */
        int (*resolve)(Provider *p, const char *account, Reference *ret);
        /* The same for a ticket (in lower case) and a person who asks for it: also where it has several requesters. */
        int (*refer)(Provider *p, const char *ticket, const char *person, Reference *ret);
        /* Calls answer once, perhaps before it returns; with PROVIDER_CANCELED when the provider is freed first.
         * urgent: a login waits. context may be NULL. */
        void (*ask)(Provider *p, const Reference *reference, const QuestionContext *context, bool urgent,
                    provider_answer_t answer, void *userdata);
        Provider *(*free)(Provider *p);
};

struct Approver;
/* kind "signed" (provider-signed.c): tickets from our own store, approvals by SSH signatures. */
int provider_signed_new(struct Approver *approver, Provider **ret);

#endif
