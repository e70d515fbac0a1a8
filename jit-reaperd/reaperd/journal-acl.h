/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_JOURNAL_ACL_H
#define JIT_JOURNAL_ACL_H

#include "receipt.h"

/* journald keeps a journal file for each UID and lets that UID read it by an ACL (systemd-journald.service(8), ACCESS CONTROL). The file is a record
 * and stays; the right goes, or the next account with this number could read it (systemd issue 15802). */
void journal_acl_remove(uid_t uid, Receipt *receipt);

#endif
