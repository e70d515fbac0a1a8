/* SPDX-License-Identifier: Apache-2.0 */

#include "json.h"
#include "strv.h"
#include "ticket.h"

typedef struct RawDocument {
        json_t *ticket, *approvals;
        char *state, *state_by, *state_at, *state_reason, *created_by;
} RawDocument;

static const JsonField document_fields[] = {
                {"ticket", JSON_FIELD_OBJECT, offsetof(RawDocument, ticket), 0, JSON_REQUIRED},
                {"approvals", JSON_FIELD_ARRAY, offsetof(RawDocument, approvals), TICKET_APPROVALS_MAX, 0},
                {"state", JSON_FIELD_STRING, offsetof(RawDocument, state), 16, 0},
                {"state_by", JSON_FIELD_STRING, offsetof(RawDocument, state_by), PERSON_NAME_MAX, 0},
                {"state_at", JSON_FIELD_STRING, offsetof(RawDocument, state_at), TIME_TEXT_MAX - 1, 0},
                {"state_reason", JSON_FIELD_TEXT, offsetof(RawDocument, state_reason), TICKET_REASON_MAX, 0},
                {"created_by", JSON_FIELD_STRING, offsetof(RawDocument, created_by), PERSON_NAME_MAX, 0},
                {0},
};

typedef struct RawApproval {
        char *approver, *at, *signature;
} RawApproval;

static const JsonField approval_fields[] = {
                {"approver", JSON_FIELD_STRING, offsetof(RawApproval, approver), PERSON_NAME_MAX, JSON_REQUIRED},
                {"at", JSON_FIELD_STRING, offsetof(RawApproval, at), TIME_TEXT_MAX - 1, JSON_REQUIRED},
                {"signature", JSON_FIELD_TEXT, offsetof(RawApproval, signature), TICKET_SIGNATURE_MAX, JSON_REQUIRED},
                {0},
};

static void raw_document_done(RawDocument *raw) {
        json_decref(raw->ticket);
        json_decref(raw->approvals);
        free(raw->state);
        free(raw->state_by);
        free(raw->state_at);
        free(raw->state_reason);
        free(raw->created_by);
}

static void raw_approval_done(RawApproval *raw) {
        free(raw->approver);
        free(raw->at);
        free(raw->signature);
}

static int document_fault(TicketFault *f, const char *field, const char *message) {
        f->field = field;
        (void) snprintf(f->message, sizeof(f->message), "%s", message);
        return -EBADMSG;
}

static int parse_approval(const json_t *j, TicketDocument *d, TicketFault *f) {
        JIT_CLEANUP(raw_approval_done) RawApproval raw = {0};
        uint64_t at;
        int r;

        if (!json_is_object(j))
                return document_fault(f, "approvals", "an approval is not an object");
        r = json_dispatch(j, approval_fields, &raw, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return document_fault(f, "approvals", "an approval needs approver, at and signature, and nothing else");
        if (!person_name_is_valid(raw.approver))
                return document_fault(f, "approvals", "an approver is not a user name");
        if (time_parse_rfc3339(raw.at, &at) < 0)
                return document_fault(f, "approvals", "an approval's time is not one");
        r = ticket_document_add_approval(d, raw.approver, at, raw.signature);
        if (r == -EEXIST)
                return document_fault(f, "approvals", "an approver is there twice");
        if (r == -ENOSPC)
                return document_fault(f, "approvals", "there are too many approvals");
        return r;
}

static int parse_state(RawDocument *raw, TicketDocument *d, TicketFault *f) {
        if (!raw->state || streq(raw->state, "open"))
                return 0;
        if (streq(raw->state, "denied"))
                d->state = TICKET_DENIED;
        else if (streq(raw->state, "closed"))
                d->state = TICKET_CLOSED;
        else
                return document_fault(f, "state", "not open, denied or closed");
        if (raw->state_by && !person_name_is_valid(raw->state_by))
                return document_fault(f, "state_by", "not a user name");
        if (raw->state_at && time_parse_rfc3339(raw->state_at, &d->state_at) < 0)
                return document_fault(f, "state_at", "not a time");
        if (raw->state_reason && !ticket_text_is_plain(raw->state_reason, true))
                return document_fault(f, "state_reason", "has control characters");
        d->state_by = take_ptr(raw->state_by);
        d->state_reason = take_ptr(raw->state_reason);
        return 0;
}

int ticket_document_parse(const json_t *object, TicketDocument **ret, TicketFault *ret_fault) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        JIT_CLEANUP(raw_document_done) RawDocument raw = {0};
        TicketFault unused = {.field = "document"};
        TicketFault *f = ret_fault ? ret_fault : &unused;
        json_t *approval;
        size_t i;
        int r;

        *f = (TicketFault){.field = "document"};
        if (!json_is_object(object))
                return document_fault(f, "document", "not an object");
        r = json_dispatch(object, document_fields, &raw, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return document_fault(f, "document", "not a ticket document (ticket, approvals, state)");
        if (!(d = calloc(1, sizeof(*d))))
                return -ENOMEM;
        if ((r = ticket_parse(raw.ticket, &d->ticket, f)) < 0 || (r = parse_state(&raw, d, f)) < 0)
                return r;
        json_array_foreach (raw.approvals, i, approval)
                if ((r = parse_approval(approval, d, f)) < 0)
                        return r;
        if (raw.created_by && !person_name_is_valid(raw.created_by))
                return document_fault(f, "created_by", "not a user name");
        d->created_by = take_ptr(raw.created_by);
        *ret = take_ptr(d);
        return 0;
}

int ticket_document_new(Ticket *t, TicketDocument **ret) {
        TicketDocument *d = calloc(1, sizeof(*d));

        if (!d) {
                ticket_free(t);
                return -ENOMEM;
        }
        d->ticket = t;
        *ret = d;
        return 0;
}

TicketDocument *ticket_document_free(TicketDocument *d) {
        if (!d)
                return NULL;
        ticket_free(d->ticket);
        for (size_t i = 0; i < d->n_approvals; i++) {
                free(d->approvals[i].approver);
                free(d->approvals[i].signature);
        }
        free(d->state_by);
        free(d->state_reason);
        free(d->created_by);
        free(d);
        return NULL;
}

static json_t *approval_to_json(const TicketApproval *a) {
        char at[TIME_TEXT_MAX];

        return json_pack("{s:s, s:s, s:s}", "approver", a->approver, "at", time_format_rfc3339(a->at, at), "signature",
                         a->signature);
}

json_t *ticket_document_to_json(const TicketDocument *d, bool local) {
        _cleanup_json_ json_t *j = json_object(), *approvals = json_array();
        char at[TIME_TEXT_MAX];
        json_t *ticket = json_loadb(d->ticket->canonical, d->ticket->canonical_length, JSON_REJECT_DUPLICATES, NULL);

        if (!j || !approvals || !ticket || json_object_set_new(j, "ticket", ticket) < 0)
                return NULL;
        for (size_t i = 0; i < d->n_approvals; i++)
                if (json_array_append_new(approvals, approval_to_json(&d->approvals[i])) < 0)
                        return NULL;
        if (json_object_set(j, "approvals", approvals) < 0 || json_set_str(j, "state", ticket_state_name(d->state)) < 0)
                return NULL;
        if (d->state != TICKET_OPEN) {
                if (json_set_str(j, "state_by", d->state_by) < 0 ||
                    json_set_str(j, "state_reason", d->state_reason) < 0)
                        return NULL;
                if (d->state_at > 0 && json_set_str(j, "state_at", time_format_rfc3339(d->state_at, at)) < 0)
                        return NULL;
        }
        if (local && json_set_str(j, "created_by", d->created_by) < 0)
                return NULL;
        return take_ptr(j);
}

int ticket_document_add_approval(TicketDocument *d, const char *approver, uint64_t at, const char *signature) {
        TicketApproval a = {.at = at};

        for (size_t i = 0; i < d->n_approvals; i++)
                if (streq(d->approvals[i].approver, approver))
                        return -EEXIST;
        if (d->n_approvals >= TICKET_APPROVALS_MAX)
                return -ENOSPC;
        a.approver = strdup(approver);
        a.signature = strdup(signature);
        if (!a.approver || !a.signature) {
                free(a.approver);
                free(a.signature);
                return -ENOMEM;
        }
        d->approvals[d->n_approvals++] = a;
        return 0;
}

int ticket_document_end(TicketDocument *d, TicketState state, const char *by, uint64_t at, const char *reason) {
        _cleanup_free_ char *b = NULL, *why = NULL;

        if (d->state != TICKET_OPEN)
                return -EALREADY;
        if (!(b = strdup(by)) || (reason && !(why = strdup(reason))))
                return -ENOMEM;
        d->state = state;
        d->state_at = at;
        d->state_by = take_ptr(b);
        d->state_reason = take_ptr(why);
        return 0;
}
