/* SPDX-License-Identifier: Apache-2.0 */

/* Where a process is: what is a slice of ours, and what only looks like one. */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup-path.h"
#include "test.h"

#define NOBODY ((uid_t) -1)
#define ID "0123456789abcdef"

TEST(places) {
        static const struct {
                const char *path, *slice, *unit;
                uid_t owner;
                const char *grant;
        } table[] = {
                {"/", "-.slice", "", NOBODY, ""},
                {"/init.scope", "-.slice", "init.scope", NOBODY, ""},
                {"/system.slice/ssh.service", "system.slice", "ssh.service", NOBODY, ""},
                {"/user.slice/user-1000.slice/session-3.scope", "user-1000.slice", "session-3.scope", 1000, ""},
                {"/user.slice/user-0.slice/session-3.scope", "user-0.slice", "session-3.scope", 0, ""},
                {"/user.slice/user-1000.slice", "user-1000.slice", "", 1000, ""},
                {"/user.slice/user-1000.slice/user-1000-a.slice/b.service/c/d", "user-1000-a.slice", "b.service", 1000, ""},
                {"/user.slice/user-65537.slice/jit-" ID "-77.scope", "user-65537.slice", "jit-" ID "-77.scope", 65537, ""},
                {"/jit.slice/jit-" ID ".slice/jit-" ID "-77.scope", "jit-" ID ".slice", "jit-" ID "-77.scope", NOBODY, ID},
                {"/jit.slice/jit-" ID ".slice/jit-" ID "-77.scope/x.slice", "jit-" ID ".slice", "jit-" ID "-77.scope", NOBODY, ID},
                /* run0(1) */
                {"/user.slice/run-p12-i13.service", "user.slice", "run-p12-i13.service", NOBODY, ""},
        };

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                CgroupPlace place;
                CHECK_EQ_INT(cgroup_path_parse(table[i].path, &place), 0);
                CHECK_STREQ(place.slice, table[i].slice);
                CHECK_STREQ(place.unit, table[i].unit);
                CHECK_STREQ(place.grant, table[i].grant);
                CHECK_EQ_INT(place.owner, table[i].owner);
        }
}

/* A user names cgroups below user@.service as he likes, and asks his own manager for slices. */
TEST(a_user_cannot_play_one_of_our_slices) {
        static const char *const paths[] = {
                "/user.slice/user-1000.slice/user@1000.service/user.slice/user-65537.slice/x.scope",
                "/user.slice/user-1000.slice/user@1000.service/jit.slice/jit-" ID ".slice/x.scope",
                "/user.slice/user-1000.slice/user@1000.service/app.slice/user-65537.slice",
                "/user.slice/user-1000.slice/session-3.scope/user-65537.slice",
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                CgroupPlace place;
                CHECK_EQ_INT(cgroup_path_parse(paths[i], &place), 0);
                CHECK_EQ_INT(place.owner, 1000);
                CHECK_STREQ(place.slice, "user-1000.slice");
                CHECK_STREQ(place.grant, "");
        }
}

TEST(what_only_looks_like_one) {
        static const char *const paths[] = {
                "/user.slice/user-.slice/a.scope",      "/user.slice/user-+1.slice/a.scope",   "/user.slice/user-01.slice/a.scope",
                "/user.slice/user-1x.slice/a.scope",    "/user.slice/user--1.slice/a.scope",   "/user.slice/user-4294967295.slice/a.scope",
                "/user.slice/user-99999999999999999999.slice/a.scope",                          "/user-1000.slice/a.scope",
                "/other.slice/user-1000.slice/a.scope", "/jit.slice/jit-0123.slice/a.scope",   "/jit.slice/jit-" ID "0.slice/a.scope",
                "/jit.slice/jit-0123456789ABCDEF.slice/a.scope",                                "/jit-" ID ".slice/a.scope",
                "/other.slice/jit-" ID ".slice/a.scope",                                        "/jit.slice/user-1000.slice/a.scope",
                "/user.slice/jit-" ID ".slice/a.scope", "/a.service/jit.slice/jit-" ID ".slice",
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                CgroupPlace place;
                CHECK_EQ_INT(cgroup_path_parse(paths[i], &place), 0);
                if (place.owner != NOBODY || *place.grant)
                        TEST_FAIL("%s: owner %u, grant \"%s\"", paths[i], place.owner, place.grant);
        }
}

TEST(not_a_path) {
        char path[600] = "/";
        CgroupPlace place = {.owner = 7};

        CHECK_EQ_INT(cgroup_path_parse("", &place), -EINVAL);
        CHECK_EQ_INT(cgroup_path_parse("user.slice", &place), -EINVAL);
        memset(path + 1, 'a', sizeof(path) - 2);
        CHECK_EQ_INT(cgroup_path_parse(path, &place), -EINVAL);
        CHECK_EQ_INT(place.owner, 7); /* untouched */
}

TEST(sessions) {
        static const struct {
                const char *path, *session;
        } table[] = {
                {"/user.slice/user-1000.slice/session-3.scope", "3"},
                {"/user.slice/user-1000.slice/session-c12.scope/below", "c12"},
                {"/user.slice/user-1000.slice/user@1000.service/session-3.scope", NULL},
                {"/user.slice/session-3.scope", NULL},
                {"/system.slice/session-3.scope", NULL},
                {"/user.slice/user-1000.slice/session-.scope", NULL},
                {"/user.slice/user-1000.slice/session-3.service", NULL},
                {"/user.slice/user-1000.slice/session-..scope", NULL},
                {"/user.slice/user-1000.slice/session-3.scope.scope", NULL},
                {"/user.slice/user-1000.slice/jit-" ID "-3.scope", NULL},
        };

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                CgroupPlace place;
                CHECK_EQ_INT(cgroup_path_parse(table[i].path, &place), 0);
                char *session = cgroup_place_session(&place);
                if (table[i].session)
                        CHECK_STREQ(session, table[i].session);
                else
                        CHECK(!session);
                free(session);
        }
}

TEST(of_a_process) {
        CgroupPlace place;
        pid_t pid = fork();

        if (pid == 0) {
                (void) pause();
                _exit(0);
        }
        CHECK_EQ_INT(cgroup_place_of(pid, &place), 0);
        CHECK(*place.slice);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        CHECK_EQ_INT(cgroup_place_of(pid, &place), -ESRCH);
}

TEST_MAIN
