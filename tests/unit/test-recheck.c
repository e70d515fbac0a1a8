/* SPDX-License-Identifier: Apache-2.0 */

/* Live grants whose tickets are asked about again: what ends them, what does not, and how many calls it takes. */

#include "provider-name.h"
#include "session.h"
#include "test-reaperd.h"

/* As an http provider's verdict, with more or less of a member. */
#define FOLLOWED(more)                                                                                                 \
        "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG1\",\"requester\":"       \
        "\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\"],\"notAfter\":4000000000000000,\"ttlUSec\":600000000,"      \
        "\"provider\":\"rt\",\"recheckUSec\":1000000," more "}"
#define FOLLOW FOLLOWED("\"digest\":\"d1\",\"graceUSec\":2000000")
/* For what must not come near its end on a slow machine. */
#define PATIENT FOLLOWED("\"digest\":\"d1\",\"graceUSec\":20000000")
#define BRIEF FOLLOWED("\"digest\":\"d1\",\"graceUSec\":5000000")
#define NO_ANSWER                                                                                                      \
        "{\"decision\":\"refuse\",\"reason\":\"provider-login\",\"message\":\"it refuses our own credentials\","       \
        "\"ticket\":\"CHG1\"}"

/* ACTIVE, as after a login; the process is none, so that it ends without a kill. */
static Grant *activate(const char *account, const char *text) {
        Grant *g = reserve(account, text);

        g->state = GRANT_ACTIVE;
        g->deadline_usec = now_usec(CLOCK_BOOTTIME) + USEC_PER_HOUR;
        CHECK_EQ_INT(grant_record_save(g), 0);
        CHECK_EQ_INT(grant_arm(g), 0);
        grant_recheck_begin(g);
        return g;
}

static const char *end_reason(const char *account) {
        const Grant *g = grant_by_account(manager, account);

        for (g = g ?: manager->grants; g; g = g->next)
                if (streq(g->account, account))
                        return g->state == GRANT_ACTIVE ? "active" : g->end_reason;
        return "gone";
}

/* Until it is no longer ACTIVE, or so long. */
static uint64_t run_while_active(Grant *g, uint64_t usec) {
        uint64_t start = now_usec(CLOCK_BOOTTIME);

        while (g->state == GRANT_ACTIVE && now_usec(CLOCK_BOOTTIME) < start + usec)
                (void) sd_event_run(manager->event, 5000);
        return now_usec(CLOCK_BOOTTIME) - start;
}

static void run_until_asked(unsigned n) {
        for (unsigned i = 0; i < 4000 && approver_asked < n; i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK(approver_asked >= n);
        pump();
}

static void end(void) {
        while (manager->grants && manager->grants->state == GRANT_ACTIVE) {
                (void) grant_record_remove(manager->grants);
                (void) unlinkat(manager->dirs.keys, manager->grants->account, 0);
                grant_free(manager->grants);
        }
        approver_hangs = false;
        manager_end();
}

TEST(asked_again_and_again) {
        if (!manager_begin("asked_again_and_again"))
                return;
        approver_says = FOLLOW;
        pump();
        approver_asked = 0;
        Grant *g = activate("jit-chg1", FOLLOW);
        CHECK_EQ_INT(g->recheck_sec, 1);
        CHECK_EQ_INT(g->grace_sec, 2);
        CHECK_STREQ(provider_name(manager, g->provider), "rt");
        uint64_t start = now_usec(CLOCK_BOOTTIME);
        run_until_asked(3);
        CHECK(now_usec(CLOCK_BOOTTIME) - start >=
              1400 * USEC_PER_MSEC); /* a question comes half a second early at most */
        CHECK(g->state == GRANT_ACTIVE && g->silence == 0);
        end();
}

TEST(idle_without_followed_grants) {
        if (!manager_begin("idle_without_followed_grants"))
                return;
        pump();
        (void) activate("jit-chg1", ALLOW); /* signed: no recheck */
        pump();
        approver_asked = 0;
        CHECK_EQ_INT(sd_event_run(manager->event, 2 * USEC_PER_SEC), 0); /* nothing whatever happens */
        CHECK_EQ_INT(approver_asked, 0);
        end();
}

TEST(a_clear_no_ends_it) {
        if (!manager_begin("a_clear_no_ends_it"))
                return;
        approver_says = FOLLOW;
        pump();
        Grant *g = activate("jit-chg1", FOLLOW);
        approver_says = REFUSE;
        CHECK(run_while_active(g, 10 * USEC_PER_SEC) < 5 * USEC_PER_SEC);
        CHECK_STREQ(end_reason("jit-chg1"), "ticket-closed");
        run_until_gone();
        end();
}

TEST(another_approval_is_another_ticket) {
        static const char *const others[] = {
                        FOLLOWED("\"digest\":\"d2\""),
                        FOLLOWED("\"title\":\"no digest any more\""),
                        "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG1\","
                        "\"requester\":\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\"],\"notAfter\":"
                        "4000000000000000,\"ttlUSec\":600000000,\"provider\":\"other\",\"recheckUSec\":1000000,"
                        "\"digest\":\"d1\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                if (!manager_begin("another_approval_is_another_ticket"))
                        return;
                approver_says = FOLLOW;
                pump();
                Grant *g = activate("jit-chg1", FOLLOW);
                approver_says = others[i];
                approver_tell("CHG1"); /* the event's way */
                CHECK(run_while_active(g, 10 * USEC_PER_SEC) < 5 * USEC_PER_SEC);
                CHECK_STREQ(end_reason("jit-chg1"), "ticket-changed");
                run_until_gone();
                end();
        }
}

/* What is only reserved may still be another thing than it was: nothing has been granted on it. */
TEST(a_reserved_ticket_may_change) {
        if (!manager_begin("a_reserved_ticket_may_change"))
                return;
        _cleanup_verdict_ Verdict v = verdict_of(FOLLOWED("\"digest\":\"d2\""));
        Grant *g = reserve("jit-chg1", FOLLOW);
        CHECK_EQ_INT(grant_update(g, &v), 0);
        CHECK_STREQ(g->digest, "d2");
        end();
}

TEST(silence_ends_it_after_its_grace) {
        static const struct {
                const char *says;
                bool stopped, hangs;
                const char *reason;
        } silences[] = {
                        {NO_ANSWER, false, false, "provider-login"},
                        {FOLLOW, true, false, "provider-unreachable"},
                        {FOLLOW, false, true, "provider-unreachable"},
                        {"{\"decision\":\"allow\"}", false, false, "provider-unreachable"},
        };

        for (size_t i = 0; i < ELEMENTSOF(silences); i++) {
                if (!manager_begin("silence_ends_it_after_its_grace"))
                        return;
                test_config.approval_usec = 0; /* and 10 s: see approver-link.c */
                approver_says = FOLLOW;
                pump();
                Grant *g = activate("jit-chg1", FOLLOW);
                if (silences[i].stopped)
                        approver_stop();
                approver_says = silences[i].says;
                approver_hangs = silences[i].hangs;
                uint64_t lived = run_while_active(g, 30 * USEC_PER_SEC);
                CHECK(lived >= 1900 * USEC_PER_MSEC);
                CHECK(lived < 20 * USEC_PER_SEC);
                CHECK_STREQ(end_reason("jit-chg1"), silences[i].reason);
                run_until_gone();
                if (silences[i].stopped)
                        approver_start();
                test_config.approval_usec = 10 * USEC_PER_SEC;
                end();
        }
}

TEST(silence_without_grace_ends_nothing) {
        if (!manager_begin("silence_without_grace_ends_nothing"))
                return;
        approver_says = FOLLOW;
        pump();
        Grant *g = activate("jit-chg1", FOLLOWED("\"digest\":\"d1\"")), *h = activate("jit-chg1-alice", ALLOW);
        CHECK_EQ_INT(g->grace_sec, GRACE_NONE);
        approver_says = NO_ANSWER;
        approver_tell("*");
        approver_asked = 0;
        run_until_asked(5);
        CHECK(g->state == GRANT_ACTIVE && h->state == GRANT_ACTIVE);
        end();
}

TEST(an_answer_ends_the_silence) {
        if (!manager_begin("an_answer_ends_the_silence"))
                return;
        approver_says = NO_ANSWER;
        pump();
        Grant *g = activate("jit-chg1", PATIENT);
        for (unsigned i = 0; i < 1000 && g->silence == 0; i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK_STREQ(silence_to_string(g->silence), "provider-login");
        uint64_t before = g->answered_usec;
        approver_says = PATIENT;
        for (unsigned i = 0; i < 1000 && g->silence != 0; i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK(g->silence == 0 && g->answered_usec > before);
        CHECK(g->state == GRANT_ACTIVE);
        run_for(2500 * USEC_PER_MSEC);
        CHECK(g->state == GRANT_ACTIVE);
        end();
}

static void on_resume(Grant *g) {
        CHECK_EQ_INT(grant_arm(g), 0);
        grant_recheck_begin(g);
}

/* A restart of ours neither forgets how long nobody has answered, nor takes an old answer for a long silence. */
TEST(silence_is_remembered) {
        if (!manager_begin("silence_is_remembered"))
                return;
        approver_says = BRIEF;
        pump();
        Grant *g = activate("jit-chg1", BRIEF);
        g->answered_usec = 1; /* long ago, and not in the record */
        manager_crash();
        if (!manager_begin("silence_is_remembered"))
                return;
        approver_says = NO_ANSWER;
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        g = grant_by_account(manager, "jit-chg1");
        CHECK(g && g->silence == 0 && g->answered_usec > 1 && g->recheck_sec == 1 && g->grace_sec == 5);
        CHECK_STREQ(provider_name(manager, g->provider), "rt");
        for (unsigned i = 0; i < 1000 && g->silence == 0; i++)
                (void) sd_event_run(manager->event, 5000);
        uint64_t answered = g->answered_usec;
        manager_crash();
        if (!manager_begin("silence_is_remembered"))
                return;
        approver_says = NO_ANSWER;
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        g = grant_by_account(manager, "jit-chg1");
        CHECK_STREQ(silence_to_string(g->silence), "provider-login");
        CHECK_EQ_INT(g->answered_usec, answered);
        (void) run_while_active(g, 20 * USEC_PER_SEC);
        CHECK(now_usec(CLOCK_BOOTTIME) >= answered + 5 * USEC_PER_SEC);
        CHECK_STREQ(end_reason("jit-chg1"), "provider-login");
        run_until_gone();
        end();
}

TEST(many_in_few_calls) {
        enum { N = 600 };

        if (!manager_begin("many_in_few_calls"))
                return;
        test_config.grants_max = 1000;
        approver_says = NO_ANSWER; /* which fits every ticket */
        pump();
        for (unsigned i = 0; i < N; i++) {
                _cleanup_json_ json_t *j = json_loads(FOLLOWED("\"digest\":\"d1\""), 0, NULL);
                char account[32];
                (void) snprintf(account, sizeof(account), "jit-t%u", i);
                (void) json_object_set_new(j, "ticket", json_string(account + 4));
                (void) json_object_set_new(j, "recheckUSec", json_integer(2000000));
                _cleanup_free_ char *text = json_dumps(j, 0);
                (void) activate(account, text);
        }
        pump();
        approver_asked = approver_batches = 0;
        run_until_asked(N);
        CHECK(approver_batches <= 6); /* those of two seconds, a tenth more or less, in half seconds */
        test_config.grants_max = 100;
        end();
}

/* The answer to another's question, or about a grant that is gone. */
TEST(lies_about_who_is_meant) {
        if (!manager_begin("lies_about_who_is_meant"))
                return;
        approver_says = FOLLOW;
        pump();
        Grant *g = activate("jit-chg1", FOLLOW), *h = activate("jit-chg1-alice", ALLOW);
        approver_hangs = true;
        approver_asked = 0;
        run_until_asked(1);
        _cleanup_json_ json_t *other = json_pack("{s:s}", "account", "jit-chg1-alice"),
                              *own = json_pack("{s:s}", "account", "jit-chg1");
        approver_says = REFUSE;
        VarlinkLink *l = approver_waiting[--approver_n_waiting];
        (void) varlink_notify(l, recheck_answer(other));
        approver_says = FOLLOW;
        (void) varlink_notify(l, recheck_answer(own));
        approver_says = REFUSE;
        (void) varlink_reply(l, recheck_answer(own)); /* a second one */
        varlink_link_unref(l);
        pump();
        CHECK(g->state == GRANT_ACTIVE && h->state == GRANT_ACTIVE && g->silence == 0);
        approver_says = FOLLOW;
        end();
}

TEST_MAIN
