/* SPDX-License-Identifier: Apache-2.0 */

/* What one peer may cost the others: connections, time, memory, descriptors. */

#include <sys/resource.h>

#include "test-varlink.h"

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
        unsigned answers = 0;
        ssize_t n;
        char *chunk = malloc(1 << 20);
        do {
                (void) sd_event_run(event, 0);
                n = recv(fd, chunk, 1 << 20, MSG_DONTWAIT);
                for (ssize_t i = 0; i < n; i++)
                        answers += chunk[i] == 0;
        } while (n > 0);
        CHECK(n == 0 || errno == ECONNRESET);
        CHECK(answers < 100);
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
