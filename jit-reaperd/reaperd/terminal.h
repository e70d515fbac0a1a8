/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TERMINAL_H
#define JIT_TERMINAL_H

/* The pseudo-terminals that belong to an account: /dev/pts/N by owner. A terminal is looked at and written to, never read. */

#include "grant.h"

/* Called with a descriptor of /dev/pts, the terminal's name there, and its status. */
struct stat;
typedef void (*terminal_visit_t)(int pts_fd, const char *name, const struct stat *st, void *userdata);
void terminal_foreach(uid_t uid, terminal_visit_t visit, void *userdata);

/* A line on each of the account's terminals; returns how many took it. Never waits: a stopped terminal misses it. text must be clean (verdict.h,
 * or ours). */
unsigned terminal_tell(uid_t uid, const char *text);
void terminal_warn_if_due(Grant *g, uint64_t now_boottime_usec);

#endif
