/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SESSION_H
#define JIT_SESSION_H

/* A session under a grant: one PAM session, whose process holds a connection to us open. Its end is believed from the first of: that
 * connection's end, that process's end (pidfd), logind. */

#include "grant.h"
#include "varlink.h"

struct Session {
        Grant *grant;
        Session *next;
        pid_t pid;                /* the process that called pam_open_session() */
        uint64_t pid_start;       /* its start time, clock ticks after boot (proc_pid_stat(5)): a number may come again */
        uint64_t from_usec, to_usec;
        char *service, *rhost, *tty;
        char *logind_id;          /* once logind knows it */
        VarlinkLink *link;        /* NULL after a restart of ours */
        sd_event_source *pidfd;
        sd_event_source *settling;/* until PID 1 has the grant's deadline, and then until logind is known to have the session */
        bool guarded;             /* the first of the two */
        sd_event_source *closing; /* PAM has closed the session: its process gets a moment to end by itself */
};

/* What PAM said of the caller. */
typedef struct Caller {
        char *account, *service, *rhost, *tty, *ruser;
} Caller;

/* RESERVED becomes ACTIVE, or another session joins an ACTIVE grant: record, artefacts, deadline. On failure everything made is
 * removed again. -ENOSPC and others; -ESRCH if the caller is gone. */
int session_open(Grant *g, VarlinkLink *link, const Caller *caller);
/* A session of a record, after a restart of ours: watched by its process. -ESRCH if that is gone. */
int session_resume(Session *s);
Session *session_new(Grant *g);
/* Into the grant's list. */
void session_link(Session *s);
/* The session is over: the last one's end revokes the grant. */
void session_end(Session *s);
Session *session_free(Session *s);
Session *session_free_all(Session *first);
/* logind knows the session by this id (taken over); it can be found by it from now on. */
int session_set_logind_id(Session *s, char *id);
Session *session_by_logind_id(const Manager *m, const char *id);

#endif
