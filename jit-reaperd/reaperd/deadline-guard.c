/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <systemd/sd-bus.h>

#include "deadline-guard.h"
#include "log.h"
#include "logind.h"
#include "process-kill.h"
#include "timefmt.h"

#define SYSTEMD1 "org.freedesktop.systemd1"
#define SYSTEMD1_PATH "/org/freedesktop/systemd1"
#define SYSTEMD1_MANAGER "org.freedesktop.systemd1.Manager"

/* dbus-daemon(1), max_replies_per_connection: 128 on the system bus, and the call that is one too many is refused. The rest of them is others'. */
enum { NAME_SIZE = 48, ANSWERS_MAX = 64 };

/* PID 1 was asked when it started, and did not say. */
#define STARTED_UNKNOWN UINT64_MAX

static void unit_name(const Grant *g, const char *type, char ret[static NAME_SIZE]) {
        if (g->way == WAY_ELEVATION)
                (void) snprintf(ret, NAME_SIZE, "jit-deadline-%s.%s", g->id, type);
        else
                (void) snprintf(ret, NAME_SIZE, "jit-deadline-%u.%s", g->uid, type);
}

/* CLOCK_MONOTONIC, as PID 1's timers are. At the deadline itself: two grants of one ticket end at the same instant, and PID 1 starts what is due
 * together before it is busy with what the first has killed. We come first when we live, GRANT_TELL_USEC before, and stop the timer. */
static uint64_t elapses_at_usec(const Grant *g) {
        uint64_t now = now_usec(CLOCK_BOOTTIME), left = g->deadline_usec > now ? g->deadline_usec - now : 0;

        return now_usec(CLOCK_MONOTONIC) + left;
}

static int on_started(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;

        (void) error;
        m->n_guard_answers--;
        if (sd_bus_message_is_method_error(reply, NULL) &&
            !sd_bus_message_is_method_error(reply, "org.freedesktop.systemd1.UnitExists"))
                log_warning("PID 1 takes no timer for a deadline, ignoring: ours and the session's own RuntimeMaxSec hold: %s",
                            sd_bus_message_get_error(reply)->message);
        return 0;
}

/* Where many are started at once, what PID 1 says to most of them is not heard: the timer is there all the same. */
static int send_start(Manager *m, sd_bus *bus, sd_bus_message *message) {
        bool heard = m->n_guard_answers < ANSWERS_MAX;
        int r = heard ? sd_bus_call_async(bus, NULL, message, on_started, m, 0) : sd_bus_message_set_expect_reply(message, 0);

        if (r >= 0 && !heard)
                r = sd_bus_send(bus, message, NULL);
        if (r >= 0 && heard)
                m->n_guard_answers++;
        return r;
}

/* Counted from PID 1's own start: what is counted from the timer's start (OnActiveSec=) begins anew with each daemon-reload (seen on 252), and a grant
 * of an hour would then end an hour late. Only where PID 1 does not tell its start that is better than nothing. */
static int append_timer(sd_bus_message *m, const Grant *g, const char *description) {
        uint64_t start = g->manager->pid1_started_usec;
        bool known = start > 0 && start != STARTED_UNKNOWN;
        uint64_t in = elapses_at_usec(g) - (known ? start : now_usec(CLOCK_MONOTONIC));

        return sd_bus_message_append(m, "a(sv)", 4, "Description", "s", description, "TimersMonotonic", "a(st)", 1,
                                     known ? "OnStartupSec" : "OnActiveSec", in, "AccuracyUSec", "t", USEC_PER_MSEC,
                                     "RemainAfterElapse", "b", 0);
}

/* One write kills the whole tree (cgroup.kill), while PID 1 goes from process to process; for that a kernel older than 5.14 waits. Nice=: what is to
 * be killed may keep every processor busy. */
static int append_service(sd_bus_message *m, const char *service, const char *slice, const char *description) {
        char path[SLICE_PATH_MAX], script[2 * SLICE_PATH_MAX + 128];

        (void) snprintf(script, sizeof(script), "test -e %s/cgroup.kill && echo 1 >%s/cgroup.kill || exec systemctl kill --signal=SIGKILL %s",
                        slice_path(slice, path), path, slice);
        return sd_bus_message_append(m, "a(sa(sv))", 1, service, 6, "Description", "s", description, "Type", "s", "oneshot", "Nice", "i", -20,
                                     "DefaultDependencies", "b", 0, "CollectMode", "s", "inactive-or-failed", "ExecStart", "a(sasb)", 1,
                                     "/bin/sh", 3, "sh", "-c", script, 1);
}

static void start_timer(const Grant *g, sd_bus *bus) {
        JIT_CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char timer[NAME_SIZE], service[NAME_SIZE], slice[SLICE_NAME_MAX], description[160];
        int r;

        unit_name(g, "timer", timer);
        unit_name(g, "service", service);
        (void) snprintf(description, sizeof(description), "End of the grant of %s for %s", g->ticket, g->requester);
        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD1, SYSTEMD1_PATH, SYSTEMD1_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", timer, "fail");
        if (r >= 0)
                r = append_timer(m, g, description);
        if (r >= 0)
                r = append_service(m, service, grant_slice(g, slice), description);
        if (r >= 0)
                r = send_start(g->manager, bus, m);
        if (r < 0)
                log_warning("Cannot ask PID 1 for a timer for %s, ignoring: %s", grant_user(g), strerror(-r));
}

/* ---- when PID 1 started: once ---- */

static int on_pid1_start(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        sd_bus *bus = sd_bus_message_get_bus(reply);
        Manager *m = userdata;
        uint64_t at;

        (void) error;
        m->asking_pid1 = sd_bus_slot_unref(m->asking_pid1);
        if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "v", "t", &at) >= 0)
                m->pid1_started_usec = at;
        else {
                m->pid1_started_usec = STARTED_UNKNOWN;
                log_warning("PID 1 does not say when it started: a daemon-reload will delay what ends grants without us");
        }
        for (const Grant *g = m->grants; g; g = g->next)
                if (g->state == GRANT_ACTIVE) /* who has one already keeps it */
                        start_timer(g, bus);
        return 0;
}

/* False: it cannot even be asked. */
static bool ask_pid1(Manager *m, sd_bus *bus) {
        if (m->asking_pid1 && sd_bus_slot_get_bus(m->asking_pid1) == bus)
                return true;
        deadline_guard_forget_bus(m); /* that of a connection that is gone */
        return sd_bus_call_method_async(bus, &m->asking_pid1, SYSTEMD1, SYSTEMD1_PATH, "org.freedesktop.DBus.Properties", "Get", on_pid1_start,
                                        m, "ss", SYSTEMD1_MANAGER, "UserspaceTimestampMonotonic") >= 0;
}

void deadline_guard_forget_bus(Manager *m) {
        m->asking_pid1 = sd_bus_slot_unref(m->asking_pid1);
        m->n_guard_answers = 0;
        if (m->pid1_started_usec == STARTED_UNKNOWN)
                m->pid1_started_usec = 0;
}

void deadline_guard_start(const Grant *g) {
        sd_bus *bus = logind_bus(g->manager);

        if (!bus || (g->manager->pid1_started_usec == 0 && ask_pid1(g->manager, bus)))
                return;
        start_timer(g, bus);
}

void deadline_guard_stop(const Grant *g) {
        JIT_CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = logind_bus(g->manager);
        char timer[NAME_SIZE];

        if (!bus)
                return;
        unit_name(g, "timer", timer);
        /* "replace": also where its start is still queued. No answer is wanted: "not loaded" is one that has elapsed, or was never started. */
        if (sd_bus_message_new_method_call(bus, &m, SYSTEMD1, SYSTEMD1_PATH, SYSTEMD1_MANAGER, "StopUnit") >= 0 &&
            sd_bus_message_append(m, "ss", timer, "replace") >= 0 && sd_bus_message_set_expect_reply(m, 0) >= 0)
                (void) sd_bus_send(bus, m, NULL);
}
