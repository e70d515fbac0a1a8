/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include "deadline-guard.h"
#include "log.h"
#include "logind.h"
#include "pam-service.h"
#include "process-kill.h"
#include "session.h"
#include "timefmt.h"
#include "uid-range.h"

#define LOGIN1 "org.freedesktop.login1"
#define LOGIN1_PATH "/org/freedesktop/login1"
#define LOGIN1_MANAGER "org.freedesktop.login1.Manager"
#define RETRY_USEC (2 * USEC_PER_SEC)

struct LogindLink {
        Manager *manager;
        sd_bus *bus;
        sd_event_source *retry;
};

/* ---- sessions that come ---- */

/* A session under a UID of ours without a grant: its login looked the name up before the grant ended. It has no right to anything. */
static void end_stranger(Manager *m, const char *id, uid_t uid) {
        const char *fields[] = {"JIT_REASON=session-unknown", NULL};

        log_fields(LOG_WARNING, fields, "Session %s has UID %u, which no grant has: killing it", id, uid);
        int slice = user_slice_open(uid);
        if (slice >= 0) {
                (void) slice_kill(slice);
                (void) close(slice);
        }
        (void) uid_kill_all(uid, uid_range_sender(m->uids));
        logind_forget_user(m, uid);
}

/* Which of the grant's sessions it is: the one whose process is in it; while PID 1 still moves that, the only one that is not known yet. */
static Session *find_session(const Grant *g, const char *id) {
        Session *unknown = NULL;
        unsigned n = 0;

        for (Session *s = g->sessions; s; s = s->next) {
                _cleanup_free_ char *of_pid = NULL;
                if (s->logind_id || s->kind != SESSION_LOGIN)
                        continue;
                if (sd_pid_get_session(s->pid, &of_pid) >= 0 && streq(of_pid, id))
                        return s;
                unknown = s;
                n++;
        }
        return n == 1 ? unknown : NULL;
}

/* su(1) from outside of any session (a service): pam_systemd comes before us in its stack and makes one, which is empty as soon as the process is
 * in its scope. The slice's end, or the reservation's, takes whoever stays in it. */
static bool is_on_its_way(const Grant *g, const char *id) {
        _cleanup_free_ char *service = NULL;

        return grant_is_authorized(g) && sd_session_get_service(id, &service) >= 0 && pam_service_elevates(service);
}

static void note_session(Manager *m, const char *id) {
        uid_t uid;
        Grant *g;

        if (sd_session_get_uid(id, &uid) < 0 || !uid_range_contains(m->uids, uid))
                return;
        g = grant_by_uid(m, uid);
        if (g && is_on_its_way(g, id))
                return;
        /* RESERVED: it came by a PAM configuration without our session line. */
        if (!g || g->state == GRANT_RESERVED) {
                end_stranger(m, id, uid);
                return;
        }
        if (session_by_logind_id(m, id))
                return;
        Session *s = find_session(g, id);
        char *copy = s ? strdup(id) : NULL;
        if (copy)
                (void) session_set_logind_id(s, copy);
}

static int on_session_new(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        LogindLink *l = userdata;
        const char *id;

        (void) error;
        if (sd_bus_message_read(message, "s", &id) >= 0)
                note_session(l->manager, id);
        return 0;
}

/* logind has removed a session: its scope is empty or it was terminated. Anybody may send us a signal that says so (a match tells senders apart by
 * dbus-daemon's kindness, which does not hold for a message to us alone): its file below /run/systemd/sessions must be gone, too. */
static int on_session_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        LogindLink *l = userdata;
        const char *id;
        uid_t uid;

        (void) error;
        if (sd_bus_message_read(message, "s", &id) < 0 || sd_session_get_uid(id, &uid) >= 0)
                return 0;
        login_session_removed(l->manager, id);
        Session *s = session_by_logind_id(l->manager, id);
        if (s)
                session_end(s);
        return 0;
}

/* ---- after a reconnect: what is there now ---- */

static int on_sessions(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LogindLink *l = userdata;
        const char *id, *user, *seat, *path;
        uint32_t uid;

        (void) error;
        if (sd_bus_message_is_method_error(reply, NULL) ||
            sd_bus_message_enter_container(reply, 'a', "(susso)") < 0)
                return 0;
        while (sd_bus_message_read(reply, "(susso)", &id, &uid, &user, &seat, &path) > 0)
                if (uid_range_contains(l->manager->uids, uid))
                        note_session(l->manager, id);
        return 0;
}

/* An elevation has no slice of its own before its first scope. */
static bool has_slice(const Grant *g) {
        const Session *s = g->sessions;

        while (g->way == WAY_ELEVATION && s && s->kind != SESSION_SCOPE)
                s = s->next;
        return s;
}

static int on_logind_owner(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        LogindLink *l = userdata;
        const char *sender = message ? sd_bus_message_get_sender(message) : NULL;

        (void) error;
        if (message && (!sender || !streq(sender, "org.freedesktop.DBus"))) /* see on_session_removed() */
                return 0;
        for (const Grant *g = l->manager->grants; g; g = g->next)
                if (g->state == GRANT_ACTIVE && has_slice(g))
                        deadline_guard_start(g);
        login_session_reconcile(l->manager);
        (void) sd_bus_call_method_async(l->bus, NULL, LOGIN1, LOGIN1_PATH, LOGIN1_MANAGER, "ListSessions", on_sessions, l, "");
        return 0;
}

/* ---- the connection ---- */

static void logind_connect(LogindLink *l);

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        LogindLink *l = userdata;

        (void) s, (void) usec;
        l->retry = sd_event_source_disable_unref(l->retry);
        logind_connect(l);
        return 0;
}

static void bus_drop(LogindLink *l) {
        if (!l->bus)
                return;
        deadline_guard_forget_bus(l->manager);
        (void) sd_bus_detach_event(l->bus);
        l->bus = sd_bus_close_unref(l->bus);
}

static void retry_later(LogindLink *l) {
        if (!l->retry)
                (void) sd_event_add_time_relative(l->manager->event, &l->retry, CLOCK_BOOTTIME, RETRY_USEC, USEC_PER_SEC,
                                                  on_retry, l);
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        LogindLink *l = userdata;

        (void) message, (void) error;
        log_warning("The system bus is gone; looking for it again");
        retry_later(l); /* the bus object is in use here: it is dropped by the retry */
        return 0;
}

static int add_matches(LogindLink *l) {
        int r;

        r = sd_bus_match_signal_async(l->bus, NULL, "org.freedesktop.DBus.Local", NULL, "org.freedesktop.DBus.Local",
                                      "Disconnected", on_disconnected, NULL, l);
        if (r >= 0)
                r = sd_bus_match_signal_async(l->bus, NULL, LOGIN1, LOGIN1_PATH, LOGIN1_MANAGER, "SessionNew", on_session_new,
                                              NULL, l);
        if (r >= 0)
                r = sd_bus_match_signal_async(l->bus, NULL, LOGIN1, LOGIN1_PATH, LOGIN1_MANAGER, "SessionRemoved",
                                              on_session_removed, NULL, l);
        if (r >= 0)
                r = sd_bus_add_match_async(l->bus, NULL,
                                           "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                           "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" LOGIN1 "'",
                                           on_logind_owner, NULL, l);
        if (r >= 0)
                r = on_logind_owner(NULL, l, NULL);
        return r;
}

static void logind_connect(LogindLink *l) {
        int r;

        bus_drop(l);
        /* sd_bus_open_system() connects and says hello without waiting for an answer; the loop does the rest. */
        r = sd_bus_open_system(&l->bus);
        if (r >= 0)
                r = sd_bus_attach_event(l->bus, l->manager->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = add_matches(l);
        if (r < 0) {
                log_warning("Cannot reach the system bus, trying again: %s", strerror(-r));
                bus_drop(l);
                retry_later(l);
        }
}

static int on_terminated(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void) userdata, (void) error;
        /* "No such user" is what is wanted; anything else logind does by itself some seconds later. */
        if (sd_bus_message_is_method_error(reply, NULL) &&
            !sd_bus_message_is_method_error(reply, "org.freedesktop.login1.NoSuchUser"))
                log_debug("logind did not terminate a user: %s", sd_bus_message_get_error(reply)->message);
        return 0;
}

void logind_forget_user(Manager *m, uid_t uid) {
        LogindLink *l = m->logind;

        if (l && l->bus)
                (void) sd_bus_call_method_async(l->bus, NULL, LOGIN1, LOGIN1_PATH, LOGIN1_MANAGER, "TerminateUser",
                                                on_terminated, l, "u", (uint32_t) uid);
}

static int on_reset(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void) reply, (void) userdata, (void) error; /* not loaded: as it should be */
        return 0;
}

void logind_forget_session(Manager *m, const char *id) {
        LogindLink *l = m->logind;
        char scope[64];

        (void) snprintf(scope, sizeof(scope), "session-%.40s.scope", id);
        if (l && l->bus)
                (void) sd_bus_call_method_async(l->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                                "org.freedesktop.systemd1.Manager", "ResetFailedUnit", on_reset, l, "s", scope);
}

sd_bus *logind_bus(const Manager *m) {
        return m->logind ? m->logind->bus : NULL;
}

int logind_bus_get(const Manager *m, sd_bus_slot **ret_slot, const char *service, const char *parent, const char *name, const char *interface,
                   const char *property, sd_bus_message_handler_t answer, void *userdata, uint64_t timeout_usec) {
        JIT_CLEANUP(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        _cleanup_free_ char *path = NULL;
        sd_bus *bus = logind_bus(m);
        int r;

        if (!bus)
                return -ENOTCONN;
        r = sd_bus_path_encode(parent, name, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &question, service, path, "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(question, "ss", interface, property);
        return r < 0 ? r : sd_bus_call_async(bus, ret_slot, question, answer, userdata, timeout_usec);
}

int logind_link_new(Manager *m, LogindLink **ret) {
        LogindLink *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        l->manager = m;
        *ret = l;
        logind_connect(l);
        return 0;
}

LogindLink *logind_link_free(LogindLink *l) {
        if (!l)
                return NULL;
        bus_drop(l);
        sd_event_source_disable_unref(l->retry);
        free(l);
        return NULL;
}
