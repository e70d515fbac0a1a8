/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_JSON_LAYOUT_H
#define JIT_JSON_LAYOUT_H

/* JSON for people: on many lines, as it was written and not as a parser understood it, because what is wrong with it
 * may be what is looked for (a member twice, half of it, another form of a number). */

#include <jansson.h>
#include <stddef.h>

/* A string's text, laid out if it is an object or array by its first character, else in its own lines; any other value
 * as JSON. Cut to so many lines, each to a sane length, with a last line that says so. free(); NULL without memory. */
char *json_layout(const json_t *j, size_t lines_max);

#endif
