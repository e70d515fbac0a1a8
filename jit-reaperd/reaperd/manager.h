/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_MANAGER_H
#define JIT_MANAGER_H

/* Everything that jit-reaperd holds. One thread on one sd-event loop.
 *
 * MUST NOT wait: dbus-daemon, logind and every login on the host wait for our userdb answers, some of them while we would be waiting for
 * them. No blocking D-Bus call, no name service lookup, no connection that is not on the loop. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "audit.h"
#include "config.h"
#include "varlink.h"

typedef struct Grant Grant;
typedef struct Lookup Lookup;
typedef struct ApproverLink ApproverLink;
typedef struct LogindLink LogindLink;
typedef struct UidRange UidRange;
typedef struct Rechecks Rechecks;
typedef struct Notices Notices;
typedef struct Wait Wait;
typedef struct Decision Decision;
typedef struct LoginSession LoginSession;
typedef struct AskLimits AskLimits;
typedef struct AccountEnds AccountEnds;

/* Where artefacts lie; each a directory descriptor, so that no path is walked twice. */
typedef struct Directories {
        int run;      /* /run/jit */
        int grants;   /* records, root only */
        int keys;     /* authorized_keys files, one a grant */
        int sudoers;  /* sudoers files, one a grant */
        int elevated; /* /run/jit/elevated: one empty file a person whose own account has a sudo rule of ours, named by UID */
        int homes;    /* mount points */
        int units;    /* /run/systemd/system: masks of user managers */
        int state;    /* /var/lib/jit */
        int live;     /* /var/lib/jit/live: copies of the records of ACTIVE grants, for the receipts after a reboot */
        int used;     /* /var/lib/jit/used: tickets that may not be activated again */
        int notices;  /* /var/lib/jit/notices: what ticket systems are to hear, until jit-approverd has it */
} Directories;

typedef struct Manager {
        sd_event *event;
        Config *config;
        char *config_error; /* why the last reload was refused, NULL if it was not */
        Directories dirs;
        Audit *audit;
        UidRange *uids;
        VarlinkServer *api, *userdb;
        ApproverLink *approver;
        LogindLink *logind;
        Rechecks *rechecks;
        Notices *notices;

        Grant *grants;                 /* all, newest first */
        void *grants_by_account;       /* tsearch(3) trees: look-ups that do not get slower with many grants */
        void *grants_by_uid;
        void *grants_by_person;        /* WAY_ELEVATION */
        void *sessions_by_logind_id;
        unsigned n_grants;
        unsigned n_rechecks_due;
        char **provider_names; /* see provider-name.h */
        Lookup *lookups; /* names that jit-approverd is being asked about */
        unsigned n_lookups;
        Wait *waits; /* logins that wait for an approval */
        unsigned n_waits;
        Decision *decisions; /* see decision.h */
        unsigned n_decisions;
        AccountEnds *account_ends; /* see account-end.h; NULL: none has ended yet */
        AskLimits *ask_limits; /* see ask-limit.h; NULL: nobody has asked yet */
        LoginSession *login_sessions; /* see login-session.h */
        unsigned n_resolving; /* callers of run0 that the bus is being asked about: origin.h */
        uint64_t misses_until_usec[256]; /* names that were unknown a moment ago: see lookup.c */
        char misses[256][32];
        sd_event_source *watchdog;
        uint64_t pid1_started_usec;    /* CLOCK_MONOTONIC; 0: not known yet. See deadline-guard.c */
        struct sd_bus_slot *asking_pid1;
        unsigned n_guard_answers;      /* that PID 1 still owes us */
} Manager;

int manager_new(Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager, manager_free);
/* Sockets from systemd (sd_listen_fds(3)), state read back, links to the others. */
int manager_start(Manager *m);
int manager_loop(Manager *m);
/* Reads the configuration again; a wrong one is refused whole, logged and audited, and the last good one stays. */
int manager_reload(Manager *m);

#endif
