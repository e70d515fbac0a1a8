/* SPDX-License-Identifier: Apache-2.0 */

/* AddApproval and ImportTicket: both bring approvals of a ticket, one or a document full. Anyone may bring them: every
 * signature is checked first, then the approvals go into the store, all or none. */

#include "approver-api.h"
#include "json.h"
#include "log.h"
#include "person-keys.h"
#include "strv.h"
#include "verdict.h"

enum { COST_DELIVERY = 2 };

typedef struct Delivery {
        Approver *approver;
        VarlinkLink *link;
        Caller caller;
        bool import;
        bool may_see; /* whoever may not is told nothing but "no such ticket", until a good signature is shown */
        TicketDocument *document; /* what is brought; for AddApproval: the stored ticket with just the new approval */
        SignatureKey *signers;
        unsigned waiting;
        int error;
        size_t bad;             /* the first whose signature is not good */
        SignatureResult result; /* and why; SIGNATURE_VALID: none */
} Delivery;

typedef struct DeliveryWaiting {
        Delivery *delivery;
        size_t index;
} DeliveryWaiting;

static Delivery *delivery_free(Delivery *d) {
        if (!d)
                return NULL;
        varlink_link_unref(d->link);
        ticket_document_free(d->document);
        free(d->signers);
        free(d);
        return NULL;
}

DEFINE_CLEANUP(Delivery, delivery_free);

/* ---- the answer ---- */

static void on_counted(const ProviderAnswer *answer, void *userdata) {
        JIT_CLEANUP(delivery_freep) Delivery *d = userdata;
        const Approval *approval = answer->approval;
        const Role *role = approval ? approver_role(d->approver, approval->role) : NULL;
        const char *state = approval ? approval_state_text(approval, role, now_usec(CLOCK_REALTIME)) : NULL;

        if (!approval)
                (void) reply_try_again(d->link, "it is stored, but its approvals cannot be counted just now");
        else if (d->import)
                (void) varlink_reply(d->link, json_pack("{s:s, s:s}", "id", approval->ticket, "state", state));
        else
                (void) varlink_reply(d->link, json_pack("{s:s, s:I, s:I}", "state", state, "approvals",
                                                        (json_int_t) approval_count(approval), "needed",
                                                        (json_int_t) role_approvers(role)));
}

static void delivery_succeed(Delivery *d) {
        Reference reference = {0};

        (void) snprintf(reference.ticket, sizeof(reference.ticket), "%s", d->document->ticket->key);
        approver_changed(d->approver, d->document->ticket->id);
        reference.provider = provider_set_first(d->approver->providers);
        reference.provider->ask(reference.provider, &reference, NULL, false, on_counted, d);
}

static int refuse_signature(const Delivery *d) {
        static const char *const messages[] = {
                        [SIGNATURE_VALID] = "",
                        [SIGNATURE_TAMPERED] =
                                        "the signature is not one of this ticket (namespace " SIGNATURE_NAMESPACE ")",
                        [SIGNATURE_UNKNOWN] = "the key is not listed for that approver",
                        [SIGNATURE_REVOKED] = "the approver's key is revoked",
        };

        if (!d->may_see)
                return reply_no_such_ticket(d->link, d->document->ticket->id);
        return reply_bad_signature(d->link, signature_result_reason(d->result), messages[d->result]);
}

/* ---- into the store ---- */

/* 0: may be added; 1: is there already (import); -EALREADY: was answered. */
static int check_approval(Delivery *d, const TicketDocument *stored, char *const *requester_keys, size_t i) {
        const TicketApproval *a = &d->document->approvals[i];
        SignatureKey other;

        if (strv_contains(stored->ticket->requesters, a->approver) ||
            signature_key_is_among(&d->signers[i], requester_keys))
                return reply_not_allowed(d->link, "self-approved", "who asks for a ticket cannot approve it"),
                       -EALREADY;
        for (size_t j = 0; j < stored->n_approvals; j++) {
                const TicketApproval *s = &stored->approvals[j];
                bool same_name = streq(s->approver, a->approver);

                if (same_name && d->import)
                        return 1;
                if (same_name || (signature_parse(s->signature, strlen(s->signature), &other) >= 0 &&
                                  signature_key_equal(&other, &d->signers[i])))
                        return reply_not_allowed(d->link, "ticket-pending",
                                                 "that approver, or that key, has approved this ticket already"),
                               -EALREADY;
        }
        return 0;
}

static int check_stored(Delivery *d, const TicketDocument *stored) {
        if (!streq(stored->ticket->digest, d->document->ticket->digest))
                return varlink_error(d->link, "io.pamjit.Approver.TicketExists",
                                     json_pack("{s:s}", "id", d->document->ticket->id)),
                       -EALREADY;
        if (d->import)
                return 0;
        if (stored->state != TICKET_OPEN)
                return reply_not_allowed(d->link, stored->state == TICKET_DENIED ? "ticket-denied" : "ticket-closed",
                                         "the ticket is not open any more"),
                       -EALREADY;
        if (now_usec(CLOCK_REALTIME) >= stored->ticket->not_after)
                return reply_not_allowed(d->link, "too-late", "the ticket's window has passed"), -EALREADY;
        return 0;
}

/* A ticket that ended elsewhere ends here, by the word of who brings it; one that ended here stays so. */
static int merge_state(const Delivery *d, TicketDocument *stored) {
        const TicketDocument *in = d->document;

        if (!d->import || in->state == TICKET_OPEN || stored->state != TICKET_OPEN)
                return 0;
        return ticket_document_end(stored, in->state, d->caller.name, now_usec(CLOCK_REALTIME), in->state_reason);
}

static int merge_approvals(Delivery *d, TicketDocument *stored) {
        _cleanup_strv_ char **own = NULL, **all = NULL;
        int r = requester_keys_load(d->approver->etc, stored->ticket->requesters, stored->ticket->ssh_keys, "", &own,
                                    &all);

        for (size_t i = 0; i < d->document->n_approvals && r >= 0; i++) {
                const TicketApproval *a = &d->document->approvals[i];

                if ((r = check_approval(d, stored, all, i)) == 0)
                        r = ticket_document_add_approval(stored, a->approver, a->at, a->signature);
                if (r == -ENOSPC)
                        return reply_not_allowed(d->link, "no-space",
                                                 "the ticket has as many approvals as it can have"),
                               -EALREADY;
        }
        return r < 0 ? r : 0;
}

static int stored_or_new(Delivery *d, TicketDocument **ret) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *stored = NULL;
        _cleanup_json_ json_t *object = NULL;
        Ticket *t;
        int r = ticket_store_get(d->approver->store, d->document->ticket->key, ret);

        if (r == -EBADMSG)
                return varlink_error(d->link, "io.pamjit.Approver.TicketExists",
                                     json_pack("{s:s}", "id", d->document->ticket->id)),
                       -EALREADY;
        if (r != -ENOENT)
                return r;
        if (!d->import) /* gone while ssh-keygen looked */
                return reply_no_such_ticket(d->link, d->document->ticket->id), -EALREADY;
        if (!ticket_names_are_free(d->approver, d->document->ticket))
                return varlink_error(d->link, "io.pamjit.Approver.TicketExists",
                                     json_pack("{s:s}", "id", d->document->ticket->id)),
                       -EALREADY;
        object = json_loadb(d->document->ticket->canonical, d->document->ticket->canonical_length,
                            JSON_REJECT_DUPLICATES, NULL);
        if (!object || (r = ticket_parse(object, &t, NULL)) < 0 || (r = ticket_document_new(t, &stored)) < 0)
                return object ? r : -ENOMEM;
        if (!(stored->created_by = strdup(d->caller.name)))
                return -ENOMEM;
        *ret = take_ptr(stored);
        return 0;
}

/* Steals d. */
static void delivery_store(Delivery *owned) {
        JIT_CLEANUP(delivery_freep) Delivery *d = owned;
        JIT_CLEANUP(ticket_document_freep) TicketDocument *stored = NULL;
        int r;

        if (d->error < 0) {
                (void) reply_try_again(d->link, "signatures cannot be checked just now");
                return;
        }
        if (d->result != SIGNATURE_VALID) {
                (void) refuse_signature(d);
                return;
        }
        if ((r = stored_or_new(d, &stored)) >= 0 && (r = check_stored(d, stored)) >= 0 &&
            (r = merge_approvals(d, stored)) >= 0)
                r = merge_state(d, stored);
        if (r == -EALREADY)
                return;
        if (r < 0) {
                (void) reply_try_again(d->link, "there is no memory for that now");
                return;
        }
        r = ticket_store_put(d->approver->store, stored, now_usec(CLOCK_REALTIME));
        if (r < 0) {
                (void) ticket_store_failed(d->link, stored->ticket, r);
                return;
        }
        if (d->import)
                log_ticket(stored->ticket, "brought by %s, with %zu approvals", d->caller.name,
                           d->document->n_approvals);
        else
                log_ticket(stored->ticket, "approved by %s, as %s delivered", d->document->approvals[0].approver,
                           d->caller.name);
        delivery_succeed(take_ptr(d));
}

/* ---- checking ---- */

static void delivery_note(Delivery *d, int error, SignatureResult result, size_t i) {
        if (error < 0 && d->error == 0)
                d->error = error;
        if (error == 0 && result != SIGNATURE_VALID && (d->result == SIGNATURE_VALID || i < d->bad)) {
                d->result = result;
                d->bad = i;
        }
}

static void on_checked(int error, SignatureResult result, void *userdata) {
        DeliveryWaiting *w = userdata;
        Delivery *d = w->delivery;

        delivery_note(d, error, result, w->index);
        free(w);
        if (--d->waiting == 0)
                delivery_store(d);
}

static void check_signature(Delivery *d, size_t i) {
        const TicketApproval *a = &d->document->approvals[i];
        const Ticket *t = d->document->ticket;
        SignatureRequest request = {.message = t->canonical,
                                    .length = t->canonical_length,
                                    .approver = a->approver,
                                    .signature = a->signature};
        SignatureResult result = SIGNATURE_TAMPERED;
        DeliveryWaiting *w;
        int r;

        if (signature_parse(a->signature, strlen(a->signature), &d->signers[i]) < 0) {
                delivery_note(d, 0, SIGNATURE_TAMPERED, i);
                return;
        }
        if (!(w = malloc(sizeof(*w)))) {
                delivery_note(d, -ENOMEM, result, i);
                return;
        }
        *w = (DeliveryWaiting){d, i};
        r = signature_verify(d->approver->verifier, &request, on_checked, w, &result);
        if (r == 0) {
                d->waiting++;
                return;
        }
        free(w);
        delivery_note(d, r < 0 ? r : 0, result, i);
}

/* Steals document. */
static int delivery_start(Approver *a, VarlinkLink *l, const Caller *c, bool import, bool may_see,
                          TicketDocument *document) {
        Delivery *d = calloc(1, sizeof(*d));

        if (!d || !(d->signers = calloc(document->n_approvals + 1, sizeof(*d->signers)))) {
                free(d);
                ticket_document_free(document);
                return -ENOMEM;
        }
        d->approver = a;
        d->link = varlink_link_ref(l);
        d->caller = *c;
        d->import = import;
        d->may_see = may_see;
        d->document = document;
        d->waiting = 1; /* for ourselves, until all are asked */
        for (size_t i = 0; i < document->n_approvals; i++)
                check_signature(d, i);
        if (--d->waiting == 0)
                delivery_store(d);
        return 0;
}

/* ---- the methods ---- */

typedef struct ApprovalCall {
        char *id, *approver, *signature;
} ApprovalCall;

static void approval_call_done(ApprovalCall *c) {
        free(c->id);
        free(c->approver);
        free(c->signature);
}

static int add_approval(Approver *a, VarlinkLink *l, const Caller *c, const ApprovalCall *call) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *stored = NULL, *document = NULL;
        bool may_see;
        int r;

        if (ticket_store_get(a->store, call->id, &stored) < 0)
                return reply_no_such_ticket(l, call->id);
        may_see = caller_may_see(a, c, stored->ticket->requesters);
        if (may_see && strv_contains(stored->ticket->requesters, call->approver))
                return reply_not_allowed(l, "self-approved", "who asks for a ticket cannot approve it");
        if (!person_name_is_valid(call->approver))
                return may_see ? reply_bad_signature(l, "approver-unknown", "that is not an approver's name")
                               : reply_no_such_ticket(l, call->id);
        if ((r = ticket_document_new(take_ptr(stored->ticket), &document)) < 0 ||
            (r = ticket_document_add_approval(document, call->approver, now_usec(CLOCK_REALTIME), call->signature)) < 0)
                return r;
        return delivery_start(a, l, c, false, may_see, take_ptr(document));
}

int vl_method_add_approval(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {
                        {"id", JSON_FIELD_STRING, offsetof(ApprovalCall, id), 1024, JSON_REQUIRED},
                        {"approver", JSON_FIELD_STRING, offsetof(ApprovalCall, approver), 1024, JSON_REQUIRED},
                        {"signature", JSON_FIELD_TEXT, offsetof(ApprovalCall, signature), TICKET_SIGNATURE_MAX,
                         JSON_REQUIRED},
                        {0},
        };
        JIT_CLEANUP(approval_call_done) ApprovalCall call = {0};
        Caller c;
        int r = json_dispatch(parameters, fields, &call, NULL);

        (void) more;
        if (r < 0 || (r = caller_enter(userdata, l, COST_DELIVERY, &c)) != 0)
                return r < 0 ? r : 0;
        if (!c.name[0])
                return reply_not_allowed(l, "policy-denied", "this account cannot work on tickets");
        return add_approval(userdata, l, &c, &call);
}

int vl_method_import_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {{"document", JSON_FIELD_OBJECT, 0, 0, JSON_REQUIRED}, {0}};
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        _cleanup_json_ json_t *object = NULL;
        Approver *a = userdata;
        TicketFault fault;
        Caller c;
        int r = json_dispatch(parameters, fields, &object, NULL);

        (void) more;
        if (r < 0 || (r = caller_enter(a, l, COST_DELIVERY, &c)) != 0)
                return r < 0 ? r : 0;
        if (!c.name[0])
                return reply_not_allowed(l, "policy-denied", "this account cannot work on tickets");
        r = ticket_document_parse(object, &d, &fault);
        if (r == -EBADMSG)
                return reply_bad_ticket(l, &fault);
        if (r < 0)
                return r;
        if (!caller_may_see(a, &c, d->ticket->requesters))
                return reply_not_allowed(l, "not-requester",
                                         "only requesters, approvers and root can bring a ticket here");
        if (ticket_check_window(d->ticket, now_usec(CLOCK_REALTIME), &fault) < 0)
                return reply_bad_ticket(l, &fault);
        return delivery_start(a, l, &c, true, true, take_ptr(d));
}
