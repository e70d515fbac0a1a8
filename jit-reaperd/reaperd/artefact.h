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

/* manager-mask.c: /run/systemd/system/user@UID.service -> /dev/null, and an empty user-runtime-dir@UID.service. No user manager for our accounts and
 * no /run/user/UID, so that nothing of theirs lives outside their sessions, and logins and logouts do not wait for it. A mask and not a drop-in with a condition: a skipped user@.service leaves the user's
 * slice "unneeded", and PID 1 stops it under the session that is just coming up (seen on 252: "transaction is destructive"). */
int manager_mask_make(const Grant *g);
int manager_mask_remove(const Grant *g);
/* PID 1 reads its unit directories anew when one has changed: has it do so now, while the person still proves who they are, and not in the middle
 * of the login. Does not wait. */
void manager_mask_announce(const Grant *g);
/* Once the last process is dead, and without waiting: logind 252 leaves it to StopWhenUnneeded=, 257 stops it itself. */
void runtime_dir_stop(const Grant *g);
/* PID 1 does so by itself nearly always; an empty slice that it forgot is asked for. */
void user_slice_stop(const Grant *g);
/* Whether name in /run/systemd/system is such a mask, and whose. */
bool manager_mask_parse(int units_fd, const char *name, uid_t *ret);

#endif
