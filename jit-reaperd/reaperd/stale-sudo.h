/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_STALE_SUDO_H
#define JIT_STALE_SUDO_H

/* Processes of sudo(8) that have read rules and not yet asked PAM, as far as can be told from outside: sudo's program, this person's, and in no
 * slice of ours, where they would be had PAM been asked. Times are proc_pid_stat(5)'s start times; a process's is that of its fork(2), and what
 * became sudo by execve(2) may be older than the rule that it has read. */

#include "manager.h"

typedef struct StaleSudo {
        uid_t uid;                      /* the login UID or the real one */
        uint64_t kill_from, kill_until; /* those that began then get SIGKILL; UINT64_MAX, 0: none */
        pid_t except;                   /* not looked at; 0: none */
        unsigned killed, left;          /* out: left: those that were not killed */
        pid_t first;                    /* out: one of these */
} StaleSudo;

int stale_sudo_find(const Manager *m, StaleSudo *s);
/* proc_pid_stat(5)'s unit. */
uint64_t usec_to_ticks(uint64_t usec);

#endif
