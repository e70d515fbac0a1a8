/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <search.h>
#include <signal.h>
#include <sys/syscall.h>

#include "artefact.h"
#include "grant-record.h"
#include "log.h"
#include "process-kill.h"
#include "session.h"
#include "timefmt.h"

enum { PAST_SESSIONS_MAX = 128 }; /* kept for the receipt */

Session *session_new(Grant *g) {
        Session *s = calloc(1, sizeof(*s));

        if (s)
                s->grant = g;
        return s;
}

/* ---- logind's name for it ---- */

static int compare_logind_id(const void *a, const void *b) {
        return strcmp(((const Session *) a)->logind_id, ((const Session *) b)->logind_id);
}

int session_set_logind_id(Session *s, char *id) {
        Session **node;

        s->logind_id = id;
        node = tsearch(s, &s->grant->manager->sessions_by_logind_id, compare_logind_id);
        return node ? 0 : -ENOMEM;
}

Session *session_by_logind_id(const Manager *m, const char *id) {
        Session key = {.logind_id = (char *) id};
        Session **node = tfind(&key, &m->sessions_by_logind_id, compare_logind_id);

        return node ? *node : NULL;
}

/* The id stays, for the receipt. */
static void forget_logind_id(Session *s) {
        if (s->logind_id && session_by_logind_id(s->grant->manager, s->logind_id) == s)
                (void) tdelete(s, &s->grant->manager->sessions_by_logind_id, compare_logind_id);
}

/* ---- memory and lists ---- */

Session *session_free(Session *s) {
        if (!s)
                return NULL;
        session_unwatch(s);
        forget_logind_id(s);
        free(s->service);
        free(s->rhost);
        free(s->tty);
        free(s->target);
        free(s->logind_id);
        free(s);
        return NULL;
}

Session *session_free_all(Session *first) {
        while (first) {
                Session *next = first->next;
                session_free(first);
                first = next;
        }
        return NULL;
}

void session_link(Session *s) {
        Session **p = &s->grant->sessions;

        while (*p)
                p = &(*p)->next;
        *p = s;
}

void session_unlink(Session *s) {
        for (Session **p = &s->grant->sessions; *p; p = &(*p)->next)
                if (*p == s) {
                        *p = s->next;
                        break;
                }
        s->next = NULL;
}

/* So that the record and the receipt keep their size when somebody's script logs in a thousand times under one grant. The latest stay; the
 * audit file has each one's beginning. */
static void forget_old_sessions(Grant *g) {
        Session *last = g->past;

        for (unsigned n = 1; last && n < PAST_SESSIONS_MAX; n++)
                last = last->next;
        for (const Session *s = last ? last->next : NULL; s; s = s->next)
                if (g->n_forgotten < UINT16_MAX)
                        g->n_forgotten++;
        if (last)
                last->next = session_free_all(last->next);
}

/* ---- the right of an elevation ---- */

bool session_is_elevated(const Grant *g) {
        for (const Session *s = g->sessions; s; s = s->next)
                if (s->kind == SESSION_ELEVATED)
                        return true;
        return false;
}

int session_check_rule(Grant *g) {
        return g->way == WAY_ELEVATION && g->has_rule && !session_is_elevated(g) ? elevated_right_remove(g) : 0;
}

/* ---- its end ---- */

void session_retire(Session *s) {
        Grant *g = s->grant;

        session_unlink(s);
        session_unwatch(s);
        forget_logind_id(s);
        s->to_usec = now_usec(CLOCK_REALTIME);
        s->next = g->past;
        g->past = s;
        forget_old_sessions(g);
}

void session_end(Session *s) {
        Grant *g = s->grant;
        int r = 0;

        session_retire(s);
        if (g->state == GRANT_ACTIVE && g->sessions)
                r = session_check_rule(g);
        if (r < 0)
                log_error("Cannot take the sudo rule of %s away, ending all of the grant: %s", grant_user(g), strerror(-r));
        if (!g->sessions || r < 0)
                grant_revoke(g, "session-ended", NULL, NULL);
        else if (g->state == GRANT_ACTIVE && grant_record_save(g) < 0)
                log_warning("Cannot write the record of %s, ignoring", g->account);
}

void session_kill(Session *s) {
        int r = 0;

        if (s->kind == SESSION_ELEVATED) {
                session_end(s);
                return;
        }
        if (s->pidfd && syscall(SYS_pidfd_send_signal, sd_event_source_get_io_fd(s->pidfd), SIGKILL, NULL, 0) < 0 && errno != ESRCH)
                r = -errno;
        if (s->kind == SESSION_SCOPE && s->scope && !scope_starting(s->scope))
                r = scope_kill(s->scope);
        if (r < 0)
                log_error("Cannot kill what PID %d of %s has started, its deadline is PID 1's business: %s", s->pid, s->grant->account,
                          strerror(-r));
}
