/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/random.h>
#include <time.h>

#include "client.h"
#include "input.h"
#include "json.h"
#include "name.h"
#include "sign.h"
#include "strv.h"
#include "verb-ticket.h"

enum { NONCE_BYTES = 16, ID_RANDOM = 8 };

const Option new_options[] = {
                {"role", OPTION_STRING, offsetof(NewOptions, role), 'r', "ROLE",
                 "what the access is for: a role of the host"},
                {"host", OPTION_LIST, offsetof(NewOptions, hosts), 'H', "PATTERN",
                 "where: a host's name, * allowed; may be repeated"},
                {"requester", OPTION_LIST, offsetof(NewOptions, requesters), 0, "NAME",
                 "who: default you; may be repeated"},
                {"from", OPTION_STRING, offsetof(NewOptions, from), 0, "TIME",
                 "default now; +SPAN or 2026-11-22T14:00Z"},
                {"until", OPTION_STRING, offsetof(NewOptions, until), 0, "TIME", "default an hour after --from"},
                {"for", OPTION_STRING, offsetof(NewOptions, span), 0, "SPAN", "instead of --until: 90min, 2h, 1d"},
                {"title", OPTION_STRING, offsetof(NewOptions, title), 't', "TEXT", "one line, for lists and log files"},
                {"reason", OPTION_STRING, offsetof(NewOptions, reason), 0, "TEXT", "why, for the approvers"},
                {"key", OPTION_LINES, offsetof(NewOptions, keys), 'k', "KEY",
                 "public key to log in with, a file or its text"},
                {"no-key", OPTION_BOOL, offsetof(NewOptions, no_key), 0, NULL,
                 "none; the host knows your keys otherwise"},
                {"command", OPTION_LINES, offsetof(NewOptions, commands), 0, "COMMAND",
                 "only this of the role's commands; may be repeated"},
                {"emergency", OPTION_BOOL, offsetof(NewOptions, emergency), 0, NULL, "mark it as one"},
                {"provider", OPTION_STRING, offsetof(NewOptions, provider), 0, "NAME",
                 "open it in that ticket system, as you: `jitctl provider list`"},
                {"output", OPTION_STRING, offsetof(NewOptions, output), 'o', "FILE",
                 "write the document there and ask no service"},
                {0},
};

const char new_help[] =
                "The ticket's id is printed; without ID a new one is made. It gives nothing before others have "
                "approved it.\n\n"
                "Example: an hour on db1, and the same for tonight\n"
                "  jitctl ticket new CHG0012345 --role dba --host db1 --title 'restart postgres'\n"
                "  jitctl ticket new --role dba --host 'db*' --from 2026-11-22T22:00Z --for 2h --title 'vacuum'\n"
                "In a ticket system, which names it:\n"
                "  jitctl ticket new --provider servicenow --role dba --host db1 --title 'restart postgres'\n";

/* Crockford's base 32: no letter that is mistaken for a digit when read out. */
static int make_id(char ret[static ID_RANDOM + 2]) {
        static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        unsigned char random[ID_RANDOM];

        if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return -EIO;
        ret[0] = 'T';
        for (size_t i = 0; i < ID_RANDOM; i++)
                ret[i + 1] = digits[random[i] & 31];
        ret[ID_RANDOM + 1] = 0;
        return 0;
}

static int make_nonce(char ret[static 2 * NONCE_BYTES + 1]) {
        unsigned char random[NONCE_BYTES];

        if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return -EIO;
        for (size_t i = 0; i < NONCE_BYTES; i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", random[i]);
        return 0;
}

static int read_window(const NewOptions *o, uint64_t *ret_from, uint64_t *ret_until) {
        uint64_t now = now_usec(CLOCK_REALTIME), span = USEC_PER_HOUR;
        static const char forms[] = "want now, +SPAN (+2h) or UTC (2026-11-22T14:00Z)";

        if (o->until && o->span)
                return say_error(STATUS_USAGE, "--until and --for are two ways to say the same: give one of them");
        if (input_time(o->from ? o->from : "now", now, ret_from) < 0)
                return say_error(STATUS_USAGE, "--from %s: %s", o->from, forms);
        if (o->span && time_parse_span(o->span, &span) < 0)
                return say_error(STATUS_USAGE, "--for %s: want a span such as 90min, 2h or 1d", o->span);
        if (!o->until)
                *ret_until = *ret_from + span;
        else if (input_time(o->until, now, ret_until) < 0)
                return say_error(STATUS_USAGE, "--until %s: %s", o->until, forms);
        if (*ret_until <= *ret_from)
                return say_error(STATUS_USAGE, "the window would end before it begins");
        if (*ret_until <= now)
                return say_error(STATUS_USAGE, "the window would be over already");
        return STATUS_OK;
}

/* A key in a ticket opens every requester's account, so that the caller's own is only taken for the caller's own
 * ticket. */
static int read_keys(const NewOptions *o, char *const *requesters, char ***ret) {
        _cleanup_free_ char *me = caller_name(), *file = NULL;
        char *const *given = o->keys, *own[] = {NULL, NULL};
        int r;

        if (o->no_key && o->keys)
                return say_error(STATUS_USAGE, "--key and --no-key contradict each other");
        if (!given && !o->no_key && me && requesters && !requesters[1] && streq(requesters[0], me)) {
                if (key_find(".pub", &file) < 0)
                        return say_no_memory();
                own[0] = file;
                given = own;
                if (file)
                        say_warning("%s goes into the ticket, for you to log in with (--no-key: none)", file);
        }
        STRV_FOREACH (k, given) {
                _cleanup_free_ char *key = NULL;

                r = key_read_public(*k, &key);
                if (r < 0)
                        return say_error(STATUS_USAGE, "--key %.80s: %s", *k,
                                         r == -EINVAL ? "this is not one SSH public key without options"
                                                      : strerror(-r));
                if (strv_extend(ret, key) < 0)
                        return say_no_memory();
        }
        return STATUS_OK;
}

static int read_requesters(const NewOptions *o, char ***ret) {
        _cleanup_free_ char *me = NULL;

        STRV_FOREACH (name, o->requesters) {
                if (!person_name_is_valid(*name))
                        return say_error(STATUS_USAGE, "--requester %s: not a user name", *name);
                if (strv_extend(ret, *name) < 0)
                        return say_no_memory();
        }
        if (*ret)
                return STATUS_OK;
        me = caller_name();
        if (!me)
                return say_error(STATUS_USAGE, "your user id has no name: give --requester");
        return strv_extend(ret, me) < 0 ? say_no_memory() : STATUS_OK;
}

static int check_options(const NewOptions *o, const char *id) {
        if (id && ticket_id_parse(id, NULL) < 0)
                return say_error(STATUS_USAGE,
                                 "%s: a ticket's id has letters, digits and single '-' in between, at most %d", id,
                                 TICKET_ID_MAX);
        if (!o->role || !role_name_is_valid(o->role))
                return say_error(STATUS_USAGE, o->role ? "--role %s: not a role's name" : "--role is missing%s",
                                 o->role ? o->role : "");
        if (!o->hosts)
                return say_error(STATUS_USAGE, "--host is missing: which host is this for?");
        STRV_FOREACH (h, o->hosts)
                if (!host_pattern_is_valid(*h))
                        return say_error(STATUS_USAGE, "--host %s: only a-z, 0-9, '.', '-' and '*'", *h);
        return STATUS_OK;
}

/* What every ticket says, signed or not. */
static json_t *make_request(const NewOptions *o, char *const *keys, uint64_t from, uint64_t until) {
        char from_text[TIME_TEXT_MAX], until_text[TIME_TEXT_MAX];
        _cleanup_free_ char *title = NULL;
        json_t *t;

        if (asprintf(&title, "%s on %s%s", o->role, o->hosts[0], o->hosts[1] ? ", ..." : "") < 0) {
                title = NULL;
                return NULL;
        }
        t = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:b}", "title", o->title ? o->title : title, "role", o->role,
                      "hosts", json_from_strv(o->hosts), "not_before", time_format_rfc3339(from, from_text),
                      "not_after", time_format_rfc3339(until, until_text), "reason", o->reason ? o->reason : "",
                      "emergency", (int) o->emergency);
        if (t && ((keys && json_set_opt(t, "ssh_keys", json_from_strv(keys)) < 0) ||
                  (o->commands && json_set_opt(t, "commands", json_from_strv(o->commands)) < 0))) {
                json_decref(t);
                return NULL;
        }
        return t;
}

/* Makes a request a signed ticket. */
static int complete_ticket(json_t *t, const char *id, char *const *requesters) {
        char nonce[2 * NONCE_BYTES + 1];

        if (make_nonce(nonce) < 0 || json_set_uint(t, "version", 1) < 0 || json_set_str(t, "id", id) < 0 ||
            json_set_opt(t, "requesters", json_from_strv(requesters)) < 0)
                return -EINVAL;
        return json_set_str(t, "nonce", nonce);
}

typedef struct NewAnswer {
        char *id, *canonical;
} NewAnswer;

static const JsonField new_answer_fields[] = {
                {"id", JSON_FIELD_STRING, offsetof(NewAnswer, id), 64, JSON_REQUIRED},
                {"canonical", JSON_FIELD_TEXT, offsetof(NewAnswer, canonical), JSON_MESSAGE_MAX, JSON_REQUIRED},
                {0},
};

static void new_answer_done(NewAnswer *a) {
        free(a->id);
        free(a->canonical);
}

static int send_ticket(const Ctl *ctl, json_t *ticket) {
        _cleanup_free_ char *canonical = json_canonical(ticket);
        JIT_CLEANUP(new_answer_done) NewAnswer answer = {0};
        _cleanup_json_ json_t *reply = NULL;
        int status;

        if (!canonical)
                return say_no_memory();
        status = client_call(ctl, SERVICE_APPROVER, "NewTicket", json_pack("{s:O}", "ticket", ticket), CALL_USEC,
                             &reply);
        if (status == STATUS_OK)
                status = client_dispatch(SERVICE_APPROVER, reply, new_answer_fields, &answer);
        if (status != STATUS_OK)
                return status;
        if (!streq(canonical, answer.canonical))
                return say_error(STATUS_NO,
                                 "jit-approverd stored %s in another form than was sent; look at it before anyone "
                                 "approves it: "
                                 "jitctl ticket show %s",
                                 answer.id, answer.id);
        if (ctl->json)
                return say_json(reply);
        say_line("%s", answer.id);
        say_hint("It waits for approval. An approver runs: jitctl ticket approve %s", answer.id);
        return STATUS_OK;
}

static int write_ticket(const Ctl *ctl, const NewOptions *o, const char *id, json_t *ticket) {
        _cleanup_json_ json_t *document = json_pack("{s:O, s:[], s:s}", "ticket", ticket, "approvals", "state", "open");
        int r;

        if (!document)
                return say_no_memory();
        r = output_document(o->output, document);
        if (r < 0)
                return say_error(STATUS_NO, "%s: %s", o->output, strerror(-r));
        if (ctl->json && !streq(o->output, "-"))
                return say_json(document);
        if (!streq(o->output, "-"))
                say_line("%s", id);
        say_hint("An approver runs: jitctl ticket approve --file FILE. Then: jitctl ticket import FILE");
        return STATUS_OK;
}

static int make_signed(const Ctl *ctl, const NewOptions *o, const char *id, char *const *requesters, json_t *ticket) {
        char generated[ID_RANDOM + 2];

        if (!id && make_id(generated) < 0)
                return say_error(STATUS_NO, "the kernel gives no random numbers");
        if (!id)
                id = generated;
        if (complete_ticket(ticket, id, requesters) < 0)
                return say_no_memory();
        return o->output ? write_ticket(ctl, o, id, ticket) : send_ticket(ctl, ticket);
}

int verb_ticket_new(const Ctl *ctl, char *const *args, const void *options) {
        const NewOptions *o = options;
        bool provided = o->provider && !streq(o->provider, "signed");
        _cleanup_strv_ char **requesters = NULL, **keys = NULL;
        _cleanup_json_ json_t *ticket = NULL;
        uint64_t from = 0, until = 0;
        int status = check_options(o, args[0]);

        if (status == STATUS_OK && provided)
                status = new_provided_check(o, args[0]);
        if (status == STATUS_OK)
                status = read_window(o, &from, &until);
        if (status == STATUS_OK && !provided)
                status = read_requesters(o, &requesters);
        if (status == STATUS_OK)
                status = read_keys(o, requesters, &keys);
        if (status != STATUS_OK)
                return status;
        ticket = make_request(o, keys, from, until);
        if (!ticket)
                return say_error(STATUS_USAGE, "title, reason or command is not UTF-8 text");
        return provided ? new_provided_send(ctl, o, ticket) : make_signed(ctl, o, args[0], requesters, ticket);
}
