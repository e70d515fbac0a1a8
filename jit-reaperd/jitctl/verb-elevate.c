/* SPDX-License-Identifier: Apache-2.0 */

/* The caller's own account may do more for a while, and then no more. Whose account that is jit-reaperd learns from the
 * kernel. */

#include <time.h>

#include "client.h"
#include "json.h"
#include "name.h"
#include "reason-hint.h"
#include "strv.h"
#include "table.h"

typedef struct ElevateOptions {
        bool wait;
} ElevateOptions;

static const Option elevate_options[] = {
                {"wait", OPTION_BOOL, offsetof(ElevateOptions, wait), 'w', NULL,
                 "if it waits for an approval, wait too, as long as the host lets (WaitSec=)"},
                {0},
};

typedef struct ElevateAnswer {
        char *grant, *account, *role, *message, **commands;
        uint64_t until;
} ElevateAnswer;

static const JsonField elevate_fields[] = {
                {"grant", JSON_FIELD_STRING, offsetof(ElevateAnswer, grant), 128, JSON_REQUIRED},
                {"account", JSON_FIELD_STRING, offsetof(ElevateAnswer, account), 64, JSON_REQUIRED},
                {"role", JSON_FIELD_STRING, offsetof(ElevateAnswer, role), 64, JSON_REQUIRED},
                {"message", JSON_FIELD_TEXT, offsetof(ElevateAnswer, message), 8192, JSON_REQUIRED},
                {"until", JSON_FIELD_UINT, offsetof(ElevateAnswer, until), INT64_MAX, JSON_REQUIRED},
                {"commands", JSON_FIELD_STRV, offsetof(ElevateAnswer, commands), 4096, 0},
                {0},
};

static void elevate_answer_done(ElevateAnswer *a) {
        free(a->grant);
        free(a->account);
        free(a->role);
        free(a->message);
        strv_free(a->commands);
}

static void say_waiting(const char *message) {
        say_warning("%s", message);
}

static int print_elevated(const Ctl *ctl, const json_t *reply) {
        JIT_CLEANUP(elevate_answer_done) ElevateAnswer a = {0};
        JIT_CLEANUP(table_freep) Table *t = NULL;
        char until[TIME_TEXT_MAX], span[TIME_TEXT_MAX];
        uint64_t now = now_usec(CLOCK_REALTIME);
        int status = client_dispatch(SERVICE_REAPER, reply, elevate_fields, &a);

        if (status != STATUS_OK)
                return status;
        say_line("%s", a.message);
        t = table_new(NULL);
        if (!t)
                return say_no_memory();
        table_pair(t, "Account", a.account, COLOR_STRONG);
        table_pair(t, "Role", a.role, COLOR_NONE);
        table_pairf(t, "Until", COLOR_NONE, "%s (in %s)", time_format_rfc3339(a.until, until),
                    time_format_span(a.until > now ? a.until - now : 0, span));
        STRV_FOREACH (c, a.commands) {
                table_pair(t, c == a.commands ? "By sudo" : "", *c, COLOR_NONE);
        }
        if (!a.commands || !a.commands[0])
                table_pair(t, "By sudo", "nothing: the role has no command", COLOR_WAIT);
        if (table_print(t, stdout, color_wanted(stdout, ctl->no_color)) < 0)
                return say_no_memory();
        say_hint("To end it early: jitctl drop");
        return STATUS_OK;
}

/* On stderr: the sentence has been said there. */
static void advise(const Ctl *ctl, const ClientFailure *failure, const char *ticket, bool waited) {
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
        bool pending = failure->reason &&
                       (streq(failure->reason, "ticket-pending") || streq(failure->reason, "too-few-approvers"));

        if (!t)
                return;
        reason_hint_show(t, failure->reason, NULL, NULL);
        (void) table_print(t, stderr, color_wanted(stderr, ctl->no_color)); /* advice: its loss changes no answer */
        if (pending && !waited)
                say_hint("Wait for the approval: jitctl elevate %s --wait", ticket);
}

static int verb_elevate(const Ctl *ctl, char *const *args, const void *options) {
        const ElevateOptions *o = options;
        const char *ticket = args[0] + (account_name_is_ours(args[0]) ? strlen(ACCOUNT_PREFIX) : 0);
        JIT_CLEANUP(client_failure_done) ClientFailure failure = {0};
        _cleanup_json_ json_t *parameters = NULL, *reply = NULL;
        int status;

        if (ticket_id_parse(ticket, NULL) < 0)
                return say_error(STATUS_USAGE,
                                 "\"%s\" is not a ticket's name: letters, digits and single '-', %d at most", ticket,
                                 TICKET_ID_MAX);
        parameters = json_pack("{s:s}", "ticket", ticket);
        if (!parameters || (o->wait && json_set_opt(parameters, "wait", json_true()) < 0))
                return say_no_memory();
        status = client_wait(ctl, SERVICE_REAPER, "Elevate", take_ptr(parameters), ELEVATE_USEC,
                             o->wait ? say_waiting : NULL, &reply, &failure);
        if (status == STATUS_OK)
                return ctl->json ? say_json(reply) : print_elevated(ctl, reply);
        if (!failure.why)
                return say_no_memory();
        (void) say_error(status, "%s", failure.why);
        if (failure.reason)
                advise(ctl, &failure, ticket, o->wait);
        return status;
}

typedef struct DropAnswer {
        char **revoked;
} DropAnswer;

static const JsonField drop_fields[] = {
                {"revoked", JSON_FIELD_STRV, offsetof(DropAnswer, revoked), 128, JSON_REQUIRED},
                {0},
};

static int say_dropped(const json_t *reply, uint64_t took_usec) {
        DropAnswer answer = {0};
        int status = client_dispatch(SERVICE_REAPER, reply, drop_fields, &answer);

        STRV_FOREACH (name, answer.revoked) {
                say_line("%s is elevated no more: the sudo rule is gone, and what ran by it is dead", *name);
        }
        if (status == STATUS_OK)
                say_line("after %.1f ms", (double) took_usec / (double) USEC_PER_MSEC);
        strv_free(answer.revoked);
        return status;
}

static int verb_drop(const Ctl *ctl, char *const *args, const void *options) {
        JIT_CLEANUP(client_failure_done) ClientFailure failure = {0};
        _cleanup_json_ json_t *reply = NULL;
        uint64_t start = now_usec(CLOCK_BOOTTIME);
        int status = client_wait(ctl, SERVICE_REAPER, "Drop", NULL, REVOKE_USEC, NULL, &reply, &failure);

        (void) args;
        (void) options;
        if (status == STATUS_OK)
                return ctl->json ? say_json(reply) : say_dropped(reply, now_usec(CLOCK_BOOTTIME) - start);
        if (failure.error && streq(failure.error, "io.pamjit.Reaper.NoSuchGrant"))
                return say_error(STATUS_NO, "nothing to drop: your account is not elevated here");
        return failure.why ? say_error(status, "%s", failure.why) : say_no_memory();
}

const Verb verbs_elevate[] = {
                {"elevate", "TICKET", 1, 1, "Your own account may use the role's sudo commands, until the deadline",
                 elevate_options, sizeof(ElevateOptions),
                 "Without a new account: /run/jit/sudoers.d gets a rule for the caller, and loses it at the deadline, "
                 "with `jitctl\ndrop`, with the caller's last login session, and when the ticket is closed or revoked. "
                 "What was started by it dies\nwith it.\n\n"
                 "Example: work as yourself, and stop early\n"
                 "  jitctl elevate CHG0012345 --wait\n"
                 "  sudo systemctl restart nginx\n"
                 "  jitctl drop\n",
                 verb_elevate},
                {"drop", "", 0, 0, "End your own elevation now", NULL, 0,
                 "Returns when the sudo rule is gone and what was started by it is dead. The login session goes on.\n\n"
                 "Example:\n  jitctl drop\n",
                 verb_drop},
                {0},
};
