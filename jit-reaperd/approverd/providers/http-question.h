/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_HTTP_QUESTION_H
#define JIT_HTTP_QUESTION_H

/* One question to a ticket system: the file's requests one after the other, each with the values that earlier answers
 * gave, then the jq program over all answers, then the canonical approval. One total deadline.
 *
 * What every jq program of the file gets ("the question"):
 *   {"ticket": "CHG0012345", "match": ["CHG0012345", ...captures], "host": {"names": [...]}, "now": SECONDS,
 *    "answers": {"REQUEST": JSON, or null, or a list for ForEach=}, "values": {"NAME": "..." or [...]},
 *    "context": {"account", "person", "phase", "service", "rhost", "tty", "nonce"}     with Context=yes only
 *    "input": {...}                                                                     in Kind=policy only
 *    "event": {...}                                                                     in [Comment] only (outbox.h)
 *    "new": {...}, "person": "alice"                                                    in [Create] only}
 * A Value= program gets the answer of its request alone. */

#include "approval-record.h"
#include "http-send.h"
#include "jws.h"
#include "provider-file.h"
#include "question-memory.h"

enum {
        QUESTION_INPUT_MAX = 2 * 1024 * 1024,  /* bytes of all answers to one question */
        QUESTIONS_HELD_MAX = 24 * 1024 * 1024, /* that wait for further answers, of all questions of a file */
        QUESTION_VALUE_BYTES = 100,            /* of memory for each JSON value */
};

typedef struct HttpQuestion HttpQuestion;

typedef struct QuestionSetup {
        sd_event *event;
        const ProviderFile *file;
        HttpServer *server;
        HttpLogin *login;
        const JwkSet *keys;         /* NULL: answers are not signed */
        const ProviderMatch *match; /* borrowed until http_question_new() returns; NULL: no ticket (Kind=policy) */
        const char *ticket;         /* lower case; NULL: what the program makes is no approval */
        bool no_program;            /* with no ticket: what the program would get is all that is wanted */
        char *const *host_names;    /* borrowed until then, as all that follows */
        json_t *extra;              /* members to be in the input: context, input ...; NULL */
        QuestionMemory *memory;     /* NULL */
        uint64_t deadline_usec;     /* CLOCK_BOOTTIME */
        size_t *held;               /* of QUESTIONS_HELD_MAX, outlives the question; NULL: not counted */
        bool urgent, trace;
} QuestionSetup;

typedef struct QuestionAnswer {
        ProviderResult result;
        ApprovalRecord *record; /* borrowed; PROVIDER_OK, with a ticket */
        json_t *output;         /* borrowed; PROVIDER_OK, without a ticket: the program's, or the question itself */
        QuestionMemory *memory; /* borrowed; PROVIDER_OK where an answer may be used again, else NULL */
        const char *why;        /* a sentence, unless OK */
        /* borrowed; NULL unless asked for: {"requests": [{"name", "method", "url", "headers": ["Authorization: ***"],
         * "body", "status", "took_usec", "attempts", "answer", "error"}], "input": TEXT, "approval": {...} or null,
         * "error"} */
        json_t *trace;
} QuestionAnswer;

/* Called once, never before http_question_new() has returned; the question is freed after it, not by it. */
typedef void (*question_done_t)(const QuestionAnswer *answer, void *userdata);
int http_question_new(const QuestionSetup *setup, question_done_t done, void *userdata, HttpQuestion **ret);
HttpQuestion *http_question_free(HttpQuestion *q); /* not answered */
DEFINE_CLEANUP(HttpQuestion, http_question_free);
/* A login waits for it now. */
void http_question_urgent(HttpQuestion *q);

/* http_provider_trace()'s. */
typedef void (*question_trace_t)(ProviderResult result, const ApprovalRecord *record, const char *why, json_t *trace,
                                 void *userdata);

#endif
