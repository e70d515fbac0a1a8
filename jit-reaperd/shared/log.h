/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LOG_H
#define JIT_LOG_H

/* To the journal with fields when stderr is connected to it, to stderr as text else. Each error is logged once, by the
 * outer layer. */

#include <syslog.h>

/* fields: "JIT_TICKET=CHG1", ... each a char *, ended by NULL; control characters in values are escaped. */
void log_fields(int priority, const char *const *fields, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define log_info(...) log_fields(LOG_INFO, NULL, __VA_ARGS__)
#define log_warning(...) log_fields(LOG_WARNING, NULL, __VA_ARGS__)
#define log_error(...) log_fields(LOG_ERR, NULL, __VA_ARGS__)
#define log_debug(...) log_fields(LOG_DEBUG, NULL, __VA_ARGS__)

#endif
