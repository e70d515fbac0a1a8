/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "grant-notice.h"
#include "grant-record.h"
#include "log.h"
#include "process-kill.h"
#include "reap-kind.h"
#include "session.h"
#include "terminal.h"
#include "timefmt.h"

/* How soon to look again when the kernel has not said that the cgroup is empty; and when to call for help. */
#define LOOK_AGAIN_USEC (50 * USEC_PER_MSEC)
#define LOOK_AGAIN_SLOWLY_USEC (2 * USEC_PER_SEC)
#define ALARM_USEC (2 * USEC_PER_SEC)
/* sshd dies with the rest: so long it gets to send the last line on the terminal to its client. The rights are gone already. (A person's
 * own sshd goes on.) */
#define HEAR_USEC (5 * USEC_PER_MSEC)
/* How long journald and logind may take to be done with an account that is gone; the receipt is written then. */
#define SETTLE_USEC (500 * USEC_PER_MSEC)
#define SETTLE_MAX_USEC (10 * USEC_PER_SEC)

struct Waiter {
        Waiter *next;
        VarlinkLink *link;
        reap_done_t done;
        void *userdata;
};

static const ReapKind *const kinds[] = {
        [WAY_ACCOUNT] = &reap_account,
        [WAY_ELEVATION] = &reap_elevation,
};

static void reap_step(Grant *g);

static void answer_waiters(Reaping *r) {
        while (r->waiters) {
                Waiter *w = r->waiters;
                r->waiters = w->next;
                w->done(w->link, w->userdata);
                varlink_link_unref(w->link);
                free(w);
        }
}

Reaping *reaping_free(Reaping *r) {
        if (!r)
                return NULL;
        sd_event_source_disable_unref(r->events);
        sd_event_source_disable_unref(r->again);
        answer_waiters(r);
        receipt_done(&r->receipt);
        free(r);
        return NULL;
}

int reap_wait(Grant *g, VarlinkLink *link, reap_done_t done, void *userdata) {
        Waiter *w = malloc(sizeof(*w));

        if (!w)
                return -ENOMEM;
        *w = (Waiter){g->reaping->waiters, varlink_link_ref(link), done, userdata};
        g->reaping->waiters = w;
        return 0;
}

/* ---- looking again ---- */

static int on_slice_events(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        (void) s, (void) revents;
        if (slice_is_empty(fd))
                reap_step(userdata);
        return 0;
}

static int on_again(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) s, (void) usec;
        reap_step(userdata);
        return 0;
}

static void look_again(Grant *g, uint64_t in_usec) {
        Reaping *r = g->reaping;

        r->again = sd_event_source_disable_unref(r->again);
        if (sd_event_add_time_relative(g->manager->event, &r->again, CLOCK_BOOTTIME, in_usec, 1, on_again, g) < 0)
                log_error("Cannot arm a timer for the removal of %s", grant_user(g));
}

/* ---- for the kinds ---- */

void reap_kill_callers(const Grant *g) {
        for (Session *s = g->sessions; s; s = s->next)
                if (s->pidfd && s->kind != SESSION_ELEVATED) /* which is the person's own process */
                        (void) syscall(SYS_pidfd_send_signal, sd_event_source_get_io_fd(s->pidfd), SIGKILL, NULL, 0);
}

int reap_kill_slice(Grant *g) {
        char name[SLICE_NAME_MAX];
        _cleanup_close_ int slice = slice_open(grant_slice(g, name)), events = -1;
        Reaping *r = g->reaping;
        int e;

        if (slice < 0)
                return slice == -ENOENT ? 1 : slice;
        if (!r->counted) {
                r->killed = slice_count(slice);
                r->counted = true;
        }
        if (r->events && slice_is_empty(sd_event_source_get_io_fd(r->events)))
                return 1;
        e = slice_kill(slice);
        if (e < 0 && e != -EOPNOTSUPP)
                return e;
        if (r->events)
                return 0;
        events = slice_events_open(slice);
        if (events < 0)
                return events == -ENOENT ? 1 : events;
        if (slice_is_empty(events)) /* and from here on the kernel tells of a change */
                return 1;
        e = sd_event_add_io(g->manager->event, &r->events, events, EPOLLPRI, on_slice_events, g);
        if (e < 0)
                return e;
        (void) take_fd(&events);
        (void) sd_event_source_set_io_fd_own(r->events, 1);
        return 0;
}

void reap_alarm_if_late(Grant *g, unsigned left, pid_t first) {
        Reaping *r = g->reaping;

        if (r->alarmed || now_usec(CLOCK_BOOTTIME) - r->started_usec < ALARM_USEC)
                return;
        r->alarmed = true;
        if (left > 0)
                log_fields(LOG_ALERT, NULL, "%s (UID %u) cannot be removed yet: %u processes do not die, PID %d among them; trying on",
                           g->account, g->uid, left, first);
        else
                log_fields(LOG_ALERT, NULL, "The grant of %s for %s cannot be removed yet: its slice does not get empty; trying on", g->ticket,
                           g->requester);
}

bool reap_is_removed(Grant *g, const char *what, int result) {
        Reaping *r = g->reaping;

        if (result >= 0)
                return true;
        if (!r->alarmed)
                log_error("Cannot remove the %s of %s, trying again: %s", what, grant_user(g), strerror(-result));
        r->alarmed = true;
        return false;
}

/* ---- step by step ---- */

/* From here on there is no such account, and nobody is elevated. */
static void forget(Grant *g) {
        g->state = GRANT_FORGOTTEN;
        g->gone_usec = now_usec(CLOCK_REALTIME);
        grant_forget_account(g);
        /* Who waits is told first: every message to the bus wakes others up, who then have the CPU. */
        answer_waiters(g->reaping);
        (void) grant_record_save(g); /* without it all of this is removed a second time after a restart, which does no harm */
        g->reaping->kind->tell_others(g);
        g->reaping->events = sd_event_source_disable_unref(g->reaping->events);
        g->reaping->forgotten_usec = now_usec(CLOCK_BOOTTIME);
}

static void finish(Grant *g) {
        Reaping *r = g->reaping;
        int e;

        e = receipt_write(g, &r->receipt, r->killed);
        if (e < 0) {
                log_error("Cannot write the receipt of %s, trying again: %s", grant_user(g), strerror(-e));
                look_again(g, LOOK_AGAIN_SLOWLY_USEC);
                return;
        }
        grant_notice_end(g, audit_last_hash(g->manager->audit), r->killed);
        if (!reap_is_removed(g, "record", grant_record_remove(g))) {
                look_again(g, LOOK_AGAIN_SLOWLY_USEC);
                return;
        }
        grant_free(g);
}

static void reap_step(Grant *g) {
        Reaping *r = g->reaping;

        if (g->state == GRANT_FORGOTTEN) {
                if (r->kind->is_settled(g, now_usec(CLOCK_BOOTTIME) - r->forgotten_usec >= SETTLE_MAX_USEC))
                        finish(g);
                else
                        look_again(g, SETTLE_USEC);
                return;
        }
        bool gone = r->kind->remove_rights(g), dead = r->kind->kill_and_prove(g);
        if (r->kind->remove_places)
                gone = r->kind->remove_places(g) && gone;
        if (!dead || !gone) {
                look_again(g, r->alarmed ? LOOK_AGAIN_SLOWLY_USEC : LOOK_AGAIN_USEC);
                return;
        }
        if (r->kind->remove_leftovers)
                r->kind->remove_leftovers(g);
        forget(g);
        look_again(g, SETTLE_USEC);
}

/* At a deadline, until then. */
static uint64_t hear_usec(const Grant *g) {
        uint64_t now = now_usec(CLOCK_BOOTTIME), left = g->deadline_usec > now ? g->deadline_usec - now : 0;

        return left > 0 && left <= GRANT_TELL_USEC ? left : HEAR_USEC;
}

void reap_start(Grant *g, const char *detail) {
        Reaping *r = calloc(1, sizeof(*r));

        if (!r) {
                log_error("No memory to remove %s; its deadline is PID 1's business until a restart", grant_user(g));
                abort(); /* systemd starts us again, and the record says REVOKING */
        }
        r->grant = g;
        r->kind = kinds[g->way];
        r->started_usec = now_usec(CLOCK_BOOTTIME);
        g->reaping = r;
        r->forgotten_usec = r->started_usec; /* where the record says FORGOTTEN */
        g->timer = sd_event_source_disable_unref(g->timer);
        if (detail && r->kind->remove_rights(g) && terminal_tell(g, detail) > 0 && g->way == WAY_ACCOUNT)
                look_again(g, hear_usec(g));
        else
                reap_step(g);
}

void grant_revoke(Grant *g, const char *reason, const char *detail, const char *by) {
        if (g->state == GRANT_REVOKING || g->state == GRANT_FORGOTTEN)
                return;
        if (g->state == GRANT_RESERVED) {
                grant_release(g);
                return;
        }
        g->state = GRANT_REVOKING;
        g->authorized = false;
        g->end_reason = strdup(reason);
        g->end_by = by ? strdup(by) : NULL;
        g->end_usec = now_usec(CLOCK_REALTIME);
        g->gone_usec = 0;
        if (grant_record_save(g) < 0)
                log_warning("Cannot write the record of %s, ignoring: /run is full?", grant_user(g));
        reap_start(g, detail);
}
