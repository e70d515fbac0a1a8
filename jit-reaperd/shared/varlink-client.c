/* SPDX-License-Identifier: Apache-2.0 */

/* The client for daemons: one connection a call, never waits. */

#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "json.h"
#include "varlink-wire.h"
#include "varlink.h"

struct VarlinkCall {
        int fd;
        bool more;
        VarlinkBuffer buffer;
        char *out;
        size_t out_length, out_sent;
        sd_event_source *io, *timer;
        varlink_answer_t answer;
        void *userdata;
};

VarlinkCall *varlink_call_free(VarlinkCall *c) {
        if (!c)
                return NULL;
        sd_event_source_disable_unref(c->io);
        sd_event_source_disable_unref(c->timer);
        if (c->fd >= 0)
                (void) close(c->fd);
        varlink_buffer_done(&c->buffer);
        free(c->out);
        free(c);
        return NULL;
}

/* Tells the owner the last word and ends the call. The owner may not free it from inside: it is gone already. */
static void call_end(VarlinkCall *c, const char *error, json_t *parameters) {
        varlink_answer_t answer = c->answer;
        void *userdata = c->userdata;

        varlink_call_free(c);
        answer(error, parameters, false, userdata);
}

static void call_fail(VarlinkCall *c, const char *error) {
        call_end(c, error, NULL);
}

static int on_call_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) s, (void) usec;
        call_fail(userdata, "io.pamjit.Timeout");
        return 0;
}

/* 1: go on, 0: the call has ended. */
static int call_take_answers(VarlinkCall *c) {
        for (;;) {
                _cleanup_json_ json_t *message = NULL;
                VarlinkAnswer a;
                int r = varlink_buffer_take(&c->buffer, &message);

                if (r == 0)
                        return 1;
                if (r < 0 || varlink_answer_parse(message, &a) < 0) {
                        call_fail(c, "io.pamjit.Protocol");
                        return 0;
                }
                if (a.error || !a.continues || !c->more) {
                        call_end(c, a.error, a.parameters);
                        varlink_answer_done(&a);
                        return 0;
                }
                c->answer(NULL, a.parameters, true, c->userdata);
                varlink_answer_done(&a);
        }
}

static int on_call_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        VarlinkCall *c = userdata;

        if (c->out_sent < c->out_length) {
                ssize_t n = send(fd, c->out + c->out_sent, c->out_length - c->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0 && errno != EAGAIN && errno != EINTR) {
                        call_fail(c, "io.pamjit.Disconnected");
                        return 0;
                }
                if (n > 0)
                        c->out_sent += (size_t) n;
                if (c->out_sent == c->out_length)
                        (void) sd_event_source_set_io_events(s, EPOLLIN);
        }
        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                int r = varlink_buffer_fill(&c->buffer, fd);
                if (r > 0)
                        (void) call_take_answers(c);
                else if (r != -EAGAIN)
                        call_fail(c, r == -EMSGSIZE ? "io.pamjit.Protocol" : "io.pamjit.Disconnected");
        }
        return 0;
}

int varlink_call_async(sd_event *event, const char *path, const char *method, json_t *parameters, bool more,
                       uint64_t timeout_usec, varlink_answer_t answer, void *userdata, VarlinkCall **ret) {
        VarlinkCall *c;
        ssize_t n;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c) {
                json_decref(parameters);
                return -ENOMEM;
        }
        *c = (VarlinkCall){.fd = -1, .more = more, .buffer.max = 4 * JSON_MESSAGE_MAX, .answer = answer, .userdata = userdata};
        r = varlink_encode_call(method, parameters, more, &c->out, &c->out_length);
        if (r < 0)
                goto fail;
        r = c->fd = varlink_connect(path);
        if (r < 0)
                goto fail;
        /* The socket's buffer is empty: this takes it all in nearly every case. */
        n = send(c->fd, c->out, c->out_length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
                c->out_sent = (size_t) n;
        r = sd_event_add_io(event, &c->io, c->fd, c->out_sent < c->out_length ? EPOLLIN | EPOLLOUT : EPOLLIN, on_call_io, c);
        if (r < 0)
                goto fail;
        if (timeout_usec > 0) {
                r = sd_event_add_time_relative(event, &c->timer, CLOCK_BOOTTIME, timeout_usec, 10000, on_call_timeout, c);
                if (r < 0)
                        goto fail;
        }
        if (ret)
                *ret = c;
        return 0;
fail:
        varlink_call_free(c);
        return r;
}
