/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_REAP_KIND_H
#define JIT_REAP_KIND_H

/* The steps of a removal, for each kind of grant (grant.h): reap.c goes through them, reap-account.c and reap-elevation.c do the work. */

#include "grant.h"
#include "reap.h"
#include "receipt.h"

/* A step that returns bool is repeated until it is true, whatever the others say, and logs by itself what keeps it. */
typedef struct ReapKind {
        bool (*remove_rights)(Grant *g);
        /* Kills, and says whether nothing of it runs any more. */
        bool (*kill_and_prove)(Grant *g);
        bool (*remove_places)(Grant *g); /* while its processes die; NULL: it has none */
        /* Once, when all of that is true: */
        void (*remove_leftovers)(Grant *g); /* NULL: none */
        void (*tell_others)(Grant *g);      /* the grant is FORGOTTEN */
        /* Later: have those who were told forgotten it, too? What they left meanwhile is taken away. last: whatever is still there is residue. */
        bool (*is_settled)(Grant *g, bool last);
} ReapKind;

extern const ReapKind reap_account, reap_elevation;

typedef struct Waiter Waiter;

struct Reaping {
        Grant *grant;
        const ReapKind *kind;
        uint64_t started_usec; /* CLOCK_BOOTTIME */
        unsigned killed;
        bool counted, signalled, alarmed;
        uint64_t forgotten_usec; /* CLOCK_BOOTTIME */
        sd_event_source *events, *again;
        Waiter *waiters;
        Receipt receipt;
};

/* For the kinds: */

/* SIGKILL to all of the grant's slice. 1: it is empty or was never there; 0: it is dying, and reap.c hears of the last one's death; -errno. */
int reap_kill_slice(Grant *g);
/* Those that PAM sessions began in and that are not in the slice yet: a login, su or sudo that is just opening its session. */
void reap_kill_callers(const Grant *g);
/* True if result is none of an error, which is logged once. */
bool reap_is_removed(Grant *g, const char *what, int result);
/* LOG_ALERT, once, when it has taken too long. left, first: processes that live, or 0. */
void reap_alarm_if_late(Grant *g, unsigned left, pid_t first);

#endif
