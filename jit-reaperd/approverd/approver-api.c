/* SPDX-License-Identifier: Apache-2.0 */

#include "approver-api.h"
#include "evaluate.h"
#include "json.h"
#include "strv.h"
#include "verdict.h"

#define ERROR(name) "io.pamjit.Approver." name

enum {
        COST_READ = 1,
        COST_EXPLAIN = 5,            /* a policy run, perhaps signatures */
        LIST_BYTES_MAX = 200 * 1024, /* of one answer: what jitctl and others take as one message */
};

extern const char io_pamjit_Approver_varlink[]; /* made from shared/io.pamjit.Approver.varlink */

int reply_no_such_ticket(VarlinkLink *l, const char *id) {
        return varlink_error(l, ERROR("NoSuchTicket"), json_pack("{s:s}", "id", id));
}

int reply_not_allowed(VarlinkLink *l, const char *reason, const char *message) {
        return varlink_error(l, ERROR("NotAllowed"), json_pack("{s:s, s:s}", "reason", reason, "message", message));
}

int reply_bad_ticket(VarlinkLink *l, const TicketFault *fault) {
        return varlink_error(l, ERROR("BadTicket"),
                             json_pack("{s:s, s:o}", "field", fault->field, "message",
                                       json_sprintf("%s: %s", fault->field, fault->message)));
}

int reply_bad_signature(VarlinkLink *l, const char *reason, const char *message) {
        return varlink_error(l, ERROR("BadSignature"), json_pack("{s:s, s:s}", "reason", reason, "message", message));
}

int reply_try_again(VarlinkLink *l, const char *message) {
        return varlink_error(l, ERROR("TryAgain"), json_pack("{s:s}", "message", message));
}

int caller_enter(Approver *a, VarlinkLink *l, unsigned cost, Caller *ret) {
        if (!rate_take(&a->rates, varlink_link_uid(l), cost, now_usec(CLOCK_BOOTTIME))) {
                int r = reply_try_again(l, "too many requests of yours in a short time");
                return r < 0 ? r : 1;
        }
        caller_identify(varlink_link_uid(l), ret);
        (void) approvers_file_refresh(a->approvers);
        return 0;
}

/* ---- Evaluate, Explain ---- */

static bool is_among(const char *word, const char *const *words) {
        for (; *words; words++)
                if (streq(word, *words))
                        return true;
        return false;
}

/* Drops the reference to object. */
static int context_parse(json_t *object, EvaluateContext *ret) {
        static const JsonField fields[] = {
                        {"phase", JSON_FIELD_STRING, offsetof(EvaluateContext, phase), 16, JSON_REQUIRED},
                        {"service", JSON_FIELD_STRING, offsetof(EvaluateContext, service), 1024, 0},
                        {"rhost", JSON_FIELD_STRING, offsetof(EvaluateContext, rhost), 1024, 0},
                        {"tty", JSON_FIELD_STRING, offsetof(EvaluateContext, tty), 1024, 0},
                        {"person", JSON_FIELD_STRING, offsetof(EvaluateContext, person), 255, 0},
                        {"way", JSON_FIELD_STRING, offsetof(EvaluateContext, way), 16, 0},
                        {"target", JSON_FIELD_STRING, offsetof(EvaluateContext, target), 255, 0},
                        {0},
        };
        int r = json_dispatch(object, fields, ret, NULL);

        json_decref(object);
        if (r >= 0 && (!is_among(ret->phase, (const char *const[]){"name", "account", "recheck", NULL}) ||
                       (ret->way && !is_among(ret->way, (const char *const[]){"account", "elevate", "gate", NULL}))))
                r = -EINVAL;
        return r;
}

static void on_evaluated(json_t *verdict, json_t *inputs, void *userdata) {
        VarlinkLink *l = userdata;

        json_decref(inputs);
        if (verdict)
                (void) varlink_reply(l, json_pack("{s:o}", "verdict", verdict));
        else
                (void) reply_try_again(l, "there is no memory for that now");
        varlink_link_unref(l);
}

typedef struct EvaluateCall {
        char *account;
        json_t *context;
} EvaluateCall;

static int vl_method_evaluate(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {
                        {"account", JSON_FIELD_STRING, offsetof(EvaluateCall, account), 1024, JSON_REQUIRED},
                        {"context", JSON_FIELD_OBJECT, offsetof(EvaluateCall, context), 0, JSON_REQUIRED},
                        {0},
        };
        JIT_CLEANUP(evaluate_context_done) EvaluateContext context = {0};
        EvaluateCall call = {0};
        int r = json_dispatch(parameters, fields, &call, NULL);

        (void) more;
        if (r >= 0)
                r = context_parse(take_ptr(call.context), &context);
        if (r >= 0)
                evaluate_account(userdata, call.account, &context, false, on_evaluated, varlink_link_ref(l));
        json_decref(call.context);
        free(call.account);
        return r;
}

typedef struct Explaining {
        VarlinkLink *link;
        Caller caller;
        bool privileged;
        char account[ACCOUNT_NAME_MAX + 1];
} Explaining;

/* Others' tickets are not there. */
static bool explain_is_for(const Explaining *x, const json_t *verdict) {
        const char *requester = json_string_value(json_object_get(verdict, "requester"));

        return x->privileged || (x->caller.name[0] && requester && streq(requester, x->caller.name));
}

static void on_explained(json_t *verdict, json_t *inputs, void *userdata) {
        _cleanup_free_ Explaining *x = userdata;
        VarlinkLink *l = x->link;

        if (!verdict)
                (void) reply_try_again(l, "there is no memory for that now");
        else if (!explain_is_for(x, verdict)) {
                json_decref(verdict);
                json_decref(inputs);
                (void) reply_no_such_ticket(l, x->account);
        }
        else if (!inputs)
                (void) varlink_reply(l, json_pack("{s:o, s:{}}", "verdict", verdict, "inputs"));
        else
                (void) varlink_reply(l, json_pack("{s:o, s:o}", "verdict", verdict, "inputs", inputs));
        varlink_link_unref(l);
}

/* jit-TICKET of a ticket with several requesters is no account; here it means the caller's own, or the first one's. */
static int explain_resolve(Approver *a, const Caller *c, const char *account, Reference *ret, char *ret_account) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        const char *id = account_name_is_ours(account) ? account + strlen(ACCOUNT_PREFIX) : account;
        int r;

        if (account_name_parse(account, ret_account) >= 0 && provider_set_resolve(a->providers, ret_account, ret) >= 0) {
                if (ret->provider != provider_set_first(a->providers))
                        return 0; /* whose it is, only its system can say: see explain_is_for() */
                r = ticket_store_get(a->store, ret->ticket, &d);
                return r < 0 ? r : caller_may_see(a, c, d->ticket->requesters) ? 0 : -ENOENT;
        }
        if ((r = ticket_store_get(a->store, id, &d)) < 0)
                return r;
        if (!caller_may_see(a, c, d->ticket->requesters))
                return -ENOENT;
        ret->provider = provider_set_first(a->providers);
        (void) snprintf(ret->ticket, sizeof(ret->ticket), "%s", d->ticket->key);
        (void) snprintf(ret->person, sizeof(ret->person), "%s",
                        caller_is_requester(c, d->ticket->requesters) ? c->name : d->ticket->requesters[0]);
        return ticket_account(d->ticket, ret->person, ret_account);
}

static int vl_method_explain(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {{"account", JSON_FIELD_STRING, 0, 1024, JSON_REQUIRED}, {0}};
        JIT_CLEANUP(evaluate_context_done) EvaluateContext context = {0};
        _cleanup_free_ char *name = NULL;
        char account[ACCOUNT_NAME_MAX + 1];
        Approver *a = userdata;
        Reference reference = {0};
        Explaining *x;
        Caller c;
        int r = json_dispatch(parameters, fields, &name, NULL);

        (void) more;
        if (r < 0 || (r = caller_enter(a, l, COST_EXPLAIN, &c)) != 0)
                return r < 0 ? r : 0;
        if (explain_resolve(a, &c, name, &reference, account) < 0)
                return reply_no_such_ticket(l, name);
        if (!(context.phase = strdup("name")))
                return -ENOMEM;
        if (!(x = calloc(1, sizeof(*x))))
                return -ENOMEM;
        x->caller = c;
        /* A signed ticket has been looked at already. */
        x->privileged = c.root || caller_is_approver(a, &c) || reference.provider == provider_set_first(a->providers);
        x->link = varlink_link_ref(l);
        memcpy(x->account, account, sizeof(account));
        evaluate_reference(a, &reference, account, &context, true, on_explained, x);
        return 0;
}

static int vl_method_watch(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {{0}};
        int r = json_dispatch(parameters, fields, NULL, NULL);

        if (r < 0)
                return r;
        return more ? approver_watch(userdata, l) : -EINVAL;
}

/* ---- GetTicket, ListTickets ---- */

typedef struct Getting {
        Approver *approver;
        VarlinkLink *link;
        char ticket[TICKET_ID_MAX + 1];
} Getting;

static void on_got(const ProviderAnswer *answer, void *userdata) {
        const Approval *approval = answer->approval;
        Getting *g = userdata;
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        json_t *document;

        if (!approval || ticket_store_get(g->approver->store, g->ticket, &d) < 0)
                (void) reply_try_again(g->link, "the ticket's approvals cannot be checked just now");
        else if (!(document = ticket_document_to_json(d, false)))
                (void) reply_try_again(g->link, "there is no memory for that now");
        else
                (void) varlink_reply(g->link,
                                     json_pack("{s:o, s:s, s:s}", "document", document, "canonical",
                                               d->ticket->canonical, "state",
                                               approval_state_text(approval, approver_role(g->approver, approval->role),
                                                                   now_usec(CLOCK_REALTIME))));
        varlink_link_unref(g->link);
        free(g);
}

static int vl_method_get_ticket(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {{"id", JSON_FIELD_STRING, 0, 1024, JSON_REQUIRED}, {0}};
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        _cleanup_free_ char *id = NULL;
        Reference reference = {0};
        Approver *a = userdata;
        Getting *g;
        Caller c;
        int r = json_dispatch(parameters, fields, &id, NULL);

        (void) more;
        if (r < 0 || (r = caller_enter(a, l, COST_READ, &c)) != 0)
                return r < 0 ? r : 0;
        if (ticket_store_get(a->store, id, &d) < 0 || !caller_may_see(a, &c, d->ticket->requesters))
                return reply_no_such_ticket(l, id);
        if (!(g = calloc(1, sizeof(*g))))
                return -ENOMEM;
        g->approver = a;
        g->link = varlink_link_ref(l);
        (void) snprintf(g->ticket, sizeof(g->ticket), "%s", d->ticket->key);
        (void) snprintf(reference.ticket, sizeof(reference.ticket), "%s", d->ticket->key);
        reference.provider = provider_set_first(a->providers);
        reference.provider->ask(reference.provider, &reference, NULL, false, on_got, g);
        return 0;
}

/* What is on record: approvals were checked when they came, and are again at a login. */
static json_t *list_item(const Approver *a, const char *key, uint64_t now) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        const Role *role;
        const char *state;
        const Ticket *t;
        char from[TIME_TEXT_MAX], until[TIME_TEXT_MAX];

        if (ticket_store_get(a->store, key, &d) < 0)
                return NULL;
        t = d->ticket;
        role = approver_role(a, t->role);
        state = ticket_state_name(d->state);
        if (d->state == TICKET_OPEN)
                state = now >= t->not_after                      ? "expired"
                        : d->n_approvals >= role_approvers(role) ? "approved"
                                                                 : "pending";
        return json_pack("{s:s, s:s, s:o, s:s, s:o, s:s, s:s, s:s, s:I, s:I, s:b}", "id", t->id, "title", t->title,
                         "requesters", json_from_strv(t->requesters), "role", t->role, "hosts",
                         json_from_strv(t->hosts), "not_before", time_format_rfc3339(t->not_before, from), "not_after",
                         time_format_rfc3339(t->not_after, until), "state", state, "approvals",
                         (json_int_t) d->n_approvals, "needed", (json_int_t) role_approvers(role), "emergency",
                         (int) t->emergency);
}

/* Open ones first, then those that end last. */
static int compare_entries(const void *x, const void *y) {
        const TicketEntry *a = *(const TicketEntry *const *) x, *b = *(const TicketEntry *const *) y;

        if ((a->state == TICKET_OPEN) != (b->state == TICKET_OPEN))
                return a->state == TICKET_OPEN ? -1 : 1;
        return a->not_after != b->not_after ? (a->not_after > b->not_after ? -1 : 1) : strcmp(a->key, b->key);
}

static json_t *list_tickets(const Approver *a, const Caller *c) {
        size_t n, seen = 0, bytes = 0;
        const TicketEntry *entries = ticket_store_entries(a->store, &n);
        _cleanup_free_ const TicketEntry **visible = calloc(n + 1, sizeof(*visible));
        uint64_t now = now_usec(CLOCK_REALTIME);
        json_t *list = json_array();

        if (!visible || !list) {
                json_decref(list);
                return NULL;
        }
        bool all = c->root || caller_is_approver(a, c);
        for (size_t i = 0; i < n; i++)
                if (all || caller_is_requester(c, entries[i].requesters))
                        visible[seen++] = &entries[i];
        qsort(visible, seen, sizeof(*visible), compare_entries);
        for (size_t i = 0; i < seen && bytes < LIST_BYTES_MAX; i++) {
                json_t *item = list_item(a, visible[i]->key, now);
                if (!item)
                        continue;
                bytes += json_dumpb(item, NULL, 0, JSON_COMPACT) + 1;
                if (bytes >= LIST_BYTES_MAX || json_array_append(list, item) < 0)
                        bytes = LIST_BYTES_MAX;
                json_decref(item);
        }
        return list;
}

static int vl_method_list_tickets(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {{0}};
        Approver *a = userdata;
        json_t *list;
        Caller c;
        int r = json_dispatch(parameters, fields, NULL, NULL);

        (void) more;
        if (r < 0 || (r = caller_enter(a, l, COST_EXPLAIN, &c)) != 0)
                return r < 0 ? r : 0;
        if (!(list = list_tickets(a, &c)))
                return -ENOMEM;
        return varlink_reply(l, json_pack("{s:o}", "tickets", list));
}

static const VarlinkMethod methods[] = {
                {"Evaluate", vl_method_evaluate, VARLINK_ROOT_ONLY},
                {"Watch", vl_method_watch, VARLINK_ROOT_ONLY},
                {"Recheck", vl_method_recheck, VARLINK_ROOT_ONLY},
                {"Notice", vl_method_notice, VARLINK_ROOT_ONLY},
                {"TestProvider", vl_method_test_provider, VARLINK_ROOT_ONLY},
                {"ListProviders", vl_method_list_providers, 0},
                {"NewTicket", vl_method_new_ticket, 0},
                {"AddApproval", vl_method_add_approval, 0},
                {"DenyTicket", vl_method_deny_ticket, 0},
                {"CloseTicket", vl_method_close_ticket, 0},
                {"GetTicket", vl_method_get_ticket, 0},
                {"ListTickets", vl_method_list_tickets, 0},
                {"ImportTicket", vl_method_import_ticket, 0},
                {"Explain", vl_method_explain, 0},
                {0},
};

const VarlinkInterface approver_interface = {
                .name = "io.pamjit.Approver", .description = io_pamjit_Approver_varlink, .methods = methods};
