/* SPDX-License-Identifier: Apache-2.0 */

#include "cleanup.h"
#include "test-host.h"
#include "uid-range.h"

static char root[64], why[256];
static int root_fd, etc_fd, state_fd;

static void setup(void) {
        (void) snprintf(root, sizeof(root), "/tmp/jit-test-XXXXXX");
        CHECK(mkdtemp(root) != NULL);
        root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        etc_fd = make_folder(root_fd, "etc");
        state_fd = make_folder(root_fd, "state");
}

static void teardown(void) {
        static const char *const files[] = {"etc/passwd", "etc/subuid", "etc/subgid", "state/uid-next",
                                            "state/.uid-next.tmp"};

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) unlinkat(root_fd, files[i], 0);
        CHECK(unlinkat(root_fd, "etc", AT_REMOVEDIR) >= 0 && unlinkat(root_fd, "state", AT_REMOVEDIR) >= 0);
        (void) close(etc_fd);
        (void) close(state_fd);
        (void) close(root_fd);
        CHECK(rmdir(root) >= 0);
}

static UidRange *range_open(uid_t min, uid_t max) {
        UidRange *u = NULL;

        CHECK_EQ_INT(uid_range_open(state_fd, root, min, max, &u, why), 0);
        return u;
}

static bool none_taken(uid_t uid, void *userdata) {
        (void) uid, (void) userdata;
        return false;
}

static bool all_taken(uid_t uid, void *userdata) {
        (void) uid, (void) userdata;
        return true;
}

static bool is_that(uid_t uid, void *userdata) {
        return uid == *(uid_t *) userdata;
}

static uid_t take(UidRange *u, const char *account) {
        uid_t uid = 0;

        CHECK_EQ_INT(uid_range_take(u, account, none_taken, NULL, &uid), 0);
        return uid;
}

TEST(counts_upwards) {
        if (!test_is_root("counts_upwards"))
                return;
        setup();
        UidRange *u = range_open(70000, 79999);
        CHECK_EQ_INT(uid_range_sender(u), 70000);
        for (uid_t i = 1; i <= 1000; i++)
                CHECK_EQ_INT(take(u, "jit-a"), 70000 + i);
        CHECK(uid_range_contains(u, 70000) && uid_range_contains(u, 79999) && !uid_range_contains(u, 80000) &&
              !uid_range_contains(u, 0));
        uid_range_free(u);
        teardown();
}

TEST(never_again_after_a_power_cut) {
        uid_t highest = 0;

        if (!test_is_root("never_again_after_a_power_cut"))
                return;
        setup();
        for (unsigned boot = 0; boot < 20; boot++) {
                UidRange *u = range_open(70000, 99999);
                for (unsigned i = 0; i < 1 + boot * 30; i++) {
                        uid_t uid = take(u, "jit-a");
                        CHECK(uid > highest);
                        highest = uid;
                }
                uid_range_free(u); /* nothing is written at the end: as if the power had gone */
        }
        teardown();
}

TEST(wraps) {
        uid_t seen[40] = {}, min = 70000;

        if (!test_is_root("wraps"))
                return;
        setup();
        UidRange *u = range_open(min, min + 9); /* nine numbers to give: the first is the sender's */
        for (unsigned i = 0; i < 40; i++) {
                seen[i] = take(u, "jit-a");
                CHECK(seen[i] > min && seen[i] <= min + 9);
                for (unsigned k = 1; k <= 8 && k <= i; k++)
                        CHECK(seen[i] != seen[i - k]);
        }
        /* A number in use is passed over, and all in use is an end. */
        uid_t next = uid_range_next(u) > min + 9 ? min + 1 : uid_range_next(u), got = 0;
        CHECK_EQ_INT(uid_range_take(u, "jit-b", is_that, &next, &got), 0);
        CHECK(got != next);
        CHECK_EQ_INT(uid_range_take(u, "jit-b", all_taken, NULL, &got), -ENOSPC);
        uid_range_free(u);
        /* And after the wrap it goes on from the beginning, not out of the range. */
        u = range_open(min, min + 9);
        for (unsigned i = 0; i < 30; i++) {
                uid_t uid = take(u, "jit-a");
                CHECK(uid > min && uid <= min + 9);
        }
        uid_range_free(u);
        teardown();
}

TEST(wraps_at_the_end_of_all_numbers) {
        uid_t max = UINT32_MAX - 1;

        if (!test_is_root("wraps_at_the_end_of_all_numbers"))
                return;
        setup();
        UidRange *u = range_open(max - 5, max);
        for (unsigned i = 0; i < 25; i++) {
                uid_t uid = take(u, "jit-a");
                CHECK(uid > max - 5 && uid <= max);
        }
        uid_range_free(u);
        teardown();
}

TEST(damaged_counter) {
        static const char *const texts[] = {"",      "\n",    "abc",   "-1", "4294967295", "99999999999999999999",
                                            "69999", "70000", "80001", "0"};

        if (!test_is_root("damaged_counter"))
                return;
        setup();
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                put_file(state_fd, "uid-next", texts[i]);
                UidRange *u = range_open(70000, 80000);
                uid_t uid = take(u, "jit-a");
                if (uid <= 70000 || uid > 80000)
                        TEST_FAIL("\"%s\" gives %u", texts[i], uid);
                uid_range_free(u);
        }
        /* Too long, a symlink, somebody else's: refused, never guessed at. */
        UidRange *u = NULL;
        put_file(state_fd, "uid-next", "70001                                  ");
        CHECK_EQ_INT(uid_range_open(state_fd, root, 70000, 80000, &u, why), -EFBIG);
        (void) unlinkat(state_fd, "uid-next", 0);
        CHECK(symlinkat("/etc/hostname", state_fd, "uid-next") >= 0);
        CHECK_EQ_INT(uid_range_open(state_fd, root, 70000, 80000, &u, why), -ELOOP);
        (void) unlinkat(state_fd, "uid-next", 0);
        put_file(state_fd, "uid-next", "70001");
        CHECK(fchownat(state_fd, "uid-next", TEST_UID_MIN, 0, 0) >= 0);
        CHECK_EQ_INT(uid_range_open(state_fd, root, 70000, 80000, &u, why), -EPERM);
        CHECK(u == NULL);
        teardown();
}

TEST(counter_that_cannot_be_written) {
        uid_t uid = 0;

        if (!test_is_root("counter_that_cannot_be_written"))
                return;
        setup();
        UidRange *u = range_open(70000, 80000);
        CHECK(mkdirat(state_fd, "uid-next", 0700) >= 0); /* renaming onto it fails, as on a full disk */
        CHECK(uid_range_take(u, "jit-a", none_taken, NULL, &uid) < 0);
        CHECK_EQ_INT(uid, 0);
        CHECK(unlinkat(state_fd, "uid-next", AT_REMOVEDIR) >= 0);
        CHECK_EQ_INT(take(u, "jit-a"), 70001);
        uid_range_free(u);
        teardown();
}

TEST(foreign_accounts) {
        if (!test_is_root("foreign_accounts"))
                return;
        setup();
        put_file(etc_fd, "passwd",
                 "root:x:0:0::/:/bin/sh\nbroken line\nalice:x:70001:1::/:/bin/sh\nbob:x:70003:1::/:/bin/sh\n"
                 "carol:x:90000:1::/:/bin/sh\nno:x:number:1::/:/bin/sh\ndave:x:70004:1::/:/bin/sh");
        UidRange *u = range_open(70000, 80000);
        CHECK_EQ_INT(take(u, "jit-a"), 70002);
        CHECK_EQ_INT(take(u, "jit-a"), 70005);
        uid_range_free(u);
        teardown();
}

TEST(subordinate_ids) {
        static const struct {
                const char *text;
                int r;
        } cases[] = {
                        {"", 0},
                        {"alice:100000:65536\n", 0},
                        {"alice:80001:1\n", 0},
                        {"alice:60000:10000\n", 0},
                        {"alice:60000:10001\n", -EADDRINUSE},
                        {"alice:80000:1\n", -EADDRINUSE},
                        {"alice:75000:10\n", -EADDRINUSE},
                        {"alice:0:4294967295\n", -EADDRINUSE},
                        {"a:1:1\nalice:75000:10\n", -EADDRINUSE},
                        {"alice:75000:0\n", 0},
                        {"alice:75000\n", 0},
                        {"alice\n:::\n\n#alice:1:1\n", 0},
                        {"alice:60000:18446744073709551615\n", -EADDRINUSE},
        };

        setup();
        for (unsigned file = 0; file < 2; file++)
                for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                        UidRange *u = NULL;
                        put_file(etc_fd, file == 0 ? "subuid" : "subgid", cases[i].text);
                        int r = uid_range_open(state_fd, root, 70000, 80000, &u, why);
                        if (r != cases[i].r)
                                TEST_FAIL("\"%s\" is %d", cases[i].text, r);
                        if (r < 0)
                                CHECK(strstr(why, "overlaps") && strstr(why, "alice"));
                        uid_range_free(u);
                        put_file(etc_fd, file == 0 ? "subuid" : "subgid", "");
                }
        teardown();
}

TEST(given_back_numbers) {
        char name[32];

        if (!test_is_root("given_back_numbers"))
                return;
        setup();
        UidRange *u = range_open(70000, 99999);
        uid_t a = take(u, "jit-a"), b = take(u, "jit-b");
        uid_range_give_back(u, "jit-a", a);
        CHECK(take(u, "jit-c") != a); /* nobody else gets it */
        CHECK_EQ_INT(take(u, "jit-a"), a);
        CHECK(take(u, "jit-a") != a); /* once */
        uid_range_give_back(u, "jit-b", b);
        for (unsigned i = 0; i < 300; i++) { /* strangers' names push it out: then it is lost, not shared */
                (void) snprintf(name, sizeof(name), "jit-x%u", i);
                uid_range_give_back(u, name, take(u, name));
        }
        CHECK(take(u, "jit-b") != b);
        CHECK_EQ_INT(take(u, name), uid_range_next(u) - 2);
        uid_range_free(u);
        teardown();
}

TEST(given_back_and_taken_since) {
        uid_t got = 0;

        if (!test_is_root("given_back_and_taken_since"))
                return;
        setup();
        UidRange *u = range_open(70000, 70005);
        uid_t a = take(u, "jit-a");
        uid_range_give_back(u, "jit-a", a);
        /* The range has gone by, and somebody else lives under the number now. */
        CHECK_EQ_INT(uid_range_take(u, "jit-a", is_that, &a, &got), 0);
        CHECK(got != a);
        uid_range_free(u);
        teardown();
}

TEST_MAIN
