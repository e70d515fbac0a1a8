/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_QUESTION_MEMORY_H
#define JIT_QUESTION_MEMORY_H

/* What an earlier question brought, so that the same answers need neither parser nor jq again: of a thousand live
 * grants asked about every few seconds, nearly all are as they were. */

#include "approval-record.h"
#include "provider-file.h"

enum { MEMORY_DIGEST_SIZE = 32 }; /* SHA-256 */

typedef struct QuestionMemory {
        unsigned n_refs;
        size_t n;                                /* digests */
        unsigned char begin[MEMORY_DIGEST_SIZE]; /* of this host's names, which programs see too */
        unsigned char digests[PROVIDER_REQUESTS_MAX][MEMORY_DIGEST_SIZE]; /* of the i-th answer and all before it */
        json_t *values;
        ApprovalRecord *record;
        size_t size; /* about, in bytes */
} QuestionMemory;

/* -EIO, -ENOMEM. */
int question_memory_new(char *const *host_names, QuestionMemory **ret);
QuestionMemory *question_memory_ref(QuestionMemory *m);
QuestionMemory *question_memory_unref(QuestionMemory *m);

typedef struct AnswerText {
        char *text; /* NULL: null */
        size_t length;
} AnswerText;

/* Adds the next digest: of the n texts that one request's answers were. -EIO, -ENOMEM. */
int question_memory_add(QuestionMemory *m, const AnswerText *const *texts, size_t n);
/* Whether the last digest of m is the one that old has in its place. */
bool question_memory_follows(const QuestionMemory *m, const QuestionMemory *old);
/* Fills it up: output is what the program gave. */
void question_memory_keep(QuestionMemory *m, json_t *values, ApprovalRecord *record, const json_t *output);

#endif
