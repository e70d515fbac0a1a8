/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_USERDB_H
#define JIT_USERDB_H

/* The account database that nss-systemd(8) asks: https://systemd.io/USER_GROUP_API. Accounts exist on the host because this says so. */

#include "varlink.h"

#define USERDB_SERVICE "io.pamjit.Reaper"

/* The userdata of its methods is the Manager. */
extern const VarlinkInterface userdb_interface;

#endif
