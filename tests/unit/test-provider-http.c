/* SPDX-License-Identifier: Apache-2.0 */

#include "test-provider.h"

#include "../../jit-reaperd/approverd/providers/policy-service.h"

#define ONE "[Request ticket]\nURL=@/tickets/{1}\n"
#define LONG_CACHE "CacheSec=1min\nNegativeCacheSec=1min\nRecheckSec=1min"

static const char *resolved(const char *account) {
        static char text[128];
        Reference r;

        if (the_provider()->resolve(the_provider(), account, &r) < 0)
                return "nobody";
        CHECK(r.provider == the_provider());
        (void) snprintf(text, sizeof(text), "%s %s", r.ticket, r.person);
        return text;
}

TEST(names) {
        provider_begin("", ONE, ".answers.ticket");
        CHECK_STREQ(resolved("jit-t-1"), "t-1 ");
        CHECK_STREQ(resolved("jit-t-1-alice"), "t-1 alice");
        CHECK_STREQ(resolved("jit-t-1-de-witt"), "t-1 de-witt");
        CHECK_STREQ(resolved("jit-t-1-2"), "nobody"); /* no person is called so */
        CHECK_STREQ(resolved("jit-t"), "nobody");
        CHECK_STREQ(resolved("jit-u-1"), "nobody");
        CHECK_STREQ(resolved("jit-t-1-"), "nobody");
        providers_end();
}

TEST(persons) {
        Got g;

        (void) mkdir(in_folder("keys.d"), 0755);
        put("keys.d/alice", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJbmfO8xPqHDg1SXmIUWAq0bNnZ0iVQzL4GUpVQYDhMJ alice\n");
        provider_begin("", ONE, ".answers.ticket");
        route("{\"path\":\"/tickets/1\",\"json\":" APPROVAL(
                        "t-1", "\"alice\"") "},"
                                            "{\"path\":\"/tickets/2\",\"json\":" APPROVAL("t-2",
                                                                                          "\"alice\",\"dan\"") "}");
        g = question("jit-t-1");
        CHECK_STREQ(g.person, "alice");
        CHECK_EQ_INT(g.n_keys, 1);
        CHECK_EQ_INT(question("jit-t-1-alice").result, PROVIDER_UNKNOWN); /* a second name of hers */
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_UNKNOWN);
        g = question("jit-t-2-alice");
        CHECK_STREQ(g.person, "alice");
        CHECK_EQ_INT(g.n_keys, 1);
        g = question("jit-t-2-dan");
        CHECK_STREQ(g.person, "dan");
        CHECK_EQ_INT(g.n_keys, 0);
        CHECK_EQ_INT(question("jit-t-2-eve").result, PROVIDER_UNKNOWN);
        providers_end();
}

static Got asked_for(const char *ticket, const char *person) {
        Reference r;
        Got g = {0};

        if (the_provider()->refer(the_provider(), ticket, person, &r) < 0) {
                TEST_FAIL("%s is nobody's", ticket);
                return g;
        }
        r.provider->ask(r.provider, &r, NULL, true, on_got, &g);
        CHECK(run_until(&g.done));
        return g;
}

/* Beside the ticket's name: any of its requesters, of one or several, and nobody else. */
TEST(persons_who_are_told) {
        Reference r;

        provider_begin("", ONE, ".answers.ticket");
        route("{\"path\":\"/tickets/1\",\"json\":" APPROVAL("t-1", "\"alice\"") "},"
              "{\"path\":\"/tickets/2\",\"json\":" APPROVAL("t-2", "\"alice\",\"d.witt_x\"") "}");
        CHECK_STREQ(asked_for("t-1", "alice").person, "alice");
        CHECK_EQ_INT(asked_for("t-1", "alicex").result, PROVIDER_UNKNOWN);
        CHECK_EQ_INT(asked_for("t-1", "ali").result, PROVIDER_UNKNOWN);
        CHECK_STREQ(asked_for("t-2", "alice").person, "alice");
        CHECK_STREQ(asked_for("t-2", "d.witt_x").person, "d.witt_x"); /* no account could be called so */
        CHECK_EQ_INT(asked_for("t-2", "dan").result, PROVIDER_UNKNOWN);
        CHECK_EQ_INT(the_provider()->refer(the_provider(), "t-1-alice", "alice", &r), -ENOENT);
        CHECK_EQ_INT(the_provider()->refer(the_provider(), "u-1", "alice", &r), -ENOENT);
        providers_end();
}

TEST(one_flight) {
        Got g[5];

        provider_begin("", ONE, ".answers.ticket");
        route("{\"path\":\"/tickets/1\",\"json\":" APPROVAL("t-1", "\"alice\",\"dan\"") "}");
        tell(&server, "POST", "/hold", "{\"path\":\"/tickets/1\"}");
        for (size_t i = 0; i < ELEMENTSOF(g); i++)
                question_start(i % 2 ? "jit-t-1-dan" : "jit-t-1-alice", &g[i]);
        while (asked("/tickets/1") == 0)
                run_for(10 * USEC_PER_MSEC);
        CHECK(!g[0].done);
        tell(&server, "POST", "/release", "{\"path\":\"/tickets/1\"}");
        for (size_t i = 0; i < ELEMENTSOF(g); i++) {
                CHECK(run_until(&g[i].done));
                CHECK_EQ_INT(g[i].result, PROVIDER_OK);
                CHECK_STREQ(g[i].person, i % 2 ? "dan" : "alice");
        }
        CHECK_EQ_INT(asked("/tickets/1"), 1);
        CHECK_EQ_INT(question("jit-t-1-dan").result, PROVIDER_OK);
        CHECK_EQ_INT(asked("/tickets/1"), 2);
        providers_end();
}

/* A login that waits for what a recheck asked goes before all other rechecks. */
TEST(urgent_ones_first) {
        char account[32];
        size_t i, at[5] = {0};
        _cleanup_json_ json_t *log = NULL;
        const json_t *entry;
        Reference r;
        Got g[5], login;

        provider_begin("TimeoutSec=30s\n[Server]\nConnectionsMax=1\nCAFile=~/ca.pem", ONE, ".answers.ticket");
        tell(&server, "POST", "/hold", "{\"path\":\"/tickets/1\"}");
        route("{\"path\":\"/tickets/1\",\"status\":404}");
        for (i = 0; i < ELEMENTSOF(g); i++) {
                g[i] = (Got){0};
                (void) snprintf(account, sizeof(account), "jit-t-%zu", i + 1);
                CHECK_EQ_INT(the_provider()->resolve(the_provider(), account, &r), 0);
                r.provider->ask(r.provider, &r, NULL, false, on_got, &g[i]);
        }
        while (asked("/tickets/1") == 0)
                run_for(10 * USEC_PER_MSEC);
        question_start("jit-t-5", &login);
        tell(&server, "POST", "/release", "{\"path\":\"/tickets/1\"}");
        for (i = 0; i < ELEMENTSOF(g); i++)
                CHECK(run_until(&g[i].done));
        CHECK(login.done);
        log = control(&server, "GET", "/log", "");
        CHECK_EQ_INT(json_array_size(log), 5);
        json_array_foreach (log, i, entry) {
                const char *path = json_string_value(json_object_get(entry, "path"));
                at[(path[strlen(path) - 1] - '1') % 5] = i;
        }
        CHECK_EQ_INT(at[0], 0);
        CHECK_EQ_INT(at[4], 1);
        providers_end();
}

/* Whoever asks after a change must not get an answer from before it. */
TEST(no_joining_after_a_change) {
        Got before, after;

        provider_begin(LONG_CACHE, ONE, ".answers.ticket");
        route("{\"path\":\"/tickets/1\",\"json\":" APPROVAL("t-1", "\"alice\"") "}");
        tell(&server, "POST", "/hold", "{\"path\":\"/tickets/1\"}");
        question_start("jit-t-1", &before);
        while (asked("/tickets/1") == 0)
                run_for(10 * USEC_PER_MSEC);
        http_provider_forget(http_provider(the_provider()), "t-1");
        question_start("jit-t-1", &after);
        while (asked("/tickets/1") == 1)
                run_for(10 * USEC_PER_MSEC);
        tell(&server, "POST", "/release", "{\"path\":\"/tickets/1\"}");
        CHECK(run_until(&before.done) && run_until(&after.done));
        CHECK_EQ_INT(after.result, PROVIDER_OK);
        CHECK_EQ_INT(asked("/tickets/1"), 2);
        providers_end();
}

TEST(caches) {
        HttpProvider *h;

        provider_begin(LONG_CACHE, ONE, ".answers.ticket");
        h = http_provider(the_provider());
        route("{\"path\":\"/tickets/1\",\"json\":" APPROVAL(
                        "t-1", "\"alice\"") "},"
                                            "{\"path\":\"/tickets/5\",\"text\":\"nonsense\"}");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_OK);
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_OK);
        CHECK_EQ_INT(asked("/tickets/1"), 1);
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_UNKNOWN);
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_UNKNOWN);
        CHECK_EQ_INT(asked("/tickets/2"), 1);
        CHECK_EQ_INT(question("jit-t-5").result, PROVIDER_ANSWER); /* no answer is not kept */
        CHECK_EQ_INT(question("jit-t-5").result, PROVIDER_ANSWER);
        CHECK_EQ_INT(asked("/tickets/5"), 2);
        http_provider_forget(h, "t-1");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_OK);
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_UNKNOWN);
        CHECK_EQ_INT(asked("/tickets/1"), 2);
        CHECK_EQ_INT(asked("/tickets/2"), 1);
        http_provider_forget(h, "*");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_OK);
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_UNKNOWN);
        CHECK_EQ_INT(asked("/tickets/1"), 3);
        CHECK_EQ_INT(asked("/tickets/2"), 2);
        providers_end();
}

/* A system that hangs makes a login wait once, not for each time that its name is looked up. */
TEST(no_answer_counts_for_a_moment) {
        uint64_t start;

        provider_begin("TimeoutSec=1s", "[Request ticket]\nURL=@/hostile/never\n", ".answers.ticket");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_UNREACHABLE);
        start = now_usec(CLOCK_BOOTTIME);
        for (int i = 0; i < 10; i++)
                CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_UNREACHABLE);
        CHECK(now_usec(CLOCK_BOOTTIME) - start < 3 * USEC_PER_SEC);
        start = now_usec(CLOCK_BOOTTIME);
        http_provider_forget(http_provider(the_provider()), "t-1");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_UNREACHABLE);
        CHECK(now_usec(CLOCK_BOOTTIME) - start > 900 * USEC_PER_MSEC);
        providers_end();
}

/* What live grants are asked for leaves room for logins. */
TEST(too_many) {
        char text[32];
        Got g[10];

        provider_begin("CacheSec=0\n[Server]\nQueueMax=4\nCAFile=~/ca.pem", ONE, ".answers.ticket");
        tell(&server, "POST", "/hold", "{\"path\":\"/tickets/1\"}");
        for (int i = 0; i < 10; i++) {
                Reference r;

                (void) snprintf(text, sizeof(text), "jit-t-%d", i + 1);
                g[i] = (Got){0};
                CHECK_EQ_INT(the_provider()->resolve(the_provider(), text, &r), 0);
                r.provider->ask(r.provider, &r, NULL, i >= 5, on_got, &g[i]);
        }
        CHECK(g[4].done && !g[5].done && !g[8].done && g[9].done);
        CHECK_EQ_INT(g[4].result, PROVIDER_LIMIT);
        CHECK_EQ_INT(g[9].result, PROVIDER_LIMIT);
        tell(&server, "POST", "/release", "{\"path\":\"/tickets/1\"}");
        for (int i = 0; i < 10; i++)
                CHECK(run_until(&g[i].done));
        CHECK_EQ_INT(g[0].result, PROVIDER_UNKNOWN);
        CHECK_EQ_INT(g[8].result, PROVIDER_UNKNOWN);
        providers_end();
}

/* Their first answers are as long as they may be, their second ones never come. */
TEST(long_answers_that_wait) {
        enum { N = 40 };
        unsigned limited = 0, silent = 0;
        static char json[1000 * 1000 + 256];
        Got g[N];

        provider_begin("CacheSec=0\nTimeoutSec=15s", "[Request a]\nURL=@/a/{1}\n[Request b]\nURL=@/b/{1}\n",
                       ".answers.ticket");
        (void) snprintf(json, sizeof(json),
                        "{\"routes\":[{\"path_re\":\"/a/.*\",\"json\":{\"x\":\"%0*d\"}},{\"path_re\":\"/b/.*\","
                        "\"delay\":30}]}",
                        1000 * 1000, 0);
        tell(&server, "POST", "/routes", json);
        for (int i = 0; i < N; i++) {
                char text[32];

                (void) snprintf(text, sizeof(text), "jit-t-%d", i + 1);
                question_start(text, &g[i]);
        }
        for (int i = 0; i < N; i++) {
                CHECK(run_until(&g[i].done));
                limited += g[i].result == PROVIDER_LIMIT;
                silent += g[i].result == PROVIDER_UNREACHABLE;
        }
        CHECK_EQ_INT(limited + silent, N);
        CHECK(silent <= 25); /* that were held: QUESTIONS_HELD_MAX; 15 s are for 40 MB through a slow valgrind */
        providers_end();
}

/* A provider that is loaded anew answers what it was asked. */
TEST(canceled) {
        Got g;

        provider_begin("", ONE, ".answers.ticket");
        tell(&server, "POST", "/hold", "{\"path\":\"/tickets/1\"}");
        question_start("jit-t-1", &g);
        while (asked("/tickets/1") == 0)
                run_for(10 * USEC_PER_MSEC);
        provider_set_reload(approver.providers, true);
        CHECK(g.done);
        CHECK_EQ_INT(g.result, PROVIDER_CANCELED);
        tell(&server, "POST", "/release", "{\"path\":\"/tickets/1\"}");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_UNKNOWN);
        providers_end();
}

/* ---- [Create] ---- */

typedef struct Created {
        bool done;
        ProviderResult result;
        char ticket[64], why[512];
} Created;

static void on_created(ProviderResult result, const char *ticket, const char *why, void *userdata) {
        Created *c = userdata;

        c->result = result;
        (void) snprintf(c->ticket, sizeof(c->ticket), "%s", ticket ?: "");
        (void) snprintf(c->why, sizeof(c->why), "%s", why ?: "");
        c->done = true;
}

static Created create(void) {
        _cleanup_json_ json_t *object = json_pack("{s:s}", "title", "disk");
        Created c = {0};

        CHECK_EQ_INT(http_provider_create(http_provider(the_provider()), object, "alice", on_created, &c), 0);
        CHECK(!c.done);
        CHECK(run_until(&c.done));
        return c;
}

TEST(creates) {
        _cleanup_json_ json_t *object = json_object(), *entry = NULL;
        Created c;

        put_program("new.jq", "{title: .new.title, who: .person, on: .host.names[0]}");
        provider_begin("", ONE "[Create]\nMethod=POST\nURL=@/new\nBody=new.jq\nTicket=\"T-\" + (.id | tostring)\n",
                       ".answers.ticket");
        route("{\"method\":\"POST\",\"path\":\"/new\",\"status\":201,\"json\":{\"id\":77}}");
        c = create();
        CHECK_EQ_INT(c.result, PROVIDER_OK);
        CHECK_STREQ(c.ticket, "t-77");
        entry = logged("/new", 0);
        CHECK_STREQ(json_string_value(json_object_get(entry, "body")),
                    "{\"title\":\"disk\",\"who\":\"alice\",\"on\":\"db1\"}");
        route("{\"method\":\"POST\",\"path\":\"/new\",\"json\":{\"id\":\"x y\"}}");
        CHECK_EQ_INT(create().result, PROVIDER_ANSWER);
        route("{\"method\":\"POST\",\"path\":\"/new\",\"status\":403,\"json\":{}}");
        CHECK_EQ_INT(create().result, PROVIDER_LOGIN);
        providers_end();
        provider_begin("", ONE, ".answers.ticket");
        CHECK_EQ_INT(http_provider_create(http_provider(the_provider()), object, "alice", on_created, &c), -EOPNOTSUPP);
        providers_end();
}

/* ---- Kind=policy ---- */

typedef struct Policed {
        bool done, allow;
        ProviderResult error;
        char reason[64], why[512];
} Policed;

static void on_policed(ProviderResult error, const PolicyResult *result, const char *why, void *userdata) {
        Policed *p = userdata;

        p->error = error;
        p->allow = error == PROVIDER_OK && result->allow;
        (void) snprintf(p->reason, sizeof(p->reason), "%s", error == PROVIDER_OK ? result->reasons[0] : "");
        (void) snprintf(p->why, sizeof(p->why), "%s", why ?: "");
        p->done = true;
}

static Policed police(void) {
        _cleanup_json_ json_t *input = json_pack("{s:{s:s}}", "request", "account", "jit-t-1");
        PolicyService *const *services;
        Policed p = {0};
        size_t n;

        services = provider_set_policies(approver.providers, &n);
        CHECK_EQ_INT(n, 1);
        CHECK_STREQ(policy_service_name(services[0]), "p");
        CHECK_EQ_INT(policy_service_ask(services[0], input, on_policed, &p), 0);
        CHECK(run_until(&p.done));
        return p;
}

TEST(policy) {
        _cleanup_json_ json_t *entry = NULL;
        Policed p;

        put_program("p-body.jq", "{input: .input}");
        put_program("p.jq", ".answers.ask.result");
        put_program("p.conf", "[Provider]\nKind=policy\nTimeoutSec=2s\n" SERVER_PART
                              "[Request ask]\nMethod=POST\nSafe=yes\nURL=@/opa\nBody=p-body.jq\n");
        provider_begin("", ONE, ".answers.ticket");
        route("{\"method\":\"POST\",\"path\":\"/opa\",\"json\":{\"result\":{\"allow\":true}}}");
        p = police();
        CHECK(p.allow);
        CHECK_STREQ(p.why, "");
        entry = logged("/opa", 0);
        CHECK_STREQ(json_string_value(json_object_get(entry, "body")),
                    "{\"input\":{\"request\":{\"account\":\"jit-t-1\"}}}");
        route("{\"method\":\"POST\",\"path\":\"/"
              "opa\",\"json\":{\"result\":{\"allow\":false,\"reasons\":[\"freeze\"]}}}");
        p = police();
        CHECK(p.error == PROVIDER_OK && !p.allow);
        CHECK_STREQ(p.reason, "freeze");
        route("{\"method\":\"POST\",\"path\":\"/opa\",\"json\":{}}");
        CHECK_EQ_INT(police().error, PROVIDER_ANSWER);
        route("{\"method\":\"POST\",\"path\":\"/opa\",\"json\":{\"result\":{\"allow\":\"yes\"}}}");
        CHECK_EQ_INT(police().error, PROVIDER_ANSWER);
        route("{\"method\":\"POST\",\"path\":\"/opa\",\"status\":404,\"json\":{}}");
        CHECK_EQ_INT(police().error, PROVIDER_ANSWER);
        route("{\"method\":\"POST\",\"path\":\"/opa\",\"status\":500,\"json\":{}}");
        CHECK_EQ_INT(police().error, PROVIDER_UNREACHABLE);
        providers_end();
}

/* ---- many ---- */

/* Loaded anew again and again while questions are at every stage: each is answered once. */
TEST(loaded_anew_under_load) {
        enum { N = 40, ROUNDS = 40 };
        Got *g = calloc(N, sizeof(*g));
        size_t results[PROVIDER_CANCELED + 1] = {0};
        char text[32];

        put("secret", "s3cret\n");
        (void) setenv("CREDENTIALS_DIRECTORY", test_folder, 1);
        provider_begin("CacheSec=0\nNegativeCacheSec=0",
                       "[Login]\nKind=oauth2\nCredential=secret\nTokenURL=@/oauth/token\nClientId=jit\n" ONE
                       "Value=many .many\n[Request more]\nURL=@/more/{many}\nForEach=many\n"
                       "[Stream]\nKind=sse\nURL=@/events\nTicket=.\n",
                       ".ticket as $t | .answers.ticket.approval * {ticket: $t}");
        route("{\"path_re\":\"/tickets/[0-9]*5\",\"status\":404,\"json\":{}},"
              "{\"path_re\":\"/tickets/.*\",\"json\":{\"many\":[1,2,3],\"approval\":" APPROVAL(
                              "t-1", "\"alice\"") "}},{\"path_re\":\"/more/.*\",\"json\":[]}");
        for (uint64_t round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < N; i++) {
                        (void) snprintf(text, sizeof(text), "jit-t-%d", i / 2);
                        question_start(text, &g[i]);
                }
                run_for(round % 8 * 8 * USEC_PER_MSEC);
                provider_set_reload(approver.providers, true);
                for (int i = 0; i < N; i++) {
                        CHECK(g[i].done);
                        results[g[i].result]++;
                }
        }
        CHECK_EQ_INT(results[PROVIDER_OK] + results[PROVIDER_UNKNOWN] + results[PROVIDER_CANCELED], N * ROUNDS);
        CHECK(results[PROVIDER_CANCELED] > 0);
        free(g);
        providers_end();
}

TEST(a_thousand_tickets) {
        enum { N = 1000 };
        Got *g = calloc(N, sizeof(*g));
        clock_t start;
        char text[32];

        provider_begin("CacheSec=0\nTimeoutSec=30s\n[Server]\nQueueMax=2000\nCAFile=~/ca.pem", ONE,
                       ".ticket as $t | .answers.ticket * {ticket: $t}");
        route("{\"path_re\":\"/tickets/.*\",\"json\":" APPROVAL("t-1", "\"alice\"") "}");
        for (int round = 0; round < 3; round++) {
                start = clock();
                for (int i = 0; i < N; i++) {
                        (void) snprintf(text, sizeof(text), "jit-t-%d", i + 1);
                        question_start(text, &g[i]);
                }
                for (int i = 0; i < N; i++)
                        CHECK(run_until(&g[i].done));
                for (int i = 0; i < N; i++)
                        CHECK_EQ_INT(g[i].result, PROVIDER_OK);
                printf("# %d tickets: %.0f us of processor time each\n", N,
                       (double) (clock() - start) / CLOCKS_PER_SEC * 1e6 / N);
        }
        free(g);
        providers_end();
}

TEST_HTTP_MAIN("provider-http")
