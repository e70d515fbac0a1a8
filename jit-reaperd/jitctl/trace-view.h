/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TRACE_VIEW_H
#define JIT_TRACE_VIEW_H

/* What TestProvider tells of one question to a ticket system, for people: {"requests": [{"name", "method", "url",
 * "headers", "body", "status", "took_usec", "attempts", "answer", "error"}], "input", "approval", "error"}. Any member
 * may be missing. Bodies, answers, the program's input and its output may be JSON texts. jit-approverd has masked the
 * secrets; all text in it is the ticket system's. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* -ENOMEM, -EIO. */
int trace_print(const json_t *trace, FILE *f, bool colors);

#endif
