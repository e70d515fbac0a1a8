/* SPDX-License-Identifier: Apache-2.0 */

/* A call's life: queued, running, perhaps waiting for another try, ended. One deadline over all of it. */

#include <ctype.h>
#include <stdarg.h>

#include "http-client-internal.h"

/* ---- its parts ---- */

void call_drop_part(HttpCall *c) {
        if (!c->has_part)
                return;
        TAILQ_REMOVE(&c->client->parts, c, part_entry);
        c->has_part = false;
        buffer_erase(&c->answer_body);
}

HttpCall *call_destroy(HttpCall *c) {
        if (!c)
                return NULL;
        for (Delivery *d = c->client->delivery; d; d = d->outer)
                if (d->call == c)
                        d->call = NULL;
        call_drop_part(c);
        sd_event_source_disable_unref(c->timer);
        curl_slist_free_all(c->headers); /* is erased (http-client.c) */
        curl_free(c->redirect);
        if (c->url)
                explicit_bzero(c->url, strlen(c->url));
        free(c->url);
        if (c->body)
                explicit_bzero(c->body, c->body_length);
        free(c->body);
        free(c->content_type);
        buffer_erase(&c->answer_body);
        free(c);
        return NULL;
}

DEFINE_CLEANUP(HttpCall, call_destroy);

void call_move(HttpCall *c, HttpCallList *to) {
        if (c->list)
                TAILQ_REMOVE(c->list, c, entry);
        if (to)
                TAILQ_INSERT_TAIL(to, c, entry);
        c->list = to;
}

static void text_make_plain(char *text) {
        for (; *text; text++)
                if (!isascii((unsigned char) *text) || !isprint((unsigned char) *text))
                        *text = '?';
}

void call_end(HttpCall *c, ProviderResult result, const char *format, ...) {
        va_list ap;

        c->result = result;
        va_start(ap, format);
        (void) vsnprintf(c->why, sizeof(c->why), format, ap);
        va_end(ap);
        text_make_plain(c->why); /* libcurl quotes the server's certificate */
        c->timer = sd_event_source_disable_unref(c->timer);
        if (c->list && !c->part)
                c->server->n_calls--;
        call_move(c, &c->client->ready);
        client_wake(c->client);
}

/* ---- its deadline ---- */

static void call_expired(HttpCall *c) {
        HttpServer *s = c->server;

        if (c->list == &s->running) {
                transfer_abort(c);
                if (!c->heard)
                        server_heard(s, c, false);
                call_end(c, PROVIDER_UNREACHABLE, c->part ? "%s: nothing came for a while" : "%s: no answer in time",
                         s->name);
        } else if (c->attempts > 0) {
                char why[HTTP_WHY_MAX];

                (void) snprintf(why, sizeof(why), "%s", c->why);
                call_end(c, c->result, "%s", why);
        } else if (bucket_wait(&s->rate, now_usec(CLOCK_BOOTTIME)) > 0)
                call_end(c, PROVIDER_LIMIT, "%s: more requests than its rate lets through", s->name);
        else
                call_end(c, PROVIDER_UNREACHABLE, "%s: all connections are waiting for answers", s->name);
}

static void call_on_time(HttpCall *c) {
        HttpServer *s = c->server;
        uint64_t now = now_usec(CLOCK_BOOTTIME), next = c->deadline_usec;

        if (c->list == &s->backoff)
                server_enqueue(s, c, true);
        else if (c->part && c->list == &s->running && c->heard_usec + c->idle_usec > now)
                next = c->heard_usec + c->idle_usec;
        else {
                call_expired(c);
                return;
        }
        if (sd_event_source_set_time(c->timer, next) < 0 || sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT) < 0)
                call_expired(c);
}

static int on_call_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        HttpCall *c = userdata;
        HttpServer *s = c->server;
        HttpClient *client = c->client;

        (void) source, (void) usec;
        client_enter(client);
        call_on_time(c);
        server_pump(s);
        client_leave(client);
        return 0;
}

/* ---- after an attempt ---- */

static bool call_retry(HttpCall *c, ProviderResult result) {
        HttpServer *s = c->server;
        uint64_t now = now_usec(CLOCK_BOOTTIME), pause;

        if (c->part || c->attempts >= HTTP_ATTEMPTS_MAX || breaker_state(&s->breaker, now) != BREAKER_CLOSED)
                return false;
        if ((c->status == 429 || c->status == 503) && c->retry_after_sec > 0) /* it was not handled: RFC 9110 10.2.3 */
                pause = (uint64_t) c->retry_after_sec * USEC_PER_SEC;
        else if (result == PROVIDER_UNREACHABLE && (c->safe || !c->sent))
                pause = jitter_usec(HTTP_BACKOFF_USEC << (c->attempts - 1));
        else
                return false;
        if (pause >= c->deadline_usec || now + pause >= c->deadline_usec)
                return false;
        if (sd_event_source_set_time(c->timer, now + pause) < 0 ||
            sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT) < 0)
                return false;
        call_move(c, &s->backoff);
        return true;
}

/* NULL: goes on. Else why not. */
static const char *call_redirect(HttpCall *c) {
        bool plain;

        if (!c->redirect)
                return "a redirect that leads nowhere";
        if (c->part || !streq(c->method, "GET"))
                return "a redirect of what is no question";
        if (!http_url_same_origin(c->url, c->redirect) || http_url_check(c->redirect, c->plain, &plain) < 0)
                return "a redirect to another server";
        if (++c->redirects > HTTP_REDIRECTS_MAX)
                return "too many redirects";
        explicit_bzero(c->url, strlen(c->url));
        free(c->url);
        if (!(c->url = strdup(c->redirect)))
                return "no memory for a redirect";
        c->attempts--; /* is one more request of the same try */
        server_enqueue(c->server, c, true);
        return NULL;
}

void call_transferred(HttpCall *c, CURLcode code) {
        HttpServer *s = c->server;
        ProviderResult result;
        const char *why;

        transfer_finish(c);
        result = transfer_judge(c, code);
        if (!c->heard)
                server_heard(s, c, result != PROVIDER_UNREACHABLE && result != PROVIDER_TLS);
        if (code == CURLE_OK && c->status / 100 == 3) {
                if ((why = call_redirect(c)))
                        call_end(c, PROVIDER_ANSWER, "%s: %s", s->name, why);
                return;
        }
        if (result != PROVIDER_OK && call_retry(c, result)) {
                c->result = result; /* if it never goes out again */
                (void) snprintf(c->why, sizeof(c->why), "%s: %.200s", s->name, c->error);
                return;
        }
        call_end(c, result, "%s: %.200s", s->name, c->error);
}

/* ---- start and end ---- */

static const char *method_find(const char *name) {
        static const char *const methods[] = {"GET", "POST", "PUT", "PATCH"};

        for (size_t i = 0; i < ELEMENTSOF(methods); i++)
                if (streq(methods[i], name))
                        return methods[i];
        return NULL;
}

static int headers_append(HttpCall *c, const char *line) {
        struct curl_slist *longer = curl_slist_append(c->headers, line);

        if (!longer)
                return -ENOMEM;
        c->headers = longer;
        return 0;
}

/* -EINVAL: a header with a control character, by which it could end and another begin. */
static int headers_copy(HttpCall *c, const HttpRequest *request) {
        bool has_type = false;

        STRV_FOREACH (h, request->headers) {
                for (const char *p = *h; *p; p++)
                        if (iscntrl((unsigned char) *p))
                                return -EINVAL;
                if (headers_append(c, *h) < 0)
                        return -ENOMEM;
                has_type = has_type || strncasecmp(*h, "Content-Type:", 13) == 0;
        }
        if (!request->body)
                return 0;
        if (!has_type && headers_append(c, "Content-Type: application/json") < 0)
                return -ENOMEM;
        return headers_append(c, "Expect:"); /* no pause for "100 Continue", whatever the length */
}

static int call_copy(HttpCall *c, const HttpRequest *request) {
        if (!(c->url = strdup(request->url)))
                return -ENOMEM;
        if (request->body) {
                if (!(c->body = malloc(request->body_length + 1)))
                        return -ENOMEM;
                memcpy(c->body, request->body, request->body_length);
                c->body[request->body_length] = '\0';
                c->body_length = request->body_length;
        }
        c->deadline_usec = request->deadline_usec;
        c->answer_max = request->answer_max ?: HTTP_ANSWER_MAX;
        c->safe = request->safe;
        c->urgent = request->urgent;
        return 0;
}

static int call_new(HttpServer *s, const HttpRequest *request, http_answer_t answer, void *userdata, HttpCall **ret) {
        JIT_CLEANUP(call_destroyp) HttpCall *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->client = s->client;
        c->server = s;
        c->answer = answer;
        c->userdata = userdata;
        c->started_usec = c->heard_usec = now_usec(CLOCK_BOOTTIME);
        if ((r = call_copy(c, request)) < 0)
                return r;
        r = headers_copy(c, request);
        if (r == -ENOMEM)
                return r;
        c->method = method_find(request->method);
        if (r < 0 || !c->method || (request->body && streq(c->method, "GET")) ||
            http_url_check(c->url, s->allow_plain && !s->proxy, &c->plain) < 0)
                call_end(c, PROVIDER_ANSWER, "%s: not a request that may be sent", s->name);
        *ret = take_ptr(c);
        return 0;
}

/* Takes c, also on failure. */
static int call_queue(HttpServer *s, HttpCall *c, HttpCall **ret) {
        int r;

        if (c->list)
                ;                                                              /* has ended already */
        else if (!c->part && s->n_calls >= s->queue_max * (c->urgent ? 2 : 1)) /* what is urgent has room of its own */
                call_end(c, PROVIDER_LIMIT, "%s: %u questions are waiting already", s->name, s->n_calls);
        else {
                r = sd_event_add_time(s->client->event, &c->timer, CLOCK_BOOTTIME, c->deadline_usec, 1, on_call_timer,
                                      c);
                if (r < 0) {
                        call_destroy(c);
                        return r;
                }
                server_enqueue(s, c, false);
                s->n_calls += !c->part;
                server_pump(s);
        }
        *ret = c;
        return 0;
}

int http_call_start(HttpServer *s, const HttpRequest *request, http_answer_t answer, void *userdata, HttpCall **ret) {
        HttpCall *c;
        int r;

        if (s->closing)
                return -ESHUTDOWN;
        r = call_new(s, request, answer, userdata, &c);
        return r < 0 ? r : call_queue(s, c, ret);
}

int http_stream_start(HttpServer *s, const HttpRequest *request, uint64_t idle_usec, http_part_t part,
                      http_answer_t done, void *userdata, HttpCall **ret) {
        HttpCall *c;
        int r;

        if (s->closing)
                return -ESHUTDOWN;
        if ((r = call_new(s, request, done, userdata, &c)) < 0)
                return r;
        c->part = part;
        c->idle_usec = idle_usec;
        c->deadline_usec = c->started_usec + idle_usec;
        return call_queue(s, c, ret);
}

void http_call_urgent(HttpCall *c) {
        c->urgent = true;
        if (c->server && c->list == &c->server->queues[QUEUE_NORMAL])
                server_enqueue(c->server, c, false);
}

HttpCall *http_call_free(HttpCall *c) {
        HttpServer *s;

        if (!c || c->answered) /* its answer is being handed over, and it is freed behind that */
                return NULL;
        s = c->server;
        if (c->easy)
                transfer_abort(c);
        if (c->probe)
                s->breaker.probing = false; /* another one may try */
        if (c->list != &c->client->ready && !c->part)
                s->n_calls--;
        call_move(c, NULL);
        call_destroy(c);
        server_pump(s);
        return NULL;
}
