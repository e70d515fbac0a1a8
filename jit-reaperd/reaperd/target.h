/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TARGET_H
#define JIT_TARGET_H

#include <stdbool.h>

/* Whether a role with this RunAs= (jit.conf(5): USER, USER:GROUP, ALL, ALL:ALL) lets a command run as target. The group is sudo's own business: PAM
 * does not hear of it. */
bool target_is_allowed(const char *run_as, const char *target);

/* Whom a PAM service's command will run as, as far as its account phase tells: PAM_USER for su, runuser and run0; NULL for sudo, which has its caller
 * there; root for polkit, whose services act as root whoever is asked for a password. */
const char *target_of_account_phase(const char *service, const char *account);

#endif
