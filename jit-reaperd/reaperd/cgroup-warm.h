/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_CGROUP_WARM_H
#define JIT_CGROUP_WARM_H

/* The kernel lets a process into another cgroup only after a grace period of its own (8 to 16 ms where it was measured, 0.02 ms within some 10 ms after
 * the last one): cgroup_threadgroup_rwsem is a percpu_rw_semaphore, whose first writer waits for RCU. PID 1 waits for it where it moves sudo into a
 * scope, and with it everybody who waits for PID 1. So it is begun as soon as sudo's account phase asks us, while jit-approverd is being asked. */

/* A thread writes our own process into the cgroup that it is in already, which does no more than that. Returns at once; failures do not matter. */
void cgroup_warm(void);

#endif
