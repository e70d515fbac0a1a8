/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LOGIN_RECORDS_H
#define JIT_LOGIN_RECORDS_H

#include "receipt.h"

/* A killed sshd does not log out: marks the account's utmp entries dead and notes the logout in wtmp (utmp(5)), and empties the UID's slot in
 * /var/log/lastlog (lastlog(8)), which the next account with this number would be greeted with. wtmp keeps the login: it is history. */
void login_records_close(const char *account, uid_t uid, Receipt *receipt);

#endif
