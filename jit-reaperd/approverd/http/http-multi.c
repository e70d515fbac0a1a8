/* SPDX-License-Identifier: Apache-2.0 */

/* libcurl says which descriptors and which one timer it waits for (curl_multi_socket_action(3)); the event loop waits.
 */

#include <sys/epoll.h>

#include "http-client-internal.h"

/* Takes in what has ended. A call is decided on only after libcurl let go of it. */
static void multi_collect(HttpServer *s) {
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(s->multi, &left))) {
                CURLcode code = m->data.result;
                char *call = NULL;

                if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
                        call_transferred((HttpCall *) (void *) call, code);
        }
}

static void multi_act(HttpServer *s, curl_socket_t fd, int events) {
        HttpClient *client = s->client;
        int running;

        client_enter(client);
        (void) curl_multi_socket_action(s->multi, fd, events, &running); /* what fails is told for each transfer */
        multi_collect(s);
        server_pump(s);
        client_leave(client); /* s may be gone behind this */
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        int events = 0;

        (void) source;
        if (revents & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
                events |= CURL_CSELECT_IN;
        if (revents & EPOLLOUT)
                events |= CURL_CSELECT_OUT;
        if (revents & EPOLLERR)
                events |= CURL_CSELECT_ERR;
        multi_act(userdata, fd, events);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source, (void) usec;
        multi_act(userdata, CURL_SOCKET_TIMEOUT, 0);
        return 0;
}

static int on_soon(sd_event_source *source, void *userdata) {
        (void) source;
        multi_act(userdata, CURL_SOCKET_TIMEOUT, 0);
        return 0;
}

/* CURLMOPT_SOCKETFUNCTION(3). -1 makes libcurl give up all transfers of the handle; they are told so. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
        static const uint32_t events[] = {
                        [CURL_POLL_IN] = EPOLLIN, [CURL_POLL_OUT] = EPOLLOUT, [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT};
        sd_event_source *source = socket_data;
        HttpServer *s = userdata;

        (void) easy;
        if (what == CURL_POLL_REMOVE) {
                (void) curl_multi_assign(s->multi, fd, NULL);
                sd_event_source_disable_unref(source);
                return 0;
        }
        if (what < 0 || (size_t) what >= ELEMENTSOF(events))
                return 0;
        if (source)
                return sd_event_source_set_io_events(source, events[what]) < 0 ? -1 : 0;
        if (sd_event_add_io(s->client->event, &source, fd, events[what], on_io, s) < 0)
                return -1;
        if (curl_multi_assign(s->multi, fd, source) != CURLM_OK) {
                sd_event_source_disable_unref(source);
                return -1;
        }
        return 0;
}

/* CURLMOPT_TIMERFUNCTION(3): must not act from here. */
static int on_timer_wanted(CURLM *multi, long timeout_ms, void *userdata) {
        HttpServer *s = userdata;
        int r;

        (void) multi;
        r = sd_event_source_set_enabled(s->soon, timeout_ms == 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
        if (r >= 0 && timeout_ms > 0)
                r = sd_event_source_set_time_relative(s->timer, (uint64_t) timeout_ms * USEC_PER_MSEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, timeout_ms > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
        return r < 0 ? -1 : 0;
}

int multi_new(HttpServer *s) {
        sd_event *e = s->client->event;
        int r = sd_event_add_time(e, &s->timer, CLOCK_MONOTONIC, 0, 1, on_timer, s);

        if (r >= 0)
                r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(e, &s->soon, on_soon, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->soon, SD_EVENT_OFF);
        if (r < 0)
                return r;
        if (!(s->multi = curl_multi_init()) ||
            curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
            curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s) != CURLM_OK ||
            curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) != CURLM_OK ||
            curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s) != CURLM_OK ||
            curl_multi_setopt(s->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK ||
            curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long) s->connections_max) != CURLM_OK)
                return -ENOMEM;
        return 0;
}

void multi_free(HttpServer *s) {
        if (s->multi)
                (void) curl_multi_cleanup(s->multi); /* takes its sockets' event sources away by on_socket() */
        sd_event_source_disable_unref(s->timer);
        sd_event_source_disable_unref(s->soon);
}
