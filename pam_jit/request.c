/* SPDX-License-Identifier: Apache-2.0 */

#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>
#include <syslog.h>

#include "cleanup.h"
#include "kept-text.h"
#include "name.h"
#include "pam-service.h"
#include "paths.h"
#include "request.h"
#include "timefmt.h"

#define NO_ANSWER "the approval service does not answer; try again, or use an account that needs no ticket"
#define NO_ANSWER_GATE                                                                                                 \
        "the approval service does not answer, so the answer is no; try again, or ask this host's administrator"
#define BAD_ARGUMENT "the PAM configuration of this host is wrong, so the answer is no; ask this host's administrator"

static const char *item_get(pam_handle_t *pamh, int type) {
        const void *item = NULL;

        return pam_get_item(pamh, type, &item) == PAM_SUCCESS ? item : NULL;
}

/* Without a name there is nobody to let in or to lock out: the other modules say so. */
static Whose user_whose(pam_handle_t *pamh, const char *user) {
        char folded[ACCOUNT_NAME_MAX + 1];
        const struct passwd *pw;

        if (!user || !account_name_is_ours(user))
                return NOT_OURS;
        pw = pam_modutil_getpwnam(pamh, user);
        if (!pw)
                return OURS_UNKNOWN;
        /* An ordinary account that happens to be called jit-something is its owner's business. */
        if (!pw->pw_dir || strncmp(pw->pw_dir, HOME_ROOT "/", strlen(HOME_ROOT "/")) != 0)
                return NOT_OURS;
        return account_name_parse(user, folded) < 0 ? OURS_UNKNOWN : OURS;
}

static void on_sentence(const char *message, void *userdata) {
        request_say(userdata, message);
}

static void arguments_read(Request *q, int argc, const char **argv) {
        const char *bad = NULL;
        char text[ITEM_TEXT_MAX + 1];

        q->broken = module_args_parse(argc, argv, &q->args, &bad) < 0;
        if (q->broken)
                pam_syslog(q->pamh, LOG_ERR, "unknown or wrong argument: %s", text_from_item(bad, text) ?: "");
}

bool request_begin(Request *ret, pam_handle_t *pamh, int flags, int argc, const char **argv) {
        uint64_t start_usec = now_usec(CLOCK_BOOTTIME); /* the look-up counts, too */
        const char *user = item_get(pamh, PAM_USER);

        *ret = (Request){.pamh = pamh, .flags = flags};
        arguments_read(ret, argc, argv);
        ret->whose = user_whose(pamh, user);
        ret->call = (ReaperCall){
                        .socket = ret->args.socket,
                        .deadline_usec = start_usec + ret->args.timeout_usec,
                        .say = ret->args.wait ? on_sentence : NULL,
                        .userdata = ret,
                        .account = text_from_item(user, ret->account) ?: "",
                        .service = text_from_item(item_get(pamh, PAM_SERVICE), ret->service) ?: "",
                        .rhost = text_from_item(item_get(pamh, PAM_RHOST), ret->rhost),
                        .tty = text_from_item(item_get(pamh, PAM_TTY), ret->tty),
                        .ruser = text_from_item(item_get(pamh, PAM_RUSER), ret->ruser),
        };
        ret->elevates = pam_service_elevates(ret->call.service);
        /* With a wrong argument it cannot be known which line is for ours, and all of them keep them out. */
        if (ret->broken && ret->whose != NOT_OURS)
                return true;
        if (ret->elevates ? ret->args.logins : ret->args.elevations || ret->args.inside)
                return false;
        if (ret->whose == OURS_UNKNOWN)
                pam_syslog(pamh, LOG_NOTICE, "refused, there is no such account: %s", ret->call.account);
        return true;
}

void request_renew_deadline(Request *q) {
        q->call.deadline_usec = now_usec(CLOCK_BOOTTIME) + q->args.timeout_usec;
}

static void tell(const Request *q, const char *message) {
        char text[TERMINAL_TEXT_MAX + 1];

        if (*message) /* else the daemon has nothing to say */
                (void) pam_info(q->pamh, "pam_jit: %s", text_for_terminal(message, text));
}

static bool is_silent(const Request *q) {
        return (unsigned) q->flags & PAM_SILENT;
}

void request_say(const Request *q, const char *message) {
        if (q->elevates || !is_silent(q))
                tell(q, message);
}

void request_welcome(const Request *q) {
        const char *message = kept_text_get(q->pamh, KEPT_WELCOME);

        if (message && !is_silent(q))
                tell(q, message);
}

/* error is what reaper_...() returned instead of a verdict. */
static int refuse_no_verdict(const Request *q, int error) {
        bool garbled = error == -EBADMSG || error == -ERANGE || error == -ENODATA || error == -EMSGSIZE ||
                       error == -ELOOP || error == -EREMOTEIO;

        if (error == -EINTR) {
                pam_syslog(q->pamh, LOG_NOTICE, "refused %s: its waiting was interrupted", q->call.account);
                return PAM_PERM_DENIED;
        }
        errno = -error;
        pam_syslog(q->pamh, LOG_ERR, "refused %s: no usable answer from %s: %m", q->call.account, q->call.socket);
        request_say(q, garbled ? BAD_ANSWER : q->whose == OURS ? NO_ANSWER : NO_ANSWER_GATE);
        return PAM_AUTHINFO_UNAVAIL;
}

/* su and login show people pam_strerror(3) of this; the message says it better. Never PAM_SUCCESS. For an account that
 * is not ours no word of an expiry: sudo(8) would take it for the person's account's. */
static int refusal_code(const Request *q, const char *reason) {
        static const struct {
                const char *reason;
                int ours, not_ours;
        } table[] = {
                        {"too-late", PAM_ACCT_EXPIRED, PAM_PERM_DENIED},
                        {"ticket-closed", PAM_ACCT_EXPIRED, PAM_PERM_DENIED},
                        {"provider-unreachable", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL},
                        {"rate-limited", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL},
                        {"try-again", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL},
        };

        for (size_t i = 0; reason && i < ELEMENTSOF(table); i++)
                if (streq(reason, table[i].reason))
                        return q->whose == OURS ? table[i].ours : table[i].not_ours;
        return PAM_PERM_DENIED;
}

int request_answer(const Request *q, int r, const ReaperVerdict *v) {
        char text[ITEM_TEXT_MAX + 1];

        if (r < 0 && r != -EACCES)
                return refuse_no_verdict(q, r);
        if (r == 0 && v->allow)
                return PAM_SUCCESS;
        pam_syslog(q->pamh, LOG_NOTICE, "refused %s: reason=%s", q->call.account,
                   text_from_item(v->reason, text) ?: "none");
        request_say(q, v->message && *v->message ? v->message : "refused");
        return refusal_code(q, v->reason);
}

int request_refuse_broken(const Request *q) {
        request_say(q, BAD_ARGUMENT);
        return PAM_SERVICE_ERR;
}
