/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

/* The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram of "FIELD=value\n" lines. Own code,
 * as sd_journal_sendv(3) blocks while journald is slow, and nothing in our daemons may wait. */

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
enum { LOG_TEXT_MAX = 8192 };

typedef struct LogText {
        char text[LOG_TEXT_MAX];
        size_t length;
} LogText;

/* Values come from strangers in part: no line breaks, which would make fields, no terminal escapes (C0, DEL, and C1 as
 * UTF-8). What does not fit is left out. */
static void log_text_add_escaped(LogText *t, const char *s) {
        static const char hex[] = "0123456789abcdef";

        for (; *s; s++) {
                unsigned char c = (unsigned char) *s, next = (unsigned char) s[1];
                bool escape = c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0);

                if (t->length + (escape ? 4 : 1) > sizeof(t->text) - 1) /* keeps room for the newline */
                        return;
                if (escape) {
                        t->text[t->length++] = '\\';
                        t->text[t->length++] = 'x';
                        t->text[t->length++] = hex[c >> 4];
                        t->text[t->length++] = hex[c & 15];
                } else
                        t->text[t->length++] = *s;
        }
}

static void log_text_add_line_end(LogText *t) {
        if (t->length < sizeof(t->text))
                t->text[t->length++] = '\n';
}

/* systemd.exec(5) $JOURNAL_STREAM: device and inode of the stream that systemd connected; another redirection makes
 * them differ. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char ours[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        (void) snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        return streq(stream, ours);
}

/* Whether journald has it, or has no room for it just now, and it is dropped. */
static bool log_to_journal(int priority, const char *const *fields, const char *message) {
        static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
        static int fd = -1;
        const char number[] = {(char) ('0' + LOG_PRI(priority)), '\0'};
        LogText t = {};

        if (fd < 0) {
                int size = 1024 * 1024;

                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                if (fd < 0)
                        return false;
                (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
                                  sizeof(size)); /* ignoring: a smaller one does too */
        }

        log_text_add_escaped(&t, "PRIORITY=");
        log_text_add_escaped(&t, number);
        log_text_add_line_end(&t);
        log_text_add_escaped(&t, "SYSLOG_IDENTIFIER=");
        log_text_add_escaped(&t, program_invocation_short_name);
        log_text_add_line_end(&t);
        /* The fields first: if something has to be cut, then the sentence. */
        for (; fields && *fields; fields++) {
                log_text_add_escaped(&t, *fields);
                log_text_add_line_end(&t);
        }
        log_text_add_escaped(&t, "MESSAGE=");
        log_text_add_escaped(&t, message);
        log_text_add_line_end(&t);

        ssize_t n;
        do
                n = sendto(fd, t.text, t.length, MSG_NOSIGNAL, (const struct sockaddr *) &address, sizeof(address));
        while (n < 0 && errno == EINTR);
        return n >= 0 || errno == EAGAIN || errno == ENOBUFS;
}

static void log_to_stderr(const char *const *fields, const char *message) {
        LogText t = {};

        log_text_add_escaped(&t, program_invocation_short_name);
        log_text_add_escaped(&t, ": ");
        log_text_add_escaped(&t, message);
        for (size_t i = 0; fields && fields[i]; i++) {
                log_text_add_escaped(&t, i == 0 ? " (" : ", ");
                log_text_add_escaped(&t, fields[i]);
                if (!fields[i + 1])
                        log_text_add_escaped(&t, ")");
        }
        log_text_add_line_end(&t);

        ssize_t n;
        do
                n = write(STDERR_FILENO, t.text, t.length);
        while (n < 0 && errno == EINTR);
}

static bool debug_is_wanted(void) {
        const char *level = getenv("SYSTEMD_LOG_LEVEL");

        return level && (streq(level, "debug") || streq(level, "7"));
}

void log_fields(int priority, const char *const *fields, const char *format, ...) {
        char message[LOG_TEXT_MAX / 2];
        int saved = errno;
        va_list ap;

        if (LOG_PRI(priority) == LOG_DEBUG && !debug_is_wanted())
                return;

        va_start(ap, format);
        errno = saved; /* for %m */
        if (vsnprintf(message, sizeof(message), format, ap) < 0)
                message[0] = '\0';
        va_end(ap);

        if (!stderr_is_journal() || !log_to_journal(priority, fields, message))
                log_to_stderr(fields, message);
        errno = saved;
}
