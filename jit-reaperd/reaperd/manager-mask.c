/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "artefact.h"
#include "file-io.h"
#include "logind.h"
#include "process-kill.h"

enum { NAME_SIZE = 48 };

/* logind of systemd 257 starts this unit by itself and the session's scope requires it, so it cannot be masked. It has no ExecStart=, so that a login
 * starts no process for it (systemd.service(5)); it is "active" until the session is over and keeps the user's slice needed meanwhile. The ExecStop=
 * that it must have does nothing, and may be hit by our kill. */
static const char runtime_dir_unit[] = "# pam_jit: transient accounts have no /run/user/UID; see jit-reaperd(8)\n"
                                       "[Unit]\n"
                                       "Description=No runtime directory for a transient account\n"
                                       "CollectMode=inactive-or-failed\n"
                                       "[Service]\n"
                                       "Type=oneshot\n"
                                       "RemainAfterExit=yes\n"
                                       "ExecStop=-/bin/true\n"
                                       "Slice=user-%i.slice\n";

static void mask_name(uid_t uid, char ret[static NAME_SIZE]) {
        (void) snprintf(ret, NAME_SIZE, "user@%u.service", uid);
}

static void runtime_dir_name(uid_t uid, char ret[static NAME_SIZE]) {
        (void) snprintf(ret, NAME_SIZE, "user-runtime-dir@%u.service", uid);
}

/* Without an answer: dbus-daemon allows a connection 128 that are owed to it (max_replies_per_connection), and many logins at once are many units. */
static void tell_pid1(const Manager *m, const char *method, const char *unit, const char *mode) {
        JIT_CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus *bus = logind_bus(m);

        if (!bus)
                return;
        if (sd_bus_message_new_method_call(bus, &message, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                           "org.freedesktop.systemd1.Manager", method) >= 0 &&
            sd_bus_message_append(message, "s", unit) >= 0 && (!mode || sd_bus_message_append(message, "s", mode) >= 0) &&
            sd_bus_message_set_expect_reply(message, 0) >= 0)
                (void) sd_bus_send(bus, message, NULL);
}

void manager_mask_announce(const Grant *g) {
        char name[NAME_SIZE];

        runtime_dir_name(g->uid, name);
        tell_pid1(g->manager, "LoadUnit", name, NULL);
}

static void stop_unit(const Manager *m, const char *name) {
        tell_pid1(m, "StopUnit", name, "replace");
}

void runtime_dir_stop(const Grant *g) {
        char name[NAME_SIZE];

        runtime_dir_name(g->uid, name);
        stop_unit(g->manager, name);
}

void slice_stop(const Grant *g) {
        char name[SLICE_NAME_MAX];

        stop_unit(g->manager, grant_slice(g, name));
}

void slice_end(Manager *m, const char *slice) {
        int fd = slice_open(slice);

        if (fd >= 0) {
                (void) slice_kill(fd);
                (void) close(fd);
        }
        stop_unit(m, slice);
}

int manager_mask_make(const Grant *g) {
        int units = g->manager->dirs.units;
        char name[NAME_SIZE];

        mask_name(g->uid, name);
        if (symlinkat("/dev/null", units, name) < 0)
                return errno == EEXIST ? 0 : -errno;
        runtime_dir_name(g->uid, name);
        return file_write_atomic(units, name, runtime_dir_unit, sizeof(runtime_dir_unit) - 1, 0644, 0, 0, false);
}

int manager_mask_remove(const Grant *g) {
        char name[NAME_SIZE];
        int r;

        runtime_dir_name(g->uid, name);
        r = artefact_unlink(g->manager->dirs.units, name);
        if (r < 0)
                return r;
        mask_name(g->uid, name); /* last: it says that the other may be there, too */
        return artefact_unlink(g->manager->dirs.units, name);
}

bool manager_mask_parse(int units_fd, const char *name, uid_t *ret) {
        char expected[NAME_SIZE], target[16] = "";
        unsigned uid;

        if (sscanf(name, "user@%u.service", &uid) != 1)
                return false;
        mask_name(uid, expected);
        if (!streq(name, expected) || readlinkat(units_fd, name, target, sizeof(target) - 1) < 0 || !streq(target, "/dev/null"))
                return false;
        *ret = uid;
        return true;
}
