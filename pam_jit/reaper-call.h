/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_REAPER_CALL_H
#define JIT_REAPER_CALL_H

/* The calls on io.pamjit.Reaper that PAM makes; io.pamjit.Reaper.varlink says what each asks. Nothing here knows PAM;
 * nothing here logs.
 *
 * MUST: a yes is the boolean true in an answer that is whole and well-formed in every member.
 * MUST: while it waits, an answer that another follows is a no so far, whatever it says.
 * MUST NOT: keep anything between the calls; each makes a connection of its own. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cleanup.h"
#include "varlink.h"

/* A sentence for the person who waits, as the daemon sent it. */
typedef void (*reaper_say_t)(const char *message, void *userdata);

typedef struct ReaperCall {
        const char *socket;
        uint64_t deadline_usec; /* CLOCK_BOOTTIME; without the time that is waited for an approval */
        reaper_say_t say;       /* NULL: an approval is not waited for */
        void *userdata;
        const char *account, *service;
        const char *rhost, *tty,
                        *ruser; /* NULL: not known; text_from_item() has been over them, as over all of these */
} ReaperCall;

/* What WaitSec= of jit.conf(5) may be at most. */
#define REAPER_WAIT_MAX_USEC (UINT64_C(100) * 1000000)

typedef struct ReaperVerdict {
        bool allow;
        char *reason;   /* reason code; may be NULL */
        char *message;  /* a sentence for the person, as the daemon sent it; may be NULL */
        char *decision; /* of reaper_authorize_elevation(): what reaper_open_elevation() is to send back; NULL: nothing
                         */
} ReaperVerdict;

void reaper_verdict_done(ReaperVerdict *v);

/* 0: *ret says yes or no. Else there is no verdict: -ETIMEDOUT, -ECONNREFUSED, -ENOENT (no daemon); -EBADMSG, -ERANGE,
 * -ENODATA, -EMSGSIZE, -ELOOP (not an answer); -EREMOTEIO (a Varlink error that is no refusal); -EINTR (a signal while
 * waiting); -ENOMEM.
 *
 * With say, reaper_authorize() and reaper_authorize_elevation() may wait for a pending ticket, as long as the daemon
 * says and never longer than REAPER_WAIT_MAX_USEC more. The others do not wait. */
int reaper_authenticate(const ReaperCall *call, ReaperVerdict *ret);
int reaper_authorize(const ReaperCall *call, ReaperVerdict *ret);
/* ticket: as ticket_id_parse() gives it; NULL: none is known yet. */
int reaper_authorize_elevation(const ReaperCall *call, const char *ticket, ReaperVerdict *ret);

typedef struct ReaperSession {
        VarlinkPeer *peer; /* open as long as the session */
        json_t *env;       /* an object, never NULL, members unchecked */
        json_t *pam_data;  /* the same; of reaper_open_session() only */
        char *unit; /* of reaper_open_elevation() only: the scope that this process is in now; NULL: none was needed */
        ReaperVerdict refusal;
} ReaperSession;

void reaper_session_done(ReaperSession *s);

/* 0, or as above, or -EACCES: refused, and ret->refusal says why. */
int reaper_open_session(const ReaperCall *call, ReaperSession *ret);

typedef struct ReaperElevation {
        bool gate;
        const char *decision; /* gate: as above; NULL: there is none */
        uid_t uid;            /* real UID of the process that had the account phase; UID_NONE: there was none */
        uint64_t started;     /* when that was started: process-start.h; 0: not known */
        const char *inside;   /* the slice of a grant's that this process has left, and is to be brought back to; NULL:
                                 none */
} ReaperElevation;

int reaper_open_elevation(const ReaperCall *call, const ReaperElevation *e, ReaperSession *ret);

#define _cleanup_verdict_ JIT_CLEANUP(reaper_verdict_done)
#define _cleanup_session_ JIT_CLEANUP(reaper_session_done)

#endif
