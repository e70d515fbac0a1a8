/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <search.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>

#include "artefact.h"
#include "deadline-guard.h"
#include "grant-log.h"
#include "grant-notice.h"
#include "grant-recheck.h"
#include "grant-record.h"
#include "json.h"
#include "log.h"
#include "process-kill.h"
#include "session.h"
#include "timefmt.h"
#include "used-ticket.h"

/* PAM's process still has to log out, to write wtmp and to say good-bye: so long it may take until we kill it with the rest. */
#define CLOSING_USEC (250 * USEC_PER_MSEC)
/* pam_systemd comes after us in the PAM stack, and is "optional" there: a session that has no scope by then has no time limit that holds
 * without us, and is ended. */
#define SETTLING_USEC (10 * USEC_PER_SEC)
/* PID 1 is busy with the login itself before; RuntimeMaxSec and our own timer hold meanwhile. */
#define GUARD_USEC (1 * USEC_PER_SEC)
enum {
        PAST_SESSIONS_MAX = 128, /* kept for the receipt */
        SESSIONS_MAX = 128,      /* at one time under one grant */
};

Session *session_new(Grant *g) {
        Session *s = calloc(1, sizeof(*s));

        if (s)
                s->grant = g;
        return s;
}

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

Session *session_free(Session *s) {
        if (!s)
                return NULL;
        if (s->link) {
                varlink_link_on_gone(s->link, NULL, NULL);
                varlink_link_unref(s->link);
        }
        sd_event_source_disable_unref(s->pidfd);
        sd_event_source_disable_unref(s->closing);
        sd_event_source_disable_unref(s->settling);
        forget_logind_id(s);
        free(s->service);
        free(s->rhost);
        free(s->tty);
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

static void session_unlink(Session *s) {
        for (Session **p = &s->grant->sessions; *p; p = &(*p)->next)
                if (*p == s) {
                        *p = s->next;
                        break;
                }
        s->next = NULL;
}

/* ---- the witnesses ---- */

static int on_process_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) source, (void) fd, (void) revents;
        session_end(userdata);
        return 0;
}

static int on_closing_time(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source, (void) usec;
        session_end(userdata);
        return 0;
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
        /* What other programs than sshd open need not be a session of logind's: su(1) stays in its caller's. */
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

/* The held connection has ended: PAM has closed the session, or its process is dying. */
static void on_link_gone(VarlinkLink *l, void *userdata) {
        Session *s = userdata;

        (void) l;
        s->link = varlink_link_unref(s->link);
        if (!s->closing && sd_event_add_time_relative(s->grant->manager->event, &s->closing, CLOCK_BOOTTIME, CLOSING_USEC, 0,
                                                      on_closing_time, s) < 0)
                session_end(s);
}

static int watch_process(Session *s) {
        int r, fd = (int) syscall(SYS_pidfd_open, s->pid, 0);

        if (fd < 0)
                return -errno;
        r = sd_event_add_io(s->grant->manager->event, &s->pidfd, fd, EPOLLIN, on_process_gone, s);
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        (void) sd_event_source_set_io_fd_own(s->pidfd, 1);
        return 0;
}

int session_resume(Session *s) {
        uint64_t start;
        int r;

        if (s->logind_id && session_set_logind_id(s, s->logind_id) < 0)
                return -ENOMEM;
        r = watch_process(s);
        if (r < 0)
                return r;
        /* Asked after the descriptor is open: now the number cannot change hands. */
        r = process_start_time(s->pid, &start);
        if (r >= 0 && start != s->pid_start)
                r = -ESRCH;
        if (r < 0) /* somebody else's process: neither a witness nor one to kill */
                s->pidfd = sd_event_source_disable_unref(s->pidfd);
        return r;
}

/* So that the record and the receipt keep their size when somebody's script logs in a thousand times under one grant. The latest stay; the
 * audit file has each one's beginning. */
static void forget_old_sessions(Grant *g) {
        Session *last = g->past;

        for (unsigned n = 1; last && n < PAST_SESSIONS_MAX; n++)
                last = last->next;
        for (Session *s = last ? last->next : NULL; s; s = s->next)
                g->n_forgotten++;
        if (last)
                last->next = session_free_all(last->next);
}

void session_end(Session *s) {
        Grant *g = s->grant;

        session_unlink(s);
        forget_logind_id(s);
        if (s->link) {
                varlink_link_on_gone(s->link, NULL, NULL);
                s->link = varlink_link_unref(s->link);
        }
        s->pidfd = sd_event_source_disable_unref(s->pidfd);
        s->closing = sd_event_source_disable_unref(s->closing);
        s->settling = sd_event_source_disable_unref(s->settling);
        s->to_usec = now_usec(CLOCK_REALTIME);
        s->next = g->past;
        g->past = s;
        forget_old_sessions(g);
        if (g->state == GRANT_ACTIVE && g->sessions && grant_record_save(g) < 0)
                log_warning("Cannot write the record of %s, ignoring", g->account);
        if (!g->sessions)
                grant_revoke(g, "session-ended", NULL, NULL);
}

/* ---- opening ---- */

static int take_caller(Session *s, const Caller *c) {
        s->service = strdup(c->service);
        s->rhost = c->rhost ? strdup(c->rhost) : NULL;
        s->tty = c->tty ? strdup(c->tty) : NULL;
        return s->service && (s->rhost || !c->rhost) && (s->tty || !c->tty) ? 0 : -ENOMEM;
}

static int make_artefacts(const Grant *g) {
        int r = manager_mask_make(g);

        if (r >= 0)
                r = keys_file_make(g, g->until_usec);
        if (r >= 0)
                r = home_make(g);
        if (r >= 0)
                r = sudoers_file_make(g);
        return r;
}

/* A grant without its line in the audit file is none. */
static int audit_active(const Grant *g) {
        json_t *event = json_pack("{s:s,s:s,s:s,s:I,s:s,s:s*,s:s,s:s,s:o,s:I}", "event", "grant.active", "grant", g->id,
                                  "account", g->account, "uid", (json_int_t) g->uid, "ticket", g->ticket, "digest", g->digest,
                                  "requester", g->requester, "role", g->role, "approvers", json_from_strv(g->approvers),
                                  "until", (json_int_t) g->until_usec);

        int r = audit_write(g->manager->audit, event, false);

        if (r >= 0)
                grant_log(g, LOG_NOTICE, "approved", "%s of %s is active as %s (role %s)", g->ticket, g->requester, g->account, g->role);
        return r;
}

/* RESERVED to ACTIVE: first what will be, in the record, then its effects. */
static int activate(Grant *g) {
        int r;

        g->state = GRANT_ACTIVE;
        r = grant_record_save(g);
        if (r >= 0)
                r = grant_record_save_live(g);
        if (r >= 0)
                r = used_ticket_mark(g);
        if (r >= 0)
                r = make_artefacts(g);
        if (r >= 0)
                r = grant_arm(g);
        if (r >= 0)
                r = audit_active(g);
        if (r < 0)
                return r;
        g->keys = strv_free(g->keys); /* in the file, and needed no more */
        grant_recheck_begin(g);
        grant_notice_start(g);
        return 0;
}

static void audit_session(const Session *s) {
        json_t *event = session_to_json(s);

        if (event) {
                (void) json_set_str(event, "event", "session.open");
                (void) json_set_str(event, "grant", s->grant->id);
                (void) json_set_str(event, "account", s->grant->account);
        }
        if (!event || audit_write(s->grant->manager->audit, event, false) < 0)
                log_warning("Cannot write the audit line of a session of %s, ignoring", s->grant->account);
}

static bool has_too_many_sessions(const Grant *g) {
        unsigned n = 0;

        for (const Session *s = g->sessions; s; s = s->next)
                n++;
        return n >= SESSIONS_MAX;
}

int session_open(Grant *g, VarlinkLink *link, const Caller *caller) {
        Session *s = has_too_many_sessions(g) ? NULL : session_new(g);
        int r;

        if (!s)
                return -ENOMEM;
        s->pid = varlink_link_pid(link);
        s->from_usec = now_usec(CLOCK_REALTIME);
        r = take_caller(s, caller);
        if (r >= 0)
                r = watch_process(s);
        if (r >= 0)
                r = process_start_time(s->pid, &s->pid_start);
        if (r < 0) {
                session_free(s);
                return r;
        }
        session_link(s);
        r = g->state == GRANT_RESERVED ? activate(g) : grant_record_save(g);
        if (r < 0) {
                /* Half made: the one way out takes all of it back, and says so in the receipt. */
                session_unlink(s);
                session_free(s);
                if (g->sessions)
                        return r;
                used_ticket_unmark(g);
                grant_revoke(g, r == -ENOSPC ? "no-space" : "internal", NULL, NULL);
                return r;
        }
        s->link = varlink_link_ref(link);
        varlink_link_on_gone(link, on_link_gone, s);
        (void) sd_event_add_time_relative(g->manager->event, &s->settling, CLOCK_BOOTTIME, GUARD_USEC, USEC_PER_SEC, on_settling, s);
        audit_session(s);
        return 0;
}
