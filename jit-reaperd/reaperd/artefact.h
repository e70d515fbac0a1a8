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

/* sudoers-file.c: a file in /run/jit/sudoers.d, whole or not at all, whose rules end by themselves (sudoers(5) NOTAFTER) at until_usec. The role's
 * rules were checked by visudo(8) when the configuration was loaded; what is added here is of closed alphabets.
 *      WAY_ACCOUNT, RESERVED: ACCOUNT, one rule: that the requester may become the account (sudo -u); sudo reads it right after it has looked the
 *                      account up. For grants that are allowed: it looks at the role's ways alone. None where sudoers_fault() says so.
 *      WAY_ACCOUNT, ACTIVE: ACCOUNT, that rule and the role's commands
 *      WAY_ELEVATION, has_rule: elevate-UID-ACCOUNT, the role's commands for the person's UID
 * -ENOENT: the role is gone. WAY_ELEVATION: -ENODATA: of what the ticket names the role has nothing (the journal says why); -EOPNOTSUPP:
 * sudoers_fault(). */
int sudoers_file_make(const Grant *g);
int sudoers_file_remove(const Grant *g);
enum { SUDOERS_NAME_MAX = 64 };
const char *sudoers_file_name(const Grant *g, char ret[static SUDOERS_NAME_MAX]);
/* What the ticket leaves of the role's commands, and *ret may stay NULL; strv_free(). What it names beyond is logged and left out. -ENOMEM. */
int sudoers_commands(const Grant *g, const Role *role, char ***ret);
/* Why no sudo rule lets a person become an account or elevates one on this host: a sentence (static); NULL. Reads /etc/pam.d. */
const char *sudoers_fault(const Manager *m);

/* elevated-marker.c: /run/jit/elevated/UID, WAY_ELEVATION with has_rule: pam_jit asks us about this person's sudo, and about nobody else's.
 * A person is the login UID or the real one here: sudo looks for rules by its real UID.
 *
 * sudo(8) reads its rules first and calls PAM later, and a person can stop it in between for as long as they like. So the marker is made before the
 * rule, and at the end, when the rule is gone, it stays as long as there is a sudo that may have read it; its modification time (CLOCK_BOOTTIME) says
 * when that was. */
int elevated_marker_make(const Grant *g);
/* The rule is gone already. Kills the person's sudo processes that began with the elevation or later and are in no slice of ours. Older ones (a
 * process that began long ago may have become sudo only now) are the person's own, too, and live; the marker stays where any was found, to be looked
 * at again. *ret_left: how many live, *ret_first one of them. */
int elevated_marker_remove(const Grant *g, unsigned *ret_left, pid_t *ret_first);
/* Rule and marker, in this order. */
int elevated_right_remove(const Grant *g);
/* Whether a sudo is older than the end of an earlier elevation of this person, so that it may have read a rule that is gone: not to be believed.
 * started: proc_pid_stat(5), of the process that has read the rules (`sudo -b` goes on in a child of it). pid: who asks now. Removes the marker if it
 * is needed no more. */
bool elevated_marker_bars_process(Manager *m, uid_t person_uid, pid_t pid, uint64_t started);
/* After a restart, once the rules without a grant are gone: whether the marker of this name has no grant; as at the end of one then. */
bool elevated_marker_orphan(Manager *m, const char *name);

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
/* The grant's slice, which is empty: PID 1 does so by itself nearly always for a user's; one that it forgot, and each of ours, is asked for. */
void slice_stop(const Grant *g);
/* One by its name, after a restart: killed, and stopped as above. */
void slice_end(Manager *m, const char *slice);
/* Whether name in /run/systemd/system is such a mask, and whose. */
bool manager_mask_parse(int units_fd, const char *name, uid_t *ret);

#endif
