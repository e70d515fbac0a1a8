/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/stat.h>

#include "../../jit-reaperd/approverd/policy-test.h"
#include "cleanup.h"
#include "test.h"

#define INPUT "{\"about\": \"a\\nb\", \"input\": {\"a\": {\"b\": 1}, \"c\": 2}, \"cases\": ["
#define POLICY "{allow: (.a.b == 1), reasons: [if .a.b == 1 then \"approved\" else \"b-is-not-one\" end], ttl_usec: .c}"

typedef struct Fixture {
        char folder[32], policy[64];
        char *out, *err;
        int status;
} Fixture;

static void write_file(const Fixture *f, const char *name, const char *text) {
        char path[96];
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/%s", f->folder, name);
        CHECK((file = fopen(path, "we")) && fputs(text, file) >= 0 && fclose(file) == 0);
}

static Fixture fixture(const char *policy) {
        Fixture f = {.folder = "/tmp/test-policy-XXXXXX"};

        CHECK(mkdtemp(f.folder));
        (void) snprintf(f.policy, sizeof(f.policy), "%s/policy.jq", f.folder);
        write_file(&f, "policy.jq", policy);
        return f;
}

static void fixture_done(Fixture *f) {
        static const char *const names[] = {"policy.jq", "a.json", "b.json", ".c.json", "notes.txt"};
        char path[96];

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
                (void) unlink(path);
        }
        CHECK_EQ_INT(rmdir(f->folder), 0);
        free(f->out);
        free(f->err);
}

static void run(Fixture *f, const PolicyTest *test) {
        size_t n;
        FILE *out = NULL, *err = NULL;

        free(f->out);
        free(f->err);
        f->out = f->err = NULL;
        CHECK((out = open_memstream(&f->out, &n)) && (err = open_memstream(&f->err, &n)));
        f->status = policy_test_run(test, out, err);
        (void) fclose(out);
        (void) fclose(err);
}

static void run_folder(Fixture *f) {
        const PolicyTest test = {.cases = f->folder, .policy = f->policy};

        run(f, &test);
}

TEST(the_examples) {
        static const PolicyTest tests[] = {
                        {.cases = "examples/policy/shipped-cases.json", .policy = "jit-reaperd/approverd/policy.jq"},
                        {.cases = "examples/policy/cases.json", .policy = "examples/policy/policy.jq"},
                        {.cases = "examples/policy/cases.json", .etc = "examples/policy", .vendor = "/nonexistent"},
                        {.cases = "examples/policy/shipped-cases.json",
                         .etc = "/nonexistent",
                         .vendor = "jit-reaperd/approverd"},
        };

        for (size_t i = 0; i < ELEMENTSOF(tests); i++) {
                JIT_CLEANUP(fixture_done) Fixture f = fixture("");
                run(&f, &tests[i]);
                CHECK_EQ_INT(f.status, 0);
                CHECK(strncmp(f.out, "ok ", 3) == 0 && strstr(f.out, " ok, 0 not ok\n") && !strstr(f.out, "not ok "));
                CHECK_STREQ(f.err, "");
        }
}

TEST(another_policy_than_the_cases_are_for) {
        JIT_CLEANUP(fixture_done) Fixture f = fixture("");
        const PolicyTest test = {.cases = "examples/policy/shipped-cases.json", .policy = "examples/policy/policy.jq"};

        run(&f, &test);
        CHECK_EQ_INT(f.status, 1);
        CHECK(strstr(f.out, "\nnot ok ") || strncmp(f.out, "not ok ", 7) == 0);
}

TEST(what_it_prints) {
        JIT_CLEANUP(fixture_done) Fixture f = fixture(POLICY);

        write_file(&f, "b.json", INPUT "{\"name\": \"last\", \"allow\": true}]}");
        write_file(&f, "a.json",
                   INPUT "{\"name\": \"as it is\", \"allow\": true, \"reason\": \"approved\", \"ttl_usec\": 2},"
                         "{\"name\": \"b\", \"change\": {\"a.b\": 2}, \"allow\": false, \"reason\": \"b-is-not-one\"},"
                         "{\"name\": \"whole\", \"change\": {\"a\": null}, \"allow\": false},"
                         "{\"name\": \"new\", \"change\": {\"a.x\": 1, \"y\": []}, \"allow\": true}]}");
        write_file(&f, ".c.json", "no JSON");
        write_file(&f, "notes.txt", "no JSON");
        run_folder(&f);
        CHECK_EQ_INT(f.status, 0);
        CHECK_STREQ(f.out, "ok as it is\nok b\nok whole\nok new\nok last\n5 cases: 5 ok, 0 not ok\n");
        CHECK_STREQ(f.err, "");
}

TEST(what_fails) {
        JIT_CLEANUP(fixture_done) Fixture f = fixture(POLICY);

        write_file(&f, "a.json",
                   INPUT "{\"name\": \"allow\", \"allow\": false},"
                         "{\"name\": \"reason\", \"allow\": true, \"reason\": \"other\"},"
                         "{\"name\": \"ttl\", \"allow\": true, \"ttl_usec\": 3},"
                         "{\"name\": \"no ttl\", \"change\": {\"c\": null}, \"allow\": true, \"ttl_usec\": 0},"
                         "{\"name\": \"error\", \"change\": {\"c\": \"\\u001b[0m\"}, \"allow\": false},"
                         "{\"name\": \"good\", \"allow\": true}]}");
        run_folder(&f);
        CHECK_EQ_INT(f.status, 1);
        CHECK_STREQ(f.out, "not ok allow: expected refuse, got allow (approved)\n"
                           "not ok reason: expected allow (other), got allow (approved)\n"
                           "not ok ttl: expected allow with ttl_usec 3, got allow (approved) with ttl_usec 2\n"
                           "not ok no ttl: expected allow with ttl_usec 0, got allow (approved) without ttl_usec\n"
                           "not ok error: expected refuse, got an error: the policy gave an answer that is not {allow, "
                           "reasons, ttl_usec}\n"
                           "ok good\n6 cases: 1 ok, 5 not ok\n");
}

/* An error refuses, but it is not what a case that expects a refusal means. */
TEST(an_error_is_not_a_refusal) {
        JIT_CLEANUP(fixture_done) Fixture f = fixture("error(\"x\")");

        write_file(&f, "a.json", INPUT "{\"name\": \"one\", \"allow\": false, \"reason\": \"policy-denied\"}]}");
        run_folder(&f);
        CHECK_EQ_INT(f.status, 1);
        CHECK(strstr(f.out, "got an error: the policy failed: x\n"));
}

TEST(wrong_files) {
        static const struct {
                const char *text, *why;
        } bad[] = {
                        {"", "a.json: "},
                        {"[]", "a.json: not a JSON object"},
                        {"{}", "a.json: \"input\" is missing"},
                        {"{\"input\": {}, \"cases\": {}}", "a.json: \"cases\""},
                        {"{\"input\": {}, \"cases\": [], \"other\": 1}", "a.json: \"other\""},
                        {"{\"input\": {}, \"cases\": []}", "there is no case in it"},
                        {INPUT "1]}", "a.json: case 1: "},
                        {INPUT "{\"name\": \"a\", \"allow\": true}, {\"name\": \"b\"}]}", "a.json: case 2: \"allow\""},
                        {INPUT "{\"allow\": true}]}", "a.json: case 1: \"name\""},
                        {INPUT "{\"name\": \"\\u001b[0m\", \"allow\": true}]}", "a.json: case 1: \"name\""},
                        {INPUT "{\"name\": \"a\", \"allow\": \"yes\"}]}", "a.json: case 1: \"allow\""},
                        {INPUT "{\"name\": \"a\", \"allow\": true, \"reasons\": []}]}", "a.json: case 1: \"reasons\""},
                        {INPUT "{\"name\": \"a\", \"allow\": true, \"change\": {\"x.y\": 1}}]}",
                         "no place for \"x.y\""},
                        {INPUT "{\"name\": \"a\", \"allow\": true, \"change\": {\"c.y\": 1}}]}",
                         "no place for \"c.y\""},
                        {INPUT "{\"name\": \"a\", \"allow\": true, \"allow\": false}]}", "a.json: line 1"},
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                JIT_CLEANUP(fixture_done) Fixture f = fixture(POLICY);
                write_file(&f, "a.json", bad[i].text);
                run_folder(&f);
                if (f.status != 2 || !strstr(f.err, bad[i].why) || !strstr(f.err, f.folder) || strchr(f.err, '\033'))
                        TEST_FAIL("%s: %d, %s", bad[i].text, f.status, f.err);
        }
}

TEST(nothing_to_run) {
        JIT_CLEANUP(fixture_done) Fixture f = fixture("{allow:");
        PolicyTest test = {.cases = f.folder, .policy = f.policy};

        run(&f, &test);
        CHECK_EQ_INT(f.status, 2);
        CHECK(strstr(f.err, f.policy) && strstr(f.err, "syntax error"));
        test.policy = "/nonexistent/policy.jq";
        run(&f, &test);
        CHECK_EQ_INT(f.status, 2);
        CHECK_STREQ(f.err, "/nonexistent/policy.jq: No such file or directory\n");
        test = (PolicyTest){.cases = f.folder, .etc = "/nonexistent", .vendor = "/nonexistent"};
        run(&f, &test);
        CHECK_EQ_INT(f.status, 2);
        CHECK(strstr(f.err, "there is no policy.jq in /nonexistent"));
        write_file(&f, "policy.jq", POLICY);
        test = (PolicyTest){.cases = f.folder, .policy = f.policy};
        run(&f, &test);
        CHECK_EQ_INT(f.status, 2);
        CHECK(strstr(f.err, "there is no case file"));
        test.cases = "/nonexistent";
        run(&f, &test);
        CHECK_EQ_INT(f.status, 2);
        CHECK_STREQ(f.err, "/nonexistent: No such file or directory\n");
        CHECK_STREQ(f.out, "");
}

TEST_MAIN
