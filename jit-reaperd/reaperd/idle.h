/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_IDLE_H
#define JIT_IDLE_H

#include "grant.h"

/* When the grant will have been idle for limit_usec, CLOCK_BOOTTIME: counted from the last key pressed on any terminal of the grant (terminal.h). One
 * without a terminal (a file transfer, a tunnel) is at work as long as its session lives: then limit_usec from now. logind's IdleHint adds
 * nothing for ssh: sshd's session leader has no terminal that logind could look at (logind-session.c, session_get_idle_hint). */
uint64_t idle_due_usec(const Grant *g, uint64_t limit_usec);

#endif
