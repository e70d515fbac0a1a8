/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SESSION_H
#define JIT_SESSION_H

/* What keeps a grant alive. The end of its last session is the end of the grant. There are three kinds:
 *
 *      SESSION_LOGIN     a PAM session of sshd or login, which becomes a session of logind's. Over with the first of: the connection that its
 *                        process holds open to us, that process (pidfd), logind's word.
 *      SESSION_SCOPE     a PAM session of su, sudo or run0, moved into a scope of its own before its command starts (scope.h). Over when that
 *                        scope's cgroup is empty: what was started in the background goes on, until the deadline at the latest.
 *      SESSION_ELEVATED  a person's own account is elevated (WAY_ELEVATION alone): no process, a right. Over with the person's login session
 *                        (login-session.h) or by `jitctl drop`.
 */

#include "grant.h"
#include "login-session.h"
#include "pam-caller.h"
#include "scope.h"
#include "varlink.h"

struct Origin; /* origin.h */

typedef enum __attribute__((packed)) SessionKind { SESSION_LOGIN, SESSION_SCOPE, SESSION_ELEVATED } SessionKind;

/* Memory is counted by the session: what one kind needs lies where the others have something else. */
struct Session {
        Grant *grant;
        Session *next;
        pid_t pid;                /* the process that called pam_open_session(), or jitctl */
        SessionKind kind;
        bool guarded;             /* PID 1 has the grant's deadline by it; see settling */
        uint64_t pid_start;       /* its start time, clock ticks after boot (proc_pid_stat(5)): a number may come again */
        uint64_t from_usec, to_usec;
        char *service, *rhost, *tty;
        char *logind_id;          /* SESSION_LOGIN: once logind knows it */
        char *target;             /* SESSION_SCOPE: whom it runs as */
        sd_event_source *pidfd;   /* of pid; NULL: it is no witness (any more) */
        union {
                struct { /* SESSION_LOGIN */
                        VarlinkLink *link;         /* NULL after a restart of ours */
                        sd_event_source *settling; /* until PID 1 has the grant's deadline, and then until logind is known to have the session */
                        sd_event_source *closing;  /* PAM has closed the session: its process gets a moment to end by itself */
                };
                struct { /* the others */
                        Scope *scope;         /* SESSION_SCOPE while it lives */
                        LoginSession *from;   /* the login session that it was started from; NULL: none is known, or it does not matter */
                        json_t *from_record;  /* the same as a record has it, until session_resume() */
                };
        };
};

/* ---- opening (session-open.c) ---- */

/* r: 0 and the session is there; or -errno and s is NULL: everything made for it is removed again. */
typedef void (*session_opened_t)(Session *s, int r, void *userdata);

/* SESSION_LOGIN: RESERVED becomes ACTIVE, or another session joins an ACTIVE grant: record, artefacts, deadline. On failure everything made is
 * removed again. -ENOSPC and others; -ESRCH if the caller is gone; -ENOPKG: see grant_recording_check(), and the grant stays RESERVED. */
int session_open(Grant *g, VarlinkLink *link, const Caller *caller);
/* SESSION_SCOPE: as session_open(), and the link's process is in its scope when opened() is called, once, after this has returned. target: whom the
 * command runs as. o: where it comes from; with the role's EndWithCaller= its login session's end ends it (-ENXIO: that is over already, and the
 * person has no other). opened() is not called where this returns an error. */
int session_open_scope(Grant *g, VarlinkLink *link, const Caller *caller, const struct Origin *o, const char *target, session_opened_t opened,
                       void *userdata);
/* SESSION_ELEVATED: as session_open(). o->login_uid is g->person_uid. by_terminal: it is for this terminal and login session alone (the gate); else
 * it goes on with any other login session of the person's (a sudo rule). -ENXIO: the person is not logged in. */
int session_open_elevated(Grant *g, VarlinkLink *link, const Caller *caller, const struct Origin *o, bool by_terminal);
/* The elevation of this terminal (and, without one, of this login session), NULL. */
Session *session_elevated_here(const Grant *g, const char *tty, const struct Origin *o);
/* Whoever waits for the opening of a scope (scope_starting()) is told that it has failed. NULL is fine. */
void session_opening_cancel(void *opening);

/* ---- its witnesses (session-witness.c) ---- */

/* The process by pidfd; fills pid_start in where it is 0. -ESRCH: it is gone, or another has its number. */
int session_watch_process(Session *s);
/* SESSION_LOGIN: the connection, PID 1's deadline, logind. */
void session_watch_login(Session *s, VarlinkLink *link);
/* A session of a record, after a restart of ours. -ESRCH if it is over. */
int session_resume(Session *s);
/* All of the grant's. Of an ACTIVE one those that are over are put with the past ones, without its end. False: none lives. */
bool session_resume_all(Grant *g);
void session_unwatch(Session *s);

/* ---- its life (session.c) ---- */

Session *session_new(Grant *g);
/* Into the grant's list, and out of it. */
void session_link(Session *s);
void session_unlink(Session *s);
/* The session is over: it is one of the past ones, and its grant goes on. */
void session_retire(Session *s);
/* The session is over: the last one's end revokes the grant. */
void session_end(Session *s);
/* SESSION_SCOPE: its processes are killed, and it is over when they are dead. SESSION_ELEVATED: its right is taken away, and it is over. */
void session_kill(Session *s);
/* WAY_ELEVATION: whether the person may still start something. Not so where only what was started goes on (EndWithCaller=no). */
bool session_is_elevated(const Grant *g);
/* WAY_ELEVATION with a rule: it is removed where nobody is elevated any more. -errno: it is still there. */
int session_check_rule(Grant *g);
Session *session_free(Session *s);
Session *session_free_all(Session *first);
/* logind knows the session by this id (taken over); it can be found by it from now on. */
int session_set_logind_id(Session *s, char *id);
Session *session_by_logind_id(const Manager *m, const char *id);

#endif
