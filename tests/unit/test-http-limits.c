/* SPDX-License-Identifier: Apache-2.0 */

/* Retries, breaker, rate, queue: what our client spares a server. */

#include "http-limit.h"
#include "test-http.h"

static TestServer server;

TEST(bucket) {
        HttpBucket b = bucket_make(10, 2, 1000);

        CHECK_EQ_INT(bucket_wait(&b, 1000), 0);
        bucket_take(&b);
        CHECK_EQ_INT(bucket_wait(&b, 1000), 0);
        bucket_take(&b);
        CHECK_EQ_INT(bucket_wait(&b, 1000), 100001);
        CHECK_EQ_INT(bucket_wait(&b, 51000), 50001);
        CHECK_EQ_INT(bucket_wait(&b, 101000), 0);
        bucket_take(&b);
        CHECK(bucket_wait(&b, 101000) > 0);
        CHECK(bucket_wait(&b, 500) > 0);                  /* a clock that went back brings nothing */
        CHECK_EQ_INT(bucket_wait(&b, UINT64_MAX / 2), 0); /* never more than the burst */
        bucket_take(&b);
        CHECK_EQ_INT(bucket_wait(&b, UINT64_MAX / 2), 0);
        bucket_take(&b);
        CHECK(bucket_wait(&b, UINT64_MAX / 2) > 0);
}

TEST(breaker) {
        HttpBreaker b = {0};
        uint64_t now = 1000000, length = BREAKER_OPEN_USEC_MIN;

        for (unsigned i = 0; i < BREAKER_FAILURES_MAX - 1; i++) {
                breaker_failed(&b, false, now);
                CHECK_EQ_INT(breaker_state(&b, now), BREAKER_CLOSED);
        }
        breaker_failed(&b, false, now);
        CHECK_EQ_INT(breaker_state(&b, now), BREAKER_OPEN);
        for (unsigned i = 0; i < 10; i++) { /* each probe that fails: twice as long, to a minute */
                uint64_t until = b.until_usec;

                CHECK(until >= now + length / 2 && until <= now + length * 3 / 2);
                breaker_failed(&b, false, now); /* one that was on its way */
                CHECK_EQ_INT(b.until_usec, until);
                CHECK_EQ_INT(breaker_state(&b, until - 1), BREAKER_OPEN);
                CHECK_EQ_INT(breaker_state(&b, until), BREAKER_HALF_OPEN);
                b.probing = true;
                now = until;
                breaker_failed(&b, true, now);
                CHECK(!b.probing);
                length = length * 2 < BREAKER_OPEN_USEC_MAX ? length * 2 : BREAKER_OPEN_USEC_MAX;
        }
        CHECK_EQ_INT(length, BREAKER_OPEN_USEC_MAX);
        breaker_succeeded(&b);
        CHECK_EQ_INT(breaker_state(&b, now), BREAKER_CLOSED);
        for (unsigned i = 0; i < BREAKER_FAILURES_MAX - 1; i++)
                breaker_failed(&b, false, now);
        CHECK_EQ_INT(breaker_state(&b, now), BREAKER_CLOSED);
}

/* ---- retries, counted by the server ---- */

static void expect(HttpServer *s, HttpRequest r, ProviderResult result, unsigned attempts, long requests) {
        Heard h;

        tell(&server, "DELETE", "/log", "");
        ask(s, &r, &h);
        if (h.answer.result != result || h.answer.attempts != attempts)
                TEST_FAIL("%s: result %d after %u attempts (%s)", r.url, (int) h.answer.result, h.answer.attempts,
                          h.why);
        CHECK_EQ_INT(stat_of(&server, "requests"), requests);
        heard_clear(&h);
}

TEST(retries) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of(url_of(&server, "/flaky"));

        tell(&server, "POST", "/routes",
             "{\"routes\":[{\"path\":\"/flaky\",\"status\":500,\"uses\":2},{\"path\":\"/flaky\",\"json\":{\"a\":1}}]}");
        expect(s, r, PROVIDER_OK, 3, 3);
        expect(s, r, PROVIDER_OK, 1, 1);
        /* Always broken: three times, no more. */
        expect(s, get_of(url_of(&server, "/hostile/500")), PROVIDER_UNREACHABLE, 3, 3);
        expect(s, get_of(url_of(&server, "/flaky")), PROVIDER_OK, 1, 1);
        http_server_free(s);
        /* No answer at all. On a kept connection libcurl would ask once more by itself: here there is none. */
        s = server_of(&settings);
        expect(s, get_of(url_of(&server, "/hostile/drop")), PROVIDER_UNREACHABLE, 3, 3);
        http_server_free(s);
}

TEST(no_retry_where_it_may_have_been_handled) {
        static const char *const paths[] = {"/hostile/500", "/hostile/drop", "/hostile/reset", "/hostile/cut"};
        HttpServerSettings settings = settings_default();

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                HttpServer *s = server_of(&settings);
                HttpRequest ok = get_of(url_of(&server, "/echo")), r = get_of(url_of(&server, paths[i]));

                expect(s, ok, PROVIDER_OK, 1, 1); /* a kept connection, on which libcurl would repeat by itself */
                r.method = "POST";
                r.body = "{}";
                r.body_length = 2;
                r.safe = false;
                expect(s, r, PROVIDER_UNREACHABLE, 1, 1);
                http_server_free(s);
        }
}

TEST(a_comment_is_not_sent_twice_on_a_dead_connection) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of(url_of(&server, "/hostile/never"));
        Heard h;

        expect(s, get_of(url_of(&server, "/echo")), PROVIDER_OK, 1, 1);
        r.method = "POST";
        r.safe = false;
        tell(&server, "DELETE", "/log", "");
        ask_start(s, &r, &h);
        for (unsigned i = 0; i < 300 && stat_of(&server, "requests") == 0; i++)
                run_for(50 * USEC_PER_MSEC);
        tell(&server, "POST", "/close", ""); /* it was read, and then there is no answer */
        CHECK(run_until(&h.done));
        CHECK_EQ_INT(h.answer.result, PROVIDER_UNREACHABLE);
        CHECK(h.answer.sent);
        CHECK_EQ_INT(stat_of(&server, "requests"), 1);
        heard_clear(&h);
        http_server_free(s);
}

TEST(unsent_is_tried_again) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of("https://127.0.0.1:1/"); /* nobody listens */

        r.method = "POST";
        r.safe = false;
        expect(s, r, PROVIDER_UNREACHABLE, 3, 0);
        http_server_free(s);
}

TEST(retry_after) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of(url_of(&server, "/busy"));
        Heard h;

        tell(&server, "POST", "/routes",
             "{\"routes\":[{\"path\":\"/"
             "busy\",\"method\":\"POST\",\"status\":429,\"headers\":{\"Retry-After\":\"1\"},\"uses\":1},"
             "{\"path\":\"/busy\",\"method\":\"POST\",\"json\":{}}]}");
        r.method = "POST";
        r.safe = false; /* it says that it was not handled */
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
        CHECK_EQ_INT(h.answer.attempts, 2);
        CHECK(h.answer.took_usec >= USEC_PER_SEC);
        heard_clear(&h);

        /* Does not fit into the deadline: said at once. */
        r = get_of(url_of(&server, "/hostile/429?after=3600"));
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_LIMIT);
        CHECK_EQ_INT(h.answer.attempts, 1);
        CHECK(h.answer.took_usec < LONG_USEC / 2);
        heard_clear(&h);
        http_server_free(s);
}

/* ---- the breaker ---- */

static void break_it(HttpServer *s) {
        for (unsigned i = 0; i < BREAKER_FAILURES_MAX; i++) {
                HttpRequest r = get_of(url_of(&server, "/hostile/500"));

                CHECK_STREQ(http_server_breaker(s), "closed");
                r.safe = false;
                expect(s, r, PROVIDER_UNREACHABLE, 1, 1);
        }
        CHECK(strncmp(http_server_breaker(s), "open until 20", 13) == 0);
}

static void wait_half_open(HttpServer *s) {
        for (unsigned i = 0; i < 600 && !streq(http_server_breaker(s), "half-open"); i++)
                run_for(50 * USEC_PER_MSEC);
        CHECK_STREQ(http_server_breaker(s), "half-open");
}

TEST(breaker_opens_and_closes) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest bad = get_of(url_of(&server, "/hostile/500")), good = get_of(url_of(&server, "/echo"));
        Heard all[4];

        break_it(s);
        expect(s, good, PROVIDER_UNREACHABLE, 0, 0); /* answered by us */
        wait_half_open(s);
        expect(s, bad, PROVIDER_UNREACHABLE, 1, 1); /* a probe that fails is not repeated */
        CHECK(strncmp(http_server_breaker(s), "open", 4) == 0);
        wait_half_open(s);
        /* One probe, and the others wait for what it brings. */
        tell(&server, "DELETE", "/log", "");
        tell(&server, "POST", "/hold", "{\"path\":\"/echo\"}");
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                ask_start(s, &good, &all[i]);
        for (unsigned i = 0; i < 600 && stat_of(&server, "requests") < 1; i++)
                run_for(20 * USEC_PER_MSEC);
        run_for(200 * USEC_PER_MSEC);
        CHECK_EQ_INT(stat_of(&server, "requests"), 1);
        tell(&server, "POST", "/release", "{\"path\":\"/echo\"}");
        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                CHECK(run_until(&all[i].done));
                CHECK_EQ_INT(all[i].answer.result, PROVIDER_OK);
                heard_clear(&all[i]);
        }
        CHECK_STREQ(http_server_breaker(s), "closed");
        http_server_free(s);
}

TEST(answers_below_500_keep_it_closed) {
        static const char *const paths[] = {"/hostile/404", "/hostile/403", "/hostile/429", "/hostile/html",
                                            "/hostile/redirect-metadata"};
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);

        for (size_t i = 0; i < ELEMENTSOF(paths) * 3; i++) {
                HttpRequest r = get_of(url_of(&server, paths[i % ELEMENTSOF(paths)]));
                Heard h;

                ask(s, &r, &h);
                heard_clear(&h);
        }
        CHECK_STREQ(http_server_breaker(s), "closed");
        http_server_free(s);
}

/* A probe that its owner gives up leaves the place to another. */
TEST(freed_probe) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest never = get_of(url_of(&server, "/hostile/never"));
        Heard h;

        break_it(s);
        wait_half_open(s);
        ask_start(s, &never, &h);
        run_for(100 * USEC_PER_MSEC);
        http_call_free(h.call);
        expect(s, get_of(url_of(&server, "/echo")), PROVIDER_OK, 1, 1);
        http_server_free(s);
}

/* ---- rate and queue ---- */

TEST(rate) {
        HttpServerSettings settings = settings_default();
        HttpRequest r = get_of(url_of(&server, "/echo"));
        HttpServer *s;
        Heard all[6];

        settings.rate_per_sec = 10;
        settings.rate_burst = 2;
        s = server_of(&settings);
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                ask_start(s, &r, &all[i]);
        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                CHECK(run_until(&all[i].done));
                CHECK_EQ_INT(all[i].answer.result, PROVIDER_OK);
                if (i >= 2)
                        CHECK(all[i].answer.took_usec >= (i - 1) * 100 * USEC_PER_MSEC);
                heard_clear(&all[i]);
        }
        http_server_free(s);
}

TEST(rate_and_deadline) {
        HttpServerSettings settings = settings_default();
        HttpRequest r = get_of(url_of(&server, "/echo"));
        HttpServer *s;
        Heard first, second;

        settings.rate_per_sec = settings.rate_burst = 1;
        s = server_of(&settings);
        ask_start(s, &r, &first);
        r.deadline_usec = now_usec(CLOCK_BOOTTIME) + 200 * USEC_PER_MSEC;
        ask(s, &r, &second);
        CHECK_EQ_INT(second.answer.result, PROVIDER_LIMIT);
        CHECK_EQ_INT(second.answer.attempts, 0);
        CHECK(!second.answer.sent);
        heard_clear(&second);
        CHECK(run_until(&first.done));
        heard_clear(&first);
        http_server_free(s);
}

TEST(queue_is_bounded) {
        HttpServerSettings settings = settings_default();
        HttpRequest r = get_of(url_of(&server, "/hostile/never"));
        HttpServer *s;
        Heard held[3], h;

        settings.queue_max = ELEMENTSOF(held);
        settings.connections_max = 1;
        s = server_of(&settings);
        for (size_t i = 0; i < ELEMENTSOF(held); i++)
                ask_start(s, &r, &held[i]);
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_LIMIT);
        CHECK_EQ_INT(h.answer.attempts, 0);
        heard_clear(&h);
        http_call_free(held[0].call); /* there is a place again, and the next one goes out */
        r = get_of(url_of(&server, "/echo"));
        r.urgent = true;
        r.deadline_usec = now_usec(CLOCK_BOOTTIME) + 300 * USEC_PER_MSEC;
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_UNREACHABLE); /* behind the one that hangs */
        CHECK_EQ_INT(h.answer.attempts, 0);
        heard_clear(&h);
        http_call_free(held[1].call);
        http_call_free(held[2].call);
        http_server_free(s);
}

TEST(urgent_first) {
        static const char *const paths[] = {"/echo?n=1", "/echo?n=2", "/echo?n=3", "/echo?n=4"};
        static const size_t order[] = {2, 3, 0, 1};
        HttpServerSettings settings = settings_default();
        HttpRequest r = get_of(url_of(&server, "/hostile/never"));
        _cleanup_json_ json_t *log = NULL;
        HttpServer *s;
        Heard held, all[4];

        settings.connections_max = 1;
        s = server_of(&settings);
        ask_start(s, &r, &held);
        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                r = get_of(url_of(&server, paths[i]));
                r.urgent = i == 2;
                ask_start(s, &r, &all[i]);
        }
        http_call_urgent(all[3].call); /* later than it was asked */
        http_call_urgent(held.call);   /* is on its way: nothing happens */
        http_call_free(held.call);
        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                CHECK(run_until(&all[i].done));
                CHECK_EQ_INT(all[i].answer.result, PROVIDER_OK);
                heard_clear(&all[i]);
        }
        log = control(&server, "GET", "/log", "");
        for (size_t i = json_array_size(log) - 4, n = 0; n < 4; i++, n++)
                CHECK_STREQ(json_string_value(json_object_get(json_array_get(log, i), "target")), paths[order[n]]);
        http_server_free(s);
}

TEST_HTTP_MAIN("http_limits")
