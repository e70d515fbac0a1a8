/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PAM_SERVICE_H
#define JIT_PAM_SERVICE_H

#include <stdbool.h>

/* Whether a PAM service changes the user of a process that has one already, and makes no session of logind's: su, su-l, sudo, sudo-i, runuser,
 * runuser-l, doas, polkit-1, systemd-run0. All others prove who a person is (sshd, login), and are sessions of their own. */
bool pam_service_elevates(const char *service);

#endif
