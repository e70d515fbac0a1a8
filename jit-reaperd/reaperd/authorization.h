/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_AUTHORIZATION_H
#define JIT_AUTHORIZATION_H

/* A call of a person's or of PAM's until it is answered: who asks is made out, jit-approverd is asked where the kind of call wants that, an
 * approval that is not there yet is waited for, and a refusal is answered, told to the journal and put on record, all in one place. */

#include "approver-link.h"
#include "grant.h"
#include "origin.h"
#include "pam-caller.h"
#include "sudo-options.h"

typedef struct Authorization Authorization;

typedef struct AuthorizationKind {
        const char *way; /* account, elevate, gate: for jit-approverd's policy, and for the record */
        bool is_error;   /* a refusal is one of the interface's errors, not an answer with "allow" */
        /* Who asks is in a->origin (inside: now only). Answers and frees a, or asks for a verdict. */
        void (*begin)(Authorization *a);
        /* Answers and frees a. v: NULL if there is no answer. */
        void (*finish)(Authorization *a, Verdict *v);
        /* Whether a yes will still be of use then (CLOCK_BOOTTIME), as far as that is in our hands. NULL: such a call waits for nothing. */
        bool (*lasts)(Authorization *a, uint64_t until_usec);
} AuthorizationKind;

struct Authorization {
        const AuthorizationKind *kind;
        Manager *manager;
        VarlinkLink *link;
        Caller caller;
        CallerExtra extra; /* wait: and the peer takes more than one answer */
        Origin origin;
        char account[ACCOUNT_NAME_MAX + 1]; /* what jit-approverd is asked about; "": not known yet */
        GrantRef grant;                     /* the one it is about, if there is one */
        char *person;                       /* elevation: who asks */
        uid_t person_uid;
        bool fresh; /* the grant became ACTIVE by this call */
        SudoUse sudo_use; /* the gate, of sudo */
        bool counted; /* by ask-limit.h */
};

/* Takes the members of caller and extra (may be NULL) over, also on failure. -ENOMEM. */
int authorization_start(Manager *m, VarlinkLink *l, const AuthorizationKind *kind, Caller *caller, CallerExtra *extra, bool more);
Authorization *authorization_free(Authorization *a);

void authorization_bind(Authorization *a, const Grant *g);
/* NULL: it is gone, or going. */
Grant *authorization_grant(const Authorization *a);

/* Asks jit-approverd; kind->finish() follows, at once, later or when an approval was waited for. */
void authorization_ask(Authorization *a);
/* As approver_evaluate(), with all that is known. */
int authorization_evaluate(Authorization *a, verdict_t answer, void *userdata);

/* Each answers and frees a. */
void authorization_refuse(Authorization *a, const char *reason, const char *message);
/* No refusal, but a word for the module: nothing is put on record. */
void authorization_dismiss(Authorization *a, const char *reason, const char *message);
void authorization_allow(Authorization *a, const char *reason, const char *message, uint64_t left_usec);
/* Its answer, to be sent by varlink_reply(); a is not freed. NULL: no memory. */
json_t *authorization_allowed(const char *reason, const char *message, uint64_t left_usec);
/* A session could not be opened: r as session_open*() gave it. */
void authorization_refuse_open(Authorization *a, int r);
/* To the journal, with the fields that are known. */
void authorization_log(const Authorization *a, int priority, const char *reason, const char *format, ...)
                __attribute__((format(printf, 4, 5)));

/* How long a grant may live from now: the role's TTL, the verdict's, the end of the ticket's window. */
uint64_t authorization_allowed_usec(const Role *role, const Verdict *v);
/* Of that, what is left where the ticket is in use the other way, too: one ticket has one deadline. ACTIVE: of its own. */
uint64_t authorization_left_usec(const Grant *g, uint64_t allowed_usec);
/* RESERVED and authorized: its time begins. What has gone by since the yes is taken off: it may have been up to the very end of the ticket's window.
 * To be called right before session_open*(). */
void authorization_start_clock(Grant *g);
/* The sentence that greets: ticket, title, approvers, role, end. free(); NULL: no memory. */
char *authorization_welcome(const Grant *g, uint64_t left_usec);

/* PAM's session phase follows its account phase at once. */
#define AUTHORIZED_USEC (30 * UINT64_C(1000000))

#endif
