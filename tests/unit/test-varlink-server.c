/* SPDX-License-Identifier: Apache-2.0 */

/* What goes over a connection: calls, answers, and what is neither. */

#include "test-varlink.h"

TEST(answers_in_order) {
        setup();
        int fd = peer();
        /* Two calls and a bit of a third in one write. */
        static const char three[] = ECHO(1) "\0" ECHO(2) "\0"
                                                         "{\"method\":\"io.te";
        say(fd, three, sizeof(three) - 1);
        CHECK_STREQ(hear(fd), "{\"parameters\":{\"n\":1}}|{\"parameters\":{\"n\":2}}|");
        SAY(fd, "st.Echo\"}");
        CHECK_STREQ(hear(fd), "{\"parameters\":{}}|");
        /* Byte by byte. */
        static const char third[] = ECHO(3);
        for (size_t i = 0; i < sizeof(third); i++) {
                say(fd, &third[i], 1);
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
                        BAD(""),
                        BAD("hello"),
                        BAD("[]"),
                        BAD("{\"method\":1}"),
                        BAD("{}"),
                        BAD("{\"method\":\"io.test.Echo\",\"extra\":1}"),
                        BAD("{\"method\":\"io.test.Echo\",\"parameters\":[]}"),
                        BAD("{\"method\":\"io.test.Echo\",\"more\":1}"),
                        BAD("{\"method\":\"io.test.Echo\",\"method\":\"io.test.Echo\"}"),
                        BAD("{\"method\":\"io.test.Echo\"}x"),
                        BAD("{\"method\":\"io.test.\\u0000Echo\"}"),
                        BAD("{\"method\":\"io.test.\\u001bEcho\"}"),
                        BAD("{\"method\":\"\xff\"}"),
                        BAD("GET / HTTP/1.0\r\n\r\n"),
                        BAD("\0\0\0\0"),
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
        CHECK_STREQ(hear(fd), "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"io.test."
                              "Nothing\"}}|");
        SAY(fd, "{\"method\":\"io.testEcho\"}");
        CHECK(strstr(hear(fd), "MethodNotFound"));
        SAY(fd, "{\"method\":\"io.test\"}");
        CHECK(strstr(hear(fd), "MethodNotFound"));
        SAY(fd, "{\"method\":\"io.test.Fail\",\"parameters\":{\"errno\":22}}");
        CHECK_STREQ(hear(fd),
                    "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"\"}}|");
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
        SAY(fd,
            "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"io.test\"}}");
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
        CHECK_STREQ(hear(fd),
                    "{\"parameters\":{\"n\":1},\"continues\":true}|{\"parameters\":{\"n\":2},\"continues\":true}|"
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

TEST_MAIN
