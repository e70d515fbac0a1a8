/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_QUESTION_TRACE_H
#define JIT_QUESTION_TRACE_H

/* What `jitctl provider test` shows. Its reader is root at a terminal, and it travels in one Varlink message.
 *
 * MUST NOT: hold a login header's value, or a character that a terminal obeys. */

#include <jansson.h>
#include <stddef.h>

#include "http-send.h"

enum {
        TRACE_TEXT_MAX = 16 * 1024,  /* bytes of one text */
        TRACE_TOTAL_MAX = 80 * 1024, /* of all texts of a trace: escaped they are at most twice as long */
};

/* text made plain and cut; where secret (may be NULL) stands in it, "***". NULL: no memory. */
json_t *trace_text(const char *text, size_t length, size_t max, const char *secret);
/* One request as it goes out. headers: with the login's, which is recognised by its being login (may be NULL). */
json_t *trace_request(const ProviderRequest *r, const char *url, char *const *headers, const char *login,
                      const char *body);
/* How it ended. why may be NULL. secret: see trace_text(). */
void trace_answer(json_t *request, const HttpAnswer *answer, const char *why, const char *secret);
/* The whole: {"requests", "input", "approval", "error"}, with texts cut until they fit into TRACE_TOTAL_MAX. requests
 * and approval (may be NULL): borrowed, and may become part of it. as_text: approval is not what it should be. NULL: no
 * memory. */
json_t *trace_question(json_t *requests, const json_t *input, json_t *approval, bool as_text, const char *why,
                       const char *secret);

#endif
