/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_MEMBER_H
#define JIT_MEMBER_H

/* Members of JSON that a daemon only describes to people, and may describe in more words than this jitctl knows: a
 * member that is not there, or is of another type, is nothing. Nothing is decided by them.
 *
 * MUST: text passes through a table or say.h on its way to a terminal. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

const char *member_text(const json_t *object, const char *name); /* borrowed; NULL also for the empty string */
bool member_uint(const json_t *object, const char *name, uint64_t *ret);
/* Looks once: the member is taken out of object, which the caller owns, and what remains has not been looked at. */
json_t *member_take(json_t *object, const char *name); /* a new reference, or NULL */

#endif
