/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GRANT_H
#define JIT_GRANT_H

/* A grant: one entitlement of one person by one ticket on this host, and its account. The states and who moves between them:
 *
 *      (named)  --lookup.c, verdict allow or refuse-->  RESERVED   the account resolves for root; it has keys and nothing else
 *      RESERVED --PAM account phase says yes, session.c--> ACTIVE  home, groups, sudo rule, deadline
 *      RESERVED --its time is up, the ticket is gone-->  forgotten
 *      ACTIVE   --last session gone, deadline, idle, revoked, ticket no longer good--> REVOKING   (reap.c)
 *      REVOKING --nothing is left--> FORGOTTEN                     the account is gone; a last look at what others are slow to forget, the receipt
 *
 * Each change is in the record (grant-record.c) before its effect. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "manager.h"
#include "name.h"
#include "verdict.h"

typedef enum __attribute__((packed)) GrantState { GRANT_RESERVED, GRANT_ACTIVE, GRANT_REVOKING, GRANT_FORGOTTEN } GrantState;
/* What the ticket's system is owed: see grant-notice.h. */
typedef enum __attribute__((packed)) NoticeState { NOTICE_NONE, NOTICE_WANTED, NOTICE_STARTED } NoticeState;

typedef struct Session Session;
typedef struct Reaping Reaping;

enum { GRACE_NONE = UINT32_MAX };

/* The order leaves no holes: memory is counted by the grant. */
struct Grant {
        Manager *manager;
        Grant *next, **prev;
        char id[17]; /* 16 hex digits, random */
        char account[ACCOUNT_NAME_MAX + 1];
        GrantState state;
        bool authorized; /* the PAM account phase has said yes: see grant_is_authorized() */
        bool recheck_due; /* too many questions were open */
        uint8_t warned;  /* warnings given, an index into Config.warn_usec */
        uint8_t silence; /* 0: the last answer was clear; else why there was none, see grant-recheck.c */
        NoticeState notices;
        uint16_t provider;    /* see provider-name.h */
        uint16_t recheck_sec; /* 0: asked again only when something changed */
        uid_t uid;            /* and gid */
        uint32_t grace_sec;   /* GRACE_NONE: to the deadline */
        unsigned n_forgotten; /* ended sessions that are no longer in past */
        char *ticket, *title, *requester, *role, *digest;
        char **approvers, **commands, **keys;
        uint64_t since_usec;      /* wall clock: reserved, then activated */
        uint64_t until_usec;      /* wall clock, for people and for sudoers and sshd */
        uint64_t deadline_usec;   /* CLOCK_BOOTTIME: of the reservation, then of the grant */
        sd_event_source *timer;   /* the next thing that is due */
        Session *sessions;        /* live ones first to last */
        Session *past;            /* ended ones, for the receipt; the latest first */
        char *end_reason, *end_by; /* REVOKING: a code, and who asked for it */
        union { /* never needed at the same time */
                struct {
                        uint64_t authorized_usec; /* RESERVED, authorized: until when OpenSession may follow, CLOCK_BOOTTIME */
                        uint64_t allowed_usec;    /* and how long the grant may live from the login on */
                };
                struct {
                        uint64_t answered_usec;   /* ACTIVE: the last clear answer, CLOCK_BOOTTIME */
                        uint64_t recheck_at_usec; /* the next question, CLOCK_BOOTTIME; USEC_INFINITY: it is being asked, or never */
                };
                struct {
                        uint64_t end_usec;  /* wall clock: when REVOKING began */
                        uint64_t gone_usec; /* wall clock: when the account was gone */
                };
        };
        Reaping *reaping;         /* REVOKING */
};

const char *grant_state_to_string(GrantState s);

/* Makes a RESERVED grant by the verdict and writes its record and keys; takes what it needs out of v. -EEXIST, -ENOSPC (no UID, too many
 * grants, /run full), -EINVAL (a verdict we do not trust: see verdict.h). */
int grant_reserve(Manager *m, const char *account, Verdict *v, Grant **ret);
/* Takes title, approvers, commands and times of a later verdict over; ticket, requester and role may not have changed, nor, while it is ACTIVE,
 * what was approved (the digest): -ESTALE. */
int grant_update(Grant *g, Verdict *v);
/* Forgets a RESERVED grant and its key; gives its UID back to the same name. */
void grant_release(Grant *g);
/* Out of the trees, timers off, memory freed; touches no artefact. */
Grant *grant_free(Grant *g);

Grant *grant_by_account(const Manager *m, const char *account);
Grant *grant_by_uid(const Manager *m, uid_t uid);
/* By id, account or ticket. */
Grant *grant_find(const Manager *m, const char *what);
/* From now on the name resolves no more; it may be granted anew. Idempotent. */
void grant_forget_account(Grant *g);
int grant_link(Grant *g); /* into the trees and the list: -EEXIST, -ENOMEM */

/* So long before its deadline an ACTIVE grant's rights go and its terminals are told, so that all of it is dead at the deadline and PID 1's own
 * RuntimeMaxSec= does not take sshd away before it has passed the message on. */
#define GRANT_TELL_USEC (20 * UINT64_C(1000))

/* Sets the timer to the earliest of what is due: end of the reservation or of the grant, warning, look at idleness. */
int grant_arm(Grant *g);

/* The one way out of ACTIVE. reason: a code; detail: a sentence for the terminal, by: who asked, may be NULL. A second call is ignored. */
void grant_revoke(Grant *g, const char *reason, const char *detail, const char *by);
/* RESERVED: it lives until then at least (CLOCK_BOOTTIME). */
int grant_extend(Grant *g, uint64_t deadline_usec);

/* RESERVED: the PAM session may be opened now. ACTIVE: further ones may. Else the account is one that has expired. */
bool grant_is_authorized(const Grant *g);
const Role *grant_role(const Grant *g); /* NULL if the configuration has it no more */

#endif
