/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_EXPLAIN_VIEW_H
#define JIT_EXPLAIN_VIEW_H

/* A verdict of jit-approverd, with the inputs of the decision where they are known, for people. Every member is shown:
 * those that this jitctl knows by name in sentences, the others as they are. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* ticket: as it was asked for. inputs may be NULL. tested: the provider that was just tested, NULL: it was not.
 * -ENOMEM, -EIO. */
int explain_print(const json_t *verdict, const json_t *inputs, const char *ticket, const char *tested, FILE *f,
                  bool colors);
/* Whether the decision is "allow". */
bool verdict_is_yes(const json_t *verdict);

#endif
