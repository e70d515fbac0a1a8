/* SPDX-License-Identifier: Apache-2.0 */

/* The host's own sudo rules, closed without an approved ticket: AuthorizeElevation and OpenElevation as sudo, su and run0 call them. */

#include "test-gate.h"

TEST(closed_without_a_ticket_and_opened_by_one) {
        if (!people_begin("closed_without_a_ticket_and_opened_by_one"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        check_answer(authorize(&alice, "pts/0", NULL), false, "ticket-needed");
        CHECK_EQ_INT(approver_asked, 0);
        json_t *j = authorize(&alice, "pts/0", "chg1");
        CHECK(strstr(text_in(j, "message"), "approved by bob; role dba") != NULL);
        check_answer(j, true, "approved");
        const json_t *context = json_object_get(approver_context, "context");
        CHECK_STREQ(text_in(approver_context, "account"), "jit-chg1");
        CHECK_STREQ(text_in(context, "person"), "alice");
        CHECK_STREQ(text_in(context, "way"), "gate");
        CHECK_STREQ(text_in(context, "phase"), "account");
        CHECK_STREQ(text_in(context, "tty"), "pts/0");
        CHECK(json_object_get(context, "target") == NULL); /* sudo's account phase does not say */
        Grant *g = grant_by_person(manager, UID_ALICE);
        CHECK(g && g->state == GRANT_RESERVED && !g->has_rule);
        check_bound(open_elevation(&alice, "root", "pts/0"));
        g = grant_by_person(manager, UID_ALICE);
        CHECK(g && g->state == GRANT_ACTIVE && g->uid == UID_NONE && n_scopes == 1);
        CHECK(is_empty(manager->dirs.sudoers) && is_empty(manager->dirs.elevated) && is_empty(manager->dirs.keys));
        /* On this terminal the ticket is open; jit-approverd is asked all the same, and nothing is said twice. */
        unsigned asked = approver_asked;
        j = authorize(&alice, "pts/0", NULL);
        CHECK_STREQ(text_in(j, "message"), "");
        check_answer(j, true, "approved");
        CHECK_EQ_INT(approver_asked, asked + 1);
        check_bound(open_elevation(&alice, "root", "pts/0"));
        /* On another it is not, and the same ticket opens it. */
        check_answer(authorize(&alice, "pts/1", NULL), false, "ticket-needed");
        check_answer(authorize(&alice, "pts/1", "CHG1"), true, "approved");
        check_bound(open_elevation(&alice, "root", "pts/1"));
        CHECK_EQ_INT(n_scopes, 3);
        person_end(&alice);
        people_end();
        CHECK(true);
}

TEST(one_yes_is_for_one_process_and_terminal) {
        if (!people_begin("one_yes_is_for_one_process_and_terminal"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0), other = person_start(UID_ALICE, UID_ALICE, 0),
               mallory = person_start(UID_BOB, UID_BOB, 0);
        char own[64];
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        memcpy(own, decision, sizeof(own));
        *decision = 0;
        check_error(open_elevation(&other, "root", "pts/0"), "TryAgain", "try-again");
        check_error(open_elevation(&mallory, "root", "pts/0"), "TryAgain", "try-again");
        memcpy(decision, own, sizeof(own));
        check_error(open_elevation(&alice, "root", "pts/1"), "TryAgain", "try-again");
        check_error(open_elevation(&alice, "root", "pts/0"), "TryAgain", "try-again"); /* it is used up */
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_error(open_elevation(&mallory, "root", "pts/0"), "TryAgain", "try-again");
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_bound(open_elevation(&alice, "root", "pts/0"));
        check_error(open_elevation(&alice, "root", "pts/0"), "TryAgain", "try-again");
        check_answer(authorize(&alice, "pts/0", NULL), true, "approved");
        check_bound(open_elevation(&other, "root", "pts/0")); /* sudo -b goes on in a child, which has its parent's memory */
        person_end(&alice);
        person_end(&other);
        person_end(&mallory);
        people_end();
}

TEST(root_and_what_is_inside_need_none) {
        if (!people_begin("root_and_what_is_inside_need_none"))
                return;
        Person service = person_start(NO_LOGIN, 0, 0), root = person_start(0, 0, 0), alice = person_start(UID_ALICE, 0, 0);
        check_answer(authorize(&service, NULL, NULL), true, "not-needed");
        check_unbound(open_elevation(&service, "bob", NULL));
        check_answer(authorize(&root, "pts/0", NULL), true, "not-needed");
        check_unbound(open_elevation(&root, "bob", "pts/0"));
        /* root by a password is still alice's login */
        check_answer(authorize(&alice, "pts/0", NULL), false, "ticket-needed");
        CHECK(approver_asked == 0 && n_scopes == 0);
        person_end(&service);
        person_end(&root);
        person_end(&alice);
        people_end();
}

TEST(one_ticket_at_a_time) {
        if (!people_begin("one_ticket_at_a_time"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        /* One that went no further is in nobody's way: the later one counts. */
        approver_says = ALLOW_OTHER;
        check_answer(authorize(&alice, "pts/0", "CHG2"), true, "approved");
        CHECK_STREQ(grant_by_person(manager, UID_ALICE)->account, "jit-chg2");
        approver_says = ALLOW;
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_bound(open_elevation(&alice, "root", "pts/0"));
        check_answer(authorize(&alice, "pts/0", "CHG2"), false, "already-elevated");
        /* Withdrawn: the next sudo finds out, and everything by it ends. */
        approver_says = REFUSE;
        check_answer(authorize(&alice, "pts/0", NULL), false, "ticket-closed");
        run_until_gone();
        check_answer(authorize(&alice, "pts/0", NULL), false, "ticket-needed");
        person_end(&alice);
        people_end();
}

TEST(no_answer_ends_nothing) {
        if (!people_begin("no_answer_ends_nothing"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_bound(open_elevation(&alice, "root", "pts/0"));
        approver_stop();
        check_answer(authorize(&alice, "pts/0", NULL), false, "provider-unreachable");
        approver_start();
        CHECK(grant_by_person(manager, UID_ALICE)->state == GRANT_ACTIVE);
        check_answer(authorize(&alice, "pts/0", NULL), true, "approved");
        person_end(&alice);
        people_end();
}

TEST(used_once) {
        if (!people_begin("used_once"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        test_role.reactivate = false;
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_bound(open_elevation(&alice, "root", "pts/0"));
        grant_revoke(grant_by_person(manager, UID_ALICE), "dropped", NULL, "alice");
        run_until_gone();
        check_answer(authorize(&alice, "pts/0", "CHG1"), false, "ticket-used");
        CHECK(!grant_by_person(manager, UID_ALICE));
        (void) unlinkat(manager->dirs.used, "chg1:alice", 0);
        person_end(&alice);
        people_end();
}

/* What was made for a command that could not be started goes again, and the ticket is not used. */
TEST(nothing_is_left_of_a_scope_that_fails) {
        if (!people_begin("nothing_is_left_of_a_scope_that_fails"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        test_role.reactivate = false;
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        scope_result = -ETIMEDOUT;
        check_error(open_elevation(&alice, "root", "pts/0"), "Refused", "internal");
        run_until_gone();
        CHECK(is_empty(manager->dirs.used) && is_empty(manager->dirs.grants) && is_empty(manager->dirs.live));
        scope_result = 0;
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        logged_in = false;
        check_error(open_elevation(&alice, "root", "pts/0"), "Refused", "no-session");
        logged_in = true;
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_bound(open_elevation(&alice, "root", "pts/0"));
        /* One that fails later takes nothing with it. */
        check_answer(authorize(&alice, "pts/0", NULL), true, "approved");
        scope_result = -EIO;
        check_error(open_elevation(&alice, "root", "pts/0"), "Refused", "internal");
        CHECK(grant_by_person(manager, UID_ALICE)->state == GRANT_ACTIVE);
        (void) unlinkat(manager->dirs.used, "chg1:alice", 0);
        person_end(&alice);
        people_end();
}

TEST(revoked_while_the_scope_is_made) {
        if (!people_begin("revoked_while_the_scope_is_made"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        scope_hangs = true;
        person_asks(&alice, false, "OpenElevation", open_call("root", "pts/0"));
        pump();
        CHECK_EQ_INT(n_scopes, 1);
        grant_revoke(grant_by_person(manager, UID_ALICE), "revoked", NULL, "root");
        run_until_gone();
        /* sudo itself is in no cgroup of ours yet: it is killed as well, and never hears of a yes */
        int status = 0;
        CHECK(waitpid(alice.pid, &status, 0) == alice.pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        (void) close(alice.fd);
        people_end();
}

TEST(pending_is_waited_for) {
        if (!people_begin("pending_is_waited_for"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        test_config.wait_usec = 20 * USEC_PER_SEC;
        approver_says = "{\"decision\":\"refuse\",\"reason\":\"ticket-pending\",\"message\":\"CHG1 waits for approval by bob\",\"ticket\":\"CHG1\","
                        "\"requester\":\"alice\",\"role\":\"dba\"}";
        json_t *call = pam_call_with("alice", "sudo", "pts/0", "ticket", json_string("CHG1"));
        (void) json_object_set_new(call, "wait", json_true());
        person_asks(&alice, true, "AuthorizeElevation", call);
        for (unsigned i = 0; i < 1000 && manager->n_waits == 0; i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK(manager->n_waits == 1 && !grant_by_person(manager, UID_ALICE));
        approver_says = ALLOW;
        approver_tell("CHG1");
        json_t *j = keep_decision(person_hears(&alice));
        CHECK_EQ_INT(json_integer_value(json_object_get(j, "said")), 1);
        check_answer(j, true, "approved");
        check_bound(open_elevation(&alice, "root", "pts/0"));
        test_config.wait_usec = 0;
        person_end(&alice);
        people_end();
}

TEST(taken_back_in) {
        if (!people_begin("taken_back_in"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0), su = person_start(UID_ALICE, 0, 0);
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_bound(open_elevation(&alice, "root", "pts/0"));
        char slice[SLICE_NAME_MAX];
        (void) grant_slice(grant_by_person(manager, UID_ALICE), slice);
        json_t *call = pam_call_with("bob", "su", "pts/0", "gate", json_false());
        (void) json_object_set_new(call, "inside", json_string(slice));
        check_bound(person_calls(&su, "OpenElevation", json_incref(call)));
        CHECK_EQ_INT(n_scopes, 2);
        grant_revoke(grant_by_person(manager, UID_ALICE), "dropped", NULL, NULL);
        run_until_gone();
        check_error(person_calls(&su, "OpenElevation", json_incref(call)), "Refused", "not-elevated");
        static const char *const others[] = {"user-0.slice", "jit-0123456789abcdef.slice", "system.slice", "", "user-.slice", "jit-.slice"};
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                (void) json_object_set_new(call, "inside", json_string(others[i]));
                check_error(person_calls(&su, "OpenElevation", json_incref(call)), "Refused", "not-elevated");
        }
        json_decref(call);
        person_end(&alice);
        person_end(&su);
        people_end();
}

TEST_MAIN
