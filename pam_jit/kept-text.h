/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_KEPT_TEXT_H
#define JIT_KEPT_TEXT_H

/* What one PAM phase tells a later one of the same transaction: short texts in the PAM handle, which only this process
 * and its children have. */

#include <security/pam_modules.h>
#include <stdbool.h>

/* The account that the auth phase, or the account phase, has said yes for. sudo(8) has another PAM_USER in its session
 * phase than in the account phase, so a yes is never more than one for a name. */
#define KEPT_AUTHENTICATED "pam_jit.authenticated"
#define KEPT_AUTHORIZED "pam_jit.authorized"
/* Set where the gate has nothing to ask this process for. */
#define KEPT_NOT_NEEDED "pam_jit.not-needed"
/* What the gate's yes is known by: sudo -b has its session phase in another process, a child. */
#define KEPT_DECISION "pam_jit.decision"
/* "UID START" of the process that had the account phase: elevation_keep_caller(). */
#define KEPT_CALLER "pam_jit.caller"
/* The grant's slice that this process was in when the session phase began: inside.h. */
#define KEPT_SLICE "pam_jit.slice"
/* What is granted, for the session phase to tell. sshd shows a message of the account phase in its banner and a second
 * time on a terminal (sshd's auth2.c and session.c), and to file transfers as well; one of the session phase once, and
 * on a terminal only. */
#define KEPT_WELCOME "pam_jit.welcome"

/* A copy, in the place of what was kept before; text NULL: nothing. Without memory nothing is kept, which asks for no
 * less than a text that is there. PAM codes; nothing is logged. */
int kept_text_set(pam_handle_t *pamh, const char *name, const char *text);
/* NULL if there is none. Until the next kept_text_set(). */
const char *kept_text_get(pam_handle_t *pamh, const char *name);
bool kept_text_is(pam_handle_t *pamh, const char *name, const char *text);

#endif
