/* SPDX-License-Identifier: Apache-2.0 */

#include "../../jit-reaperd/approverd/signed/ticket.h"
#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken in can be written out and is the same ticket then: a signature made here holds elsewhere. */
static void check_round_trip(const TicketDocument *d) {
        _cleanup_json_ json_t *j = ticket_document_to_json(d, true);
        JIT_CLEANUP(ticket_document_freep) TicketDocument *again = NULL;

        if (!j || ticket_document_parse(j, &again, NULL) < 0 ||
            !streq(again->ticket->canonical, d->ticket->canonical) ||
            !streq(again->ticket->digest, d->ticket->digest) || again->n_approvals != d->n_approvals ||
            again->state != d->state)
                abort();
}

static void check_accounts(const Ticket *t) {
        char account[ACCOUNT_NAME_MAX + 1];

        for (char **r = t->requesters; *r; r++)
                if (ticket_account(t, *r, account) < 0)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        JIT_CLEANUP(ticket_freep) Ticket *t = NULL;
        _cleanup_json_ json_t *j = NULL;
        TicketFault fault;

        if (json_parse_strict((const char *) data, size, DOCUMENT_TEXT_MAX, &j, NULL) < 0)
                return 0;
        if (ticket_document_parse(j, &d, &fault) >= 0) {
                check_round_trip(d);
                check_accounts(d->ticket);
        }
        if (ticket_parse(j, &t, &fault) >= 0) {
                if (t->canonical_length > TICKET_TEXT_MAX || t->not_after <= t->not_before)
                        abort();
                check_accounts(t);
        }
        return 0;
}
