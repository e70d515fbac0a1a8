/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SCOPE_H
#define JIT_SCOPE_H

/* A process with all its descendants in a scope of PID 1's, below its grant's slice (systemd.scope(5)): what calls setsid(2), forks twice or changes
 * its user stays in it. PID 1 kills it at the deadline without our help (RuntimeMaxSec= and the timer of deadline-guard.h).
 *
 * A process of another user than root cannot leave it. One of root's can ask PID 1 for another unit: that is residue. */

#include "grant.h"

typedef struct Scope Scope;
struct Session;

/* r: 0: the process is in it; else -errno (-ETIMEDOUT, -ESRCH: it is gone, -EIO: PID 1 refused), and there is no scope. */
typedef void (*scope_started_t)(struct Session *s, int r, void *userdata);

enum { SCOPE_UNIT_SIZE = 48 };

/* Asks PID 1 (StartTransientUnit: Slice=, PIDs=, Description=, RuntimeMaxUSec= to the deadline, KillSignal=SIGKILL, CollectMode=inactive-or-failed,
 * the role's MemoryMax= and TasksMax=) and waits for its job (JobRemoved) on the loop, for 5 s at most. The unit is jit-ID-PID.scope. started() is
 * called once, later; never after scope_free(). userdata is not NULL. */
int scope_start(struct Session *s, scope_started_t started, void *userdata, Scope **ret);
/* What scope_start() was given to be told, until it is told; then NULL. */
void *scope_starting(const Scope *c);
/* PID 1 is waited for no longer: started() is called now, with r < 0. c may be gone after it. */
void scope_give_up(Scope *c, int r);
/* After a restart of ours. -ESRCH: there is no such cgroup, or it is empty. */
int scope_resume(struct Session *s, Scope **ret);
/* SIGKILL to everything in it, in one go (cgroup.kill). */
int scope_kill(Scope *c);
/* jit-ID-PID.scope: known before it is there, and after. */
const char *scope_unit(const struct Session *s, char ret[static SCOPE_UNIT_SIZE]);
/* Stops watching; kills nothing. */
Scope *scope_free(Scope *c);
/* The cgroup has become empty: session_end() is called. */

#endif
