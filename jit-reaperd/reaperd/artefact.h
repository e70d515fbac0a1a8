/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_ARTEFACT_H
#define JIT_ARTEFACT_H

/* What a grant makes on the host, each with its removal. All are idempotent: making replaces, removing what is not there succeeds. */

#include <errno.h>
#include <unistd.h>

#include "grant.h"

static inline int artefact_unlink(int dir_fd, const char *name) {
        return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* keys-file.c: /run/jit/keys/NAME, sshd(8) AUTHORIZED_KEYS FILE FORMAT, each key with expiry-time. root:GID 0640: sshd reads it as the user
 * (auth_openkeyfile), other users may not list who is here. until_usec: wall clock, rounded up to the second. */
int keys_file_make(const Grant *g, uint64_t until_usec);
int keys_file_remove(const Grant *g);

/* sudoers-file.c: /run/jit/sudoers.d/NAME, only the role's commands, until the deadline (sudoers(5) NOTAFTER). The role's rules were checked by
 * visudo(8) when the configuration was loaded; what is added here is the account's name and the time, both of a closed alphabet. */
int sudoers_file_make(const Grant *g);
int sudoers_file_remove(const Grant *g);
/* The text for a role as visudo is to see it. Free with free(). -EINVAL. */
int sudoers_text(const char *account, const Role *role, char *const *commands, uint64_t until_usec, char **ret);

/* home.c: /run/jit/home/NAME, a tmpfs of its own. */
int home_make(const Grant *g);
int home_remove(const Grant *g);

/* uid-mark.c: /run/jit/uids/UID. user@.service.d/50-pam-jit.conf has ConditionPathExists=!/run/jit/uids/%i: no user manager for our accounts,
 * so that nothing of theirs lives outside their sessions, and logins and logouts do not wait for it. */
int uid_mark_make(const Grant *g);
int uid_mark_remove(const Grant *g);

#endif
