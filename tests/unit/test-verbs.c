/* SPDX-License-Identifier: Apache-2.0 */

/* jitctl's verbs against a daemon that says one prepared thing: what a person gets to read, and the exit status of
 * jitctl(1). */

#include "test-jitctl.h"

#define GRANT                                                                                                          \
        "{\"id\":\"g1\",\"account\":\"jit-chg1\",\"uid\":70000,\"way\":\"account\",\"state\":\"active\","              \
        "\"ticket\":\"CHG1\",\"title\":\"t\",\"requester\":\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\"],"        \
        "\"since\":1,\"until\":2,\"sessions\":[{\"id\":\"5\",\"kind\":\"login\",\"service\":\"sshd\","                 \
        "\"rhost\":\"::1\",\"tty\":\"ssh\",\"pid\":7,\"since\":1}]}"
#define ELEVATION(rule)                                                                                                \
        "{\"id\":\"g2\",\"account\":\"alice\",\"uid\":1000,\"way\":\"elevation\",\"rule\":" rule                       \
        ",\"state\":\"active\",\"ticket\":\"CHG1\",\"requester\":\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\"],"  \
        "\"since\":1,\"until\":2,\"sessions\":["                                                                       \
        "{\"kind\":\"elevated\",\"service\":\"jitctl\",\"tty\":\"pts/1\",\"pid\":7,\"since\":1},"                      \
        "{\"kind\":\"scope\",\"service\":\"sudo\",\"target\":\"root\",\"tty\":\"pts/1\",\"pid\":8,\"since\":1,"        \
        "\"unit\":\"jit-g2-8.scope\"}]}"

TEST(setup) {
        make_folder();
}

TEST(unreachable_is_3) {
        char *args[] = {(char *) "CHG1", NULL}, output[4096];

        CHECK_EQ_INT(run_verb("list", false, args + 1, NULL, output, sizeof(output)), 3);
        CHECK(strstr(output, "is jit-reaperd.socket started?"));
        CHECK_EQ_INT(run_verb("ticket close", false, args, NULL, output, sizeof(output)), 3);
        CHECK(strstr(output, "is jit-approverd.socket started?"));
        check_answer("list", false, NULL, "", 3, "hung up");
        check_answer("list", false, NULL, "nonsense", 3, "does not speak Varlink");
        check_answer("list", false, NULL,
                     ERROR("io.pamjit.Reaper.TryAgain", "{\"reason\":\"try-again\",\"message\":\"busy\"}"), 3,
                     "not now: busy (try-again)\n");
}

TEST(no_is_1) {
        check_answer("ticket show", false, "CHG1", ERROR("io.pamjit.Approver.NoSuchTicket", "{\"id\":\"CHG1\"}"), 1,
                     "no ticket CHG1 ");
        check_answer("ticket close", false, "CHG1",
                     ERROR("io.pamjit.Approver.BadTicket", "{\"field\":\"role\",\"message\":\"bad\"}"), 1, "role: bad");
        check_answer("revoke", false, "CHG1", ERROR("io.pamjit.Reaper.NoSuchGrant", "{\"grant\":\"CHG1\"}"), 1,
                     "grant CHG1 ");
        check_answer("show", false, "CHG1", ERROR("io.pamjit.Reaper.NoSuchGrant", "{\"grant\":\"CHG1\"}"), 1,
                     "grant CHG1 ");
        check_answer("status", false, NULL, ERROR("org.example.Odd", "{\"x\":1}"), 1, "org.example.Odd");
        check_answer("explain", false, "CHG1",
                     "{\"parameters\":{\"verdict\":{\"decision\":\"refuse\",\"reason\":\"too-late\",\"message\":\"m\"},"
                     "\"inputs\":{}}}",
                     1, "too-late");
}

TEST(forbidden_is_4) {
        check_answer("list", false, NULL, ERROR(VARLINK_ERROR_PERMISSION_DENIED, "{}"), 4, "not permitted");
        check_answer("ticket deny", false, "CHG1",
                     ERROR("io.pamjit.Approver.NotAllowed", "{\"reason\":\"not-requester\",\"message\":\"not yours\"}"),
                     4, "not yours");
}

TEST(usage_is_2) {
        char *args[] = {NULL, NULL}, output[4096];

        CHECK_EQ_INT(run_verb("revoke", false, args, NULL, output, sizeof(output)), 2);
        CHECK_EQ_INT(run_verb("ticket approve", false, args, NULL, output, sizeof(output)), 2);
        CHECK_EQ_INT(run_verb("ticket new", false, args, NULL, output, sizeof(output)), 2);
        CHECK(strstr(output, "--role is missing"));
}

TEST(yes_is_0) {
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":[" GRANT "]}}", 0,
                     "jit-chg1  active  alice  CHG1  dba  1  account  now\n");
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":[]}}", 0, "");
        check_answer("show", false, "CHG1", "{\"parameters\":{\"grant\":" GRANT "}}", 0, "sshd from ::1 on ssh");
        check_answer("revoke", false, "CHG1", "{\"parameters\":{\"revoked\":[\"jit-chg1\"]}}", 0,
                     "jit-chg1 is gone\nafter ");
        check_answer("ticket close", true, "CHG1", "{}", 0, "{}\n");
        check_answer("explain", false, "CHG1",
                     "{\"parameters\":{\"verdict\":{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"m\","
                     "\"notAfter\":0},"
                     "\"inputs\":{\"role\":{\"name\":\"dba\"}}}}",
                     0, "Decision  allow (approved)\n");
}

TEST(elevations_are_seen) {
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":[" ELEVATION("true") "]}}", 0,
                     "alice  active  alice  CHG1  dba  2  elevate  now\n");
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":[" ELEVATION("false") "]}}", 0, "  gate  now\n");
        check_answer("show", false, "CHG1", "{\"parameters\":{\"grant\":" ELEVATION("true") "}}", 0,
                     "Way  elevate: the person's own account, by sudo rules of the role\n");
        check_answer("show", false, "CHG1", "{\"parameters\":{\"grant\":" ELEVATION("null") "}}", 0,
                     "Way  gate: the person's own account, by the host's own sudo rules\n");
        check_answer("show", false, "CHG1", "{\"parameters\":{\"grant\":" ELEVATION("true") "}}", 0,
                     "Sessions  elevated on pts/1, since 1970-01-01T00:00:00Z, process 7\n  sudo to root on pts/1, "
                     "since "
                     "1970-01-01T00:00:00Z, process 8, jit-g2-8.scope\n");
        check_answer("show", true, "CHG1", "{\"parameters\":{\"grant\":" ELEVATION("true") "}}", 0,
                     "\"unit\": \"jit-g2-8.scope\"");
        check_answer("revoke", false, "CHG1", "{\"parameters\":{\"revoked\":[\"jit-chg1\",\"alice\"]}}", 0,
                     "jit-chg1 is gone\nalice is elevated no more\nafter ");
}

#define ELEVATED                                                                                                       \
        "{\"parameters\":{\"grant\":\"g2\",\"account\":\"alice\",\"role\":\"dba\",\"message\":\"CHG1 approved "        \
        "\\u202e\","                                                                                                   \
        "\"until\":1795356000000000,\"commands\":[\"/bin/a b\",\"/bin/\\u202ec\"]}}"

TEST(elevate) {
        static const char *const parts[] = {"CHG1 approved \\u{202e}\nAccount  alice\n", "Role  dba\n",
                                            "Until  2026-11-22T", "By sudo  /bin/a b\n  /bin/\\u{202e}c\n", NULL},
                                 *const answers[] = {ELEVATED, NULL};
        char *args[] = {(char *) "jit-CHG1", NULL}, output[4096];

        check_all("elevate", false, args, NULL, answers, 0, parts);
        CHECK(was_called_with("{\"ticket\":\"CHG1\"}"));
        CHECK(!was_called_with("more"));
        check_answer("elevate", true, "CHG1", ELEVATED, 0, "\"role\": \"dba\"");
        check_answer("elevate", false, "CHG1",
                     "{\"parameters\":{\"grant\":\"g\",\"account\":\"a\",\"role\":\"r\",\"message\":\"m\",\"until\":1}"
                     "}",
                     0, "nothing: the role has no command");
        check_answer("elevate", false, "CHG1", "{\"parameters\":{\"message\":\"m\"}}", 1, "member \"grant\"");
        for (const char *const *bad = (const char *const[]){"a b", "../x", "jit-", "", NULL}; *bad; bad++) {
                args[0] = (char *) *bad;
                CHECK_EQ_INT(run_verb("elevate", false, args, NULL, output, sizeof(output)), 2);
        }
}

TEST(elevate_waits_only_if_told_to) {
        static const bool wait = true; /* the only option */
        static const char *const answers[] =
                        {"{\"continues\":true,\"parameters\":{\"message\":\"CHG1 waits for bob\","
                         "\"until\":1}}\n{\"continues\":true,\"parameters\":{\"message\":\"\\u001bz\"}}\n" ELEVATED,
                         NULL},
                                 *const parts[] = {"CHG1 waits for bob\njitctl: \\x1bz\n", "By sudo  /bin/a b\n", NULL};
        char *args[] = {(char *) "CHG1", NULL};

        check_all("elevate", false, args, &wait, answers, 0, parts);
        CHECK(was_called_with("\"wait\":true"));
        CHECK(was_called_with("\"more\":true"));
        check_answer("elevate", false, "CHG1", answers[0], 3, "does not speak Varlink");
}

TEST(elevate_says_why_not) {
        static const char *const codes[] = {
                        "caller-unknown",    "caller-mismatch", "transient-caller", "already-root",
                        "already-elevated",  "not-elevated",    "way-not-allowed",  "target-not-allowed",
                        "ticket-needed",     "not-needed",      "no-session",       "session-unknown",
                        "recording-missing", "dropped",         "ticket-used",      "no-space"};

        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                char answer[256], wanted[64];

                (void) snprintf(answer, sizeof(answer),
                                "{\"error\":\"io.pamjit.Reaper.Refused\",\"parameters\":{\"reason\":\"%s\","
                                "\"message\":\"no\"}}",
                                codes[i]);
                (void) snprintf(wanted, sizeof(wanted), "jitctl: refused: no (%s)\nMeans  ", codes[i]);
                check_answer("elevate", false, "CHG1", answer, 1, wanted);
        }
        check_answer("elevate", false, "CHG1",
                     ERROR("io.pamjit.Reaper.Refused", "{\"reason\":\"x\",\"message\":\"no\"}"), 1,
                     "jitctl: refused: no (x)\n");
        check_answer("elevate", false, "CHG1",
                     ERROR("io.pamjit.Reaper.TryAgain", "{\"reason\":\"try-again\",\"message\":\"busy\"}"), 3,
                     "not now: busy (try-again)\nMeans  ");
        check_answer("elevate", false, "CHG1", "", 3, "hung up");
}

TEST(drop) {
        check_answer("drop", false, NULL, "{\"parameters\":{\"revoked\":[\"alice\"]}}", 0,
                     "alice is elevated no more: the sudo rule is gone, and what ran by it is dead\nafter ");
        check_answer("drop", true, NULL, "{\"parameters\":{\"revoked\":[\"alice\"]}}", 0, "\"revoked\": [");
        check_answer("drop", false, NULL, ERROR("io.pamjit.Reaper.NoSuchGrant", "{\"grant\":\"1000\"}"), 1,
                     "jitctl: nothing to drop: ");
        check_answer("drop", false, NULL, ERROR(VARLINK_ERROR_PERMISSION_DENIED, "{}"), 4, "not permitted");
        check_answer("drop", false, NULL, "{\"parameters\":{\"revoked\":\"all\"}}", 1, "member \"revoked\"");
}

TEST(json_is_what_was_said) {
        check_answer("list", true, NULL, "{\"parameters\":{\"z\":1,\"grants\":[]}}", 0,
                     "{\n  \"grants\": [],\n  \"z\": 1\n}\n");
}

TEST(answers_are_checked_and_escaped) {
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":[{\"id\":\"x\"}]}}", 1, "member \"account\"");
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":{}}}", 1, "member \"grants\"");
        check_answer("list", false, NULL, ERROR("evil.\\u001b[2J", "{}"), 3, "");
        check_answer("explain", false, "CHG1",
                     "{\"parameters\":{\"verdict\":{\"decision\":\"\\u001b[2J\"},\"inputs\":{}}}", 1, "\\x1b[2J");
}

TEST(teardown) {
        remove_folder();
}

TEST_MAIN
