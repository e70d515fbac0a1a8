/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_DEADLINE_GUARD_H
#define JIT_DEADLINE_GUARD_H

/* A deadline that holds without us: a transient timer of PID 1 that sends SIGKILL to all of user-UID.slice just after the grant's deadline.
 * RuntimeMaxSec of the session's scope is not enough: PID 1 asks with SIGTERM there and waits TimeoutStopSec (90 s) for what ignores it. */

#include "grant.h"

/* Both are asynchronous, idempotent, and report only to the journal. */
void deadline_guard_start(const Grant *g);
void deadline_guard_stop(const Grant *g);

#endif
