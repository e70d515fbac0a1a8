/* SPDX-License-Identifier: Apache-2.0 */

/* The blocking client, as it sits in sshd: a server that is slow, silent, gone or mad costs its deadline and no more.
 */

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "json.h"
#include "test-host.h"
#include "timefmt.h"
#include "varlink.h"

static char directory[64], path[128];
static int listen_fd;

/* What the server does once somebody has called: says data, in pieces of so many bytes, with a nap before each; then
 * hangs up or stays. */
typedef struct Script {
        const char *data;
        size_t length, piece;
        useconds_t nap_usec;
        bool stay;
} Script;

static void setup(int backlog) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        (void) snprintf(directory, sizeof(directory), "/tmp/jit-test-XXXXXX");
        CHECK(mkdtemp(directory) != NULL);
        (void) snprintf(path, sizeof(path), "%s/s", directory);
        memcpy(address.sun_path, path, strlen(path) + 1);
        listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(bind(listen_fd, (struct sockaddr *) &address, sizeof(address)) >= 0 && listen(listen_fd, backlog) >= 0);
}

static void teardown(void) {
        (void) close(listen_fd);
        (void) unlink(path);
        (void) rmdir(directory);
}

static void *serve(void *userdata) {
        const Script *s = userdata;
        int fd = accept(listen_fd, NULL, NULL);
        char call[4096];

        (void) !recv(fd, call, sizeof(call), 0);
        for (size_t at = 0; at < s->length;) {
                size_t n = s->piece > 0 && s->length - at > s->piece ? s->piece : s->length - at;
                if (s->nap_usec > 0)
                        (void) usleep(s->nap_usec);
                ssize_t sent = send(fd, s->data + at, n, MSG_NOSIGNAL);
                if (sent < 0)
                        break;
                at += (size_t) sent;
        }
        while (s->stay && recv(fd, call, sizeof(call), 0) > 0)
                ;
        (void) close(fd);
        return NULL;
}

/* One call with so much time, against the script. */
static int call(const Script *script, uint64_t usec, json_t **ret, char **ret_error) {
        VarlinkPeer *p = NULL;
        pthread_t t;
        int r;

        setup(8);
        CHECK_EQ_INT(pthread_create(&t, NULL, serve, (void *) script), 0);
        CHECK_EQ_INT(varlink_dial(path, now_usec(CLOCK_BOOTTIME) + usec, &p), 0);
        CHECK(fcntl(varlink_peer_fd(p), F_GETFD) & FD_CLOEXEC);
        r = varlink_call(p, "io.test.X", json_object(), ret, ret_error);
        varlink_peer_free(p);
        (void) pthread_join(t, NULL);
        teardown();
        return r;
}

#define SCRIPT(text, ...) (&(Script){.data = text, .length = sizeof(text), __VA_ARGS__})

TEST(answers) {
        _cleanup_json_ json_t *p = NULL;
        _cleanup_free_ char *error = NULL;

        CHECK_EQ_INT(call(SCRIPT("{\"parameters\":{\"n\":1}}", .stay = true), 5 * USEC_PER_SEC, &p, &error), 0);
        CHECK(!error && json_integer_value(json_object_get(p, "n")) == 1);
        json_decref(take_ptr(p));
        CHECK_EQ_INT(call(SCRIPT("{}", .piece = 1), 5 * USEC_PER_SEC, &p, &error), 0);
        json_decref(take_ptr(p));
        CHECK_EQ_INT(call(SCRIPT("{\"error\":\"io.test.No\",\"parameters\":{\"why\":\"x\"}}"), 5 * USEC_PER_SEC, &p,
                          &error),
                     -EREMOTEIO);
        CHECK_STREQ(error, "io.test.No");
        CHECK_STREQ(json_string_value(json_object_get(p, "why")), "x");
}

TEST(nobody_wants_to_know) {
        CHECK_EQ_INT(call(SCRIPT("{\"error\":\"io.test.No\"}"), 5 * USEC_PER_SEC, NULL, NULL), -EREMOTEIO);
        CHECK_EQ_INT(call(SCRIPT("{\"parameters\":{}}"), 5 * USEC_PER_SEC, NULL, NULL), 0);
}

TEST(mad_servers) {
        static const char huge_head[] = "{\"parameters\":{\"a\":\"";
        static const struct {
                const char *data;
                size_t length;
                int r;
        } cases[] = {
#define CASE(text, r) {text, sizeof(text), r}
                        CASE("", -EBADMSG),
                        CASE("hello", -EBADMSG),
                        CASE("[]", -EBADMSG),
                        CASE("{\"parameters\":[]}", -EBADMSG),
                        CASE("{\"parameters\":{},\"parameters\":{}}", -EBADMSG),
                        CASE("{\"x\":1}", -EBADMSG),
                        CASE("{\"error\":5}", -EBADMSG),
                        CASE("{\"error\":\"\\u001b[0m\"}", -EBADMSG),
                        CASE("{\"continues\":1}", -EBADMSG),
                        CASE("{\"parameters\":{},\"continues\":true}",
                             -EBADMSG), /* to a call that did not ask for more */
                        CASE("{\"parameters\":{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}}", -ELOOP),
                        {"{\"param", 7, -ECONNRESET},
                        {"", 0, -ECONNRESET},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                json_t *p = NULL;
                char *error = NULL;
                int r = call(&(Script){.data = cases[i].data, .length = cases[i].length}, 5 * USEC_PER_SEC, &p, &error);
                if (r != cases[i].r)
                        TEST_FAIL("case %zu is %d", i, r);
                CHECK(!p && !error);
        }
        /* A hundred megabytes: cut off long before. */
        size_t size = 8 * 1024 * 1024;
        char *data = malloc(size);
        memset(data, 'x', size);
        memcpy(data, huge_head, sizeof(huge_head) - 1);
        CHECK_EQ_INT(call(&(Script){.data = data, .length = size}, 10 * USEC_PER_SEC, NULL, NULL), -EMSGSIZE);
        free(data);
}

static uint64_t timed(const Script *s, uint64_t usec, int expected) {
        uint64_t start = now_usec(CLOCK_BOOTTIME);

        CHECK_EQ_INT(call(s, usec, NULL, NULL), expected);
        return now_usec(CLOCK_BOOTTIME) - start;
}

TEST(one_deadline) {
        CHECK(timed(&(Script){.stay = true}, 100 * USEC_PER_MSEC, -ETIMEDOUT) < 2 * USEC_PER_SEC);
        /* One byte now and then buys no time. */
        CHECK(timed(SCRIPT("{\"parameters\":{\"a\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}}",
                           .piece = 1, .nap_usec = 10000),
                    100 * USEC_PER_MSEC, -ETIMEDOUT) < 3 * USEC_PER_SEC);
}

TEST(no_server) {
        VarlinkPeer *p = NULL;
        uint64_t deadline = now_usec(CLOCK_BOOTTIME) + USEC_PER_SEC;
        char longest[200];

        CHECK_EQ_INT(varlink_dial("/nonexistent/s", deadline, &p), -ENOENT);
        memset(longest, 'x', sizeof(longest));
        longest[199] = 0;
        CHECK_EQ_INT(varlink_dial(longest, deadline, &p), -ENAMETOOLONG);
        setup(1);
        (void) close(listen_fd);
        CHECK_EQ_INT(varlink_dial(path, deadline, &p), -ECONNREFUSED);
        (void) unlink(path);
        (void) rmdir(directory);
        CHECK(p == NULL);
}

TEST(full_backlog) {
        VarlinkPeer *peers[16] = {}, *p = NULL;
        unsigned n = 0;
        int r = 0;

        setup(2);
        while (n < 16 && (r = varlink_dial(path, now_usec(CLOCK_BOOTTIME) + 50 * USEC_PER_MSEC, &peers[n])) == 0)
                n++;
        CHECK_EQ_INT(r, -ETIMEDOUT);
        (void) close(accept(listen_fd, NULL, NULL));
        CHECK_EQ_INT(varlink_dial(path, now_usec(CLOCK_BOOTTIME) + USEC_PER_SEC, &p), 0);
        varlink_peer_free(p);
        while (n > 0)
                varlink_peer_free(peers[--n]);
        teardown();
}

TEST(stream) {
        static const char data[] =
                        "{\"parameters\":{\"n\":1},\"continues\":true}\0{\"parameters\":{\"n\":2},\"continues\":true}\0"
                        "{\"parameters\":{\"n\":3}}";
        VarlinkPeer *p = NULL;
        bool continues = false;
        pthread_t t;

        setup(8);
        Script script = {.data = data, .length = sizeof(data)};
        CHECK_EQ_INT(pthread_create(&t, NULL, serve, &script), 0);
        CHECK_EQ_INT(varlink_dial(path, now_usec(CLOCK_BOOTTIME) + 5 * USEC_PER_SEC, &p), 0);
        for (int n = 1; n <= 3; n++) {
                _cleanup_json_ json_t *a = NULL;
                int r = n == 1 ? varlink_call_more(p, "io.test.X", NULL, &a, NULL, &continues)
                               : varlink_next(p, &a, NULL, &continues);
                CHECK_EQ_INT(r, 0);
                CHECK_EQ_INT(json_integer_value(json_object_get(a, "n")), n);
                CHECK_EQ_INT(continues, n < 3);
        }
        CHECK_EQ_INT(varlink_next(p, NULL, NULL, &continues), -ECONNRESET);
        varlink_peer_free(p);
        (void) pthread_join(t, NULL);
        teardown();
}

TEST(words_that_nobody_asked_for) {
        static const char data[] = "{\"parameters\":{\"n\":1}}\0{\"parameters\":{\"allow\":true}}";
        VarlinkPeer *p = NULL;
        json_t *a = NULL;
        pthread_t t;

        setup(8);
        Script script = {.data = data, .length = sizeof(data), .stay = true};
        CHECK_EQ_INT(pthread_create(&t, NULL, serve, &script), 0);
        CHECK_EQ_INT(varlink_dial(path, now_usec(CLOCK_BOOTTIME) + 5 * USEC_PER_SEC, &p), 0);
        CHECK_EQ_INT(varlink_call(p, "io.test.X", NULL, &a, NULL), 0);
        json_decref(take_ptr(a));
        CHECK_EQ_INT(varlink_call(p, "io.test.May", NULL, &a, NULL), -EBADMSG); /* not the answer to this */
        CHECK(a == NULL);
        varlink_peer_free(p);
        (void) pthread_join(t, NULL);
        teardown();
}

TEST_MAIN
