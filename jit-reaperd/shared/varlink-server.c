/* SPDX-License-Identifier: Apache-2.0 */

/* The Varlink server: connections, limits, and which method gets a message. Untrusted: every byte a peer sends. Trusted: SO_PEERCRED.
 *
 * MUST NOT wait for a peer: reads and writes are non-blocking, a peer that does not read its answers is dropped at OUTPUT_MAX. */

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "json.h"
#include "log.h"
#include "timefmt.h"
#include "varlink-server.h"
#include "varlink-wire.h"

enum {
        ACCEPT_BATCH = 64,             /* connections taken in one turn of the loop */
        OUTPUT_MAX = 4 * 1024 * 1024,  /* bytes of answers a peer may leave unread */
};

#define PAUSE_USEC (100 * USEC_PER_MSEC) /* before the next accept4(), when there were no descriptors */

struct VarlinkLink {
        unsigned n_ref;
        VarlinkServer *server; /* NULL: gone */
        VarlinkLink *next, **prev;
        int fd;
        uid_t uid;
        pid_t pid;
        bool busy;  /* a call is being handled or waits for its answer */
        bool more;  /* and it was made with "more" */
        bool oneway;
        bool muted;
        VarlinkBuffer in;
        char *out;
        size_t out_length;
        sd_event_source *io;
        uint64_t idle_since_usec;
        varlink_gone_t gone;
        void *gone_userdata;
};

typedef struct Listener {
        sd_event_source *io, *pause;
        VarlinkServer *server;
        struct Listener *next;
} Listener;

struct VarlinkServer {
        sd_event *event;
        const VarlinkInterface *const *interfaces;
        VarlinkLimits limits;
        void *userdata;
        Listener *listeners;
        VarlinkLink *root_links, *user_links; /* so that counting a user's connections does not cost more with many grants */
        unsigned n_links;
        sd_event_source *sweep; /* armed only while an unprivileged connection exists */
};

uid_t varlink_link_uid(const VarlinkLink *l) {
        return l->uid;
}

pid_t varlink_link_pid(const VarlinkLink *l) {
        return l->pid;
}

VarlinkLink *varlink_link_ref(VarlinkLink *l) {
        l->n_ref++;
        return l;
}

VarlinkLink *varlink_link_unref(VarlinkLink *l) {
        if (!l || --l->n_ref > 0)
                return NULL;
        varlink_buffer_done(&l->in);
        free(l->out);
        free(l);
        return NULL;
}

void varlink_link_on_gone(VarlinkLink *l, varlink_gone_t gone, void *userdata) {
        l->gone = gone;
        l->gone_userdata = userdata;
}

bool varlink_link_is_gone(const VarlinkLink *l) {
        return !l->server;
}

bool varlink_link_has_hung_up(const VarlinkLink *l) {
        struct pollfd peer = {.fd = l->fd};

        return !l->server || poll(&peer, 1, 0) != 0;
}

void varlink_link_mute(VarlinkLink *l) {
        l->muted = true;
}

static void link_drop(VarlinkLink *l) {
        varlink_gone_t gone = l->gone;

        if (!l->server)
                return;
        *l->prev = l->next;
        if (l->next)
                l->next->prev = l->prev;
        l->server->n_links--;
        l->server = NULL;
        l->io = sd_event_source_disable_unref(l->io);
        (void) close(l->fd);
        l->fd = -1;
        l->gone = NULL;
        if (gone)
                gone(l, l->gone_userdata);
        varlink_link_unref(l);
}

/* ---- answers ---- */

static int link_flush(VarlinkLink *l) {
        while (l->out_length > 0) {
                ssize_t n = send(l->fd, l->out, l->out_length, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return errno == EAGAIN ? 0 : -errno;
                }
                l->out_length -= (size_t) n;
                memmove(l->out, l->out + n, l->out_length);
        }
        free(l->out);
        l->out = NULL;
        return 0;
}

static int link_queue(VarlinkLink *l, const char *data, size_t length) {
        char *p;

        if (l->out_length + length > OUTPUT_MAX)
                return -ENOBUFS;
        p = realloc(l->out, l->out_length + length);
        if (!p)
                return -ENOMEM;
        memcpy(p + l->out_length, data, length);
        l->out = p;
        l->out_length += length;
        return sd_event_source_set_io_events(l->io, EPOLLIN | EPOLLOUT);
}

/* An answer that cannot be kept is a hole in what the peer reads: better no connection. The loop sees its end and drops the link, here its
 * owner may be in the middle of using it. */
static int link_break(VarlinkLink *l, int error) {
        (void) shutdown(l->fd, SHUT_RDWR);
        return error;
}

static int link_send(VarlinkLink *l, const char *error, json_t *parameters, bool continues) {
        _cleanup_free_ char *text = NULL;
        size_t length, sent = 0;
        int r;

        if (!l->server || l->oneway) {
                json_decref(parameters);
                return 0;
        }
        r = varlink_encode_answer(error, parameters, continues, &text, &length);
        if (r < 0)
                return link_break(l, r);
        if (l->out_length == 0) {
                ssize_t n = send(l->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        return -errno; /* the read side sees the end as well, and drops the link */
                sent = n > 0 ? (size_t) n : 0;
        }
        r = sent < length ? link_queue(l, text + sent, length - sent) : 0;
        return r < 0 ? link_break(l, r) : 0;
}

static int link_finish(VarlinkLink *l, const char *error, json_t *parameters) {
        int r = link_send(l, error, parameters, false);

        l->busy = l->more = l->oneway = false;
        l->idle_since_usec = 0;
        /* The next call may have arrived while this one waited: a writable socket brings on_link_io() back to it. */
        if (l->server && l->in.used > 0)
                (void) sd_event_source_set_io_events(l->io, EPOLLIN | EPOLLOUT);
        return r;
}

int varlink_reply(VarlinkLink *l, json_t *parameters) {
        return link_finish(l, NULL, parameters);
}

int varlink_error(VarlinkLink *l, const char *error, json_t *parameters) {
        return link_finish(l, error, parameters);
}

int varlink_notify(VarlinkLink *l, json_t *parameters) {
        if (!l->more) {
                json_decref(parameters);
                return -EINVAL;
        }
        return link_send(l, NULL, parameters, true);
}

/* ---- calls ---- */

typedef struct CallMessage {
        char *method;
        json_t *parameters;
        bool more, oneway, upgrade;
} CallMessage;

static int call_message_parse(const json_t *message, CallMessage *ret) {
        static const JsonField table[] = {
                {"method", JSON_FIELD_STRING, offsetof(CallMessage, method), 255, JSON_REQUIRED},
                {"parameters", JSON_FIELD_OBJECT, offsetof(CallMessage, parameters), 0, 0},
                {"more", JSON_FIELD_BOOL, offsetof(CallMessage, more), 0, 0},
                {"oneway", JSON_FIELD_BOOL, offsetof(CallMessage, oneway), 0, 0},
                {"upgrade", JSON_FIELD_BOOL, offsetof(CallMessage, upgrade), 0, 0},
                {},
        };
        int r = json_dispatch(message, table, ret, NULL);

        if (r < 0)
                return r;
        if (!ret->parameters) {
                ret->parameters = json_object();
                if (!ret->parameters)
                        return -ENOMEM;
        }
        return 0;
}

static const VarlinkMethod *find_method(const VarlinkServer *s, const char *name) {
        for (const VarlinkInterface *const *i = s->interfaces; *i; i++) {
                size_t n = strlen((*i)->name);
                if (strncmp(name, (*i)->name, n) != 0 || name[n] != '.')
                        continue;
                for (const VarlinkMethod *m = (*i)->methods; m->name; m++)
                        if (streq(m->name, name + n + 1))
                                return m;
        }
        return NULL;
}

static int link_refuse(VarlinkLink *l, int r) {
        switch (r) {
        case -EBADMSG:
        case -ERANGE:
        case -ENODATA:
        case -EINVAL:
                return varlink_error(l, VARLINK_ERROR_INVALID_PARAMETER, json_pack("{s:s}", "parameter", ""));
        case -EPERM:
                return varlink_error(l, VARLINK_ERROR_PERMISSION_DENIED, NULL);
        default:
                return r;
        }
}

static int link_dispatch(VarlinkLink *l, const json_t *message) {
        CallMessage call = {};
        const VarlinkMethod *m;
        VarlinkServer *s = l->server;
        int r;

        r = call_message_parse(message, &call);
        if (r < 0)
                goto finish; /* not Varlink: the connection ends */
        l->busy = true;
        l->more = call.more;
        l->oneway = call.oneway;
        m = find_method(s, call.method);
        if (m) {
                r = (m->flags & VARLINK_ROOT_ONLY) && l->uid != 0 ? -EPERM
                                                                  : m->handler(l, call.parameters, call.more, s->userdata);
                if (r < 0)
                        r = link_refuse(l, r);
        } else {
                r = varlink_service_call(l, s->interfaces, call.method, call.parameters);
                if (r == -ENOENT)
                        r = varlink_error(l, VARLINK_ERROR_METHOD_NOT_FOUND, json_pack("{s:s}", "method", call.method));
                else if (r < 0)
                        r = link_refuse(l, r);
        }
finish:
        free(call.method);
        json_decref(call.parameters);
        return r;
}

/* Handles what has arrived whole. Drops the link if the peer is not speaking Varlink. A peer that has not read its last answer waits with its
 * next call: what it leaves unread is never more than one call's answers. */
static void link_process(VarlinkLink *l) {
        while (l->server && !l->busy && (l->out_length == 0 || l->muted)) {
                _cleanup_json_ json_t *message = NULL;
                int r = l->muted && l->in.used > 0 ? -EPROTO : varlink_buffer_take(&l->in, &message);

                if (r > 0)
                        r = link_dispatch(l, message);
                else if (r == 0)
                        return;
                if (r < 0)
                        link_drop(l);
        }
}

static int on_link_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        VarlinkLink *l = varlink_link_ref(userdata);

        if (revents & EPOLLOUT) {
                if (link_flush(l) < 0)
                        link_drop(l);
                else if (l->out_length == 0)
                        (void) sd_event_source_set_io_events(source, EPOLLIN);
        }
        if (l->server && (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
                int r = varlink_buffer_fill(&l->in, fd);
                if (r == 0 || (r < 0 && r != -EAGAIN))
                        link_drop(l);
        }
        if (l->server)
                link_process(l);
        varlink_link_unref(l);
        return 0;
}

/* ---- connections ---- */

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        VarlinkServer *s = userdata;

        for (VarlinkLink *l = s->user_links, *next; l; l = next) {
                next = l->next;
                if (l->busy)
                        continue;
                if (l->idle_since_usec == 0)
                        l->idle_since_usec = usec;
                else if (usec - l->idle_since_usec >= s->limits.idle_usec)
                        link_drop(l);
        }
        if (!s->user_links)
                return 0; /* oneshot: stays off */
        (void) sd_event_source_set_time(source, usec + s->limits.idle_usec);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void server_arm_sweep(VarlinkServer *s) {
        int enabled = SD_EVENT_OFF;

        if (s->sweep)
                (void) sd_event_source_get_enabled(s->sweep, &enabled);
        if (enabled != SD_EVENT_OFF)
                return;
        if (s->sweep) {
                (void) sd_event_source_set_time(s->sweep, now_usec(CLOCK_BOOTTIME) + s->limits.idle_usec);
                (void) sd_event_source_set_enabled(s->sweep, SD_EVENT_ONESHOT);
        } else
                (void) sd_event_add_time_relative(s->event, &s->sweep, CLOCK_BOOTTIME, s->limits.idle_usec, 0, on_sweep, s);
}

/* Root's connections are logins: users, however many of them, take half of all places at most. */
static bool server_is_full(const VarlinkServer *s, uid_t uid) {
        unsigned n = 0, n_users = 0;

        if (s->n_links >= s->limits.connections)
                return true;
        if (uid == 0)
                return false;
        for (const VarlinkLink *l = s->user_links; l; l = l->next) {
                n += l->uid == uid;
                n_users++;
        }
        return n >= s->limits.connections_per_user || n_users >= (s->limits.connections + 1) / 2;
}

static int server_add_link(VarlinkServer *s, int fd, VarlinkLink **ret) {
        struct ucred peer;
        socklen_t size = sizeof(peer);
        VarlinkLink *l, **head;
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        if (server_is_full(s, peer.uid))
                return -EMFILE;
        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        *l = (VarlinkLink){.n_ref = 1, .fd = fd, .uid = peer.uid, .pid = peer.pid, .in.max = s->limits.message_max};
        r = sd_event_add_io(s->event, &l->io, fd, EPOLLIN, on_link_io, l);
        if (r < 0) {
                free(l);
                return r;
        }
        head = peer.uid == 0 ? &s->root_links : &s->user_links;
        l->server = s;
        l->next = *head;
        l->prev = head;
        if (l->next)
                l->next->prev = &l->next;
        *head = l;
        s->n_links++;
        if (peer.uid != 0)
                server_arm_sweep(s);
        *ret = l;
        return 0;
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Listener *n = userdata;

        (void) source, (void) usec;
        return sd_event_source_set_enabled(n->io, SD_EVENT_ON);
}

/* Out of descriptors or memory: the peers wait in the backlog, and we do not turn on the spot meanwhile. */
static void listener_pause(Listener *n) {
        int r;

        r = sd_event_source_set_time_relative(n->pause, PAUSE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(n->pause, SD_EVENT_ONESHOT);
        if (r >= 0)
                (void) sd_event_source_set_enabled(n->io, SD_EVENT_OFF);
}

static int on_listen_io(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata) {
        Listener *n = userdata;
        VarlinkServer *s = n->server;

        (void) source, (void) revents;
        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                _cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                VarlinkLink *l = NULL;

                if (fd < 0) {
                        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                                log_warning("Cannot take a connection now, trying again: %m");
                                listener_pause(n);
                        }
                        return 0;
                }
                if (server_add_link(s, fd, &l) < 0 || !l)
                        continue; /* over a limit: the peer sees its connection end */
                (void) take_fd(&fd);
                /* Its call has often arrived already: saves a turn of the loop for each name that somebody looks up. */
                (void) varlink_link_ref(l);
                if (varlink_buffer_fill(&l->in, l->fd) > 0)
                        link_process(l);
                varlink_link_unref(l);
        }
        return 0;
}

int varlink_server_listen(VarlinkServer *s, int fd) {
        Listener *n = calloc(1, sizeof(*n));
        int r;

        if (!n) {
                (void) close(fd);
                return -ENOMEM;
        }
        n->server = s;
        /* systemd hands it over blocking: accept4() must not wait for a peer who changed his mind. */
        r = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
        if (r >= 0) /* now: when it is needed, there is no descriptor for a timer either */
                r = sd_event_add_time_relative(s->event, &n->pause, CLOCK_BOOTTIME, 0, 0, on_pause_over, n);
        if (r >= 0)
                r = sd_event_source_set_enabled(n->pause, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_io(s->event, &n->io, fd, EPOLLIN, on_listen_io, n);
        if (r < 0) {
                sd_event_source_disable_unref(n->pause);
                (void) close(fd);
                free(n);
                return r;
        }
        (void) sd_event_source_set_io_fd_own(n->io, 1);
        n->next = s->listeners;
        s->listeners = n;
        return 0;
}

int varlink_server_new(sd_event *event, const VarlinkInterface *const *interfaces, const VarlinkLimits *limits, void *userdata,
                       VarlinkServer **ret) {
        VarlinkServer *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        *s = (VarlinkServer){.event = sd_event_ref(event), .interfaces = interfaces, .limits = *limits, .userdata = userdata};
        *ret = s;
        return 0;
}

VarlinkServer *varlink_server_free(VarlinkServer *s) {
        if (!s)
                return NULL;
        while (s->listeners) {
                Listener *n = s->listeners;
                s->listeners = n->next;
                sd_event_source_disable_unref(n->io);
                sd_event_source_disable_unref(n->pause);
                free(n);
        }
        while (s->root_links)
                link_drop(s->root_links);
        while (s->user_links)
                link_drop(s->user_links);
        sd_event_source_disable_unref(s->sweep);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}
