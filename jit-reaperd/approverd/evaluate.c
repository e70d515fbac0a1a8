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
        evaluate_done_t done;
        void *userdata;
} Evaluation;

void evaluate_context_done(EvaluateContext *c) {
        free(c->phase);
        free(c->service);
        free(c->rhost);
        free(c->tty);
        *c = (EvaluateContext){0};
}

static void evaluation_finish(Evaluation *e, json_t *verdict, json_t *inputs) {
        e->done(verdict, inputs, e->userdata);
        evaluate_context_done(&e->context);
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

static void judge(Evaluation *e, const Approval *approval, char *const *keys) {
        JIT_CLEANUP(policy_result_done) PolicyResult policy = {0};
        _cleanup_json_ json_t *input = NULL;
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
                        .now = now_usec(CLOCK_REALTIME),
        };
        VerdictInput v = {.reference = &e->reference,
                          .approval = approval,
                          .role = in.role,
                          .policy = &policy,
                          .host_names = e->approver->host_names,
                          .keys = keys,
                          .now = in.now};
        json_t *verdict;

        if (!(input = policy_input(&in)) || run_policy(e, input, &policy) < 0) {
                evaluation_finish(e, NULL, NULL);
                return;
        }
        verdict = verdict_make(&v);
        if (verdict && e->inputs)
                (void) json_set_opt(input, "policy", policy_to_json(&policy));
        evaluation_finish(e, verdict, verdict && e->inputs ? take_ptr(input) : NULL);
}

static void on_answer(int error, const Approval *approval, char *const *keys, void *userdata) {
        Evaluation *e = userdata;

        if (error == -ENOENT)
                evaluation_finish(e, verdict_unknown("ticket-unknown", "there is no such ticket"), NULL);
        else if (error == -EBADMSG)
                evaluation_finish(e, verdict_unknown("ticket-invalid", "what is stored is not a ticket"), NULL);
        else if (error == -ENOMEM)
                evaluation_finish(e, NULL, NULL);
        else if (error < 0) {
                log_warning("%s: cannot be judged: %s", e->reference.ticket, strerror(-error));
                evaluation_finish(e, verdict_unreachable(&e->reference), NULL);
        } else
                judge(e, approval, keys);
}

void evaluate_reference(Approver *a, const Reference *reference, const char *account, EvaluateContext *context,
                        bool inputs, evaluate_done_t done, void *userdata) {
        Evaluation *e = malloc(sizeof(*e));

        if (!e) {
                done(NULL, NULL, userdata);
                return;
        }
        *e = (Evaluation){.approver = a,
                          .reference = *reference,
                          .context = *context,
                          .inputs = inputs,
                          .done = done,
                          .userdata = userdata};
        *context = (EvaluateContext){0};
        (void) snprintf(e->account, sizeof(e->account), "%s", account);
        a->provider->ask(a->provider, &e->reference, true, on_answer, e);
}

void evaluate_account(Approver *a, const char *account, EvaluateContext *context, bool inputs, evaluate_done_t done,
                      void *userdata) {
        char name[ACCOUNT_NAME_MAX + 1];
        Reference reference;

        if (account_name_parse(account, name) < 0)
                done(verdict_unknown("name-invalid", "that is not an account's name"), NULL, userdata);
        else if (a->provider->resolve(a->provider, name, &reference) < 0)
                done(verdict_unknown("ticket-unknown", "there is no such ticket"), NULL, userdata);
        else
                evaluate_reference(a, &reference, name, context, inputs, done, userdata);
}
