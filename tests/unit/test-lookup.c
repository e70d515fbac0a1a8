/* SPDX-License-Identifier: Apache-2.0 */

/* From a name that somebody typed to a reserved account, over the real sockets, with an approver that answers, is slow,
 * lies or is gone. */

#include "test-reaperd.h"

static unsigned n_answers, n_found, n_unknown, n_unavailable;

static void on_user(const char *error, json_t *parameters, bool continues, void *userdata) {
        (void) parameters, (void) continues, (void) userdata;
        n_answers++;
        n_found += error == NULL;
        n_unknown += error && streq(error, "io.systemd.UserDatabase.NoRecordFound");
        n_unavailable += error && streq(error, "io.systemd.UserDatabase.ServiceNotAvailable");
}

static void ask(const char *name) {
        CHECK_EQ_INT(varlink_call_async(manager->event, USERDB_SOCKET, "io.systemd.UserDatabase.GetUserRecord",
                                        json_pack("{s:s,s:s}", "userName", name, "service", USERDB_SERVICE), false, 0,
                                        on_user, NULL, NULL),
                     0);
}

static void begin_counting(void) {
        n_answers = n_found = n_unknown = n_unavailable = approver_asked = 0;
}

TEST(names_that_are_not_ours) {
        static const char *const names[] = {
                        "root",    "alice",   "jit", "jit-",  "jit-a--b",
                        "jit-a_b", "jit-a/b", "",    "jit-ä", "jit-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

        if (!manager_begin("names_that_are_not_ours"))
                return;
        begin_counting();
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ask(names[i]);
        pump();
        CHECK_EQ_INT(n_unknown, ELEMENTSOF(names));
        CHECK_EQ_INT(approver_asked, 0);
        manager_end();
}

TEST(one_flight_a_name) {
        if (!manager_begin("one_flight_a_name"))
                return;
        begin_counting();
        approver_says = NULL;
        for (unsigned i = 0; i < 40; i++)
                ask("JIT-chg1");
        pump();
        CHECK_EQ_INT(approver_asked, 1);
        CHECK_EQ_INT(n_unavailable, 8); /* the queue is bounded */
        CHECK_EQ_INT(approver_n_waiting, 1);
        (void) varlink_reply(approver_waiting[0], json_pack("{s:o}", "verdict", json_loads(ALLOW, 0, NULL)));
        pump();
        CHECK_EQ_INT(n_found, 32);
        CHECK_EQ_INT(manager->n_grants, 1);
        ask("jit-chg1");
        pump();
        CHECK_EQ_INT(approver_asked, 1);
        manager_end();
}

TEST(askers_that_go_away) {
        if (!manager_begin("askers_that_go_away"))
                return;
        begin_counting();
        approver_says = NULL;
        VarlinkCall *c = NULL;
        CHECK_EQ_INT(varlink_call_async(manager->event, USERDB_SOCKET, "io.systemd.UserDatabase.GetUserRecord",
                                        json_pack("{s:s,s:s}", "userName", "jit-chg1", "service", USERDB_SERVICE),
                                        false, 0, on_user, NULL, &c),
                     0);
        pump();
        varlink_call_free(c);
        pump();
        (void) varlink_reply(approver_waiting[0], json_pack("{s:o}", "verdict", json_loads(ALLOW, 0, NULL)));
        pump();
        CHECK_EQ_INT(n_answers, 0);
        CHECK_EQ_INT(manager->n_lookups, 0);
        manager_end();
}

TEST(many_made_up_names) {
        if (!manager_begin("many_made_up_names"))
                return;
        begin_counting();
        approver_says = NULL;
        for (unsigned i = 0; i < 200; i++) {
                char name[32];
                (void) snprintf(name, sizeof(name), "jit-x%u", i);
                ask(name);
                (void) sd_event_run(manager->event, 0);
        }
        pump();
        CHECK(manager->n_lookups <= 128 && approver_asked <= 128);
        CHECK_EQ_INT(n_unavailable, 200 - manager->n_lookups);
        approver_stop(); /* and now it dies: nobody waits for ever */
        pump();
        CHECK_EQ_INT(n_answers, 200);
        CHECK_EQ_INT(n_unavailable, 200);
        CHECK_EQ_INT(manager->n_lookups, 0);
        approver_start();
        manager_end();
}

TEST(unknown_and_lies) {
        static const char *const lies[] = {
                        "{}",
                        "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"\"}",
                        "{\"decision\":\"allow\",\"reason\":\"a\",\"message\":\"\",\"ticket\":\"CHG9\",\"requester\":"
                        "\"alice\",\"role\":\"dba\","
                        "\"notAfter\":4000000000000000,\"ttlUSec\":1}",
        };

        if (!manager_begin("unknown_and_lies"))
                return;
        begin_counting();
        approver_says = UNKNOWN;
        ask("jit-chg1");
        pump();
        CHECK_EQ_INT(n_unknown, 1);
        for (size_t i = 0; i < ELEMENTSOF(lies); i++) {
                char name[32];
                begin_counting();
                approver_says = lies[i];
                (void) snprintf(name, sizeof(name), "jit-lie%zu", i);
                ask(name);
                pump();
                CHECK_EQ_INT(n_found, 0);
                CHECK_EQ_INT(n_answers, 1);
        }
        CHECK_EQ_INT(manager->n_grants, 0);
        CHECK(is_empty(manager->dirs.grants) && is_empty(manager->dirs.keys));
        manager_end();
}

/* Not even whose ticket it is: nobody to be told, and no account; but nobody is told that there is none, either. */
TEST(no_answer_about_anybody) {
        if (!manager_begin("no_answer_about_anybody"))
                return;
        begin_counting();
        approver_says = "{\"decision\":\"refuse\",\"reason\":\"provider-limit\",\"message\":\"asked too "
                        "often\",\"ticket\":\"chg1\"}";
        ask("jit-chg1");
        pump();
        CHECK_EQ_INT(n_unavailable, 1);
        CHECK_EQ_INT(manager->n_grants, 0);
        /* With a name the person is reserved, and told why. */
        approver_says = "{\"decision\":\"refuse\",\"reason\":\"provider-limit\",\"message\":\"asked too "
                        "often\",\"ticket\":\"chg2\","
                        "\"requester\":\"alice\"}";
        ask("jit-chg2-alice");
        pump();
        CHECK_EQ_INT(n_found, 1);
        CHECK_EQ_INT(manager->n_grants, 1);
        manager_end();
}

/* What another local user learns: of a name nothing, and of one that is only reserved nothing. */
TEST(strangers_learn_nothing) {
        if (!manager_begin("strangers_learn_nothing"))
                return;
        begin_counting();
        CHECK(seteuid(TEST_UID_MIN + 7) >= 0);
        ask("jit-chg1");
        CHECK(seteuid(0) >= 0);
        pump();
        CHECK(n_unknown == 1 && approver_asked == 0 && manager->n_grants == 0);
        ask("jit-chg1");
        pump();
        CHECK_EQ_INT(n_found, 1);
        CHECK(seteuid(TEST_UID_MIN + 7) >= 0);
        ask("jit-chg1");
        CHECK(seteuid(0) >= 0);
        pump();
        CHECK_EQ_INT(n_unknown, 2);
        manager_end();
}

TEST_MAIN
