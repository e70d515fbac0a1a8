/* SPDX-License-Identifier: Apache-2.0 */

/* What jit-reaperd and root ask about providers: many grants at once, comments on tickets, a provider's trial run. */

#include <ctype.h>

#include "approver-api.h"
#include "evaluate.h"
#include "json.h"
#include "log.h"
#include "provider-http.h"
#include "strv.h"

enum { RECHECK_MAX = 256 };

/* ---- Recheck ---- */

typedef struct Recheck {
        VarlinkLink *link;
        size_t waiting;
        bool asking;    /* there may be more to ask: which answer is the last is not known */
        json_t *latest; /* while asking: held back, as it may be the one that ends the call */
} Recheck;

typedef struct RecheckOne {
        Recheck *all;
        char *account, *person; /* as they were asked about */
} RecheckOne;

/* The last one ends the call; a NULL one: there was none. */
static void recheck_end(Recheck *all, json_t *parameters) {
        if (parameters)
                (void) varlink_reply(all->link, parameters);
        else
                (void) reply_try_again(all->link, "there is no memory for that now");
        varlink_link_unref(all->link);
        free(all);
}

static void recheck_answer(Recheck *all, json_t *parameters) {
        all->waiting--;
        if (all->asking) {
                if (all->latest)
                        (void) varlink_notify(all->link, all->latest);
                all->latest = parameters;
        } else if (all->waiting > 0)
                (void) varlink_notify(all->link, parameters);
        else
                recheck_end(all, parameters);
}

static void recheck_asked(Recheck *all) {
        all->asking = false;
        if (all->waiting == 0)
                recheck_end(all, take_ptr(all->latest));
        else if (all->latest)
                (void) varlink_notify(all->link, take_ptr(all->latest));
}

static void recheck_one_free(RecheckOne *one) {
        if (!one)
                return;
        free(one->account);
        free(one->person);
        free(one);
}

static void on_rechecked(json_t *verdict, json_t *inputs, void *userdata) {
        RecheckOne *one = userdata;

        json_decref(inputs);
        if (!verdict) /* no memory: for this grant, no answer */
                verdict = json_pack("{s:s, s:s, s:s}", "decision", "refuse", "reason", "try-again", "message",
                                    "there is no memory for that now");
        recheck_answer(one->all, json_pack("{s:s, s:s*, s:o}", "account", one->account, "person", one->person,
                                           "verdict", verdict));
        recheck_one_free(one);
}

/* question: {account, person?}. -ENOMEM, or as json_dispatch(). */
static int recheck_one_new(const json_t *question, RecheckOne **ret) {
        static const JsonField fields[] = {
                        {"account", JSON_FIELD_STRING, offsetof(RecheckOne, account), ACCOUNT_NAME_MAX, JSON_REQUIRED},
                        {"person", JSON_FIELD_STRING, offsetof(RecheckOne, person), PERSON_NAME_MAX, 0},
                        {0},
        };
        RecheckOne *one = calloc(1, sizeof(*one));
        int r = one ? json_dispatch(question, fields, one, NULL) : -ENOMEM;

        if (r < 0)
                recheck_one_free(one);
        else
                *ret = one;
        return r;
}

static void recheck_one(Approver *a, Recheck *all, const json_t *question) {
        JIT_CLEANUP(evaluate_context_done) EvaluateContext context = {.phase = strdup("recheck")};
        RecheckOne *one = NULL;

        if (!context.phase || recheck_one_new(question, &one) < 0 ||
            (one->person && !(context.person = strdup(one->person)))) {
                log_warning("A grant cannot be asked about again now: no memory");
                recheck_one_free(one);
                return;
        }
        one->all = all;
        all->waiting++;
        evaluate_account(a, one->account, &context, false, on_rechecked, one);
}

int vl_method_recheck(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {{"questions", JSON_FIELD_ARRAY, 0, 0, JSON_REQUIRED}, {0}};
        _cleanup_json_ json_t *questions = NULL;
        Recheck *all;
        int r = json_dispatch(parameters, fields, &questions, NULL);

        if (r < 0)
                return r;
        if (!more || json_array_size(questions) == 0 || json_array_size(questions) > RECHECK_MAX)
                return -EINVAL;
        for (size_t i = 0; i < json_array_size(questions); i++) {
                RecheckOne *one = NULL;

                if ((r = recheck_one_new(json_array_get(questions, i), &one)) < 0)
                        return r;
                recheck_one_free(one);
        }
        if (!(all = calloc(1, sizeof(*all))))
                return -ENOMEM;
        all->link = varlink_link_ref(l);
        all->asking = true;
        for (size_t i = 0; i < json_array_size(questions); i++)
                recheck_one(userdata, all, json_array_get(questions, i));
        recheck_asked(all);
        return 0;
}

/* ---- Notice ---- */

typedef struct NoticeCall {
        char *provider, *grant, *kind;
        json_t *event;
} NoticeCall;

static void notice_call_done(NoticeCall *c) {
        free(c->provider);
        free(c->grant);
        free(c->kind);
        json_decref(c->event);
}

int vl_method_notice(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {
                        {"provider", JSON_FIELD_STRING, offsetof(NoticeCall, provider), ROLE_NAME_MAX, JSON_REQUIRED},
                        {"grant", JSON_FIELD_STRING, offsetof(NoticeCall, grant), 16, JSON_REQUIRED},
                        {"kind", JSON_FIELD_STRING, offsetof(NoticeCall, kind), 16, JSON_REQUIRED},
                        {"event", JSON_FIELD_OBJECT, offsetof(NoticeCall, event), 0, JSON_REQUIRED},
                        {0},
        };
        JIT_CLEANUP(notice_call_done) NoticeCall call = {0};
        const Approver *a = userdata;
        int r = json_dispatch(parameters, fields, &call, NULL);

        (void) more;
        if (r < 0)
                return r;
        r = outbox_put(a->outbox, call.provider, call.grant, call.kind, call.event);
        if (r == -EINVAL || r == -EBADMSG)
                return -EINVAL;
        if (r < 0) {
                log_warning("The comment on the %s of grant %s cannot be kept now: %s", call.kind, call.grant,
                            strerror(-r));
                return reply_try_again(l, r == -EDQUOT ? "too many comments wait already"
                                                       : "there is no room for comments");
        }
        return varlink_reply(l, NULL);
}

/* ---- TestProvider ---- */

typedef struct Trial {
        Approver *approver;
        VarlinkLink *link;
        Reference reference;
        json_t *trace;
} Trial;

static void on_trial_judged(json_t *verdict, json_t *inputs, void *userdata) {
        Trial *t = userdata;

        json_decref(inputs);
        if (verdict)
                (void) varlink_reply(t->link, json_pack("{s:o, s:o}", "verdict", verdict, "trace", t->trace));
        else {
                json_decref(t->trace);
                (void) reply_try_again(t->link, "there is no memory for that now");
        }
        varlink_link_unref(t->link);
        free(t);
}

static void on_traced(ProviderResult result, const ApprovalRecord *record, const char *why, json_t *trace,
                      void *userdata) {
        Trial *t = userdata;
        char account[sizeof(ACCOUNT_PREFIX) + TICKET_ID_MAX + 1 + PERSON_NAME_MAX];
        const char *person = t->reference.person;
        ProviderAnswer answer = {.result = result, .detail = why};

        t->trace = trace ? json_incref(trace) : json_object();
        if (result == PROVIDER_OK) {
                answer.approval = &record->approval;
                /* Nobody logs in: without a name, the first one is asked about. */
                answer.person = *person ? person : record->approval.requesters[0];
        }
        (void) snprintf(account, sizeof(account), ACCOUNT_PREFIX "%s%s%s", t->reference.ticket, *person ? "-" : "",
                        person);
        evaluate_answer(t->approver, &t->reference, account, &answer, on_trial_judged, t);
}

typedef struct TestCall {
        char *provider, *ticket, *person;
} TestCall;

static void test_call_done(TestCall *c) {
        free(c->provider);
        free(c->ticket);
        free(c->person);
}

/* TICKET or TICKET-PERSON, in any case of letters. */
static int trial_resolve(Provider *p, const TestCall *call, Reference *ret) {
        char account[sizeof(ACCOUNT_PREFIX) + 64];
        size_t n = strlen(call->ticket);
        int r;

        if (n > ACCOUNT_NAME_MAX || (call->person && !person_name_is_valid(call->person)))
                return -EINVAL;
        (void) snprintf(account, sizeof(account), ACCOUNT_PREFIX "%s", call->ticket);
        for (char *c = account; *c; c++)
                *c = (char) tolower((unsigned char) *c);
        if ((r = p->resolve(p, account, ret)) < 0)
                return r;
        if (call->person)
                (void) snprintf(ret->person, sizeof(ret->person), "%s", call->person);
        return 0;
}

static int trial_start(Approver *a, VarlinkLink *l, const TestCall *call, Provider *p) {
        Trial *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return -ENOMEM;
        *t = (Trial){.approver = a, .link = varlink_link_ref(l), .reference = {.provider = p}};
        r = trial_resolve(p, call, &t->reference);
        if (r >= 0)
                r = http_provider_trace(http_provider(p), t->reference.ticket,
                                        *t->reference.person ? t->reference.person : NULL, on_traced, t);
        if (r < 0) {
                varlink_link_unref(t->link);
                free(t);
        }
        return r;
}

int vl_method_test_provider(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {
                        {"provider", JSON_FIELD_STRING, offsetof(TestCall, provider), ROLE_NAME_MAX, JSON_REQUIRED},
                        {"ticket", JSON_FIELD_STRING, offsetof(TestCall, ticket), 255, JSON_REQUIRED},
                        {"person", JSON_FIELD_STRING, offsetof(TestCall, person), PERSON_NAME_MAX, 0},
                        {0},
        };
        JIT_CLEANUP(test_call_done) TestCall call = {0};
        Approver *a = userdata;
        Provider *p;
        int r = json_dispatch(parameters, fields, &call, NULL);

        (void) more;
        if (r < 0)
                return r;
        p = provider_set_find(a->providers, call.provider);
        if (!p || !http_provider(p))
                return reply_not_allowed(l, "provider-unknown",
                                         "this host has no usable file of that name in providers.d");
        r = trial_start(a, l, &call, p);
        return r == -ENOENT || r == -EINVAL ? reply_not_allowed(l, "name-invalid",
                                                                "that is no name of this provider's tickets: its file "
                                                                "says which are (Ticket=)")
                                            : r;
}

/* ---- ListProviders ---- */

static const char *breaker_text(HttpProvider *h) {
        const char *state = http_server_breaker(http_provider_server(h));

        return streq(state, "closed") ? "ok" : state; /* people do not think of a closed switch as the good state */
}

static void list_policies(const Approver *a, json_t *list) {
        size_t n;
        PolicyService *const *policies = provider_set_policies(a->providers, &n);

        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(list,
                                             json_pack("{s:s, s:s, s:s}", "name", policy_service_name(policies[i]),
                                                       "kind", "policy", "state", "ok"));
}

int vl_method_list_providers(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        static const JsonField fields[] = {{0}};
        Approver *a = userdata;
        json_t *list;
        Caller c;
        int r = json_dispatch(parameters, fields, NULL, NULL);

        (void) more;
        if (r < 0 || (r = caller_enter(a, l, 1, &c)) != 0)
                return r < 0 ? r : 0;
        if (!(list = json_array()))
                return -ENOMEM;
        for (Provider *p = provider_set_first(a->providers); p; p = provider_set_next(a->providers, p)) {
                HttpProvider *h = http_provider(p);
                const ProviderFile *f = h ? http_provider_file(h) : NULL;

                (void) json_array_append_new(list,
                                             json_pack("{s:s, s:s, s:s*, s:s*, s:I, s:s}", "name", p->name, "kind",
                                                       p->kind, "ticket", f ? f->ticket_pattern : NULL, "server",
                                                       f ? url_template_origin(f->requests[0].url) : NULL, "requests",
                                                       (json_int_t) (f ? f->n_requests : 0), "state",
                                                       h ? breaker_text(h) : "ok"));
        }
        list_policies(a, list);
        (void) json_array_extend(list, provider_set_refused(a->providers));
        return varlink_reply(l, json_pack("{s:o, s:I}", "providers", list, "comments_waiting",
                                          (json_int_t) outbox_waiting(a->outbox)));
}

/* ---- NewTicket in another system ---- */

typedef struct Creating {
        VarlinkLink *link;
        char *provider;
} Creating;

static void on_created(ProviderResult result, const char *ticket, const char *why, void *userdata) {
        Creating *c = userdata;

        if (result == PROVIDER_OK)
                (void) varlink_reply(c->link, json_pack("{s:s, s:s}", "id", ticket, "canonical", ""));
        else {
                log_warning("%s: a ticket cannot be opened: %s", c->provider, why ? why : "no answer");
                (void) reply_not_allowed(c->link,
                                         result == PROVIDER_NO_MEMORY ? "try-again" : provider_result_reason(result),
                                         "the ticket system did not open it; the journal of this host says why");
        }
        varlink_link_unref(c->link);
        free(c->provider);
        free(c);
}

int ticket_create_elsewhere(Approver *a, VarlinkLink *l, const char *provider, const json_t *object, const Caller *c) {
        Provider *p = provider_set_find(a->providers, provider);
        Creating *creating;
        int r;

        if (!p || !http_provider(p))
                return reply_not_allowed(l, "provider-unknown",
                                         "this host has no usable file of that name in providers.d");
        if (!(creating = calloc(1, sizeof(*creating))) || !(creating->provider = strdup(provider))) {
                free(creating);
                return -ENOMEM;
        }
        creating->link = varlink_link_ref(l);
        r = http_provider_create(http_provider(p), object, c->name, on_created, creating);
        if (r >= 0)
                return 0;
        varlink_link_unref(creating->link);
        free(creating->provider);
        free(creating);
        return r == -EOPNOTSUPP ? reply_not_allowed(l, "not-supported",
                                                    "tickets of that system are opened in it: its file has no [Create]")
                                : r;
}
