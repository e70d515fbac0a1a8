/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SESSION_DATA_H
#define JIT_SESSION_DATA_H

/* What a session leaves in the PAM handle: limits for pam_systemd(8), three environment variables, and the connection
 * whose end is the session's end. All of these return PAM codes and log their failures: PAM_SUCCESS or PAM_PERM_DENIED,
 * as all of the session phase (pam_jit.c says why). */

#include <security/pam_modules.h>
#include <stdbool.h>

#include "varlink.h"

/* Known names with fitting values are set; a known name with another value, or no systemd.runtime_max_sec at all, is
 * PAM_PERM_DENIED: a session must not start without the limits meant for it. Unknown names are skipped. */
int session_limits_apply(pam_handle_t *pamh, json_t *pam_data);
int session_environment_apply(pam_handle_t *pamh, json_t *env);

/* Takes peer over in every case. A connection that was held before is closed when the new one is in its place. */
int session_hold(pam_handle_t *pamh, VarlinkPeer *peer);
/* Closes the held connection; false if there is none. */
bool session_release(pam_handle_t *pamh);

#endif
