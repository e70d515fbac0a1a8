/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GRANT_LOG_H
#define JIT_GRANT_LOG_H

#include "grant.h"
#include "log.h"

/* A line in the journal with the grant's fields: JIT_GRANT, JIT_TICKET, JIT_ACCOUNT, JIT_REQUESTER, JIT_ROLE, JIT_REASON. */
void grant_log(const Grant *g, int priority, const char *reason, const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
