/* SPDX-License-Identifier: Apache-2.0 */

/* What is inside of a grant's slice already: what it may without another question, and what not. */

#include "test-gate.h"

static void put_inside(const Person *p, const Grant *g) {
        inside_pid = p->pid;
        inside_place = (CgroupPlace){.owner = g->uid};
        (void) grant_slice(g, inside_place.slice);
        if (g->way == WAY_ELEVATION)
                memcpy(inside_place.grant, g->id, sizeof(g->id));
}

static Grant *open_gate(const Person *p) {
        check_answer(authorize(p, "pts/0", "CHG1"), true, "approved");
        check_bound(open_elevation(p, "root", "pts/0"));
        return grant_by_person(manager, UID_ALICE);
}

static Grant *open_account(const Person *p) {
        (void) reserve("jit-chg1", ALLOW);
        check_answer(person_calls(p, "Authorize", pam_call("jit-chg1", "su", "pts/0")), true, "approved");
        json_decref(person_calls(p, "OpenSession", pam_call("jit-chg1", "su", "pts/0")));
        return grant_by_account(manager, "jit-chg1");
}

TEST(root_inside_needs_no_ticket) {
        if (!people_begin("root_inside_needs_no_ticket"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0), root = person_start(UID_ALICE, 0, 0);
        put_inside(&root, open_gate(&alice));
        unsigned asked = approver_asked, scopes = n_scopes;
        check_answer(authorize(&root, "pts/0", NULL), true, "not-needed");
        *decision = 0;
        check_unbound(open_elevation(&root, "bob", "pts/0")); /* it is where it ends with the grant */
        check_unbound(open_by_rule(&root, "bob"));
        CHECK(approver_asked == asked && n_scopes == scopes);
        person_end(&alice);
        person_end(&root);
        people_end();
}

/* By the gate as postgres, then a program of alice's with her set-user-ID: her own rules are no more open than they were. */
TEST(another_user_inside_goes_by_the_gate) {
        if (!people_begin("another_user_inside_goes_by_the_gate"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0), again = person_start(UID_ALICE, UID_ALICE, 0);
        test_role.run_as = (char *) "postgres";
        check_answer(authorize(&alice, "pts/0", "CHG1"), true, "approved");
        check_bound(open_elevation(&alice, "postgres", "pts/0"));
        put_inside(&again, grant_by_person(manager, UID_ALICE));
        unsigned scopes = n_scopes;
        check_answer(authorize(&again, "pts/7", NULL), true, "approved"); /* without a question: it is open where it was started */
        check_error(open_elevation(&again, "root", "pts/7"), "Refused", "target-not-allowed");
        check_answer(authorize(&again, "pts/7", NULL), true, "approved");
        check_unbound(open_elevation(&again, "postgres", "pts/7"));
        CHECK_EQ_INT(n_scopes, scopes);
        test_role.ways = ROLE_WAY_ELEVATE;
        check_answer(authorize(&again, "pts/7", NULL), false, "way-not-allowed");
        person_end(&alice);
        person_end(&again);
        people_end();
}

TEST(an_account_has_its_own_rules_alone) {
        if (!people_begin("an_account_has_its_own_rules_alone"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        Grant *g = open_account(&alice);
        Person own = person_start(UID_ALICE, g->uid, 0), her = person_start(UID_ALICE, UID_ALICE, 0), root = person_start(UID_ALICE, 0, 0);
        put_inside(&own, g);
        check_answer(authorize(&own, "pts/0", NULL), true, "not-needed");
        put_inside(&root, g);
        check_answer(authorize(&root, "pts/0", NULL), true, "not-needed");
        put_inside(&her, g); /* su - alice, with her password */
        check_answer(authorize(&her, "pts/0", NULL), false, "transient-caller");
        check_answer(authorize(&her, "pts/0", "CHG1"), false, "transient-caller");
        check_error(open_elevation(&her, "root", "pts/0"), "TryAgain", "try-again");
        /* the account again, and another */
        unsigned asked = approver_asked;
        check_answer(person_calls(&her, "Authorize", pam_call("jit-chg1", "su", "pts/0")), true, "approved");
        CHECK_EQ_INT(approver_asked, asked);
        (void) reserve("jit-chg2", ALLOW_OTHER);
        check_answer(person_calls(&her, "Authorize", pam_call("jit-chg2", "su", "pts/0")), false, "transient-caller");
        person_end(&alice);
        person_end(&own);
        person_end(&her);
        person_end(&root);
        people_end();
}

/* A rule of one ticket, used from inside another's session: it would not end with its own. */
TEST(a_rule_from_inside_another_grant) {
        if (!people_begin("a_rule_from_inside_another_grant"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0), jitctl = person_start(UID_ALICE, UID_ALICE, UID_ALICE),
               her = person_start(UID_ALICE, UID_ALICE, 0);
        Grant *account = open_account(&alice);
        approver_says = ALLOW_OTHER;
        json_t *j = person_calls(&jitctl, "Elevate", json_pack("{s:s}", "ticket", "CHG2"));
        CHECK_STREQ(text_in(j, "error"), "");
        json_decref(j);
        put_inside(&her, account);
        check_error(open_by_rule(&her, "root"), "Refused", "transient-caller");
        j = person_calls(&her, "Elevate", json_pack("{s:s}", "ticket", "CHG2"));
        CHECK(*text_in(j, "error"));
        json_decref(j);
        put_inside(&her, grant_by_person(manager, UID_ALICE)); /* sudo inside sudo */
        check_unbound(open_by_rule(&her, "root"));
        approver_says = ALLOW;
        person_end(&alice);
        person_end(&jitctl);
        person_end(&her);
        people_end();
}

TEST_MAIN
