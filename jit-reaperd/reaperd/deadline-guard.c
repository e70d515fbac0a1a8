/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <systemd/sd-bus.h>

#include "deadline-guard.h"
#include "log.h"
#include "logind.h"
#include "timefmt.h"

#define SYSTEMD1 "org.freedesktop.systemd1"
#define SYSTEMD1_PATH "/org/freedesktop/systemd1"
#define SYSTEMD1_MANAGER "org.freedesktop.systemd1.Manager"

/* We come first when we live, and stop the timer. */
#define AFTER_DEADLINE_USEC (50 * USEC_PER_MSEC)

static void unit_name(const Grant *g, const char *type, char ret[static 40]) {
        (void) snprintf(ret, 40, "jit-deadline-%u.%s", g->uid, type);
}

static int on_started(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void) userdata, (void) error;
        if (sd_bus_message_is_method_error(reply, NULL) &&
            !sd_bus_message_is_method_error(reply, "org.freedesktop.systemd1.UnitExists"))
                log_warning("PID 1 takes no timer for a deadline, ignoring: ours and the session's own RuntimeMaxSec hold: %s",
                            sd_bus_message_get_error(reply)->message);
        return 0;
}

static int on_stopped(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        /* "Not loaded": it has elapsed, or was never started. */
        (void) reply, (void) userdata, (void) error;
        return 0;
}

static int append_timer(sd_bus_message *m, uint64_t in_usec, const char *description) {
        return sd_bus_message_append(m, "a(sv)", 4, "Description", "s", description, "TimersMonotonic", "a(st)", 1, "OnActiveSec",
                                     in_usec, "AccuracyUSec", "t", USEC_PER_MSEC, "RemainAfterElapse", "b", 0);
}

static int append_service(sd_bus_message *m, const char *service, const char *slice, const char *description) {
        return sd_bus_message_append(m, "a(sa(sv))", 1, service, 5, "Description", "s", description, "Type", "s", "oneshot",
                                     "DefaultDependencies", "b", 0, "CollectMode", "s", "inactive-or-failed", "ExecStart",
                                     "a(sasb)", 1, "/bin/systemctl", 4, "systemctl", "kill", "--signal=SIGKILL", slice, 1);
}

void deadline_guard_start(const Grant *g) {
        sd_bus *bus = logind_bus(g->manager);
        JIT_CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t now = now_usec(CLOCK_BOOTTIME), left = g->deadline_usec > now ? g->deadline_usec - now : 0;
        char timer[40], service[40], slice[40], description[160];
        int r;

        if (!bus)
                return;
        unit_name(g, "timer", timer);
        unit_name(g, "service", service);
        (void) snprintf(slice, sizeof(slice), "user-%u.slice", g->uid);
        (void) snprintf(description, sizeof(description), "End of the grant of %s for %s", g->ticket, g->requester);
        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD1, SYSTEMD1_PATH, SYSTEMD1_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", timer, "fail");
        if (r >= 0)
                r = append_timer(m, left + AFTER_DEADLINE_USEC, description);
        if (r >= 0)
                r = append_service(m, service, slice, description);
        if (r >= 0)
                r = sd_bus_call_async(bus, NULL, m, on_started, NULL, 0);
        if (r < 0)
                log_warning("Cannot ask PID 1 for a timer for %s, ignoring: %s", g->account, strerror(-r));
}

void deadline_guard_stop(const Grant *g) {
        sd_bus *bus = logind_bus(g->manager);
        char timer[40];

        if (!bus)
                return;
        unit_name(g, "timer", timer);
        (void) sd_bus_call_method_async(bus, NULL, SYSTEMD1, SYSTEMD1_PATH, SYSTEMD1_MANAGER, "StopUnit", on_stopped, NULL, "ss",
                                        timer, "replace"); /* also where its start is still queued */
}
