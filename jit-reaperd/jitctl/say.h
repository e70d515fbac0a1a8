/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SAY_H
#define JIT_SAY_H

/* What jitctl says outside of tables. Everything is escaped (text.h). */

#include <jansson.h>

/* jitctl(1), EXIT STATUS */
enum {
        STATUS_OK = 0,
        STATUS_NO = 1,          /* the answer is no */
        STATUS_USAGE = 2,       /* the command line is wrong */
        STATUS_UNREACHABLE = 3, /* a service does not answer */
        STATUS_FORBIDDEN = 4,   /* not for this caller */
};

/* "jitctl: ..." on stderr, escaped; returns status, so that callers can `return say_error(STATUS_NO, ...)`. */
int say_error(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
int say_no_memory(void);
/* As say_error(), without a status: a remark on stderr. */
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A next step, only when stderr is a terminal. */
void say_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line on stdout, escaped. */
void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The value with sorted keys, indented; ASCII only when stdout is a terminal, so that nothing in it can steer one. */
int say_json(const json_t *j);

#endif
