/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_JQ_PROGRAM_H
#define JIT_JQ_PROGRAM_H

/* jq programs of the administrator's, compiled once. Their author is trusted (the files are root's); their input is not,
 * but is bounded, and a run that takes too much processor time is stopped.
 *
 * MUST: take a run that failed, gave no output or several as a failure, never as a value. */

#include <jansson.h>
#include <stddef.h>

#include "cleanup.h"
#include "timefmt.h"

enum {
        JQ_TEXT_MAX = 64 * 1024,         /* bytes of a program */
        JQ_OUTPUT_MAX = 1024 * 1024,     /* bytes of an output, as text */
        JQ_WHY_MAX = 512,
};
#define JQ_TIME_MAX_USEC (250 * USEC_PER_MSEC) /* of processor time, for one run */

typedef struct JqProgram JqProgram;

/* One program of a process runs at a time (the clock is a signal, SIGVTALRM). No modules, no ~/.jq, no environment that
 * matters. -EBADMSG and ret_why (JQ_WHY_MAX bytes) if it does not compile; -ENOMEM. */
int jq_program_new(const char *text, JqProgram **ret, char *ret_why);
JqProgram *jq_program_free(JqProgram *p);
DEFINE_CLEANUP(JqProgram, jq_program_free);
/* folder/name, which must be root's (or ours); ret_why names the file. -ENOENT: it is not there. */
int jq_program_load(const char *folder, const char *name, JqProgram **ret, char *ret_why);

/* The one output (any JSON value; a new reference). input: at most max bytes as text. -EBADMSG and ret_why (JQ_WHY_MAX
 * bytes, one line): it failed, gave none or several, took too long, or input or output is too long; -ENOMEM. */
int jq_program_run(JqProgram *p, const json_t *input, size_t max, json_t **ret, char *ret_why);

#endif
