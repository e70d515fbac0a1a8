/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GATE_H
#define JIT_GATE_H

/* The argument "gate": in the account phase of sudo(8), su(1) and run0(1) for an account that is not ours, an approved
 * ticket is asked for. What it is good for is elevation_open()'s to ask.
 *
 * MUST: without a yes the answer is no, also where nobody can be asked for a ticket. */

#include "request.h"

/* Root itself: the host's own services, and whoever logged in as root. They are not asked about, so that nothing of the
 * host's stops with the daemon. Not for run0(1), which PID 1 starts: there everybody looks so, and the daemon has to
 * make out who it is. */
bool gate_caller_is_root(const Request *q);
/* PAM_SUCCESS: a ticket lets this process go on. PAM_IGNORE: it needs none (root itself, or inside a grant already),
 * which KEPT_NOT_NEEDED tells the session phase. Anything else: no, logged and said. */
int gate_authorize(Request *q);

#endif
