/* SPDX-License-Identifier: Apache-2.0 */

#include "../../jit-reaperd/approverd/providers/approval-record.h"
#include "strv.h"
#include "test.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_2 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"

static json_t *parse(const char *text) {
        json_error_t error;
        json_t *j = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

        if (!j)
                TEST_FAIL("%s: %s", text, error.text);
        return j;
}

/* A good one with the members of change set; null takes one away. */
static json_t *with(const char *change) {
        json_t *j = parse("{\"ticket\": \"CHG0012345\", \"state\": \"approved\", \"title\": \"restart postgres\","
                          "\"requesters\": [\"alice\"], \"approvers\": [{\"name\": \"bob\", \"at\": "
                          "\"2026-11-22T09:00:00Z\"}],"
                          "\"hosts\": [\"db1\", \"db*.prod\"], \"role\": \"dba\", \"not_before\": "
                          "\"2026-11-22T12:00:00Z\","
                          "\"not_after\": \"2026-11-22T14:00:00Z\", \"reason\": \"a stuck replica\"}");
        json_t *c = parse(change), *value;
        const char *name;

        json_object_foreach (c, name, value)
                CHECK((json_is_null(value) ? json_object_del(j, name) : json_object_set(j, name, value)) == 0);
        json_decref(c);
        return j;
}

static ApprovalRecord *record(const char *change) {
        _cleanup_json_ json_t *j = with(change);
        char why[APPROVAL_WHY_MAX] = "";
        ApprovalRecord *r = NULL;

        if (approval_record_new(j, "chg0012345", &r, why) < 0)
                TEST_FAIL("%s: %s", change, why);
        return r;
}

/* Whether both say the same was approved. */
static bool same(const char *change_a, const char *change_b) {
        JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *a = record(change_a), *b = record(change_b);

        return a && b && strlen(a->digest) == TICKET_DIGEST_HEX && streq(a->digest, b->digest);
}

TEST(all_members) {
        JIT_CLEANUP(approval_record_unrefp)
        ApprovalRecord *r = record(
                        "{\"state\": \"closed\", \"state_by\": \"carol\", \"state_at\": \"2026-11-22T13:00:00+01:00\","
                        "\"state_reason\": \"done\", \"emergency\": true, \"may_approve\": [\"bob\", \"carol\"],"
                        "\"commands\": [\"/usr/bin/systemctl restart postgresql\"], \"ssh_keys\": [\"" KEY
                        " alice@laptop\"],"
                        "\"invalid\": [{\"name\": \"dave\", \"reason\": \"approved-before-change\"}]}");
        const Approval *a = &r->approval;

        CHECK_STREQ(a->ticket, "CHG0012345");
        CHECK_STREQ(a->title, "restart postgres");
        CHECK_STREQ(a->role, "dba");
        CHECK_STREQ(a->reason, "a stuck replica");
        CHECK_STREQ(a->digest, r->digest);
        CHECK_EQ_INT(a->state, APPROVAL_CLOSED);
        CHECK_STREQ(a->state_by, "carol");
        CHECK_STREQ(a->state_reason, "done");
        CHECK_EQ_INT(a->state_at, UINT64_C(1795348800) * USEC_PER_SEC);
        CHECK_EQ_INT(a->not_after - a->not_before, 2 * USEC_PER_HOUR);
        CHECK_EQ_INT(a->not_after, UINT64_C(1795356000) * USEC_PER_SEC);
        CHECK(a->emergency && strv_length(a->requesters) == 1 && streq(a->requesters[0], "alice"));
        CHECK(strv_length(a->hosts) == 2 && streq(a->hosts[1], "db*.prod"));
        CHECK(strv_length(a->may_approve) == 2 && strv_length(a->commands) == 1);
        CHECK_STREQ(a->ssh_keys[0], KEY);
        CHECK(a->n_approvers == 1 && streq(a->approvers[0].name, "bob") && !a->approvers[0].reason);
        CHECK_EQ_INT(a->approvers[0].at, UINT64_C(1795338000) * USEC_PER_SEC);
        CHECK(a->n_invalid == 1 && streq(a->invalid[0].name, "dave") && a->invalid[0].at == 0);
        CHECK_STREQ(a->invalid[0].reason, "approved-before-change");
}

TEST(few_members) {
        JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *r = record("{\"approvers\": []}");
        const Approval *a = &r->approval;

        CHECK(!a->commands && !a->ssh_keys && !a->may_approve && !a->emergency && !a->state_by && !a->state_reason);
        CHECK(a->n_approvers == 0 && a->n_invalid == 0 && a->state_at == 0 && a->state == APPROVAL_APPROVED);
        CHECK(json_is_object(r->object));
}

TEST(references) {
        ApprovalRecord *r = record("{}"), *again = approval_record_ref(r);

        CHECK(again == r);
        CHECK(!approval_record_unref(r));
        CHECK_STREQ(again->approval.role, "dba");
        CHECK(!approval_record_unref(again) && !approval_record_unref(NULL));
}

TEST(refusals) {
        static const struct {
                const char *change, *why;
        } bad[] = {
                        {"{\"ticket\": null}", "\"ticket\" is missing"},
                        {"{\"ticket\": 12345}", "\"ticket\" is not of the right type"},
                        {"{\"ticket\": \"CHG0012346\"}", "\"ticket\" is another"},
                        {"{\"ticket\": \"\"}", "\"ticket\" is another"},
                        {"{\"ticket\": \"chg0012345 \"}", "\"ticket\" is another"},
                        {"{\"ticket\": \"CHG0012345CHG0012345CHG00123\"}", "\"ticket\" is too long"},
                        {"{\"state\": null}", "\"state\" is missing"},
                        {"{\"state\": \"open\"}", "\"state\" is not pending"},
                        {"{\"state\": \"Approved\"}", "\"state\" is not pending"},
                        {"{\"state\": true}", "\"state\" is not of"},
                        {"{\"state\": \"approved\\u0000\"}", "\"state\" is not of"},
                        {"{\"title\": null}", "\"title\" is missing"},
                        {"{\"title\": 5}", "\"title\" is not of"},
                        {"{\"requesters\": null}", "\"requesters\" is missing"},
                        {"{\"requesters\": []}", "\"requesters\" is empty"},
                        {"{\"requesters\": \"alice\"}", "\"requesters\" is not of"},
                        {"{\"requesters\": [1]}", "\"requesters\" is not of"},
                        {"{\"requesters\": [null]}", "\"requesters\" is not of"},
                        {"{\"requesters\": [\"alice\", \"Bob\"]}", "\"requesters\" has a name"},
                        {"{\"requesters\": [\"\"]}", "\"requesters\" has a name"},
                        {"{\"requesters\": [\"alice@example.com\"]}", "\"requesters\" has a name"},
                        {"{\"requesters\": [\"../alice\"]}", "\"requesters\" has a name"},
                        {"{\"requesters\": [\"jit-chg1\"]}", "\"requesters\" has a name"},
                        {"{\"requesters\": [\"a2345678901234567890123456789012\"]}", "\"requesters\" is too long"},
                        {"{\"requesters\": "
                         "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\","
                         "\"n\",\"o\",\"p\",\"q\"]}",
                         "\"requesters\" has more than 16"},
                        {"{\"approvers\": null}", "\"approvers\" is missing"},
                        {"{\"approvers\": {}}", "\"approvers\" is not of"},
                        {"{\"approvers\": [\"bob\"]}", "\"approvers\" has what is not"},
                        {"{\"approvers\": [[]]}", "\"approvers\" has what is not"},
                        {"{\"approvers\": [{}]}", "\"approvers\" has what is not"},
                        {"{\"approvers\": [{\"name\": null}]}", "\"approvers\" has what is not"},
                        {"{\"approvers\": [{\"name\": \"Bob\"}]}", "\"approvers\" has a name"},
                        {"{\"approvers\": [{\"name\": \"bob\", \"x\": 1}]}", "\"approvers\" has what is not"},
                        {"{\"approvers\": [{\"name\": \"bob\", \"reason\": \"a\"}]}", "\"approvers\" has what is not"},
                        {"{\"approvers\": [{\"name\": \"bob\", \"at\": \"yesterday\"}]}", "\"approvers\" has a time"},
                        {"{\"approvers\": [{\"name\": \"bob\", \"at\": 1795338000}]}", "\"approvers\" has what is not"},
                        {"{\"approvers\": [{\"name\": \"bob\"}, {\"name\": \"carol\", \"at\": \"2026-11-22 "
                         "09:00:00\"}]}",
                         "\"approvers\" has a time"},
                        {"{\"invalid\": [{\"name\": \"bob\"}]}", "\"invalid\" has what is not {name, at, reason}"},
                        {"{\"invalid\": [{\"name\": \"bob\", \"reason\": \"A b\"}]}", "\"invalid\" has a reason"},
                        {"{\"invalid\": [{\"name\": \"bob\", \"reason\": \"\"}]}", "\"invalid\" has a reason"},
                        {"{\"invalid\": \"bob\"}", "\"invalid\" is not of"},
                        {"{\"hosts\": null}", "\"hosts\" is missing"},
                        {"{\"hosts\": []}", "\"hosts\" is empty"},
                        {"{\"hosts\": [\"DB1\"]}", "\"hosts\" has a name"},
                        {"{\"hosts\": [\"db1 db2\"]}", "\"hosts\" has a name"},
                        {"{\"hosts\": [\"db1\", \"\"]}", "\"hosts\" has a name"},
                        {"{\"hosts\": [\"db1\\ndb2\"]}", "\"hosts\" is not of"},
                        {"{\"role\": null}", "\"role\" is missing"},
                        {"{\"role\": \"\"}", "\"role\" is not a role"},
                        {"{\"role\": \"DBA\"}", "\"role\" is not a role"},
                        {"{\"role\": \"../dba\"}", "\"role\" is not a role"},
                        {"{\"not_before\": null}", "\"not_before\" is missing"},
                        {"{\"not_after\": null}", "\"not_after\" is missing"},
                        {"{\"not_before\": 1795348800}", "\"not_before\" is not of"},
                        {"{\"not_before\": \"2026-11-22 12:00:00\"}", "\"not_before\" is not a time"},
                        {"{\"not_before\": \"2026-11-22T12:00:00\"}", "\"not_before\" is not a time"},
                        {"{\"not_before\": \"2026-11-22T12:00:00+0000\"}", "\"not_before\" is not a time"},
                        {"{\"not_after\": \"2026-11-31T12:00:00Z\"}", "\"not_after\" is not a time"},
                        {"{\"not_after\": \"\"}", "\"not_after\" is not a time"},
                        {"{\"not_after\": \"2026-11-22T12:00:00Z\"}", "the window ends"},
                        {"{\"not_after\": \"2026-11-22T13:00:00+01:00\"}", "the window ends"},
                        {"{\"not_after\": \"1970-01-01T00:00:00Z\"}", "the window ends"}, /* an unset date in RT */
                        {"{\"not_after\": \"2026-12-23T12:00:01Z\"}", "the window is longer"},
                        {"{\"not_before\": \"1970-01-01T00:00:00Z\"}", "the window is longer"},
                        {"{\"reason\": null}", "\"reason\" is missing"},
                        {"{\"reason\": [\"x\"]}", "\"reason\" is not of"},
                        {"{\"commands\": []}", "\"commands\" is empty"},
                        {"{\"commands\": [\"systemctl\"]}", "\"commands\" has a name"},
                        {"{\"commands\": [\"/bin/a, ALL\"]}", "\"commands\" has a name"},
                        {"{\"commands\": [\"!/bin/a\"]}", "\"commands\" has a name"},
                        {"{\"commands\": \"/bin/a\"}", "\"commands\" is not of"},
                        {"{\"ssh_keys\": [\"ssh-ed25519 AAAA\"]}", "\"ssh_keys\" has what"},
                        {"{\"ssh_keys\": [\"command=\\\"sh\\\" " KEY "\"]}", "\"ssh_keys\" has what"},
                        {"{\"ssh_keys\": [\"" KEY "\\n" KEY_2 "\"]}", "\"ssh_keys\" is not of"},
                        {"{\"ssh_keys\": [\"" KEY "\"], \"requesters\": [\"alice\", \"bob\"]}", "several requesters"},
                        {"{\"emergency\": 1}", "\"emergency\" is not of"},
                        {"{\"emergency\": \"false\"}", "\"emergency\" is not of"},
                        {"{\"may_approve\": [\"Bob\"]}", "\"may_approve\" has a name"},
                        {"{\"may_approve\": {\"a\": 1}}", "\"may_approve\" is not of"},
                        {"{\"state_by\": \"Bob Miller\"}", "\"state_by\" is not a person"},
                        {"{\"state_at\": \"now\"}", "\"state_at\" is not a time"},
                        {"{\"approved\": true}", "a member that an approval does not have"},
                        {"{\"\\u001b[0m\": true}", "a member that an approval does not have"},
                        {"{\"digest\": \"0\"}", "a member that an approval does not have"},
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_json_ json_t *j = with(bad[i].change);
                char why[APPROVAL_WHY_MAX] = "";
                ApprovalRecord *r = NULL;

                if (approval_record_new(j, "chg0012345", &r, why) != -EBADMSG || r || !strstr(why, bad[i].why) ||
                    !ticket_text_is_plain(why, false))
                        TEST_FAIL("%s: %s", bad[i].change, why);
                approval_record_unref(r);
        }
}

TEST(not_an_object) {
        static const char *const bad[] = {"[]", "null", "true", "\"approved\"", "{}", "[{\"state\": \"approved\"}]"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_json_ json_t *j = parse(bad[i]);
                char why[APPROVAL_WHY_MAX] = "";
                ApprovalRecord *r = NULL;
                CHECK_EQ_INT(approval_record_new(j, "chg0012345", &r, why), -EBADMSG);
                CHECK(!r && *why);
        }
}

TEST(too_many_approvers) {
        _cleanup_json_ json_t *j = with("{\"approvers\": []}");
        json_t *list = json_object_get(j, "approvers");
        char why[APPROVAL_WHY_MAX] = "", name[32];
        ApprovalRecord *r = NULL;

        for (int i = 0; i < TICKET_APPROVALS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "bob%d", i);
                CHECK(json_array_append_new(list, json_pack("{s:s}", "name", name)) == 0);
                CHECK(json_array_append_new(list, json_pack("{s:s}", "name", "bob0")) == 0);
        }
        CHECK_EQ_INT(approval_record_new(j, "chg0012345", &r, why), 0);
        CHECK_EQ_INT(r ? r->approval.n_approvers : 0, TICKET_APPROVALS_MAX);
        r = approval_record_unref(r);
        CHECK(json_array_append_new(list, json_pack("{s:s}", "name", "carol")) == 0);
        CHECK_EQ_INT(approval_record_new(j, "chg0012345", &r, why), -EBADMSG);
        CHECK(strstr(why, "more than 16 people"));
        for (int i = 0; i < 300; i++)
                CHECK(json_array_append_new(list, json_pack("{s:s}", "name", "bob0")) == 0);
        CHECK_EQ_INT(approval_record_new(j, "chg0012345", &r, why), -EBADMSG);
        CHECK(strstr(why, "too many elements"));
}

TEST(counted_once) {
        JIT_CLEANUP(approval_record_unrefp)
        ApprovalRecord *r = record(
                        "{\"requesters\": [\"alice\", \"dave\", \"alice\"], \"hosts\": [\"db1\", \"db1\"],"
                        "\"approvers\": [{\"name\": \"bob\"}, {\"name\": \"bob\", \"at\": \"2026-11-22T10:00:00Z\"},"
                        "{\"name\": \"carol\", \"at\": \"2026-11-22T09:00:00Z\"},"
                        "{\"name\": \"bob\", \"at\": \"2026-11-22T11:00:00+02:00\"}],"
                        "\"invalid\": [{\"name\": \"bob\", \"reason\": \"a\"}, {\"name\": \"bob\", \"reason\": \"b\"},"
                        "{\"name\": \"bob\", \"reason\": \"a\", \"at\": \"2026-11-22T09:00:00Z\"}]}");
        const Approval *a = &r->approval;

        CHECK_EQ_INT(strv_length(a->requesters), 2);
        CHECK_STREQ(a->requesters[1], "dave");
        CHECK_EQ_INT(strv_length(a->hosts), 1);
        CHECK(a->n_approvers == 2 && streq(a->approvers[0].name, "bob") && streq(a->approvers[1].name, "carol"));
        CHECK_EQ_INT(a->approvers[0].at, UINT64_C(1795338000) * USEC_PER_SEC);
        CHECK(a->n_invalid == 2 && streq(a->invalid[0].reason, "a") && streq(a->invalid[1].reason, "b"));
        CHECK_EQ_INT(a->invalid[0].at, UINT64_C(1795338000) * USEC_PER_SEC);
}

TEST(texts) {
        static const struct {
                const char *title, *shown;
        } known[] = {
                        {"\"r\\u00e9sum\\u00e9 \\ud83d\\ude00\"", "r\xc3\xa9sum\xc3\xa9 \xf0\x9f\x98\x80"},
                        {"\"a\\nb\\tc\\rd\"", "a b c d"},
                        {"\"\\u001b[31mred\\u0007\"", " [31mred "},
                        {"\"a\\u0000b\\u007f\\u0085\\u009bc\"", "a b   c"},
                        {"\"a\\u2028b\\u202ec\\u2066d\"", "a b c d"},
                        {"\"\"", "CHG0012345"},
                        {"\"\\n \"", "CHG0012345"},
        };
        char change[2048];

        for (size_t i = 0; i < ELEMENTSOF(known); i++) {
                (void) snprintf(change, sizeof(change), "{\"title\": %s}", known[i].title);
                JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *r = record(change);
                CHECK_STREQ(r->approval.title, known[i].shown);
                CHECK(ticket_text_is_plain(r->approval.title, false));
        }
}

/* Of every length around the limit, so that the cut falls into every byte of a character. */
TEST(long_texts) {
        for (int n = 100; n < 140; n++) {
                _cleanup_json_ json_t *j = with("{}");
                JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *r = NULL;
                char text[1024] = "", why[APPROVAL_WHY_MAX] = "";
                const char *title;

                (void) snprintf(text, sizeof(text), "%0*d", n, 0);
                for (int i = 0; i < 20; i++)
                        strncat(text, "\xf0\x9f\x98\x80\xe2\x82\xac", sizeof(text) - strlen(text) - 1);
                CHECK(json_object_set_new(j, "title", json_string(text)) == 0);
                CHECK_EQ_INT(approval_record_new(j, "chg0012345", &r, why), 0);
                title = r ? r->approval.title : "";
                CHECK(strlen(title) <= TICKET_TITLE_MAX && strlen(title) > TICKET_TITLE_MAX - 4);
                CHECK_STREQ(title + strlen(title) - 3, "...");
                CHECK(strncmp(title, text, strlen(title) - 3) == 0);
                json_t *again = json_string(title); /* NULL if it is not UTF-8 */
                CHECK(again);
                json_decref(again);
        }
}

TEST(digest_of_what_was_approved) {
        static const char *const other[] = {
                        "{\"requesters\": [\"alice\", \"bob\"]}",
                        "{\"requesters\": [\"bob\"]}",
                        "{\"hosts\": [\"db1\"]}",
                        "{\"hosts\": [\"db1\", \"db*.prod\", \"web1\"]}",
                        "{\"role\": \"full-root\"}",
                        "{\"not_before\": \"2026-11-22T11:59:59Z\"}",
                        "{\"not_after\": \"2026-11-22T14:00:00.000001Z\"}",
                        "{\"reason\": \"another\"}",
                        "{\"commands\": [\"/bin/true\"]}",
                        "{\"ssh_keys\": [\"" KEY "\"]}",
                        "{\"emergency\": true}",
        };
        static const char *const equal[] = {
                        "{\"ticket\": \"chg0012345\"}",
                        "{\"title\": \"another\"}",
                        "{\"state\": \"closed\", \"state_by\": \"bob\", \"state_reason\": \"x\"}",
                        "{\"approvers\": []}",
                        "{\"invalid\": [{\"name\": \"dave\", \"reason\": \"x\"}]}",
                        "{\"may_approve\": [\"dave\"]}",
                        "{\"hosts\": [\"db*.prod\", \"db1\", \"db1\"]}",
                        "{\"not_before\": \"2026-11-22T14:00:00.000+02:00\"}",
                        "{\"emergency\": false}",
        };
        char a[1024], b[1024];

        for (size_t i = 0; i < ELEMENTSOF(other); i++)
                if (same("{}", other[i]))
                        TEST_FAIL("%s changes nothing", other[i]);
        for (size_t i = 0; i < ELEMENTSOF(equal); i++)
                if (!same("{}", equal[i]))
                        TEST_FAIL("%s changes what was approved", equal[i]);
        CHECK(same("{\"ssh_keys\": [\"" KEY " a\", \"" KEY_2 "\"]}", "{\"ssh_keys\": [\"" KEY_2 " b\", \"" KEY "\"]}"));
        CHECK(!same("{\"ssh_keys\": [\"" KEY "\"]}", "{\"ssh_keys\": [\"" KEY_2 "\"]}"));
        /* What differs behind the cut differs. */
        (void) snprintf(a, sizeof(a), "{\"reason\": \"%0*da\"}", 600, 0);
        (void) snprintf(b, sizeof(b), "{\"reason\": \"%0*db\"}", 600, 0);
        CHECK(same(a, a) && !same(a, b));
}

TEST_MAIN
