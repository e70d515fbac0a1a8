/* SPDX-License-Identifier: Apache-2.0 */

/* The gate's yes between account phase and session phase, whom a role covers, and what PAM's callers may say. */

#include "decision.h"
#include "pam-caller.h"
#include "pam-service.h"
#include "target.h"
#include "test-reaperd.h"

static Grant *elevate(const char *account, uid_t person_uid) {
        _cleanup_verdict_ Verdict v = verdict_of(ALLOW);
        uint64_t until = now_usec(CLOCK_BOOTTIME) + 30 * USEC_PER_SEC;
        Grant *g = NULL;

        CHECK_EQ_INT(grant_elevate(manager, account, person_uid, &v, until, 600 * USEC_PER_SEC, &g), 0);
        return g;
}

static const Origin alice = {.pid = 100, .pid_start = 7, .login_uid = 1001, .real_uid = 1001};

TEST(taken_once_by_the_same_transaction_person_and_terminal) {
        char token[DECISION_TOKEN_HEX + 1];
        static const struct {
                Origin o;
                const char *tty, *token; /* token NULL: the right one */
                bool right;
        } cases[] = {
                {{.pid = 100, .pid_start = 7, .login_uid = 1001, .real_uid = 1001}, "pts/0", NULL, true},
                {{.pid = 105, .pid_start = 9, .login_uid = 1001, .real_uid = 1001}, "pts/0", NULL, true}, /* sudo -b: a child */
                {{.pid = 100, .pid_start = 7, .login_uid = 1002, .real_uid = 1001}, "pts/0", NULL, false},
                {{.pid = 100, .pid_start = 7, .login_uid = UID_NONE, .real_uid = 1001}, "pts/0", NULL, false},
                {{.pid = 100, .pid_start = 7, .login_uid = 1001, .real_uid = 0}, "pts/0", NULL, false},
                {{.pid = 100, .pid_start = 7, .login_uid = 1001, .real_uid = 1001}, "pts/1", NULL, false},
                {{.pid = 100, .pid_start = 7, .login_uid = 1001, .real_uid = 1001}, NULL, NULL, false},
                {{.pid = 100, .pid_start = 7, .login_uid = 1001, .real_uid = 1001}, "pts/0", "", false},
                {{.pid = 100, .pid_start = 7, .login_uid = 1001, .real_uid = 1001}, "pts/0", "00112233445566778899aabbccddeeff", false},
        };

        if (!manager_begin("taken_once_by_the_same_transaction_person_and_terminal"))
                return;
        Grant *g = elevate("jit-chg1", 1001);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CHECK_EQ_INT(decision_add(manager, &alice, "pts/0", g, token), 0);
                CHECK(strlen(token) == DECISION_TOKEN_HEX);
                Grant *taken = decision_take(manager, &cases[i].o, cases[i].tty, cases[i].token ?: token);
                if ((taken == g) != cases[i].right)
                        TEST_FAIL("case %zu", i);
                if (!cases[i].token) /* once, also by one that does not fit */
                        CHECK(!decision_take(manager, &alice, "pts/0", token));
        }
        decisions_free(manager);
        CHECK_EQ_INT(manager->n_decisions, 0);
        CHECK_EQ_INT(decision_add(manager, &alice, NULL, g, token), 0);
        CHECK(!decision_take(manager, &alice, "pts/0", token));
        CHECK_EQ_INT(decision_add(manager, &alice, NULL, g, token), 0);
        CHECK(decision_take(manager, &alice, NULL, token) == g);
        decisions_free(manager);
        manager_end();
}

TEST(the_same_process_has_one) {
        char token[DECISION_TOKEN_HEX + 1];

        if (!manager_begin("the_same_process_has_one"))
                return;
        Grant *g = elevate("jit-chg1", 1001);
        for (unsigned i = 0; i < 1000; i++)
                CHECK_EQ_INT(decision_add(manager, &alice, "pts/0", g, token), 0);
        CHECK_EQ_INT(manager->n_decisions, 1);
        decisions_free(manager);
        manager_end();
}

TEST(so_many_and_no_more) {
        char token[DECISION_TOKEN_HEX + 1], other[DECISION_TOKEN_HEX + 1];

        if (!manager_begin("so_many_and_no_more"))
                return;
        Grant *g = elevate("jit-chg1", 1001);
        Origin o = alice;
        for (unsigned i = 0; i < 256; i++, o.pid++) {
                o.login_uid = o.real_uid = 2000 + i / 16;
                CHECK_EQ_INT(decision_add(manager, &o, "pts/0", g, token), 0);
        }
        o.login_uid = 3000;
        CHECK_EQ_INT(decision_add(manager, &o, "pts/0", g, other), -ENOSPC);
        o.login_uid = 2000 + 15;
        CHECK(decision_take(manager, &o, "pts/0", token) == g);
        CHECK_EQ_INT(decision_add(manager, &o, "pts/0", g, token), 0);
        decisions_free(manager);
        /* of one person the oldest gives way */
        CHECK_EQ_INT(decision_add(manager, &alice, "pts/0", g, token), 0);
        o = alice;
        for (unsigned i = 0; i < 15; i++) {
                o.pid++;
                CHECK_EQ_INT(decision_add(manager, &o, "pts/0", g, other), 0);
        }
        CHECK_EQ_INT(manager->n_decisions, 16);
        o.pid++;
        CHECK_EQ_INT(decision_add(manager, &o, "pts/0", g, other), 0);
        CHECK_EQ_INT(manager->n_decisions, 16);
        CHECK(!decision_take(manager, &alice, "pts/0", token));
        CHECK(decision_take(manager, &o, "pts/0", other) == g);
        decisions_free(manager);
        manager_end();
}

TEST(worth_nothing_without_its_grant) {
        char token[DECISION_TOKEN_HEX + 1];

        if (!manager_begin("worth_nothing_without_its_grant"))
                return;
        Grant *g = elevate("jit-chg1", 1001);
        CHECK_EQ_INT(decision_add(manager, &alice, "pts/0", g, token), 0);
        grant_release(g);
        (void) elevate("jit-chg1", 1001); /* another one of the same name */
        CHECK(!decision_take(manager, &alice, "pts/0", token));
        manager_end();
}

TEST(targets) {
        static const struct {
                const char *run_as, *target;
                bool right;
        } cases[] = {
                {"root", "root", true},        {"root", "roo", false},           {"root", "root2", false},     {"root", "#0", false},
                {"root", "", false},           {"root", "postgres", false},      {"root:adm", "root", true},   {"postgres", "postgres", true},
                {"postgres", "root", false},   {"postgres:db", "postgres", true}, {"postgres:db", "db", false}, {"ALL", "root", true},
                {"ALL", "anybody", true},      {"ALL:ALL", "root", true},        {"all", "root", false},       {"ALLO", "root", false},
                {"postgres:ALL", "root", false},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (target_is_allowed(cases[i].run_as, cases[i].target) != cases[i].right)
                        TEST_FAIL("%s for %s", cases[i].run_as, cases[i].target);
        CHECK(!target_of_account_phase("sudo", "alice") && !target_of_account_phase("sudo-i", "alice"));
        CHECK_STREQ(target_of_account_phase("su", "bob"), "bob");
        CHECK_STREQ(target_of_account_phase("systemd-run0", "bob"), "bob");
        CHECK_STREQ(target_of_account_phase("polkit-1", "bob"), "root");
}

TEST(services) {
        CHECK(pam_service_elevates("su") && pam_service_elevates("sudo-i") && pam_service_elevates("systemd-run0"));
        CHECK(!pam_service_elevates("sshd") && !pam_service_elevates("login") && !pam_service_elevates("sudox") && !pam_service_elevates(""));
}

static int parse(const char *text, bool any, unsigned extras, Caller *c, CallerExtra *e) {
        json_t *j = json_loads(text, 0, NULL);
        int r = any ? caller_parse_any(j, extras, c, e) : caller_parse(j, extras, c, e);

        json_decref(j);
        return r;
}

TEST(callers) {
        static const struct {
                const char *text;
                bool any;
                unsigned extras;
                int result;
        } cases[] = {
                {"{\"account\":\"JIT-chg1\",\"service\":\"su\"}", false, 0, 0},
                {"{\"account\":\"jit-chg1\",\"service\":\"su\",\"ruser\":\"root\",\"tty\":\"pts/1\",\"rhost\":\"h\"}", false, 0, 0},
                {"{\"account\":\"root\",\"service\":\"su\"}", false, 0, -EINVAL},
                {"{\"account\":\"root\",\"service\":\"su\"}", true, 0, 0},
                {"{\"account\":\"jit-chg1\"}", false, 0, -ENODATA},
                {"{\"service\":\"su\"}", true, 0, -ENODATA},
                {"{\"account\":\"jit-chg1\",\"service\":\"su\",\"wait\":true}", false, 0, -EBADMSG},
                {"{\"account\":\"jit-chg1\",\"service\":\"su\",\"wait\":true}", false, CALLER_WAIT, 0},
                {"{\"account\":\"jit-chg1\",\"service\":\"su\",\"wait\":1}", false, CALLER_WAIT, -EBADMSG},
                {"{\"account\":\"root\",\"service\":\"su\",\"ticket\":\"CHG1\"}", true, CALLER_WAIT, -EBADMSG},
                {"{\"account\":\"root\",\"service\":\"su\",\"ticket\":\"CHG1\"}", true, CALLER_TICKET, 0},
                {"{\"account\":\"root\",\"service\":\"su\",\"ticket\":\"a\\nb\"}", true, CALLER_TICKET, -EBADMSG},
                {"{\"account\":\"ro\\u001bot\",\"service\":\"su\"}", true, 0, -EBADMSG},
                {"{\"account\":\"root\",\"service\":\"su\"}", true, CALLER_GATE, -ENODATA},
                {"{\"account\":\"root\",\"service\":\"su\",\"gate\":null}", true, CALLER_GATE, -ENODATA},
                {"{\"account\":\"root\",\"service\":\"su\",\"gate\":false}", true, CALLER_GATE, 0},
                {"{\"account\":\"root\",\"service\":\"su\",\"gate\":false,\"inside\":\"0123456789012345678901234567890123456789012345678\"}", true, CALLER_GATE | CALLER_INSIDE, -ERANGE},
                {"{\"account\":\"root\",\"service\":\"su\",\"started\":12}", true, CALLER_STARTED, 0},
                {"{\"account\":\"root\",\"service\":\"su\",\"started\":-1}", true, CALLER_STARTED, -ERANGE},
                {"{\"account\":\"root\",\"service\":\"su\",\"started\":12}", true, 15, -EBADMSG},
                {"{\"account\":\"root\",\"service\":\"su\",\"uid\":0}", true, CALLER_UID, 0},
                {"{\"account\":\"root\",\"service\":\"su\",\"uid\":4294967295}", true, CALLER_UID, -ERANGE},
                {"{\"account\":\"root\",\"service\":\"su\",\"target\":\"root\"}", true, 127, -EBADMSG},
                {"{\"account\":\"root\",\"service\":\"su\",\"person\":\"bob\"}", true, 127, -EBADMSG},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_caller_ Caller c = {};
                _cleanup_caller_extra_ CallerExtra e = {};
                int r = parse(cases[i].text, cases[i].any, cases[i].extras, &c, &e);
                if (r != cases[i].result)
                        TEST_FAIL("%s: %d", cases[i].text, r);
                if (r == 0 && !cases[i].any)
                        CHECK_STREQ(c.account, "jit-chg1");
        }
}

TEST_MAIN
