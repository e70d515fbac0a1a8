/* SPDX-License-Identifier: Apache-2.0 */

/* Two kinds of grants: what finds them, and that the end of an elevation touches nothing of the person's own. */

#include <signal.h>
#include <sys/wait.h>

#include "artefact.h"
#include "reap.h"
#include "test-kinds.h"
#include "used-ticket.h"

static void put_right(const Grant *g) {
        char rule[SUDOERS_NAME_MAX];

        CHECK_EQ_INT(elevated_marker_make(g), 0);
        put_file(manager->dirs.sudoers, sudoers_file_name(g, rule), "x");
}

TEST(elevation_is_found_by_its_person) {
        char slice[SLICE_NAME_MAX], expected[SLICE_NAME_MAX];

        if (!manager_begin("elevation_is_found_by_its_person"))
                return;
        Grant *account = reserve("jit-chg1", FOR("alice")), *g = elevate(ALICE, FOR("alice")), *h = elevate(BOB, FOR("bob"));
        CHECK(grant_by_person(manager, ALICE) == g && grant_by_person(manager, BOB) == h);
        CHECK(grant_by_account(manager, "jit-chg1") == account && grant_by_uid(manager, account->uid) == account);
        CHECK(!grant_by_uid(manager, UID_NONE) && !grant_by_person(manager, UID_NONE) && !grant_by_uid(manager, ALICE));
        CHECK(g->uid == UID_NONE && g->person_uid == ALICE && g->state == GRANT_RESERVED && grant_is_authorized(g));
        CHECK(grant_by_id(manager, g->id) == g && grant_by_id(manager, account->id) == account);
        CHECK_STREQ(grant_user(g), "alice");
        CHECK_STREQ(grant_user(account), "jit-chg1");
        CHECK_EQ_INT(grant_user_uid(g), ALICE);
        CHECK_EQ_INT(grant_user_uid(account), account->uid);
        (void) snprintf(expected, sizeof(expected), "jit-%s.slice", g->id);
        CHECK_STREQ(grant_slice(g, slice), expected);
        (void) snprintf(expected, sizeof(expected), "user-%u.slice", account->uid);
        CHECK_STREQ(grant_slice(account, slice), expected);
        CHECK(grant_matches(g, "chg1") && grant_matches(g, "alice") && !grant_matches(g, "jit-chg1") && !grant_matches(g, "bob"));
        CHECK(grant_matches(account, "CHG1") && grant_matches(account, "JIT-chg1") && !grant_matches(account, "alice"));
        /* No record and no artefact yet. */
        _cleanup_free_ char *record = record_path(g);
        CHECK(!is_there(manager->dirs.grants, record) && is_empty(manager->dirs.elevated));
        GrantRef ref = grant_ref(g), account_ref = grant_ref(account);
        CHECK(grant_get(manager, &ref) == g && grant_get(manager, &account_ref) == account);
        grant_release(g);
        CHECK(!grant_get(manager, &ref) && !grant_by_person(manager, ALICE) && grant_by_person(manager, BOB) == h);
        g = elevate(ALICE, FOR("alice"));
        CHECK(!grant_get(manager, &ref)); /* another of the same person's */
        end();
}

TEST(elevation_refuses) {
        uint64_t until = now_usec(CLOCK_BOOTTIME) + USEC_PER_SEC;
        Grant *g = NULL;

        if (!manager_begin("elevation_refuses"))
                return;
        _cleanup_verdict_ Verdict v = verdict_of(FOR("alice")), no = verdict_of(REFUSE);
        CHECK_EQ_INT(grant_elevate(manager, "jit-chg2", ALICE, &v, until, 1, &g), -EINVAL);
        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", 0, &v, until, 1, &g), -EINVAL);
        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", UID_NONE, &v, until, 1, &g), -EINVAL);
        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", test_uid_base() + 7, &v, until, 1, &g), -EINVAL); /* one of ours */
        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", ALICE, &no, until, 1, &g), -EINVAL);
        test_config.grants_max = 0;
        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", ALICE, &v, until, 1, &g), -ENOSPC);
        test_config.grants_max = 100;
        (void) elevate(ALICE, FOR("alice"));
        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", ALICE, &v, until, 1, &g), -EEXIST);
        CHECK(g == NULL && v.ticket != NULL);
        end();
}

TEST(unused_elevation_ends_by_itself) {
        if (!manager_begin("unused_elevation_ends_by_itself"))
                return;
        _cleanup_verdict_ Verdict v = verdict_of(FOR("alice"));
        Grant *g;
        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", ALICE, &v, now_usec(CLOCK_BOOTTIME) + 20 * USEC_PER_MSEC, USEC_PER_HOUR, &g), 0);
        run_for(100 * USEC_PER_MSEC);
        CHECK_EQ_INT(manager->n_grants, 0);
        manager_end();
}

TEST(siblings_share_ticket_and_person) {
        if (!manager_begin("siblings_share_ticket_and_person"))
                return;
        Grant *account = reserve("jit-chg1-alice", FOR("alice")), *g = elevate(ALICE, FOR("alice")), *h = elevate(BOB, FOR("bob"));
        CHECK(!grant_sibling(account) && !grant_sibling(g)); /* neither is ACTIVE */
        account->state = GRANT_ACTIVE;
        CHECK(grant_sibling(g) == account && !grant_sibling(h) && !grant_sibling(account));
        activate(g, true);
        activate(h, true);
        CHECK(grant_sibling(account) == g && grant_sibling(g) == account && !grant_sibling(h));
        g->provider = 1; /* of the same name, in another system */
        CHECK(!grant_sibling(account) && !grant_sibling(g));
        end();
}

/* One mark for both ways and both names of the account; another requester has another. */
TEST(one_ticket_is_used_once) {
        if (!manager_begin("one_ticket_is_used_once"))
                return;
        test_role.reactivate = false;
        Grant *g = elevate(ALICE, FOR("alice")), *h = elevate(BOB, FOR("bob")), *account = reserve("jit-chg1", FOR("alice")),
              *long_name = reserve("jit-chg1-alice", FOR("alice"));
        CHECK_EQ_INT(used_ticket_mark(g), 0);
        CHECK(used_ticket_is_marked(g) && used_ticket_is_marked(account) && used_ticket_is_marked(long_name) &&
              !used_ticket_is_marked(h));
        used_ticket_unmark(account);
        CHECK(!used_ticket_is_marked(g));
        test_role.reactivate = true;
        end();
}

/* sudo -u: the requester's rule lies there while the account is RESERVED, where PAM would say yes. */
TEST(requesters_rule) {
        if (!manager_begin("requesters_rule"))
                return;
        test_role.reactivate = false;
        Grant *g = reserve("jit-chg1", FOR("alice"));
        bool possible = is_there(manager->dirs.sudoers, "jit-chg1"); /* not where no sudo asks pam_jit: sudoers_fault() */
        CHECK_EQ_INT(used_ticket_mark(g), 0);
        grant_release(g);
        CHECK(!is_there(manager->dirs.sudoers, "jit-chg1"));
        g = reserve("jit-chg1", FOR("alice"));
        CHECK(!is_there(manager->dirs.sudoers, "jit-chg1"));
        Grant *h = elevate(ALICE, FOR("alice"));
        activate(h, false);
        CHECK_EQ_INT(grant_reserved_changed(g), 0);
        CHECK_EQ_INT(is_there(manager->dirs.sudoers, "jit-chg1"), possible);
        used_ticket_unmark(g);
        test_role.reactivate = true;
        (void) unlinkat(manager->dirs.sudoers, "jit-chg1", 0);
        end();
}

TEST(since_survives_a_set_clock) {
        if (!manager_begin("since_survives_a_set_clock"))
                return;
        Grant *g = elevate(ALICE, FOR("alice"));
        uint64_t before = now_usec(CLOCK_BOOTTIME);
        activate(g, false);
        CHECK(grant_since_boottime(g) + 1000 >= before && grant_since_boottime(g) <= now_usec(CLOCK_BOOTTIME) + 1000);
        g->deadline_usec = 0;
        CHECK_EQ_INT(grant_since_boottime(g), 0);
        end();
}

/* ---- the end ---- */

static pid_t spawn_as(uid_t uid) {
        pid_t pid = fork();

        if (pid == 0) {
                if (setresuid(uid, uid, uid) < 0)
                        _exit(1);
                for (;;)
                        (void) pause();
        }
        return pid;
}

static json_t *last_receipt(void) {
        _cleanup_free_ char *text = get_file(manager->dirs.state, "audit.jsonl");
        json_t *found = NULL;
        char *save = NULL;

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                json_t *j = json_loads(line, 0, NULL), *event = json_object_get(j, "event");
                if (event && json_is_string(event) && streq(json_string_value(event), "grant.receipt")) {
                        json_decref(found);
                        found = json_incref(j);
                }
                json_decref(j);
        }
        return found;
}

TEST(person_keeps_what_is_theirs) {
        uid_t person = test_uid_base() + 0x2000; /* not of the manager's range */
        char rule[SUDOERS_NAME_MAX];
        int status;

        if (!manager_begin("person_keeps_what_is_theirs"))
                return;
        pid_t own = spawn_as(person);
        put_file(AT_FDCWD, "/tmp/own", "x");
        CHECK(chown("/tmp/own", person, person) >= 0);
        Grant *g = elevate(person, FOR("alice"));
        activate(g, true);
        put_right(g);
        (void) sudoers_file_name(g, rule);
        grant_revoke(g, "dropped", "over", "alice");
        run_until_gone();
        CHECK(!is_there(manager->dirs.sudoers, rule) && is_empty(manager->dirs.elevated) && is_empty(manager->dirs.grants));
        CHECK(is_there(AT_FDCWD, "/tmp/own"));
        CHECK_EQ_INT(waitpid(own, &status, WNOHANG), 0); /* lives */
        (void) kill(own, SIGKILL);
        (void) waitpid(own, &status, 0);
        (void) unlink("/tmp/own");
        _cleanup_json_ json_t *receipt = last_receipt();
        CHECK_STREQ(json_string_value(json_object_get(receipt, "way")) ?: "", "elevation");
        CHECK_STREQ(json_string_value(json_object_get(receipt, "account")) ?: "", "alice");
        CHECK_EQ_INT(json_integer_value(json_object_get(receipt, "uid")), person);
        CHECK(json_is_true(json_object_get(receipt, "rule")));
        CHECK_EQ_INT(json_array_size(json_object_get(receipt, "residue")), 0);
        CHECK_EQ_INT(json_array_size(json_object_get(receipt, "absent")), 3);
        manager_end();
}

/* A folder in the rule's place: the removal goes on until it is away, and the marker stays as long as the rule. */
TEST(marker_outlives_the_rule) {
        char rule[SUDOERS_NAME_MAX], uid[16];

        if (!manager_begin("marker_outlives_the_rule"))
                return;
        Grant *g = elevate(ALICE, FOR("alice"));
        activate(g, true);
        CHECK_EQ_INT(elevated_marker_make(g), 0);
        (void) sudoers_file_name(g, rule);
        CHECK(mkdirat(manager->dirs.sudoers, rule, 0700) >= 0);
        grant_revoke(g, "deadline", NULL, NULL);
        run_for(300 * USEC_PER_MSEC);
        (void) snprintf(uid, sizeof(uid), "%u", ALICE);
        CHECK(is_there(manager->dirs.elevated, uid) && g->state == GRANT_REVOKING);
        CHECK(grant_by_person(manager, ALICE) == g); /* and not elevated anew meanwhile */
        CHECK(unlinkat(manager->dirs.sudoers, rule, AT_REMOVEDIR) >= 0);
        run_until_gone();
        CHECK(is_empty(manager->dirs.elevated));
        manager_end();
}

/* After a reboot nothing of the elevation is there; the receipt is owed all the same. */
TEST(reboot_ends_an_elevation) {
        if (!manager_begin("reboot_ends_an_elevation"))
                return;
        Grant *g = elevate(ALICE, FOR("alice"));
        activate(g, true);
        CHECK_EQ_INT(grant_record_save_live(g), 0);
        _cleanup_free_ char *record = record_path(g);
        CHECK(unlinkat(manager->dirs.grants, record, 0) >= 0);
        manager_crash();
        if (!manager_begin("reboot_ends_an_elevation"))
                return;
        CHECK_EQ_INT(grant_record_load_lost(manager), 0);
        CHECK_EQ_INT(manager->n_grants, 1);
        run_until_gone();
        _cleanup_json_ json_t *receipt = last_receipt();
        CHECK_STREQ(json_string_value(json_object_get(receipt, "end_reason")) ?: "", "reboot");
        CHECK(is_empty(manager->dirs.live));
        manager_end();
}

TEST(orphans_of_elevations) {
        static const char *const rules[] = {"elevate-1008-jit-chg1", "elevate-1007-jit-chg2", "elevate-x", "elevate-1007-jit-chg1x"};
        char own[SUDOERS_NAME_MAX];

        if (!manager_begin("orphans_of_elevations"))
                return;
        Grant *g = elevate(ALICE, FOR("alice"));
        activate(g, true);
        put_right(g);
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                put_file(manager->dirs.sudoers, rules[i], "x");
        put_file(manager->dirs.elevated, "1008", "");
        put_file(manager->dirs.elevated, "01007", "");
        put_file(manager->dirs.elevated, "alice", "");
        reap_orphans(manager);
        CHECK(is_there(manager->dirs.sudoers, sudoers_file_name(g, own)) && is_there(manager->dirs.elevated, "1007"));
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (is_there(manager->dirs.sudoers, rules[i]))
                        TEST_FAIL("%s is there", rules[i]);
        CHECK(!is_there(manager->dirs.elevated, "1008") && !is_there(manager->dirs.elevated, "01007") &&
              !is_there(manager->dirs.elevated, "alice"));
        (void) unlinkat(manager->dirs.sudoers, own, 0);
        (void) unlinkat(manager->dirs.elevated, "1007", 0);
        end();
}

TEST_MAIN
