/* SPDX-License-Identifier: Apache-2.0 */

#include "evaluate.h"
#include "json.h"
#include "log.h"
#include "policy-input.h"
#include "verdict.h"

typedef struct Evaluation {
        Approver *approver;
        Reference reference;
        char account[ACCOUNT_NAME_MAX + 1];
        EvaluateContext context;
        bool inputs;
        VerdictProvider times;
        json_t *input, *verdict;         /* while policies of other programs are asked */
        char service[ROLE_NAME_MAX + 1]; /* the one that is asked, or was the last one */
        evaluate_done_t done;
        void *userdata;
} Evaluation;

void evaluate_context_done(EvaluateContext *c) {
        free(c->phase);
        free(c->service);
        free(c->rhost);
        free(c->tty);
        free(c->person);
        free(c->way);
        free(c->target);
        *c = (EvaluateContext){0};
}

/* Takes both references over. */
static void evaluation_finish(Evaluation *e, json_t *verdict, json_t *inputs) {
        if (verdict && verdict_set_provider(verdict, &e->times) < 0) {
                json_decref(verdict);
                json_decref(inputs);
                verdict = inputs = NULL;
        }
        e->done(verdict, inputs, e->userdata);
        evaluate_context_done(&e->context);
        json_decref(e->input);
        json_decref(e->verdict);
        free(e->times.provider);
        free(e);
}

static int run_policy(const Evaluation *e, const json_t *input, PolicyResult *ret) {
        Policy *p = e->approver->policy;
        int r;

        if (!p) {
                *ret = (PolicyResult){.ttl_usec = USEC_INFINITY};
                return strv_extend(&ret->reasons, "policy-denied");
        }
        r = policy_run(p, input, ret);
        if (r >= 0 && ret->error) {
                char ticket[sizeof("JIT_TICKET=") + TICKET_ID_MAX];
                const char *const fields[] = {"JIT_REASON=policy-denied", ticket, NULL};

                (void) snprintf(ticket, sizeof(ticket), "JIT_TICKET=%s", e->reference.ticket);
                log_fields(LOG_WARNING, fields, "%s: refused: %s", e->reference.ticket, ret->error);
        }
        return r;
}

static json_t *policy_to_json(const PolicyResult *p) {
        json_t *j = json_pack("{s:b}", "allow", (int) p->allow);

        if (!j)
                return NULL;
        (void) json_set_opt(j, "reasons", json_from_strv(p->reasons));
        if (p->ttl_usec != USEC_INFINITY)
                (void) json_set_uint(j, "ttl_usec", p->ttl_usec);
        (void) json_set_str(j, "message", p->message);
        (void) json_set_str(j, "error", p->error);
        return j;
}

/* ---- policies of other programs: one after the other, each can only take away ---- */

static void ask_next_service(Evaluation *e);

static void on_service(ProviderResult error, const PolicyResult *result, const char *why, void *userdata) {
        Evaluation *e = userdata;
        const char *name = e->service;

        if (error == PROVIDER_NO_MEMORY) { /* no no: a live grant is not to end for it */
                evaluation_finish(e, NULL, NULL);
                return;
        }
        if (e->inputs && !json_object_get(e->input, "policies"))
                (void) json_set_opt(e->input, "policies", json_object());
        if (e->inputs)
                (void) json_object_set_new(json_object_get(e->input, "policies"), name,
                                           error == PROVIDER_OK ? policy_to_json(result)
                                                                : json_pack("{s:b, s:s?}", "allow", 0, "error", why));
        if (error != PROVIDER_OK) {
                log_warning("%s: the policy %s cannot be asked: %s", e->reference.ticket, name,
                            why ? why : "no answer");
                verdict_refuse(e->verdict, provider_result_reason(error), NULL);
        } else
                verdict_restrict(e->verdict, result);
        if (verdict_allows(e->verdict))
                ask_next_service(e);
        else
                evaluation_finish(e, take_ptr(e->verdict), e->inputs ? json_incref(e->input) : NULL);
}

static void ask_next_service(Evaluation *e) {
        const char *lacking = provider_set_lacking_policy(e->approver->providers);
        PolicyService *service = provider_set_next_policy(e->approver->providers, e->service);
        int r;

        if (lacking) {
                (void) snprintf(e->service, sizeof(e->service), "%s", lacking);
                on_service(PROVIDER_ANSWER, NULL, "its file is refused", e);
        } else if (!service)
                evaluation_finish(e, take_ptr(e->verdict), e->inputs ? json_incref(e->input) : NULL);
        else {
                (void) snprintf(e->service, sizeof(e->service), "%s", policy_service_name(service));
                if ((r = policy_service_ask(service, e->input, on_service, e)) < 0)
                        on_service(PROVIDER_NO_MEMORY, NULL, strerror(-r), e);
        }
}

/* ---- provider's answer, policy, sentence ---- */

static void judge(Evaluation *e, const ProviderAnswer *answer) {
        JIT_CLEANUP(policy_result_done) PolicyResult policy = {0};
        const Approval *approval = answer->approval;
        PolicyInput in = {
                        .reference = &e->reference,
                        .account = e->account,
                        .approval = approval,
                        .role = approver_role(e->approver, approval->role),
                        .host_names = e->approver->host_names,
                        .phase = e->context.phase,
                        .service = e->context.service,
                        .rhost = e->context.rhost,
                        .tty = e->context.tty,
                        .way = e->context.way,
                        .target = e->context.target,
                        .now = now_usec(CLOCK_REALTIME),
        };
        VerdictInput v = {.reference = &e->reference,
                          .approval = approval,
                          .role = in.role,
                          .policy = &policy,
                          .host_names = e->approver->host_names,
                          .keys = answer->keys,
                          .now = in.now};

        if (!(e->input = policy_input(&in)) || run_policy(e, e->input, &policy) < 0 ||
            !(e->verdict = verdict_make(&v))) {
                evaluation_finish(e, NULL, NULL);
                return;
        }
        if (e->inputs)
                (void) json_set_opt(e->input, "policy", policy_to_json(&policy));
        if (verdict_allows(e->verdict))
                ask_next_service(e);
        else
                evaluation_finish(e, take_ptr(e->verdict), e->inputs ? json_incref(e->input) : NULL);
}

static void log_no_answer(const Evaluation *e, const ProviderAnswer *answer) {
        char ticket[sizeof("JIT_TICKET=") + TICKET_ID_MAX], reason[64];
        const char *const fields[] = {reason, ticket, NULL};

        (void) snprintf(ticket, sizeof(ticket), "JIT_TICKET=%s", e->reference.ticket);
        (void) snprintf(reason, sizeof(reason), "JIT_REASON=%s", provider_result_reason(answer->result));
        log_fields(LOG_WARNING, fields, "%s: cannot be judged: %s", e->reference.ticket,
                   answer->detail ? answer->detail : "no answer");
}

/* For `jitctl explain`: what there is to see where there is no approval. */
static json_t *inputs_without(const Evaluation *e, const ProviderAnswer *answer) {
        return e->inputs ? json_pack("{s:s?, s:s?}", "provider", e->times.provider, "detail", answer->detail) : NULL;
}

static void on_answer(const ProviderAnswer *answer, void *userdata) {
        Evaluation *e = userdata;

        switch (answer->result) {
        case PROVIDER_OK:
                if (!answer->person || !*answer->person) {
                        evaluation_finish(e, verdict_unknown("ticket-unknown", "there is no such ticket"), NULL);
                        return;
                }
                (void) snprintf(e->reference.person, sizeof(e->reference.person), "%s", answer->person);
                judge(e, answer);
                return;
        case PROVIDER_NO_MEMORY:
                evaluation_finish(e, NULL, NULL);
                return;
        case PROVIDER_UNKNOWN:
                evaluation_finish(e, verdict_unknown("ticket-unknown", "there is no such ticket"),
                                  inputs_without(e, answer));
                return;
        case PROVIDER_INVALID:
                log_no_answer(e, answer);
                evaluation_finish(
                                e,
                                verdict_unknown("ticket-invalid", "what the ticket system says is no usable approval"),
                                inputs_without(e, answer));
                return;
        default:
                log_no_answer(e, answer);
                evaluation_finish(e, verdict_no_answer(&e->reference, answer), inputs_without(e, answer));
        }
}

static Evaluation *evaluation_new(Approver *a, const Reference *reference, const char *account,
                                  EvaluateContext *context, bool inputs, evaluate_done_t done, void *userdata) {
        Evaluation *e = malloc(sizeof(*e));

        if (!e) {
                done(NULL, NULL, userdata);
                return NULL;
        }
        *e = (Evaluation){.approver = a,
                          .reference = *reference,
                          .context = *context,
                          .inputs = inputs,
                          .times = {.provider = strdup(reference->provider->name),
                                    .recheck_usec = reference->provider->recheck_usec,
                                    .grace_usec = reference->provider->grace_usec,
                                    .comments = reference->provider->comments},
                          .done = done,
                          .userdata = userdata};
        *context = (EvaluateContext){0};
        (void) snprintf(e->account, sizeof(e->account), "%s", account);
        return e;
}

void evaluate_reference(Approver *a, const Reference *reference, const char *account, EvaluateContext *context,
                        bool inputs, evaluate_done_t done, void *userdata) {
        Evaluation *e = evaluation_new(a, reference, account, context, inputs, done, userdata);
        QuestionContext asked;

        if (!e)
                return;
        asked = (QuestionContext){.phase = e->context.phase,
                                  .service = e->context.service,
                                  .rhost = e->context.rhost,
                                  .tty = e->context.tty,
                                  .way = e->context.way,
                                  .target = e->context.target};
        reference->provider->ask(reference->provider, &e->reference, &asked, !streq(e->context.phase, "recheck"),
                                 on_answer, e);
}

void evaluate_answer(Approver *a, const Reference *reference, const char *account, const ProviderAnswer *answer,
                     evaluate_done_t done, void *userdata) {
        EvaluateContext context = {.phase = strdup("name")};
        Evaluation *e;

        if (!context.phase)
                done(NULL, NULL, userdata);
        else if ((e = evaluation_new(a, reference, account, &context, false, done, userdata)))
                on_answer(answer, e);
        evaluate_context_done(&context);
}

/* A live grant whose ticket is nobody's any more: unless a provider's file is refused, which may be the one. Then
 * nothing is known, lest a slip of the pen in a file ends every session at the next start of ours. */
static json_t *verdict_nobodys(const Approver *a, const EvaluateContext *context) {
        if (streq(context->phase, "recheck") && provider_set_lacks_file(a->providers))
                return verdict_no_answer(&(Reference){0}, &(ProviderAnswer){.result = PROVIDER_ANSWER});
        return verdict_unknown("ticket-unknown", "there is no such ticket");
}

void evaluate_account(Approver *a, const char *account, EvaluateContext *context, bool inputs, evaluate_done_t done,
                      void *userdata) {
        char name[ACCOUNT_NAME_MAX + 1];
        Reference reference;
        int r;

        if (account_name_parse(account, name) < 0) {
                done(verdict_unknown("name-invalid", "that is not an account's name"), NULL, userdata);
                return;
        }
        r = context->person ? provider_set_refer(a->providers, name, context->person, &reference)
                            : provider_set_resolve(a->providers, name, &reference);
        if (r < 0)
                done(verdict_nobodys(a, context), NULL, userdata);
        else
                evaluate_reference(a, &reference, name, context, inputs, done, userdata);
}
