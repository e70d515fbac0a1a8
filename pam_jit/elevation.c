/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <security/pam_ext.h>
#include <syslog.h>

#include "cleanup.h"
#include "elevated-marker.h"
#include "elevation.h"
#include "inside.h"
#include "kept-text.h"
#include "login-uid.h"
#include "process-start.h"
#include "session-data.h"
#include "shortage.h"

/* Whether the daemon is to be asked: PAM_SUCCESS or PAM_IGNORE, or no at once. */
static int is_elevated(const Request *q, uid_t caller) {
        int r;

        if (q->args.gate)
                return kept_text_get(q->pamh, KEPT_NOT_NEEDED) ? PAM_IGNORE : PAM_SUCCESS;
        if (!q->elevates)
                return PAM_IGNORE;
        r = elevated_marker_look(q->args.elevated, caller);
        if (r < 0) {
                bool deny = is_shortage(r);
                errno = -r;
                pam_syslog(q->pamh, LOG_WARNING, "cannot find out whether this person has a rule of ours%s: %m",
                           deny ? "" : ", ignoring");
                return deny ? PAM_PERM_DENIED : PAM_IGNORE;
        }
        return r > 0 ? PAM_SUCCESS : PAM_IGNORE;
}

int elevation_keep_caller(Request *q) {
        uint64_t started = 0;
        char text[48];
        int r;

        r = process_start_get(&started);
        if (r < 0) {
                errno = -r;
                pam_syslog(q->pamh, LOG_WARNING, "cannot find out when this process was started: %m");
                if (is_shortage(r))
                        return PAM_PERM_DENIED;
        }
        (void) snprintf(text, sizeof(text), "%u %" PRIu64, (unsigned) getuid(), started);
        return kept_text_set(q->pamh, KEPT_CALLER, text) == PAM_SUCCESS ? PAM_SUCCESS : PAM_PERM_DENIED;
}

/* Nothing is kept: started before anything, by nobody. */
static void caller_kept(pam_handle_t *pamh, uid_t *ret_uid, uint64_t *ret_started) {
        const char *text = kept_text_get(pamh, KEPT_CALLER);
        char *end = NULL;

        *ret_uid = text ? (uid_t) strtoul(text, &end, 10) : UID_NONE;
        *ret_started = text ? strtoull(end, NULL, 10) : 0;
}

int elevation_open(Request *q) {
        _cleanup_session_ ReaperSession session = {};
        const char *left = inside_left(q->pamh);
        ReaperElevation e = {.gate = q->args.gate, .decision = kept_text_get(q->pamh, KEPT_DECISION), .inside = left};
        int r;

        caller_kept(q->pamh, &e.uid, &e.started);
        r = left ? PAM_SUCCESS : is_elevated(q, e.uid);
        if (r != PAM_SUCCESS)
                return r;
        if (q->broken) {
                (void) request_refuse_broken(q);
                return PAM_PERM_DENIED;
        }
        r = reaper_open_elevation(&q->call, &e, &session);
        if (r < 0) {
                (void) request_answer(q, r, &session.refusal);
                return PAM_PERM_DENIED;
        }
        r = session_environment_apply(q->pamh, session.env);
        /* Without a scope there is nothing whose end anyone waits for. */
        if (r == PAM_SUCCESS && session.unit)
                r = session_hold(q->pamh, take_ptr(session.peer));
        if (r != PAM_SUCCESS) {
                request_say(q, BAD_ANSWER);
                return r;
        }
        if (q->args.debug)
                pam_syslog(q->pamh, LOG_DEBUG, "elevation to %s is open: %s", q->call.account,
                           session.unit ? "in a scope of its own" : "no scope is needed");
        request_welcome(q);
        return PAM_SUCCESS;
}
