/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_INSIDE_H
#define JIT_INSIDE_H

/* The argument "inside": where su(1) and sudo -i were started, before pam_systemd(8) has its turn. logind refuses a
 * second session only to what is in a session's scope; what is in a scope of ours, or below a user's manager, gets one,
 * and with it leaves the slice that is killed at the deadline. So our line before pam_systemd remembers the slice, and
 * the one behind it (elevation_open()) has the process brought back. For the account of a ticket the line before is the
 * one that opens the session: pam_systemd must not have its turn at all (success=done). */

#include <security/pam_modules.h>

/* PAM_IGNORE, and KEPT_SLICE is set if this process is in a slice of a grant's. PAM_PERM_DENIED: it cannot be known,
 * for want of something that the person might have taken away. */
int inside_keep(pam_handle_t *pamh);
/* The name of the slice that this process was in and has left (borrowed); NULL: it was in none of ours, or still is. */
const char *inside_left(pam_handle_t *pamh);

#endif
