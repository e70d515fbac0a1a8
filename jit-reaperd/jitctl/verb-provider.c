/* SPDX-License-Identifier: Apache-2.0 */

#include "client.h"
#include "explain-view.h"
#include "json.h"
#include "member.h"
#include "name.h"
#include "provider-list.h"
#include "trace-view.h"

/* Several requests, each perhaps tried again, in at most the file's TimeoutSec= (30 s), after a wait in its queue. */
#define TEST_USEC (75 * USEC_PER_SEC)

static void number_cell(Table *t, const json_t *provider, const char *name) {
        const json_t *value = json_object_get(provider, name);
        uint64_t n = 0;

        if (json_is_array(value))
                table_cell_number(t, json_array_size(value));
        else if (member_uint(provider, name, &n))
                table_cell_number(t, n);
        else
                table_cell(t, NULL, COLOR_NONE);
}

static int verb_provider_list(const Ctl *ctl, char *const *args, const void *options) {
        static const char *const header[] = {"NAME", "KIND", "TICKET", "REQUESTS", "WAITING", "STATE", NULL};
        _cleanup_json_ json_t *reply = NULL;
        JIT_CLEANUP(table_freep) Table *t = table_new(header);
        json_t *provider;
        size_t i;
        int status = providers_fetch(ctl, false, &reply);

        (void) args;
        (void) options;
        if (status != STATUS_OK || ctl->json)
                return status == STATUS_OK ? say_json(reply) : status;
        if (!t)
                return say_no_memory();
        json_array_foreach (json_object_get(reply, "providers"), i, provider) {
                Color color;
                const char *state = provider_state(provider, &color);

                table_cell(t, member_text(provider, "name"), COLOR_STRONG);
                table_cell(t, member_text(provider, "kind"), COLOR_NONE);
                table_cell(t, member_text(provider, "ticket"), COLOR_NONE);
                number_cell(t, provider, "requests");
                number_cell(t, provider, "waiting");
                table_cell(t, state, color);
        }
        return table_print(t, stdout, color_wanted(stdout, ctl->no_color)) < 0 ? say_no_memory() : STATUS_OK;
}

typedef struct TestOptions {
        const char *person;
} TestOptions;

static const Option test_options[] = {
                {"person", OPTION_STRING, offsetof(TestOptions, person), 0, "NAME",
                 "whose login is judged, if the ticket has several requesters"},
                {0},
};

typedef struct TestAnswer {
        json_t *verdict, *trace;
} TestAnswer;

static const JsonField test_fields[] = {
                {"verdict", JSON_FIELD_OBJECT, offsetof(TestAnswer, verdict), 0, JSON_REQUIRED},
                {"trace", JSON_FIELD_OBJECT, offsetof(TestAnswer, trace), 0, 0},
                {0},
};

static void test_answer_done(TestAnswer *a) {
        json_decref(a->verdict);
        json_decref(a->trace);
}

static int print_test(const Ctl *ctl, const TestAnswer *a, const char *provider, const char *ticket) {
        bool colors = color_wanted(stdout, ctl->no_color);
        int r = trace_print(a->trace, stdout, colors);

        putchar('\n');
        if (r >= 0)
                r = explain_print(a->verdict, NULL, ticket, provider, stdout, colors);
        return r < 0 ? say_no_memory() : STATUS_OK;
}

static int verb_provider_test(const Ctl *ctl, char *const *args, const void *options) {
        const TestOptions *o = options;
        const char *ticket = args[1] + (account_name_is_ours(args[1]) ? strlen(ACCOUNT_PREFIX) : 0);
        _cleanup_json_ json_t *call = json_pack("{s:s, s:s, s:s*}", "provider", args[0], "ticket", ticket, "person",
                                                o->person),
                              *reply = NULL;
        JIT_CLEANUP(test_answer_done) TestAnswer answer = {0};
        int status;

        if (!call)
                return say_error(STATUS_USAGE, "the provider's, ticket's or person's name is not UTF-8 text");
        status = client_call(ctl, SERVICE_APPROVER, "TestProvider", take_ptr(call), TEST_USEC, &reply);
        if (status == STATUS_OK)
                status = client_dispatch(SERVICE_APPROVER, reply, test_fields, &answer);
        if (status == STATUS_OK)
                status = ctl->json ? say_json(reply) : print_test(ctl, &answer, args[0], ticket);
        return status == STATUS_OK && !verdict_is_yes(answer.verdict) ? STATUS_NO : status;
}

const Verb verbs_provider[] = {
                {"provider list", "", 0, 0, "The ticket systems that this host asks", NULL, 0,
                 "One row for each file of /etc/jit/providers.d, and for the signed tickets of this host. WAITING is "
                 "how many\n"
                 "questions are under way.\n\n"
                 "Example:\n  jitctl provider list\n",
                 verb_provider_list},
                {"provider test", "NAME TICKET[-PERSON]", 2, 2, "Ask a ticket system now and show all of it",
                 test_options, sizeof(TestOptions),
                 "Shows each request (secrets masked) and its answer, the object that the jq program made of them, and "
                 "the verdict\n"
                 "for this host and now; past every cache. For root. The exit status is 0 for yes and 1 for no. --json "
                 "cuts nothing.\n\n"
                 "Example:\n  sudo jitctl provider test servicenow CHG0012345\n",
                 verb_provider_test},
                {0},
};
