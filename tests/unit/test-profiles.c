/* SPDX-License-Identifier: Apache-2.0 */

/* The programs of examples/providers over the cases of tests/tickets/cases: what systems answer, as they document it,
 * and what that has to come to. A case: {"name", "question" (http-question.h), "expect": what the program gives: an
 * object, null (no such ticket), or {"error": a part of the message}}. */

#include <dirent.h>
#include <limits.h>

#include "../../jit-reaperd/approverd/providers/approval-record.h"
#include "../../jit-reaperd/approverd/http/http-client.h"
#include "../../jit-reaperd/approverd/jq-program.h"
#include "../../jit-reaperd/approverd/policy-test.h"
#include "test.h"

#define PROVIDERS "examples/providers"
#define CASES "tests/tickets/cases"

/* The repository, wherever the test is started from. */
static const char *repository(void) {
        static char folder[PATH_MAX];
        char *end;

        if (!*folder && realpath(__FILE__, folder) && (end = strstr(folder, "/tests/unit/")))
                *end = '\0';
        return folder;
}

typedef void (*each_t)(const char *folder, const char *name, void *userdata);

static unsigned each_file(const char *part, const char *suffix, each_t each, void *userdata) {
        char folder[PATH_MAX];
        struct dirent **entries;
        unsigned n = 0;

        (void) snprintf(folder, sizeof(folder), "%.2000s/%.200s", repository(), part);
        int n_entries = scandir(folder, &entries, NULL, alphasort);
        for (int i = 0; i < n_entries; i++) {
                size_t length = strlen(entries[i]->d_name);

                if (length > strlen(suffix) && streq(entries[i]->d_name + length - strlen(suffix), suffix) &&
                    entries[i]->d_name[0] != '.') {
                        each(folder, entries[i]->d_name, userdata);
                        n++;
                }
                free(entries[i]);
        }
        if (n_entries >= 0)
                free(entries);
        return n;
}

static void check_loads(const char *folder, const char *name, void *userdata) {
        JIT_CLEANUP(jq_program_freep) JqProgram *p = NULL;
        char why[JQ_WHY_MAX] = "";

        (void) userdata;
        if (jq_program_load(folder, name, &p, why) < 0)
                TEST_FAIL("%s", why);
}

TEST(every_program_loads) {
        CHECK(each_file(PROVIDERS, ".jq", check_loads, NULL) >= 8);
}

static bool is_error(const json_t *expect, const char **ret_part) {
        *ret_part = json_object_size(expect) == 1 ? json_string_value(json_object_get(expect, "error")) : NULL;
        return *ret_part != NULL;
}

/* What the case calls an approval has to be one (but where a name of elsewhere stands in it on purpose). */
static void check_record(const char *name, const json_t *question, const json_t *output) {
        JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *r = NULL;
        const char *ticket = json_string_value(json_object_get(question, "ticket"));
        char why[APPROVAL_WHY_MAX] = "";
        int e = approval_record_new(output, ticket ? ticket : "", &r, why);

        if (strstr(name, "foreign") ? e != -EBADMSG : e < 0)
                TEST_FAIL("%s: no approval: %d %s", name, e, why);
        if (e >= 0 && r->approval.state != APPROVAL_APPROVED &&
            streq(json_string_value(json_object_get(output, "state")), "approved"))
                TEST_FAIL("%s: another state than the program's", name);
}

typedef struct Profile {
        JqProgram *program;
        bool is_policy;
} Profile;

static void check_case(const char *folder, const char *file, void *userdata) {
        const Profile *profile = userdata;
        _cleanup_json_ json_t *c = NULL, *output = NULL;
        char path[PATH_MAX], name[256], why[JQ_WHY_MAX] = "";
        const char *part;
        int r;

        (void) snprintf(path, sizeof(path), "%.2000s/%.200s", folder, file);
        (void) snprintf(name, sizeof(name), "%.100s/%.100s", strrchr(folder, '/') + 1, file);
        c = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
        const json_t *question = json_object_get(c, "question"), *expect = json_object_get(c, "expect");
        if (!question || !expect || !json_is_string(json_object_get(c, "name"))) {
                TEST_FAIL("%s is no case", name);
                return;
        }
        r = jq_program_run(profile->program, question, HTTP_ANSWER_MAX, &output, why);
        if (is_error(expect, &part)) {
                if (r != -EBADMSG || !strstr(why, part))
                        TEST_FAIL("%s: %d \"%s\", not \"%s\"", name, r, why, part);
                return;
        }
        if (r < 0 || !json_equal(output, expect)) {
                _cleanup_free_ char *text = json_dumps(output, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
                TEST_FAIL("%s: %d %s %s", name, r, why, text ? text : "");
        } else if (json_is_object(output) && !profile->is_policy)
                check_record(name, question, output);
}

static void check_profile(const char *name, unsigned n_least) {
        char folder[PATH_MAX], file[64], why[JQ_WHY_MAX] = "";
        Profile p = {.is_policy = streq(name, "opa")};

        (void) snprintf(folder, sizeof(folder), "%.2000s/" PROVIDERS, repository());
        (void) snprintf(file, sizeof(file), "%.32s.jq", name);
        if (jq_program_load(folder, file, &p.program, why) < 0) {
                TEST_FAIL("%s", why);
                return;
        }
        (void) snprintf(folder, sizeof(folder), CASES "/%.32s", name);
        unsigned n = each_file(folder, ".json", check_case, &p);
        if (n < n_least)
                TEST_FAIL("%s: %u cases", name, n);
        jq_program_free(p.program);
}

TEST(servicenow) {
        check_profile("servicenow", 40);
}

TEST(jira) {
        check_profile("jira", 30);
}

TEST(jira_service_management) {
        check_profile("jira-service-management", 20);
}

TEST(gitlab_deployment) {
        check_profile("gitlab-deployment", 25);
}

TEST(pagerduty) {
        check_profile("pagerduty", 15);
}

TEST(webhook) {
        check_profile("webhook", 15);
}

TEST(opa) {
        check_profile("opa", 10);
}

TEST(request_tracker) {
        check_profile("request-tracker", 30);
}

static void check_never_approved(const char *folder, const char *file, void *userdata) {
        char path[PATH_MAX];

        (void) userdata;
        (void) snprintf(path, sizeof(path), "%.2000s/%.200s", folder, file);
        json_t *c = json_load_file(path, 0, NULL), *expect = json_object_get(c, "expect");
        const char *state = json_string_value(json_object_get(expect, "state"));
        if ((state && streq(state, "approved")) || json_array_size(json_object_get(expect, "approvers")) > 0)
                TEST_FAIL("%s: approved", file);
        json_decref(c);
}

TEST(emergency_policy) {
        char cases[PATH_MAX], policy[PATH_MAX];
        const PolicyTest test = {.cases = cases, .policy = policy};
        FILE *out = fopen("/dev/null", "we");

        (void) snprintf(cases, sizeof(cases), "%.2000s/examples/policy/emergency-cases.json", repository());
        (void) snprintf(policy, sizeof(policy), "%.2000s/examples/policy/emergency.jq", repository());
        CHECK(out != NULL);
        CHECK_EQ_INT(policy_test_run(&test, out, stderr), 0);
        (void) fclose(out);
}

TEST(pagerduty_approves_nothing) {
        CHECK(each_file(CASES "/pagerduty", ".json", check_never_approved, NULL) > 0);
}

/* A grant's start and end, as [Comment] programs get them. */
static void check_comment(const char *folder, const char *name, void *userdata) {
        static const char *const events[] = {
                        "{\"event\":{\"ticket\":\"chg1\",\"account\":\"jit-chg1\",\"person\":\"alice\",\"role\":"
                        "\"dba\","
                        "\"host\":\"db1\",\"since\":\"2026-11-22T07:00:00Z\",\"until\":\"2026-11-22T11:00:00Z\","
                        "\"service\":\"sshd\",\"rhost\":\"192.0.2.7\",\"tty\":\"ssh\"}}",
                        "{\"event\":{\"ticket\":\"chg1\",\"account\":\"jit-chg1\",\"person\":\"alice\",\"role\":"
                        "\"dba\","
                        "\"host\":\"db1\",\"since\":1795330800000000,\"until\":1795345200000000,\"ended\":"
                        "1795334400000000,"
                        "\"reason\":\"ticket-closed\",\"sessions\":2,\"killed\":7,\"receipt\":\"c0ffee\"}}"};
        JIT_CLEANUP(jq_program_freep) JqProgram *p = NULL;
        char why[JQ_WHY_MAX] = "";

        (void) userdata;
        if (jq_program_load(folder, name, &p, why) < 0) {
                TEST_FAIL("%s", why);
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                _cleanup_json_ json_t *input = json_loads(events[i], 0, NULL), *output = NULL;
                _cleanup_free_ char *text = NULL;

                if (jq_program_run(p, input, HTTP_ANSWER_MAX, &output, why) < 0)
                        TEST_FAIL("%s: %s", name, why);
                text = output ? json_dumps(output, JSON_COMPACT) : NULL;
                if (!json_is_object(output) || !text || !strstr(text, "alice") || !strstr(text, "jit-chg1") ||
                    (i == 1) != (strstr(text, "c0ffee") != NULL) || (i == 1) != (strstr(text, "ticket-closed") != NULL))
                        TEST_FAIL("%s: %s", name, text ? text : "nothing");
        }
}

TEST(comments) {
        CHECK(each_file(PROVIDERS, "-comment.jq", check_comment, NULL) >= 6);
}

static void run_one(const char *name, const char *input_text, json_t **ret) {
        JIT_CLEANUP(jq_program_freep) JqProgram *p = NULL;
        _cleanup_json_ json_t *input = json_loads(input_text, 0, NULL);
        char folder[PATH_MAX], why[JQ_WHY_MAX] = "";

        (void) snprintf(folder, sizeof(folder), "%.2000s/" PROVIDERS, repository());
        if (!input || jq_program_load(folder, name, &p, why) < 0 ||
            jq_program_run(p, input, HTTP_ANSWER_MAX, ret, why) < 0)
                TEST_FAIL("%s: %s", name, why);
}

TEST(bodies) {
        _cleanup_json_ json_t *webhook = NULL, *opa = NULL, *jira = NULL;
        const json_t *fields;

        run_one("webhook-body.jq",
                "{\"ticket\":\"hook-1\",\"host\":{\"names\":[\"db1\"]},\"now\":7,\"answers\":{},"
                "\"context\":{\"nonce\":\"n\",\"rhost\":\"192.0.2.7\"}}",
                &webhook);
        CHECK_STREQ(json_string_value(json_object_get(json_object_get(webhook, "context"), "rhost")), "192.0.2.7");
        CHECK_STREQ(json_string_value(json_object_get(webhook, "ticket")), "hook-1");
        run_one("opa-body.jq", "{\"input\":{\"role\":{\"name\":\"dba\"}},\"now\":7}", &opa);
        CHECK_EQ_INT(json_object_size(opa), 1);
        CHECK_STREQ(json_string_value(json_object_get(json_object_get(json_object_get(opa, "input"), "role"), "name")),
                    "dba");
        run_one("jira-new.jq",
                "{\"person\":\"alice\",\"new\":{\"title\":\"t\",\"reason\":\"r\",\"role\":\"dba\",\"hosts\":[\"db1\","
                "\"db2\"],"
                "\"not_before\":\"2026-11-22T07:00:00Z\",\"not_after\":\"2026-11-22T11:00:00Z\"}}",
                &jira);
        fields = json_object_get(jira, "fields");
        CHECK_STREQ(json_string_value(json_object_get(fields, "customfield_10101")), "db1, db2");
        CHECK_STREQ(json_string_value(json_object_get(fields, "customfield_10103")), "2026-11-22T07:00:00.000+0000");
}

TEST_MAIN
