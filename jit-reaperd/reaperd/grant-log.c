/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stdio.h>

#include "grant-log.h"

enum { N_FIELDS = 6, FIELD_MAX = 80 };

void grant_log(const Grant *g, int priority, const char *reason, const char *format, ...) {
        const char *const values[N_FIELDS][2] = {
                {"JIT_GRANT", g->id},       {"JIT_TICKET", g->ticket},   {"JIT_ACCOUNT", grant_user(g)},
                {"JIT_REQUESTER", g->requester}, {"JIT_ROLE", g->role ?: ""}, {"JIT_REASON", reason},
        };
        char fields[N_FIELDS][FIELD_MAX], message[1024];
        const char *pointers[N_FIELDS + 1] = {};
        va_list ap;

        for (unsigned i = 0; i < N_FIELDS; i++) {
                (void) snprintf(fields[i], FIELD_MAX, "%s=%s", values[i][0], values[i][1]);
                pointers[i] = fields[i];
        }
        va_start(ap, format);
        (void) vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        log_fields(priority, pointers, "%s", message);
}
