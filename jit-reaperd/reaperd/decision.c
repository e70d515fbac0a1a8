/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <sys/random.h>

#include "decision.h"
#include "timefmt.h"

enum { DECISIONS_MAX = 256, OF_ONE_PERSON_MAX = 16 };
#define DECISION_USEC (30 * USEC_PER_SEC)

struct Decision {
        Decision *next;
        pid_t pid;
        uint64_t pid_start;
        uid_t login_uid, real_uid;
        char *tty; /* NULL: none */
        char token[DECISION_TOKEN_HEX + 1];
        GrantRef grant;
        uint64_t end_usec; /* CLOCK_BOOTTIME */
};

static void drop(Manager *m, Decision **p) {
        Decision *d = *p;

        *p = d->next;
        m->n_decisions--;
        free(d->tty);
        free(d);
}

/* The number of a process may come again while nobody has taken its decision. */
static bool is_of(const Decision *d, const Origin *o) {
        return d->pid == o->pid && d->pid_start == o->pid_start;
}

static bool is_same_terminal(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

/* Those whose time is over, and o's (NULL: nobody's). */
static void drop_old(Manager *m, const Origin *o) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);

        for (Decision **p = &m->decisions; *p;)
                if ((*p)->end_usec <= now || (o && is_of(*p, o)))
                        drop(m, p);
                else
                        p = &(*p)->next;
}

/* Nobody keeps others out by asking again and again (sudo -l has no session phase). */
static void make_room(Manager *m, const Origin *o) {
        Decision **oldest = NULL;
        unsigned n = 0;

        for (Decision **p = &m->decisions; *p; p = &(*p)->next)
                if ((*p)->login_uid == o->login_uid && (o->login_uid != UID_NONE || (*p)->real_uid == o->real_uid)) {
                        oldest = p;
                        n++;
                }
        if (n >= OF_ONE_PERSON_MAX)
                drop(m, oldest);
}

static int make_token(char ret[static DECISION_TOKEN_HEX + 1]) {
        unsigned char random[DECISION_TOKEN_HEX / 2];

        if (getrandom(random, sizeof(random), 0) != sizeof(random))
                return -EIO;
        for (size_t i = 0; i < sizeof(random); i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", random[i]);
        return 0;
}

int decision_add(Manager *m, const Origin *o, const char *tty, const Grant *g, char ret_token[static DECISION_TOKEN_HEX + 1]) {
        Decision *d;

        drop_old(m, o);
        make_room(m, o);
        if (m->n_decisions >= DECISIONS_MAX)
                return -ENOSPC;
        d = malloc(sizeof(*d));
        if (!d)
                return -ENOMEM;
        *d = (Decision){.next = m->decisions,
                        .pid = o->pid,
                        .pid_start = o->pid_start,
                        .login_uid = o->login_uid,
                        .real_uid = o->real_uid,
                        .tty = tty ? strdup(tty) : NULL,
                        .grant = grant_ref(g),
                        .end_usec = now_usec(CLOCK_BOOTTIME) + DECISION_USEC};
        if ((tty && !d->tty) || make_token(d->token) < 0) {
                free(d->tty);
                free(d);
                return -ENOMEM;
        }
        memcpy(ret_token, d->token, sizeof(d->token));
        m->decisions = d;
        m->n_decisions++;
        return 0;
}

Grant *decision_take(Manager *m, const Origin *o, const char *tty, const char *token) {
        Grant *g = NULL;

        drop_old(m, NULL);
        for (Decision **p = &m->decisions; *p; p = &(*p)->next) {
                const Decision *d = *p;

                if (!streq(d->token, token))
                        continue;
                if (d->login_uid == o->login_uid && d->real_uid == o->real_uid && is_same_terminal(d->tty, tty))
                        g = grant_get(m, &d->grant);
                drop(m, p); /* used up, also by one that does not fit */
                break;
        }
        return g && (g->state == GRANT_ACTIVE || grant_is_authorized(g)) ? g : NULL;
}

void decisions_free(Manager *m) {
        while (m->decisions)
                drop(m, &m->decisions);
}
