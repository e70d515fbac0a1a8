/* SPDX-License-Identifier: Apache-2.0 */

#include "json.h"
#include "strv.h"
#include "verdict-message.h"
#include "verdict.h"

size_t approval_count(const Approval *a) {
        size_t n = 0;

        for (size_t i = 0; i < a->n_approvers; i++)
                n += !strv_contains(a->requesters, a->approvers[i].name);
        return n;
}

unsigned role_approvers(const Role *role) {
        return role ? role->approvers : 1;
}

const char *approval_state_text(const Approval *a, const Role *role, uint64_t now) {
        if (a->state == APPROVAL_DENIED)
                return "denied";
        if (a->state == APPROVAL_CLOSED)
                return "closed";
        if (now >= a->not_after)
                return "expired";
        return a->state == APPROVAL_APPROVED && approval_count(a) >= role_approvers(role) ? "approved" : "pending";
}

json_t *verdict_unknown(const char *reason, const char *message) {
        return json_pack("{s:s, s:s, s:s}", "decision", "unknown", "reason", reason, "message", message);
}

/* A person who cannot be identified yet reads none of this; root reads the detail in the journal. */
static const char *no_answer_message(const char *reason) {
        static const struct {
                const char *reason, *message;
        } table[] = {
                        {"provider-tls",
                         "the ticket system is not the one this host trusts; ask this host's administrator"},
                        {"provider-login",
                         "the ticket system does not let this host ask; ask this host's administrator"},
                        {"provider-limit", "the ticket system is asked too often just now; try again in a minute"},
                        {"provider-answer", "the ticket system gave no usable answer; ask this host's administrator"},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(reason, table[i].reason))
                        return table[i].message;
        return "approvals cannot be checked just now; try again in a minute";
}

json_t *verdict_no_answer(const Reference *reference, const ProviderAnswer *answer) {
        const char *reason = provider_result_reason(answer->result);

        return json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "decision", "refuse", "reason", reason, "message",
                         no_answer_message(reason), "ticket", *reference->ticket ? reference->ticket : NULL,
                         "requester", *reference->person ? reference->person : NULL);
}

bool verdict_allows(const json_t *verdict) {
        const char *decision = json_string_value(json_object_get(verdict, "decision"));

        return decision && streq(decision, "allow");
}

void verdict_refuse(json_t *verdict, const char *reason, const char *message) {
        (void) json_object_set_new(verdict, "decision", json_string("refuse"));
        (void) json_object_set_new(verdict, "reason", json_string(reason ? reason : "policy-denied"));
        (void) json_object_set_new(verdict, "message",
                                   message ? json_string(message)
                                   : reason && strncmp(reason, "provider-", strlen("provider-")) == 0
                                                   ? json_string(no_answer_message(reason))
                                                   : json_sprintf("%s is refused by this host's policy (%s)",
                                                                  json_string_value(json_object_get(verdict, "ticket")),
                                                                  reason ? reason : "policy-denied"));
        (void) json_object_del(verdict, "ttlUSec");
        if (!json_object_get(verdict, "message"))
                (void) json_object_clear(verdict); /* no memory: not even half an answer */
}

void verdict_restrict(json_t *verdict, const PolicyResult *policy) {
        json_int_t left = json_integer_value(json_object_get(verdict, "ttlUSec"));

        if (!policy->allow || policy->ttl_usec == 0)
                verdict_refuse(verdict, policy->reasons && policy->reasons[0] ? policy->reasons[0] : "policy-denied",
                               policy->message);
        else if (policy->ttl_usec < (uint64_t) left && json_set_uint(verdict, "ttlUSec", policy->ttl_usec) < 0)
                verdict_refuse(verdict, "policy-denied", NULL);
}

int verdict_set_provider(json_t *verdict, const VerdictProvider *p) {
        int r = json_set_str(verdict, "provider", p->provider);

        if (r >= 0 && p->recheck_usec > 0)
                r = json_set_uint(verdict, "recheckUSec", p->recheck_usec);
        if (r >= 0 && p->grace_usec != USEC_INFINITY)
                r = json_set_uint(verdict, "graceUSec", p->grace_usec);
        if (r >= 0 && p->comments)
                r = json_set_opt(verdict, "comments", json_true());
        return r;
}

/* The least of the policy's ttl, the role's and the window's rest; 0: nothing is left. */
static uint64_t time_left(const VerdictInput *in) {
        const Approval *a = in->approval;
        uint64_t left;

        if (in->now < a->not_before || in->now >= a->not_after)
                return 0;
        left = a->not_after - in->now;
        if (in->policy->ttl_usec < left)
                left = in->policy->ttl_usec;
        if (in->role && in->role->ttl_usec < left)
                left = in->role->ttl_usec;
        return left;
}

static const char *decide(const VerdictInput *in, bool *ret_allow, uint64_t *ret_left) {
        *ret_left = time_left(in);
        *ret_allow = in->policy->allow && in->role && *ret_left > 0;
        if (*ret_allow || !in->policy->allow)
                return in->policy->reasons[0];
        if (!in->role)
                return "role-unknown";
        return in->now < in->approval->not_before   ? "too-early"
               : in->now >= in->approval->not_after ? "too-late"
                                                    : "policy-denied";
}

static json_t *approver_names(const Approval *a) {
        json_t *names = json_array();

        for (size_t i = 0; names && i < a->n_approvers; i++)
                if (!strv_contains(a->requesters, a->approvers[i].name))
                        (void) json_array_append_new(names, json_string(a->approvers[i].name));
        return names;
}

json_t *verdict_make(const VerdictInput *in) {
        const Approval *a = in->approval;
        _cleanup_json_ json_t *j = NULL;
        _cleanup_free_ char *sentence = NULL;
        const char *reason, *message;
        uint64_t left;
        bool allow;

        reason = decide(in, &allow, &left);
        sentence = verdict_message(in, reason);
        message = !allow && in->policy->message ? in->policy->message : sentence;
        if (!message)
                return NULL;
        j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "decision", allow ? "allow" : "refuse", "reason", reason,
                      "message", message, "ticket", a->ticket, "title", a->title, "requester", in->reference->person,
                      "role", a->role);
        if (!j || json_set_opt(j, "approvers", approver_names(a)) < 0 ||
            json_set_uint(j, "notBefore", a->not_before) < 0 || json_set_uint(j, "notAfter", a->not_after) < 0 ||
            (allow && json_set_uint(j, "ttlUSec", left) < 0) ||
            json_set_opt(j, "sshKeys", json_from_strv(in->keys)) < 0 || json_set_str(j, "digest", a->digest) < 0)
                return NULL;
        if (a->commands && json_set_opt(j, "commands", json_from_strv(a->commands)) < 0)
                return NULL;
        return take_ptr(j);
}
