/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_QUESTION_INPUT_H
#define JIT_QUESTION_INPUT_H

/* What a question's templates and programs work on.
 *
 * MUST: let nothing but a string that template_value_is_valid() out of an answer into a template. */

#include <jansson.h>

#include "provider-file.h"

enum { INPUT_TEXTS_MAX = 2 + PROVIDER_CAPTURES_MAX + PROVIDER_REQUESTS_MAX * PROVIDER_VALUES_MAX + 1 + 1 };

/* {"ticket", "match", "host", "now"} and extra's members (extra may be NULL, and so may match). NULL: no memory. */
json_t *question_input_new(const ProviderMatch *match, char *const *host_names, const json_t *extra);

/* The template values of an input: ticket, 1 to 9, host, and those of "values" that are strings. each, if not NULL, is
 * one more. Borrowed from input and match. ret ends with a NULL name. */
void question_texts(const json_t *input, const ProviderMatch *match, const char *each, const char *each_value,
                    TemplateValue ret[static INPUT_TEXTS_MAX]);

/* Whether r's templates use a value that no answer gave. */
bool question_lacks(const ProviderRequest *r, const json_t *values);

/* Runs r's Value= programs over answer and puts what they give into values; null is left out. -EBADMSG and ret_why
 * (SEND_WHY_MAX bytes), -ENOMEM. */
int question_values(const ProviderRequest *r, const json_t *answer, size_t max, json_t *values, char *ret_why);

#endif
