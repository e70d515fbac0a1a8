/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_LIST_H
#define JIT_PROVIDER_LIST_H

/* The providers as jit-approverd has them. */

#include "jitctl.h"
#include "table.h"

/* What ListProviders answers. Returns a STATUS_; what is wrong is said on stderr, unless quiet. */
int providers_fetch(const Ctl *ctl, bool quiet, json_t **ret_reply);
/* The entry of that name, borrowed, or NULL. */
const json_t *providers_find(const json_t *reply, const char *name);
/* "ok", since when it does not answer, or why its file is not taken. Borrowed. */
const char *provider_state(const json_t *provider, Color *ret);
/* One row for each but "signed", which always answers, and one for comments that wait: for `jitctl status`. */
void providers_show(const json_t *reply, Table *t);

#endif
