/* SPDX-License-Identifier: Apache-2.0 */

/* What all calls to one ticket system share, and which of them may go out now. */

#include "http-client-internal.h"

static void calls_cancel(HttpServer *s, HttpCallList *list) {
        HttpCall *c;

        while ((c = TAILQ_FIRST(list))) {
                if (c->easy)
                        transfer_abort(c);
                call_end(c, PROVIDER_CANCELED, "%s: is being closed", s->name);
        }
}

/* Of those that have ended and were not handed over yet. */
static HttpCall *find_ready(HttpServer *s) {
        HttpCall *c;

        TAILQ_FOREACH(c, &s->client->ready, entry)
        if (c->server == s)
                return c;
        return NULL;
}

HttpServer *http_server_free(HttpServer *s) {
        HttpCall *c;

        if (!s || s->closing)
                return NULL;
        s->closing = true;
        for (size_t i = 0; i < _QUEUE_MAX; i++)
                calls_cancel(s, &s->queues[i]);
        calls_cancel(s, &s->running);
        calls_cancel(s, &s->backoff);
        while ((c = find_ready(s)))
                client_answer(s->client, c);
        while (s->n_idle > 0)
                curl_easy_cleanup(s->idle[--s->n_idle]);
        multi_free(s);
        sd_event_source_disable_unref(s->refill);
        free(s->name);
        free(s->ca_file);
        free(s->pinned_key);
        free(s->client_cert);
        free(s->client_key);
        free(s->proxy);
        free(s);
        return NULL;
}

DEFINE_CLEANUP(HttpServer, http_server_free);

static int on_refill(sd_event_source *source, uint64_t usec, void *userdata) {
        HttpServer *s = userdata;
        HttpClient *client = s->client;

        (void) source, (void) usec;
        client_enter(client);
        server_pump(s);
        client_leave(client);
        return 0;
}

static int copy(char **ret, const char *text) {
        return text && !(*ret = strdup(text)) ? -ENOMEM : 0;
}

static int settings_copy(HttpServer *s, const HttpServerSettings *settings) {
        s->connections_max = settings->connections_max;
        s->queue_max = settings->queue_max;
        s->allow_plain = settings->allow_plain;
        s->rate = bucket_make(settings->rate_per_sec, settings->rate_burst, now_usec(CLOCK_BOOTTIME));
        if (copy(&s->name, settings->name) < 0 || copy(&s->ca_file, settings->ca_file) < 0 ||
            copy(&s->pinned_key, settings->pinned_key) < 0 || copy(&s->client_cert, settings->client_cert) < 0 ||
            copy(&s->client_key, settings->client_key) < 0 || copy(&s->proxy, settings->proxy) < 0)
                return -ENOMEM;
        return 0;
}

int http_server_new(HttpClient *c, const HttpServerSettings *settings, HttpServer **ret) {
        JIT_CLEANUP(http_server_freep) HttpServer *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->client = c;
        for (size_t i = 0; i < _QUEUE_MAX; i++)
                TAILQ_INIT(&s->queues[i]);
        TAILQ_INIT(&s->running);
        TAILQ_INIT(&s->backoff);
        if ((r = settings_copy(s, settings)) < 0 || (r = multi_new(s)) < 0)
                return r;
        if ((r = sd_event_add_time(c->event, &s->refill, CLOCK_BOOTTIME, 0, 1, on_refill, s)) < 0 ||
            (r = sd_event_source_set_enabled(s->refill, SD_EVENT_OFF)) < 0)
                return r;
        *ret = take_ptr(s);
        return 0;
}

/* ---- what may go out ---- */

void server_enqueue(HttpServer *s, HttpCall *c, bool first) {
        HttpQueue q = c->part ? QUEUE_STREAM : c->urgent ? QUEUE_URGENT : QUEUE_NORMAL;

        call_move(c, &s->queues[q]);
        if (first) {
                TAILQ_REMOVE(&s->queues[q], c, entry);
                TAILQ_INSERT_HEAD(&s->queues[q], c, entry);
        }
}

static unsigned running_max(const HttpServer *s) {
        return s->multiplexed ? s->connections_max * HTTP_STREAMS_PER_CONNECTION : s->connections_max;
}

static HttpCall *next_call(HttpServer *s) {
        HttpCall *c = TAILQ_FIRST(&s->queues[QUEUE_STREAM]);

        /* Streams live long: they take no place from the others. */
        if (!c && s->n_running < running_max(s))
                c = TAILQ_FIRST(&s->queues[QUEUE_URGENT]) ?: TAILQ_FIRST(&s->queues[QUEUE_NORMAL]);
        return c;
}

static bool take_token(HttpServer *s, uint64_t now) {
        uint64_t own = bucket_wait(&s->rate, now), all = bucket_wait(&s->client->rate, now);

        if (own || all) {
                /* Cannot fail for a source that exists; if it did, the deadlines end what waits. */
                (void) sd_event_source_set_time(s->refill, now + (own > all ? own : all));
                (void) sd_event_source_set_enabled(s->refill, SD_EVENT_ONESHOT);
                return false;
        }
        bucket_take(&s->rate);
        bucket_take(&s->client->rate);
        return true;
}

static void queues_refuse(HttpServer *s) {
        HttpCall *c;

        for (size_t i = 0; i < _QUEUE_MAX; i++)
                while ((c = TAILQ_FIRST(&s->queues[i])))
                        call_end(c, PROVIDER_UNREACHABLE, "%s: has failed %u times in a row, is not asked for a while",
                                 s->name, (unsigned) BREAKER_FAILURES_MAX);
}

void server_pump(HttpServer *s) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        BreakerState state = breaker_state(&s->breaker, now);
        HttpCall *c;

        if (s->closing)
                return;
        if (state == BREAKER_OPEN) {
                queues_refuse(s);
                return;
        }
        while (!(state == BREAKER_HALF_OPEN && s->breaker.probing) && (c = next_call(s)) && take_token(s, now)) {
                c->probe = s->breaker.probing = state == BREAKER_HALF_OPEN;
                if (transfer_start(c) < 0) {
                        s->breaker.probing = s->breaker.probing && !c->probe;
                        call_end(c, PROVIDER_NO_MEMORY, "%s: no memory", s->name);
                }
        }
}

void server_heard(HttpServer *s, HttpCall *c, bool good) {
        if (good)
                breaker_succeeded(&s->breaker);
        else
                breaker_failed(&s->breaker, c->probe, now_usec(CLOCK_BOOTTIME));
        c->probe = false;
}

const char *http_server_breaker(const HttpServer *s) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        char until[TIME_TEXT_MAX];
        HttpServer *m = (HttpServer *) s; /* the text is its own */

        switch (breaker_state(&s->breaker, now)) {
        case BREAKER_CLOSED:
                return "closed";
        case BREAKER_HALF_OPEN:
                return "half-open";
        case BREAKER_OPEN:
        default:
                (void) snprintf(m->breaker_text, sizeof(m->breaker_text), "open until %s",
                                time_format_rfc3339(now_usec(CLOCK_REALTIME) + s->breaker.until_usec - now, until));
                return m->breaker_text;
        }
}
