/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_STALE_SUDO_H
#define JIT_STALE_SUDO_H

/* Processes of sudo(8) that have read rules and not yet asked PAM, as far as can be told from outside: sudo's program, this person's, and in no
 * slice of ours, where they would be had PAM been asked. Times are proc_pid_stat(5)'s start times; a process's is that of its fork(2), and what
 * became sudo by execve(2) may be older than the rule that it has read. */

#include "manager.h"

typedef struct StaleSudo {
        uid_t uid;          /* the login UID or the real one */
        uint64_t kill_from; /* those that began then or later get SIGKILL; UINT64_MAX: none */
        uint64_t until;     /* later ones are none of ours */
        unsigned left;      /* out: those that were not killed */
        pid_t first;        /* out: one of them */
} StaleSudo;

int stale_sudo_find(const Manager *m, StaleSudo *s);
/* proc_pid_stat(5)'s unit. */
uint64_t usec_to_ticks(uint64_t usec);

#endif
