/* SPDX-License-Identifier: Apache-2.0 */

/* `jitctl elevate` and what sudo asks afterwards. */

#include "test-person.h"

static json_t *elevate(const Person *p, const char *ticket) {
        return person_calls(p, "Elevate", json_pack("{s:s}", "ticket", ticket));
}

static void check_elevated(json_t *j) {
        if (*text_in(j, "error"))
                TEST_FAIL("%s %s %s", text_in(j, "error"), text_in(j, "reason"), text_in(j, "message"));
        CHECK_STREQ(text_in(j, "account"), "alice");
        CHECK_STREQ(text_in(j, "role"), "dba");
        CHECK(strlen(text_in(j, "grant")) == 16 && strstr(text_in(j, "message"), "approved by bob") != NULL);
        CHECK_STREQ(json_string_value(json_array_get(json_object_get(j, "commands"), 0)), "/usr/bin/id");
        json_decref(j);
}

TEST(a_rule_until_it_is_dropped) {
        char rule[64], marker[16];

        if (!people_begin("a_rule_until_it_is_dropped"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, UID_ALICE);
        uint64_t before = now_usec(CLOCK_REALTIME);
        check_elevated(elevate(&alice, "chg1"));
        CHECK_STREQ(text_in(json_object_get(approver_context, "context"), "way"), "elevate");
        CHECK_STREQ(text_in(json_object_get(approver_context, "context"), "person"), "alice");
        Grant *g = grant_by_person(manager, UID_ALICE);
        CHECK(g && g->state == GRANT_ACTIVE && g->has_rule && g->uid == UID_NONE);
        CHECK(g && g->until_usec >= before + 590 * USEC_PER_SEC && g->until_usec <= before + 610 * USEC_PER_SEC);
        (void) snprintf(rule, sizeof(rule), "elevate-%d-jit-chg1", UID_ALICE);
        (void) snprintf(marker, sizeof(marker), "%d", UID_ALICE);
        CHECK(is_there(manager->dirs.sudoers, rule) && is_there(manager->dirs.elevated, marker));
        CHECK(is_empty(manager->dirs.keys) && is_empty(manager->dirs.homes));
        /* twice, by the same ticket and by another */
        check_error(elevate(&alice, "CHG1"), "Refused", "already-elevated");
        check_error(elevate(&alice, "CHG2"), "Refused", "already-elevated");
        json_t *j = person_calls(&alice, "Drop", json_object());
        CHECK_STREQ(json_string_value(json_array_get(json_object_get(j, "revoked"), 0)), "alice");
        json_decref(j);
        run_until_gone();
        CHECK(is_empty(manager->dirs.sudoers) && is_empty(manager->dirs.elevated) && is_empty(manager->dirs.grants));
        j = person_calls(&alice, "Drop", json_object());
        CHECK_STREQ(text_in(j, "error"), REAPER "NoSuchGrant");
        json_decref(j);
        check_elevated(elevate(&alice, "CHG1"));
        person_end(&alice);
        people_end();
}

TEST(who_may_not) {
        if (!people_begin("who_may_not"))
                return;
        static const struct {
                int login_uid;
                uid_t uid;
                const char *reason;
        } cases[] = {
                {NO_LOGIN, 0, "already-root"},
                {UID_ALICE, 0, "already-root"},
                {NO_LOGIN, UID_ALICE, "caller-unknown"},
                {UID_BOB, UID_ALICE, "caller-mismatch"},
                {UID_ALICE, UID_BOB, "caller-mismatch"},
                {TEST_UID_MIN + 99, TEST_UID_MIN + 99, "caller-unknown"}, /* not in /etc/passwd */
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Person p = person_start(cases[i].login_uid, cases[i].uid, cases[i].uid);
                check_error(elevate(&p, "CHG1"), "Refused", cases[i].reason);
                person_end(&p);
        }
        Person x = person_start((int) test_uid_base() + 5, test_uid_base() + 5, test_uid_base() + 5);
        check_error(elevate(&x, "CHG1"), "Refused", "transient-caller");
        person_end(&x);
        CHECK_EQ_INT(approver_asked, 0);
        people_end();
}

/* alice's name begins another's: neither is the other. */
TEST(a_prefix_is_no_name) {
        if (!people_begin("a_prefix_is_no_name"))
                return;
        Person alicex = person_start(UID_ALICEX, UID_ALICEX, UID_ALICEX);
        check_error(elevate(&alicex, "CHG1"), "Refused", "ticket-unknown"); /* the verdict is alice's */
        CHECK_STREQ(text_in(json_object_get(approver_context, "context"), "person"), "alicex");
        CHECK(!grant_by_person(manager, UID_ALICEX) && is_empty(manager->dirs.sudoers));
        person_end(&alicex);
        people_end();
}

TEST(refused) {
        static const struct {
                const char *says, *ticket, *error, *reason;
        } cases[] = {
                {ALLOW, "../../x", "Refused", "name-invalid"},
                {ALLOW, "", "Refused", "name-invalid"},
                {UNKNOWN, "CHG1", "Refused", "ticket-unknown"},
                {REFUSE, "CHG1", "Refused", "ticket-closed"},
                {"{}", "CHG1", "Refused", "provider-unreachable"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (!people_begin("refused"))
                        return;
                Person alice = person_start(UID_ALICE, UID_ALICE, UID_ALICE);
                approver_says = cases[i].says;
                check_error(elevate(&alice, cases[i].ticket), cases[i].error, cases[i].reason);
                CHECK(!grant_by_person(manager, UID_ALICE) && is_empty(manager->dirs.sudoers) && is_empty(manager->dirs.elevated));
                person_end(&alice);
                people_end();
        }
}

TEST(what_the_host_says) {
        if (!people_begin("what_the_host_says"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, UID_ALICE);
        test_role.ways = ROLE_WAY_ACCOUNT | ROLE_WAY_GATE;
        check_error(elevate(&alice, "CHG1"), "Refused", "way-not-allowed");
        test_role.ways = ROLE_WAY_ELEVATE;
        test_config.no_sudo_rules = true;
        check_error(elevate(&alice, "CHG1"), "Refused", "way-not-allowed");
        test_config.no_sudo_rules = false;
        logged_in = false;
        check_error(elevate(&alice, "CHG1"), "Refused", "no-session");
        CHECK(!grant_by_person(manager, UID_ALICE));
        logged_in = true;
        approver_says = "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG1\",\"requester\":\"alice\","
                        "\"role\":\"dba\",\"notAfter\":4000000000000000,\"ttlUSec\":600000000,\"commands\":[\"/bin/other\"]}";
        check_error(elevate(&alice, "CHG1"), "Refused", "way-not-allowed"); /* narrowed to nothing */
        run_until_gone();
        CHECK(is_empty(manager->dirs.sudoers) && is_empty(manager->dirs.elevated) && is_empty(manager->dirs.grants));
        approver_says = ALLOW;
        check_elevated(elevate(&alice, "CHG1"));
        person_end(&alice);
        people_end();
}

TEST(sudo_by_the_rule) {
        if (!people_begin("sudo_by_the_rule"))
                return;
        Person jitctl = person_start(UID_ALICE, UID_ALICE, UID_ALICE);
        json_t *j;
        check_elevated(elevate(&jitctl, "CHG1"));
        Person alice = person_start(UID_ALICE, UID_ALICE, 0), cron = person_start(NO_LOGIN, UID_ALICE, 0),
               su = person_start(UID_BOB, UID_ALICE, 0), bob = person_start(UID_BOB, UID_BOB, 0);
        j = open_by_rule(&alice, "root");
        CHECK(strncmp(text_in(j, "unit"), "jit-", 4) == 0);
        json_decref(j);
        /* The rule is for the real UID: but not for what alice has not started herself. */
        check_error(open_by_rule(&cron, "root"), "Refused", "caller-unknown");
        check_error(open_by_rule(&su, "root"), "Refused", "caller-mismatch");
        j = open_by_rule(&bob, "root"); /* an ordinary sudo */
        CHECK(!*text_in(j, "unit") && !*text_in(j, "error"));
        json_decref(j);
        CHECK_EQ_INT(n_scopes, 1);
        /* sudoedit's real UID is root's by then: what it was is what counts. */
        Person edit = person_start(UID_ALICE, 0, 0);
        edit.real_uid = UID_ALICE;
        j = open_by_rule(&edit, "root");
        CHECK(strncmp(text_in(j, "unit"), "jit-", 4) == 0);
        json_decref(j);
        check_error(person_calls(&edit, "OpenElevation", pam_call_with("root", "sudo", "pts/0", "gate", json_false())), "Refused", "not-elevated");
        person_end(&edit);
        person_end(&jitctl);
        person_end(&alice);
        person_end(&cron);
        person_end(&su);
        person_end(&bob);
        people_end();
}

TEST(pending_is_waited_for) {
        if (!people_begin("pending_is_waited_for"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, UID_ALICE);
        test_config.wait_usec = 20 * USEC_PER_SEC;
        approver_says = "{\"decision\":\"refuse\",\"reason\":\"ticket-pending\",\"message\":\"CHG1 waits for approval by bob\",\"ticket\":\"CHG1\","
                        "\"requester\":\"alice\",\"role\":\"dba\"}";
        person_asks(&alice, true, "Elevate", json_pack("{s:s,s:b}", "ticket", "CHG1", "wait", 1));
        for (unsigned i = 0; i < 1000 && manager->n_waits == 0; i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK_EQ_INT(manager->n_waits, 1);
        approver_says = ALLOW;
        approver_tell("CHG1");
        json_t *j = person_hears(&alice);
        CHECK_EQ_INT(json_integer_value(json_object_get(j, "said")), 1);
        check_elevated(j);
        test_config.wait_usec = 0;
        person_end(&alice);
        people_end();
}

/* One ticket has one deadline, and one use, by whichever way. */
TEST(both_ways) {
        if (!people_begin("both_ways"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, UID_ALICE), su = person_start(UID_ALICE, UID_ALICE, 0);
        test_role.reactivate = false;
        check_elevated(elevate(&alice, "CHG1"));
        uint64_t deadline = grant_by_person(manager, UID_ALICE)->deadline_usec;
        run_for(50 * USEC_PER_MSEC);
        (void) reserve("jit-chg1", ALLOW);
        check_answer(person_calls(&su, "Authorize", pam_call("jit-chg1", "su", "pts/0")), true, "approved");
        json_t *j = person_calls(&su, "OpenSession", pam_call("jit-chg1", "su", "pts/0"));
        CHECK(!*text_in(j, "error"));
        json_decref(j);
        Grant *g = grant_by_account(manager, "jit-chg1");
        CHECK(g && g->state == GRANT_ACTIVE);
        CHECK(g && g->deadline_usec == deadline && g->until_usec == grant_by_person(manager, UID_ALICE)->until_usec);
        person_end(&alice);
        person_end(&su);
        people_end();
        if (!people_begin("both_ways"))
                return;
        test_role.reactivate = false;
        alice = person_start(UID_ALICE, UID_ALICE, UID_ALICE);
        check_error(elevate(&alice, "CHG1"), "Refused", "ticket-used");
        (void) unlinkat(manager->dirs.used, "chg1:alice", 0);
        person_end(&alice);
        people_end();
}

TEST_MAIN
