/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_AUTHORIZATION_H
#define JIT_AUTHORIZATION_H

/* A call of Authorize until it is answered. */

#include "approver-link.h"
#include "grant.h"
#include "pam-caller.h"

typedef struct Authorization {
        Manager *manager;
        VarlinkLink *link;
        Caller caller;
        char id[17]; /* the grant that was there at first; it may go meanwhile, and another of its name come */
        bool wait;   /* asked for, and the peer takes more than one answer */
} Authorization;

Authorization *authorization_free(Authorization *a);
/* NULL: it is gone, or going. */
Grant *authorization_grant(const Authorization *a);
/* As approver_evaluate(), with all that PAM said. */
int authorization_ask(Authorization *a, verdict_t answer, void *userdata);
/* Both answer the call and free a. v: NULL if there is none. */
void authorization_finish(Authorization *a, Verdict *v);
void authorization_refuse(Authorization *a, const char *reason, const char *message);

#endif
