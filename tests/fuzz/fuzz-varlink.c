/* SPDX-License-Identifier: Apache-2.0 */

/* What a peer may send: as the server's calls, in pieces, through the real connection code; and as an answer to the
 * client. The first byte says how long the pieces are. */

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "cleanup.h"
#include "json.h"
#include "varlink-wire.h"
#include "varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 4096 };

static VarlinkLink *deferred;

static int vl_method_echo(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) userdata;
        if (more)
                (void) varlink_notify(l, json_incref(parameters));
        return varlink_reply(l, json_incref(parameters));
}

static int vl_method_defer(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        varlink_link_unref(deferred);
        deferred = varlink_link_ref(l);
        return 0;
}

static int vl_method_mute(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        varlink_link_mute(l);
        return varlink_reply(l, NULL);
}

static const VarlinkMethod methods[] = {
                {"Echo", vl_method_echo, 0}, {"Defer", vl_method_defer, 0}, {"Mute", vl_method_mute, 0}, {}};
static const VarlinkInterface interface = {.name = "io.test", .description = "interface io.test", .methods = methods},
                              *const interfaces[] = {&interface, NULL};

static void feed_answers(const uint8_t *data, size_t size) {
        VarlinkBuffer b = {.max = MESSAGE_MAX};
        int fds[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
                abort();
        (void) !send(fds[0], data, size, MSG_NOSIGNAL);
        (void) close(fds[0]);
        while ((r = varlink_buffer_fill(&b, fds[1])) > 0) {
                _cleanup_json_ json_t *message = NULL;
                while ((r = varlink_buffer_take(&b, &message)) > 0) {
                        VarlinkAnswer a;
                        if (varlink_answer_parse(message, &a) >= 0)
                                varlink_answer_done(&a);
                        json_decref(take_ptr(message));
                }
                if (r < 0)
                        break;
        }
        varlink_buffer_done(&b);
        (void) close(fds[1]);
}

static void drain(sd_event *event, int fd) {
        char answers[4096];

        for (unsigned i = 0; i < 4 && sd_event_run(event, 0) > 0; i++)
                ;
        while (recv(fd, answers, sizeof(answers), MSG_DONTWAIT) > 0)
                ;
}

static void feed_server(const uint8_t *data, size_t size, size_t piece) {
        static const VarlinkLimits limits = {8, 8, MESSAGE_MAX, 1000000};
        static sd_event *event;
        static VarlinkServer *server;
        static struct sockaddr_un address = {.sun_family = AF_UNIX};
        static socklen_t length = sizeof(sa_family_t); /* autobind: an abstract address, unix(7) */
        int fd;

        if (!server) {
                if (sd_event_new(&event) < 0 || varlink_server_new(event, interfaces, &limits, NULL, &server) < 0)
                        abort();
                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (bind(fd, (struct sockaddr *) &address, length) < 0 || listen(fd, 8) < 0)
                        abort();
                length = sizeof(address);
                if (getsockname(fd, (struct sockaddr *) &address, &length) < 0 || varlink_server_listen(server, fd) < 0)
                        abort();
        }
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *) &address, length) < 0)
                abort();
        while (size > 0) {
                size_t n = size < piece ? size : piece;
                if (send(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                        break;
                data += n;
                size -= n;
                drain(event, fd);
                if (deferred) {
                        (void) varlink_reply(deferred, NULL);
                        deferred = varlink_link_unref(deferred);
                }
        }
        drain(event, fd);
        (void) close(fd);
        for (unsigned i = 0; i < 8 && sd_event_run(event, 0) > 0; i++)
                ;
        deferred = varlink_link_unref(deferred);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size < 1)
                return 0;
        feed_answers(data + 1, size - 1);
        feed_server(data + 1, size - 1, size / 64 > data[0] ? size / 64 : (size_t) data[0] + 1);
        return 0;
}
