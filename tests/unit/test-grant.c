/* SPDX-License-Identifier: Apache-2.0 */

/* Grants, their records, and what a start finds of the last one. */

#include "reap.h"
#include "session.h"
#include "test-reaperd.h"

static unsigned n_resumed;

static void on_resume(Grant *g) {
        n_resumed++;
        (void) g;
}

TEST(reserve_and_release) {
        struct stat st;

        if (!manager_begin("reserve_and_release"))
                return;
        Grant *g = reserve("jit-chg1", ALLOW);
        uid_t uid = g->uid;
        CHECK_EQ_INT(g->state, GRANT_RESERVED);
        CHECK(!g->authorized && strlen(g->id) == 16);
        _cleanup_free_ char *record = record_path(g);
        CHECK(fstatat(manager->dirs.grants, record, &st, 0) >= 0 && (st.st_mode & 0777) == 0600);
        CHECK(is_there(manager->dirs.keys, "jit-chg1"));
        CHECK(!is_there(manager->dirs.sudoers, "jit-chg1") && !is_there(manager->dirs.homes, "jit-chg1"));
        CHECK(grant_by_account(manager, "jit-chg1") == g && grant_by_uid(manager, uid) == g &&
              grant_by_id(manager, g->id) == g && !grant_by_id(manager, "0"));
        CHECK(grant_matches(g, "chg1") && grant_matches(g, "JIT-CHG1") && grant_matches(g, g->id) &&
              !grant_matches(g, "chg2") && !grant_matches(g, "alice") && !grant_matches(g, ""));
        grant_release(g);
        check_nothing_left("jit-chg1");
        g = reserve("jit-chg1", ALLOW);
        CHECK_EQ_INT(g->uid, uid); /* an sshd may still hold it */
        manager_end();
}

TEST(reserve_refuses) {
        Grant *g = NULL;

        if (!manager_begin("reserve_refuses"))
                return;
        _cleanup_verdict_ Verdict v = verdict_of(ALLOW);
        CHECK_EQ_INT(grant_reserve(manager, "jit-chg2", &v, &g), -EINVAL); /* a verdict on another ticket */
        CHECK_EQ_INT(grant_reserve(manager, "jit-chg1-bob", &v, &g), -EINVAL);
        (void) reserve("jit-chg1", ALLOW);
        CHECK_EQ_INT(grant_reserve(manager, "jit-chg1", &v, &g), -EEXIST);
        test_config.grants_max = 1;
        CHECK_EQ_INT(grant_reserve(manager, "jit-chg1-alice", &v, &g), -ENOSPC);
        test_config.grants_max = 100;
        CHECK(g == NULL && v.ticket != NULL);
        manager_end();
}

TEST(full_run_leaves_nothing) {
        Grant *g = NULL;

        if (!manager_begin("full_run_leaves_nothing"))
                return;
        _cleanup_verdict_ Verdict v = verdict_of(ALLOW);
        (void) close(manager->dirs.keys);
        manager->dirs.keys = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* where nothing can be made */
        CHECK(grant_reserve(manager, "jit-chg1", &v, &g) < 0);
        CHECK(!g && manager->n_grants == 0 && is_empty(manager->dirs.grants));
        manager_end();
}

TEST(record_comes_back) {
        if (!manager_begin("record_comes_back"))
                return;
        Grant *g = reserve("jit-chg1", ALLOW);
        char id[17];
        uid_t uid = g->uid;
        uint64_t deadline = g->deadline_usec;
        memcpy(id, g->id, sizeof(id));
        manager_crash();
        if (!manager_begin("record_comes_back"))
                return;
        n_resumed = 0;
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        CHECK_EQ_INT(n_resumed, 1);
        g = grant_by_account(manager, "jit-chg1");
        CHECK(g && streq(g->id, id) && g->uid == uid && g->deadline_usec == deadline && g->state == GRANT_RESERVED &&
              !g->authorized);
        CHECK(g && streq(g->ticket, "CHG1") && streq(g->role, "dba") && streq(g->keys[0], TEST_KEY) &&
              streq(g->approvers[0], "bob"));
        manager_end();
}

TEST(refused_one_comes_back_without_a_role) {
        if (!manager_begin("refused_one_comes_back_without_a_role"))
                return;
        CHECK(reserve("jit-chg1", REFUSE)->role == NULL);
        manager_crash();
        if (!manager_begin("refused_one_comes_back_without_a_role"))
                return;
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        Grant *g = grant_by_account(manager, "jit-chg1");
        CHECK(g && g->role == NULL);
        /* Approved since: it takes the role of the verdict over. */
        _cleanup_verdict_ Verdict v = verdict_of(ALLOW);
        CHECK_EQ_INT(grant_update(g, &v), 0);
        CHECK_STREQ(g->role, "dba");
        manager_end();
}

TEST(update_takes_no_other_ticket) {
        static const char *const members[] = {"ticket", "requester", "role"};

        if (!manager_begin("update_takes_no_other_ticket"))
                return;
        Grant *g = reserve("jit-chg1", ALLOW);
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                _cleanup_json_ json_t *j = json_loads(ALLOW, 0, NULL);
                _cleanup_verdict_ Verdict v = {};
                (void) json_object_set_new(j, members[i], json_string("other"));
                CHECK_EQ_INT(verdict_parse(j, &v), 0);
                CHECK_EQ_INT(grant_update(g, &v), -ESTALE);
        }
        CHECK(streq(g->ticket, "CHG1") && streq(g->requester, "alice") && streq(g->role, "dba"));
        manager_end();
}

/* A session record of ours whose process is somebody else's by now. */
TEST(pid_that_came_again) {
        if (!without_valgrind("pid_that_came_again") || !manager_begin("pid_that_came_again"))
                return;
        Grant *g = reserve("jit-chg1", ALLOW);
        Session *s = session_new(g);
        s->service = strdup("sshd");
        s->pid = getppid();
        s->pid_start = 1;
        session_link(s);
        CHECK_EQ_INT(session_resume(s), -ESRCH);
        CHECK(s->pidfd == NULL); /* not watched, and above all not killed with the rest */
        s->pid = 0x7ffffff0;
        CHECK_EQ_INT(session_resume(s), -ESRCH);
        CHECK(s->pidfd == NULL);
        manager_end();
}

static void check_record(const char *name, const char *text, bool fine) {
        put_file(manager->dirs.grants, name, text);
        n_resumed = 0;
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        if (n_resumed != fine)
                TEST_FAIL("%s %s: %s", name, fine ? "is refused" : "is taken", text);
        while (manager->grants)
                grant_free(manager->grants);
        if (!fine)
                CHECK(!is_there(manager->dirs.grants, name));
        (void) unlinkat(manager->dirs.grants, name, 0);
}

TEST(damaged_records) {
        static const char *const texts[] = {"", "{", "[]", "{}", "null", "\xff", "{\"id\":\"0123456789abcdef\"}"};
        static const struct {
                const char *name, *value; /* NULL: taken away */
        } wrong[] = {
                        {"uid", "0"},
                        {"uid", "1000"},
                        {"uid", "4294967295"},
                        {"uid", "\"0\""},
                        {"uid", "-1"},
                        {"uid", "1.5"},
                        {"uid", NULL},
                        {"account", "\"root\""},
                        {"account", "\"jit-A\""},
                        {"account", "\"jit-a/../b\""},
                        {"account", "\"jit-\""},
                        {"account", NULL},
                        {"id", "\"short\""},
                        {"id", "\"0123456789abcdef0\""},
                        {"id", NULL},
                        {"state", "\"gone\""},
                        {"state", NULL},
                        {"ticket", NULL},
                        {"requester", NULL},
                        {"role", NULL},
                        {"deadline", NULL},
                        {"deadline", "-5"},
                        {"keys", "[1]"},
                        {"sessions", "[{}]"},
                        {"sessions", "[7]"},
                        {"sessions", "{}"},
                        {"sessions", "[{\"service\":\"s\",\"pid\":-1,\"pidStart\":1}]"},
                        {"past", "[{\"service\":\"s\",\"pid\":1}]"},
                        {"provider", "7"},
                        {"recheckSec", "65536"},
                        {"recheckSec", "-1"},
                        {"graceSec", "4294967296"},
                        {"graceSec", "\"1\""},
                        {"comments", "1"},
                        {"noticed", "\"yes\""},
                        {"silence", "1"},
                        {"answered", "-1"},
                        {"extra", "1"},
                        {"title", "\"a\\nb\""},
        };

        if (!manager_begin("damaged_records"))
                return;
        _cleanup_free_ char *record = record_path(reserve("jit-chg1", ALLOW)),
                            *good = get_file(manager->dirs.grants, record);
        grant_free(manager->grants);
        check_record(record, good, true);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                check_record(record, texts[i], false);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_json_ json_t *j = json_loads(good, 0, NULL);
                if (wrong[i].value)
                        (void) json_object_set_new(j, wrong[i].name, json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
                else
                        (void) json_object_del(j, wrong[i].name);
                _cleanup_free_ char *text = json_dumps(j, 0);
                check_record(record, text, false);
        }
        check_record(".0123456789abcdef.json.tmp", good, false);
        /* Somebody else's file, and a link. */
        put_file(manager->dirs.grants, record, good);
        CHECK(fchownat(manager->dirs.grants, record, TEST_UID_MIN, 0, 0) >= 0);
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        CHECK(manager->n_grants == 0 && is_empty(manager->dirs.grants));
        manager_end();
}

/* The record of another account's name, and two records with one UID: one of them is believed. */
TEST(records_that_collide) {
        if (!manager_begin("records_that_collide"))
                return;
        _cleanup_free_ char *record = record_path(reserve("jit-chg1", ALLOW)),
                            *good = get_file(manager->dirs.grants, record);
        _cleanup_json_ json_t *j = json_loads(good, 0, NULL);
        grant_free(manager->grants);
        (void) json_object_set_new(j, "account", json_string("jit-chg2"));
        (void) json_object_set_new(j, "id", json_string("0123456789abcdef"));
        _cleanup_free_ char *same_uid = json_dumps(j, 0);
        put_file(manager->dirs.grants, "0123456789abcdef.json", same_uid);
        n_resumed = 0;
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        CHECK_EQ_INT(n_resumed, 1);
        CHECK_EQ_INT(manager->n_grants, 1);
        manager_end();
}

static void revoke_it(Grant *g) {
        n_resumed++;
        g->state = GRANT_ACTIVE;
        grant_revoke(g, "session-ended", NULL, NULL);
}

/* Records that are written and removed while all of them are taken up. */
TEST(many_records) {
        enum { N = 60 };

        if (!manager_begin("many_records"))
                return;
        for (unsigned i = 0; i < N; i++) {
                _cleanup_json_ json_t *j = json_loads(ALLOW, 0, NULL);
                _cleanup_verdict_ Verdict v = {};
                char account[32];
                Grant *g;
                (void) snprintf(account, sizeof(account), "jit-t%u", i);
                (void) json_object_set_new(j, "ticket", json_string(account + 4));
                CHECK_EQ_INT(verdict_parse(j, &v), 0);
                CHECK_EQ_INT(grant_reserve(manager, account, &v, &g), 0);
        }
        manager_crash();
        if (!manager_begin("many_records"))
                return;
        n_resumed = 0;
        CHECK_EQ_INT(grant_record_load_all(manager, revoke_it), 0);
        CHECK_EQ_INT(n_resumed, N);
        run_until_gone();
        check_nothing_left("jit-t0");
        check_nothing_left("jit-t59");
        manager_end();
}

TEST(orphans) {
        if (!manager_begin("orphans"))
                return;
        (void) reserve("jit-chg1", ALLOW);
        put_file(manager->dirs.keys, "jit-gone", "x");
        put_file(manager->dirs.keys, ".jit-chg1.tmp", "x");
        put_file(manager->dirs.sudoers, "jit-gone", "x");
        (void) mkdirat(manager->dirs.homes, "jit-gone", 0700);
        CHECK(private_tmpfs(HOME_ROOT "/jit-gone"));
        char names[3][40];
        for (size_t i = 0; i < 3; i++) {
                (void) snprintf(names[i], sizeof(names[i]), "user@%s%u.service%s", i == 1 ? "0" : "",
                                test_uid_base() + 0xffe, i == 2 ? ".d" : "");
                CHECK(symlinkat("/dev/null", manager->dirs.units, names[i]) >= 0);
        }
        CHECK(symlinkat("/dev/null", manager->dirs.units, "user@1000.service") >= 0); /* an administrator's */
        char other[2][40];
        for (size_t i = 0; i < 2; i++)
                (void) snprintf(other[i], sizeof(other[i]), "user@%u.service",
                                (unsigned) (test_uid_base() + 0xff0 + i));
        CHECK(symlinkat("/etc/passwd", manager->dirs.units, other[0]) >= 0);
        put_file(manager->dirs.units, other[1], "[Unit]\n");
        reap_orphans(manager);
        CHECK(is_there(manager->dirs.keys, "jit-chg1"));
        CHECK(!is_there(manager->dirs.keys, "jit-gone") && !is_there(manager->dirs.sudoers, "jit-gone") &&
              is_empty(manager->dirs.homes));
        CHECK(!is_there(manager->dirs.keys, ".jit-chg1.tmp"));
        CHECK(!is_there(manager->dirs.units, names[0]));
        CHECK(is_there(manager->dirs.units, names[1]) && is_there(manager->dirs.units, names[2]) &&
              is_there(manager->dirs.units, "user@1000.service") && is_there(manager->dirs.units, other[0]) &&
              is_there(manager->dirs.units, other[1]));
        manager_end();
}

TEST(reservation_ends_by_itself) {
        if (!manager_begin("reservation_ends_by_itself"))
                return;
        test_config.reserve_usec = 30 * USEC_PER_MSEC;
        (void) reserve("jit-chg1", ALLOW);
        run_for(100 * USEC_PER_MSEC);
        check_nothing_left("jit-chg1");
        CHECK_EQ_INT(manager->n_grants, 0);
        test_config.reserve_usec = 60 * USEC_PER_SEC;
        manager_end();
}

TEST_MAIN
