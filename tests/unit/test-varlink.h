/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_VARLINK_H
#define JIT_TEST_VARLINK_H

/* The real server on a real socket, with methods that do what a test needs. The peers are plain sockets of this
 * process; "another user" is this process with another effective UID while it connects (SO_PEERCRED, unix(7)). */

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "json.h"
#include "test-host.h"
#include "varlink.h"

enum { MESSAGE_MAX = 4096 };

static sd_event *event;
static VarlinkServer *server;
static VarlinkLink *deferred[8];
static unsigned n_deferred, n_gone, n_echo, n_root_only;
static char directory[64], path[128];

static inline int vl_method_echo(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) more, (void) userdata;
        n_echo++;
        return varlink_reply(l, json_incref(parameters));
}

static inline void on_gone(VarlinkLink *l, void *userdata) {
        (void) l, (void) userdata;
        n_gone++;
}

static inline int vl_method_defer(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        deferred[n_deferred++] = varlink_link_ref(l);
        varlink_link_on_gone(l, on_gone, NULL);
        return 0;
}

static inline int vl_method_hold(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        varlink_link_on_gone(l, on_gone, NULL);
        varlink_link_mute(l);
        return varlink_reply(l, NULL);
}

static inline int vl_method_root(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        n_root_only++;
        return varlink_reply(l, NULL);
}

static inline int vl_method_fail(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        uint64_t error = 0;
        static const JsonField table[] = {{"errno", JSON_FIELD_UINT, 0, 4096, JSON_REQUIRED}, {}};
        int r = json_dispatch(parameters, table, &error, NULL);

        (void) l, (void) more, (void) userdata;
        return r < 0 ? r : -(int) error;
}

static inline char *big_text(size_t length) {
        char *text = malloc(length + 1);

        memset(text, 'x', length);
        text[length] = 0;
        return text;
}

static inline int vl_method_big(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        uint64_t count = 0, size = 0;
        const JsonField table[] = {{"count", JSON_FIELD_UINT, 0, 100000, JSON_REQUIRED}, {}};
        const JsonField *t = table;

        (void) userdata, (void) more;
        if (json_dispatch(parameters, t, &count, NULL) < 0)
                return -EINVAL;
        size = 64 * 1024;
        for (uint64_t i = 0; i < count; i++) {
                _cleanup_free_ char *text = big_text(size);
                json_t *p = json_pack("{s:s}", "text", text);
                int r = i + 1 < count ? varlink_notify(l, p) : varlink_reply(l, p);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const VarlinkMethod methods[] = {
                {"Echo", vl_method_echo, 0},
                {"Defer", vl_method_defer, 0},
                {"Hold", vl_method_hold, 0},
                {"Fail", vl_method_fail, 0},
                {"Root", vl_method_root, VARLINK_ROOT_ONLY},
                {"Big", vl_method_big, 0},
                {},
};
static const VarlinkInterface interface = {.name = "io.test", .description = "interface io.test\n", .methods = methods};
static const VarlinkInterface *const interfaces[] = {&interface, NULL};

static inline void setup_limits(unsigned connections, unsigned per_user, uint64_t idle_usec) {
        const VarlinkLimits limits = {connections, per_user, MESSAGE_MAX, idle_usec};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd;

        n_deferred = n_gone = n_echo = n_root_only = 0;
        (void) snprintf(directory, sizeof(directory), "/tmp/jit-test-XXXXXX");
        CHECK(mkdtemp(directory) != NULL);
        (void) chmod(directory, 0755);
        (void) snprintf(path, sizeof(path), "%s/s", directory);
        memcpy(address.sun_path, path, strlen(path) + 1);
        CHECK(sd_event_new(&event) >= 0);
        CHECK_EQ_INT(varlink_server_new(event, interfaces, &limits, NULL, &server), 0);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(bind(fd, (struct sockaddr *) &address, sizeof(address)) >= 0 && listen(fd, 128) >= 0);
        (void) chmod(path, 0666);
        CHECK_EQ_INT(varlink_server_listen(server, fd), 0);
}

static inline void setup(void) {
        setup_limits(64, 4, 10000000);
}

static inline void teardown(void) {
        for (unsigned i = 0; i < n_deferred; i++)
                varlink_link_unref(deferred[i]);
        server = varlink_server_free(server);
        event = sd_event_unref(event);
        (void) unlink(path);
        (void) rmdir(directory);
}

/* Lets the loop do all that is to be done now. */
static inline void pump(void) {
        for (unsigned i = 0; i < 200 && sd_event_run(event, 1000) > 0; i++)
                ;
}

static inline int peer(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        memcpy(address.sun_path, path, strlen(path) + 1);
        CHECK(connect(fd, (struct sockaddr *) &address, sizeof(address)) >= 0);
        return fd;
}

static inline int peer_of(uid_t uid) {
        int fd;

        CHECK(seteuid(uid) >= 0);
        fd = peer();
        CHECK(seteuid(0) >= 0);
        return fd;
}

static inline void say(int fd, const char *data, size_t length) {
        CHECK_EQ_INT(send(fd, data, length, MSG_NOSIGNAL), length);
}
#define SAY(fd, text) say(fd, text, sizeof(text)) /* with its NUL */

/* What has arrived, messages divided by '|'; "<end>" at its end if the server has hung up. */
static inline const char *hear(int fd) {
        static char text[64 * 1024];
        size_t used = 0;
        ssize_t n;

        pump();
        while ((n = recv(fd, text + used, sizeof(text) - used - 8, MSG_DONTWAIT)) > 0)
                used += (size_t) n;
        for (size_t i = 0; i < used; i++)
                if (!text[i])
                        text[i] = '|';
        (void) snprintf(text + used, 8, "%s", n == 0 || (n < 0 && errno == ECONNRESET) ? "<end>" : "");
        return text;
}

#define ECHO(n) "{\"method\":\"io.test.Echo\",\"parameters\":{\"n\":" #n "}}"

#endif
