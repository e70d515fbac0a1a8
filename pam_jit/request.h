/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_REQUEST_H
#define JIT_REQUEST_H

/* One call of libpam's: whom it is about, by which service, with which arguments; and what the person is told of it. */

#include <security/pam_modules.h>

#include "module-args.h"
#include "pam-text.h"
#include "reaper-call.h"

#define BAD_ANSWER                                                                                                     \
        "the approval service gave no clear answer, so the answer is no; try again, or ask this host's administrator"

typedef enum Whose {
        NOT_OURS,     /* an ordinary account, or no name at all */
        OURS,         /* there is such an account, and its name is one of ours */
        OURS_UNKNOWN, /* would be ours, but there is no such account */
} Whose;

typedef struct Request {
        pam_handle_t *pamh;
        int flags;
        ModuleArgs args;
        bool broken;   /* one of the arguments is wrong: no to all whom this line is about */
        bool elevates; /* the service: shared/pam-service.h */
        Whose whose;
        ReaperCall call; /* everything in it can be sent and logged */
        char account[ITEM_TEXT_MAX + 1], service[ITEM_TEXT_MAX + 1], rhost[ITEM_TEXT_MAX + 1], tty[ITEM_TEXT_MAX + 1],
                        ruser[ITEM_TEXT_MAX + 1];
} Request;

/* false: this line of the PAM configuration is not for this service (logins, elevations), and the answer PAM_IGNORE.
 * Logs what is wrong with the arguments, and an account that there is not. ret is not to be moved. */
bool request_begin(Request *ret, pam_handle_t *pamh, int flags, int argc, const char **argv);

/* A whole timeout from now on: for a second question. */
void request_renew_deadline(Request *q);

/* A refusal, or what is waited for. Elevating services show it also under PAM_SILENT: sudo(8) sets that in the account
 * phase always, and for a command without a shell in the session phase, to be spared greetings; without the sentence
 * nobody could know why the answer is no, or that there is something to wait for. */
void request_say(const Request *q, const char *message);
/* What is granted, if it was kept (KEPT_WELCOME): a greeting, so only as PAM_SILENT allows. */
void request_welcome(const Request *q);

/* What one of reaper_...() has returned, and the verdict or refusal that came with it, as a PAM code: PAM_SUCCESS for a
 * yes only. A no is logged and said. */
int request_answer(const Request *q, int r, const ReaperVerdict *v);
/* PAM_SERVICE_ERR, said: request_begin() has logged it. */
int request_refuse_broken(const Request *q);

#endif
