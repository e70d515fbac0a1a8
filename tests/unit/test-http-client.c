/* SPDX-License-Identifier: Apache-2.0 */

#include "test-http.h"

static TestServer server;

static json_t *echo_of(Heard *h) {
        CHECK_EQ_INT(h->answer.result, PROVIDER_OK);
        CHECK_EQ_INT(h->answer.status, 200);
        return json_loads(h->body ?: "", 0, NULL);
}

static const char *header_of(json_t *echo, const char *name) {
        return json_string_value(json_object_get(json_object_get(echo, "headers"), name));
}

TEST(asks) {
        char *headers[] = {(char *) "X-Jit: one", NULL};
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of(url_of(&server, "/echo?a=b%20c"));
        _cleanup_json_ json_t *echo = NULL;
        Heard h;

        r.headers = headers;
        ask(s, &r, &h);
        echo = echo_of(&h);
        CHECK_STREQ(json_string_value(json_object_get(echo, "target")), "/echo?a=b%20c");
        CHECK_STREQ(header_of(echo, "x-jit"), "one");
        CHECK_STREQ(header_of(echo, "user-agent"), "pam_jit/" JIT_VERSION);
        CHECK(!header_of(echo, "accept-encoding"));
        CHECK(!header_of(echo, "cookie"));
        CHECK_STREQ(h.type, "application/json");
        CHECK_EQ_INT(h.answer.attempts, 1);
        CHECK(h.answer.sent);
        CHECK(!h.answer.why);
        heard_clear(&h);
        http_server_free(s);
}

TEST(methods_and_bodies) {
        static const char *const methods[] = {"POST", "PUT", "PATCH", "GET"};
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);

        /* The same easy handle serves them one after the other: nothing of the last may stay. */
        for (size_t i = 0; i < 2 * ELEMENTSOF(methods); i++) {
                const char *method = methods[i % ELEMENTSOF(methods)];
                bool has_body = !streq(method, "GET");
                HttpRequest r = get_of(url_of(&server, "/echo"));
                _cleanup_json_ json_t *echo = NULL;
                Heard h;

                r.method = method;
                if (has_body) {
                        r.body = "{\"a\":1}";
                        r.body_length = 7;
                }
                ask(s, &r, &h);
                echo = echo_of(&h);
                CHECK_STREQ(json_string_value(json_object_get(echo, "method")), method);
                CHECK_STREQ(json_string_value(json_object_get(echo, "body")), has_body ? "{\"a\":1}" : "");
                if (has_body)
                        CHECK_STREQ(header_of(echo, "content-type"), "application/json");
                else
                        CHECK(!header_of(echo, "content-type"));
                heard_clear(&h);
        }
        CHECK_EQ_INT(stat_of(&server, "connections"), 1);
        http_server_free(s);
}

TEST(keeps_connections) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);

        for (unsigned i = 0; i < 50; i++) {
                HttpRequest r = get_of(url_of(&server, "/echo"));
                Heard h;

                ask(s, &r, &h);
                CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
                heard_clear(&h);
        }
        CHECK_EQ_INT(stat_of(&server, "requests"), 50);
        CHECK_EQ_INT(stat_of(&server, "connections"), 1);
        http_server_free(s);
}

/* The server closes what was kept: asked again by itself, for a question does no harm. */
TEST(a_kept_connection_ends) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of(url_of(&server, "/echo"));
        Heard h;

        ask(s, &r, &h);
        heard_clear(&h);
        tell(&server, "POST", "/close", "");
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
        heard_clear(&h);
        http_server_free(s);
}

TEST(a_thousand_in_flight) {
        enum { N = 1000 };
        HttpServerSettings settings = settings_default();
        Heard *all = calloc(N, sizeof(*all));
        HttpServer *s;
        unsigned good = 0;

        settings.queue_max = N;
        s = server_of(&settings);
        for (unsigned i = 0; i < N; i++) {
                HttpRequest r = get_of(url_of(&server, "/echo"));

                ask_start(s, &r, &all[i]);
        }
        for (unsigned i = 0; i < N; i++) {
                CHECK(run_until(&all[i].done));
                good += all[i].answer.result == PROVIDER_OK && all[i].answer.status == 200;
                heard_clear(&all[i]);
        }
        CHECK_EQ_INT(good, N);
        CHECK(stat_of(&server, "connections") <= 8);
        CHECK(stat_of(&server, "in_flight_max") <= 8);
        free(all);
        http_server_free(s);
}

typedef struct Hostile {
        const char *path;
        ProviderResult result;
        unsigned status;
        uint64_t deadline_usec; /* 0: ends by itself */
} Hostile;

TEST(hostile_servers) {
        static const Hostile table[] = {
                        {"never", PROVIDER_UNREACHABLE, 0, 700 * USEC_PER_MSEC},
                        {"slow", PROVIDER_UNREACHABLE, 0, 1500 * USEC_PER_MSEC},
                        {"huge", PROVIDER_ANSWER, 0, 0},
                        {"huge-chunked", PROVIDER_ANSWER, 0, 0},
                        {"gzip-bomb", PROVIDER_OK, 200, 0}, /* as it came: no JSON */
                        {"truncated", PROVIDER_OK, 200, 0},
                        {"cut", PROVIDER_UNREACHABLE, 0, 0},
                        {"reset", PROVIDER_UNREACHABLE, 0, 0},
                        {"drop", PROVIDER_UNREACHABLE, 0, 0},
                        {"headers-endless", PROVIDER_ANSWER, 0, 0},
                        {"header-long", PROVIDER_ANSWER, 0, 0},
                        {"garbage", PROVIDER_ANSWER, 0, 0},
                        {"redirect-metadata", PROVIDER_ANSWER, 302, 0},
                        {"redirect-plain", PROVIDER_ANSWER, 302, 0},
                        {"redirect-port", PROVIDER_ANSWER, 302, 0},
                        {"redirect-nowhere", PROVIDER_ANSWER, 302, 0},
                        {"redirect-loop", PROVIDER_ANSWER, 302, 0},
                        {"401", PROVIDER_LOGIN, 401, 0},
                        {"403", PROVIDER_LOGIN, 403, 0},
                        {"404", PROVIDER_OK, 404, 0},
                        {"400", PROVIDER_OK, 400, 0},
                        {"429", PROVIDER_LIMIT, 429, 0},
                        {"500", PROVIDER_UNREACHABLE, 500, 0},
                        {"503?after=1000", PROVIDER_UNREACHABLE, 503, 0},
                        {"html", PROVIDER_OK, 200, 0},
                        {"empty", PROVIDER_OK, 200, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                HttpServerSettings settings = settings_default();
                HttpServer *s = server_of(&settings);
                HttpRequest r;
                char path[64];
                Heard h;

                (void) snprintf(path, sizeof(path), "/hostile/%s", table[i].path);
                r = get_of(url_of(&server, path));
                if (table[i].deadline_usec)
                        r.deadline_usec = now_usec(CLOCK_BOOTTIME) + table[i].deadline_usec;
                ask(s, &r, &h);
                if (h.answer.result != table[i].result || h.answer.status != table[i].status)
                        TEST_FAIL("%s: result %d, status %u (%s)", path, (int) h.answer.result, h.answer.status, h.why);
                if (table[i].deadline_usec)
                        CHECK(h.answer.took_usec >= table[i].deadline_usec &&
                              h.answer.took_usec < table[i].deadline_usec + 5 * USEC_PER_SEC);
                CHECK((h.answer.result == PROVIDER_OK) == (h.why[0] == '\0'));
                CHECK(h.answer.length <= HTTP_ANSWER_MAX);
                heard_clear(&h);
                http_server_free(s);
        }
}

/* A server that never answers takes nothing from another. */
TEST(others_go_on) {
        HttpServerSettings settings = settings_default();
        HttpServer *bad, *good;
        Heard stuck[16], h;

        settings.connections_max = 2;
        bad = server_of(&settings);
        good = server_of(&settings);
        for (size_t i = 0; i < ELEMENTSOF(stuck); i++) {
                HttpRequest r = get_of(url_of(&server, "/hostile/never"));

                ask_start(bad, &r, &stuck[i]);
        }
        for (unsigned i = 0; i < 10; i++) {
                HttpRequest r = get_of(url_of(&server, "/echo"));

                ask(good, &r, &h);
                CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
                CHECK(h.answer.took_usec < 10 * USEC_PER_SEC);
                heard_clear(&h);
        }
        http_server_free(bad);
        for (size_t i = 0; i < ELEMENTSOF(stuck); i++) {
                CHECK(stuck[i].done);
                CHECK_EQ_INT(stuck[i].answer.result, PROVIDER_CANCELED);
                heard_clear(&stuck[i]);
        }
        http_server_free(good);
}

TEST(answer_limit) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of(url_of(&server, "/sized"));
        Heard h;

        tell(&server, "POST", "/routes", "{\"routes\":[{\"path\":\"/sized\",\"text\":\"0123456789\"}]}");
        r.answer_max = 10;
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
        CHECK_STREQ(h.body, "0123456789");
        heard_clear(&h);
        r.answer_max = 9;
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_ANSWER);
        CHECK_EQ_INT(h.answer.length <= 9, true);
        heard_clear(&h);
        http_server_free(s);
}

TEST(redirects_within_the_origin) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of(url_of(&server, "/hostile/redirect-same"));
        Heard h;

        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
        CHECK(h.body && strstr(h.body, "/echo?from=redirect"));
        CHECK_EQ_INT(h.answer.attempts, 1);
        heard_clear(&h);

        r.method = "POST"; /* whether it was handled is not known */
        r.body = "{}";
        r.body_length = 2;
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_ANSWER);
        heard_clear(&h);
        CHECK_EQ_INT(stat_of(&server, "requests"), 3);

        r = get_of(url_of(&server, "/hostile/redirect-loop"));
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_ANSWER);
        heard_clear(&h);
        CHECK_EQ_INT(stat_of(&server, "requests"), 3 + 1 + HTTP_REDIRECTS_MAX);
        http_server_free(s);
}

TEST(refuses_what_may_not_be_sent) {
        static const char *const urls[] = {"http://localhost:1/",
                                           "ftp://localhost/",
                                           "https://user:pw@localhost/",
                                           "file:///etc/passwd",
                                           "https://localhost/a b",
                                           "https://localhost/\r\nX: y",
                                           "localhost/",
                                           ""};
        char *split[] = {(char *) "X-One: 1\r\nX-Two: 2", NULL};
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r;
        Heard h;

        for (size_t i = 0; i < ELEMENTSOF(urls); i++) {
                r = get_of(urls[i]);
                ask(s, &r, &h);
                CHECK_EQ_INT(h.answer.result, PROVIDER_ANSWER);
                CHECK_EQ_INT(h.answer.attempts, 0);
                CHECK(!h.answer.sent);
                heard_clear(&h);
        }
        r = get_of(url_of(&server, "/echo"));
        r.headers = split;
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_ANSWER);
        heard_clear(&h);
        CHECK_EQ_INT(stat_of(&server, "requests"), 0);
        http_server_free(s);
}

TEST(plain_on_loopback_only) {
        char *arguments[] = {(char *) "--plain", NULL};
        HttpServerSettings settings = settings_default();
        TestServer plain;
        HttpServer *s;
        HttpRequest r;
        char url[64];
        Heard h;

        CHECK(test_server_start(&plain, arguments));
        settings.allow_plain = true;
        s = server_of(&settings);
        (void) snprintf(url, sizeof(url), "http://127.0.0.1:%u/echo", plain.port);
        r = get_of(url);
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
        heard_clear(&h);
        r = get_of("http://192.0.2.1/");
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_ANSWER);
        CHECK(!h.answer.sent);
        heard_clear(&h);
        http_server_free(s);
        test_server_stop(&plain);
}

TEST(proxies_are_set_not_found) {
        HttpServerSettings settings = settings_default();
        HttpRequest r = get_of(url_of(&server, "/echo"));
        HttpServer *s;
        Heard h;

        (void) setenv("https_proxy", "http://127.0.0.1:1", 1);
        (void) setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
        (void) setenv("no_proxy", "localhost", 1);
        s = server_of(&settings);
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
        heard_clear(&h);
        http_server_free(s);

        settings.proxy = "http://127.0.0.1:1"; /* nobody there */
        s = server_of(&settings);
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_UNREACHABLE);
        CHECK(!h.answer.sent);
        heard_clear(&h);
        http_server_free(s);
        (void) unsetenv("https_proxy");
        (void) unsetenv("ALL_PROXY");
        (void) unsetenv("no_proxy");
}

/* jit-approverd starts ssh-keygen: no connection may live on in it. */
TEST(sockets_are_close_on_exec) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        HttpRequest r = get_of(url_of(&server, "/echo"));
        unsigned connected = 0;
        Heard h;

        ask(s, &r, &h);
        heard_clear(&h);
        for (int fd = 3; fd < 256; fd++) {
                if (!is_connected_to(fd, server.port))
                        continue;
                connected++;
                CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        }
        CHECK_EQ_INT(connected, 1);
        http_server_free(s);
}

TEST_HTTP_MAIN("http_client")
