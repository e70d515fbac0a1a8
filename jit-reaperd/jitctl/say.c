/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>

#include "cleanup.h"
#include "say.h"
#include "text.h"

__attribute__((format(printf, 3, 0))) static void print_escaped(FILE *f, const char *prefix, const char *format,
                                                                va_list ap) {
        _cleanup_free_ char *text = NULL, *escaped = NULL;

        if (vasprintf(&text, format, ap) < 0) {
                text = NULL;
                return;
        }
        escaped = text_escape(text);
        fprintf(f, "%s%s\n", prefix, escaped ? escaped : "out of memory");
}

int say_error(int status, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        print_escaped(stderr, "jitctl: ", format, ap);
        va_end(ap);
        return status;
}

int say_no_memory(void) {
        return say_error(STATUS_NO, "out of memory");
}

void say_warning(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        print_escaped(stderr, "jitctl: ", format, ap);
        va_end(ap);
}

void say_hint(const char *format, ...) {
        va_list ap;

        if (!isatty(STDERR_FILENO))
                return;
        va_start(ap, format);
        print_escaped(stderr, "", format, ap);
        va_end(ap);
}

void say_line(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        print_escaped(stdout, "", format, ap);
        va_end(ap);
}

int say_json(const json_t *j) {
        size_t flags = JSON_SORT_KEYS | JSON_INDENT(2) | JSON_ENCODE_ANY;
        _cleanup_free_ char *text = json_dumps(j, flags | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0));

        if (!text)
                return say_no_memory();
        puts(text);
        return STATUS_OK;
}
