/* SPDX-License-Identifier: Apache-2.0 */

#include "explain-view.h"
#include "fetched.h"
#include "member.h"
#include "reason-hint.h"
#include "ticket-view.h"
#include "timefmt.h"
#include "tree.h"

/* Own copies, of which the rows take what they show; what is left is shown at the end. */
typedef struct Explanation {
        json_t *verdict, *inputs, *approval; /* approval: a member of inputs, borrowed; may be NULL */
        const char *ticket, *tested;
        Table *table;
} Explanation;

bool verdict_is_yes(const json_t *verdict) {
        const char *decision = member_text(verdict, "decision");

        return decision && streq(decision, "allow");
}

static void take_text(Explanation *e, json_t *object, const char *member, const char *row, Color color) {
        _cleanup_json_ json_t *value = member_take(object, member);

        if (json_is_string(value))
                table_pair(e->table, row, json_string_value(value), color);
        else
                tree_show(e->table, row, value);
}

/* "a, b", whatever is no text left out */
static void take_list(Explanation *e, json_t *object, const char *member, const char *row) {
        _cleanup_json_ json_t *list = member_take(object, member);
        _cleanup_free_ char *text = NULL;
        size_t size = 0, i, n = 0;
        json_t *item;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return; /* without memory the table fails as well */
        json_array_foreach (list, i, item) {
                if (json_is_string(item))
                        fprintf(f, "%s%s", n++ > 0 ? ", " : "", json_string_value(item));
        }
        if (fclose(f) == 0)
                table_pair(e->table, row, text, COLOR_NONE);
}

/* {"name", "at", "reason"} each */
static void take_people(Explanation *e, json_t *object, const char *member, const char *row) {
        _cleanup_json_ json_t *list = member_take(object, member);
        json_t *person;
        size_t i;

        json_array_foreach (list, i, person) {
                const char *name = member_text(person, "name"), *at = member_text(person, "at"),
                           *reason = member_text(person, "reason");

                table_pairf(e->table, i == 0 ? row : "", reason ? COLOR_WAIT : COLOR_NONE, "%s%s%s%s%s",
                            name ? name : "?", at ? " at " : "", at ? at : "", reason ? ": " : "",
                            reason ? reason : "");
        }
}

static const char *provider_of(const Explanation *e) {
        const char *name = member_text(e->verdict, "provider");

        if (!name)
                name = member_text(e->approval, "provider");
        if (!name)
                name = member_text(e->inputs, "provider");
        return name ? name : e->tested;
}

static void show_decision(Explanation *e) {
        _cleanup_json_ json_t *decision = member_take(e->verdict, "decision"),
                              *reason = member_take(e->verdict, "reason");
        const char *word = json_string_value(decision), *code = json_string_value(reason);

        table_pairf(e->table, "Decision", state_color(word), "%s%s%s%s", word ? word : "?", code ? " (" : "",
                    code ? code : "", code ? ")" : "");
        take_text(e, e->verdict, "message", "Message", COLOR_NONE);
        take_text(e, e->inputs, "detail", "Detail", COLOR_BAD);
        if (!word || !streq(word, "allow"))
                reason_hint_show(e->table, code, provider_of(e), e->tested ? NULL : e->ticket);
}

static void show_window(Explanation *e) {
        _cleanup_json_ json_t *from = member_take(e->approval, "not_before"),
                              *to = member_take(e->approval, "not_after");

        if (json_is_string(from) && json_is_string(to))
                ticket_window_show(e->table, json_string_value(from), json_string_value(to));
        (void) json_object_del(e->approval, "not_before_usec"); /* the same once more */
        (void) json_object_del(e->approval, "not_after_usec");
}

static void show_ticket(Explanation *e) {
        json_t *from = e->approval ? e->approval : e->verdict;
        _cleanup_json_ json_t *ticket = member_take(from, "ticket"), *title = member_take(from, "title"),
                              *state = member_take(e->approval, "state");
        const char *provider = provider_of(e), *text = json_string_value(title), *word = json_string_value(state);

        if (json_is_string(ticket))
                table_pairf(e->table, "Ticket", COLOR_STRONG, "%s%s%s", json_string_value(ticket),
                            text && *text ? ": " : "", text ? text : "");
        table_pair(e->table, "Provider", provider, COLOR_NONE);
        (void) json_object_del(e->verdict, "provider");
        (void) json_object_del(e->approval, "provider");
        (void) json_object_del(e->inputs, "provider");
        table_pair(e->table, "State", word, state_color(word));
        take_text(e, e->approval, "state_by", "  by", COLOR_NONE);
        take_text(e, e->approval, "state_reason", "  reason", COLOR_NONE);
        take_list(e, e->approval, "requesters", "Requesters");
        take_people(e, e->approval, "approvers", "Approved by");
        take_people(e, e->approval, "invalid_approvals", "Not counted");
        take_list(e, e->approval, "may_approve", "May approve");
        show_window(e);
        take_list(e, e->approval, "hosts", "Hosts");
        take_list(e, json_object_get(e->inputs, "host"), "names", "This host");
        take_text(e, e->approval, "reason", "Reason", COLOR_NONE);
}

/* "1 approver, at most 1 h" */
static void show_role(Explanation *e) {
        json_t *role = json_object_get(e->inputs, "role");
        uint64_t approvers = 0, ttl = 0;
        char span[TIME_TEXT_MAX];

        take_text(e, e->approval, "role", "Role", COLOR_NONE);
        if (json_is_null(role))
                table_pair(e->table, "", "this host has no such role", COLOR_BAD);
        take_text(e, role, "description", "", COLOR_NONE);
        if (!member_uint(role, "approvers", &approvers) || !member_uint(role, "ttl_usec", &ttl))
                return;
        table_pairf(e->table, "", COLOR_NONE, "needs %ju approver%s; at most %s", (uintmax_t) approvers,
                    approvers == 1 ? "" : "s", time_format_span(ttl, span));
        (void) json_object_del(role, "approvers");
        (void) json_object_del(role, "ttl_usec");
        (void) json_object_del(role, "name"); /* the ticket's role, by which it was found */
}

/* An answer of policy.jq, or of an additional policy: "no: wrong-host, too-late", what it says, and its limit. */
static void show_policy(Explanation *e, const char *row, json_t *policy) {
        _cleanup_json_ json_t *allow = member_take(policy, "allow"), *reasons = member_take(policy, "reasons"),
                              *reason = member_take(policy, "reason");
        bool yes = json_is_true(allow);
        char span[TIME_TEXT_MAX];
        uint64_t ttl = 0;
        const char *first = reason ? json_string_value(reason) : json_string_value(json_array_get(reasons, 0));
        json_t *one;
        size_t i;

        table_pairf(e->table, row, yes ? COLOR_GOOD : COLOR_BAD, "%s%s%s", yes ? "yes" : "no",
                    first && !yes ? ": " : "", first && !yes ? first : "");
        json_array_foreach (reasons, i, one) {
                if (!yes && i > 0)
                        table_pairf(e->table, "", COLOR_BAD, "and %s", json_string_value(one));
        }
        take_text(e, policy, "message", "", COLOR_NONE);
        take_text(e, policy, "error", "", COLOR_BAD);
        if (yes && member_uint(policy, "ttl_usec", &ttl))
                table_pairf(e->table, "", COLOR_NONE, "at most %s", time_format_span(ttl, span));
        (void) json_object_del(policy, "ttl_usec");
}

static void show_policies(Explanation *e) {
        _cleanup_json_ json_t *others = member_take(e->inputs, "policies");
        json_t *policy = json_object_get(e->inputs, "policy");
        const char *name;

        if (json_is_object(policy))
                show_policy(e, "Policy", policy);
        json_object_foreach (others, name, policy) {
                _cleanup_free_ char *row = NULL;

                if (asprintf(&row, "Policy %s", name) < 0) {
                        row = NULL;
                        continue; /* without memory the table fails as well */
                }
                if (json_is_object(policy))
                        show_policy(e, row, policy);
                tree_show(e->table, row, policy);
        }
}

/* The verdict repeats these of the approval. */
static void drop_repeated(Explanation *e) {
        static const char *const repeated[] = {"ticket",    "title",    "requester", "role",    "approvers",
                                               "notBefore", "notAfter", "digest",    "sshKeys", "commands"};

        for (size_t i = 0; e->approval && i < ELEMENTSOF(repeated); i++)
                (void) json_object_del(e->verdict, repeated[i]);
        (void) json_object_del(json_object_get(e->inputs, "request"), "now_rfc3339");
}

/* How a live grant of it follows the ticket. */
static void show_followed(Explanation *e) {
        _cleanup_json_ json_t *comments = member_take(e->verdict, "comments");
        char every[TIME_TEXT_MAX], grace[TIME_TEXT_MAX];
        uint64_t recheck = 0, patience = 0;

        if (!member_uint(e->verdict, "recheckUSec", &recheck))
                return;
        (void) json_object_del(e->verdict, "recheckUSec");
        if (member_uint(e->verdict, "graceUSec", &patience)) {
                table_pairf(e->table, "Followed", COLOR_NONE, "every %s; ends after %s without an answer",
                            time_format_span(recheck, every), time_format_span(patience, grace));
                (void) json_object_del(e->verdict, "graceUSec");
        } else
                table_pairf(e->table, "Followed", COLOR_NONE, "every %s", time_format_span(recheck, every));
        if (json_is_true(comments))
                table_pair(e->table, "", "its start and end are written to the ticket", COLOR_NONE);
}

static void show_rest(Explanation *e, json_t *object) {
        const char *member;
        json_t *value;

        json_object_foreach (object, member, value) {
                tree_show(e->table, member, value);
        }
}

int explain_print(const json_t *verdict, const json_t *inputs, const char *ticket, const char *tested, FILE *f,
                  bool colors) {
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
        _cleanup_json_ json_t *own_verdict = json_deep_copy(verdict),
                              *own_inputs = inputs ? json_deep_copy(inputs) : json_object();
        Explanation e = {.verdict = own_verdict, .inputs = own_inputs, .ticket = ticket, .tested = tested, .table = t};

        if (!t || !own_verdict || !own_inputs)
                return -ENOMEM;
        if (json_is_object(json_object_get(own_inputs, "approval")))
                e.approval = json_object_get(own_inputs, "approval");
        show_decision(&e);
        drop_repeated(&e);
        show_ticket(&e);
        show_role(&e);
        show_policies(&e);
        show_followed(&e);
        show_rest(&e, own_verdict);
        show_rest(&e, own_inputs);
        return table_print(t, f, colors);
}
