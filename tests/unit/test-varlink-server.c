/* SPDX-License-Identifier: Apache-2.0 */

/* Peers that behave badly, against the real server on a real socket. The peers are plain sockets of this process; "another user" is this process
 * with another effective UID while it connects (SO_PEERCRED, unix(7)). */

#include <sys/resource.h>
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

static int vl_method_echo(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) more, (void) userdata;
        n_echo++;
        return varlink_reply(l, json_incref(parameters));
}

static void on_gone(VarlinkLink *l, void *userdata) {
        (void) l, (void) userdata;
        n_gone++;
}

static int vl_method_defer(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        deferred[n_deferred++] = varlink_link_ref(l);
        varlink_link_on_gone(l, on_gone, NULL);
        return 0;
}

static int vl_method_hold(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        varlink_link_on_gone(l, on_gone, NULL);
        varlink_link_mute(l);
        return varlink_reply(l, NULL);
}

static int vl_method_root(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        n_root_only++;
        return varlink_reply(l, NULL);
}

static int vl_method_fail(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        uint64_t error = 0;
        static const JsonField table[] = {{"errno", JSON_FIELD_UINT, 0, 4096, JSON_REQUIRED}, {}};
        int r = json_dispatch(parameters, table, &error, NULL);

        (void) l, (void) more, (void) userdata;
        return r < 0 ? r : -(int) error;
}

static char *big_text(size_t length) {
        char *text = malloc(length + 1);

        memset(text, 'x', length);
        text[length] = 0;
        return text;
}

static int vl_method_big(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
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
        {"Echo", vl_method_echo, 0}, {"Defer", vl_method_defer, 0}, {"Hold", vl_method_hold, 0}, {"Fail", vl_method_fail, 0},
        {"Root", vl_method_root, VARLINK_ROOT_ONLY}, {"Big", vl_method_big, 0}, {},
};
static const VarlinkInterface interface = {.name = "io.test", .description = "interface io.test\n", .methods = methods};
static const VarlinkInterface *const interfaces[] = {&interface, NULL};

static void setup_limits(unsigned connections, unsigned per_user, uint64_t idle_usec) {
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

static void setup(void) {
        setup_limits(64, 4, 10000000);
}

static void teardown(void) {
        for (unsigned i = 0; i < n_deferred; i++)
                varlink_link_unref(deferred[i]);
        server = varlink_server_free(server);
        event = sd_event_unref(event);
        (void) unlink(path);
        (void) rmdir(directory);
}

/* Lets the loop do all that is to be done now. */
static void pump(void) {
        for (unsigned i = 0; i < 200 && sd_event_run(event, 1000) > 0; i++)
                ;
}

static int peer(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        memcpy(address.sun_path, path, strlen(path) + 1);
        CHECK(connect(fd, (struct sockaddr *) &address, sizeof(address)) >= 0);
        return fd;
}

static int peer_of(uid_t uid) {
        int fd;

        CHECK(seteuid(uid) >= 0);
        fd = peer();
        CHECK(seteuid(0) >= 0);
        return fd;
}

static void say(int fd, const char *data, size_t length) {
        CHECK_EQ_INT(send(fd, data, length, MSG_NOSIGNAL), length);
}
#define SAY(fd, text) say(fd, text, sizeof(text)) /* with its NUL */

/* What has arrived, messages divided by '|'; "<end>" at its end if the server has hung up. */
static const char *hear(int fd) {
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

TEST(answers_in_order) {
        setup();
        int fd = peer();
        /* Two calls and a bit of a third in one write. */
        static const char three[] = ECHO(1) "\0" ECHO(2) "\0" "{\"method\":\"io.te";
        say(fd, three, sizeof(three) - 1);
        CHECK_STREQ(hear(fd), "{\"parameters\":{\"n\":1}}|{\"parameters\":{\"n\":2}}|");
        SAY(fd, "st.Echo\"}");
        CHECK_STREQ(hear(fd), "{\"parameters\":{}}|");
        /* Byte by byte. */
        for (size_t i = 0; i < sizeof(ECHO(3)); i++) {
                say(fd, ECHO(3) + i, 1);
                (void) sd_event_run(event, 0);
        }
        CHECK_STREQ(hear(fd), "{\"parameters\":{\"n\":3}}|");
        (void) close(fd);
        teardown();
}

TEST(garbage_ends_the_connection) {
        static const struct {
                const char *data;
                size_t length;
        } bad[] = {
#define BAD(text) {text, sizeof(text)}
                BAD(""), BAD("hello"), BAD("[]"), BAD("{\"method\":1}"), BAD("{}"), BAD("{\"method\":\"io.test.Echo\",\"extra\":1}"),
                BAD("{\"method\":\"io.test.Echo\",\"parameters\":[]}"), BAD("{\"method\":\"io.test.Echo\",\"more\":1}"),
                BAD("{\"method\":\"io.test.Echo\",\"method\":\"io.test.Echo\"}"), BAD("{\"method\":\"io.test.Echo\"}x"),
                BAD("{\"method\":\"io.test.\\u0000Echo\"}"), BAD("{\"method\":\"io.test.\\u001bEcho\"}"), BAD("{\"method\":\"\xff\"}"),
                BAD("GET / HTTP/1.0\r\n\r\n"), BAD("\0\0\0\0"),
                BAD("{\"method\":\"a\",\"parameters\":{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}}"),
        };
        setup();
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                int fd = peer();
                say(fd, bad[i].data, bad[i].length);
                if (!streq(hear(fd), "<end>"))
                        TEST_FAIL("case %zu goes on", i);
                (void) close(fd);
        }
        CHECK_EQ_INT(n_echo, 0);
        teardown();
}

TEST(too_long) {
        setup();
        char *text = big_text(2 * MESSAGE_MAX);
        int fd = peer();
        /* No NUL ever: dropped once it is longer than any message may be. */
        say(fd, text, 2 * MESSAGE_MAX);
        CHECK_STREQ(hear(fd), "<end>");
        (void) close(fd);
        /* Exactly the limit is fine, one more is not. */
        for (size_t over = 0; over < 2; over++) {
                static const char head[] = "{\"method\":\"io.test.Echo\",\"parameters\":{\"n\":\"", tail[] = "\"}}";
                size_t n = MESSAGE_MAX + over - (sizeof(head) - 1) - (sizeof(tail) - 1);
                fd = peer();
                say(fd, head, sizeof(head) - 1);
                say(fd, text, n);
                SAY(fd, "\"}}");
                CHECK_EQ_INT(strstr(hear(fd), "<end>") != NULL, over);
                (void) close(fd);
        }
        CHECK_EQ_INT(n_echo, 1);
        free(text);
        teardown();
}

TEST(errors) {
        setup();
        int fd = peer();
        SAY(fd, "{\"method\":\"io.test.Nothing\"}");
        CHECK_STREQ(hear(fd), "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"io.test.Nothing\"}}|");
        SAY(fd, "{\"method\":\"io.testEcho\"}");
        CHECK(strstr(hear(fd), "MethodNotFound"));
        SAY(fd, "{\"method\":\"io.test\"}");
        CHECK(strstr(hear(fd), "MethodNotFound"));
        SAY(fd, "{\"method\":\"io.test.Fail\",\"parameters\":{\"errno\":22}}");
        CHECK_STREQ(hear(fd), "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"\"}}|");
        SAY(fd, "{\"method\":\"io.test.Fail\",\"parameters\":{\"errno\":1}}");
        CHECK_STREQ(hear(fd), "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}|");
        SAY(fd, "{\"method\":\"io.test.Fail\",\"parameters\":{\"errno\":5}}");
        CHECK_STREQ(hear(fd), "<end>");
        (void) close(fd);
        teardown();
}

TEST(introspection) {
        setup();
        int fd = peer();
        SAY(fd, "{\"method\":\"org.varlink.service.GetInfo\"}");
        CHECK(strstr(hear(fd), "\"interfaces\":[\"org.varlink.service\",\"io.test\"]"));
        SAY(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"io.test\"}}");
        CHECK(strstr(hear(fd), "interface io.test"));
        SAY(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"no\"}}");
        CHECK(strstr(hear(fd), "InterfaceNotFound"));
        SAY(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\"}");
        CHECK(strstr(hear(fd), "InvalidParameter"));
        (void) close(fd);
        teardown();
}

TEST(deferred_answers) {
        setup();
        int fd = peer();
        SAY(fd, "{\"method\":\"io.test.Defer\"}");
        SAY(fd, ECHO(7));
        CHECK_STREQ(hear(fd), ""); /* one call at a time */
        CHECK_EQ_INT(n_echo, 0);
        CHECK_EQ_INT(varlink_reply(deferred[0], NULL), 0);
        CHECK_STREQ(hear(fd), "{\"parameters\":{}}|{\"parameters\":{\"n\":7}}|");
        CHECK_EQ_INT(n_gone, 0);
        (void) close(fd);
        pump();
        CHECK_EQ_INT(n_gone, 1);
        CHECK_EQ_INT(varlink_reply(deferred[0], json_object()), 0); /* to somebody who is gone: silent */
        CHECK_EQ_INT(varlink_error(deferred[0], "io.test.Error", NULL), 0);
        teardown();
}

TEST(gone_while_waiting) {
        setup();
        int fd = peer();
        SAY(fd, "{\"method\":\"io.test.Defer\"}");
        pump();
        (void) close(fd);
        pump();
        CHECK_EQ_INT(n_gone, 1);
        CHECK_EQ_INT(varlink_notify(deferred[0], NULL), -EINVAL); /* there was no "more" */
        CHECK_EQ_INT(varlink_reply(deferred[0], NULL), 0);
        teardown();
}

TEST(server_ends_with_calls_open) {
        setup();
        int fd = peer();
        SAY(fd, "{\"method\":\"io.test.Defer\"}");
        pump();
        server = varlink_server_free(server);
        CHECK_EQ_INT(n_gone, 1);
        CHECK_EQ_INT(varlink_reply(deferred[0], json_object()), 0);
        (void) close(fd);
        teardown();
}

TEST(oneway_gets_no_answer) {
        setup();
        int fd = peer();
        SAY(fd, "{\"method\":\"io.test.Echo\",\"oneway\":true}");
        SAY(fd, "{\"method\":\"io.test.Nothing\",\"oneway\":true}");
        SAY(fd, "{\"method\":\"io.test.Fail\",\"parameters\":{\"errno\":1},\"oneway\":true}");
        SAY(fd, ECHO(1));
        CHECK_STREQ(hear(fd), "{\"parameters\":{\"n\":1}}|");
        CHECK_EQ_INT(n_echo, 2);
        /* One whose answer comes later: not into the next call. */
        SAY(fd, "{\"method\":\"io.test.Defer\",\"oneway\":true}");
        SAY(fd, ECHO(2));
        CHECK_STREQ(hear(fd), "");
        CHECK_EQ_INT(varlink_reply(deferred[0], json_pack("{s:s}", "not", "yours")), 0);
        CHECK_STREQ(hear(fd), "{\"parameters\":{\"n\":2}}|");
        (void) close(fd);
        teardown();
}

TEST(more) {
        setup();
        int fd = peer();
        SAY(fd, "{\"method\":\"io.test.Defer\",\"more\":true}");
        pump();
        CHECK_EQ_INT(varlink_notify(deferred[0], json_pack("{s:i}", "n", 1)), 0);
        CHECK_EQ_INT(varlink_notify(deferred[0], json_pack("{s:i}", "n", 2)), 0);
        CHECK_EQ_INT(varlink_reply(deferred[0], json_pack("{s:i}", "n", 3)), 0);
        CHECK_STREQ(hear(fd), "{\"parameters\":{\"n\":1},\"continues\":true}|{\"parameters\":{\"n\":2},\"continues\":true}|"
                              "{\"parameters\":{\"n\":3}}|");
        CHECK_EQ_INT(varlink_notify(deferred[0], NULL), -EINVAL); /* over */
        (void) close(fd);
        teardown();
}

TEST(muted_link) {
        static const char hold[] = "{\"method\":\"io.test.Hold\"}", *const words[] = {ECHO(1), "x", "\n", "{"};

        setup();
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                int fd = peer();
                say(fd, hold, sizeof(hold));
                CHECK_STREQ(hear(fd), "{\"parameters\":{}}|");
                CHECK_EQ_INT(n_gone, i);
                say(fd, words[i], strlen(words[i])); /* whole or not: it may say nothing */
                CHECK_STREQ(hear(fd), "<end>");
                CHECK_EQ_INT(n_gone, i + 1);
                (void) close(fd);
        }
        /* Sent together with the call that muted it. */
        int fd = peer();
        static const char both[] = "{\"method\":\"io.test.Hold\"}\0" ECHO(1);
        say(fd, both, sizeof(both));
        CHECK_STREQ(hear(fd), "{\"parameters\":{}}|<end>");
        CHECK_EQ_INT(n_echo, 0);
        (void) close(fd);
        teardown();
}

TEST(root_only) {
        if (!test_is_root("root_only"))
                return;
        setup();
        int fd = peer_of(TEST_UID_MIN), root = peer();
        SAY(fd, "{\"method\":\"io.test.Root\"}");
        CHECK(strstr(hear(fd), "PermissionDenied"));
        CHECK_EQ_INT(n_root_only, 0);
        SAY(root, "{\"method\":\"io.test.Root\"}");
        CHECK_STREQ(hear(root), "{\"parameters\":{}}|");
        (void) close(fd);
        (void) close(root);
        teardown();
}

TEST(limit_per_user) {
        int fds[5], other, root[8];

        if (!test_is_root("limit_per_user"))
                return;
        setup();
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = peer_of(TEST_UID_MIN);
        other = peer_of(TEST_UID_MIN + 1);
        CHECK_STREQ(hear(fds[4]), "<end>");
        CHECK_STREQ(hear(fds[3]), "");
        for (size_t i = 0; i < ELEMENTSOF(root); i++) { /* root has no limit of its own */
                root[i] = peer();
                CHECK_STREQ(hear(root[i]), "");
        }
        SAY(other, ECHO(1));
        CHECK_STREQ(hear(other), "{\"parameters\":{\"n\":1}}|");
        (void) close(fds[0]);
        pump();
        (void) close(fds[4]);
        fds[4] = peer_of(TEST_UID_MIN); /* a place is free again */
        CHECK_STREQ(hear(fds[4]), "");
        for (size_t i = 1; i < ELEMENTSOF(fds); i++)
                (void) close(fds[i]);
        for (size_t i = 0; i < ELEMENTSOF(root); i++)
                (void) close(root[i]);
        (void) close(other);
        teardown();
}

TEST(users_leave_places_for_root) {
        int fds[12], root;

        if (!test_is_root("users_leave_places_for_root"))
                return;
        setup_limits(10, 4, 10000000);
        for (uid_t i = 0; i < 12; i++)
                fds[i] = peer_of(TEST_UID_MIN + i);
        pump();
        root = peer();
        SAY(root, ECHO(1));
        CHECK_STREQ(hear(root), "{\"parameters\":{\"n\":1}}|");
        CHECK_STREQ(hear(fds[4]), "");
        CHECK_STREQ(hear(fds[5]), "<end>");
        for (size_t i = 0; i < 12; i++)
                (void) close(fds[i]);
        (void) close(root);
        teardown();
}

static void run_for(uint64_t usec) {
        uint64_t end = 0, now = 0;

        (void) sd_event_now(event, CLOCK_BOOTTIME, &end);
        end += usec;
        do {
                (void) sd_event_run(event, 5000);
                (void) sd_event_now(event, CLOCK_BOOTTIME, &now);
        } while (now < end);
}

TEST(idle_sweep) {
        if (!test_is_root("idle_sweep"))
                return;
        setup_limits(64, 8, 40000);
        int idle = peer_of(TEST_UID_MIN), half = peer_of(TEST_UID_MIN), waits = peer_of(TEST_UID_MIN), root = peer();
        say(half, "{\"met", 5);
        SAY(waits, "{\"method\":\"io.test.Defer\"}");
        run_for(150000);
        CHECK_STREQ(hear(idle), "<end>");
        CHECK_STREQ(hear(half), "<end>");
        CHECK_STREQ(hear(waits), ""); /* we owe it an answer */
        CHECK_STREQ(hear(root), "");
        CHECK_EQ_INT(varlink_reply(deferred[0], NULL), 0);
        CHECK_STREQ(hear(waits), "{\"parameters\":{}}|");
        run_for(150000);
        CHECK_STREQ(hear(waits), "<end>");
        (void) close(idle);
        (void) close(half);
        (void) close(waits);
        (void) close(root);
        teardown();
}

TEST(peer_that_never_reads) {
        setup();
        int fd = peer();
        /* Far more than the socket takes; and then calls that would each add to it. */
        SAY(fd, "{\"method\":\"io.test.Big\",\"parameters\":{\"count\":30},\"more\":true}");
        pump();
        for (unsigned i = 0; i < 20; i++)
                SAY(fd, ECHO(1));
        pump();
        CHECK_EQ_INT(n_echo, 0); /* they wait until it reads */
        size_t total = 0;
        for (unsigned i = 0; i < 1000; i++) {
                char chunk[65536];
                ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
                if (n == 0)
                        break;
                total += n > 0 ? (size_t) n : 0;
                (void) sd_event_run(event, 0);
        }
        CHECK_EQ_INT(n_echo, 20);
        CHECK(total > 30 * 65536);
        (void) close(fd);
        teardown();
}

TEST(too_much_unread_ends_it) {
        setup();
        int fd = peer(), other = peer();
        SAY(fd, "{\"method\":\"io.test.Big\",\"parameters\":{\"count\":200},\"more\":true}"); /* 12.5 MiB */
        pump();
        /* A stream with a hole would be taken for a whole one: what can be read ends without a last answer. */
        char last = 'x';
        ssize_t n;
        char *chunk = malloc(1 << 20);
        do {
                (void) sd_event_run(event, 0);
                n = recv(fd, chunk, 1 << 20, MSG_DONTWAIT);
                if (n > 0)
                        last = chunk[n - 1];
        } while (n > 0);
        CHECK(n == 0 || errno == ECONNRESET);
        CHECK(last != 0 || memcmp(chunk, "", 1) != 0);
        free(chunk);
        SAY(other, ECHO(1));
        CHECK_STREQ(hear(other), "{\"parameters\":{\"n\":1}}|");
        (void) close(fd);
        (void) close(other);
        teardown();
}

TEST(no_descriptors_left) {
        struct rlimit before, none;
        unsigned turns = 0;

        if (!without_valgrind("no_descriptors_left"))
                return;
        setup();
        int waiting = peer(), fd = peer();
        (void) getrlimit(RLIMIT_NOFILE, &before);
        none = before;
        none.rlim_cur = (rlim_t) fd + 1;
        CHECK(setrlimit(RLIMIT_NOFILE, &none) >= 0);
        /* It looks again now and then, and does not turn on the spot. */
        for (unsigned i = 0; i < 50; i++)
                turns += sd_event_run(event, 1000) > 0;
        CHECK(turns < 10);
        CHECK(setrlimit(RLIMIT_NOFILE, &before) >= 0);
        run_for(150000);
        SAY(waiting, ECHO(1));
        CHECK_STREQ(hear(waiting), "{\"parameters\":{\"n\":1}}|");
        (void) close(fd);
        (void) close(waiting);
        teardown();
}

TEST(many_peers_come_and_go) {
        setup();
        for (unsigned i = 0; i < 2000; i++) {
                int fd = peer();
                if (i % 3 == 0)
                        SAY(fd, ECHO(1));
                if (i % 5 == 0)
                        say(fd, "{", 1);
                (void) sd_event_run(event, 0);
                (void) close(fd);
        }
        pump();
        int fd = peer();
        SAY(fd, ECHO(1));
        CHECK_STREQ(hear(fd), "{\"parameters\":{\"n\":1}}|");
        (void) close(fd);
        teardown();
}

TEST_MAIN
