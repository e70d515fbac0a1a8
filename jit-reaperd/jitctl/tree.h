/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TREE_H
#define JIT_TREE_H

/* JSON whose members are not known in advance, as names and values. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "table.h"

/* Adds j to t, one row a value: members of members are named "a.b", values of an array stand below each other. null,
 * and empty arrays and objects, are left out. Integers whose name says that they are a time (...USec, notBefore,
 * notAfter, since, until and the like) are shown as one. */
void tree_show(Table *t, const char *name, const json_t *j);
/* A time, as RFC 3339 text or in microseconds since 1970. */
bool tree_usec(const json_t *j, uint64_t *ret);

#endif
