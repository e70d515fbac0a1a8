/* SPDX-License-Identifier: Apache-2.0 */

/* A person's login sessions, watched for their end: logind's files as sd-login(3) reads them, leaders as processes. */

#include <signal.h>
#include <sys/wait.h>

#include "process-kill.h"
#include "session.h"
#include "test-reaperd.h"

enum { PERSON = 1000 };

static void write_file(const char *folder, const char *name, const char *text) {
        char path[200];
        FILE *f;

        (void) mkdir("/run/systemd", 0755);
        (void) mkdir(folder, 0755);
        (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
        f = fopen(path, "we");
        CHECK(f && fputs(text, f) >= 0);
        if (f)
                (void) fclose(f);
}

static void login(const char *id, const char *state, const char *class) {
        char text[200];

        (void) snprintf(text, sizeof(text), "UID=%d\nUSER=alice\nACTIVE=1\nSTATE=%s\nCLASS=%s\n", PERSON, state, class);
        write_file("/run/systemd/sessions", id, text);
}

static void logged_in(const char *ids) {
        char text[200];

        (void) snprintf(text, sizeof(text), "NAME=alice\nSTATE=active\nONLINE_SESSIONS=%s\n", ids);
        write_file("/run/systemd/users", "1000", text);
}

static void logout(const char *id) {
        char path[100];

        (void) snprintf(path, sizeof(path), "/run/systemd/sessions/%s", id);
        (void) unlink(path);
        login_session_removed(manager, id);
}

/* An elevation with two sessions, so that one's end is not the grant's. */
static Grant *elevation(Session **ret_first, Session **ret_second) {
        _cleanup_verdict_ Verdict v = verdict_of(ALLOW);
        uint64_t soon = now_usec(CLOCK_BOOTTIME) + USEC_PER_MINUTE;
        Grant *g = NULL;

        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", PERSON, &v, soon, USEC_PER_MINUTE, &g), 0);
        g->state = GRANT_ACTIVE;
        for (Session **s = ret_first;; s = ret_second) {
                *s = session_new(g);
                (*s)->kind = SESSION_ELEVATED;
                (*s)->pid = getpid();
                (*s)->service = strdup("jitctl");
                session_link(*s);
                if (s == ret_second)
                        break;
        }
        return g;
}

TEST(which_is_watched) {
        LoginSession *l = NULL;
        Session *s, *other;

        if (!manager_begin("which_is_watched"))
                return;
        (void) elevation(&s, &other);
        CHECK_EQ_INT(login_session_watch(s, PERSON, NULL, true, &l), -ENXIO); /* logged in nowhere */
        login("1", "closing", "user");
        login("2", "active", "manager"); /* systemd --user, from 256 on */
        login("3", "active", "background");
        write_file("/run/systemd/sessions", "c1", "UID=1000\nUSER=alice\nACTIVE=1\nSTATE=active\nCLASS=user\nSERVICE=su-l\n");
        logged_in("1 2 3 c1");
        CHECK_EQ_INT(login_session_watch(s, PERSON, NULL, true, &l), -ENXIO);
        CHECK_EQ_INT(login_session_watch(s, PERSON, "1", false, &l), -ENXIO);
        CHECK_EQ_INT(login_session_watch(s, PERSON, "9", false, &l), -ENXIO);
        CHECK_EQ_INT(login_session_watch(s, PERSON + 1, "3", false, &l), -ENXIO); /* somebody else's */
        login("4", "online", "user");
        logged_in("1 2 3 c1 4");
        CHECK_EQ_INT(login_session_watch(s, PERSON, NULL, true, &l), 0);
        CHECK_STREQ(login_session_id(l), "4");
        CHECK(login_session_is(l, "4") && login_session_is(l, "1"));
        l = login_session_free(l);
        CHECK_EQ_INT(login_session_watch(s, PERSON, "4", false, &l), 0);
        CHECK(login_session_is(l, "4") && !login_session_is(l, "1") && !login_session_is(l, NULL));
        login_session_free(l);
        CHECK(manager->login_sessions == NULL);
        manager_crash();
}

TEST(its_end) {
        Session *s, *other;
        Grant *g;

        if (!manager_begin("its_end"))
                return;
        g = elevation(&s, &other);
        login("4", "active", "user");
        login("5", "active", "user");
        logged_in("4 5");
        CHECK_EQ_INT(login_session_watch(s, PERSON, "4", false, &s->from), 0);
        CHECK_EQ_INT(login_session_watch(other, PERSON, "4", true, &other->from), 0);
        login_session_removed(manager, "6");
        CHECK(s->from && other->from);
        logout("4");
        CHECK(g->sessions == other && g->past == s); /* the one by terminal is over, the other goes on with 5 */
        CHECK_STREQ(login_session_id(other->from), "5");
        login_session_reconcile(manager);
        CHECK(g->sessions == other);
        logout("5");
        CHECK(!g->sessions && g->state >= GRANT_REVOKING);
        CHECK_STREQ(g->end_reason, "session-ended");
        manager_crash();
}

/* logind was away, and its signal with it. */
TEST(an_end_that_was_missed) {
        Session *s, *other;
        Grant *g;

        if (!manager_begin("an_end_that_was_missed"))
                return;
        g = elevation(&s, &other);
        login("4", "active", "user");
        CHECK_EQ_INT(login_session_watch(s, PERSON, "4", false, &s->from), 0);
        (void) unlink("/run/systemd/sessions/4");
        login_session_reconcile(manager);
        CHECK(g->sessions == other);
        manager_crash();
}

static pid_t leader(uint64_t *ret_start) {
        pid_t pid = fork();

        if (pid == 0) {
                (void) pause();
                _exit(0);
        }
        CHECK_EQ_INT(process_start_time(pid, ret_start), 0);
        return pid;
}

static json_t *record(pid_t pid, uint64_t start, bool any) {
        return json_pack("{s:s,s:I,s:I,s:I,s:b}", "id", "4", "uid", (json_int_t) PERSON, "leader", (json_int_t) pid, "leaderStart",
                         (json_int_t) start, "any", any);
}

TEST(a_leader_of_a_record) {
        _cleanup_json_ json_t *j = NULL, *again = NULL, *another = NULL;
        LoginSession *l = NULL;
        Session *s, *other;
        uint64_t start;
        Grant *g;

        if (!manager_begin("a_leader_of_a_record"))
                return;
        g = elevation(&s, &other);
        pid_t pid = leader(&start);
        another = record(pid, start + 1, false); /* its number has come again */
        CHECK_EQ_INT(login_session_resume(s, another, &l), -ENXIO);
        j = record(pid, start, false);
        CHECK_EQ_INT(login_session_resume(s, j, &s->from), 0);
        again = login_session_to_json(s->from);
        CHECK(json_equal(j, again));
        (void) kill(pid, SIGKILL);
        for (unsigned i = 0; i < 1000 && g->sessions == s; i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK(g->sessions == other);
        (void) waitpid(pid, NULL, 0);
        CHECK_EQ_INT(login_session_resume(other, j, &l), -ENXIO);
        manager_crash();
}

TEST(a_leader_that_is_gone_and_another_login) {
        _cleanup_json_ json_t *j = record(0x7ffffff0, 1, true);
        Session *s, *other;

        if (!manager_begin("a_leader_that_is_gone_and_another_login"))
                return;
        (void) elevation(&s, &other);
        login("4", "active", "user"); /* logind has not noticed */
        logged_in("4");
        CHECK_EQ_INT(login_session_resume(s, j, &s->from), -ENXIO);
        login("5", "active", "user");
        logged_in("4 5");
        CHECK_EQ_INT(login_session_resume(s, j, &s->from), 0);
        CHECK_STREQ(login_session_id(s->from), "5");
        manager_crash();
}

TEST(records_that_are_none) {
        static const char *const texts[] = {"{}", "{\"id\":\"4\"}", "{\"id\":4,\"uid\":1000}", "{\"id\":\"4\",\"uid\":-1}",
                                            "{\"id\":\"4\",\"uid\":1000,\"more\":1}"};
        LoginSession *l = NULL;
        Session *s, *other;

        if (!manager_begin("records_that_are_none"))
                return;
        (void) elevation(&s, &other);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_json_ json_t *j = json_loads(texts[i], 0, NULL);
                CHECK(login_session_resume(s, j, &l) < 0 && !l);
        }
        manager_crash();
}

TEST_MAIN
