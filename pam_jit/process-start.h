/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROCESS_START_H
#define JIT_PROCESS_START_H

/* When this process was forked, in clock ticks since the host's start: proc_pid_stat(5), field 22. sudo -b reads
 * sudoers in one process and has its session phase in another, which is younger than what was read. */

#include <stdint.h>

/* 0 or -errno. */
int process_start_get(uint64_t *ret);

#endif
