/* SPDX-License-Identifier: Apache-2.0 */

/* Every answer to Authorize but a clear yes, and none at all. */

#include "fixture.h"
#include "test.h"

#define ANSWER(parameters) "{\"parameters\":{" parameters "}}"
#define YES                                                                                                            \
        ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"CHG1 approved by "                                \
               "bob\",\"until\":1795356000000000")
#define NO(reason) ANSWER("\"allow\":false,\"reason\":\"" reason "\",\"message\":\"CHG1 waits for approval\"")
#define ERROR(name)                                                                                                    \
        "{\"error\":\"" name "\",\"parameters\":{\"reason\":\"try-again\",\"message\":\"CHG1 is just ending\"}}"

static int ask(Fixture *f, const char *user, const Script *script, const char *arguments) {
        fixture_begin(f, user, script, arguments);
        return pam_acct_mgmt(f->pamh, 0);
}

static void check_answer_bytes(const char *text, size_t length, int code, const char *shown) {
        const Script script = {.authorize = {.text = text, .length = length}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, "jit-chg1", &script, NULL), code);
        CHECK(strstr(f.shown, shown) != NULL);
        CHECK_EQ_INT(f.messages, 1);
        CHECK_EQ_INT(f.reaper.seen->connections, 1);
        CHECK(strstr(fixture_log(), "refused jit-chg1") != NULL);
        for (const char *p = f.shown; *p; p++)
                CHECK((unsigned char) *p >= 0x20 || (*p == '\n' && !p[1]));
        fixture_end(&f);
}

#define REFUSED_TEST(name, answer, code, shown)                                                                        \
        TEST(name) {                                                                                                   \
                check_answer_bytes(answer, 0, code, shown);                                                            \
        }                                                                                                              \
        struct swallow_semicolon_##name
#define GARBAGE_TEST(name, answer)                                                                                     \
        REFUSED_TEST(name, answer, PAM_AUTHINFO_UNAVAIL, "pam_jit: the approval service gave no clear")

REFUSED_TEST(no_is_permission_denied, NO("ticket-pending"), PAM_PERM_DENIED, "pam_jit: CHG1 waits for approval\n");
REFUSED_TEST(no_with_an_unheard_of_reason, NO("moon-phase"), PAM_PERM_DENIED, "pam_jit: CHG1 waits");
REFUSED_TEST(too_late_is_account_expired, NO("too-late"), PAM_ACCT_EXPIRED, "pam_jit: CHG1 waits");
REFUSED_TEST(closed_is_account_expired, NO("ticket-closed"), PAM_ACCT_EXPIRED, "pam_jit: CHG1 waits");
REFUSED_TEST(unreachable_provider_is_unavailable, NO("provider-unreachable"), PAM_AUTHINFO_UNAVAIL,
             "pam_jit: CHG1 waits");
REFUSED_TEST(no_with_reason_approved, NO("approved"), PAM_PERM_DENIED, "pam_jit: CHG1 waits");
REFUSED_TEST(error_refused_is_a_no, ERROR("io.pamjit.Reaper.Refused"), PAM_AUTHINFO_UNAVAIL,
             "pam_jit: CHG1 is just ending\n");
REFUSED_TEST(error_try_again_is_a_no, ERROR("io.pamjit.Reaper.TryAgain"), PAM_AUTHINFO_UNAVAIL,
             "pam_jit: CHG1 is just ending\n");
REFUSED_TEST(format_characters_are_only_text,
             ANSWER("\"allow\":false,\"reason\":\"%n%s\",\"message\":\"%s%n%1000000d\""), PAM_PERM_DENIED,
             "pam_jit: %s%n%1000000d\n");
REFUSED_TEST(newlines_in_a_message_become_spaces, ANSWER("\"allow\":false,\"reason\":\"x\",\"message\":\"a\\nb\\tc\""),
             PAM_PERM_DENIED, "pam_jit: a b c\n");
REFUSED_TEST(reordering_characters_become_spaces,
             ANSWER("\"allow\":false,\"reason\":\"x\",\"message\":\"a\\u202eb\\u2066c\\u200bd \\u00e9\""),
             PAM_PERM_DENIED, "pam_jit: a b c d \xc3\xa9\n");
GARBAGE_TEST(error_of_another_kind_is_no_answer, ERROR("io.pamjit.Reaper.NoSuchGrant"));
GARBAGE_TEST(error_permission_denied_is_no_answer, "{\"error\":\"org.varlink.service.PermissionDenied\"}");
GARBAGE_TEST(error_beside_a_yes_is_no_answer,
             "{\"error\":\"x.y\",\"parameters\":{\"allow\":true,\"reason\":\"approved\",\"message\":\"m\"}}");
GARBAGE_TEST(garbage_is_no_answer, "SSH-2.0-OpenSSH_9.2\r\n");
GARBAGE_TEST(empty_message_is_no_answer, "");
GARBAGE_TEST(array_is_no_answer, "[{\"parameters\":{\"allow\":true}}]");
GARBAGE_TEST(empty_object_is_no_answer, "{}");
GARBAGE_TEST(allow_string_true_is_no_answer, ANSWER("\"allow\":\"true\",\"reason\":\"approved\",\"message\":\"m\""));
GARBAGE_TEST(allow_number_one_is_no_answer, ANSWER("\"allow\":1,\"reason\":\"approved\",\"message\":\"m\""));
GARBAGE_TEST(allow_null_is_no_answer, ANSWER("\"allow\":null,\"reason\":\"approved\",\"message\":\"m\""));
GARBAGE_TEST(allow_missing_is_no_answer, ANSWER("\"reason\":\"approved\",\"message\":\"m\""));
GARBAGE_TEST(allow_twice_is_no_answer,
             ANSWER("\"allow\":false,\"allow\":true,\"reason\":\"approved\",\"message\":\"m\""));
GARBAGE_TEST(message_missing_is_no_answer, ANSWER("\"allow\":true,\"reason\":\"approved\""));
GARBAGE_TEST(unknown_member_is_no_answer,
             ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"m\",\"sudo\":true"));
GARBAGE_TEST(allow_outside_parameters_is_no_answer, "{\"allow\":true,\"parameters\":{}}");
GARBAGE_TEST(until_negative_is_no_answer,
             ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"m\",\"until\":-1"));
GARBAGE_TEST(escape_sequence_is_no_answer,
             ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"\\u001b]0;owned\\u0007\\u001b[2J\""));
GARBAGE_TEST(eight_bit_escape_is_no_answer, ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"\\u009b2J\""));
GARBAGE_TEST(newline_in_a_reason_is_no_answer, ANSWER("\"allow\":true,\"reason\":\"a\\nb\",\"message\":\"m\""));
GARBAGE_TEST(escaped_nul_is_no_answer, ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"a\\u0000b\""));
GARBAGE_TEST(broken_utf8_is_no_answer, ANSWER("\"allow\":true,\"reason\":\"approved\",\"message\":\"\xc3\x28\""));

TEST(nul_in_the_middle_is_no_answer) {
        static const char text[] = "{\"parameters\":{\"allow\":true,\0\"reason\":\"approved\",\"message\":\"m\"}}";

        check_answer_bytes(text, sizeof(text), PAM_AUTHINFO_UNAVAIL, "gave no clear answer");
}

TEST(deep_nesting_is_no_answer) {
        enum { DEPTH = 100000 };
        char *text = malloc(DEPTH + 1);

        memset(text, '[', DEPTH);
        text[DEPTH] = 0;
        memcpy(text, "{\"a\":", 5);
        check_answer_bytes(text, 0, PAM_AUTHINFO_UNAVAIL, "gave no clear answer");
        free(text);
}

static void check_long_message(size_t message, const char *allow, int code, size_t shown_max) {
        size_t size = message + 200;
        char *text = malloc(size);
        Script script = {.authorize = {.text = text}};
        size_t used = (size_t) snprintf(text, size, "{\"parameters\":{\"allow\":%s,\"reason\":\"x\",\"message\":\"",
                                        allow);
        Fixture f;

        memset(text + used, 'm', message);
        memcpy(text + used + message, "\"}}", 4);
        CHECK_EQ_INT(ask(&f, "jit-chg1", &script, NULL), code);
        CHECK(strlen(f.shown) <= shown_max);
        fixture_end(&f);
        free(text);
}

TEST(long_message_is_shown_up_to_a_kibibyte) {
        check_long_message(5000, "false", PAM_PERM_DENIED, 1024 + strlen("pam_jit: \n"));
        check_long_message(5000, "true", PAM_SUCCESS, 1024 + strlen("pam_jit: \n"));
}

TEST(megabyte_answer_is_no_answer) {
        check_long_message(1000 * 1000, "true", PAM_AUTHINFO_UNAVAIL, 200);
        check_long_message(8 * 1024 * 1024, "true", PAM_AUTHINFO_UNAVAIL, 200);
}

/* ---- no verdict in time ---- */

static void check_unreachable(const Script *script, const char *arguments, uint64_t least_msec, uint64_t most_msec) {
        Fixture f;
        uint64_t start, took;

        fixture_begin(&f, "jit-chg1", script, arguments);
        start = clock_msec();
        CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_AUTHINFO_UNAVAIL);
        took = clock_msec() - start;
        if (took < least_msec || took > most_msec)
                TEST_FAIL("took %" PRIu64 " ms", took);
        CHECK(strstr(f.shown, "pam_jit: the approval service does not answer; try again") != NULL);
        CHECK(strstr(fixture_log(), "refused jit-chg1") != NULL);
        fixture_end(&f);
}

/* The deadline holds within a tenth; a debugger or emulator around the test (PAM_TEST_SLOW) gets more. */
static uint64_t most(uint64_t msec) {
        return getenv("PAM_TEST_SLOW") ? msec * 3 : msec + msec / 10;
}

TEST(absent_reaper_is_refused_at_once) {
        check_unreachable(NULL, "timeout=20", 0, most(500));
}

TEST(reaper_that_hangs_up_is_refused_at_once) {
        static const Script script = {.authorize = {.hang_up = true}};

        check_unreachable(&script, "timeout=20", 0, most(500));
}

TEST(half_an_answer_is_refused) {
        static const Script script = {.authorize = {.text = YES, .length = sizeof(YES) - 1, .hang_up = true}};

        check_unreachable(&script, "timeout=20", 0, most(500));
}

TEST(silent_reaper_is_refused_at_the_deadline) {
        static const Script script = {};

        check_unreachable(&script, "timeout=1", 1000, most(1000));
        check_unreachable(&script, "timeout=2", 2000, most(2000));
}

TEST(yes_without_its_end_is_refused_at_the_deadline) {
        static const Script script = {.authorize = {.text = YES, .length = sizeof(YES) - 1}};

        check_unreachable(&script, "timeout=1", 1000, most(1000));
}

TEST(dripping_reaper_is_refused_at_the_deadline) {
        static const Script script = {.authorize = {.text = YES, .drip_msec = 50}};

        check_unreachable(&script, "timeout=1", 1000, most(1000));
}

TEST(reaper_with_a_full_backlog_is_refused_at_the_deadline) {
        static const Script script = {.deaf = true};

        check_unreachable(&script, "timeout=1", 1000, most(1000));
}

TEST(slow_yes_within_the_deadline_is_a_yes) {
        static const Script script = {.authorize = {.text = YES, .drip_msec = 3}};
        Fixture f;

        CHECK_EQ_INT(ask(&f, "jit-chg1", &script, "timeout=20"), PAM_SUCCESS);
        fixture_end(&f);
}

TEST_MAIN
