/* SPDX-License-Identifier: Apache-2.0 */

/* What a ticket's system is to hear of a grant: once each, in order, whatever is down meanwhile. */

#include "audit-chain.h"
#include "reap.h"
#include "session.h"
#include "test-reaperd.h"

#define COMMENTED                                                                                                      \
        "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG1\",\"requester\":"       \
        "\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\"],\"notAfter\":4000000000000000,\"ttlUSec\":600000000,"      \
        "\"provider\":\"rt\",\"recheckUSec\":15000000,\"digest\":\"d1\",\"comments\":true}"

static Session *add_session(Grant *g) {
        Session *s = session_new(g);

        s->service = strdup("sshd");
        s->rhost = strdup("192.0.2.1");
        s->tty = strdup("ssh");
        s->from_usec = now_usec(CLOCK_REALTIME);
        session_link(s);
        return s;
}

static Grant *activate(const char *account, const char *text) {
        Grant *g = reserve(account, text);

        g->state = GRANT_ACTIVE;
        g->deadline_usec = now_usec(CLOCK_BOOTTIME) + USEC_PER_HOUR;
        (void) add_session(g);
        CHECK_EQ_INT(grant_record_save(g), 0);
        CHECK_EQ_INT(grant_arm(g), 0);
        grant_recheck_begin(g);
        grant_notice_start(g);
        return g;
}

static void begin_listening(void) {
        approver_notices[0] = 0;
        approver_notice_error = NULL;
        approver_says = COMMENTED;
        pump();
}

static void run_until_heard(const char *what) {
        for (unsigned i = 0; i < 2000 && !strstr(approver_notices, what); i++)
                (void) sd_event_run(manager->event, 5000);
        pump();
}

static bool is_file(const Grant *g, const char *kind) {
        char name[48];

        (void) snprintf(name, sizeof(name), "%s-%s.json", g->id, kind);
        return is_there(manager->dirs.notices, name);
}

static unsigned count(const char *text, const char *word) {
        unsigned n = 0;

        for (const char *p = text; (p = strstr(p, word)); p++)
                n++;
        return n;
}

static const char *said(const char *name) {
        return json_string_value(json_object_get(approver_event, name)) ?: "";
}

TEST(start_and_end) {
        if (!manager_begin("start_and_end"))
                return;
        char *names[] = {(char *) "db1", (char *) "db1.example", NULL};
        test_config.host_names = names;
        begin_listening();
        Grant *g = activate("jit-chg1", COMMENTED);
        char id[17], expected[200];
        memcpy(id, g->id, sizeof(id));
        CHECK(!is_file(g, "start")); /* the login comes first */
        run_until_heard("start:");
        (void) snprintf(expected, sizeof(expected), "start:%s:rt ", id);
        CHECK_STREQ(approver_notices, expected);
        CHECK(is_empty(manager->dirs.notices));
        CHECK_STREQ(said("ticket"), "CHG1");
        CHECK_STREQ(said("account"), "jit-chg1");
        CHECK_STREQ(said("person"), "alice");
        CHECK_STREQ(said("role"), "dba");
        CHECK_STREQ(said("host"), "db1");
        CHECK_STREQ(said("service"), "sshd");
        CHECK_STREQ(said("rhost"), "192.0.2.1");
        char since[TIME_TEXT_MAX];
        CHECK_STREQ(said("since"), time_format_rfc3339(g->since_usec, since));
        CHECK(!json_object_get(approver_event, "receipt"));
        session_end(g->sessions);
        run_until_heard("end:");
        (void) snprintf(expected, sizeof(expected), "start:%s:rt end:%s:rt ", id, id);
        CHECK_STREQ(approver_notices, expected);
        CHECK_STREQ(said("reason"), "session-ended");
        CHECK_STREQ(said("receipt"), audit_last_hash(manager->audit));
        CHECK_EQ_INT(json_integer_value(json_object_get(approver_event, "sessions")), 1);
        CHECK(strlen(said("ended")) == strlen(since));
        CHECK(json_is_integer(json_object_get(approver_event, "killed")));
        run_until_gone();
        CHECK(is_empty(manager->dirs.notices));
        test_config.host_names = NULL;
        manager_end();
}

TEST(nobody_wants_to_hear) {
        if (!manager_begin("nobody_wants_to_hear"))
                return;
        begin_listening();
        approver_says = ALLOW;
        Grant *g = activate("jit-chg1", ALLOW);
        run_for(500 * USEC_PER_MSEC);
        session_end(g->sessions);
        run_until_gone();
        CHECK_STREQ(approver_notices, "");
        CHECK(is_empty(manager->dirs.notices));
        manager_end();
}

TEST(kept_while_nobody_listens) {
        if (!manager_begin("kept_while_nobody_listens"))
                return;
        begin_listening();
        approver_stop();
        Grant *g = activate("jit-chg1", COMMENTED);
        char expected[200];
        (void) snprintf(expected, sizeof(expected), "start:%s:rt end:%s:rt ", g->id, g->id);
        for (unsigned i = 0; i < 1000 && !is_file(g, "start"); i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK(is_file(g, "start"));
        session_end(g->sessions);
        run_until_gone();
        CHECK(!is_empty(manager->dirs.notices) && approver_notices[0] == 0);
        /* Killed, and started again: still there, and still in order. */
        manager_crash();
        if (!manager_begin("kept_while_nobody_listens"))
                return;
        run_until_heard("end:"); /* when Watch is there */
        CHECK_STREQ(approver_notices, expected);
        CHECK(is_empty(manager->dirs.notices));
        manager_end();
}

TEST(not_taken_now) {
        if (!manager_begin("not_taken_now"))
                return;
        begin_listening();
        approver_notice_error = "io.pamjit.Approver.TryAgain";
        Grant *g = activate("jit-chg1", COMMENTED);
        run_for(600 * USEC_PER_MSEC);
        CHECK(is_file(g, "start"));
        approver_notice_error = NULL;
        /* jit-approverd is started anew. */
        approver_stop();
        pump();
        approver_start();
        run_until_heard("start:");
        CHECK(!is_file(g, "start"));
        session_end(g->sessions);
        run_until_heard("end:");
        run_until_gone();
        CHECK_EQ_INT(count(approver_notices, "start:"), 1);
        CHECK_EQ_INT(count(approver_notices, "end:"), 1);
        manager_end();
}

/* One that is never taken keeps no other back. */
TEST(never_taken) {
        if (!manager_begin("never_taken"))
                return;
        put_file(manager->dirs.notices, "0123456789abcdef-start.json", "{\"provider\":");
        put_file(manager->dirs.notices, "0123456789abcdef-other.json", "{}");
        put_file(manager->dirs.notices, ".0123456789abcdef-end.json.tmp", "{}");
        manager_crash();
        if (!manager_begin("never_taken"))
                return;
        begin_listening();
        CHECK(is_empty(manager->dirs.notices));
        approver_notice_error = VARLINK_ERROR_INVALID_PARAMETER;
        Grant *g = activate("jit-chg1", COMMENTED);
        run_for(600 * USEC_PER_MSEC);
        CHECK(is_empty(manager->dirs.notices));
        approver_notice_error = NULL;
        session_end(g->sessions);
        run_until_heard("end:");
        CHECK_EQ_INT(count(approver_notices, "start:"), 0);
        run_until_gone();
        manager_end();
}

/* A full disk costs the notice, and nothing else. */
TEST(no_room) {
        if (!manager_begin("no_room"))
                return;
        begin_listening();
        int folder = manager->dirs.notices;
        manager->dirs.notices = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* where nothing can be made */
        Grant *g = activate("jit-chg1", COMMENTED);
        run_for(600 * USEC_PER_MSEC);
        CHECK(g->state == GRANT_ACTIVE);
        session_end(g->sessions);
        run_until_gone();
        (void) close(manager->dirs.notices);
        manager->dirs.notices = folder;
        CHECK_STREQ(approver_notices, "");
        check_nothing_left("jit-chg1");
        manager_end();
}

static void on_resume(Grant *g) {
        if (g->state != GRANT_ACTIVE)
                return;
        CHECK_EQ_INT(grant_arm(g), 0);
        grant_recheck_begin(g);
        grant_notice_start(g);
}

/* Killed between the activation and the notice: it is told after the restart; told already: not again. */
TEST(start_survives_a_kill) {
        for (unsigned told = 0; told < 2; told++) {
                if (!manager_begin("start_survives_a_kill"))
                        return;
                begin_listening();
                (void) activate("jit-chg1", COMMENTED);
                if (told)
                        run_until_heard("start:");
                manager_crash();
                if (!manager_begin("start_survives_a_kill"))
                        return;
                approver_says = COMMENTED;
                CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
                run_for(600 * USEC_PER_MSEC);
                CHECK_EQ_INT(count(approver_notices, "start:"), 1);
                grant_revoke(manager->grants, "session-ended", NULL, NULL);
                run_until_heard("end:");
                run_until_gone();
                CHECK_EQ_INT(count(approver_notices, "end:"), 1);
                manager_end();
        }
}

TEST(over_before_its_start_was_told) {
        if (!manager_begin("over_before_its_start_was_told"))
                return;
        begin_listening();
        Grant *g = activate("jit-chg1", COMMENTED);
        char expected[200];
        (void) snprintf(expected, sizeof(expected), "start:%s:rt end:%s:rt ", g->id, g->id);
        session_end(g->sessions);
        run_until_heard("end:");
        run_until_gone();
        CHECK_STREQ(approver_notices, expected);
        json_decref(approver_event);
        approver_event = NULL;
        manager_end();
}

TEST_MAIN
