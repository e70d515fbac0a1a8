/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_VERDICT_MESSAGE_H
#define JIT_VERDICT_MESSAGE_H

#include "verdict.h"

/* The sentence for reason: one line, at most VERDICT_MESSAGE_MAX bytes; free(). NULL: no memory. */
char *verdict_message(const VerdictInput *in, const char *reason);

#endif
