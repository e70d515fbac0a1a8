/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_JQ_JSON_H
#define JIT_JQ_JSON_H

/* jansson's values to libjq's and back, without a text in between, but counted as if there were one: what counts is
 * that a limit holds. */

#include <jansson.h>
#include <jq.h>
#include <stddef.h>

/* Every value of *ret is new, nothing is shared. -EMSGSIZE: more than max bytes; -ELOOP: nested too deeply. */
int jv_from_json(const json_t *j, size_t max, jv *ret);
/* Consumes value. Whole numbers become integers. -EMSGSIZE, -ELOOP, -EBADMSG (a number or a text that JSON cannot
 * hold), -ENOMEM. */
int json_from_jv(jv value, size_t max, json_t **ret);

/* Frees value, which jv_from_json() made, with all that is in it, whoever else seems to hold it. For jq 1.6 forgets
 * what it holds in places: the next element of an iteration that an error ends (execute.c, EACH), arguments of index()
 * and ltrimstr(). That may be most of an answer, each time that a ticket is asked. MUST: nothing that a program made of
 * value is used any more, its jq_state's stack included. */
void jv_reclaim(jv value);

#endif
