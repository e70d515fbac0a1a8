/* SPDX-License-Identifier: Apache-2.0 */

/* jitctl's verbs against a daemon that says one prepared thing: what a person gets to read, and the exit status of
 * jitctl(1). */

#include "test-jitctl.h"

#define GRANT                                                                                                          \
        "{\"id\":\"g1\",\"account\":\"jit-chg1\",\"uid\":70000,\"state\":\"active\",\"ticket\":\"CHG1\",\"title\":"    \
        "\"t\","                                                                                                       \
        "\"requester\":\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\"],\"since\":1,\"until\":2,\"sessions\":[{"     \
        "\"id\":\"5\","                                                                                                \
        "\"service\":\"sshd\",\"rhost\":\"::1\",\"tty\":\"ssh\",\"pid\":7,\"since\":1}]}"

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
                     "busy (try-again); try again");
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
                     "jit-chg1  active  alice  CHG1  dba  1  now\n");
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
