/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_REASON_HINT_H
#define JIT_REASON_HINT_H

/* What a verdict's reason code means, and what to do about it. */

#include "table.h"

/* Adds the rows "Means" and "Do" to t, if the reason is one that we know. provider: a file's name in providers.d,
 * "signed", or NULL when nobody says. ticket: for the advice to test its provider, NULL: that was just done. */
void reason_hint_show(Table *t, const char *reason, const char *provider, const char *ticket);

#endif
