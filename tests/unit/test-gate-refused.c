/* SPDX-License-Identifier: Apache-2.0 */

/* Who does not get through the gate, and why. */

#include "test-gate.h"

TEST(refused) {
        static const struct {
                const char *says, *ticket, *reason;
        } cases[] = {
                {ALLOW, "../etc", "name-invalid"},
                {ALLOW, "a b", "name-invalid"},
                {ALLOW, "", "name-invalid"},
                {ALLOW, "CHG1\\", "name-invalid"},
                {ALLOW, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "name-invalid"},
                {UNKNOWN, "CHG1", "ticket-unknown"},
                {REFUSE, "CHG1", "ticket-closed"},
                {"{\"decision\":\"refuse\",\"reason\":\"wrong-host\",\"message\":\"m\",\"ticket\":\"CHG1\",\"requester\":\"alice\"}", "CHG1",
                 "wrong-host"},
                /* somebody else's, whatever jit-approverd says of it */
                {"{\"decision\":\"refuse\",\"reason\":\"ticket-closed\",\"message\":\"m\",\"ticket\":\"CHG1\",\"requester\":\"bob\"}", "CHG1",
                 "ticket-unknown"},
                {"{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"m\",\"ticket\":\"CHG1\",\"requester\":\"alicex\",\"role\":\"dba\","
                 "\"notAfter\":4000000000000000,\"ttlUSec\":600000000}",
                 "CHG1", "ticket-unknown"},
                {"{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"m\",\"ticket\":\"CHG2\",\"requester\":\"alice\",\"role\":\"dba\","
                 "\"notAfter\":4000000000000000,\"ttlUSec\":600000000}",
                 "CHG1", "ticket-unknown"},
                {"{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"m\",\"ticket\":\"CHG1\",\"requester\":\"alice\",\"role\":\"web\","
                 "\"notAfter\":4000000000000000,\"ttlUSec\":600000000}",
                 "CHG1", "role-unknown"},
                {"{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"m\",\"ticket\":\"CHG1\",\"requester\":\"alice\",\"role\":\"dba\","
                 "\"notAfter\":1000,\"ttlUSec\":600000000}",
                 "CHG1", "too-late"},
                {"{\"decision\":\"maybe\"}", "CHG1", "provider-unreachable"},
                {"{\"decision\":\"refuse\",\"reason\":\"provider-tls\",\"message\":\"m\",\"ticket\":\"CHG1\"}", "CHG1", "provider-tls"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (!people_begin("refused"))
                        return;
                Person alice = person_start(UID_ALICE, UID_ALICE, 0);
                approver_says = cases[i].says;
                check_answer(authorize(&alice, "pts/0", cases[i].ticket), false, cases[i].reason);
                check_error(open_elevation(&alice, "root", "pts/0"), "TryAgain", "try-again");
                CHECK(!grant_by_person(manager, UID_ALICE) && n_scopes == 0);
                person_end(&alice);
                people_end();
        }
}

TEST(what_the_role_says) {
        if (!people_begin("what_the_role_says"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        test_role.ways = ROLE_WAY_ACCOUNT | ROLE_WAY_ELEVATE;
        check_answer(authorize(&alice, "pts/0", "CHG1"), false, "way-not-allowed");
        test_role.ways = ROLE_WAY_GATE;
        test_role.run_as = (char *) "postgres:postgres";
        /* sudo says who only in its session phase, su and run0 before */
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_error(open_elevation(&alice, "root", "pts/0"), "Refused", "target-not-allowed");
        sudo_use = SUDO_USE_OTHER; /* sudo -g disk: PAM does not hear of it */
        check_answer(authorize(&alice, "pts/0", "CHG1"), false, "target-not-allowed");
        sudo_use = SUDO_USE_EDIT;
        check_answer(authorize(&alice, "pts/0", "CHG1"), false, "target-not-allowed");
        test_role.run_as = (char *) "root";
        check_answer(authorize(&alice, "pts/0", "CHG1"), false, "target-not-allowed");
        sudo_use = SUDO_USE_OTHER; /* root may do all that without an option */
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        test_role.run_as = (char *) "postgres:postgres";
        sudo_use = SUDO_USE_PLAIN;
        CHECK(grant_by_person(manager, UID_ALICE)->state == GRANT_RESERVED && n_scopes == 0);
        check_answer(person_calls(&alice, "AuthorizeElevation", pam_call_with("root", "su", "pts/0", "ticket", json_string("CHG1"))), false,
                     "target-not-allowed");
        check_answer(keep_decision(person_calls(&alice, "AuthorizeElevation",
                                                pam_call_with("postgres", "su", "pts/0", "ticket", json_string("CHG1")))),
                     true, "approved");
        CHECK_STREQ(text_in(json_object_get(approver_context, "context"), "target"), "postgres");
        check_bound(open_elevation(&alice, "postgres", "pts/0"));
        person_end(&alice);
        people_end();
}

TEST(services_without_a_login) {
        if (!people_begin("services_without_a_login"))
                return;
        Person job = person_start(NO_LOGIN, UID_ALICE, 0), nobody = person_start(NO_LOGIN, TEST_UID_MIN + 999, 0);
        check_answer(authorize(&job, NULL, NULL), false, "ticket-needed");
        check_answer(authorize(&job, NULL, "CHG1"), false, "caller-unknown");
        check_answer(authorize(&nobody, NULL, "CHG1"), false, "caller-unknown");
        test_role.workloads = true;
        logged_in = false;
        check_answer(authorize(&nobody, NULL, "CHG1"), false, "caller-unknown");
        check_answer(authorize(&job, NULL, "CHG1"), true, "approved");
        check_bound(open_elevation(&job, "root", NULL));
        Grant *g = grant_by_person(manager, UID_ALICE);
        CHECK(g && g->state == GRANT_ACTIVE && g->sessions && !g->sessions->next && g->sessions->kind == SESSION_SCOPE);
        check_answer(authorize(&job, NULL, NULL), false, "ticket-needed"); /* it has no terminal where a ticket could be open */
        person_end(&job);
        person_end(&nobody);
        people_end();
}

/* A job that calls sudo again and again by its ticket. */
TEST(approved_as_often_as_one_likes) {
        if (!people_begin("approved_as_often_as_one_likes"))
                return;
        Person job = person_start(NO_LOGIN, UID_ALICE, 0);
        test_role.workloads = true;
        for (unsigned i = 0; i < 60; i++) {
                check_answer(authorize(&job, NULL, "CHG1"), true, "approved");
                grant_release(grant_by_person(manager, UID_ALICE));
        }
        person_end(&job);
        people_end();
}

TEST(a_prompt_is_no_hammer) {
        unsigned asked, limited = 0;

        if (!people_begin("a_prompt_is_no_hammer"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0), bob = person_start(UID_BOB, UID_BOB, 0);
        approver_says = UNKNOWN;
        pump(); /* Watch is there: else nothing is remembered */
        check_answer(authorize(&alice, "pts/0", "CHG1"), false, "ticket-unknown");
        asked = approver_asked;
        check_answer(authorize(&alice, "pts/0", "CHG1"), false, "ticket-unknown");
        CHECK_EQ_INT(approver_asked, asked); /* remembered */
        approver_tell("CHG1");
        pump();
        check_answer(authorize(&alice, "pts/0", "CHG1"), false, "ticket-unknown");
        CHECK_EQ_INT(approver_asked, asked + 1);
        for (unsigned i = 0; i < 60; i++) {
                char ticket[16];
                (void) snprintf(ticket, sizeof(ticket), "CHG%u", i + 100);
                json_t *j = authorize(&alice, "pts/0", ticket);
                limited += (unsigned) streq(text_in(j, "reason"), "rate-limited");
                json_decref(j);
        }
        if (limited < 40)
                TEST_FAIL("asked %u times", 60 - limited);
        check_answer(authorize(&bob, "pts/1", "CHG1"), false, "ticket-unknown"); /* others are asked for */
        person_end(&alice);
        person_end(&bob);
        people_end();
}

/* What a caller says of itself is on record, and nothing more. */
TEST(said_is_recorded) {
        if (!people_begin("said_is_recorded"))
                return;
        Person bob = person_start(UID_BOB, UID_BOB, 0);
        approver_says = UNKNOWN;
        json_t *call = pam_call_with("alice", "sudo", "pts/0", "ticket", json_string("CHG1"));
        (void) json_object_set_new(call, "ruser", json_string("alice"));
        check_answer(person_calls(&bob, "AuthorizeElevation", call), false, "ticket-unknown");
        _cleanup_free_ char *line = last_audit_line();
        static const char *const parts[] = {"\"event\":\"login.refused\"", "\"reason\":\"ticket-unknown\"", "\"person\":\"bob\"", "\"ruser\":\"alice\"",
                                            "\"way\":\"gate\"", "\"ticket\":\"chg1\"", "\"service\":\"sudo\"", "\"tty\":\"pts/0\"",
                                            "\"account\":\"bob\""};
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (!strstr(line, parts[i]))
                        TEST_FAIL("%s is not in %s", parts[i], line);
        CHECK_STREQ(text_in(json_object_get(approver_context, "context"), "person"), "bob");
        person_end(&bob);
        people_end();
}

TEST(only_root_may_call) {
        if (!people_begin("only_root_may_call"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, UID_ALICE);
        static const char *const methods[] = {"Authenticate", "Authorize", "OpenSession", "AuthorizeElevation", "OpenElevation"};
        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                json_t *j = person_calls(&alice, methods[i], pam_call("jit-chg1", "sudo", NULL));
                CHECK_STREQ(text_in(j, "error"), VARLINK_ERROR_PERMISSION_DENIED);
                json_decref(j);
        }
        person_end(&alice);
        people_end();
}

TEST_MAIN
