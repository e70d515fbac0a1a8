/* SPDX-License-Identifier: Apache-2.0 */

#include <signal.h>

#include "../../jit-reaperd/approverd/policy.h"
#include "strv.h"
#include "test.h"

#define SHIPPED "jit-reaperd/approverd/policy.jq"
#define EXAMPLE "examples/policy/policy.jq"

static char *program_read(const char *path) {
        char *text = calloc(1, POLICY_TEXT_MAX + 1);
        FILE *f = fopen(path, "re");

        CHECK(text && f && fread(text, 1, POLICY_TEXT_MAX, f) > 0);
        if (f)
                (void) fclose(f);
        return text;
}

/* Sets a.b.c in object. */
static void set_path(json_t *object, const char *path, json_t *value) {
        char name[64];
        const char *dot = strchr(path, '.');

        if (!dot) {
                CHECK(json_object_set(object, path, value) == 0);
                return;
        }
        (void) snprintf(name, sizeof(name), "%.*s", (int) (dot - path), path);
        set_path(json_object_get(object, name), dot + 1, value);
}

static void check_case(Policy *p, const json_t *base, const json_t *c) {
        json_t *input = json_deep_copy(base), *value;
        const char *name = json_string_value(json_object_get(c, "name")), *path;
        const json_t *ttl = json_object_get(c, "ttl_usec");
        PolicyResult r;

        json_object_foreach (json_object_get(c, "change"), path, value)
                set_path(input, path, value);
        CHECK_EQ_INT(policy_run(p, input, &r), 0);
        if (r.error)
                TEST_FAIL("%s: %s", name, r.error);
        if (r.allow != json_is_true(json_object_get(c, "allow")) ||
            !streq(r.reasons[0], json_string_value(json_object_get(c, "reason"))))
                TEST_FAIL("%s: %s, %s", name, r.allow ? "allowed" : "refused", r.reasons[0]);
        if (ttl && r.ttl_usec != (uint64_t) json_integer_value(ttl))
                TEST_FAIL("%s: ttl %" PRIu64, name, r.ttl_usec);
        policy_result_done(&r);
        json_decref(input);
}

static void check_cases(const char *program, const char *cases) {
        char *text = program_read(program), why[POLICY_WHY_MAX] = "";
        json_t *j = json_load_file(cases, JSON_REJECT_DUPLICATES, NULL), *c;
        Policy *p = NULL;
        size_t i;

        CHECK(j);
        CHECK_EQ_INT(policy_new(text, &p, why), 0);
        CHECK_STREQ(why, "");
        CHECK(json_array_size(json_object_get(j, "cases")) > 10);
        json_array_foreach (json_object_get(j, "cases"), i, c)
                check_case(p, json_object_get(j, "input"), c);
        policy_free(p);
        json_decref(j);
        free(text);
}

TEST(shipped) {
        check_cases(SHIPPED, "examples/policy/shipped-cases.json");
}

TEST(example) {
        check_cases(EXAMPLE, "examples/policy/cases.json");
}

/* "allow REASON TTL MESSAGE" or "no REASON ... (ERROR)". */
static const char *run(const char *program) {
        static char text[1024];
        char why[POLICY_WHY_MAX] = "";
        json_t *input = json_pack("{s:i}", "x", 1);
        Policy *p = NULL;
        PolicyResult r;

        if (policy_new(program, &p, why) < 0) {
                (void) snprintf(text, sizeof(text), "does not compile: %s", why);
                json_decref(input);
                return text;
        }
        for (unsigned i = 0; i < 2; i++) { /* the second time as the first, whatever the first did */
                CHECK_EQ_INT(policy_run(p, input, &r), 0);
                (void) snprintf(text, sizeof(text), "%s %s %" PRId64 " %s", r.allow ? "allow" : "no", r.reasons[0],
                                r.ttl_usec == USEC_INFINITY ? -1 : (int64_t) r.ttl_usec, r.message ? r.message : "-");
                CHECK(!r.error || (!r.allow && streq(r.reasons[0], "policy-denied")));
                policy_result_done(&r);
        }
        policy_free(p);
        json_decref(input);
        return text;
}

TEST(answers) {
        CHECK_STREQ(run("{allow: true}"), "allow approved -1 -");
        CHECK_STREQ(run("{allow: true, reasons: [\"approved\"], ttl_usec: 5}"), "allow approved 5 -");
        CHECK_STREQ(run("{allow: false}"), "no policy-denied -1 -");
        CHECK_STREQ(run("{allow: false, reasons: [\"change-freeze\", \"b\"], message: \"not today\"}"),
                    "no change-freeze -1 not today");
        CHECK_STREQ(run("{allow: (.x == 1)}"), "allow approved -1 -");
        /* jit-reaperd would take these for no answer, on which a live grant lives on. */
        CHECK_STREQ(run("{allow: false, reasons: [\"provider-unreachable\"]}"), "no policy-denied -1 -");
        CHECK_STREQ(run("{allow: false, reasons: [\"try-again\"]}"), "no policy-denied -1 -");
        CHECK_STREQ(run("{allow: false, reasons: [\"rate-limited\"]}"), "no policy-denied -1 -");
}

TEST(anything_else_is_no) {
        static const char *const programs[] = {
                        "true",
                        "1",
                        "\"allow\"",
                        "[]",
                        "null",
                        "{}",
                        "empty",
                        "{allow: 1}",
                        "{allow: \"true\"}",
                        "{allow: null}",
                        "{allow: true}, {allow: true}",
                        "{allow: true}, error(\"x\")",
                        "error(\"x\")",
                        "error",
                        "halt",
                        "{allow: true} | halt_error",
                        "{allow: true, reasons: 1}",
                        "{allow: true, reasons: [1]}",
                        "{allow: true, reasons: [\"A B\"]}",
                        "{allow: true, reasons: [range(17) | \"a\"]}",
                        "{allow: true, ttl_usec: -1}",
                        "{allow: true, ttl_usec: 1e300}",
                        "{allow: true, ttl_usec: nan}",
                        "{allow: true, ttl_usec: \"1\"}",
                        "{allow: true, message: \"a\\u001b[0m\"}",
                        "{allow: true, message: 1}",
                        "{allow: true, message: (\"a\" * 201)}",
                        ".x.y",
                        "input",
                        "{allow: true} | input",
        };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                if (!streq(run(programs[i]), "no policy-denied -1 -"))
                        TEST_FAIL("%s: %s", programs[i], run(programs[i]));
}

TEST(endless) {
        CHECK_STREQ(run("def f: f; f"), "no policy-denied -1 -");
        CHECK_STREQ(run("[limit(1; repeat(empty))] | {allow: true}"), "no policy-denied -1 -");
        CHECK_STREQ(run("{allow: true}, (def f: f; f)"), "no policy-denied -1 -");
}

TEST(does_not_compile) {
        CHECK(strstr(run("{allow:"), "does not compile: "));
        CHECK(strstr(run("nosuch"), "nosuch"));
        CHECK(strstr(run("import \"a\" as a; {allow: true}"), "does not compile: "));
}

TEST(input_too_long) {
        json_t *input = json_object();
        char *text = malloc(POLICY_INPUT_MAX), why[POLICY_WHY_MAX];
        Policy *p = NULL;
        PolicyResult r;

        CHECK(text && input);
        memset(text, 'a', POLICY_INPUT_MAX);
        json_object_set_new(input, "x", json_stringn(text, POLICY_INPUT_MAX));
        CHECK_EQ_INT(policy_new("{allow: true}", &p, why), 0);
        CHECK_EQ_INT(policy_run(p, input, &r), 0);
        CHECK(!r.allow && r.error);
        policy_result_done(&r);
        policy_free(p);
        json_decref(input);
        free(text);
}

TEST(files) {
        char why[POLICY_WHY_MAX];
        Policy *p = NULL;

        CHECK_EQ_INT(policy_load("/nonexistent", "jit-reaperd/approverd", &p, why), 0);
        p = policy_free(p);
        CHECK_EQ_INT(policy_load("examples/policy", "jit-reaperd/approverd", &p, why), 0);
        p = policy_free(p);
        CHECK_EQ_INT(policy_load("/nonexistent", "/nonexistent", &p, why), -ENOENT);
        CHECK(strstr(why, "/nonexistent"));
}

TEST_MAIN
