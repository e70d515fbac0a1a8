/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_ACCOUNT_END_H
#define JIT_ACCOUNT_END_H

/* When an account of a name was last forgotten. su(1), sudo(8) and sshd(8) keep the UID that their first look-up gave them; by the time that PAM is
 * asked the grant may be over, and another one have the name, with another UID: the session would run as a UID that is nobody's, and somebody else's
 * later. So a process that is older than that end does not get the account; another try does. */

#include "manager.h"

void account_end_note(Manager *m, const char *account);
/* pid_start: proc_pid_stat(5). Of names that are no longer known, as more than 512 have ended since, the latest of their ends counts. */
bool account_end_is_after(const Manager *m, const char *account, uint64_t pid_start);
void account_ends_free(Manager *m);

#endif
