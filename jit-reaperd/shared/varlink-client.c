/* SPDX-License-Identifier: Apache-2.0 */

/* The client for daemons, never waits: a connection a call, or one of a pool's that is kept for the next call. */

#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "json.h"
#include "varlink-wire.h"
#include "varlink.h"

enum { IDLE_MAX = 4 }; /* of a pool: as many questions are often open at a time */

typedef struct Connection {
        struct Connection *next, **prev; /* of its pool */
        VarlinkPool *pool;
        VarlinkCall *call; /* NULL: idle */
        int fd;
        VarlinkBuffer buffer;
        sd_event_source *io;
} Connection;

struct VarlinkPool {
        sd_event *event;
        const char *path;
        Connection *connections;
        unsigned n_idle;
};

struct VarlinkCall {
        Connection *connection;
        bool more;
        bool reused; /* its connection has served another call before */
        char *out;
        size_t out_length, out_sent;
        sd_event_source *timer;
        varlink_answer_t answer;
        void *userdata;
};

/* ---- connections ---- */

static Connection *connection_free(Connection *n) {
        if (!n)
                return NULL;
        if (n->prev) {
                *n->prev = n->next;
                if (n->next)
                        n->next->prev = n->prev;
                if (n->pool)
                        n->pool->n_idle -= !n->call;
        }
        sd_event_source_disable_unref(n->io);
        if (n->fd >= 0)
                (void) close(n->fd);
        varlink_buffer_done(&n->buffer);
        free(n);
        return NULL;
}

static int connection_new(const char *path, VarlinkPool *pool, VarlinkCall *call, Connection **ret) {
        int fd = varlink_connect(path);
        Connection *n;

        if (fd < 0)
                return fd;
        n = calloc(1, sizeof(*n));
        if (!n) {
                (void) close(fd);
                return -ENOMEM;
        }
        *n = (Connection){.fd = fd, .pool = pool, .call = call, .buffer.max = 4 * JSON_MESSAGE_MAX};
        if (pool) {
                n->next = pool->connections;
                n->prev = &pool->connections;
                if (n->next)
                        n->next->prev = &n->next;
                pool->connections = n;
        }
        *ret = n;
        return 0;
}

/* A call has had its last answer. What came behind it is nobody's, and would be taken for the next one's. */
static void connection_release(Connection *n) {
        bool keep = n->pool && n->pool->n_idle < IDLE_MAX && n->buffer.used == 0 &&
                    n->call->out_sent == n->call->out_length;

        if (!keep) {
                connection_free(n);
                return;
        }
        n->call = NULL;
        n->pool->n_idle++;
}

/* ---- calls ---- */

VarlinkCall *varlink_call_free(VarlinkCall *c) {
        if (!c)
                return NULL;
        connection_free(c->connection); /* an answer may still come on it */
        sd_event_source_disable_unref(c->timer);
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

static int on_connection_io(sd_event_source *s, int fd, uint32_t revents, void *userdata);

/* The socket's buffer is empty: this takes it all in nearly every case. What a connection that has just been made does
 * not take, it says later. */
static int call_send(VarlinkCall *c, sd_event *event) {
        Connection *n = c->connection;
        uint32_t events;
        ssize_t sent;

        c->out_sent = 0;
        sent = send(n->fd, c->out, c->out_length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && c->reused)
                return -errno;
        if (sent > 0)
                c->out_sent = (size_t) sent;
        events = c->out_sent < c->out_length ? EPOLLIN | EPOLLOUT : EPOLLIN;
        return n->io ? sd_event_source_set_io_events(n->io, events)
                     : sd_event_add_io(event, &n->io, n->fd, events, on_connection_io, n);
}

static int call_send_on_new(VarlinkCall *c, sd_event *event, const char *path, VarlinkPool *pool) {
        int r;

        c->reused = false;
        c->connection = NULL;
        r = connection_new(path, pool, c, &c->connection);
        return r < 0 ? r : call_send(c, event);
}

/* The server went away, perhaps before it saw the call, and others may serve its socket by now: a kept connection must
 * not do worse than a new one. */
static void call_disconnected(VarlinkCall *c) {
        VarlinkPool *pool = c->connection->pool;

        if (c->reused && pool && c->connection->buffer.used == 0) {
                connection_free(c->connection);
                if (call_send_on_new(c, pool->event, pool->path, pool) >= 0)
                        return;
        }
        call_fail(c, "io.pamjit.Disconnected");
}

/* 1: go on, 0: the call has ended. */
static int call_take_answers(VarlinkCall *c) {
        for (;;) {
                _cleanup_json_ json_t *message = NULL;
                VarlinkAnswer a;
                int r = varlink_buffer_take(&c->connection->buffer, &message);

                if (r == 0)
                        return 1;
                if (r < 0 || varlink_answer_parse(message, &a) < 0) {
                        call_fail(c, "io.pamjit.Protocol");
                        return 0;
                }
                if (a.error || !a.continues || !c->more) {
                        if (a.error || !a.continues)
                                connection_release(take_ptr(c->connection));
                        call_end(c, a.error, a.parameters);
                        varlink_answer_done(&a);
                        return 0;
                }
                c->answer(NULL, a.parameters, true, c->userdata);
                varlink_answer_done(&a);
        }
}

static int on_connection_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Connection *n = userdata;
        VarlinkCall *c = n->call;

        if (!c) { /* its end, or words that nobody asked for */
                connection_free(n);
                return 0;
        }
        if (c->out_sent < c->out_length) {
                ssize_t sent = send(fd, c->out + c->out_sent, c->out_length - c->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent < 0 && errno != EAGAIN && errno != EINTR) {
                        call_disconnected(c);
                        return 0;
                }
                if (sent > 0)
                        c->out_sent += (size_t) sent;
                if (c->out_sent == c->out_length)
                        (void) sd_event_source_set_io_events(s, EPOLLIN);
        }
        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                int r = varlink_buffer_fill(&n->buffer, fd);
                if (r > 0)
                        (void) call_take_answers(c);
                else if (r == -EMSGSIZE)
                        call_fail(c, "io.pamjit.Protocol");
                else if (r != -EAGAIN)
                        call_disconnected(c);
        }
        return 0;
}

static int call_new(const char *method, json_t *parameters, bool more, varlink_answer_t answer, void *userdata,
                    VarlinkCall **ret) {
        VarlinkCall *c = calloc(1, sizeof(*c));
        int r;

        if (!c) {
                json_decref(parameters);
                return -ENOMEM;
        }
        *c = (VarlinkCall){.more = more, .answer = answer, .userdata = userdata};
        r = varlink_encode_call(method, parameters, more, &c->out, &c->out_length);
        if (r < 0) {
                varlink_call_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

static int call_arm(VarlinkCall *c, sd_event *event, uint64_t timeout_usec) {
        if (timeout_usec == 0)
                return 0;
        return sd_event_add_time_relative(event, &c->timer, CLOCK_BOOTTIME, timeout_usec, 10000, on_call_timeout, c);
}

int varlink_call_async(sd_event *event, const char *path, const char *method, json_t *parameters, bool more,
                       uint64_t timeout_usec, varlink_answer_t answer, void *userdata, VarlinkCall **ret) {
        VarlinkCall *c;
        int r;

        r = call_new(method, parameters, more, answer, userdata, &c);
        if (r < 0)
                return r;
        r = call_send_on_new(c, event, path, NULL);
        if (r >= 0)
                r = call_arm(c, event, timeout_usec);
        if (r < 0) {
                varlink_call_free(c);
                return r;
        }
        if (ret)
                *ret = c;
        return 0;
}

/* ---- a pool of connections ---- */

int varlink_pool_new(sd_event *event, const char *path, VarlinkPool **ret) {
        VarlinkPool *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        *p = (VarlinkPool){.event = event, .path = path};
        *ret = p;
        return 0;
}

VarlinkPool *varlink_pool_free(VarlinkPool *p) {
        if (!p)
                return NULL;
        while (p->connections) {
                Connection *n = p->connections;

                if (!n->call) {
                        connection_free(n);
                        continue;
                }
                p->connections = n->next; /* the call goes on by itself */
                n->pool = NULL;
                n->prev = NULL;
                n->next = NULL;
        }
        free(p);
        return NULL;
}

static Connection *pool_take(VarlinkPool *p, VarlinkCall *c) {
        Connection *n = p->connections;

        while (n && n->call)
                n = n->next;
        if (n) {
                n->call = c;
                p->n_idle--;
        }
        return n;
}

int varlink_pool_call(VarlinkPool *p, const char *method, json_t *parameters, uint64_t timeout_usec,
                      varlink_answer_t answer, void *userdata, VarlinkCall **ret) {
        VarlinkCall *c;
        int r;

        r = call_new(method, parameters, false, answer, userdata, &c);
        if (r < 0)
                return r;
        c->reused = true;
        while ((c->connection = pool_take(p, c))) {
                r = call_send(c, p->event);
                if (r >= 0)
                        break;
                connection_free(c->connection); /* the server has closed it: nothing was sent */
        }
        if (!c->connection)
                r = call_send_on_new(c, p->event, p->path, p);
        if (r >= 0)
                r = call_arm(c, p->event, timeout_usec);
        if (r < 0) {
                varlink_call_free(c);
                return r;
        }
        if (ret)
                *ret = c;
        return 0;
}
