/* SPDX-License-Identifier: Apache-2.0 */

#include "test-provider.h"

#include "../../jit-reaperd/approverd/providers/http-send.h"
#include "../../jit-reaperd/approverd/providers/question-trace.h"

#define ONE "[Request ticket]\nURL=@/tickets/{1}\n"

TEST(one_request) {
        Got g;

        provider_begin("", ONE, ".answers.ticket");
        route("{\"path\":\"/tickets/7\",\"json\":" APPROVAL("T-7", "\"alice\"") "}");
        g = question("jit-t-7");
        CHECK_EQ_INT(g.result, PROVIDER_OK);
        CHECK_STREQ(g.person, "alice");
        CHECK_STREQ(g.detail, "");
        g = question("jit-t-8"); /* 404 */
        CHECK_EQ_INT(g.result, PROVIDER_UNKNOWN);
        providers_end();
}

TEST(values_go_on) {
        _cleanup_json_ json_t *entry = NULL, *each = NULL;
        Got g;

        put_program("body.jq", "{ticket, match, values, a: .answers.a.id}");
        provider_begin("Upper=yes",
                       "[Request a]\nURL=@/a\nQuery=q=number={ticket}\nQuery=f[x]=1 2\nHeader=X-Host: {host}\n"
                       "Value=id .id\nValue=many .many\n"
                       "[Request b]\nMethod=POST\nURL=@/b/{id}\nBody=body.jq\nSafe=yes\nValue=last .last\n"
                       "[Request c]\nURL=@/c/{many}\nForEach=many\nQuery=last={last}\n",
                       ".answers.a.approval * {title: ([.answers.c[].n | tostring] | join(\",\"))}");
        route("{\"path\":\"/a\",\"json\":{\"id\":42,\"many\":[\"x\",2,\"y@z\"],\"approval\":" APPROVAL(
                        "t-9", "\"alice\"") "}},{\"method\":\"POST\",\"path\":\"/b/42\",\"json\":{\"last\":\"l\"}},"
                                            "{\"path_re\":\"/c/.*\",\"query\":{\"last\":\"l\"},\"json\":{\"n\":5}}");
        g = question("jit-t-9");
        CHECK_EQ_INT(g.result, PROVIDER_OK);
        CHECK_STREQ(g.detail, "");
        CHECK_STREQ(g.title, "5,5,5");
        entry = logged("/a", 0);
        CHECK_STREQ(json_string_value(json_object_get(entry, "target")), "/a?q=number%3DT-9&f%5Bx%5D=1%202");
        CHECK_STREQ(json_string_value(json_object_get(json_object_get(entry, "headers"), "x-host")), "db1");
        CHECK_EQ_INT(asked("/c/"), 3);
        each = logged("/c/y@z", 0);
        CHECK_STREQ(json_string_value(json_object_get(each, "target")), "/c/y%40z?last=l");
        json_decref(entry);
        entry = logged("/b/42", 0);
        CHECK(strstr(json_string_value(json_object_get(entry, "body")), "\"match\":[\"T-9\",\"9\"]"));
        CHECK(strstr(json_string_value(json_object_get(entry, "body")), "\"many\":[\"x\",\"2\",\"y@z\"]"));
        providers_end();
}

TEST(values_that_are_not) {
        Got g;

        provider_begin("", ONE "Value=id .id\n[Request more]\nURL=@/more/{id}\n",
                       ".answers.ticket.approval * {title: (.answers.more | tojson)}");
        route("{\"path\":\"/tickets/1\",\"json\":{\"approval\":" APPROVAL(
                        "t-1", "\"alice\"") "}}," /* no id */
                                            "{\"path\":\"/tickets/2\",\"json\":{\"id\":\"../x\"}},"
                                            "{\"path\":\"/tickets/3\",\"json\":{\"id\":[\"a\"],\"approval\":1}},"
                                            "{\"path\":\"/tickets/4\",\"json\":{\"id\":1.5}},"
                                            "{\"path\":\"/tickets/5\",\"json\":{\"id\":{\"a\":1}}},"
                                            "{\"path\":\"/tickets/6\",\"json\":{\"id\":\"gone\",\"approval\":" APPROVAL(
                                                            "t-6", "\"alice\"") "}}");
        g = question("jit-t-1");
        CHECK_EQ_INT(g.result, PROVIDER_OK);
        CHECK_STREQ(g.title, "null");
        CHECK_EQ_INT(asked("/more/"), 0);
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_INVALID);
        CHECK_EQ_INT(question("jit-t-3").result, PROVIDER_INVALID);
        CHECK_EQ_INT(question("jit-t-4").result, PROVIDER_INVALID);
        CHECK_EQ_INT(question("jit-t-5").result, PROVIDER_INVALID);
        CHECK_EQ_INT(asked("/more/"), 0);
        g = question("jit-t-6"); /* /more/gone is 404: null */
        CHECK_EQ_INT(g.result, PROVIDER_OK);
        CHECK_STREQ(g.title, "null");
        CHECK_EQ_INT(asked("/more/"), 1);
        providers_end();
}

TEST(answers_that_are_none) {
        static const struct {
                const char *ticket, *spec;
                ProviderResult result;
        } cases[] = {
                        {"1", "\"text\":\"<html>\"", PROVIDER_ANSWER},
                        {"2", "\"text\":\"\"", PROVIDER_ANSWER},
                        {"3", "\"text\":\"{\\\"a\\\":1,\\\"a\\\":1}\"", PROVIDER_ANSWER},
                        {"4", "\"text\":\"[1],[2]\"", PROVIDER_ANSWER},
                        {"5", "\"text\":\"[1]}\"", PROVIDER_ANSWER},
                        {"6", "\"status\":400,\"json\":{}", PROVIDER_ANSWER},
                        {"7", "\"status\":403,\"json\":{}", PROVIDER_LOGIN},
                        {"8", "\"status\":401,\"json\":{}", PROVIDER_LOGIN},
                        {"9", "\"status\":429,\"headers\":{\"retry-after\":\"60\"},\"json\":{}", PROVIDER_LIMIT},
                        {"10", "\"json\":{\"ticket\":\"t-11\"}", PROVIDER_INVALID},
                        {"11", "\"json\":[]", PROVIDER_UNKNOWN}, /* the program's null */
                        {"12", "\"json\":{\"fail\":true}", PROVIDER_INVALID},
        };

        provider_begin("", ONE,
                       ".answers.ticket | if type == \"array\" then null elif .fail then error(\"no\\nway\") else . "
                       "end");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[512], account[32];
                Got g;

                (void) snprintf(text, sizeof(text), "{\"path\":\"/tickets/%s\",%s}", cases[i].ticket, cases[i].spec);
                (void) snprintf(account, sizeof(account), "jit-t-%s", cases[i].ticket);
                route(text);
                g = question(account);
                if (g.result != cases[i].result)
                        TEST_FAIL("%s: %d, %s", cases[i].spec, (int) g.result, g.detail);
                CHECK(*g.detail && !strchr(g.detail, '\n'));
        }
        providers_end();
}

TEST(too_much) {
        size_t left = ANSWER_NODES_MAX, n = 3 * ANSWER_NODES_MAX;
        _cleanup_free_ char *text = malloc(n);
        char why[SEND_WHY_MAX];
        json_t *j = NULL;

        memset(text, '1', n);
        for (size_t i = 1; i < n; i += 2)
                text[i] = ',';
        text[0] = '[';
        text[n - 1] = ']';
        CHECK_EQ_INT(answer_parse(text, n, n, &left, &j, why), -EBADMSG);
        CHECK_STREQ(why, "too many JSON values");
        left = 4;
        CHECK_EQ_INT(answer_parse("[1, \"a,,,[\\\",\"]", 15, 100, &left, &j, why), 0);
        CHECK_EQ_INT(json_array_size(j), 2);
        CHECK_EQ_INT(left, 1);
        json_decref(j);
        CHECK_EQ_INT(answer_parse("[]", 2, 1, &left, &j, why), -EBADMSG);
        CHECK_EQ_INT(answer_parse("[],\"b\":[]", 9, 100, &left, &j, why), -EBADMSG);
        left = 100;
        CHECK_EQ_INT(answer_parse("[],\"b\":[]", 9, 100, &left, &j, why), -EBADMSG);
        CHECK_EQ_INT(answer_parse("[]}", 3, 100, &left, &j, why), -EBADMSG);
        CHECK_EQ_INT(answer_parse("1", 1, 100, &left, &j, why), -EBADMSG);
        CHECK_EQ_INT(answer_parse("[1]\0", 4, 100, &left, &j, why), -EBADMSG);
        CHECK_EQ_INT(answer_parse("", 0, 100, &left, &j, why), -EBADMSG);
}

TEST(in_time) {
        uint64_t start = now_usec(CLOCK_BOOTTIME), took;
        Got g;

        provider_begin("TimeoutSec=1s", "[Request ticket]\nURL=@/hostile/never\n", ".");
        g = question("jit-t-1");
        took = now_usec(CLOCK_BOOTTIME) - start;
        CHECK_EQ_INT(g.result, PROVIDER_UNREACHABLE);
        CHECK(took >= 900 * USEC_PER_MSEC && took < 5 * USEC_PER_SEC);
        providers_end();
}

TEST(same_answers_are_not_read_again) {
        const Approval *first;
        Got g;

        provider_begin("", ONE "Value=id .id\n[Request more]\nURL=@/more/{id}\n",
                       ".answers.ticket.approval * {title: .answers.more.title}");
        route("{\"path\":\"/tickets/1\",\"json\":{\"id\":5,\"approval\":" APPROVAL(
                        "t-1", "\"alice\"") "}},{\"path\":\"/more/5\",\"json\":{\"title\":\"old\"}}");
        g = question("jit-t-1");
        CHECK_STREQ(g.title, "old");
        first = g.approval;
        g = question("jit-t-1");
        CHECK(g.approval == first);
        CHECK_EQ_INT(asked("/more/"), 2);
        route("{\"path\":\"/more/5\",\"json\":{\"title\":\"new\"}}"); /* only the second one changes */
        g = question("jit-t-1");
        CHECK_EQ_INT(g.result, PROVIDER_OK);
        CHECK_STREQ(g.title, "new");
        CHECK_STREQ(question("jit-t-1").title, "new");
        route("{\"path\":\"/tickets/1\",\"json\":[]}");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_INVALID);
        providers_end();
}

TEST(programs_of_the_time_run_each_time) {
        char first[256];
        uint64_t end;
        Got g;

        provider_begin("", ONE, ".now as $n | .answers.ticket * {title: ($n | tostring)}");
        route("{\"path\":\"/tickets/1\",\"json\":" APPROVAL("t-1", "\"alice\"") "}");
        g = question("jit-t-1");
        (void) snprintf(first, sizeof(first), "%s", g.title);
        end = now_usec(CLOCK_BOOTTIME) + 10 * USEC_PER_SEC;
        while (streq(g.title, first) && now_usec(CLOCK_BOOTTIME) < end)
                g = question("jit-t-1");
        CHECK(!streq(g.title, first));
        providers_end();
}

/* ---- login ---- */

TEST(token_that_ended) {
        Got g;

        put("secret", "s3cret\n");
        (void) setenv("CREDENTIALS_DIRECTORY", test_folder, 1);
        provider_begin("", "[Login]\nKind=oauth2\nCredential=secret\nTokenURL=@/oauth/token\nClientId=jit\n" ONE,
                       ".answers.ticket");
        route("{\"path\":\"/tickets/1\",\"require\":{\"oauth\":true},\"json\":" APPROVAL("t-1", "\"alice\"") "}");
        g = question("jit-t-1");
        CHECK_EQ_INT(g.result, PROVIDER_OK);
        CHECK_STREQ(g.detail, "");
        tell(&server, "POST", "/revoke-tokens", "{}");
        g = question("jit-t-1");
        CHECK_EQ_INT(g.result, PROVIDER_OK);
        CHECK_STREQ(g.detail, "");
        CHECK_EQ_INT(asked("/oauth/token"), 2);
        CHECK_EQ_INT(asked("/tickets/1"), 3);
        providers_end();
}

TEST(no_credential) {
        (void) setenv("CREDENTIALS_DIRECTORY", test_folder, 1);
        provider_begin("", "[Login]\nKind=bearer\nCredential=missing\n" ONE, ".answers.ticket");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_LOGIN);
        CHECK_EQ_INT(asked("/tickets/"), 0);
        providers_end();
}

/* ---- trace ---- */

typedef struct Traced {
        bool done;
        ProviderResult result;
        char *text;
} Traced;

static void on_traced(ProviderResult result, const ApprovalRecord *record, const char *why, json_t *trace,
                      void *userdata) {
        Traced *t = userdata;

        (void) why;
        CHECK((result == PROVIDER_OK) == (record != NULL));
        t->result = result;
        t->text = json_dumps(trace, JSON_COMPACT);
        t->done = true;
}

TEST(trace) {
        Traced t = {0};

        put("secret", "tOpSeCrEt-1234\n");
        (void) setenv("CREDENTIALS_DIRECTORY", test_folder, 1);
        provider_begin("",
                       "[Login]\nKind=bearer\nCredential=secret\n[Request ticket]\nURL=@/tickets/{1}\nHeader=X-A: b\n",
                       ".answers.ticket.approval");
        route("{\"path\":\"/tickets/1\",\"require\":{\"headers\":{\"authorization\":\"Bearer tOpSeCrEt-1234\"}},"
              "\"json\":{\"echo\":\"Bearer tOpSeCrEt-1234\",\"esc\":\"\\u009b31m\",\"approval\":" APPROVAL(
                              "t-1", "\"alice\"") "}}");
        CHECK_EQ_INT(http_provider_trace(http_provider(the_provider()), "t-1", NULL, on_traced, &t), 0);
        CHECK(run_until(&t.done));
        CHECK_EQ_INT(t.result, PROVIDER_OK);
        CHECK(t.text && !strstr(t.text, "tOpSeCrEt"));
        CHECK(t.text && strstr(t.text, "\"Authorization: ***\""));
        CHECK(t.text && strstr(t.text, "\"X-A: b\""));
        CHECK(t.text && strstr(t.text, "\"status\":200"));
        CHECK(t.text && strstr(t.text, "/tickets/1\""));
        CHECK(t.text && strstr(t.text, "\"approval\":{"));
        CHECK(t.text && !strstr(t.text, "\xc2\x9b"));
        free(t.text);
        t = (Traced){0};
        route("{\"path\":\"/tickets/2\",\"status\":500,\"text\":\"Bearer tOpSeCrEt-1234 oops\"}");
        CHECK_EQ_INT(http_provider_trace(http_provider(the_provider()), "t-2", "alice", on_traced, &t), 0);
        CHECK(run_until(&t.done));
        CHECK_EQ_INT(t.result, PROVIDER_UNREACHABLE);
        CHECK(t.text && strstr(t.text, "\"error\"") && !strstr(t.text, "tOpSeCrEt"));
        CHECK(t.text && strstr(t.text, "\"approval\":null"));
        free(t.text);
        providers_end();
}

TEST(trace_texts) {
        json_t *j = trace_text("a\x1b[31m\xff\xe2\x80\xae"
                               "b\tc\n",
                               14, 100, NULL),
               *list, *trace, *input;
        char *dump, *big = malloc(60000);

        CHECK_STREQ(json_string_value(j), "a?[31m??b\tc\n");
        json_decref(j);
        j = trace_text("0123456789", 10, 4, NULL);
        CHECK_STREQ(json_string_value(j), "0123\n[...]");
        json_decref(j);
        j = trace_text("x secret y secre", 16, 100, "secret");
        CHECK_STREQ(json_string_value(j), "x *** y secre");
        json_decref(j);
        memset(big, '"', 59999);
        big[59999] = '\0';
        list = json_array();
        for (int i = 0; i < 23; i++)
                (void) json_array_append_new(list, json_pack("{s:o, s:o}", "answer",
                                                             trace_text(big, 59999, TRACE_TEXT_MAX, NULL), "body",
                                                             trace_text(big, 59999, TRACE_TEXT_MAX, NULL)));
        input = json_pack("{s:s}", "a", big);
        trace = trace_question(list, input, input, true, big, NULL);
        dump = json_dumps(trace, JSON_COMPACT);
        CHECK(dump && strlen(dump) < 200 * 1024);
        free(dump);
        free(big);
        json_decref(list);
        json_decref(input);
        json_decref(trace);
}

/* ---- the login's context ---- */

TEST(context) {
        static const QuestionContext context = {
                        .phase = "account", .service = "sshd", .rhost = "192.0.2.1", .way = "gate", .target = "postgres"};
        _cleanup_json_ json_t *entry = NULL, *body = NULL;
        const json_t *c;
        Reference r;
        Got g = {0};

        put_program("body.jq", ".");
        provider_begin("Context=yes\nCacheSec=1min\nRecheckSec=1min",
                       "[Answer]\nUnsigned=yes\n[Request ask]\nMethod=POST\nURL=@/ask\nBody=body.jq\n",
                       "if .context.nonce == \"x\" then null else .answers.ask end");
        route("{\"method\":\"POST\",\"path\":\"/ask\",\"json\":" APPROVAL("t-1", "\"alice\",\"dan\"") "}");
        CHECK_EQ_INT(the_provider()->resolve(the_provider(), "jit-t-1-dan", &r), 0);
        r.provider->ask(r.provider, &r, &context, true, on_got, &g);
        CHECK(run_until(&g.done));
        CHECK_EQ_INT(g.result, PROVIDER_OK);
        CHECK_STREQ(g.person, "dan");
        entry = logged("/ask", 0);
        body = json_loads(json_string_value(json_object_get(entry, "body")) ?: "", 0, NULL);
        c = json_object_get(body, "context");
        CHECK_STREQ(json_string_value(json_object_get(c, "account")), "jit-t-1-dan");
        CHECK_STREQ(json_string_value(json_object_get(c, "person")), "dan");
        CHECK_STREQ(json_string_value(json_object_get(c, "phase")), "account");
        CHECK_STREQ(json_string_value(json_object_get(c, "rhost")), "192.0.2.1");
        CHECK(json_is_null(json_object_get(c, "tty")));
        CHECK_STREQ(json_string_value(json_object_get(c, "way")), "gate");
        CHECK_STREQ(json_string_value(json_object_get(c, "target")), "postgres");
        CHECK_EQ_INT(json_string_length(json_object_get(c, "nonce")), 32);
        CHECK_EQ_INT(question("jit-t-1-dan").result, PROVIDER_OK); /* nothing of it is shared */
        CHECK_EQ_INT(asked("/ask"), 2);
        providers_end();
}

TEST_HTTP_MAIN("http-question")
