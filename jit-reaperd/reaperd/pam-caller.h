/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PAM_CALLER_H
#define JIT_PAM_CALLER_H

/* Who calls from PAM, as PAM says it. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"

/* What PAM said of the caller. Only the account, the service and the target are acted upon. */
typedef struct Caller {
        char *account, *service, *rhost, *tty, *ruser;
        char *target; /* whom a command is to run as, as far as PAM has told; set by the method, not parsed */
} Caller;

/* Which parameters a method has besides the caller's own. */
enum {
        CALLER_WAIT = 1 << 0,   /* wait: ?bool */
        CALLER_TICKET = 1 << 1, /* ticket: ?string */
        CALLER_GATE = 1 << 2,   /* gate: bool */
        CALLER_INSIDE = 1 << 3, /* inside: ?string */
        CALLER_DECISION = 1 << 4, /* decision: ?string */
        CALLER_STARTED = 1 << 5,  /* started: ?int */
        CALLER_UID = 1 << 6,      /* uid: ?int */
};

typedef struct CallerExtra {
        bool wait, gate;
        char *ticket; /* NULL: not said */
        char *inside; /* the name of the slice, of user.slice or jit.slice, that the process was in when PAM began; NULL: not said */
        char *decision; /* the token of one (decision.h); NULL: not said */
        uint64_t started; /* when the process with the account phase did (proc_pid_stat(5)); 0: not said */
        uint64_t uid;     /* its real UID; CALLER_UID_UNSAID: not said */
} CallerExtra;

#define CALLER_UID_UNSAID UINT64_MAX

/* Of a method about one of our accounts: its name is in small letters then. extras: CALLER_*; what the method does not have is refused. *ret and
 * *ret_extra (zeroed before) are to be freed in every case. -EBADMSG and others of json_dispatch(), -EINVAL. */
int caller_parse(json_t *parameters, unsigned extras, Caller *ret, CallerExtra *ret_extra);
/* Of a method about any account: its name is as PAM has it. */
int caller_parse_any(json_t *parameters, unsigned extras, Caller *ret, CallerExtra *ret_extra);
void caller_done(Caller *c);
void caller_extra_done(CallerExtra *e);
#define _cleanup_caller_ JIT_CLEANUP(caller_done)
#define _cleanup_caller_extra_ JIT_CLEANUP(caller_extra_done)

#endif
