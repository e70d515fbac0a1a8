/* SPDX-License-Identifier: Apache-2.0 */

/* The module: PAM items in, one question to jit-reaperd, one PAM code out. It runs as root inside sshd, sudo, su, login
 * and PID 1's child for run0.
 *
 * MUST: answer PAM_IGNORE for every account that is not ours before anything can fail, except where the argument "gate"
 *   says that nobody gets through without a ticket, or the person has a sudo rule of ours (elevated-marker.h): then all
 *   that is not a clear yes is a no. (And but for want of descriptors or memory: shortage.h.)
 * MUST: answer no for ours unless there is a clear yes.
 * MUST: in the session phase say every no as PAM_PERM_DENIED. sudo(8) takes PAM_SESSION_ERR for no more than a warning,
 *   and runs the command ("Treat PAM session failure as a non-fatal error": sudo_pam_begin_session() in sudo's
 *   plugins/sudoers/auth/pam.c); PAM_IGNORE is what the stack makes of it, which is yes.
 * MUST NOT: open the network or files (but for three of the process's own in /proc: login-uid.c, process-start.c,
 *   inside.c), fork, start threads, touch signals, keep static state, hold a secret. */

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <syslog.h>

#include "cleanup.h"
#include "elevation.h"
#include "gate.h"
#include "inside.h"
#include "kept-text.h"
#include "request.h"
#include "session-data.h"

#define EXPORT __attribute__((visibility("default")))

/* Where PAM_USER of the auth phase is whom to become. For others (sudo, doas, polkit) it is who asks, and a yes would
 * make rules of the host that demand a password do without one. */
static bool service_authenticates_target(const Request *q) {
        return streq(q->call.service, "su") || streq(q->call.service, "su-l");
}

static int authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        _cleanup_verdict_ ReaperVerdict verdict = {};
        Request q;
        int r;

        if (!request_begin(&q, pamh, flags, argc, argv) || q.args.inside || q.whose == NOT_OURS ||
            !service_authenticates_target(&q))
                return PAM_IGNORE; /* no say in who somebody is: that is for sshd's keys */
        if (q.broken)
                return request_refuse_broken(&q);
        if (q.whose == OURS_UNKNOWN)
                return PAM_USER_UNKNOWN;
        r = reaper_authenticate(&q.call, &verdict);
        r = request_answer(&q, r, &verdict);
        if (r == PAM_SUCCESS)
                (void) kept_text_set(pamh, KEPT_AUTHENTICATED, q.call.account);
        return r;
}

/* Credentials are no business of ours; but the phase is part of "auth", and whoever let somebody in there must not be
 * the one who has no answer here. */
static int credentials_set(pam_handle_t *pamh) {
        return kept_text_get(pamh, KEPT_AUTHENTICATED) ? PAM_SUCCESS : PAM_IGNORE;
}

static int account_authorize(Request *q) {
        _cleanup_verdict_ ReaperVerdict verdict = {};
        int r = reaper_authorize(&q->call, &verdict);

        r = request_answer(q, r, &verdict);
        if (r != PAM_SUCCESS)
                return r;
        if (q->args.debug)
                pam_syslog(q->pamh, LOG_DEBUG, "%s is allowed", q->call.account);
        (void) kept_text_set(q->pamh, KEPT_AUTHORIZED, q->call.account);
        (void) kept_text_set(q->pamh, KEPT_WELCOME, verdict.message);
        return PAM_SUCCESS;
}

static int account_manage(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        Request q;

        if (!request_begin(&q, pamh, flags, argc, argv) || q.args.inside)
                return PAM_IGNORE;
        (void) kept_text_set(pamh, KEPT_AUTHORIZED, NULL);
        (void) kept_text_set(pamh, KEPT_NOT_NEEDED, NULL);
        (void) kept_text_set(pamh, KEPT_DECISION, NULL);
        (void) kept_text_set(pamh, KEPT_CALLER, NULL);
        if (q.elevates || q.args.gate) {
                int r = elevation_keep_caller(&q);
                if (r != PAM_SUCCESS)
                        return r;
        }
        if (q.whose == NOT_OURS && !q.args.gate) {
                if (q.args.debug)
                        pam_syslog(pamh, LOG_DEBUG, "not an account of ours, ignoring");
                return PAM_IGNORE;
        }
        if (q.broken)
                return request_refuse_broken(&q);
        if (q.whose == OURS_UNKNOWN)
                return PAM_USER_UNKNOWN;
        return q.whose == OURS ? account_authorize(&q) : gate_authorize(&q);
}

/* For the account of a ticket. sudo -u has had its account phase for the person, so that ours is still to be asked. */
static int account_open(Request *q) {
        _cleanup_session_ ReaperSession session = {};
        int r;

        if (q->elevates && !kept_text_is(q->pamh, KEPT_AUTHORIZED, q->call.account)) {
                if (account_authorize(q) != PAM_SUCCESS)
                        return PAM_PERM_DENIED;
                request_renew_deadline(q); /* it may have waited for an approval */
        }
        r = reaper_open_session(&q->call, &session);
        if (r < 0) {
                (void) request_answer(q, r, &session.refusal);
                return PAM_PERM_DENIED;
        }
        r = session_limits_apply(q->pamh, session.pam_data);
        if (r == PAM_SUCCESS)
                r = session_environment_apply(q->pamh, session.env);
        if (r == PAM_SUCCESS)
                r = session_hold(q->pamh, take_ptr(session.peer));
        if (r != PAM_SUCCESS) {
                request_say(q, BAD_ANSWER);
                return r;
        }
        if (q->args.debug)
                pam_syslog(q->pamh, LOG_DEBUG, "session of %s is open", q->call.account);
        request_welcome(q);
        return PAM_SUCCESS;
}

static int session_open(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        Request q;

        if (!request_begin(&q, pamh, flags, argc, argv))
                return PAM_IGNORE;
        if (q.whose == NOT_OURS)
                return q.args.inside ? inside_keep(pamh) : elevation_open(&q);
        if (q.broken)
                (void) request_refuse_broken(&q);
        if (q.broken || q.whose == OURS_UNKNOWN)
                return PAM_PERM_DENIED;
        return account_open(&q);
}

/* Closing needs no look at the user, whose account may be gone by now: what is held was ours. */
static int session_close(pam_handle_t *pamh) {
        return session_release(pamh) ? PAM_SUCCESS : PAM_IGNORE;
}

/* ---- what libpam calls ---- */

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        return authenticate(pamh, flags, argc, argv);
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void) flags, (void) argc, (void) argv;
        return credentials_set(pamh);
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        return account_manage(pamh, flags, argc, argv);
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        return session_open(pamh, flags, argc, argv);
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void) flags, (void) argc, (void) argv;
        return session_close(pamh);
}
