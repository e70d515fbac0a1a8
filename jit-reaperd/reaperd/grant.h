/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_GRANT_H
#define JIT_GRANT_H

/* A grant: one entitlement of one person by one ticket on this host. It is of one of two kinds:
 *
 *      WAY_ACCOUNT    the person gets an account that lives as long as the grant: by ssh, login, su and sudo -u
 *      WAY_ELEVATION  the person's own account may do more for a while: a sudo rule of its own (jitctl elevate), or the host's own sudo rules
 *                     (the gate). No account, UID, key or home is made, and what runs as the person is not ours: only what was started in the
 *                     grant's slice is. `uid` is UID_NONE, so that nothing can mistake the person's UID for one of ours.
 *
 * The states and who moves between them:
 *
 *      (named)  --lookup.c, verdict allow or refuse-->  RESERVED   the account resolves for root; it has keys and nothing else
 *      RESERVED --PAM account phase says yes, session.c--> ACTIVE  home, groups, sudo rule, deadline
 *      (elevation: RESERVED by elevation.c with the verdict, without any artefact or record, for at most 30 s)
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

typedef enum __attribute__((packed)) Way { WAY_ACCOUNT, WAY_ELEVATION } Way;

#define UID_NONE ((uid_t) -1)
/* The shell of accounts whose role has Record=tlog. */
#define TLOG_PROGRAM "/usr/bin/tlog-rec-session"

typedef struct Session Session;
typedef struct Reaping Reaping;

enum { GRACE_NONE = UINT32_MAX };

/* The order leaves no holes: memory is counted by the grant. */
struct Grant {
        Manager *manager;
        Grant *next, **prev;
        char id[17]; /* 16 hex digits, random */
        char account[ACCOUNT_NAME_MAX + 1]; /* WAY_ELEVATION: jit-TICKET, what jit-approverd is asked about; no such account exists */
        GrantState state;
        uint8_t warned;  /* warnings given, an index into Config.warn_usec */
        uint8_t silence; /* 0: the last answer was clear; else why there was none, see grant-recheck.c */
        Way way : 1;
        NoticeState notices : 2;
        bool has_rule : 1;    /* WAY_ELEVATION: a sudoers file of its own; else the gate alone */
        bool authorized : 1;  /* the PAM account phase has said yes: see grant_is_authorized() */
        bool allowed : 1;     /* the last verdict was a yes: root sees the account's groups before it is ACTIVE, for sudo(8) and su(1) */
        bool recheck_due : 1; /* too many questions were open */
        uint16_t provider;    /* see provider-name.h */
        uint16_t recheck_sec; /* 0: asked again only when something changed */
        uint16_t n_forgotten; /* ended sessions that are no longer in past; stays at its maximum */
        uid_t uid;            /* and gid; WAY_ELEVATION: UID_NONE */
        uid_t person_uid;     /* WAY_ELEVATION: whose own account it is; WAY_ACCOUNT: UID_NONE */
        uint32_t grace_sec;   /* GRACE_NONE: to the deadline */
        char *ticket, *title, *requester, *role, *digest; /* ticket and requester: grant_set_names() */
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

/* What to keep over a turn of the loop: the grant may go meanwhile, and another of its name come. */
typedef struct GrantRef {
        uid_t uid; /* WAY_ELEVATION: the person's */
        Way way;
        char id[17];
} GrantRef;

const char *grant_state_to_string(GrantState s);
const char *grant_way_to_string(Way w); /* account, elevation */

/* Makes a RESERVED grant by the verdict and writes its record and keys; takes what it needs out of v. -EEXIST, -ENOSPC (no UID, too many
 * grants, /run full), -EINVAL (a verdict we do not trust: see verdict.h). */
int grant_reserve(Manager *m, const char *account, Verdict *v, Grant **ret);
/* WAY_ELEVATION for this person by a verdict that allows: RESERVED and authorized, until until_usec (CLOCK_BOOTTIME); no artefact, no record.
 * allowed_usec: how long the grant may live from its start on. -EEXIST: the person has one; -ENOSPC; -EINVAL as above. */
int grant_elevate(Manager *m, const char *account, uid_t person_uid, Verdict *v, uint64_t until_usec, uint64_t allowed_usec, Grant **ret);
/* Takes title, approvers, commands and times of a later verdict over; ticket, requester and role may not have changed, nor, while it is ACTIVE,
 * what was approved (the digest): -ESTALE. */
int grant_update(Grant *g, Verdict *v);
/* RESERVED: its verdict, keys or time are others now. Writes record, keys and rule anew. */
int grant_reserved_changed(Grant *g);
/* Forgets a RESERVED grant and its key and rule; gives its UID back to the same name. */
void grant_release(Grant *g);
/* Once, of a grant that is being made. Both are copied. -ENOMEM. */
int grant_set_names(Grant *g, const char *ticket, const char *requester);
/* Out of the trees, timers off, memory freed; touches no artefact. */
Grant *grant_free(Grant *g);

/* Of WAY_ACCOUNT. */
Grant *grant_by_account(const Manager *m, const char *account);
Grant *grant_by_uid(const Manager *m, uid_t uid);
/* Of WAY_ELEVATION: a person has one at a time on a host. Not those that are FORGOTTEN. */
Grant *grant_by_person(const Manager *m, uid_t person_uid);
Grant *grant_by_id(const Manager *m, const char *id);
GrantRef grant_ref(const Grant *g);
/* NULL: it is gone, or FORGOTTEN. */
Grant *grant_get(const Manager *m, const GrantRef *ref);
/* Whether what is its id, its account or its ticket. Several grants may have one ticket: its requesters', and both ways. */
bool grant_matches(const Grant *g, const char *what);
/* "alice" or "jit-chg0012345": whose processes, rights and receipts these are, for people. */
const char *grant_user(const Grant *g);
uid_t grant_user_uid(const Grant *g);
/* The grant's slice, below which all of its processes are: user-UID.slice, or jit-ID.slice for WAY_ELEVATION. */
enum { SLICE_NAME_MAX = 48 };
const char *grant_slice(const Grant *g, char ret[static SLICE_NAME_MAX]);
/* An ACTIVE grant of the other way by the same ticket, provider and requester; NULL. One ticket has one deadline, whichever ways are used. */
Grant *grant_sibling(const Grant *g);
/* When it began on CLOCK_BOOTTIME, as a clock that was set meanwhile cannot move it. */
uint64_t grant_since_boottime(const Grant *g);
/* Whether what the role's Record= asks for can be had: -ENOPKG. */
int grant_recording_check(const Grant *g);
/* From now on the name resolves no more, and the person is not elevated; either may be granted anew. Idempotent. */
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
