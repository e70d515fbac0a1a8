/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_INPUT_H
#define JIT_INPUT_H

/* Files that the caller names, and what the caller types. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

/* The whole file, or stdin for "-", NUL-ended; free(). Symlinks are followed: it is the caller's own errand. -EFBIG for
 * more than max bytes, -EBADMSG for a NUL byte inside. */
int input_read(const char *path, size_t max, char **ret);
/* Writes j as a document for people and version control: indented, sorted, one newline at the end. NULL or "-": stdout.
 */
int output_document(const char *path, const json_t *j);
/* "now", "+SPAN" from now, or RFC 3339 in UTC (seconds may be left out). -EINVAL. */
int input_time(const char *text, uint64_t now_realtime_usec, uint64_t *ret);
/* Asks on the terminal; true at once when stdin or stderr is none. */
bool input_confirm(const char *question);
/* The caller's login name by the kernel's idea of who that is; NULL if it has none. free(). */
char *caller_name(void);

#endif
