/* SPDX-License-Identifier: Apache-2.0 */

/* Every way in which jit-approverd may lie to a daemon that is root. */

#include "cleanup.h"
#include "json.h"
#include "strv.h"
#include "test.h"
#include "timefmt.h"
#include "verdict.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGgGcDQGiShFQLNjzKGEUi0f19HcEUY4Ae5z5i/GfYDs"
#define GOOD                                                                                                           \
        "\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG1\",\"requester\":"        \
        "\"alice\","                                                                                                   \
        "\"role\":\"dba\",\"approvers\":[\"bob\",\"carol\"],\"notBefore\":1,\"notAfter\":2,\"ttlUSec\":3"

static int parse(const char *text, Verdict *ret) {
        _cleanup_json_ json_t *j = NULL;
        char why[JSON_WHY_MAX];

        if (json_parse_strict(text, strlen(text), JSON_MESSAGE_MAX, &j, why) < 0) {
                TEST_FAIL("%s: %s", text, why);
                return -EINVAL;
        }
        return verdict_parse(j, ret);
}

TEST(takes_what_is_right) {
        _cleanup_verdict_ Verdict v = {};

        CHECK_EQ_INT(parse("{" GOOD ",\"sshKeys\":[\"" KEY
                           " alice@laptop\"],\"commands\":[\"/bin/true\"],\"title\":\"t\",\"digest\":\"d\"}",
                           &v),
                     0);
        CHECK_EQ_INT(v.decision, DECISION_ALLOW);
        CHECK_STREQ(v.ticket, "CHG1");
        CHECK_STREQ(v.keys[0], KEY); /* the comment is gone */
        CHECK_EQ_INT(strv_length(v.approvers), 2);
        CHECK_EQ_INT(v.not_after_usec, 2);
        CHECK(!v.provider && v.recheck_usec == 0 && v.grace_usec == USEC_INFINITY && !v.comments);
}

TEST(takes_what_providers_say) {
        _cleanup_verdict_ Verdict v = {};

        CHECK_EQ_INT(parse("{" GOOD
                           ",\"provider\":\"request-tracker\",\"recheckUSec\":15000000,\"graceUSec\":0,\"comments\":"
                           "true}",
                           &v),
                     0);
        CHECK_STREQ(v.provider, "request-tracker");
        CHECK(v.recheck_usec == 15 * USEC_PER_SEC && v.grace_usec == 0 && v.comments);
}

TEST(no_answer) {
        static const struct {
                const char *text;
                bool no_answer;
        } cases[] = {
                        {"\"decision\":\"refuse\",\"reason\":\"provider-login\"", true},
                        {"\"decision\":\"refuse\",\"reason\":\"provider-something-new\"", true},
                        {"\"decision\":\"unknown\",\"reason\":\"provider-unreachable\"", true},
                        {"\"decision\":\"refuse\",\"reason\":\"provider-tls\",\"ticket\":\"CHG1\",\"requester\":"
                         "\"alice\"",
                         true},
                        {"\"decision\":\"refuse\",\"reason\":\"rate-limited\",\"ticket\":\"CHG1\"", true},
                        {"\"decision\":\"refuse\",\"reason\":\"try-again\"", true},
                        {"\"decision\":\"refuse\",\"reason\":\"provider\",\"ticket\":\"CHG1\",\"requester\":\"alice\"",
                         false},
                        {"\"decision\":\"unknown\",\"reason\":\"ticket-unknown\"", false},
                        {"\"decision\":\"refuse\",\"reason\":\"ticket-closed\",\"ticket\":\"CHG1\",\"requester\":"
                         "\"alice\"",
                         false},
        };
        char text[300];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_verdict_ Verdict v = {};
                (void) snprintf(text, sizeof(text), "{%s,\"message\":\"m\"}", cases[i].text);
                CHECK_EQ_INT(parse(text, &v), 0);
                if (verdict_is_no_answer(&v) != cases[i].no_answer)
                        TEST_FAIL("%s", text);
        }
        /* A yes is a yes, whatever its reason. */
        _cleanup_verdict_ Verdict v = {};
        CHECK_EQ_INT(parse("{\"decision\":\"allow\",\"reason\":\"provider-login\",\"message\":\"\",\"ticket\":\"A\","
                           "\"requester\":"
                           "\"b\",\"role\":\"r\",\"notAfter\":1,\"ttlUSec\":1}",
                           &v),
                     0);
        CHECK(!verdict_is_no_answer(&v));
}

TEST(refuse_and_unknown) {
        Verdict v = {};

        CHECK_EQ_INT(parse("{\"decision\":\"unknown\",\"reason\":\"ticket-unknown\",\"message\":\"\"}", &v), 0);
        CHECK_EQ_INT(v.decision, DECISION_UNKNOWN);
        verdict_done(&v);
        CHECK_EQ_INT(parse("{\"decision\":\"refuse\",\"reason\":\"ticket-denied\",\"message\":\"no\",\"ticket\":"
                           "\"CHG1\",\"requester\":\"alice\"}",
                           &v),
                     0);
        CHECK_EQ_INT(v.decision, DECISION_REFUSE);
        CHECK(v.role == NULL);
        verdict_done(&v);
}

TEST(refuses_lies) {
        static const char *const lies[] = {
                        "{}",
                        "{\"decision\":\"maybe\",\"reason\":\"a\",\"message\":\"\"}",
                        "{\"decision\":\"Allow\",\"reason\":\"a\",\"message\":\"\"}",
                        "{\"decision\":true,\"reason\":\"a\",\"message\":\"\"}",
                        "{\"decision\":\"unknown\",\"reason\":\"a\"}",
                        "{\"decision\":\"unknown\",\"reason\":\"\",\"message\":\"\"}",
                        "{\"decision\":\"unknown\",\"reason\":\"JIT_X=1\",\"message\":\"\"}",
                        "{\"decision\":\"unknown\",\"reason\":\"a b\",\"message\":\"\"}",
                        "{\"decision\":\"unknown\",\"reason\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
                        "\"message\":\"\"}",
                        "{\"decision\":\"unknown\",\"reason\":\"a\",\"message\":\"\\u001b[2J\"}",
                        "{\"decision\":\"unknown\",\"reason\":\"a\",\"message\":\"\\u009b2J\"}",
                        "{\"decision\":\"unknown\",\"reason\":\"a\",\"message\":\"two\\nlines\"}",
                        /* an allow that lacks what a grant is made of */
                        "{\"decision\":\"allow\",\"reason\":\"a\",\"message\":\"\"}",
                        "{\"decision\":\"allow\",\"reason\":\"a\",\"message\":\"\",\"ticket\":\"C\",\"requester\":"
                        "\"a\",\"notAfter\":1,\"ttlUSec\":1}",
                        "{\"decision\":\"allow\",\"reason\":\"a\",\"message\":\"\",\"ticket\":\"C\",\"requester\":"
                        "\"a\",\"role\":\"r\",\"ttlUSec\":1}",
                        "{\"decision\":\"allow\",\"reason\":\"a\",\"message\":\"\",\"ticket\":\"C\",\"requester\":"
                        "\"a\",\"role\":\"r\",\"notAfter\":1}",
                        "{\"decision\":\"allow\",\"reason\":\"a\",\"message\":\"\",\"requester\":\"a\",\"role\":\"r\","
                        "\"notAfter\":1,\"ttlUSec\":1}",
                        "{\"decision\":\"allow\",\"reason\":\"a\",\"message\":\"\",\"ticket\":\"C\",\"role\":\"r\","
                        "\"notAfter\":1,\"ttlUSec\":1}",
                        /* and one too many of anything */
                        "{" GOOD ",\"uid\":0}",
                        "{" GOOD ",\"sudo\":\"ALL\"}",
                        "{" GOOD ",\"title\":\"two\\nlines\"}",
                        "{" GOOD ",\"title\":7}",
                        "{" GOOD ",\"digest\":\"\\u0007\"}",
                        "{" GOOD ",\"commands\":\"ALL\"}",
                        "{" GOOD ",\"commands\":[\"/bin/sh\\nroot ALL=(ALL) ALL\"]}",
                        "{" GOOD ",\"commands\":[1]}",
                        "{" GOOD ",\"sshKeys\":[\"command=\\\"/bin/sh\\\" " KEY "\"]}",
                        "{" GOOD ",\"sshKeys\":[\"cert-authority " KEY "\"]}",
                        "{" GOOD ",\"sshKeys\":[\"" KEY "\\n" KEY "\"]}",
                        "{" GOOD ",\"sshKeys\":[\"ssh-ed25519\"]}",
                        "{" GOOD ",\"sshKeys\":[\"ssh-ed25519 AAAA\"]}",
                        "{" GOOD ",\"sshKeys\":[\"\"]}",
                        "{" GOOD ",\"sshKeys\":[\"# comment\"]}",
                        "{" GOOD ",\"sshKeys\":[\"ssh-dss AAAAB3NzaC1kc3MAAACB\"]}",
                        "{" GOOD ",\"sshKeys\":{}}",
        };

        for (size_t i = 0; i < ELEMENTSOF(lies); i++) {
                Verdict v = {};
                if (parse(lies[i], &v) >= 0)
                        TEST_FAIL("taken: %s", lies[i]);
                CHECK(!v.ticket && !v.keys && !v.decision_text);
                verdict_done(&v);
        }
}

/* One member of a right verdict replaced. */
TEST(refuses_wrong_members) {
        static const struct {
                const char *name, *value;
        } wrong[] = {
                        {"ticket", "\"\""},
                        {"ticket", "\"../../etc\""},
                        {"ticket", "\"a--b\""},
                        {"ticket", "\"-a\""},
                        {"ticket", "null"},
                        {"ticket", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
                        {"ticket", "\"a b\""},
                        {"ticket", "\"a\\u00e4\""},
                        {"ticket", "12"},
                        {"requester", "\"\""},
                        {"requester", "\"root x\""},
                        {"requester", "\"Alice\""},
                        {"requester", "\"a/b\""},
                        {"requester", "\"a\\\"b\""},
                        {"requester", "\"a,b\""},
                        {"requester", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
                        {"requester", "null"},
                        {"requester", "[]"},
                        {"role", "\"\""},
                        {"role", "\"../dba\""},
                        {"role", "\"DBA\""},
                        {"role", "\"a.b\""},
                        {"role", "null"},
                        {"role", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
                        {"approvers", "[\"Bob\"]"},
                        {"approvers", "[\"\"]"},
                        {"approvers", "[null]"},
                        {"approvers", "\"bob\""},
                        {"approvers", "{}"},
                        {"notAfter", "0"},
                        {"notAfter", "-1"},
                        {"notAfter", "1.5"},
                        {"notAfter", "\"2\""},
                        {"notAfter", "null"},
                        {"ttlUSec", "0"},
                        {"ttlUSec", "-5"},
                        {"ttlUSec", "true"},
                        {"notBefore", "-1"},
                        {"decision", "\"allow \""},
                        {"decision", "null"},
                        {"reason", "null"},
                        {"message", "null"},
                        {"message", "[]"},
                        {"provider", "\"\""},
                        {"provider", "\"RT\""},
                        {"provider", "\"../rt\""},
                        {"provider", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
                        {"provider", "1"},
                        {"recheckUSec", "1"},
                        {"recheckUSec", "999999"},
                        {"recheckUSec", "-1"},
                        {"recheckUSec", "43200000001"},
                        {"recheckUSec", "\"15s\""},
                        {"graceUSec", "-1"},
                        {"graceUSec", "9000000000000"},
                        {"graceUSec", "true"},
                        {"comments", "1"},
                        {"comments", "\"yes\""},
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_json_ json_t *j = json_loads("{" GOOD "}", 0, NULL),
                                      *value = json_loads(wrong[i].value, JSON_DECODE_ANY, NULL);
                Verdict v = {};
                CHECK(j && value && json_object_set(j, wrong[i].name, value) >= 0);
                if (verdict_parse(j, &v) >= 0)
                        TEST_FAIL("taken: %s %s", wrong[i].name, wrong[i].value);
                verdict_done(&v);
        }
}

static json_t *strings(const char *s, size_t n) {
        json_t *a = json_array();

        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(a, json_string(s));
        return a;
}

TEST(refuses_too_much) {
        static const char *const names[] = {"sshKeys", "commands", "approvers"};
        static const char *const values[] = {KEY, "/bin/true", "bob"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                for (size_t n = 64; n <= 65; n++) {
                        _cleanup_json_ json_t *j = json_loads("{" GOOD "}", 0, NULL);
                        Verdict v = {};
                        (void) json_object_set_new(j, names[i], strings(values[i], n));
                        CHECK_EQ_INT(verdict_parse(j, &v) >= 0, n == 64);
                        verdict_done(&v);
                }

        /* Keys that are right, and together more than a record holds. */
        char *key = malloc(12001), *line = malloc(12100);
        _cleanup_json_ json_t *j = json_loads("{" GOOD "}", 0, NULL);
        Verdict v = {};
        memset(key, 'A', 12000);
        key[12000] = 0;
        (void) snprintf(line, 12100, "ssh-rsa AAAAB3NzaC1yc2EA%s", key);
        (void) json_object_set_new(j, "sshKeys", strings(line, 4));
        CHECK_EQ_INT(verdict_parse(j, &v), 0);
        verdict_done(&v);
        (void) json_object_set_new(j, "sshKeys", strings(line, 40));
        CHECK_EQ_INT(verdict_parse(j, &v), -ERANGE);
        verdict_done(&v);
        free(key);
        free(line);
}

TEST(is_for_the_account) {
        static const struct {
                const char *account, *ticket, *requester;
                bool right;
        } cases[] = {
                        {"jit-chg1", "CHG1", "alice", true},
                        {"jit-chg1-alice", "chg1", "alice", true},
                        {"jit-a-b", "A-B", "c", true},
                        {"jit-a-b", "A", "b", true},
                        {"jit-chg1", "CHG2", "alice", false},
                        {"jit-chg1", "CHG", "alice", false},
                        {"jit-chg12", "CHG1", "alice", false},
                        {"jit-chg1-alice", "CHG1", "bob", false},
                        {"jit-chg1-alice", "CHG1", "ali", false},
                        {"jit-chg1-alice", "CHG1", "alicex", false},
                        {"root", "root", "root", false},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Verdict v = {.ticket = (char *) cases[i].ticket, .requester = (char *) cases[i].requester};
                if (verdict_is_for(&v, cases[i].account) != cases[i].right)
                        TEST_FAIL("%s by %s for %s", cases[i].ticket, cases[i].requester, cases[i].account);
        }
        CHECK(!verdict_is_for(&(Verdict){}, "jit-a"));
}

TEST_MAIN
