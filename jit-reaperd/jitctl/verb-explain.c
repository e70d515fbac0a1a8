/* SPDX-License-Identifier: Apache-2.0 */

#include "client.h"
#include "explain-view.h"
#include "json.h"
#include "name.h"
#include "table.h"

typedef struct ExplainAnswer {
        json_t *verdict, *inputs;
} ExplainAnswer;

static const JsonField explain_fields[] = {
                {"verdict", JSON_FIELD_OBJECT, offsetof(ExplainAnswer, verdict), 0, JSON_REQUIRED},
                {"inputs", JSON_FIELD_OBJECT, offsetof(ExplainAnswer, inputs), 0, JSON_REQUIRED},
                {0},
};

static void explain_answer_done(ExplainAnswer *a) {
        json_decref(a->verdict);
        json_decref(a->inputs);
}

static int print_answer(const Ctl *ctl, const ExplainAnswer *a, const char *account) {
        int r = explain_print(a->verdict, a->inputs, account + strlen(ACCOUNT_PREFIX), NULL, stdout,
                              color_wanted(stdout, ctl->no_color));

        return r < 0 ? say_no_memory() : STATUS_OK;
}

static int verb_explain(const Ctl *ctl, char *const *args, const void *options) {
        _cleanup_json_ json_t *reply = NULL;
        _cleanup_free_ char *account = NULL;
        JIT_CLEANUP(explain_answer_done) ExplainAnswer answer = {0};
        int status;

        (void) options;
        if (asprintf(&account, "%s%s", account_name_is_ours(args[0]) ? "" : ACCOUNT_PREFIX, args[0]) < 0) {
                account = NULL;
                return say_no_memory();
        }
        status = client_call(ctl, SERVICE_APPROVER, "Explain", json_pack("{s:s}", "account", account), EXPLAIN_USEC,
                             &reply);
        if (status == STATUS_OK)
                status = client_dispatch(SERVICE_APPROVER, reply, explain_fields, &answer);
        if (status == STATUS_OK)
                status = ctl->json ? say_json(reply) : print_answer(ctl, &answer, account);
        return status == STATUS_OK && !verdict_is_yes(answer.verdict) ? STATUS_NO : status;
}

const Verb verbs_explain[] = {
                {"explain", "TICKET|ACCOUNT", 1, 1, "Would this log in here and now, and why", NULL, 0,
                 "Shows the decision, what its reason means and what to do, every input of it, and what each policy "
                 "answered. The exit\n"
                 "status is 0 for yes and 1 for no. What the ticket system answers is shown by `jitctl provider "
                 "test`.\n\n"
                 "Example: a ticket, and one person of a ticket with several\n"
                 "  jitctl explain CHG0012345\n"
                 "  jitctl explain jit-chg0012345-alice\n",
                 verb_explain},
                {0},
};
