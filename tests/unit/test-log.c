/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "log.h"
#include "test.h"

static int saved_stderr, log_pipe[2];

static void capture_begin(void) {
        (void) unsetenv("JOURNAL_STREAM");
        saved_stderr = dup(STDERR_FILENO);
        if (saved_stderr < 0 || pipe2(log_pipe, O_CLOEXEC) < 0 || dup2(log_pipe[1], STDERR_FILENO) < 0)
                abort();
}

/* What was logged; static. */
static const char *capture_end(void) {
        static char text[32768];

        (void) dup2(saved_stderr, STDERR_FILENO);
        (void) close(saved_stderr);
        (void) close(log_pipe[1]);
        ssize_t n = read(log_pipe[0], text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        (void) close(log_pipe[0]);
        return text;
}

TEST(text_and_fields) {
        capture_begin();
        log_fields(LOG_INFO, (const char *const[]){"JIT_TICKET=CHG1", "JIT_REASON=too-late", NULL}, "%s is %d", "x", 7);
        log_error("plain");
        const char *text = capture_end();
        CHECK(strstr(text, ": x is 7 (JIT_TICKET=CHG1, JIT_REASON=too-late)\n") != NULL);
        CHECK(strstr(text, ": plain\n") != NULL);
}

/* A stranger's name in a message makes no second line, no field, and no terminal escape. */
TEST(control_characters_are_escaped) {
        capture_begin();
        log_fields(LOG_INFO, (const char *const[]){"JIT_ACCOUNT=a\nPRIORITY=0\x7f", NULL}, "%s",
                   "\x1b]0;title\a\r\n\xc2\x9b"
                   "31m \xc3\xa4");
        const char *text = capture_end();
        CHECK(strchr(text, '\n') == text + strlen(text) - 1);
        CHECK(strpbrk(text, "\x1b\a\r\x7f") == NULL);
        CHECK(strstr(text, "\\x1b]0;title\\x07\\x0d\\x0a\\xc2") != NULL);
        CHECK(strstr(text, "JIT_ACCOUNT=a\\x0aPRIORITY=0\\x7f") != NULL);
        CHECK(strstr(text, "\xc3\xa4") != NULL);
}

TEST(long_messages_are_cut) {
        static char big[100000], field[100000] = "JIT_X=";

        memset(big, '\n', sizeof(big) - 1);
        memset(field + 6, 'y', sizeof(field) - 7);
        capture_begin();
        log_fields(LOG_INFO, (const char *const[]){field, field, NULL}, "%s", big);
        const char *text = capture_end();
        CHECK(strlen(text) <= 8192);
        CHECK(strchr(text, '\n') == text + strlen(text) - 1);
}

TEST(errno_is_kept_and_shown) {
        capture_begin();
        errno = ENOSPC;
        log_warning("%m");
        int after = errno;
        const char *text = capture_end();
        CHECK_EQ_INT(after, ENOSPC);
        CHECK(strstr(text, strerror(ENOSPC)) != NULL);
}

TEST(debug_is_asked_for) {
        (void) unsetenv("SYSTEMD_LOG_LEVEL");
        capture_begin();
        log_debug("quiet");
        (void) setenv("SYSTEMD_LOG_LEVEL", "debug", 1);
        log_debug("loud");
        (void) unsetenv("SYSTEMD_LOG_LEVEL");
        const char *text = capture_end();
        CHECK(strstr(text, "quiet") == NULL);
        CHECK(strstr(text, "loud") != NULL);
}

TEST_MAIN
