/* SPDX-License-Identifier: Apache-2.0 */

#include <malloc.h>

#include "http-client-internal.h"

/* ---- libcurl's memory: requests with their logins are in it, so it is erased when it is given back ---- */

static void erase_free(void *p) {
        if (p)
                explicit_bzero(p, malloc_usable_size(p));
        free(p);
}

static void *erase_realloc(void *p, size_t size) {
        size_t old = p ? malloc_usable_size(p) : 0;
        void *bigger;

        if (old >= size && p)
                return p;
        if (!(bigger = malloc(size ?: 1)))
                return NULL;
        if (p)
                memcpy(bigger, p, old);
        erase_free(p);
        return bigger;
}

/* ---- what came, to whom it belongs ---- */

void client_wake(HttpClient *c) {
        if (!c->dispatching)
                (void) sd_event_source_set_enabled(c->deliver, SD_EVENT_ONESHOT); /* fails on wrong arguments only */
}

static void delivery_begin(HttpClient *c, HttpCall *call, Delivery *d) {
        *d = (Delivery){call, c->delivery};
        c->delivery = d;
}

static void delivery_end(HttpClient *c) {
        c->delivery = c->delivery->outer;
}

static void deliver_part(HttpClient *c, HttpCall *call) {
        HttpBuffer b = call->answer_body;
        Delivery d;
        int r;

        TAILQ_REMOVE(&c->parts, call, part_entry);
        call->has_part = false;
        call->answer_body = (HttpBuffer){0};
        delivery_begin(c, call, &d);
        r = call->part(b.data, b.length, call->userdata);
        if (d.call && r < 0 && call->list == &call->server->running) {
                transfer_abort(call);
                call_end(call, PROVIDER_CANCELED, "ended by us: %s", strerror(-r));
        }
        delivery_end(c);
        buffer_erase(&b);
}

void client_answer(HttpClient *c, HttpCall *call) {
        HttpAnswer a;
        Delivery d;

        call_drop_part(call);
        a = (HttpAnswer){.result = call->result,
                         .status = call->status,
                         .body = call->answer_body.data ?: "",
                         .length = call->answer_body.length,
                         .content_type = call->content_type,
                         .sent = call->sent,
                         .attempts = call->attempts,
                         .took_usec = now_usec(CLOCK_BOOTTIME) - call->started_usec,
                         .why = call->result == PROVIDER_OK ? NULL : call->why};
        call_move(call, NULL);
        call->server = NULL;
        call->answered = true;
        delivery_begin(c, call, &d);
        call->answer(&a, call->userdata);
        delivery_end(c);
        call_destroy(call);
}

/* What becomes ready meanwhile is handed over in the next round: answers that start calls that fail at once must not
 * keep the loop. */
static void client_deliver(HttpClient *c) {
        size_t n = 0;
        HttpCall *call;

        while ((call = TAILQ_FIRST(&c->parts)))
                deliver_part(c, call);
        TAILQ_FOREACH(call, &c->ready, entry)
        n++;
        while (n-- > 0 && (call = TAILQ_FIRST(&c->ready)))
                client_answer(c, call);
}

void client_enter(HttpClient *c) {
        c->dispatching = true;
}

void client_leave(HttpClient *c) {
        client_deliver(c);
        c->dispatching = false;
        if (!TAILQ_EMPTY(&c->ready) || !TAILQ_EMPTY(&c->parts))
                client_wake(c);
}

static int on_deliver(sd_event_source *source, void *userdata) {
        (void) source;
        client_enter(userdata);
        client_leave(userdata);
        return 0;
}

int http_client_new(sd_event *event, unsigned total_rate_per_sec, HttpClient **ret) {
        HttpClient *c;
        int r;

        if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, erase_free, erase_realloc, strdup, calloc) != CURLE_OK)
                return -ENOMEM;
        if (!(c = calloc(1, sizeof(*c)))) {
                curl_global_cleanup();
                return -ENOMEM;
        }
        c->event = sd_event_ref(event);
        /* Two seconds' worth at once: the questions about a thousand live grants come together. */
        c->rate = bucket_make(total_rate_per_sec, 2 * total_rate_per_sec, now_usec(CLOCK_BOOTTIME));
        TAILQ_INIT(&c->ready);
        TAILQ_INIT(&c->parts);
        r = sd_event_add_defer(event, &c->deliver, on_deliver, c);
        if (r >= 0)
                r = sd_event_source_set_enabled(c->deliver, SD_EVENT_OFF);
        if (r < 0) {
                http_client_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

HttpClient *http_client_free(HttpClient *c) {
        if (!c)
                return NULL;
        sd_event_source_disable_unref(c->deliver);
        sd_event_unref(c->event);
        free(c);
        curl_global_cleanup();
        return NULL;
}
