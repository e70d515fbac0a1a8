/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TICKET_H
#define JIT_TICKET_H

/* A signed ticket and the document that carries it with its approvals; see jit-approverd(8), "TICKETS".
 *
 * MUST: sign and verify Ticket.canonical, never a text made again from the other members.
 * MUST NOT: change a Ticket after ticket_parse(). */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"
#include "name.h"
#include "timefmt.h"

enum {
        TICKET_TEXT_MAX = 64 * 1024,    /* bytes of the canonical text */
        DOCUMENT_TEXT_MAX = 256 * 1024, /* bytes of a document */
        TICKET_APPROVALS_MAX = 16,
        TICKET_REQUESTERS_MAX = 16,
        TICKET_KEYS_MAX = 16,
        TICKET_TITLE_MAX = 120,
        TICKET_REASON_MAX = 500,
        TICKET_COMMAND_MAX = 1024,
        TICKET_SIGNATURE_MAX = 8 * 1024,
        TICKET_NONCE_HEX = 32,
        TICKET_DIGEST_HEX = 64,
};

#define TICKET_WINDOW_MAX_USEC (31 * 24 * USEC_PER_HOUR)

typedef struct Ticket {
        uint64_t version;
        char *id;                    /* as its author wrote it */
        char key[TICKET_ID_MAX + 1]; /* the id in lower case: what is compared, and the file's name */
        char *title;
        char **requesters;
        char *role;
        char **hosts;
        char *not_before_text, *not_after_text;
        uint64_t not_before, not_after; /* usec since 1970 */
        char *reason;
        char **ssh_keys;
        char **commands;
        bool emergency;
        char *nonce;
        char *canonical; /* the bytes that are signed */
        size_t canonical_length;
        char digest[TICKET_DIGEST_HEX + 1]; /* SHA-256 of them, in hex */
} Ticket;

typedef enum TicketState { TICKET_OPEN, TICKET_DENIED, TICKET_CLOSED } TicketState;

typedef struct TicketApproval {
        char *approver;
        uint64_t at;
        char *signature;
} TicketApproval;

typedef struct TicketDocument {
        Ticket *ticket;
        TicketApproval approvals[TICKET_APPROVALS_MAX];
        size_t n_approvals;
        TicketState state;
        char *state_by; /* NULL while open */
        uint64_t state_at;
        char *state_reason;
        char *created_by; /* who brought it here: only in the store's own files, never exported; may be NULL */
} TicketDocument;

/* What was wrong with a ticket from outside, for its author: field is a member's name (static), message a sentence. */
typedef struct TicketFault {
        const char *field;
        char message[192];
} TicketFault;

/* object: parsed by json_parse_strict() or taken from such an object. -EBADMSG and *ret_fault, or -ENOMEM. */
int ticket_parse(const json_t *object, Ticket **ret, TicketFault *ret_fault);
Ticket *ticket_free(Ticket *t);
DEFINE_CLEANUP(Ticket, ticket_free);
/* The account that person logs in as: jit-ID when there is one requester, jit-ID-PERSON when there are several. ret has
 * ACCOUNT_NAME_MAX + 1 bytes. -EINVAL if that is no account name. */
int ticket_account(const Ticket *t, const char *person, char *ret);

int ticket_document_parse(const json_t *object, TicketDocument **ret, TicketFault *ret_fault);
TicketDocument *ticket_document_free(TicketDocument *d);
DEFINE_CLEANUP(TicketDocument, ticket_document_free);
/* An open document without approvals. Takes t over, also on failure. */
int ticket_document_new(Ticket *t, TicketDocument **ret);
/* A new reference, or NULL (no memory). local: with created_by, for the store's own file. */
json_t *ticket_document_to_json(const TicketDocument *d, bool local);
/* -EEXIST: that approver's approval is there already; -ENOSPC: there are as many as may be. */
int ticket_document_add_approval(TicketDocument *d, const char *approver, uint64_t at, const char *signature);
/* From open to denied or closed. by and reason are copied; reason may be NULL. -EALREADY if it is not open any more. */
int ticket_document_end(TicketDocument *d, TicketState state, const char *by, uint64_t at, const char *reason);

const char *ticket_state_name(TicketState s);
/* Whether text may be shown on a terminal: UTF-8 without control characters (ECMA-48 C0 but newline and tab if lines is
 * set, C1), line separators and bidirectional overrides (Unicode TR36). */
bool ticket_text_is_plain(const char *text, bool lines);

/* SHA-256 in lower-case hex; ret has TICKET_DIGEST_HEX + 1 bytes. -EIO if OpenSSL fails. */
int ticket_digest(const void *data, size_t length, char *ret);

#endif
