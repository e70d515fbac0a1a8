/* SPDX-License-Identifier: Apache-2.0 */

/* su and sudo -u to a transient account: who asks is the kernel's word. */

#include "test-person.h"

static json_t *call(const Person *p, const char *method, const char *service) {
        json_t *j = pam_call("jit-chg1", service, "pts/0");

        (void) json_object_set_new(j, "ruser", json_string("alice")); /* whoever asks */
        return person_calls(p, method, j);
}

TEST(the_requester_and_nobody_else) {
        static const struct {
                int login_uid;
                uid_t real_uid;
                const char *reason; /* NULL: allowed */
        } cases[] = {
                {UID_ALICE, UID_ALICE, NULL},
                {UID_ALICE, 0, NULL}, /* root out of alice's own login */
                {UID_ALICE, UID_BOB, NULL},
                {UID_BOB, UID_BOB, "caller-mismatch"},
                {UID_BOB, UID_ALICE, "caller-mismatch"},
                {UID_ALICEX, UID_ALICEX, "caller-mismatch"},
                {0, 0, "caller-mismatch"},
                {NO_LOGIN, UID_ALICE, "caller-unknown"},
                {NO_LOGIN, 0, "caller-unknown"},
        };
        static const char *const services[] = {"su", "su-l", "sudo", "sudo-i", "runuser"};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (!people_begin("the_requester_and_nobody_else"))
                        return;
                Person p = person_start(cases[i].login_uid, cases[i].real_uid, 0);
                const char *service = services[i % ELEMENTSOF(services)];
                Grant *g = reserve("jit-chg1", ALLOW);
                approver_asked = 0;
                check_answer(call(&p, "Authenticate", service), !cases[i].reason, cases[i].reason ?: "requester");
                CHECK_EQ_INT(approver_asked, 0);
                check_answer(call(&p, "Authorize", service), !cases[i].reason, cases[i].reason ?: "approved");
                CHECK_EQ_INT(approver_asked, !cases[i].reason);
                g->authorized = true; /* as if another process of alice's had been allowed */
                g->allowed_usec = 600 * USEC_PER_SEC;
                g->authorized_usec = now_usec(CLOCK_BOOTTIME) + 10 * USEC_PER_SEC;
                if (cases[i].reason)
                        check_error(call(&p, "OpenSession", service), "Refused", cases[i].reason);
                else {
                        json_t *j = call(&p, "OpenSession", service);
                        CHECK_STREQ(text_in(j, "home"), HOME_ROOT "/jit-chg1");
                        CHECK_STREQ(text_in(json_object_get(j, "env"), "JIT_TICKET"), "CHG1");
                        json_decref(j);
                        CHECK(n_scopes == 1 && g->state == GRANT_ACTIVE && g->sessions->kind == SESSION_SCOPE);
                        CHECK_STREQ(g->sessions->target, "jit-chg1");
                }
                person_end(&p);
                people_end();
        }
}

TEST(services_where_the_role_lets_them) {
        if (!people_begin("services_where_the_role_lets_them"))
                return;
        Person job = person_start(NO_LOGIN, UID_ALICE, 0), other = person_start(NO_LOGIN, UID_BOB, 0), root = person_start(NO_LOGIN, 0, 0);
        test_role.workloads = true;
        (void) reserve("jit-chg1", ALLOW);
        check_answer(call(&other, "Authorize", "su"), false, "caller-mismatch");
        check_answer(call(&root, "Authorize", "su"), false, "caller-unknown");
        check_answer(call(&job, "Authorize", "su"), true, "approved");
        json_t *j = call(&job, "OpenSession", "su");
        CHECK(!*text_in(j, "error"));
        json_decref(j);
        person_end(&job);
        person_end(&other);
        person_end(&root);
        people_end();
}

/* A login UID that is there before sshd has made one is somebody else's process. */
TEST(logins) {
        if (!people_begin("logins"))
                return;
        Grant *g = reserve("jit-chg1", ALLOW);
        Person sshd = person_start(NO_LOGIN, 0, 0), after = person_start((int) g->uid, 0, 0), bob = person_start(UID_BOB, 0, 0);
        check_answer(call(&bob, "Authorize", "xlock"), false, "caller-mismatch");
        check_answer(call(&sshd, "Authorize", "sshd"), true, "approved");
        json_t *j = call(&after, "OpenSession", "sshd");
        CHECK(!*text_in(j, "error") && n_scopes == 0);
        json_decref(j);
        check_error(call(&bob, "OpenSession", "xlock"), "Refused", "caller-mismatch");
        /* from a session by a ticket to an account of another */
        approver_says = "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG2\",\"requester\":\"alice\","
                        "\"role\":\"dba\",\"notAfter\":4000000000000000,\"ttlUSec\":600000000}";
        (void) reserve("jit-chg2", approver_says);
        j = person_calls(&after, "Authorize", pam_call("jit-chg2", "su", "pts/0"));
        check_answer(j, false, "transient-caller");
        approver_says = ALLOW;
        person_end(&sshd);
        person_end(&after);
        person_end(&bob);
        people_end();
}

/* It has looked the name up when that had another UID, and would become that one. */
TEST(older_than_the_account) {
        if (!people_begin("older_than_the_account"))
                return;
        Person before = person_start(UID_ALICE, UID_ALICE, 0), sshd = person_start(NO_LOGIN, 0, 0);
        grant_release(reserve("jit-chg1", ALLOW));
        (void) reserve("jit-chg1", ALLOW);
        run_for(30 * USEC_PER_MSEC); /* the kernel tells start times by 10 ms */
        Person after = person_start(UID_ALICE, UID_ALICE, 0);
        check_answer(call(&before, "Authorize", "su"), false, "try-again");
        check_answer(call(&sshd, "Authorize", "sshd"), false, "try-again");
        check_answer(call(&after, "Authorize", "su"), true, "approved");
        check_error(call(&before, "OpenSession", "su"), "TryAgain", "try-again");
        json_t *j = call(&after, "OpenSession", "su");
        CHECK(!*text_in(j, "error"));
        json_decref(j);
        person_end(&before);
        person_end(&sshd);
        person_end(&after);
        people_end();
}

TEST(what_else_is_refused) {
        if (!people_begin("what_else_is_refused"))
                return;
        Person alice = person_start(UID_ALICE, UID_ALICE, 0);
        check_answer(call(&alice, "Authenticate", "su"), false, "session-unknown"); /* nobody has looked it up */
        Grant *g = reserve("jit-chg1", ALLOW);
        test_role.ways = ROLE_WAY_ELEVATE;
        check_answer(call(&alice, "Authorize", "su"), false, "way-not-allowed");
        CHECK(!grant_is_authorized(g));
        check_error(call(&alice, "OpenSession", "su"), "TryAgain", "session-unknown");
        test_role.ways = ROLE_WAY_ACCOUNT;
        check_answer(call(&alice, "Authorize", "su"), true, "approved");
        scope_result = -EIO;
        check_error(call(&alice, "OpenSession", "su"), "Refused", "internal");
        run_until_gone();
        check_nothing_left("jit-chg1");
        person_end(&alice);
        people_end();
}

TEST_MAIN
