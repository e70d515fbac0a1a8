/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LOGIND_H
#define JIT_LOGIND_H

/* logind over the system bus: a witness of sessions, and the one that has to forget a user at once. Every call is asynchronous. */

#include <systemd/sd-bus.h>

#include "manager.h"

int logind_link_new(Manager *m, LogindLink **ret);
LogindLink *logind_link_free(LogindLink *l);
/* The system bus, or NULL while it is away. Borrowed. */
sd_bus *logind_bus(const Manager *m);
/* Asks for a property of an object (org.freedesktop.DBus.Properties.Get); answer as in sd_bus_call_async(3), within timeout_usec. parent, name: of
 * its path, see sd_bus_path_encode(3). -ENOTCONN: the bus is away. */
int logind_bus_get(const Manager *m, sd_bus_slot **ret_slot, const char *service, const char *parent, const char *name, const char *interface,
                   const char *property, sd_bus_message_handler_t answer, void *userdata, uint64_t timeout_usec);
/* After the last process is dead: instead of UserStopDelaySec= (10 s, logind.conf(5)) later, now. */
void logind_forget_user(Manager *m, uid_t uid);
/* The scope of a session that was killed at its RuntimeMaxSec stays loaded as "failed" (systemctl(1), reset-failed). */
void logind_forget_session(Manager *m, const char *id);

#endif
