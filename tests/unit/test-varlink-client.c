/* SPDX-License-Identifier: Apache-2.0 */

/* The daemons' client on the event loop: each call has one last word, whatever the server does. */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "json.h"
#include "test-host.h"
#include "timefmt.h"
#include "varlink.h"

static char directory[64], path[128];
static int listen_fd;
static sd_event *event;
static unsigned n_continues, n_last;
static char last_error[256], last_parameters[256];

static void setup(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        (void) snprintf(directory, sizeof(directory), "/tmp/jit-test-XXXXXX");
        CHECK(mkdtemp(directory) != NULL);
        (void) snprintf(path, sizeof(path), "%s/s", directory);
        memcpy(address.sun_path, path, strlen(path) + 1);
        listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(bind(listen_fd, (struct sockaddr *) &address, sizeof(address)) >= 0 && listen(listen_fd, 8) >= 0);
        CHECK(sd_event_new(&event) >= 0);
        n_continues = n_last = 0;
        last_error[0] = last_parameters[0] = 0;
}

static void teardown(void) {
        event = sd_event_unref(event);
        (void) close(listen_fd);
        (void) unlink(path);
        (void) rmdir(directory);
}

static void on_answer(const char *error, json_t *parameters, bool continues, void *userdata) {
        _cleanup_free_ char *text = parameters ? json_dumps(parameters, JSON_COMPACT) : NULL;

        CHECK(userdata == &event);
        n_continues += continues;
        n_last += !continues;
        (void) snprintf(last_error, sizeof(last_error), "%s", error ? error : "");
        (void) snprintf(last_parameters, sizeof(last_parameters), "%s", text ? text : "");
}

static void pump(void) {
        for (unsigned i = 0; i < 100 && sd_event_run(event, 1000) > 0; i++)
                ;
}

/* Calls, takes the call, answers with data and hangs up. */
static void exchange(bool more, const char *data, size_t length) {
        char text[4096];

        n_continues = n_last = 0;
        last_error[0] = last_parameters[0] = 0;
        CHECK_EQ_INT(varlink_call_async(event, path, "io.test.X", json_pack("{s:i}", "n", 1), more, 10 * USEC_PER_SEC,
                                        on_answer, &event, NULL),
                     0);
        int fd = accept(listen_fd, NULL, NULL);
        pump();
        ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
        text[n > 0 ? n : 0] = 0;
        CHECK_STREQ(text, more ? "{\"method\":\"io.test.X\",\"parameters\":{\"n\":1},\"more\":true}"
                               : "{\"method\":\"io.test.X\",\"parameters\":{\"n\":1}}");
        if (length > 0)
                CHECK_EQ_INT(send(fd, data, length, MSG_NOSIGNAL), length);
        pump();
        (void) close(fd);
        pump();
        CHECK_EQ_INT(n_last, 1);
}
#define EXCHANGE(more, text) exchange(more, text, sizeof(text))

TEST(answers) {
        setup();
        EXCHANGE(false, "{\"parameters\":{\"a\":1}}");
        CHECK_STREQ(last_parameters, "{\"a\":1}");
        CHECK_STREQ(last_error, "");
        EXCHANGE(false, "{\"error\":\"io.test.No\"}");
        CHECK_STREQ(last_error, "io.test.No");
        EXCHANGE(true, "{\"parameters\":{\"n\":1},\"continues\":true}\0{\"parameters\":{\"n\":2}}\0{\"parameters\":{"
                       "\"n\":3}}");
        CHECK_EQ_INT(n_continues, 1);
        CHECK_STREQ(last_parameters, "{\"n\":2}");                        /* and what came behind it is nobody's */
        EXCHANGE(false, "{\"parameters\":{\"n\":1},\"continues\":true}"); /* not asked for: the last all the same */
        CHECK_EQ_INT(n_continues, 0);
        teardown();
}

TEST(mad_servers) {
        setup();
        EXCHANGE(false, "");
        CHECK_STREQ(last_error, "io.pamjit.Protocol");
        EXCHANGE(true, "{\"parameters\":{},\"continues\":true}\0[]");
        CHECK_STREQ(last_error, "io.pamjit.Protocol");
        CHECK_EQ_INT(n_continues, 1);
        EXCHANGE(false, "{\"parameters\":null,\"x\":1}");
        CHECK_STREQ(last_error, "io.pamjit.Protocol");
        exchange(false, "{\"par", 5);
        CHECK_STREQ(last_error, "io.pamjit.Disconnected");
        exchange(true, NULL, 0);
        CHECK_STREQ(last_error, "io.pamjit.Disconnected");
        teardown();
}

TEST(too_long) {
        static char chunk[64 * 1024];

        setup();
        memset(chunk, 'x', sizeof(chunk));
        CHECK_EQ_INT(varlink_call_async(event, path, "io.test.X", NULL, false, 10 * USEC_PER_SEC, on_answer, &event,
                                        NULL),
                     0);
        int fd = accept(listen_fd, NULL, NULL);
        for (unsigned i = 0; i < 100 && n_last == 0; i++) {
                (void) send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL | MSG_DONTWAIT);
                for (unsigned k = 0; k < 20 && n_last == 0; k++)
                        (void) sd_event_run(event, 0);
        }
        CHECK_EQ_INT(n_last, 1);
        CHECK_STREQ(last_error, "io.pamjit.Protocol");
        (void) close(fd);
        teardown();
}

TEST(timeout_and_cancel) {
        VarlinkCall *c = NULL;

        setup();
        CHECK_EQ_INT(varlink_call_async(event, path, "io.test.X", NULL, false, 20 * USEC_PER_MSEC, on_answer, &event,
                                        NULL),
                     0);
        for (unsigned i = 0; i < 50 && n_last == 0; i++)
                (void) sd_event_run(event, 20000);
        CHECK_EQ_INT(n_last, 1);
        CHECK_STREQ(last_error, "io.pamjit.Timeout");
        CHECK_EQ_INT(varlink_call_async(event, path, "io.test.X", NULL, true, 0, on_answer, &event, &c), 0);
        varlink_call_free(c);
        pump();
        CHECK_EQ_INT(n_last, 1); /* a call that was taken back has no word */
        teardown();
}

TEST(no_server) {
        setup();
        CHECK_EQ_INT(varlink_call_async(event, "/nonexistent/s", "io.test.X", json_object(), false, 0, on_answer,
                                        &event, NULL),
                     -ENOENT);
        CHECK_EQ_INT(n_last, 0);
        teardown();
}

static unsigned n_again;

static void on_answer_call_again(const char *error, json_t *parameters, bool continues, void *userdata) {
        (void) error, (void) parameters, (void) continues;
        if (++n_again < 5)
                CHECK_EQ_INT(varlink_call_async(userdata, path, "io.test.X", NULL, false, 0, on_answer_call_again,
                                                userdata, NULL),
                             0);
}

TEST(calls_again_from_its_answer) {
        setup();
        n_again = 0;
        CHECK_EQ_INT(varlink_call_async(event, path, "io.test.X", NULL, false, 0, on_answer_call_again, event, NULL),
                     0);
        for (unsigned i = 0; i < 5; i++) {
                (void) close(accept(listen_fd, NULL, NULL));
                pump();
        }
        CHECK_EQ_INT(n_again, 5);
        teardown();
}

/* ---- a pool ---- */

static VarlinkPool *pool;

static void pool_setup(void) {
        setup();
        CHECK_EQ_INT(fcntl(listen_fd, F_SETFL, O_NONBLOCK), 0); /* "nobody connected" is an answer here */
        CHECK_EQ_INT(varlink_pool_new(event, path, &pool), 0);
}

static void pool_teardown(void) {
        pool = varlink_pool_free(pool);
        teardown();
}

static void pool_call(void) {
        n_last = 0;
        last_error[0] = last_parameters[0] = 0;
        CHECK_EQ_INT(varlink_pool_call(pool, "io.test.X", NULL, 10 * USEC_PER_SEC, on_answer, &event, NULL), 0);
}

static int peer(void) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        CHECK(fd >= 0);
        return fd;
}

static void nobody_connects(void) {
        CHECK_EQ_INT(accept(listen_fd, NULL, NULL), -1);
}

static void hears_call(int fd) {
        static const char call[] = "{\"method\":\"io.test.X\",\"parameters\":{}}";
        char text[256] = "";

        CHECK_EQ_INT(recv(fd, text, sizeof(text), 0), sizeof(call));
        CHECK_STREQ(text, call);
}

static void say(int fd, const char *data, size_t length) {
        CHECK_EQ_INT(send(fd, data, length, MSG_NOSIGNAL), length);
        pump();
}
#define SAY(fd, text) say(fd, text, sizeof(text))

static void call_is_answered(int fd) {
        hears_call(fd);
        SAY(fd, "{\"parameters\":{\"a\":1}}");
        CHECK_EQ_INT(n_last, 1);
        CHECK_STREQ(last_error, "");
        CHECK_STREQ(last_parameters, "{\"a\":1}");
}

static void call_fails(const char *error) {
        CHECK_EQ_INT(n_last, 1);
        CHECK_STREQ(last_error, error);
}

static bool is_closed(int fd) {
        char c;
        ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

        return n == 0 || (n < 0 && errno == ECONNRESET); /* unix(7): it was closed before all had been read */
}

TEST(pool_keeps_its_connection) {
        pool_setup();
        pool_call();
        int fd = peer();
        call_is_answered(fd);
        for (unsigned i = 0; i < 5; i++) {
                pool_call();
                call_is_answered(fd);
        }
        nobody_connects();
        pool_call(); /* an error is an answer as well */
        hears_call(fd);
        SAY(fd, "{\"error\":\"io.test.No\"}");
        call_fails("io.test.No");
        pool_call();
        call_is_answered(fd);
        nobody_connects();
        CHECK(!is_closed(fd));
        pool_teardown();
        CHECK(is_closed(fd));
        (void) close(fd);
}

TEST(pool_one_call_at_a_time_on_each) {
        VarlinkCall *again[5];
        int fd[8];

        pool_setup();
        for (unsigned i = 0; i < ELEMENTSOF(fd); i++) {
                pool_call();
                fd[i] = peer();
        }
        for (unsigned i = 0; i < ELEMENTSOF(fd); i++) {
                n_last = 0;
                call_is_answered(fd[i]);
        }
        unsigned n_closed = 0;
        for (unsigned i = 0; i < ELEMENTSOF(fd); i++)
                n_closed += is_closed(fd[i]);
        CHECK_EQ_INT(n_closed, 4); /* so many are kept, no more */
        for (unsigned i = 0; i < ELEMENTSOF(again); i++) {
                if (i == 4)
                        nobody_connects();
                CHECK_EQ_INT(varlink_pool_call(pool, "io.test.X", NULL, 0, on_answer, &event, &again[i]), 0);
        }
        (void) close(peer());
        for (unsigned i = 0; i < ELEMENTSOF(again); i++)
                varlink_call_free(again[i]);
        pool_teardown();
        for (unsigned i = 0; i < ELEMENTSOF(fd); i++)
                (void) close(fd[i]);
}

TEST(pool_server_goes_away_between_calls) {
        pool_setup();
        for (unsigned noticed = 0; noticed < 2; noticed++) {
                pool_call();
                int fd = peer();
                call_is_answered(fd);
                (void) close(fd);
                if (noticed)
                        pump();
                pool_call();
                fd = peer();
                call_is_answered(fd);
                nobody_connects();
                (void) close(fd);
                pump();
        }
        pool_teardown();
}

TEST(pool_server_goes_away_without_an_answer) {
        pool_setup();
        pool_call();
        int fd = peer();
        call_is_answered(fd);
        pool_call();
        hears_call(fd);
        (void) close(fd);
        pump();
        CHECK_EQ_INT(n_last, 0);
        fd = peer(); /* made once more, where another instance may listen by now */
        hears_call(fd);
        (void) close(fd);
        pump();
        call_fails("io.pamjit.Disconnected"); /* and no third time */
        nobody_connects();

        pool_call(); /* the first on a connection: not made again */
        (void) close(peer());
        pump();
        call_fails("io.pamjit.Disconnected");
        nobody_connects();
        pool_teardown();
}

TEST(pool_half_an_answer) {
        pool_setup();
        pool_call();
        int fd = peer();
        call_is_answered(fd);
        pool_call();
        hears_call(fd);
        say(fd, "{\"par", 5);
        (void) close(fd);
        pump();
        call_fails("io.pamjit.Disconnected");
        nobody_connects();
        pool_teardown();
}

/* What nobody asked for must not become the next call's answer. */
TEST(pool_too_many_answers) {
        pool_setup();
        pool_call();
        int fd = peer();
        hears_call(fd);
        SAY(fd, "{\"parameters\":{\"a\":1}}\0{\"parameters\":{\"a\":2}}");
        CHECK_STREQ(last_parameters, "{\"a\":1}");
        CHECK(is_closed(fd));
        (void) close(fd);

        pool_call();
        fd = peer();
        call_is_answered(fd);
        SAY(fd, "{\"parameters\":{\"a\":3}}"); /* while it is idle */
        CHECK(is_closed(fd));
        (void) close(fd);

        pool_call();
        fd = peer();
        hears_call(fd);
        SAY(fd, "{\"parameters\":{\"a\":4},\"continues\":true}"); /* and what continues */
        CHECK_EQ_INT(n_last, 1);
        CHECK(is_closed(fd));
        (void) close(fd);
        pool_teardown();
}

TEST(pool_late_answers) {
        VarlinkCall *c;

        pool_setup();
        n_last = 0;
        CHECK_EQ_INT(varlink_pool_call(pool, "io.test.X", NULL, 20 * USEC_PER_MSEC, on_answer, &event, NULL), 0);
        int fd = peer();
        for (unsigned i = 0; i < 50 && n_last == 0; i++)
                (void) sd_event_run(event, 20000);
        call_fails("io.pamjit.Timeout");
        hears_call(fd);
        CHECK(is_closed(fd));
        (void) close(fd);

        n_last = 0;
        CHECK_EQ_INT(varlink_pool_call(pool, "io.test.X", NULL, 0, on_answer, &event, &c), 0);
        fd = peer();
        hears_call(fd);
        varlink_call_free(c);
        CHECK(is_closed(fd));
        (void) close(fd);
        pump();
        CHECK_EQ_INT(n_last, 0);
        pool_teardown();
}

TEST(pool_ends_before_its_call) {
        pool_setup();
        pool_call();
        int fd = peer();
        pool = varlink_pool_free(pool);
        call_is_answered(fd);
        CHECK(is_closed(fd));
        (void) close(fd);
        teardown();
}

TEST(pool_no_server) {
        pool_setup();
        (void) close(listen_fd);
        CHECK_EQ_INT(varlink_pool_call(pool, "io.test.X", NULL, 0, on_answer, &event, NULL), -ECONNREFUSED);
        pool_teardown();
}

static void on_answer_pool_again(const char *error, json_t *parameters, bool continues, void *userdata) {
        (void) parameters, (void) continues;
        CHECK(error == NULL);
        if (++n_again < 5)
                CHECK_EQ_INT(varlink_pool_call(userdata, "io.test.X", NULL, 0, on_answer_pool_again, userdata, NULL),
                             0);
}

TEST(pool_calls_again_from_its_answer) {
        pool_setup();
        n_again = 0;
        CHECK_EQ_INT(varlink_pool_call(pool, "io.test.X", NULL, 0, on_answer_pool_again, pool, NULL), 0);
        int fd = peer();
        for (unsigned i = 0; i < 5; i++) {
                hears_call(fd);
                SAY(fd, "{}");
        }
        CHECK_EQ_INT(n_again, 5);
        nobody_connects();
        (void) close(fd);
        pool_teardown();
}

TEST_MAIN
