/* SPDX-License-Identifier: Apache-2.0 */

#include "test-provider.h"

#include "../../jit-reaperd/approverd/providers/event-stream.h"

/* ---- the parser ---- */

typedef struct Events {
        char text[1024]; /* each event's data, with "|" behind it */
        size_t n;
} Events;

static void on_event(const char *data, size_t length, void *userdata) {
        Events *e = userdata;

        CHECK_EQ_INT(strlen(data), length);
        (void) snprintf(e->text + strlen(e->text), sizeof(e->text) - strlen(e->text), "%.64s|", data);
        e->n++;
}

/* As a whole, and byte by byte. */
static const char *parsed(const char *text) {
        static Events whole, bytes;
        EventStream *s, *t;

        whole = bytes = (Events){0};
        CHECK_EQ_INT(event_stream_new(on_event, &whole, &s), 0);
        CHECK_EQ_INT(event_stream_new(on_event, &bytes, &t), 0);
        CHECK_EQ_INT(event_stream_feed(s, text, strlen(text)), 0);
        for (const char *c = text; *c; c++)
                CHECK_EQ_INT(event_stream_feed(t, c, 1), 0);
        event_stream_free(s);
        event_stream_free(t);
        CHECK_STREQ(bytes.text, whole.text);
        return whole.text;
}

TEST(events) {
        CHECK_STREQ(parsed("data: a\n\ndata: b\n\n"), "a|b|");
        CHECK_STREQ(parsed("data: a\ndata:b\ndata:  c\n\n"), "a\nb\n c|");
        CHECK_STREQ(parsed("data: a\r\n\r\ndata: b\r\r"), "a|b|");
        CHECK_STREQ(parsed(": hello\n\nevent: x\nid: 3\nretry: 10\ndata: a\nother\n\n"), "a|");
        CHECK_STREQ(parsed("\xef\xbb\xbf"
                           "data: a\n\n\xef\xbb\xbf"
                           "data: b\n\n"),
                    "a|");
        CHECK_STREQ(parsed("data\n\n"), "");
        CHECK_STREQ(parsed("data\ndata\n\n"), "\n|");
        CHECK_STREQ(parsed("datas: a\n\nda: b\n\n"), "");
        CHECK_STREQ(parsed("data: cut"), "");
        CHECK_STREQ(parsed("data: cut\n"), "");
}

TEST(events_too_long) {
        size_t n = 2 * EVENT_TEXT_MAX;
        _cleanup_free_ char *text = malloc(n);
        Events e = {0};
        EventStream *s;

        memset(text, 'a', n);
        memcpy(text, "data:", 5);
        CHECK_EQ_INT(event_stream_new(on_event, &e, &s), 0);
        CHECK_EQ_INT(event_stream_feed(s, text, EVENT_TEXT_MAX), 0);
        CHECK_EQ_INT(event_stream_feed(s, "\n\n", 2), 0);
        CHECK_EQ_INT(e.n, 1);
        CHECK_EQ_INT(event_stream_feed(s, text, n), -EMSGSIZE);
        s = event_stream_free(s);
        CHECK_EQ_INT(event_stream_new(on_event, &e, &s), 0);
        CHECK_EQ_INT(event_stream_feed(s, text, EVENT_TEXT_MAX), 0);
        CHECK_EQ_INT(event_stream_feed(s, "\ndata: 123456\n", 14), -EMSGSIZE); /* lines of one event together */
        event_stream_free(s);
}

/* ---- what follows from an event: the cache, which would last a minute, counts no more ---- */

#define PROVIDER "CacheSec=1min\nRecheckSec=1min"
#define ONE "[Request ticket]\nURL=@/tickets/{1}\n"

static void begin(const char *stream) {
        char rest[1024];

        (void) snprintf(rest, sizeof(rest), ONE "[Stream]\n%s", stream);
        provider_begin(PROVIDER, rest, ".ticket as $t | .answers.ticket * {ticket: $t}");
        route("{\"path_re\":\"/tickets/.*\",\"json\":" APPROVAL("t-1", "\"alice\"") "}");
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_OK);
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_OK);
        CHECK_EQ_INT(asked("/tickets/1"), 1);
}

/* Asks for the ticket until that takes a request again: at most times n in all. */
static bool is_asked_again(const char *account, const char *path, size_t n) {
        uint64_t end = now_usec(CLOCK_BOOTTIME) + LONG_USEC;

        while (now_usec(CLOCK_BOOTTIME) < end) {
                run_for(20 * USEC_PER_MSEC);
                CHECK_EQ_INT(question(account).result, PROVIDER_OK);
                if (asked(path) >= n)
                        return asked(path) == n;
        }
        return false;
}

/* The server keeps count of those that are gone, too, until it writes to them. */
static void wait_stream(void) {
        uint64_t end = now_usec(CLOCK_BOOTTIME) + LONG_USEC;

        while (asked("/events") == 0 && now_usec(CLOCK_BOOTTIME) < end)
                run_for(10 * USEC_PER_MSEC);
        CHECK_EQ_INT(asked("/events"), 1);
        tell(&server, "DELETE", "/log", "");
        run_for(50 * USEC_PER_MSEC);
}

TEST(server_sent_events) {
        begin("Kind=sse\nURL=@/events\nTicket=.changed\n");
        wait_stream();
        tell(&server, "POST", "/events", "{\"data\":{\"changed\":\"T-1\"}}");
        CHECK(is_asked_again("jit-t-1", "/tickets/1", 1));
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_OK);
        CHECK_EQ_INT(asked("/tickets/2"), 0);
        /* What makes no sense changes nothing. */
        tell(&server, "POST", "/events", "{\"data\":\"not json\"}");
        tell(&server, "POST", "/events", "{\"data\":{\"changed\":{\"x\":1}}}");
        tell(&server, "POST", "/events", "{\"data\":{\"changed\":\"u-1\"}}");
        tell(&server, "POST", "/events", "{\"data\":{\"changed\":null}}");
        tell(&server, "POST", "/events", "{\"data\":{\"changed\":[\"t-2\",\"t-3\"]}}");
        CHECK(is_asked_again("jit-t-2", "/tickets/2", 1));
        CHECK_EQ_INT(question("jit-t-1").result, PROVIDER_OK);
        CHECK_EQ_INT(asked("/tickets/1"), 1);
        providers_end();
}

/* Whatever happened while there was no connection is not known. */
TEST(connects_again) {
        begin("Kind=sse\nURL=@/events\nTicket=.changed\n");
        wait_stream();
        tell(&server, "POST", "/close", "");
        CHECK(is_asked_again("jit-t-1", "/tickets/1", 1));
        CHECK_EQ_INT(asked("/events"), 1);
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_OK);
        CHECK_EQ_INT(asked("/tickets/2"), 1);
        tell(&server, "POST", "/events", "{\"data\":{\"changed\":\"t-2\"}}");
        CHECK(is_asked_again("jit-t-2", "/tickets/2", 2));
        providers_end();
}

TEST(too_many_events) {
        char text[1024] = "{\"data\":{\"changed\":[\"t-11\"";

        begin("Kind=sse\nURL=@/events\nTicket=.changed\n");
        wait_stream();
        for (int i = 0; i < 39; i++)
                (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), ",\"t-11\"");
        (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "]}}");
        for (int i = 0; i < 12; i++) /* 480 in at most a few seconds */
                tell(&server, "POST", "/events", text);
        CHECK(is_asked_again("jit-t-1", "/tickets/1", 1)); /* none of them named it: the one "*" did */
        providers_end();
}

TEST(polls) {
        uint64_t start = now_usec(CLOCK_BOOTTIME);
        size_t n;

        /* The first is answered at once with nothing, the next names a ticket, all others are held. */
        route("{\"path\":\"/poll\",\"uses\":1,\"status\":204},{\"path\":\"/poll\",\"uses\":1,\"json\":{\"changed\":\"t-"
              "1\"}},{\"path\":\"/poll\",\"delay\":30,\"json\":{}}");
        begin("Kind=poll\nURL=@/poll\nTicket=.changed\n");
        CHECK(is_asked_again("jit-t-1", "/tickets/1", 2));
        n = asked("/poll");
        CHECK(n >= 2 && n <= 1 + (now_usec(CLOCK_BOOTTIME) - start) / USEC_PER_SEC);
        CHECK_EQ_INT(question("jit-t-2").result, PROVIDER_OK);
        CHECK_EQ_INT(asked("/tickets/2"), 1);
        providers_end();
}

TEST_HTTP_MAIN("provider-stream")
