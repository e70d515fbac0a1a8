/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>

#include "approver-api.h"
#include "json.h"
#include "log.h"
#include "strv.h"

/* How far ahead a ticket may be asked for: one that never ends would never leave the store. */
#define AHEAD_MAX_USEC (366 * 24 * USEC_PER_HOUR)

enum { COST_WRITE = 1 };

int ticket_check_window(const Ticket *t, uint64_t now, TicketFault *f) {
        *f = (TicketFault){.field = "not_after"};
        if (t->not_after <= now)
                (void) snprintf(f->message, sizeof(f->message), "the window has passed already");
        else if (t->not_after > now + AHEAD_MAX_USEC)
                (void) snprintf(f->message, sizeof(f->message), "more than a year ahead");
        else
                return 0;
        return -EBADMSG;
}

/* A signed ticket must not stand in another system's place: an account's name belongs to "signed" first. */
static bool is_elsewhere(const Approver *a, const char *account) {
        Reference other;

        for (Provider *p = provider_set_first(a->providers); (p = provider_set_next(a->providers, p));)
                if (p->resolve(p, account, &other) >= 0)
                        return true;
        return false;
}

bool ticket_names_are_free(const Approver *a, const Ticket *t) {
        char account[ACCOUNT_NAME_MAX + 1], whole[sizeof(ACCOUNT_PREFIX) + TICKET_ID_MAX];
        Reference other;

        (void) snprintf(whole, sizeof(whole), ACCOUNT_PREFIX "%s", t->key);
        if (is_elsewhere(a, whole))
                return false;
        /* jit-A-B may be ticket A-B, or B's account of ticket A: only one of them can be. */
        if (provider_set_resolve(a->providers, whole, &other) >= 0 && !streq(other.ticket, t->key))
                return false;
        STRV_FOREACH (person, t->requesters)
                if (ticket_account(t, *person, account) < 0 || is_elsewhere(a, account) ||
                    (provider_set_resolve(a->providers, account, &other) >= 0 && !streq(other.ticket, t->key)) ||
                    (!streq(account, whole) && ticket_store_has(a->store, account + strlen(ACCOUNT_PREFIX))))
                        return false;
        return true;
}

void log_ticket(const Ticket *t, const char *format, ...) {
        char field[sizeof("JIT_TICKET=") + TICKET_ID_MAX], text[256];
        const char *const fields[] = {field, NULL};
        va_list ap;

        (void) snprintf(field, sizeof(field), "JIT_TICKET=%s", t->id);
        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        log_fields(LOG_INFO, fields, "%s: %s", t->id, text);
}

int ticket_store_failed(VarlinkLink *l, const Ticket *t, int error) {
        if (error == -EDQUOT)
                return reply_not_allowed(l, "rate-limited",
                                         "you have too many tickets whose window has not passed; close some");
        log_error("%s: cannot be stored: %s", t->id, strerror(-error));
        return reply_try_again(l, error == -ENOSPC ? "there is no room for tickets" : "the ticket cannot be stored");
}

/* An equal ticket that is there already is this one, sent twice. */
static int store_new(Approver *a, VarlinkLink *l, Ticket *t, const Caller *c) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL, *old = NULL;
        int r = ticket_document_new(t, &d);

        if (r < 0)
                return r;
        r = ticket_store_get(a->store, t->key, &old);
        if (r != -ENOENT && !(r >= 0 && streq(old->ticket->digest, t->digest)))
                return varlink_error(l, "io.pamjit.Approver.TicketExists", json_pack("{s:s}", "id", t->id));
        if (r == -ENOENT) {
                if (!ticket_names_are_free(a, t))
                        return varlink_error(l, "io.pamjit.Approver.TicketExists", json_pack("{s:s}", "id", t->id));
                if (!(d->created_by = strdup(c->name)))
                        return -ENOMEM;
                if ((r = ticket_store_put(a->store, d, now_usec(CLOCK_REALTIME))) < 0)
                        return ticket_store_failed(l, t, r);
                log_ticket(t, "asked for by %s", c->name);
                approver_changed(a, t->id);
        }
        return varlink_reply(l, json_pack("{s:s, s:s}", "id", t->id, "canonical", t->canonical));
}

typedef struct NewCall {
        json_t *ticket;
        char *provider;
} NewCall;

static void new_call_done(NewCall *c) {
        json_decref(c->ticket);
        free(c->provider);
}

int vl_method_new_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {
                        {"ticket", JSON_FIELD_OBJECT, offsetof(NewCall, ticket), 0, JSON_REQUIRED},
                        {"provider", JSON_FIELD_STRING, offsetof(NewCall, provider), ROLE_NAME_MAX, 0},
                        {0},
        };
        JIT_CLEANUP(ticket_freep) Ticket *t = NULL;
        JIT_CLEANUP(new_call_done) NewCall call = {0};
        Approver *a = userdata;
        TicketFault fault;
        Caller c;
        int r = json_dispatch(parameters, fields, &call, NULL);

        (void) more;
        if (r < 0 || (r = caller_enter(a, l, COST_WRITE, &c)) != 0)
                return r < 0 ? r : 0;
        if (!c.name[0])
                return reply_not_allowed(l, "not-requester", "this account cannot ask for tickets");
        if (call.provider && !streq(call.provider, "signed"))
                return ticket_create_elsewhere(a, l, call.provider, call.ticket, &c);
        r = ticket_parse(call.ticket, &t, &fault);
        if (r == -EBADMSG)
                return reply_bad_ticket(l, &fault);
        if (r < 0)
                return r;
        if (!c.root && !caller_is_requester(&c, t->requesters))
                return reply_not_allowed(l, "not-requester", "you are not among the requesters");
        if (ticket_check_window(t, now_usec(CLOCK_REALTIME), &fault) < 0)
                return reply_bad_ticket(l, &fault);
        return store_new(a, l, take_ptr(t), &c);
}

/* ---- DenyTicket, CloseTicket ---- */

typedef struct EndCall {
        char *id, *reason;
} EndCall;

static void end_call_done(EndCall *c) {
        free(c->id);
        free(c->reason);
}

static int end_ticket(Approver *a, VarlinkLink *l, const EndCall *call, TicketState state, const Caller *c) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        uint64_t now = now_usec(CLOCK_REALTIME);
        int r;

        if (ticket_store_get(a->store, call->id, &d) < 0 || !caller_may_see(a, c, d->ticket->requesters))
                return reply_no_such_ticket(l, call->id);
        if (state == TICKET_DENIED && !c->root && !caller_is_approver(a, c))
                return reply_not_allowed(l, "approver-unknown",
                                         "only approvers can deny a ticket; who asked for it can close it");
        if (d->state == state)
                return varlink_reply(l, NULL);
        r = ticket_document_end(d, state, c->name, now, call->reason);
        if (r == -EALREADY)
                return d->state == TICKET_DENIED
                                       ? reply_not_allowed(l, "ticket-denied", "the ticket was denied already")
                                       : reply_not_allowed(l, "ticket-closed", "the ticket was closed already");
        if (r < 0)
                return r;
        if ((r = ticket_store_put(a->store, d, now)) < 0)
                return ticket_store_failed(l, d->ticket, r);
        log_ticket(d->ticket, "%s by %s", ticket_state_name(state), c->name);
        approver_changed(a, d->ticket->id);
        return varlink_reply(l, NULL);
}

static int end_method(VarlinkLink *l, json_t *parameters, TicketState state, Approver *a) {
        static const JsonField fields[] = {
                        {"id", JSON_FIELD_STRING, offsetof(EndCall, id), 1024, JSON_REQUIRED},
                        {"reason", JSON_FIELD_TEXT, offsetof(EndCall, reason), TICKET_REASON_MAX, 0},
                        {0},
        };
        JIT_CLEANUP(end_call_done) EndCall call = {0};
        Caller c;
        int r = json_dispatch(parameters, fields, &call, NULL);

        if (r >= 0 && call.reason && !ticket_text_is_plain(call.reason, true))
                r = -EBADMSG;
        if (r < 0 || (r = caller_enter(a, l, COST_WRITE, &c)) != 0)
                return r < 0 ? r : 0;
        return end_ticket(a, l, &call, state, &c);
}

int vl_method_deny_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) more;
        return end_method(l, parameters, TICKET_DENIED, userdata);
}

int vl_method_close_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) more;
        return end_method(l, parameters, TICKET_CLOSED, userdata);
}
