/* SPDX-License-Identifier: Apache-2.0 */

#include <security/pam_ext.h>
#include <syslog.h>

#include "cleanup.h"
#include "gate.h"
#include "kept-text.h"
#include "login-uid.h"
#include "name.h"

#define TICKET_VARIABLE "JIT_TICKET"
#define NOBODY_TO_ASK                                                                                                  \
        "an approved ticket is needed, and there is nobody to ask for it here: put it into the environment, as "       \
        "in " TICKET_VARIABLE "=CHG0012345"
#define NO_TICKET_TYPED "that is not the name of a ticket: letters and digits, with single - in between"
#define NO_TICKET_IN_VARIABLE                                                                                          \
        TICKET_VARIABLE " does not hold the name of a ticket: letters and digits, with single - in between"

/* Not getenv(3): sudo(8) has one of its own in that place, which does not know its caller's variables. NULL: not set,
 * or empty. */
static const char *variable_get(void) {
        static const char name[] = TICKET_VARIABLE "=";

        for (char **e = environ; e && *e; e++)
                if (strncmp(*e, name, strlen(name)) == 0)
                        return (*e)[strlen(name)] ? *e + strlen(name) : NULL;
        return NULL;
}

static int refuse(const Request *q, const char *why, const char *message) {
        pam_syslog(q->pamh, LOG_NOTICE, "refused %s: %s", q->call.account, why);
        request_say(q, message);
        return PAM_PERM_DENIED;
}

/* People type passwords where they are asked for something else: the input is erased, and never logged or shown. */
static int ticket_prompt(const Request *q, char ret[static TICKET_ID_MAX + 1]) {
        char *typed = NULL;
        int r, valid;

        r = pam_prompt(q->pamh, PAM_PROMPT_ECHO_ON, &typed, "Ticket: ");
        if (r != PAM_SUCCESS || !typed) {
                free(typed);
                return refuse(q, "a ticket is needed, and there is nobody to ask for it", NOBODY_TO_ASK);
        }
        valid = ticket_id_parse(typed, ret);
        explicit_bzero(typed, strlen(typed));
        free(typed);
        return valid < 0 ? refuse(q, "what was typed is not the name of a ticket", NO_TICKET_TYPED) : PAM_SUCCESS;
}

static int ticket_get(const Request *q, char ret[static TICKET_ID_MAX + 1]) {
        const char *variable = variable_get();

        if (!variable)
                return ticket_prompt(q, ret);
        return ticket_id_parse(variable, ret) < 0
                               ? refuse(q, TICKET_VARIABLE " is not the name of a ticket", NO_TICKET_IN_VARIABLE)
                               : PAM_SUCCESS;
}

static bool has_reason(int r, const ReaperVerdict *v, const char *reason) {
        return r == 0 && v->reason && streq(v->reason, reason);
}

bool gate_caller_is_root(const Request *q) {
        uid_t login_uid;

        return getuid() == 0 && !streq(q->call.service, "systemd-run0") && login_uid_get(&login_uid) == 0 &&
               (login_uid == 0 || login_uid == UID_NONE);
}

static int ignore_not_needed(const Request *q) {
        (void) kept_text_set(q->pamh, KEPT_NOT_NEEDED, "yes"); /* else the session phase asks as well */
        if (q->args.debug)
                pam_syslog(q->pamh, LOG_DEBUG, "no ticket is needed, ignoring");
        return PAM_IGNORE;
}

int gate_authorize(Request *q) {
        _cleanup_verdict_ ReaperVerdict verdict = {};
        char ticket[TICKET_ID_MAX + 1];
        int r;

        if (gate_caller_is_root(q))
                return ignore_not_needed(q);
        r = reaper_authorize_elevation(&q->call, NULL, &verdict);
        if (has_reason(r, &verdict, "ticket-needed") && !verdict.allow) {
                r = ticket_get(q, ticket);
                if (r != PAM_SUCCESS)
                        return r;
                reaper_verdict_done(&verdict);
                request_renew_deadline(q); /* typing takes its time */
                r = reaper_authorize_elevation(&q->call, ticket, &verdict);
        }
        if (has_reason(r, &verdict, "not-needed"))
                return ignore_not_needed(q);
        r = request_answer(q, r, &verdict);
        if (r == PAM_SUCCESS) {
                (void) kept_text_set(q->pamh, KEPT_DECISION, verdict.decision); /* else there is none, and no session */
                (void) kept_text_set(q->pamh, KEPT_WELCOME, verdict.message);
        }
        return r;
}
