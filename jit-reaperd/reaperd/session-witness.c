/* SPDX-License-Identifier: Apache-2.0 */

/* Who tells of a session's end, and what makes sure that somebody will. */

#include <errno.h>
#include <systemd/sd-login.h>

#include "deadline-guard.h"
#include "grant-record.h"
#include "log.h"
#include "process-watch.h"
#include "session.h"
#include "timefmt.h"

/* PAM's process still has to log out, to write wtmp and to say good-bye: so long it may take until we kill it with the rest. */
#define CLOSING_USEC (250 * USEC_PER_MSEC)
/* pam_systemd comes after us in the PAM stack, and is "optional" there: a session that has no scope by then has no time limit that holds
 * without us, and is ended. */
#define SETTLING_USEC (10 * USEC_PER_SEC)
/* PID 1 is busy with the login itself before; RuntimeMaxSec and our own timer hold meanwhile. */
#define GUARD_USEC (1 * USEC_PER_SEC)

static void unwatch_login(Session *s) {
        if (s->link) {
                varlink_link_on_gone(s->link, NULL, NULL);
                s->link = varlink_link_unref(s->link);
        }
        s->closing = sd_event_source_disable_unref(s->closing);
        s->settling = sd_event_source_disable_unref(s->settling);
}

void session_unwatch(Session *s) {
        s->pidfd = sd_event_source_disable_unref(s->pidfd);
        if (s->kind == SESSION_LOGIN) {
                unwatch_login(s);
                return;
        }
        s->from = login_session_free(s->from);
        json_decref(take_ptr(s->from_record));
        void *opening = s->scope ? scope_starting(s->scope) : NULL;
        s->scope = scope_free(s->scope);
        session_opening_cancel(opening);
}

/* ---- the process ---- */

static int on_process_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Session *s = userdata;

        (void) source, (void) fd, (void) revents;
        if (s->kind == SESSION_SCOPE && s->scope && scope_starting(s->scope))
                scope_give_up(s->scope, -ESRCH);
        else
                session_end(s);
        return 0;
}

int session_watch_process(Session *s) {
        return process_watch(s->grant->manager->event, s->pid, &s->pid_start, on_process_gone, s, &s->pidfd);
}

/* ---- a login ---- */

static int on_closing_time(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source, (void) usec;
        session_end(userdata);
        return 0;
}

/* The held connection has ended: PAM has closed the session, or its process is dying. */
static void on_link_gone(VarlinkLink *l, void *userdata) {
        Session *s = userdata;

        (void) l;
        s->link = varlink_link_unref(s->link);
        if (!s->closing && sd_event_add_time_relative(s->grant->manager->event, &s->closing, CLOCK_BOOTTIME, CLOSING_USEC, 0,
                                                      on_closing_time, s) < 0)
                session_end(s);
}

/* The timer is not needed any more, and memory is counted. */
static void settled(Session *s) {
        s->settling = sd_event_source_disable_unref(s->settling);
}

static int on_settling(sd_event_source *source, uint64_t usec, void *userdata) {
        Session *s = userdata;
        _cleanup_free_ char *id = NULL;
        bool last = s->guarded;

        (void) usec;
        if (s->grant->state != GRANT_ACTIVE)
                return 0;
        if (!s->guarded)
                deadline_guard_start(s->grant);
        s->guarded = true;
        if (!s->logind_id && sd_pid_get_session(s->pid, &id) >= 0)
                (void) session_set_logind_id(s, take_ptr(id));
        /* What other programs than sshd open need not be a session of logind's. */
        if (s->logind_id || !streq(s->service, "sshd")) {
                settled(s);
                return 0;
        }
        if (!last) {
                (void) sd_event_source_set_time_relative(source, SETTLING_USEC);
                return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        log_error("logind has no session of PID %d of %s: ending it, nothing would end it at its deadline", s->pid, s->grant->account);
        session_end(s);
        return 0;
}

void session_watch_login(Session *s, VarlinkLink *link) {
        s->link = varlink_link_ref(link);
        varlink_link_on_gone(link, on_link_gone, s);
        (void) sd_event_add_time_relative(s->grant->manager->event, &s->settling, CLOCK_BOOTTIME, GUARD_USEC, USEC_PER_SEC, on_settling, s);
}

/* ---- after a restart of ours ---- */

/* 0, or -ENXIO: the login session that it came from is over, or cannot be watched. */
static int resume_from(Session *s) {
        int r = login_session_resume(s, s->from_record, &s->from);

        json_decref(take_ptr(s->from_record));
        if (r < 0 && r != -ENXIO)
                log_warning("Cannot watch the login session that PID %d of %s was started from, taking it for ended: %s", s->pid,
                            s->grant->account, strerror(-r));
        return r < 0 ? -ENXIO : 0;
}

static int resume_scope(Session *s) {
        int r = scope_resume(s, &s->scope);

        if (r >= 0 && s->from_record && resume_from(s) < 0)
                session_kill(s);
        return r;
}

static int resume_login(Session *s) {
        if (s->logind_id && session_set_logind_id(s, s->logind_id) < 0)
                return -ENOMEM;
        return session_watch_process(s);
}

int session_resume(Session *s) {
        switch (s->kind) {
        case SESSION_SCOPE:
                return resume_scope(s);
        case SESSION_ELEVATED:
                return s->from_record && resume_from(s) >= 0 ? 0 : -ESRCH;
        default:
                return resume_login(s);
        }
}

static bool has_scope(const Grant *g) {
        const Session *s = g->sessions;

        while (s && s->kind != SESSION_SCOPE)
                s = s->next;
        return s;
}

bool session_resume_all(Grant *g) {
        bool changed = false;

        for (Session *s = g->sessions, *next; s; s = next) {
                next = s->next;
                if (session_resume(s) < 0 && g->state == GRANT_ACTIVE) {
                        session_retire(s);
                        changed = true;
                }
        }
        if (g->state != GRANT_ACTIVE || !g->sessions)
                return g->sessions;
        if (has_scope(g)) /* we may have ended between its start and this */
                deadline_guard_start(g);
        if (session_check_rule(g) < 0)
                return false; /* the grant's end takes it away, for as long as it takes */
        if (changed && grant_record_save(g) < 0)
                log_warning("Cannot write the record of %s, ignoring", g->account);
        return true;
}
