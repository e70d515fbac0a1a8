/* SPDX-License-Identifier: Apache-2.0 */

/* The module: PAM items in, one call to jit-reaperd, one PAM code out. It runs as root inside sshd, su, sudo and login.
 *
 * MUST: answer PAM_IGNORE for every account that is not ours before anything else can fail.
 * MUST: answer no for ours unless there is a clear yes.
 * MUST NOT: open files or the network, fork, start threads, touch signals, keep static state, hold a secret. */

#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <syslog.h>

#include "cleanup.h"
#include "module-args.h"
#include "name.h"
#include "pam-text.h"
#include "paths.h"
#include "reaper-call.h"
#include "session-data.h"
#include "timefmt.h"

#define EXPORT __attribute__((visibility("default")))

#define NO_ANSWER "the approval service does not answer; try again, or use an account that needs no ticket"
#define BAD_ANSWER                                                                                                     \
        "the approval service gave no clear answer, so the answer is no; try again, or ask this host's administrator"
#define BAD_ARGUMENT "the PAM configuration of this host is wrong, so the answer is no; ask this host's administrator"

typedef struct Request {
        ModuleArgs args;
        ReaperCall call;
        char service[ITEM_TEXT_MAX + 1], rhost[ITEM_TEXT_MAX + 1], tty[ITEM_TEXT_MAX + 1], ruser[ITEM_TEXT_MAX + 1];
} Request;

static const char *item_get(pam_handle_t *pamh, int type) {
        const void *item = NULL;

        return pam_get_item(pamh, type, &item) == PAM_SUCCESS ? item : NULL;
}

/* PAM_SUCCESS: one of our accounts, and its name is safe to log. PAM_IGNORE: somebody else's. PAM_USER_UNKNOWN: would
 * be ours, but there is no such account. Without a name there is nobody to let in or to lock out: the other modules say
 * so. */
static int user_check(pam_handle_t *pamh, const char *user) {
        char folded[ACCOUNT_NAME_MAX + 1];
        const struct passwd *pw;

        if (!user || !account_name_is_ours(user))
                return PAM_IGNORE;
        pw = pam_modutil_getpwnam(pamh, user);
        if (!pw)
                return PAM_USER_UNKNOWN;
        /* An ordinary account that happens to be called jit-something is its owner's business. */
        if (!pw->pw_dir || strncmp(pw->pw_dir, HOME_ROOT "/", strlen(HOME_ROOT "/")) != 0)
                return PAM_IGNORE;
        return account_name_parse(user, folded) < 0 ? PAM_USER_UNKNOWN : PAM_SUCCESS;
}

static void tell(pam_handle_t *pamh, int flags, const char *message) {
        char text[TERMINAL_TEXT_MAX + 1];

        if (!((unsigned) flags & PAM_SILENT))
                (void) pam_info(pamh, "pam_jit: %s", text_for_terminal(message, text));
}

/* user_check(), arguments and items. On PAM_SUCCESS *ret can be asked with. */
static int request_begin(pam_handle_t *pamh, int flags, int argc, const char **argv, Request *ret) {
        const char *bad = NULL, *user = item_get(pamh, PAM_USER);
        uint64_t start_usec = now_usec(CLOCK_BOOTTIME); /* the look-up counts, too */
        char text[ITEM_TEXT_MAX + 1];
        int r = user_check(pamh, user);

        if (module_args_parse(argc, argv, &ret->args, &bad) < 0) {
                pam_syslog(pamh, LOG_ERR, "unknown or wrong argument: %s", text_from_item(bad, text) ?: "");
                if (r == PAM_SUCCESS) {
                        tell(pamh, flags, BAD_ARGUMENT);
                        return PAM_SERVICE_ERR;
                }
        }
        if (r == PAM_USER_UNKNOWN)
                pam_syslog(pamh, LOG_NOTICE, "refused, there is no such account: %s", text_from_item(user, text) ?: "");
        if (ret->args.debug && r == PAM_IGNORE)
                pam_syslog(pamh, LOG_DEBUG, "not an account of ours, ignoring");
        if (r != PAM_SUCCESS)
                return r;
        ret->call = (ReaperCall){
                        .socket = ret->args.socket,
                        .deadline_usec = start_usec + ret->args.timeout_usec,
                        .account = user,
                        .service = text_from_item(item_get(pamh, PAM_SERVICE), ret->service),
                        .rhost = text_from_item(item_get(pamh, PAM_RHOST), ret->rhost),
                        .tty = text_from_item(item_get(pamh, PAM_TTY), ret->tty),
                        .ruser = text_from_item(item_get(pamh, PAM_RUSER), ret->ruser),
        };
        return PAM_SUCCESS;
}

/* error is what reaper_authorize() or reaper_open_session() returned instead of a verdict. */
static void report_no_verdict(pam_handle_t *pamh, int flags, const Request *q, int error) {
        bool garbled = error == -EBADMSG || error == -ERANGE || error == -ENODATA || error == -EMSGSIZE ||
                       error == -ELOOP || error == -EREMOTEIO;

        errno = -error;
        pam_syslog(pamh, LOG_ERR, "refused %s: no usable answer from %s: %m", q->call.account, q->call.socket);
        tell(pamh, flags, garbled ? BAD_ANSWER : NO_ANSWER);
}

static void report_refusal(pam_handle_t *pamh, int flags, const Request *q, const ReaperVerdict *v) {
        char text[ITEM_TEXT_MAX + 1];

        pam_syslog(pamh, LOG_NOTICE, "refused %s: reason=%s", q->call.account,
                   text_from_item(v->reason, text) ?: "none");
        tell(pamh, flags, v->message ?: "refused");
}

/* su and login show people pam_strerror(3) of this; the message says it better. Never PAM_SUCCESS. */
static int refusal_code(const char *reason) {
        static const struct {
                const char *reason;
                int code;
        } table[] = {
                        {"too-late", PAM_ACCT_EXPIRED},
                        {"ticket-closed", PAM_ACCT_EXPIRED},
                        {"provider-unreachable", PAM_AUTHINFO_UNAVAIL},
                        {"rate-limited", PAM_AUTHINFO_UNAVAIL},
                        {"try-again", PAM_AUTHINFO_UNAVAIL},
        };

        for (size_t i = 0; reason && i < ELEMENTSOF(table); i++)
                if (streq(reason, table[i].reason))
                        return table[i].code;
        return PAM_PERM_DENIED;
}

typedef struct Listener {
        pam_handle_t *pamh;
        int flags;
} Listener;

static void on_sentence(const char *message, void *userdata) {
        const Listener *l = userdata;

        tell(l->pamh, l->flags, message);
}

static int account_manage(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        _cleanup_verdict_ ReaperVerdict verdict = {};
        Listener listener = {.pamh = pamh, .flags = flags};
        Request q = {};
        int r = request_begin(pamh, flags, argc, argv, &q);

        if (r != PAM_SUCCESS)
                return r;
        if (q.args.wait) {
                q.call.say = on_sentence;
                q.call.userdata = &listener;
        }
        r = reaper_authorize(&q.call, &verdict);
        if (r == -EINTR) {
                pam_syslog(pamh, LOG_NOTICE, "refused %s: its waiting was interrupted", q.call.account);
                return PAM_PERM_DENIED;
        }
        if (r < 0) {
                report_no_verdict(pamh, flags, &q, r);
                return PAM_AUTHINFO_UNAVAIL;
        }
        if (!verdict.allow) {
                report_refusal(pamh, flags, &q, &verdict);
                return refusal_code(verdict.reason);
        }
        if (q.args.debug)
                pam_syslog(pamh, LOG_DEBUG, "%s is allowed", q.call.account);
        welcome_keep(pamh, verdict.message);
        return PAM_SUCCESS;
}

static int session_open(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        _cleanup_session_ ReaperSession session = {};
        Request q = {};
        int r = request_begin(pamh, flags, argc, argv, &q);

        if (r != PAM_SUCCESS)
                return r == PAM_IGNORE ? PAM_IGNORE : PAM_SESSION_ERR;
        r = reaper_open_session(&q.call, &session);
        if (r == -EACCES)
                report_refusal(pamh, flags, &q, &session.refusal);
        else if (r < 0)
                report_no_verdict(pamh, flags, &q, r);
        if (r < 0)
                return PAM_SESSION_ERR;
        r = session_limits_apply(pamh, session.pam_data);
        if (r == PAM_SUCCESS)
                r = session_environment_apply(pamh, session.env);
        if (r == PAM_SUCCESS)
                r = session_hold(pamh, take_ptr(session.peer));
        if (r != PAM_SUCCESS) {
                tell(pamh, flags, BAD_ANSWER);
                return r;
        }
        if (q.args.debug)
                pam_syslog(pamh, LOG_DEBUG, "session of %s is open", q.call.account);
        if (welcome_get(pamh))
                tell(pamh, flags, welcome_get(pamh));
        return PAM_SUCCESS;
}

/* Closing needs no look at the user, whose account may be gone by now: what is held was ours. */
static int session_close(pam_handle_t *pamh) {
        return session_release(pamh) ? PAM_SUCCESS : PAM_IGNORE;
}

/* ---- what libpam calls ---- */

/* No say in who somebody is: that is for sshd's keys. Exported so that an "auth" line does no more harm than nothing.
 */
EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void) pamh, (void) flags, (void) argc, (void) argv;
        return PAM_IGNORE;
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void) pamh, (void) flags, (void) argc, (void) argv;
        return PAM_IGNORE;
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
