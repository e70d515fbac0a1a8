/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PAM_CALLER_H
#define JIT_PAM_CALLER_H

/* Who calls Authorize or OpenSession, as PAM says it. */

#include <jansson.h>

#include "session.h"

/* The account's name is in small letters then. ret_wait: NULL where waiting is none of the method's parameters. *ret is
 * to be freed in every case. -EBADMSG and others of json_dispatch(), -EINVAL. */
int caller_parse(json_t *parameters, Caller *ret, bool *ret_wait);
void caller_done(Caller *c);
#define _cleanup_caller_ JIT_CLEANUP(caller_done)

#endif
