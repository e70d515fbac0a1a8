/* SPDX-License-Identifier: Apache-2.0 */

#include <time.h>

#include "client.h"
#include "fetched.h"
#include "input.h"
#include "json.h"
#include "strv.h"
#include "verb-ticket.h"

typedef struct EndOptions {
        const char *reason;
} EndOptions;

static const Option end_options[] = {
                {"reason", OPTION_STRING, offsetof(EndOptions, reason), 0, "TEXT",
                 "why, for the requester and the audit file"},
                {0},
};

typedef struct ExportOptions {
        const char *output;
} ExportOptions;

static const Option export_options[] = {
                {"output", OPTION_STRING, offsetof(ExportOptions, output), 'o', "FILE", "default: stdout"},
                {0},
};

static int end_ticket(const Ctl *ctl, const char *method, const char *done, const char *id, const EndOptions *o) {
        _cleanup_json_ json_t *parameters = json_pack("{s:s}", "id", id), *reply = NULL;
        int status;

        if (!parameters || json_set_str(parameters, "reason", o->reason) < 0)
                return say_error(STATUS_USAGE, "the id or the reason is not UTF-8 text");
        status = client_call(ctl, SERVICE_APPROVER, method, take_ptr(parameters), CALL_USEC, &reply);
        if (status != STATUS_OK)
                return status;
        if (ctl->json)
                return say_json(reply);
        say_line("%s %s", id, done);
        return STATUS_OK;
}

static int verb_ticket_deny(const Ctl *ctl, char *const *args, const void *options) {
        return end_ticket(ctl, "DenyTicket", "denied", args[0], options);
}

static int verb_ticket_close(const Ctl *ctl, char *const *args, const void *options) {
        return end_ticket(ctl, "CloseTicket", "closed", args[0], options);
}

static int verb_ticket_show(const Ctl *ctl, char *const *args, const void *options) {
        JIT_CLEANUP(fetched_done) Fetched f = {0};
        int status = fetched_from_service(ctl, args[0], &f);

        (void) options;
        if (status != STATUS_OK)
                return status;
        return ctl->json ? say_json(f.answer) : fetched_print(&f, stdout, color_wanted(stdout, ctl->no_color));
}

static int verb_ticket_export(const Ctl *ctl, char *const *args, const void *options) {
        const ExportOptions *o = options;
        JIT_CLEANUP(fetched_done) Fetched f = {0};
        int status = fetched_from_service(ctl, args[0], &f), r;

        if (status != STATUS_OK)
                return status;
        r = output_document(o->output, f.document);
        if (r < 0)
                return say_error(STATUS_NO, "%s: %s", o->output ? o->output : "stdout", strerror(-r));
        return STATUS_OK;
}

typedef struct ImportAnswer {
        char *id, *state;
} ImportAnswer;

static const JsonField import_answer_fields[] = {
                {"id", JSON_FIELD_STRING, offsetof(ImportAnswer, id), 64, JSON_REQUIRED},
                {"state", JSON_FIELD_STRING, offsetof(ImportAnswer, state), 64, JSON_REQUIRED},
                {0},
};

static int verb_ticket_import(const Ctl *ctl, char *const *args, const void *options) {
        JIT_CLEANUP(fetched_done) Fetched f = {0};
        _cleanup_json_ json_t *reply = NULL;
        ImportAnswer answer = {0};
        int status = fetched_from_file(args[0], NULL, &f);

        (void) options;
        if (status == STATUS_OK)
                status = client_call(ctl, SERVICE_APPROVER, "ImportTicket", json_pack("{s:O}", "document", f.document),
                                     CALL_USEC, &reply);
        if (status == STATUS_OK)
                status = client_dispatch(SERVICE_APPROVER, reply, import_answer_fields, &answer);
        if (status == STATUS_OK && ctl->json)
                status = say_json(reply);
        else if (status == STATUS_OK) {
                say_line("%s", answer.id);
                say_hint("It is %s.", answer.state);
        }
        free(answer.id);
        free(answer.state);
        return status;
}

typedef struct ListedTicket {
        char *id, *title, **requesters, *role, **hosts, *not_before, *not_after, *state;
        uint64_t approvals, needed;
        bool emergency;
} ListedTicket;

static const JsonField listed_fields[] = {
                {"id", JSON_FIELD_STRING, offsetof(ListedTicket, id), 64, JSON_REQUIRED},
                {"title", JSON_FIELD_STRING, offsetof(ListedTicket, title), 512, 0},
                {"requesters", JSON_FIELD_STRV, offsetof(ListedTicket, requesters), 64, 0},
                {"role", JSON_FIELD_STRING, offsetof(ListedTicket, role), 64, 0},
                {"hosts", JSON_FIELD_STRV, offsetof(ListedTicket, hosts), 253, 0},
                {"not_before", JSON_FIELD_STRING, offsetof(ListedTicket, not_before), 64, 0},
                {"not_after", JSON_FIELD_STRING, offsetof(ListedTicket, not_after), 64, 0},
                {"state", JSON_FIELD_STRING, offsetof(ListedTicket, state), 64, JSON_REQUIRED},
                {"approvals", JSON_FIELD_UINT, offsetof(ListedTicket, approvals), 1000, 0},
                {"needed", JSON_FIELD_UINT, offsetof(ListedTicket, needed), 1000, 0},
                {"emergency", JSON_FIELD_BOOL, offsetof(ListedTicket, emergency), 0, 0},
                {0},
};

static void listed_done(ListedTicket *l) {
        free(l->id);
        free(l->title);
        strv_free(l->requesters);
        free(l->role);
        strv_free(l->hosts);
        free(l->not_before);
        free(l->not_after);
        free(l->state);
}

static int add_listed(Table *t, const json_t *ticket) {
        JIT_CLEANUP(listed_done) ListedTicket l = {0};
        char people[96];
        int status = client_dispatch(SERVICE_APPROVER, ticket, listed_fields, &l);

        if (status != STATUS_OK)
                return status;
        table_cell(t, l.id, COLOR_STRONG);
        table_cell(t, l.state, state_color(l.state));
        (void) snprintf(people, sizeof(people), "%s%s", l.requesters ? l.requesters[0] : "",
                        strv_length(l.requesters) > 1 ? ", ..." : "");
        table_cell(t, people, COLOR_NONE);
        table_cell(t, l.role, COLOR_NONE);
        (void) snprintf(people, sizeof(people), "%.80s%s", l.hosts ? l.hosts[0] : "",
                        strv_length(l.hosts) > 1 ? ", ..." : "");
        table_cell(t, people, COLOR_NONE);
        table_cell(t, l.not_before, COLOR_NONE);
        table_cell(t, l.not_after, COLOR_NONE);
        table_cell(t, l.title, COLOR_NONE);
        return STATUS_OK;
}

typedef struct ListAnswer {
        json_t *tickets;
} ListAnswer;

static const JsonField list_answer_fields[] = {
                {"tickets", JSON_FIELD_ARRAY, offsetof(ListAnswer, tickets), 0, JSON_REQUIRED},
                {0},
};

static int verb_ticket_list(const Ctl *ctl, char *const *args, const void *options) {
        static const char *const header[] = {"TICKET", "STATE", "REQUESTER", "ROLE", "HOST",
                                             "FROM",   "UNTIL", "TITLE",     NULL};
        _cleanup_json_ json_t *reply = NULL, *tickets = NULL;
        JIT_CLEANUP(table_freep) Table *t = NULL;
        ListAnswer answer = {0};
        json_t *ticket;
        size_t i;
        int status = client_call(ctl, SERVICE_APPROVER, "ListTickets", NULL, CALL_USEC, &reply);

        (void) args;
        (void) options;
        if (status != STATUS_OK || ctl->json)
                return status == STATUS_OK ? say_json(reply) : status;
        status = client_dispatch(SERVICE_APPROVER, reply, list_answer_fields, &answer);
        tickets = answer.tickets;
        if (status != STATUS_OK)
                return status;
        if (json_array_size(tickets) == 0) {
                say_hint("There are no tickets that you may see. Ask for access: jitctl ticket new --help");
                return STATUS_OK;
        }
        t = table_new(header);
        if (!t)
                return say_no_memory();
        json_array_foreach(tickets, i, ticket) {
                status = add_listed(t, ticket);
                if (status != STATUS_OK)
                        return status;
        }
        return table_print(t, stdout, color_wanted(stdout, ctl->no_color)) < 0 ? say_no_memory() : STATUS_OK;
}

const Verb verbs_ticket[] = {
                {"ticket new", "[ID]", 0, 1, "Ask for access", new_options, sizeof(NewOptions), new_help,
                 verb_ticket_new},
                {"ticket approve", "[ID]", 0, 1, "Read a ticket and sign it with your SSH key", approve_options,
                 sizeof(ApproveOptions), approve_help, verb_ticket_approve},
                {"ticket show", "ID", 1, 1, "A ticket, its state and who approved it", NULL, 0,
                 "Example:\n  jitctl ticket show CHG0012345\n", verb_ticket_show},
                {"ticket list", "", 0, 0, "The tickets that you may see", NULL, 0,
                 "Example: what waits for an approval\n"
                 "  jitctl ticket list --json | jq -r '.tickets[] | select(.state == \"pending\") | .id'\n",
                 verb_ticket_list},
                {"ticket deny", "ID", 1, 1, "Say no to a ticket", end_options, sizeof(EndOptions),
                 "For approvers. A grant of this ticket that is live ends at once.\n\n"
                 "Example:\n  jitctl ticket deny CHG0012345 --reason 'change freeze'\n",
                 verb_ticket_deny},
                {"ticket close", "ID", 1, 1, "Say that a ticket is over", end_options, sizeof(EndOptions),
                 "For requesters and approvers. A grant of this ticket that is live ends at once.\n\n"
                 "Example:\n  jitctl ticket close CHG0012345 --reason done\n",
                 verb_ticket_close},
                {"ticket export", "ID", 1, 1, "A ticket with its approvals as a document", export_options,
                 sizeof(ExportOptions),
                 "The document is JSON and can travel by file, git or paste: its approvals are signatures over the "
                 "ticket.\n\n"
                 "Example:\n  jitctl ticket export CHG0012345 -o CHG0012345.json\n",
                 verb_ticket_export},
                {"ticket import", "FILE", 1, 1, "Take a document in, and its approvals", NULL, 0,
                 "FILE is - for stdin. A ticket that was denied or closed here stays so.\n\n"
                 "Example:\n  ssh bastion jitctl ticket export CHG0012345 | jitctl ticket import -\n",
                 verb_ticket_import},
                {0},
};
