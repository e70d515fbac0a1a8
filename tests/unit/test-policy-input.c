/* SPDX-License-Identifier: Apache-2.0 */

/* What a policy sees of a request and a role; jit-approverd(8), "POLICY". */

#include "json.h"
#include "policy-input.h"
#include "test.h"

static char *names[] = {(char *) "alice", (char *) "dan", NULL}, *hosts[] = {(char *) "db1", NULL};
static Role role = {.name = (char *) "dba", .run_as = (char *) "root", .approvers = 1};

static json_t *input_of(const Role *r, const char *way, const char *target) {
        static const Approval approval = {
                        .ticket = "CHG1", .title = "t", .role = "dba", .reason = "r", .digest = "d", .requesters = names, .hosts = hosts};
        static const Reference reference = {.ticket = "chg1", .person = "dan", .told = true};
        const PolicyInput in = {.reference = &reference,
                                .account = "jit-chg1",
                                .approval = &approval,
                                .role = r,
                                .host_names = hosts,
                                .phase = "account",
                                .service = "sudo",
                                .tty = "pts/0",
                                .way = way,
                                .target = target,
                                .now = 1};

        return policy_input(&in);
}

static const char *text_at(const json_t *j, const char *object, const char *name) {
        return json_string_value(json_object_get(json_object_get(j, object), name));
}

TEST(request) {
        _cleanup_json_ json_t *j = input_of(&role, "gate", "postgres"), *bare = input_of(NULL, NULL, NULL);

        CHECK_STREQ(text_at(j, "request", "account"), "jit-chg1");
        CHECK_STREQ(text_at(j, "request", "person"), "dan");
        CHECK_STREQ(text_at(j, "request", "way"), "gate");
        CHECK_STREQ(text_at(j, "request", "target"), "postgres");
        CHECK_STREQ(text_at(j, "request", "tty"), "pts/0");
        CHECK(json_is_null(json_object_get(json_object_get(j, "request"), "rhost")));
        CHECK(json_is_null(json_object_get(json_object_get(bare, "request"), "way")));
        CHECK(json_is_null(json_object_get(json_object_get(bare, "request"), "target")));
        CHECK(json_is_null(json_object_get(bare, "role")));
}

TEST(ways) {
        static const struct {
                unsigned ways;
                const char *text;
        } cases[] = {
                        {0, "[]"},
                        {ROLE_WAY_ACCOUNT, "[\"account\"]"},
                        {ROLE_WAY_ELEVATE, "[\"elevate\"]"},
                        {ROLE_WAY_ACCOUNT | ROLE_WAY_GATE, "[\"account\",\"gate\"]"},
                        {ROLE_WAY_ACCOUNT | ROLE_WAY_ELEVATE | ROLE_WAY_GATE, "[\"account\",\"elevate\",\"gate\"]"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                role.ways = cases[i].ways;
                role.workloads = i % 2;
                _cleanup_json_ json_t *j = input_of(&role, "account", NULL);
                const json_t *r = json_object_get(j, "role");
                char *text = json_dumps(json_object_get(r, "ways"), JSON_COMPACT);
                CHECK_STREQ(text, cases[i].text);
                CHECK_EQ_INT(json_is_true(json_object_get(r, "workloads")), role.workloads);
                free(text);
        }
}

TEST_MAIN
