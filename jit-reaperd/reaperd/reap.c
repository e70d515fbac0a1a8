/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>

#include "artefact.h"
#include "deadline-guard.h"
#include "grant-notice.h"
#include "grant-record.h"
#include "journal-acl.h"
#include "leftovers.h"
#include "log.h"
#include "logind.h"
#include "process-kill.h"
#include "reap.h"
#include "receipt.h"
#include "session.h"
#include "terminal.h"
#include "timefmt.h"
#include "uid-range.h"

/* How soon to look again when the kernel has not said that the cgroup is empty; and when to call for help. */
#define LOOK_AGAIN_USEC (50 * USEC_PER_MSEC)
#define LOOK_AGAIN_SLOWLY_USEC (2 * USEC_PER_SEC)
#define ALARM_USEC (2 * USEC_PER_SEC)
/* sshd dies with the rest: so long it gets to send the last line on the terminal to its client. The rights are gone already. */
#define HEAR_USEC (5 * USEC_PER_MSEC)
/* How long journald and logind may take to be done with an account that is gone; the receipt is written then. */
#define SETTLE_USEC (500 * USEC_PER_MSEC)
#define SETTLE_MAX_USEC (10 * USEC_PER_SEC)

typedef struct Waiter {
        struct Waiter *next;
        VarlinkLink *link;
        reap_done_t done;
        void *userdata;
} Waiter;

struct Reaping {
        Grant *grant;
        uint64_t started_usec; /* CLOCK_BOOTTIME */
        unsigned killed;
        bool counted, signalled, alarmed;
        uint64_t forgotten_usec; /* CLOCK_BOOTTIME */
        sd_event_source *events, *again;
        Waiter *waiters;
        Receipt receipt;
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
        if (user_slice_is_empty(fd))
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
                log_error("Cannot arm a timer for the removal of %s", g->account);
}

/* ---- killing ---- */

/* PAM's own process need not be in the account's cgroup yet: a login that is just opening its session. */
static void kill_pam_processes(const Grant *g) {
        for (Session *s = g->sessions; s; s = s->next)
                if (s->pidfd)
                        (void) syscall(SYS_pidfd_send_signal, sd_event_source_get_io_fd(s->pidfd), SIGKILL, NULL, 0);
}

/* 1: the account's cgroup is empty or was never there. */
static int kill_slice(Grant *g) {
        _cleanup_close_ int slice = user_slice_open(g->uid), events = -1;
        Reaping *r = g->reaping;
        int e;

        if (slice < 0)
                return slice == -ENOENT ? 1 : slice;
        if (!r->counted) {
                r->killed = user_slice_count(slice);
                r->counted = true;
        }
        if (r->events && user_slice_is_empty(sd_event_source_get_io_fd(r->events)))
                return 1;
        e = user_slice_kill(slice);
        if (e < 0 && e != -EOPNOTSUPP)
                return e;
        if (r->events)
                return 0;
        events = user_slice_events_open(slice);
        if (events < 0)
                return events == -ENOENT ? 1 : events;
        if (user_slice_is_empty(events)) /* and from here on the kernel tells of a change */
                return 1;
        e = sd_event_add_io(g->manager->event, &r->events, events, EPOLLPRI, on_slice_events, g);
        if (e < 0)
                return e;
        (void) take_fd(&events);
        (void) sd_event_source_set_io_fd_own(r->events, 1);
        return 0;
}

static void alarm_if_late(Grant *g, unsigned left, pid_t first) {
        Reaping *r = g->reaping;

        if (r->alarmed || now_usec(CLOCK_BOOTTIME) - r->started_usec < ALARM_USEC)
                return;
        r->alarmed = true;
        if (left > 0)
                log_fields(LOG_ALERT, NULL, "%s (UID %u) cannot be removed yet: %u processes do not die, PID %d among them; trying on",
                           g->account, g->uid, left, first);
        else
                log_fields(LOG_ALERT, NULL, "%s (UID %u) cannot be removed yet: its slice does not get empty; trying on", g->account, g->uid);
}

static bool is_dead(Grant *g) {
        unsigned left = 0;
        pid_t first = 0;

        if (uid_has_no_process(g->uid) || (uid_count_processes(g->uid, &left, &first) >= 0 && left == 0))
                return true;
        alarm_if_late(g, left, first);
        return false;
}

/* Everything that runs as the account gets its signal; true if nothing runs any more. */
static bool kill_and_prove(Grant *g) {
        Reaping *r = g->reaping;
        int slice, e;

        kill_pam_processes(g);
        slice = kill_slice(g);
        if (slice == 0 && !r->signalled) {
                /* All that is in the slice is dying, and the kernel tells when the last is dead. kill(2) of everything would queue behind them. */
                r->signalled = true;
                return false;
        }
        e = uid_kill_all(g->uid, uid_range_sender(g->manager->uids));
        if (slice < 0 || e < 0)
                log_error("Cannot kill the processes of %s, trying again: %s", g->account, strerror(slice < 0 ? -slice : -e));
        if (slice == 0)
                alarm_if_late(g, 0, 0);
        return slice == 1 && e >= 0 && is_dead(g);
}

/* ---- removing ---- */

static bool remove_one(Grant *g, const char *what, int result) {
        Reaping *r = g->reaping;

        if (result < 0) {
                if (!r->alarmed)
                        log_error("Cannot remove the %s of %s, trying again: %s", what, g->account, strerror(-result));
                r->alarmed = true;
                return false;
        }
        return true;
}

static bool remove_rights(Grant *g) {
        /* Both, whatever becomes of the first. */
        bool sudoers = remove_one(g, "sudo rule", sudoers_file_remove(g));

        return remove_one(g, "key", keys_file_remove(g)) && sudoers;
}

/* What the account cannot make anew: may be removed while its processes die. */
static bool remove_places(Grant *g) {
        return remove_one(g, "home", home_remove(g)) && remove_one(g, "user manager's mask", manager_mask_remove(g));
}

/* From here on there is no such account. */
static void forget(Grant *g) {
        g->state = GRANT_FORGOTTEN;
        g->gone_usec = now_usec(CLOCK_REALTIME);
        grant_forget_account(g);
        /* Who waits is told first: every message to the bus wakes others up, who then have the CPU. */
        answer_waiters(g->reaping);
        (void) grant_record_save(g); /* without it all of this is removed a second time after a restart, which does no harm */
        logind_forget_user(g->manager, g->uid);
        runtime_dir_stop(g);
        deadline_guard_stop(g);
        g->reaping->events = sd_event_source_disable_unref(g->reaping->events);
        g->reaping->forgotten_usec = now_usec(CLOCK_BOOTTIME);
}

/* Whether those who were told have forgotten the account too; what they left meanwhile is taken away. */
static bool is_settled(Grant *g) {
        Reaping *r = g->reaping;
        _cleanup_free_ char *state = NULL;
        unsigned left = 1;
        pid_t first = 0;

        deadline_guard_stop(g);
        user_slice_stop(g);
        journal_acl_remove(g->uid, &r->receipt); /* journald makes a UID's file when it gets to its first message */
        (void) uid_kill_all(g->uid, uid_range_sender(g->manager->uids));
        r->receipt.process_absent = uid_count_processes(g->uid, &left, &first) >= 0 && left == 0;
        for (const Session *s = g->past; s; s = s->next)
                if (s->logind_id)
                        logind_forget_session(g->manager, s->logind_id);
        if (left == 0 && (sd_uid_get_state(g->uid, &state) < 0 || streq(state, "offline")))
                return true;
        if (now_usec(CLOCK_BOOTTIME) - r->forgotten_usec < SETTLE_MAX_USEC) {
                logind_forget_user(g->manager, g->uid);
                return false;
        }
        if (left > 0)
                receipt_residue(&r->receipt, "%u processes with this UID, PID %d among them", left, first);
        else
                receipt_residue(&r->receipt, "logind still lists the user as %s", state);
        return true;
}

static void finish(Grant *g) {
        Reaping *r = g->reaping;
        int e;

        e = receipt_write(g, &r->receipt, r->killed);
        if (e < 0) {
                log_error("Cannot write the receipt of %s, trying again: %s", g->account, strerror(-e));
                look_again(g, LOOK_AGAIN_SLOWLY_USEC);
                return;
        }
        grant_notice_end(g, audit_last_hash(g->manager->audit), r->killed);
        if (!remove_one(g, "record", grant_record_remove(g))) {
                look_again(g, LOOK_AGAIN_SLOWLY_USEC);
                return;
        }
        grant_free(g);
}

static void reap_step(Grant *g) {
        Reaping *r = g->reaping;

        if (g->state == GRANT_FORGOTTEN) {
                if (is_settled(g))
                        finish(g);
                else
                        look_again(g, SETTLE_USEC);
                return;
        }
        bool gone = remove_rights(g), dead = kill_and_prove(g);
        gone = remove_places(g) && gone;
        if (!dead || !gone) {
                look_again(g, r->alarmed ? LOOK_AGAIN_SLOWLY_USEC : LOOK_AGAIN_USEC);
                return;
        }
        leftovers_remove(g, &r->receipt);
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
                log_error("No memory to remove %s; its deadline is PID 1's business until a restart", g->account);
                abort(); /* systemd starts us again, and the record says REVOKING */
        }
        r->grant = g;
        r->started_usec = now_usec(CLOCK_BOOTTIME);
        g->reaping = r;
        r->forgotten_usec = r->started_usec; /* where the record says FORGOTTEN */
        g->timer = sd_event_source_disable_unref(g->timer);
        if (detail && remove_rights(g) && terminal_tell(g->uid, detail) > 0)
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
                log_warning("Cannot write the record of %s, ignoring: /run is full?", g->account);
        reap_start(g, detail);
}

/* ---- orphans ---- */

static void orphans_in(Manager *m, int dir_fd, void (*remove)(Manager *m, const char *name)) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d)
                return;
        while ((e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        remove(m, e->d_name);
        (void) closedir(d);
}

static bool is_orphan(const Manager *m, const char *name) {
        if (grant_by_account(m, name))
                return false;
        log_warning("Removing what has no grant: %s", name);
        return true;
}

static void remove_key(Manager *m, const char *name) {
        if (is_orphan(m, name))
                (void) unlinkat(m->dirs.keys, name, 0);
}

static void remove_rule(Manager *m, const char *name) {
        if (is_orphan(m, name))
                (void) unlinkat(m->dirs.sudoers, name, 0);
}

static void remove_home(Manager *m, const char *name) {
        Grant g = {.manager = m};

        if (strlen(name) > ACCOUNT_NAME_MAX || !is_orphan(m, name))
                return;
        memcpy(g.account, name, strlen(name) + 1);
        (void) home_remove(&g);
}

static void remove_mask(Manager *m, const char *name) {
        uid_t uid;

        if (!manager_mask_parse(m->dirs.units, name, &uid) || !uid_range_contains(m->uids, uid) || grant_by_uid(m, uid))
                return;
        log_warning("Removing what has no grant: %s, and the processes of UID %u", name, uid);
        (void) uid_kill_all(uid, uid_range_sender(m->uids));
        Grant g = {.manager = m, .uid = uid};
        (void) manager_mask_remove(&g);
}

void reap_orphans(Manager *m) {
        orphans_in(m, m->dirs.sudoers, remove_rule);
        orphans_in(m, m->dirs.keys, remove_key);
        orphans_in(m, m->dirs.homes, remove_home);
        orphans_in(m, m->dirs.units, remove_mask);
}
