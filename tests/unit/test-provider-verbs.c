/* SPDX-License-Identifier: Apache-2.0 */

/* What people are told of ticket systems: provider list and test, ticket new --provider, explain, status, policy test.
 */

#include "client.h"
#include "test-jitctl.h"
#include "verb-ticket.h"

#define REFUSED(reason, message)                                                                                       \
        "{\"decision\":\"refuse\",\"reason\":\"" reason "\",\"message\":\"" message                                    \
        "\",\"ticket\":\"chg1\",\"provider\":\"rt\"}"

static void check_one(const char *name, const char *first, const char *second, const char *answer, int status,
                      const char *const *parts) {
        char *args[] = {(char *) first, (char *) second, NULL};
        const char *const answers[] = {answer, NULL};

        check_all(name, false, args, NULL, answers, status, parts);
}

TEST(setup) {
        make_folder();
}

TEST(providers_are_listed) {
        static const char answer[] =
                        "{\"parameters\":{\"providers\":["
                        "{\"name\":\"signed\",\"kind\":\"signed\",\"state\":\"ok\"},"
                        "{\"name\":\"rt\",\"kind\":\"http\",\"ticket\":\"rt-([0-9]+)\",\"requests\":3,\"waiting\":2,"
                        "\"state\":\"open since 2026-11-22T08:00:00Z\",\"new\":{\"er\":1}},"
                        "{\"name\":\"opa\",\"error\":\"line 3: \\u001b[2J\",\"state\":\"ok\"},"
                        "{\"name\":7,\"requests\":[1,2,3,4]},5]}}";
        static const char *const parts[] = {"NAME  KIND  TICKET  REQUESTS  WAITING  STATE\n",
                                            "signed  signed  -",
                                            "rt  http  rt-([0-9]+)  3  2  open since 2026-11-22T0",
                                            "opa  -",
                                            "line 3: \\x1b[2J\n",
                                            "4  -  ok\n",
                                            NULL};

        check_one("provider list", NULL, NULL, answer, 0, parts);
        check_answer("provider list", true, NULL, "{\"parameters\":{\"providers\":[]}}", 0, "\"providers\": []");
        check_answer("provider list", false, NULL, ERROR(VARLINK_ERROR_PERMISSION_DENIED, "{}"), 4, "not permitted");
}

#define TRACE                                                                                                          \
        "{\"requests\":[{\"name\":\"ticket\",\"method\":\"GET\",\"url\":\"https://rt.example/t/1\","                   \
        "\"headers\":[\"Authorization: ***\",\"Accept: application/json\"],\"body\":null,\"status\":200,"              \
        "\"took_usec\":46100,\"attempts\":2,\"answer\":{\"id\":1,\"Subject\":\"\\u001b[2Jx\\u202e\"}},"                \
        "{\"name\":\"approvals\",\"method\":\"GET\",\"url\":\"https://rt.example/a\",\"error\":\"no answer in time\"," \
        "\"status\":0,\"answer\":\"<html>\\nlogin\"}],"                                                                \
        "\"input\":{\"match\":[\"RT-1\",\"1\"],\"values\":{\"queue\":\"q\"},\"answers\":{\"ticket\":{\"id\":1}}},"     \
        "\"approval\":{\"ticket\":\"RT-1\",\"state\":\"pending\"},\"error\":null}"

TEST(a_test_shows_all) {
        static const char answer[] = "{\"parameters\":{\"verdict\":" REFUSED(
                        "provider-tls", "approvals cannot be checked just now") ",\"trace\":" TRACE "}}";
        static const char *const parts[] = {
                        "Request  ticket\n  GET https://rt.example/t/1\n"
                        "Headers  Authorization: ***\n  Accept: application/json\n",
                        "Status  200, 46.1 ms, 2 attempts\n",
                        "Answer  {\n  \"id\": 1,\n"
                        "  \"Subject\": \"\\u001B[2Jx\\u{202e}\"\n  }\n",
                        "Request  approvals\n",
                        "Request  approvals\n  GET https://rt.example/a\nError  no answer in time\n",
                        "Error  no answer in time\n",
                        "Answer  <html>\n  login\n",
                        "match  RT-1\n  1\n",
                        "value.queue  q\n",
                        "Object  {\n  \"ticket\": \"RT-1\",\n",
                        "Decision  refuse (provider-tls)\n",
                        "check CAFile=, PinnedKey=",
                        "/providers.d/rt.conf, the server's certificate, and this host's clock\n",
                        NULL};
        char *args[] = {(char *) "rt", (char *) "jit-chg1", NULL};
        const char *const answers[] = {answer, NULL}, *const none[] = {NULL};
        const char *person = "alice";

        check_one("provider test", "rt", "RT-1", answer, 1, parts);
        CHECK(was_called_with("\"method\":\"io.pamjit.Approver.TestProvider\""));
        CHECK(was_called_with("\"ticket\":\"RT-1\""));
        CHECK(!was_called_with("person"));
        check_all("provider test", false, args, &person, answers, 1, none);
        CHECK(was_called_with("\"ticket\":\"chg1\"") && was_called_with("\"person\":\"alice\""));
}

TEST(a_test_says_yes) {
        static const char *const json[] = {"\"decision\": \"allow\"", NULL};
        static const char answer[] = "{\"parameters\":{\"trace\":{\"approval\":null},\"verdict\":{\"decision\":"
                                     "\"allow\",\"reason\":\"approved\",\"recheckUSec\":15000000}}}";
        char *args[] = {(char *) "rt", (char *) "1", NULL};
        const char *const answers[] = {answer, NULL};

        check_all("provider test", true, args, NULL, answers, 0, json);
        check_one("provider test", "rt", "1", answer, 0,
                  (const char *const[]){"null: no such ticket", "allow (approved)\n", "Followed  every 15 s\n", NULL});
        check_one("provider test", "rt", "\xff", "{}", 2, (const char *const[]){"not UTF-8", NULL});
        check_one("provider test", "rt", "1", "{\"parameters\":{\"trace\":{}}}", 1,
                  (const char *const[]){"member \"verdict\"", NULL});
        check_one("provider test", "rt", "1", ERROR(VARLINK_ERROR_PERMISSION_DENIED, "{}"), 4,
                  (const char *const[]){"not permitted", NULL});
}

/* As the ticket system wrote it: twice the same member, a number's own form, and no end. */
TEST(answers_are_laid_out_as_they_came) {
        static const char answer[] =
                        "{\"parameters\":{\"verdict\":{\"decision\":\"unknown\"},\"trace\":{\"requests\":[{\"body\":"
                        "\"{\\\"q\\\":[]}\",\"answer\":\"{\\\"a\\\":1.10,\\\"a\\\":[ { } ,\\\"x{,\\\\\\\"\\\", "
                        "null],\"}],\"input\":"
                        "\"{\\\"match\\\":[\\\"RT-1\\\"]}\",\"approval\":\"{\\\"state\\\":4}\",\"error\":\"e\"}}}",
                          cut[] = "{\"parameters\":{\"verdict\":{\"decision\":\"unknown\"},\"trace\":{\"input\":"
                                  "\"{\\\"match\\\":[\\\"RT-\"}}}";

        check_one("provider test", "rt", "1", answer, 1,
                  (const char *const[]){"Body  {\n  \"q\": []\n  }\n",
                                        "Answer  {\n  \"a\": 1.10,\n  \"a\": [\n  {},\n  \"x{,\\\"\",\n  null\n  ],\n",
                                        "match  RT-1\n", "Object  {\n  \"state\": 4\n  }\n", "Error  e\n", NULL});
        check_one("provider test", "rt", "1", cut, 1,
                  (const char *const[]){"Input  {\n  \"match\": [\n  \"RT-\n", NULL});
}

TEST(long_answers_are_cut) {
        _cleanup_free_ char *answer = NULL;
        size_t size;
        FILE *f = open_memstream(&answer, &size);

        fprintf(f, "{\"parameters\":{\"verdict\":{\"decision\":\"unknown\"},\"trace\":{\"requests\":[{\"answer\":\"");
        for (int i = 0; i < 5000; i++)
                fputs("\u00e4", f);
        for (int i = 0; i < 500; i++)
                fputs("\\nline", f);
        fprintf(f, "\"}]}}}");
        (void) fclose(f);
        check_one("provider test", "rt", "1", answer, 1,
                  (const char *const[]){"\u00e4... (9760 bytes more)\n", "... (421 lines more)\n", NULL});
}

TEST(a_ticket_is_opened_in_a_system) {
        char *hosts[] = {(char *) "db1", NULL}, *requesters[] = {(char *) "alice", NULL};
        NewOptions o = {.role = "dba", .hosts = hosts, .provider = "rt", .title = "t"};
        char *no_args[] = {NULL}, *args[] = {(char *) "CHG1", NULL};
        const char *const answers[] = {"{\"parameters\":{\"id\":\"RT-12\",\"canonical\":\"\"}}",
                                       "{\"parameters\":{\"providers\":[{\"name\":\"rt\",\"server\":"
                                       "\"https://rt.example\"}]}}",
                                       NULL},
                          *const parts[] = {"RT-12\n", "ssh jit-rt-12@db1\n",
                                            "waits for approval in rt (https://rt.example)", NULL},
                          *const json[] = {"\"id\": \"RT-12\"", NULL}, *const none[] = {NULL};

        check_all("ticket new", false, no_args, &o, answers, 0, parts);
        CHECK(was_called_with("\"provider\":\"rt\"") && was_called_with("\"title\":\"t\""));
        CHECK(was_called_with("\"not_after\":\"20"));
        CHECK(!was_called_with("\"nonce\"") && !was_called_with("\"requesters\"") && !was_called_with("\"id\""));
        check_all("ticket new", true, no_args, &o, answers, 0, json);
        check_all("ticket new", false, args, &o, none, 2, (const char *const[]){"leave CHG1 out", NULL});
        o.requesters = requesters;
        check_all("ticket new", false, no_args, &o, none, 2, (const char *const[]){"--requester", NULL});
        o.requesters = NULL;
        o.output = "-";
        check_all("ticket new", false, no_args, &o, none, 2, (const char *const[]){"--output", NULL});
}

TEST(a_system_may_give_names_that_are_no_accounts) {
        char *hosts[] = {(char *) "db*", NULL}, *no_args[] = {NULL};
        NewOptions o = {.role = "dba", .hosts = hosts, .provider = "rt"};
        const char *const odd[] = {"{\"parameters\":{\"id\":\"PROJ/1\",\"canonical\":\"\"}}", NULL},
                          *const refused[] = {ERROR("io.pamjit.Approver.NotAllowed",
                                                    "{\"reason\":\"provider-login\",\"message\":\"401\"}"),
                                              NULL};

        check_all("ticket new", false, no_args, &o, odd, 0,
                  (const char *const[]){"PROJ/1 cannot be part of an account's name", NULL});
        check_all("ticket new", false, no_args, &o, refused, 1, (const char *const[]){"401 (provider-login)", NULL});
}

#define INPUTS                                                                                                         \
        "{\"request\":{\"account\":\"jit-rt-1\",\"person\":\"alice\",\"phase\":\"name\",\"now\":1795003200000000,"     \
        "\"now_rfc3339\":\"2026-11-18T12:00:00Z\"},"                                                                   \
        "\"approval\":{\"ticket\":\"RT-1\",\"title\":\"restart \\u001b[2J\",\"state\":\"approved\",\"requesters\":["   \
        "\"alice\",\"dora\"],\"approvers\":[{\"name\":\"bob\",\"at\":\"2026-11-18T09:00:00Z\"},{\"name\":\"eve\"}],"   \
        "\"invalid_approvals\":[{\"name\":\"alice\",\"reason\":\"self-approved\"}],\"hosts\":[\"db1\",\"db2\"],"       \
        "\"role\":\"dba\",\"not_before\":\"2026-11-18T11:00:00Z\",\"not_after\":\"2026-11-18T14:00:00Z\","             \
        "\"not_before_usec\":1794999600000000,\"reason\":\"a stuck replica\",\"emergency\":false,\"odd\":[1]},"        \
        "\"role\":{\"name\":\"dba\",\"description\":\"Database work\",\"approvers\":1,\"ttl_usec\":3600000000,"        \
        "\"groups\":[\"adm\"]},\"host\":{\"names\":[\"web1\"]},"                                                       \
        "\"policy\":{\"allow\":false,\"reasons\":[\"wrong-host\",\"too-late\"],\"ttl_usec\":0},"                       \
        "\"policies\":{\"opa\":{\"allow\":true,\"reasons\":[\"approved\"]},\"geo\":{\"allow\":false,\"reasons\":["     \
        "\"far\"],"                                                                                                    \
        "\"message\":\"not from there\"},\"x\":4}}"

TEST(an_explanation_has_every_input) {
        static const char answer[] = "{\"parameters\":{\"verdict\":{\"decision\":\"refuse\",\"reason\":\"wrong-host\","
                                     "\"message\":\"m\",\"ticket\":\"RT-1\",\"title\":\"restart\",\"provider\":\"rt\","
                                     "\"graceUSec\":600000000,\"approvers\":[\"bob\"]},\"inputs\":" INPUTS "}}";
        static const char *const parts[] = {"Decision  refuse (wrong-host)\n",
                                            "Message  m\n",
                                            "Means  the ticket is for other hosts\n",
                                            "Ticket  RT-1: restart \\x1b[2J\n",
                                            "Provider  rt\n",
                                            "Requesters  alice, dora\n",
                                            "Approved by  bob at 2026-11-18T09:00:00Z\n  eve\n",
                                            "Not counted  alice: self-approved\n",
                                            "2026-11-18T11:00:00Z to 2026-11-18T14:00:00Z (3 h; ",
                                            "Hosts  db1, db2\n",
                                            "This host  web1\n",
                                            "Role  dba\n  Database work\n"
                                            "  needs 1 approver; at most 1 h\n",
                                            "Policy  no: wrong-host\n  and too-late\n",
                                            "Policy opa  yes\n",
                                            "Policy geo  no: far\n  not from there\n",
                                            "graceUSec  10 min\n",
                                            "request.account  jit-rt-1\n",
                                            "role.groups  adm\n",
                                            "approval.odd  1\n",
                                            NULL};

        check_one("explain", "RT-1", NULL, answer, 1, parts);
        CHECK(was_called_with("\"account\":\"jit-RT-1\""));
}

/* Every code of provider.h, and how it is explained without any approval. */
TEST(an_explanation_says_what_to_do) {
        static const char *const codes[][2] = {
                        {"provider-unreachable", "check URL=, Proxy= and TimeoutSec= in /"},
                        {"provider-tls", "jitctl provider test rt chg1"},
                        {"provider-login", "LoadCredential="},
                        {"provider-limit", "RatePerSec="},
                        {"provider-answer", "jitctl provider test rt chg1"},
                        {"ticket-unknown", "Ticket="},
                        {"ticket-invalid", "jitctl provider test rt chg1"},
        };

        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                _cleanup_free_ char *answer = NULL;

                CHECK(asprintf(&answer,
                               "{\"parameters\":{\"verdict\":{\"decision\":\"refuse\",\"reason\":\"%s\",\"message\":"
                               "\"m\",\"ticket\":\"chg1\"},\"inputs\":{\"provider\":\"rt\",\"detail\":\"it says so\"}"
                               "}}",
                               codes[i][0]) > 0);
                check_one("explain", "chg1", NULL, answer, 1,
                          (const char *const[]){"Means ", codes[i][1], "Detail  it says so\n", "Provider  rt\n", NULL});
        }
        check_one("explain", "chg1", NULL,
                  "{\"parameters\":{\"verdict\":{\"decision\":\"allow\",\"reason\":\"approved\"},\"inputs\":{\"role\":"
                  "null,\"approval\":4,\"policy\":[],\"host\":7,\"policies\":[1]}}}",
                  0, (const char *const[]){"Decision  allow (approved)\n", "no such role", NULL});
}

TEST(status_has_a_row_for_each_system) {
        const char *const answers[] = {"{\"parameters\":{\"version\":\"1\",\"grants\":0,\"uidNext\":1,\"approver\":"
                                       "\"connected\",\"audit\":\"ok\",\"configuration\":\"ok\"}}",
                                       "{\"parameters\":{\"providers\":[{\"name\":\"signed\"},{\"name\":\"rt\","
                                       "\"state\":\"open since noon\"},{\"name\":\"opa\",\"error\":\"line "
                                       "3\"}],\"comments_waiting\":2}}",
                                       NULL},
                          *const denied[] = {answers[0], ERROR(VARLINK_ERROR_PERMISSION_DENIED, "{}"), NULL};
        char *args[] = {NULL};

        check_all("status", false, args, NULL, answers, 0,
                  (const char *const[]){"Provider rt  open since noon\n", "Provider opa  line 3\n",
                                        "Comments  2 wait to be", NULL});
        check_all("status", false, args, NULL, denied, 0, (const char *const[]){"jit-approverd  connected\n", NULL});
}

/* execv(3) takes this process away: in a child. */
static int run_policy_test(const char *policy, bool json, char *output, size_t size) {
        char *args[] = {(char *) "cases", NULL};
        int ends[2], status = -1;
        FILE *f;
        pid_t pid;

        CHECK_EQ_INT(pipe(ends), 0);
        (void) fflush(stdout);
        pid = fork();
        if (pid == 0) {
                const Ctl ctl = {.json = json, .root = folder};

                (void) dup2(ends[1], 1);
                (void) dup2(ends[1], 2);
                _exit(verbs_policy[0].run(&ctl, args, &policy));
        }
        (void) close(ends[1]);
        f = fdopen(ends[0], "r");
        output[fread(output, 1, size - 1, f)] = 0;
        (void) fclose(f);
        (void) waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(policies_are_tested_by_the_daemons_program) {
        char program[256], output[1024];
        char *slash;
        FILE *f;

        CHECK_EQ_INT(run_policy_test(NULL, false, output, sizeof(output)), 1);
        CHECK(strstr(output, "cannot run") && strstr(output, "installed whole"));
        CHECK_EQ_INT(run_policy_test(NULL, true, output, sizeof(output)), 2);
        (void) snprintf(program, sizeof(program), "%s%s", folder, JIT_VENDOR "/jit-approverd");
        for (slash = program + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = 0;
                (void) mkdir(program, 0755);
                *slash = '/';
        }
        f = fopen(program, "we");
        CHECK(f);
        if (!f)
                return;
        fputs("#!/bin/sh\necho \"$@.\"\nexit 7\n", f);
        (void) fchmod(fileno(f), 0755);
        (void) fclose(f);
        CHECK_EQ_INT(run_policy_test(NULL, false, output, sizeof(output)), 7);
        CHECK_STREQ(output, "--policy-test cases.\n");
        CHECK_EQ_INT(run_policy_test("p.jq", false, output, sizeof(output)), 7);
        CHECK_STREQ(output, "--policy-test cases --policy p.jq.\n");
        (void) unlink(program);
        while ((slash = strrchr(program, '/')) && slash > program + strlen(folder)) {
                *slash = 0;
                (void) rmdir(program);
        }
}

TEST(teardown) {
        remove_folder();
}

TEST_MAIN
