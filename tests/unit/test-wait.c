/* SPDX-License-Identifier: Apache-2.0 */

/* Logins on a ticket that is not approved yet. */

#include "test-reaperd.h"

#define PENDING_MORE(more)                                                                                             \
        "{\"decision\":\"refuse\",\"reason\":\"ticket-pending\",\"message\":\"CHG1 waits for approval by bob\","       \
        "\"ticket\":\"CHG1\",\"requester\":\"alice\",\"role\":\"dba\",\"digest\":\"d1\",\"sshKeys\":[\"" TEST_KEY      \
        "\"]" more "}"
#define PENDING PENDING_MORE("")
#define NO_ANSWER                                                                                                      \
        "{\"decision\":\"refuse\",\"reason\":\"provider-unreachable\",\"message\":\"it does not answer\",\"ticket\":"  \
        "\"CHG1\"}"

/* What one login heard. */
typedef struct Heard {
        unsigned n_said; /* before the last word */
        char said[2048];
        uint64_t until;
        bool ended, allow;
        char reason[64], message[512];
        VarlinkCall *call;
} Heard;

static const char *text_of(const json_t *parameters, const char *name) {
        return json_string_value(json_object_get(parameters, name)) ?: "";
}

static void on_answer(const char *error, json_t *parameters, bool continues, void *userdata) {
        Heard *h = userdata;

        if (continues) {
                size_t n = strlen(h->said);
                CHECK(json_is_false(json_object_get(parameters, "allow")));
                h->n_said++;
                h->until = (uint64_t) json_integer_value(json_object_get(parameters, "until"));
                (void) snprintf(h->said + n, sizeof(h->said) - n, "%s\n", text_of(parameters, "message"));
                return;
        }
        CHECK(!h->ended);
        h->ended = true;
        h->call = NULL;
        h->allow = !error && json_is_true(json_object_get(parameters, "allow"));
        (void) snprintf(h->reason, sizeof(h->reason), "%s", error ?: text_of(parameters, "reason"));
        (void) snprintf(h->message, sizeof(h->message), "%s", error ? "" : text_of(parameters, "message"));
}

static void authorize(Heard *h, bool wait, bool more) {
        *h = (Heard){};
        CHECK_EQ_INT(varlink_call_async(manager->event, REAPER_SOCKET, "io.pamjit.Reaper.Authorize",
                                        json_pack("{s:s,s:s,s:s,s:b}", "account", "jit-chg1", "service", "sshd",
                                                  "rhost", "192.0.2.1", "wait", wait),
                                        more, 0, on_answer, h, &h->call),
                     0);
        pump();
}

/* Until it has an answer, at most so long; how long it took. */
static uint64_t run_until_ended(const Heard *h, uint64_t usec) {
        uint64_t start = now_usec(CLOCK_BOOTTIME);

        while (!h->ended && now_usec(CLOCK_BOOTTIME) < start + usec)
                (void) sd_event_run(manager->event, 5000);
        CHECK(h->ended);
        return now_usec(CLOCK_BOOTTIME) - start;
}

static bool begin(const char *name, uint64_t wait_usec) {
        if (!manager_begin(name))
                return false;
        test_config.wait_usec = wait_usec;
        approver_says = PENDING;
        pump();
        (void) reserve("jit-chg1", PENDING);
        approver_asked = 0;
        return true;
}

static void end(void) {
        CHECK_EQ_INT(manager->n_waits, 0);
        test_config.wait_usec = 0;
        manager_end();
}

TEST(no_waiting_unless_it_is_set_and_asked_for) {
        static const struct {
                uint64_t limit;
                bool wait, more;
        } cases[] = {{0, true, true}, {20 * USEC_PER_SEC, false, true}, {20 * USEC_PER_SEC, true, false}};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Heard h;
                if (!begin("no_waiting_unless_it_is_set_and_asked_for", cases[i].limit))
                        return;
                authorize(&h, cases[i].wait, cases[i].more);
                CHECK(h.ended && !h.allow && h.n_said == 0);
                CHECK_STREQ(h.reason, "ticket-pending");
                end();
        }
}

TEST(approved_while_somebody_waits) {
        Heard h;

        if (!begin("approved_while_somebody_waits", 50 * USEC_PER_SEC))
                return;
        uint64_t before = now_usec(CLOCK_REALTIME);
        authorize(&h, true, true);
        CHECK_EQ_INT(h.n_said, 1); /* at once */
        CHECK_STREQ(h.said, "CHG1 waits for approval by bob; 50 s left; Ctrl-C ends it\n");
        CHECK(h.until >= before + 49 * USEC_PER_SEC && h.until <= now_usec(CLOCK_REALTIME) + 50 * USEC_PER_SEC);
        CHECK(!h.ended);
        CHECK_EQ_INT(manager->n_waits, 1);
        approver_tell("CHG2"); /* another one's */
        pump();
        CHECK(!h.ended && approver_asked == 1);
        approver_says = ALLOW;
        approver_tell("chg1");
        CHECK(run_until_ended(&h, 5 * USEC_PER_SEC) < 2 * USEC_PER_SEC);
        CHECK(h.allow);
        CHECK(strstr(h.message, "approved by bob") != NULL);
        Grant *g = grant_by_account(manager, "jit-chg1");
        CHECK(g && grant_is_authorized(g));
        end();
}

TEST(asked_every_so_often_where_nobody_tells) {
        Heard h;

        if (!begin("asked_every_so_often_where_nobody_tells", 50 * USEC_PER_SEC))
                return;
        approver_says = PENDING_MORE(",\"recheckUSec\":1000000");
        authorize(&h, true, true);
        for (unsigned i = 0; i < 2000 && approver_asked < 3; i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK_EQ_INT(approver_asked, 3);
        approver_says = ALLOW;
        CHECK(run_until_ended(&h, 10 * USEC_PER_SEC) < 5 * USEC_PER_SEC);
        CHECK(h.allow);
        end();
}

TEST(too_few_approvers_is_pending_too) {
        Heard h;

        if (!begin("too_few_approvers_is_pending_too", 50 * USEC_PER_SEC))
                return;
        approver_says = "{\"decision\":\"refuse\",\"reason\":\"too-few-approvers\",\"message\":\"CHG1 has 1 of 2\","
                        "\"ticket\":\"CHG1\",\"requester\":\"alice\"}";
        authorize(&h, true, true);
        CHECK(!h.ended && h.n_said == 1);
        CHECK(strncmp(h.said, "CHG1 has 1 of 2; ", strlen("CHG1 has 1 of 2; ")) == 0);
        approver_says = ALLOW;
        approver_tell("*");
        (void) run_until_ended(&h, 5 * USEC_PER_SEC);
        CHECK(h.allow);
        end();
}

TEST(denied_while_somebody_waits) {
        Heard h;

        if (!begin("denied_while_somebody_waits", 50 * USEC_PER_SEC))
                return;
        authorize(&h, true, true);
        approver_says = REFUSE;
        approver_tell("CHG1");
        (void) run_until_ended(&h, 5 * USEC_PER_SEC);
        CHECK(!h.allow);
        CHECK_STREQ(h.reason, "ticket-closed");
        CHECK_STREQ(h.message, "it was closed");
        end();
}

TEST(gone_while_somebody_waits) {
        Heard h;

        if (!begin("gone_while_somebody_waits", 50 * USEC_PER_SEC))
                return;
        authorize(&h, true, true);
        approver_says = UNKNOWN; /* there is no such ticket any more: no such account either */
        approver_tell("CHG1");
        (void) run_until_ended(&h, 5 * USEC_PER_SEC);
        CHECK(!h.allow);
        end();
}

TEST(limit) {
        Heard h;

        if (!begin("limit", 1500 * USEC_PER_MSEC))
                return;
        authorize(&h, true, true);
        uint64_t took = run_until_ended(&h, 10 * USEC_PER_SEC);
        CHECK(took >= 1200 * USEC_PER_MSEC && took < 5 * USEC_PER_SEC);
        CHECK(!h.allow && h.n_said == 1);
        CHECK_STREQ(h.reason, "ticket-pending");
        CHECK(strstr(h.message, "not approved within") != NULL);
        /* An approval does not let it in any more; a new login it does. */
        approver_says = ALLOW;
        approver_tell("CHG1");
        pump();
        CHECK(!h.allow && manager->n_waits == 0);
        Heard again;
        authorize(&again, true, true);
        CHECK(again.ended && again.allow && again.n_said == 0);
        end();
}

/* The approval and the limit at one time: one answer, and no login on a late one. */
TEST(limit_while_the_question_is_open) {
        Heard h;

        if (!begin("limit_while_the_question_is_open", USEC_PER_SEC))
                return;
        authorize(&h, true, true);
        approver_says = NULL; /* no answer yet */
        approver_tell("CHG1");
        (void) run_until_ended(&h, 10 * USEC_PER_SEC);
        CHECK_STREQ(h.reason, "ticket-pending");
        CHECK_EQ_INT(manager->n_waits, 0);
        while (approver_n_waiting > 0) {
                VarlinkLink *l = approver_waiting[--approver_n_waiting];
                (void) varlink_reply(l, json_pack("{s:o}", "verdict", json_loads(ALLOW, 0, NULL)));
                varlink_link_unref(l);
        }
        pump();
        Grant *g = grant_by_account(manager, "jit-chg1");
        CHECK(!h.allow && g && !grant_is_authorized(g));
        approver_says = ALLOW;
        end();
}

TEST(who_waits_goes_away) {
        Heard h;

        if (!begin("who_waits_goes_away", 50 * USEC_PER_SEC))
                return;
        for (unsigned asking = 0; asking < 2; asking++) {
                authorize(&h, true, true);
                CHECK_EQ_INT(manager->n_waits, 1);
                if (asking) {
                        approver_says = NULL;
                        approver_tell("CHG1");
                        pump();
                }
                varlink_call_free(h.call);
                pump();
                CHECK_EQ_INT(manager->n_waits, 0);
        }
        while (approver_n_waiting > 0) {
                VarlinkLink *l = approver_waiting[--approver_n_waiting];
                (void) varlink_reply(l, json_pack("{s:o}", "verdict", json_loads(ALLOW, 0, NULL)));
                varlink_link_unref(l);
        }
        pump();
        CHECK(!grant_is_authorized(grant_by_account(manager, "jit-chg1")));
        approver_says = ALLOW;
        end();
}

/* No answer is not a no: who waits, waits on. */
/* While the first question is under way: nobody is there to wait for. */
TEST(who_would_wait_has_gone_away) {
        Heard h;

        if (!begin("who_would_wait_has_gone_away", 50 * USEC_PER_SEC))
                return;
        approver_says = NULL;
        authorize(&h, true, true);
        CHECK_EQ_INT(approver_n_waiting, 1);
        varlink_call_free(h.call);
        pump();
        while (approver_n_waiting > 0) {
                VarlinkLink *l = approver_waiting[--approver_n_waiting];
                (void) varlink_reply(l, json_pack("{s:o}", "verdict", json_loads(PENDING, 0, NULL)));
                varlink_link_unref(l);
        }
        pump();
        CHECK_EQ_INT(manager->n_waits, 0);
        approver_says = ALLOW;
        end();
}

TEST(nobody_answers_for_a_while) {
        Heard h;

        if (!begin("nobody_answers_for_a_while", 50 * USEC_PER_SEC))
                return;
        authorize(&h, true, true);
        approver_says = NO_ANSWER;
        approver_tell("CHG1");
        pump();
        CHECK(!h.ended);
        approver_stop();
        pump();
        CHECK(!h.ended);
        approver_says = ALLOW;
        approver_start(); /* Watch comes back within 1 s, and says that anything may have changed */
        (void) run_until_ended(&h, 10 * USEC_PER_SEC);
        CHECK(h.allow);
        end();
}

/* A reservation of 200 ms lives as long as somebody waits, and its key with it. */
TEST(the_reservation_lives_on) {
        Heard h;

        test_config.reserve_usec = 200 * USEC_PER_MSEC;
        if (!begin("the_reservation_lives_on", 50 * USEC_PER_SEC))
                return;
        authorize(&h, true, true);
        run_for(600 * USEC_PER_MSEC);
        CHECK(grant_by_account(manager, "jit-chg1") != NULL && is_there(manager->dirs.keys, "jit-chg1"));
        approver_says = ALLOW;
        approver_tell("CHG1");
        (void) run_until_ended(&h, 5 * USEC_PER_SEC);
        CHECK(h.allow);
        test_config.reserve_usec = 60 * USEC_PER_SEC;
        end();
}

TEST(so_many_and_no_more) {
        enum { N = 70 };
        static Heard heard[N];
        unsigned refused = 0;

        if (!begin("so_many_and_no_more", 50 * USEC_PER_SEC))
                return;
        for (size_t i = 0; i < N; i++)
                authorize(&heard[i], true, true);
        for (size_t i = 0; i < N; i++)
                refused += heard[i].ended && !heard[i].allow;
        CHECK_EQ_INT(refused, N - 64);
        approver_says = ALLOW;
        approver_tell("CHG1");
        for (size_t i = 0; i < N; i++)
                (void) run_until_ended(&heard[i], 5 * USEC_PER_SEC);
        unsigned allowed = 0;
        for (size_t i = 0; i < N; i++)
                allowed += heard[i].allow;
        CHECK_EQ_INT(allowed, 64);
        end();
}

TEST_MAIN
