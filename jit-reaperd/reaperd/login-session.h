/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LOGIN_SESSION_H
#define JIT_LOGIN_SESSION_H

/* A person's own login session (not ours), watched for its end by its leader's pidfd: logind keeps a session that is over as "closing" for as long
 * as anything runs in it (tmux), and has been seen to keep it for good (systemd issues 27210, 26744). */

#include "manager.h"

typedef struct LoginSession LoginSession;
struct Session;

/* Watches the session with this id of this user; id NULL: any of the user's that is not closing. any: when it ends, another of the user's is
 * watched, and only the last one's end counts. The leader is asked of logind; if that fails, logind's word (SessionRemoved) is waited for.
 * At the end session_kill() is called. -ENXIO: there is no such session. */
int login_session_watch(struct Session *s, uid_t uid, const char *id, bool any, LoginSession **ret);
/* For the record, and back: id, leader's PID and start time. -ENXIO: it is over (and with any there is no other). */
json_t *login_session_to_json(const LoginSession *l);
int login_session_resume(struct Session *s, json_t *object, LoginSession **ret);
const char *login_session_id(const LoginSession *l);
/* Whether it is the one with this id, or any will do. */
bool login_session_is(const LoginSession *l, const char *id);
LoginSession *login_session_free(LoginSession *l);
/* logind has removed the session with this id. */
void login_session_removed(Manager *m, const char *id);
/* logind is back, or gone: what was missed meanwhile. */
void login_session_reconcile(Manager *m);

#endif
