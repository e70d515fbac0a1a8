/* SPDX-License-Identifier: Apache-2.0 */

/* Who has called run0(1). Its process is started by PID 1 and has nothing of its caller's; SUDO_USER= and the like in its environment are the
 * caller's own words. PID 1 knows which connection to the bus asked for the unit and holds on to it, and the bus knows whose that is. */

#include <errno.h>
#include <systemd/sd-bus.h>

#include "cgroup-path.h"
#include "cleanup.h"
#include "grant.h"
#include "log.h"
#include "logind.h"
#include "origin.h"
#include "timefmt.h"

#define DBUS "org.freedesktop.DBus"
#define ASKING_USEC (5 * USEC_PER_SEC)

enum { RESOLVING_MAX = 64 };

/* Freed with its answer, which the bus owes in ASKING_USEC, also where its connection breaks. */
typedef struct Resolving {
        Manager *manager;
        VarlinkLink *link;
        Origin origin; /* the child's, until the caller's is known */
        origin_found_t found;
        void *userdata;
} Resolving;

static void finish(Resolving *q, int r) {
        Manager *m = q->manager;

        if (r >= 0 && varlink_link_has_hung_up(q->link))
                r = -ESRCH;
        m->n_resolving--;
        q->found(m, q->link, &q->origin, r, q->userdata);
        origin_done(&q->origin);
        varlink_link_unref(q->link);
        free(q);
}

/* ---- whose connection it is ---- */

static int read_credentials(sd_bus_message *reply, uint32_t *ret_pid, uint32_t *ret_uid) {
        bool has_pid = false, has_uid = false;
        const char *name;
        int r = sd_bus_message_enter_container(reply, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read(reply, "s", &name);
                if (r >= 0 && streq(name, "ProcessID"))
                        has_pid = (r = sd_bus_message_read(reply, "v", "u", ret_pid)) >= 0;
                else if (r >= 0 && streq(name, "UnixUserID"))
                        has_uid = (r = sd_bus_message_read(reply, "v", "u", ret_uid)) >= 0;
                else if (r >= 0)
                        r = sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? r : has_pid && has_uid && *ret_pid > 0 ? 0 : -ENOENT;
}

/* The caller speaks to the bus as who has logged in, or is a service, where nobody has: not as somebody whom sudo or su has made of them. */
static int take_caller(Resolving *q, pid_t pid, uid_t uid) {
        _cleanup_origin_ Origin caller = {};
        Origin *o = &q->origin;
        int r = origin_of_process(q->manager, pid, &caller);

        if (r < 0)
                return -ENOENT;
        if (caller.real_uid != uid || (caller.login_uid != uid && caller.login_uid != UID_NONE))
                return -ENOENT;
        o->login_uid = caller.login_uid;
        o->real_uid = uid;
        o->inside = o->inside == caller.inside ? caller.inside : NULL;
        o->transient = o->transient || caller.transient;
        free(o->session);
        free(o->person);
        o->session = take_ptr(caller.session);
        o->person = take_ptr(caller.person);
        return 0;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Resolving *q = userdata;
        Origin now = {};
        uint32_t pid = 0, uid = 0;
        int r = -ENOENT;

        (void) error;
        if (!sd_bus_message_is_method_error(reply, NULL))
                r = read_credentials(reply, &pid, &uid);
        /* Grants may have come and gone since we asked. */
        if (r >= 0 && (r = origin_of_link(q->manager, q->link, &now)) >= 0) {
                origin_done(&q->origin);
                q->origin = now;
                r = take_caller(q, (pid_t) pid, (uid_t) uid);
        }
        finish(q, r);
        return 0;
}

/* ---- which connection it is ---- */

/* Exactly one: a second one may be anybody's. */
static int read_only_reference(sd_bus_message *reply, const char **ret) {
        const char *name = NULL, *another;
        int r = sd_bus_message_enter_container(reply, 'v', "as");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "s");
        if (r > 0)
                r = sd_bus_message_read(reply, "s", &name);
        if (r <= 0 || !name || *name != ':' || sd_bus_message_read(reply, "s", &another) != 0)
                return -ENOENT;
        *ret = name;
        return 0;
}

static int on_references(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Resolving *q = userdata;
        sd_bus *bus = logind_bus(q->manager);
        JIT_CLEANUP(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        const char *name;
        int r = -ENOENT;

        (void) error;
        if (bus && !sd_bus_message_is_method_error(reply, NULL))
                r = read_only_reference(reply, &name);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &question, DBUS, "/org/freedesktop/DBus", DBUS, "GetConnectionCredentials");
        if (r >= 0)
                r = sd_bus_message_append(question, "s", name);
        if (r >= 0)
                r = sd_bus_call_async(bus, NULL, question, on_credentials, q, ASKING_USEC);
        if (r < 0)
                finish(q, r);
        return 0;
}

static int resolve_run0(Manager *m, VarlinkLink *l, const char *unit, origin_found_t found, void *userdata) {
        Resolving *q;
        int r;

        if (m->n_resolving >= RESOLVING_MAX)
                return -EBUSY;
        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        *q = (Resolving){.manager = m, .link = varlink_link_ref(l), .found = found, .userdata = userdata};
        r = logind_bus_get(m, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1/unit", unit, "org.freedesktop.systemd1.Unit", "Refs",
                           on_references, q, ASKING_USEC);
        if (r < 0) {
                varlink_link_unref(q->link);
                free(q);
                return r == -ENOTCONN ? -EBUSY : r;
        }
        m->n_resolving++;
        return 0;
}

int origin_resolve(Manager *m, VarlinkLink *l, const char *service, origin_found_t found, void *userdata) {
        _cleanup_origin_ Origin o = {};
        CgroupPlace place = {};
        int r = origin_of_link(m, l, &o);

        if (r >= 0 && streq(service, "systemd-run0")) {
                r = cgroup_place_of(o.pid, &place);
                if (r >= 0 && *place.unit)
                        return resolve_run0(m, l, place.unit, found, userdata);
                r = r < 0 ? r : -ENOENT;
        }
        found(m, l, &o, r, userdata);
        return 0;
}
