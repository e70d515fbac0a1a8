/* SPDX-License-Identifier: Apache-2.0 */

#include <malloc.h>
#include <sys/stat.h>

#include "../../jit-reaperd/approverd/jq-program.h"
#include "json.h"
#include "test.h"

static JqProgram *program(const char *text) {
        char why[JQ_WHY_MAX] = "";
        JqProgram *p = NULL;

        if (jq_program_new(text, &p, why) < 0)
                TEST_FAIL("%s: %s", text, why);
        return p;
}

/* The output's text, or "no: WHY". Twice: the second time as the first, whatever the first did. */
static const char *run_on(JqProgram *p, const json_t *input, size_t max) {
        static char text[4096];
        char first[sizeof(text)] = "";

        for (unsigned i = 0; i < 2; i++) {
                _cleanup_free_ char *dump = NULL;
                _cleanup_json_ json_t *output = NULL;
                char why[JQ_WHY_MAX] = "";
                int r = jq_program_run(p, input, max, &output, why);

                dump = output ? json_canonical(output) : NULL;
                (void) snprintf(text, sizeof(text), "%s%s", r < 0 ? "no: " : "", r < 0 ? why : dump ? dump : "?");
                CHECK(r == 0 || (r == -EBADMSG && !output && *why && !strpbrk(why, "\n\t\033")));
                if (i > 0)
                        CHECK_STREQ(text, first);
                memcpy(first, text, sizeof(first));
        }
        return text;
}

static const char *run(const char *text, const char *input) {
        json_t *j = json_loads(input, JSON_DECODE_ANY, NULL);
        JqProgram *p = program(text);
        const char *answer = p ? run_on(p, j, 4096) : "does not compile";

        CHECK(j);
        jq_program_free(p);
        json_decref(j);
        return answer;
}

TEST(any_value) {
        static const char *const same[] = {
                        "null",
                        "true",
                        "false",
                        "0",
                        "-1",
                        "12345678901",
                        "9007199254740992",
                        "1.5",
                        "\"\"",
                        "\"a\\nb\"",
                        "\"\\u00e4\\ud83d\\ude00\"",
                        "[]",
                        "{}",
                        "[1,[2,[3]],{\"a\":null}]",
                        "{\"a\":{\"b\":[true,false]},\"c\":\"d\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(same); i++) {
                _cleanup_json_ json_t *j = json_loads(same[i], JSON_DECODE_ANY, NULL);
                _cleanup_free_ char *canonical = json_canonical(j);
                CHECK_STREQ(run(".", same[i]), canonical);
        }
}

TEST(numbers) {
        CHECK_STREQ(run(". / 2", "10"), "5"); /* an integer again, as json_dispatch() wants it */
        CHECK_STREQ(run(". * 1.0", "1795003200000000"), "1795003200000000");
        CHECK_STREQ(run("1e300", "null"), "1.0000000000000001e300");
        CHECK_STREQ(run("nan", "null"), "no: gave a number or a text that JSON does not have");
        CHECK_STREQ(run("[infinite]", "null"), "no: gave a number or a text that JSON does not have");
        CHECK_STREQ(run("-infinite", "null"), "no: gave a number or a text that JSON does not have");
}

TEST(exactly_one) {
        CHECK_STREQ(run("empty", "1"), "no: gave no answer");
        CHECK_STREQ(run("1, 2", "1"), "no: gave more than one answer");
        CHECK_STREQ(run("1, error(\"x\")", "1"), "no: failed: x");
        CHECK_STREQ(run("error(\"a\\u001b[0m\\nb\")", "1"), "no: failed: a [0m b");
        CHECK_STREQ(run("error({a: 1})", "1"), "no: failed: error");
        CHECK_STREQ(run("error(null)", "1"), "no: gave no answer");
        CHECK_STREQ(run("halt", "1"), "no: took too long, or stopped by itself");
        CHECK_STREQ(run(". | halt_error", "\"x\""), "no: took too long, or stopped by itself");
        CHECK(strstr(run(".a", "1"), "Cannot index number"));
        CHECK(strncmp(run("input", "1"), "no: ", 4) == 0);
}

TEST(too_long_to_run) {
        CHECK_STREQ(run("def f: f; f", "1"), "no: took too long, or stopped by itself");
        CHECK_STREQ(run("1, (def f: f; f)", "1"), "no: took too long, or stopped by itself");
        CHECK_STREQ(run("last(range(infinite))", "1"), "no: took too long, or stopped by itself");
}

TEST(limits_of_size) {
        char text[256];

        CHECK_STREQ(run("\"a\" * 1024 | . * 1025", "1"), "no: gave too long an answer");
        CHECK_STREQ(run("(\"a\" * 1024) as $s | [range(1025) | $s]", "1"), "no: gave too long an answer");
        CHECK_STREQ(run("(\"a\" * 1024) as $s | [range(1025) | $s] | length", "1"), "1025");
        CHECK_STREQ(run("{(\"a\" * 1024 | . * 1025): 1}", "1"), "no: gave too long an answer");
        (void) snprintf(text, sizeof(text), "{\"a\": \"%0*d\"}", 100, 0);
        _cleanup_json_ json_t *input = json_loads(text, 0, NULL);
        JqProgram *p = program(".a | length");
        CHECK_STREQ(run_on(p, input, 200), "100");
        CHECK_STREQ(run_on(p, input, 100), "no: got too long an input");
        CHECK_STREQ(run_on(p, input, 0), "no: got too long an input");
        jq_program_free(p);
}

TEST(limits_of_depth) {
        CHECK_STREQ(run("reduce range(100) as $i (0; [.])", "1"), "no: gave an answer that is nested too deeply");
        CHECK_STREQ(run("reduce range(100) as $i (0; {a: .})", "1"), "no: gave an answer that is nested too deeply");
        CHECK_STREQ(run("reduce range(30) as $i (0; {a: .}) | [..] | length", "1"), "31");
        CHECK_STREQ(run(".[0][0][0] | length", "[[[[1]]]]"), "1");
        CHECK_STREQ(run("1", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
                    "no: got an input that is nested too deeply");
}

TEST(texts_that_are_none) {
        CHECK_STREQ(run("[0] | implode", "1"), "\"\\u0000\"");
        CHECK_STREQ(run("{([0] | implode): 1}", "1"), "no: gave a number or a text that JSON does not have");
        /* Whatever this jq makes of a lone surrogate: no invalid UTF-8 comes out. */
        json_t *j = json_loads(run("[97, 55296, 97] | implode | length", "1"), JSON_DECODE_ANY, NULL);
        CHECK(!j || json_is_integer(j));
        json_decref(j);
}

/* jq 1.6 loses what it holds of the input here, and must not cost an asker anything: 1 MB each time. */
TEST(memory) {
        static const char *const programs[] = {".a[]? | error(\"x\")",
                                               ".a[]? | .name.name",
                                               ".a[.a] | length",
                                               "try (.a[] | error(\"x\")) catch .",
                                               "{(.a): 1}",
                                               ".a | implode",
                                               ".a[0] as $s | .a[] | halt_error"};
        _cleanup_json_ json_t *input = json_pack("{s:[]}", "a");
        char text[1024];

        memset(text, 'a', sizeof(text));
        for (int i = 0; i < 1000; i++)
                CHECK(json_array_append_new(json_object_get(input, "a"),
                                            json_pack("{s:s%}", "name", text, sizeof(text) - 1)) == 0);
        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                JqProgram *p = program(programs[i]);
                size_t before = 0;
                for (unsigned j = 0; j < 8; j++) {
                        (void) run_on(p, input, 4 * 1024 * 1024);
                        if (j == 0)
                                before = mallinfo2().uordblks;
                }
                if (mallinfo2().uordblks > before + 64 * 1024)
                        TEST_FAIL("%s: %zu bytes more", programs[i], mallinfo2().uordblks - before);
                jq_program_free(p);
        }
}

TEST(halted_and_run_again) {
        _cleanup_json_ json_t *bad = json_pack("{s:s}", "x", "y"), *good = json_pack("{s:i}", "x", 1);
        JqProgram *p = program("if .x == \"y\" then .x | halt_error else .x end");

        for (unsigned i = 0; i < 3; i++) {
                CHECK_STREQ(run_on(p, bad, 100), "no: took too long, or stopped by itself");
                CHECK_STREQ(run_on(p, good, 100), "1");
                CHECK_STREQ(run_on(p, good, 100), "1");
        }
        jq_program_free(p);
}

TEST(several_at_once) {
        _cleanup_json_ json_t *input = json_pack("{s:i}", "x", 1);
        JqProgram *a = program(".x"), *b = program(".x + 1"), *c = program("def f: f; f");

        for (unsigned i = 0; i < 2; i++) {
                CHECK_STREQ(run_on(a, input, 100), "1");
                CHECK_STREQ(run_on(b, input, 100), "2");
                CHECK_STREQ(run_on(c, input, 100), "no: took too long, or stopped by itself");
        }
        c = jq_program_free(c);
        CHECK_STREQ(run_on(b, input, 100), "2");
        CHECK_EQ_INT(json_integer_value(json_object_get(input, "x")), 1);
        jq_program_free(a);
        jq_program_free(b);
}

TEST(does_not_compile) {
        static const char *const bad[] = {"{a:", "nosuch", "import \"a\" as a; 1", "include \"a\"; 1", "$nosuch"};
        JqProgram *p = NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char why[JQ_WHY_MAX] = "";
                CHECK_EQ_INT(jq_program_new(bad[i], &p, why), -EBADMSG);
                if (!*why || strpbrk(why, "\n\t"))
                        TEST_FAIL("%s: \"%s\"", bad[i], why);
        }
        CHECK(!p);
}

TEST(files) {
        char folder[] = "/tmp/test-jq-XXXXXX", path[64], why[JQ_WHY_MAX] = "";
        JqProgram *p = NULL;
        FILE *f;

        CHECK(mkdtemp(folder));
        (void) snprintf(path, sizeof(path), "%s/a.jq", folder);
        CHECK_EQ_INT(jq_program_load(folder, "a.jq", &p, why), -ENOENT);
        CHECK(strstr(why, path));
        CHECK((f = fopen(path, "we")) && fputs("{a: .x", f) >= 0 && fclose(f) == 0);
        CHECK_EQ_INT(jq_program_load(folder, "a.jq", &p, why), -EBADMSG);
        CHECK(strstr(why, path) && strstr(why, "syntax error"));
        CHECK((f = fopen(path, "ae")) && fputs("}", f) >= 0 && fclose(f) == 0);
        CHECK_EQ_INT(jq_program_load(folder, "a.jq", &p, why), 0);
        p = jq_program_free(p);
        CHECK_EQ_INT(chmod(path, 0666), 0);
        CHECK_EQ_INT(jq_program_load(folder, "a.jq", &p, why), -EPERM); /* anybody could have written it */
        CHECK_EQ_INT(truncate(path, JQ_TEXT_MAX + 1), 0);
        CHECK_EQ_INT(chmod(path, 0600), 0);
        CHECK_EQ_INT(jq_program_load(folder, "a.jq", &p, why), -EFBIG);
        CHECK_EQ_INT(jq_program_load("/nonexistent", "a.jq", &p, why), -ENOENT);
        CHECK_EQ_INT(unlink(path), 0);
        CHECK_EQ_INT(rmdir(folder), 0);
        CHECK(!p);
}

TEST_MAIN
