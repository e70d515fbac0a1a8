/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TERMINAL_H
#define JIT_TERMINAL_H

/* The pseudo-terminals of a grant: those in /dev/pts that its account owns, and those that its scopes and elevations were opened on, whoever owns
 * them: su and sudo keep their caller's. Of a person's own account no others. A terminal is looked at and written to, never read. */

#include "grant.h"

/* Called with a descriptor of /dev/pts, the terminal's name there, and its status. */
struct stat;
typedef void (*terminal_visit_t)(int pts_fd, const char *name, const struct stat *st, void *userdata);
void terminal_foreach(const Grant *g, terminal_visit_t visit, void *userdata);
/* "pts/3" is "/dev/pts/3". */
bool terminal_is_same(const char *a, const char *b);

/* A line on each of them; returns how many took it. Never waits: a stopped terminal misses it. text must be clean (verdict.h, or ours). */
unsigned terminal_tell(const Grant *g, const char *text);
void terminal_warn_if_due(Grant *g, uint64_t now_boottime_usec);

#endif
