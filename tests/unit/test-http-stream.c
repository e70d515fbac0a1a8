/* SPDX-License-Identifier: Apache-2.0 */

/* Answers without an end, and callbacks that free what is at work. */

#include "test-http.h"

static TestServer server;

typedef struct Stream {
        Heard heard;
        char text[4096];
        size_t length;
        unsigned parts;
        int refuse;             /* what part answers */
        bool free_call, wanted; /* wanted: `want` has come */
        HttpServer *free_server;
        const char *want;
} Stream;

static int on_part(const char *data, size_t length, void *userdata) {
        Stream *s = userdata;

        s->parts++;
        if (length < sizeof(s->text) - s->length) {
                memcpy(s->text + s->length, data, length);
                s->length += length;
                s->text[s->length] = '\0';
        }
        s->wanted = s->want && strstr(s->text, s->want);
        if (s->free_call && s->wanted)
                s->heard.call = http_call_free(s->heard.call);
        if (s->free_server && s->wanted)
                s->free_server = http_server_free(s->free_server);
        return s->refuse;
}

static void stream_start(HttpServer *s, const char *path, uint64_t idle_usec, Stream *ret) {
        HttpRequest r = get_of(url_of(&server, path));

        CHECK_EQ_INT(http_stream_start(s, &r, idle_usec, on_part, on_heard, ret, &ret->heard.call), 0);
}

static void push(const char *text) {
        char body[128];

        for (unsigned i = 0; i < 600 && stat_of(&server, "streams") == 0; i++)
                run_for(20 * USEC_PER_MSEC);
        (void) snprintf(body, sizeof(body), "{\"data\":\"%s\"}", text);
        tell(&server, "POST", "/events", body);
}

TEST(events) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        Stream stream = {.want = "data: one\n"};

        stream_start(s, "/events", LONG_USEC, &stream);
        push("one");
        CHECK(run_until(&stream.wanted));
        stream.want = "data: two\n";
        stream.wanted = false;
        push("two");
        CHECK(run_until(&stream.wanted));
        CHECK(!stream.heard.done);
        tell(&server, "POST", "/end-events", "");
        CHECK(run_until(&stream.heard.done));
        CHECK_EQ_INT(stream.heard.answer.result, PROVIDER_OK);
        CHECK_EQ_INT(stream.heard.answer.status, 200);
        CHECK_STREQ(stream.text, ": hello\n\ndata: one\n\ndata: two\n\n");
        heard_clear(&stream.heard);
        http_server_free(s);
}

/* Streams stay for hours: they take no connection and no place from questions. */
TEST(streams_take_no_place) {
        HttpServerSettings settings = settings_default();
        HttpRequest r = get_of(url_of(&server, "/echo"));
        HttpServer *s;
        Stream streams[3] = {0};
        Heard h;

        settings.connections_max = settings.queue_max = 1;
        s = server_of(&settings);
        for (size_t i = 0; i < ELEMENTSOF(streams); i++)
                stream_start(s, "/events", LONG_USEC, &streams[i]);
        for (unsigned i = 0; i < 600 && stat_of(&server, "streams") < (long) ELEMENTSOF(streams); i++)
                run_for(20 * USEC_PER_MSEC);
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_OK);
        heard_clear(&h);
        http_server_free(s);
        for (size_t i = 0; i < ELEMENTSOF(streams); i++) {
                CHECK(streams[i].heard.done);
                CHECK_EQ_INT(streams[i].heard.answer.result, PROVIDER_CANCELED);
                heard_clear(&streams[i].heard);
        }
}

TEST(silence_ends_it) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        Stream stream = {0};

        stream_start(s, "/events", 700 * USEC_PER_MSEC, &stream);
        run_for(400 * USEC_PER_MSEC);
        push("still here");
        CHECK(run_until(&stream.heard.done));
        CHECK_EQ_INT(stream.heard.answer.result, PROVIDER_UNREACHABLE);
        CHECK(stream.heard.answer.took_usec >= 1000 * USEC_PER_MSEC); /* counted from the last word on */
        CHECK_STREQ(http_server_breaker(s), "closed");
        heard_clear(&stream.heard);
        http_server_free(s);
}

TEST(ended_by_part) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        Stream stream = {.refuse = -EBADMSG};

        stream_start(s, "/events", LONG_USEC, &stream);
        CHECK(run_until(&stream.heard.done));
        CHECK_EQ_INT(stream.heard.answer.result, PROVIDER_CANCELED);
        CHECK_EQ_INT(stream.parts, 1);
        heard_clear(&stream.heard);
        http_server_free(s);
}

TEST(refused_stream) {
        static const char *const paths[] = {"/hostile/401", "/hostile/500", "/hostile/redirect-same", "/hostile/404"};
        static const ProviderResult results[] = {PROVIDER_LOGIN, PROVIDER_UNREACHABLE, PROVIDER_ANSWER, PROVIDER_OK};
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                Stream stream = {0};

                stream_start(s, paths[i], LONG_USEC, &stream);
                CHECK(run_until(&stream.heard.done));
                CHECK_EQ_INT(stream.heard.answer.result, results[i]);
                CHECK_EQ_INT(stream.parts, 0);
                CHECK_EQ_INT(stream.heard.answer.attempts <= 1, true);
                heard_clear(&stream.heard);
        }
        http_server_free(s);
}

/* More than an answer may have, in parts. */
TEST(long_stream) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        Stream stream = {0};

        stream_start(s, "/hostile/huge-chunked", LONG_USEC, &stream);
        CHECK(run_until(&stream.heard.done));
        CHECK_EQ_INT(stream.heard.answer.result, PROVIDER_OK);
        CHECK(stream.parts > 10);
        heard_clear(&stream.heard);
        http_server_free(s);
}

/* A breaker that is half open closes when a stream begins, not when it ends. */
TEST(a_stream_is_a_probe) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        Stream stream = {0};

        while (streq(http_server_breaker(s), "closed")) {
                HttpRequest r = get_of(url_of(&server, "/hostile/500"));
                Heard h;

                ask(s, &r, &h);
                heard_clear(&h);
        }
        for (unsigned i = 0; i < 600 && !streq(http_server_breaker(s), "half-open"); i++)
                run_for(20 * USEC_PER_MSEC);
        stream_start(s, "/events", LONG_USEC, &stream);
        for (unsigned i = 0; i < 600 && !streq(http_server_breaker(s), "closed"); i++)
                run_for(20 * USEC_PER_MSEC);
        CHECK_STREQ(http_server_breaker(s), "closed");
        CHECK(!stream.heard.done);
        http_call_free(stream.heard.call);
        http_server_free(s);
}

/* ---- freeing in callbacks ---- */

TEST(free_in_part) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        Stream stream = {.free_call = true, .want = "hello"};

        stream_start(s, "/events", LONG_USEC, &stream);
        CHECK(run_until(&stream.wanted));
        run_for(50 * USEC_PER_MSEC);
        CHECK(!stream.heard.done);
        http_server_free(s);
}

TEST(free_server_in_part) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        Stream stream = {.free_server = s, .want = "hello"}, other = {0};

        stream_start(s, "/events", LONG_USEC, &stream);
        stream_start(s, "/hostile/never", LONG_USEC, &other);
        CHECK(run_until(&stream.wanted));
        CHECK(stream.heard.done);
        CHECK_EQ_INT(stream.heard.answer.result, PROVIDER_CANCELED);
        CHECK_EQ_INT(other.heard.answer.result, PROVIDER_CANCELED);
        run_for(50 * USEC_PER_MSEC);
        heard_clear(&stream.heard);
        heard_clear(&other.heard);
}

typedef struct Chain {
        HttpServer *server;
        HttpCall *own, *others[3];
        unsigned left;
        bool free_server, done;
} Chain;

static void on_chain(const HttpAnswer *answer, void *userdata) {
        Chain *c = userdata;

        CHECK_EQ_INT(answer->result, PROVIDER_OK);
        http_call_free(c->own); /* its own: nothing happens */
        for (size_t i = 0; i < ELEMENTSOF(c->others); i++)
                c->others[i] = http_call_free(c->others[i]);
        if (c->left > 0) { /* the next one from inside */
                HttpRequest r = get_of(url_of(&server, "/echo"));

                c->left--;
                CHECK_EQ_INT(http_call_start(c->server, &r, on_chain, c, &c->own), 0);
                return;
        }
        if (c->free_server)
                c->server = http_server_free(c->server);
        c->done = true;
}

static void on_never(const HttpAnswer *answer, void *userdata) {
        (void) answer;
        *(bool *) userdata = true;
}

TEST(free_and_start_in_answer) {
        for (unsigned round = 0; round < 2; round++) {
                HttpServerSettings settings = settings_default();
                Chain c = {.server = server_of(&settings), .left = 20, .free_server = round == 1};
                HttpRequest r = get_of(url_of(&server, "/echo")), never = get_of(url_of(&server, "/hostile/never"));
                bool answered = false;

                for (size_t i = 0; i < ELEMENTSOF(c.others); i++)
                        CHECK_EQ_INT(http_call_start(c.server, &never, on_never, &answered, &c.others[i]), 0);
                CHECK_EQ_INT(http_call_start(c.server, &r, on_chain, &c, &c.own), 0);
                CHECK(run_until(&c.done));
                CHECK(!answered);
                run_for(50 * USEC_PER_MSEC);
                http_server_free(c.server);
        }
}

/* Two answers at once, and the first one's callback frees the second and the server. */
static void on_free_all(const HttpAnswer *answer, void *userdata) {
        Chain *c = userdata;

        (void) answer;
        c->left--;
        c->server = http_server_free(c->server);
        c->done = c->left == 0;
}

TEST(free_server_with_answers_ready) {
        HttpServerSettings settings = settings_default();
        Chain c = {.left = 5};
        HttpRequest r = get_of("http://refused.example/"); /* answered in the next round of the loop */

        c.server = server_of(&settings);
        for (unsigned i = 0; i < 5; i++)
                CHECK_EQ_INT(http_call_start(c.server, &r, on_free_all, &c, &c.own), 0);
        CHECK(run_until(&c.done));
        CHECK_EQ_INT(c.left, 0);
}

/* As when the providers are loaded anew under load: at every stage of what is on its way. */
TEST(servers_come_and_go) {
        static const char *const paths[] = {"/echo", "/hostile/slow", "/hostile/500", "/hostile/drop"};

        for (unsigned i = 0; i < 120; i++) {
                HttpServerSettings settings = settings_default();
                HttpServer *s = server_of(&settings);
                Stream stream = {0};
                Heard all[8];

                for (size_t k = 0; k < ELEMENTSOF(all); k++) {
                        HttpRequest r = get_of(url_of(&server, paths[k % ELEMENTSOF(paths)]));

                        ask_start(s, &r, &all[k]);
                }
                stream_start(s, "/events", LONG_USEC, &stream);
                run_for(i % 12 * USEC_PER_MSEC);
                http_server_free(s);
                CHECK(stream.heard.done);
                heard_clear(&stream.heard);
                for (size_t k = 0; k < ELEMENTSOF(all); k++) {
                        CHECK(all[k].done);
                        heard_clear(&all[k]);
                }
        }
}

TEST_HTTP_MAIN("http_stream")
