/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_ELEVATED_MARKER_H
#define JIT_ELEVATED_MARKER_H

#include <sys/types.h>

/* Whether the person who started this process has a sudo rule of ours (jitctl elevate): a file in ELEVATED_DIR whose
 * name is a UID, put there by jit-reaperd before the rule and taken away after it. For who has none nobody is asked, so
 * that an ordinary sudo costs a read and two looks, and needs no daemon.
 *
 * The UID is the login UID, and the real UID as well: sudo(8) matches rules by that, so that a service of the person's
 * (no login UID) or somebody who became the person by su(1) (another one) may use them. */

/* caller: the real UID that was this process's before, where the program has changed it since; UID_NONE: not known.
 * 1: there is one. 0: there is none. Else -errno: it cannot be known. */
int elevated_marker_look(const char *dir, uid_t caller);

#endif
