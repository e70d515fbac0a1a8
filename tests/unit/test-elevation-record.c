/* SPDX-License-Identifier: Apache-2.0 */

/* The record of an elevation, and of an account as it was written when there was nothing else. */

#include "session-record.h"
#include "test-kinds.h"

static void on_resume(Grant *g) {
        (void) g;
}

TEST(record_of_an_elevation_comes_back) {
        char id[17];

        if (!manager_begin("record_of_an_elevation_comes_back"))
                return;
        Grant *g = elevate(ALICE, FOR("alice"));
        Session *s = session_new(g);
        s->kind = SESSION_SCOPE;
        s->service = strdup("sudo");
        s->target = strdup("root");
        s->tty = strdup("pts/3");
        s->pid = 77;
        s->pid_start = 5;
        session_link(s);
        activate(g, true);
        memcpy(id, g->id, sizeof(id));
        manager_crash();
        if (!manager_begin("record_of_an_elevation_comes_back"))
                return;
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        g = grant_by_person(manager, ALICE);
        CHECK(g && streq(g->id, id) && g->way == WAY_ELEVATION && g->has_rule && g->uid == UID_NONE && g->state == GRANT_ACTIVE);
        CHECK(g && g->sessions && g->sessions->kind == SESSION_SCOPE && streq(g->sessions->target, "root") && g->sessions->pid == 77);
        CHECK(!grant_by_account(manager, "jit-chg1"));
        end();
}

TEST(damaged_records_of_elevations) {
        static const struct {
                const char *name, *value;
        } wrong[] = {
                        {"way", "\"account\""},        {"way", "\"both\""},  {"way", NULL},           {"personUid", "0"},
                        {"personUid", "4294967295"},   {"personUid", NULL},  {"personUid", "-1"},     {"uid", "1007"},
                        {"state", "\"reserved\""},     {"rule", "1"},        {"account", "\"alice\""}, {"requester", NULL},
                        {"sessions", "[{\"kind\":\"x\",\"service\":\"s\",\"pid\":1,\"pidStart\":1}]"},
                        {"sessions", "[{\"kind\":\"scope\",\"service\":\"s\",\"pid\":1,\"pidStart\":1,\"loginSession\":7}]"},
        };

        if (!manager_begin("damaged_records_of_elevations"))
                return;
        Grant *g = elevate(ALICE, FOR("alice"));
        activate(g, true);
        _cleanup_free_ char *record = record_path(g), *good = get_file(manager->dirs.grants, record);
        grant_free(g);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_json_ json_t *j = json_loads(good, 0, NULL);
                if (wrong[i].value)
                        (void) json_object_set_new(j, wrong[i].name, json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
                else
                        (void) json_object_del(j, wrong[i].name);
                _cleanup_free_ char *text = json_dumps(j, 0);
                put_file(manager->dirs.grants, record, text);
                CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
                if (manager->n_grants > 0)
                        TEST_FAIL("taken: %s", text);
                while (manager->grants)
                        grant_free(manager->grants);
        }
        put_file(manager->dirs.grants, record, good);
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        CHECK_EQ_INT(manager->n_grants, 1);
        end();
}

/* As a version without elevations wrote it. */
TEST(old_record_is_an_accounts) {
        if (!manager_begin("old_record_is_an_accounts"))
                return;
        Grant *g = reserve("jit-chg1", ALLOW);
        _cleanup_free_ char *record = record_path(g), *good = get_file(manager->dirs.grants, record);
        _cleanup_json_ json_t *j = json_loads(good, 0, NULL);
        grant_free(g);
        (void) json_object_del(j, "way");
        (void) json_object_del(j, "allowed");
        _cleanup_free_ char *text = json_dumps(j, 0);
        put_file(manager->dirs.grants, record, text);
        CHECK_EQ_INT(grant_record_load_all(manager, on_resume), 0);
        g = grant_by_account(manager, "jit-chg1");
        CHECK(g && g->way == WAY_ACCOUNT && g->person_uid == UID_NONE);
        manager_end();
}

TEST_MAIN
