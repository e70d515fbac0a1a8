/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SCRIPTED_REAPER_H
#define JIT_SCRIPTED_REAPER_H

/* A process that listens where the module calls, says what the script says, however wrong, and reports what it sees. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct Answer {
        const char *first[4]; /* messages before it, NULL-ended; so long after each: */
        unsigned pause_msec;
        const char *text;   /* NULL: silence */
        size_t length;      /* 0: the text and its NUL, which ends a Varlink message */
        unsigned drip_msec; /* so long before each byte; 0: all at once */
        bool hang_up;       /* then close the connection */
} Answer;

typedef struct Script {
        /* by the method called */
        Answer authenticate, authorize, open_session, open_elevation;
        Answer authorize_elevation, with_ticket; /* AuthorizeElevation without a ticket, and with one */
        bool deaf;                               /* listen, but never accept, with the backlog full */
} Script;

/* What is reported, a byte each, in the order of events. */
enum { SAW_CONNECTION = 'c', SAW_CALL = 'q', SAW_END = 'e' };

enum { REQUEST_MAX = 16384 };

typedef struct ScriptedReaper {
        pid_t pid;
        int events;
        struct Seen {
                unsigned connections, calls;
                char methods[256];         /* of all calls, a word each: "Authorize OpenSession " */
                char request[REQUEST_MAX]; /* the last call */
        } * seen;                          /* shared with the process */
} ScriptedReaper;

int reaper_start(ScriptedReaper *r, const char *path, const Script *script);
void reaper_stop(ScriptedReaper *r);
/* The next event, 0 if there is none within msec. */
int reaper_next_event(ScriptedReaper *r, int msec);

#endif
