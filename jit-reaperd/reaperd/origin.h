/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_ORIGIN_H
#define JIT_ORIGIN_H

/* Who asks, by the kernel's word: what su, sudo and run0 say of their caller (PAM_RUSER, environment, arguments) is recorded and never believed.
 *
 * MUST: everything in an Origin was read while its process was alive and held its connection to us: a number may come again. */

#include "manager.h"

typedef struct Origin {
        pid_t pid;          /* the process that asks */
        pid_t parent;       /* 0: outside of our PID namespace */
        uint64_t pid_start; /* proc_pid_stat(5) */
        uid_t login_uid;    /* proc_pid_loginuid(5); UID_NONE: not set (a service), or the kernel keeps none */
        uid_t real_uid;     /* su(1) and sudo(8) keep their caller's when they call PAM; run0: of its caller's connection to the bus */
        Grant *inside;      /* whose slice the process is in already; NULL: nobody's. Not to be kept over a turn of the loop */
        bool transient;     /* in a slice of ours, or with a login or real UID of our UID range: also where no grant has it any more */
        char *session;      /* logind's id of the session that it is in; NULL */
        char *person;       /* the login UID's name in /etc/passwd; NULL */
} Origin;

void origin_done(Origin *o);
#define _cleanup_origin_ JIT_CLEANUP(origin_done)
/* -ESRCH: the peer has hung up, or is another process by now. */
int origin_of_link(Manager *m, VarlinkLink *l, Origin *ret);

/* Of a process that is alive and cannot change hands for another reason. -ESRCH: it has ended meanwhile. */
int origin_of_process(const Manager *m, pid_t pid, Origin *ret);

/* o: taken over by origin_done() after the call unless moved out of; r: -ESRCH as above, -ENOENT: nobody can be made out. */
typedef void (*origin_found_t)(Manager *m, VarlinkLink *l, Origin *o, int r, void *userdata);
/* As origin_of_link(), for any PAM service: run0's process is PID 1's child and has no login UID. Its caller is the one process that holds a
 * reference to its unit (org.freedesktop.systemd1(5), Refs), known to the bus by its credentials: login_uid, real_uid, person and session are that
 * process's; pid stays run0's child; inside is what both are in, and transient what either is. Calls found() at once for all other services.
 * -EBUSY: too many are open, or there is no bus: found() is not called. */
int origin_resolve(Manager *m, VarlinkLink *l, const char *service, origin_found_t found, void *userdata);

/* Whether the one who asks may use a grant of this requester. NULL: yes; else a reason code, and *ret_message a sentence (static).
 * workloads: the role lets services without a login ask, by the user they run as (Workloads=). */
const char *origin_fault(const Origin *o, const char *requester, bool workloads, const char **ret_message);
/* Who asks: the person, or with workloads the user of a service without a login. NULL: nobody is known. free() */
char *origin_who(const Origin *o, bool workloads);

#endif
