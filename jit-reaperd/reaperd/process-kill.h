/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROCESS_KILL_H
#define JIT_PROCESS_KILL_H

/* The processes of a grant: its cgroup; of an account whatever runs under its UID elsewhere, too (cron, at, what asked another service). */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Its folder in the cgroup file system, and returns ret. */
enum { SLICE_PATH_MAX = 160 };
const char *slice_path(const char *slice, char ret[static SLICE_PATH_MAX]);
/* "user-65537.slice", "jit-ID.slice" below the unified hierarchy; -ENOENT if there is none (any more). */
int slice_open(const char *slice);
int user_slice_open(uid_t uid); /* user-UID.slice */
/* SIGKILL to all of it at once (cgroup.kill, Linux 5.14). -EOPNOTSUPP on older kernels. */
int slice_kill(int slice_fd);
/* A descriptor of cgroup.events that polls with EPOLLPRI when it changes. */
int slice_events_open(int slice_fd);
/* From cgroup.events; a cgroup that is gone is empty. */
bool slice_is_empty(int events_fd);
/* Processes in it and below. */
unsigned slice_count(int slice_fd);

/* SIGKILL to every process with this real or saved UID, in one pass of the kernel that no fork() escapes (kill(2), pid -1). sender: a UID that
 * nobody has. 0 or -errno; -EPERM for root, and for UIDs that are none. */
int uid_kill_all(uid_t uid, uid_t sender);
/* Whether no process has uid as its real UID, zombies counted: one system call (getpriority(2), PRIO_USER). */
bool uid_has_no_process(uid_t uid);
/* Looks at every process of the host: how many have uid as real, effective, saved or filesystem UID, zombies left out. *ret_first: one of them. */
int uid_count_processes(uid_t uid, unsigned *ret_count, pid_t *ret_first);
/* Start time of a process in clock ticks after boot, proc_pid_stat(5). -ESRCH. */
int process_start_time(pid_t pid, uint64_t *ret);

#endif
