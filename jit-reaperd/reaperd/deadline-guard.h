/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_DEADLINE_GUARD_H
#define JIT_DEADLINE_GUARD_H

/* A deadline that holds without us: a transient timer of PID 1 that sends SIGKILL to all of the grant's slice at its deadline. RuntimeMaxSec of a
 * session's scope is not enough: PID 1 asks with SIGTERM there and waits TimeoutStopSec (90 s) for what ignores it; and that of ours is late by up
 * to 250 ms, which is what PID 1 takes for the accuracy of its own timers. */

#include "grant.h"

/* Both are asynchronous, idempotent, and report only to the journal. */
void deadline_guard_start(const Grant *g);
void deadline_guard_stop(const Grant *g);
/* Before the bus goes: what is still to be answered on it. */
void deadline_guard_forget_bus(Manager *m);

#endif
