/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>

#include "cgroup-path.h"
#include "log.h"
#include "logind.h"
#include "process-kill.h"
#include "scope.h"
#include "session.h"
#include "timefmt.h"

#define SYSTEMD1 "org.freedesktop.systemd1"
#define SYSTEMD1_PATH "/org/freedesktop/systemd1"
#define SYSTEMD1_MANAGER "org.freedesktop.systemd1.Manager"
#define STARTING_USEC (5 * USEC_PER_SEC)
/* The kernel tells of a cgroup's changes at most once in 10 ms, and of none that it has yet to tell of when the cgroup is removed
 * (cgroup_file_notify(), CGROUP_FILE_NOTIFY_MIN_INTV): the end of a command that takes no time is to be looked for. */
#define LOOK_AGAIN_USEC (30 * USEC_PER_MSEC)

struct Scope {
        Session *session;
        scope_started_t started;
        void *userdata; /* NULL: it has been called */
        sd_bus_slot *match, *call;
        sd_event_source *timeout;
        char *pid1, *job;      /* who has answered, and which job it is that we wait for */
        sd_bus_message *early; /* the job's end came before that answer */
        sd_event_source *events, *look_again;
};

const char *scope_unit(const Session *s, char ret[static SCOPE_UNIT_SIZE]) {
        (void) snprintf(ret, SCOPE_UNIT_SIZE, "jit-%.16s-%d.scope", s->grant->id, s->pid);
        return ret;
}

/* What was needed to start it. */
static void forget_start(Scope *c) {
        c->match = sd_bus_slot_unref(c->match);
        c->call = sd_bus_slot_unref(c->call);
        c->early = sd_bus_message_unref(c->early);
        c->timeout = sd_event_source_disable_unref(c->timeout);
        free(take_ptr(c->pid1));
        free(take_ptr(c->job));
}

Scope *scope_free(Scope *c) {
        if (!c)
                return NULL;
        forget_start(c);
        sd_event_source_disable_unref(c->events);
        sd_event_source_disable_unref(c->look_again);
        free(c);
        return NULL;
}

static Scope *scope_new(Session *s) {
        Scope *c = calloc(1, sizeof(*c));

        if (c)
                c->session = s;
        return c;
}

/* ---- while it lives ---- */

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Scope *c = userdata;

        (void) source, (void) revents;
        if (slice_is_empty(fd))
                session_end(c->session);
        return 0;
}

static int on_look_again(sd_event_source *source, uint64_t usec, void *userdata) {
        Scope *c = userdata;

        (void) usec;
        c->look_again = sd_event_source_disable_unref(source);
        return on_events(c->events, sd_event_source_get_io_fd(c->events), 0, c);
}

static int open_cgroup(const Session *s) {
        char slice[SLICE_NAME_MAX], unit[SCOPE_UNIT_SIZE];

        _cleanup_close_ int above = slice_open(grant_slice(s->grant, slice));
        int fd = above < 0 ? above : openat(above, scope_unit(s, unit), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 && above >= 0 ? -errno : fd;
}

static int watch_cgroup(Scope *c) {
        _cleanup_close_ int cgroup = open_cgroup(c->session), events = -1;
        int r;

        if (cgroup < 0)
                return cgroup == -ENOENT ? -ESRCH : cgroup;
        events = slice_events_open(cgroup);
        if (events < 0)
                return events == -ENOENT || events == -ENODEV ? -ESRCH : events;
        if (slice_is_empty(events)) /* and from here on the kernel tells of a change */
                return -ESRCH;
        r = sd_event_add_io(c->session->grant->manager->event, &c->events, events, EPOLLPRI, on_events, c);
        if (r < 0)
                return r;
        (void) take_fd(&events);
        (void) sd_event_source_set_io_fd_own(c->events, 1);
        return sd_event_add_time_relative(c->session->grant->manager->event, &c->look_again, CLOCK_BOOTTIME, LOOK_AGAIN_USEC, 1, on_look_again,
                                          c);
}

int scope_resume(Session *s, Scope **ret) {
        Scope *c = scope_new(s);
        int r = c ? watch_cgroup(c) : -ENOMEM;

        if (r < 0) {
                scope_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

int scope_kill(Scope *c) {
        _cleanup_close_ int cgroup = open_cgroup(c->session);

        if (cgroup < 0)
                return cgroup == -ENOENT ? 0 : cgroup;
        return slice_kill(cgroup);
}

/* ---- starting it ---- */

/* c may be gone after it. */
static void finish(Scope *c, int r) {
        void *userdata = take_ptr(c->userdata);

        forget_start(c);
        if (userdata)
                c->started(c->session, r, userdata);
}

void *scope_starting(const Scope *c) {
        return c->userdata;
}

void scope_give_up(Scope *c, int r) {
        finish(c, r);
}

/* PID 1's word is not enough: anybody may send us a signal with its name on it (a match tells senders apart by dbus-daemon's kindness, which does not
 * hold for a message to us alone), and a process that has ended gives its number away. */
static int check_place(const Scope *c) {
        char slice[SLICE_NAME_MAX], unit[SCOPE_UNIT_SIZE];
        CgroupPlace place;
        int r = cgroup_place_of(c->session->pid, &place);

        if (r < 0)
                return r;
        return streq(place.slice, grant_slice(c->session->grant, slice)) && streq(place.unit, scope_unit(c->session, unit)) ? 0 : -EIO;
}

static void take_result(Scope *c, const char *result) {
        int r = -EIO;

        if (streq(result, "done")) {
                r = check_place(c);
                if (r >= 0)
                        r = watch_cgroup(c);
        } else
                log_error("PID 1 has not made the scope of PID %d of %s: its job says \"%.40s\"", c->session->pid, c->session->grant->account,
                          result);
        finish(c, r);
}

/* A job of this unit's is over: of ours, and by the word of who started it? */
static void take_end(Scope *c, sd_bus_message *message) {
        const char *job, *unit, *result, *sender = sd_bus_message_get_sender(message);
        uint32_t id;

        if (sender && streq(sender, c->pid1) && sd_bus_message_rewind(message, true) >= 0 &&
            sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) >= 0 && streq(job, c->job))
                take_result(c, result);
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Scope *c = userdata;
        const char *job, *unit, *result;
        char own[SCOPE_UNIT_SIZE];
        uint32_t id;

        (void) error;
        if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) < 0 || !streq(unit, scope_unit(c->session, own)))
                return 0;
        if (c->job)
                take_end(c, message);
        else if (!c->early)
                c->early = sd_bus_message_ref(message);
        return 0;
}

static int on_job(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Scope *c = userdata;
        const char *job, *sender = sd_bus_message_get_sender(reply);

        (void) error;
        if (sd_bus_message_is_method_error(reply, NULL)) {
                log_error("PID 1 makes no scope for PID %d of %s: %s", c->session->pid, c->session->grant->account,
                          sd_bus_message_get_error(reply)->message);
                finish(c, -EIO);
                return 0;
        }
        if (sender && sd_bus_message_read(reply, "o", &job) >= 0) {
                c->pid1 = strdup(sender);
                c->job = strdup(job);
        }
        if (!c->pid1 || !c->job)
                finish(c, -EIO);
        else if (c->early)
                take_end(c, c->early);
        return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        const Scope *c = userdata;

        (void) source, (void) usec;
        log_error("PID 1 does not make the scope of PID %d of %s", c->session->pid, c->session->grant->account);
        finish(userdata, -ETIMEDOUT);
        return 0;
}

/* Before the call on the same connection: dbus-daemon takes messages in their order, so that the signal cannot be missed. Not with the unit's name as
 * arg2: sd-bus itself compares nothing behind an argument that is no string, and the first is a number. */
static int add_match(Scope *c, sd_bus *bus) {
        return sd_bus_match_signal_async(bus, &c->match, SYSTEMD1, SYSTEMD1_PATH, SYSTEMD1_MANAGER, "JobRemoved", on_job_removed, NULL, c);
}

static int append_properties(const Session *s, sd_bus_message *m, uint64_t left_usec) {
        const Role *role = grant_role(s->grant);
        char slice[SLICE_NAME_MAX], description[800]; /* its parts are capped where they come in */
        int r;

        (void) snprintf(description, sizeof(description), "%s of %s: %s as %s", s->grant->ticket, s->grant->requester, s->service, s->target);
        r = sd_bus_message_open_container(m, 'a', "(sv)");
        if (r >= 0)
                r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s", description, "Slice", "s",
                                          grant_slice(s->grant, slice), "PIDs", "au", 1, (uint32_t) s->pid, "RuntimeMaxUSec", "t", left_usec,
                                          "KillSignal", "i", (int32_t) SIGKILL, "CollectMode", "s", "inactive-or-failed");
        if (r >= 0 && role && role->memory_max > 0)
                r = sd_bus_message_append(m, "(sv)", "MemoryMax", "t", role->memory_max);
        if (r >= 0 && role && role->tasks_max > 0)
                r = sd_bus_message_append(m, "(sv)", "TasksMax", "t", role->tasks_max);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int ask_for_scope(Scope *c) {
        const Session *s = c->session;
        sd_bus *bus = logind_bus(s->grant->manager);
        JIT_CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        char unit[SCOPE_UNIT_SIZE];
        int r;

        if (!bus)
                return -ENOTCONN;
        if (now >= s->grant->deadline_usec)
                return -ETIME;
        r = add_match(c, bus);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &m, SYSTEMD1, SYSTEMD1_PATH, SYSTEMD1_MANAGER, "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", scope_unit(s, unit), "replace"); /* the slice may be about to stop, after its last scope */
        if (r >= 0)
                r = append_properties(s, m, s->grant->deadline_usec - now);
        if (r >= 0)
                r = sd_bus_message_append(m, "a(sa(sv))", 0);
        return r < 0 ? r : sd_bus_call_async(bus, &c->call, m, on_job, c, STARTING_USEC);
}

int scope_start(Session *s, scope_started_t started, void *userdata, Scope **ret) {
        Scope *c = scope_new(s);
        int r;

        if (!c)
                return -ENOMEM;
        c->started = started;
        c->userdata = userdata;
        r = ask_for_scope(c);
        if (r >= 0)
                r = sd_event_add_time_relative(s->grant->manager->event, &c->timeout, CLOCK_BOOTTIME, STARTING_USEC, 1, on_timeout, c);
        if (r < 0) {
                scope_free(c);
                return r;
        }
        *ret = c;
        return 0;
}
