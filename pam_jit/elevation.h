/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_ELEVATION_H
#define JIT_ELEVATION_H

/* The session phase for an account that is not ours: the process that is about to run the command is put into a scope
 * that ends with the grant, before it runs it. */

#include "request.h"

/* The account phase of a service that elevates: keeps what elevation_open() is to know of the process and cannot see
 * any more. sudo -b has its session phase in a child, which is younger than what was read of sudoers, and sudoedit has
 * it with the real UID of root. PAM_SUCCESS; PAM_PERM_DENIED: for want of something that the person might have taken
 * away. */
int elevation_keep_caller(Request *q);
/* PAM_IGNORE: nobody has to be asked (without a gate: elevated-marker.h, inside.h). PAM_SUCCESS: it is in its scope, or
 * needs none. PAM_PERM_DENIED: no, logged and said. */
int elevation_open(Request *q);

#endif
