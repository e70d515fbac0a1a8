/* SPDX-License-Identifier: Apache-2.0 */

#include "client.h"
#include "json.h"
#include "member.h"
#include "name.h"
#include "provider-list.h"
#include "verb-ticket.h"

int new_provided_check(const NewOptions *o, const char *id) {
        if (id)
                return say_error(STATUS_USAGE, "with --provider the ticket system names the ticket: leave %s out", id);
        if (o->requesters)
                return say_error(STATUS_USAGE, "with --provider the ticket is yours: --requester has no say there");
        if (o->output)
                return say_error(STATUS_USAGE, "--provider and --output contradict each other");
        return STATUS_OK;
}

typedef struct CreatedAnswer {
        char *id, *canonical;
} CreatedAnswer;

static const JsonField created_fields[] = {
                {"id", JSON_FIELD_STRING, offsetof(CreatedAnswer, id), 64, JSON_REQUIRED},
                {"canonical", JSON_FIELD_TEXT, offsetof(CreatedAnswer, canonical), JSON_MESSAGE_MAX, 0},
                {0},
};

static void created_done(CreatedAnswer *a) {
        free(a->id);
        free(a->canonical);
}

/* The remarks go to stderr, so that a script gets the name alone. */
static void say_next(const Ctl *ctl, const NewOptions *o, const char *id) {
        _cleanup_json_ json_t *reply = NULL;
        _cleanup_free_ char *name = NULL;
        char account[ACCOUNT_NAME_MAX + 1];
        const char *server = NULL, *host = o->hosts[0];

        if (asprintf(&name, "%s%s", ACCOUNT_PREFIX, id) < 0)
                name = NULL;
        if (name && account_name_parse(name, account) >= 0)
                say_warning("when it is approved: ssh %s@%s", account, strchr(host, '*') ? "HOST" : host);
        else
                say_warning("%s cannot be part of an account's name (letters, digits and single '-', at most %d): it "
                            "opens nothing here",
                            id, TICKET_ID_MAX);
        if (providers_fetch(ctl, true, &reply) == STATUS_OK) /* only for the address */
                server = member_text(providers_find(reply, o->provider), "server");
        say_warning("it waits for approval in %s%s%s%s; `jitctl explain %s` says what is missing", o->provider,
                    server ? " (" : "", server ? server : "", server ? ")" : "", id);
}

int new_provided_send(const Ctl *ctl, const NewOptions *o, json_t *ticket) {
        _cleanup_json_ json_t *call = json_pack("{s:O, s:s}", "ticket", ticket, "provider", o->provider), *reply = NULL;
        JIT_CLEANUP(created_done) CreatedAnswer answer = {0};
        int status;

        if (!call)
                return say_error(STATUS_USAGE, "the provider's name is not UTF-8 text");
        status = client_call(ctl, SERVICE_APPROVER, "NewTicket", take_ptr(call), EXPLAIN_USEC, &reply);
        if (status == STATUS_OK)
                status = client_dispatch(SERVICE_APPROVER, reply, created_fields, &answer);
        if (status != STATUS_OK)
                return status;
        if (ctl->json)
                return say_json(reply);
        say_line("%s", answer.id);
        say_next(ctl, o, answer.id);
        return STATUS_OK;
}
