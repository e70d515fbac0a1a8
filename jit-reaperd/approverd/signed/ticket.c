/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/evp.h>
#include <stdarg.h>

#include "json.h"
#include "strv.h"
#include "ticket.h"

static const JsonField ticket_fields[] = {
                {"version", JSON_FIELD_UINT, offsetof(Ticket, version), UINT32_MAX, JSON_REQUIRED},
                {"id", JSON_FIELD_STRING, offsetof(Ticket, id), TICKET_ID_MAX, JSON_REQUIRED},
                {"title", JSON_FIELD_STRING, offsetof(Ticket, title), TICKET_TITLE_MAX, JSON_REQUIRED},
                {"requesters", JSON_FIELD_STRV, offsetof(Ticket, requesters), PERSON_NAME_MAX, JSON_REQUIRED},
                {"role", JSON_FIELD_STRING, offsetof(Ticket, role), ROLE_NAME_MAX, JSON_REQUIRED},
                {"hosts", JSON_FIELD_STRV, offsetof(Ticket, hosts), 253, JSON_REQUIRED},
                {"not_before", JSON_FIELD_STRING, offsetof(Ticket, not_before_text), TIME_TEXT_MAX - 1, JSON_REQUIRED},
                {"not_after", JSON_FIELD_STRING, offsetof(Ticket, not_after_text), TIME_TEXT_MAX - 1, JSON_REQUIRED},
                {"reason", JSON_FIELD_TEXT, offsetof(Ticket, reason), TICKET_REASON_MAX, JSON_REQUIRED},
                {"ssh_keys", JSON_FIELD_STRV, offsetof(Ticket, ssh_keys), 4096, 0},
                {"commands", JSON_FIELD_STRV, offsetof(Ticket, commands), TICKET_COMMAND_MAX, 0},
                {"emergency", JSON_FIELD_BOOL, offsetof(Ticket, emergency), 0, 0},
                {"nonce", JSON_FIELD_STRING, offsetof(Ticket, nonce), TICKET_NONCE_HEX, JSON_REQUIRED},
                {0},
};

static int fault(TicketFault *f, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fault(TicketFault *f, const char *field, const char *format, ...) {
        va_list ap;

        f->field = field;
        va_start(ap, format);
        (void) vsnprintf(f->message, sizeof(f->message), format, ap);
        va_end(ap);
        return -EBADMSG;
}

/* The name as the table has it: the object's own belongs to a stranger and does not live as long as the answer. */
static const char *known_field(const JsonField *table, const char *name) {
        for (const JsonField *f = table; name && f->name; f++)
                if (streq(f->name, name))
                        return f->name;
        return "ticket";
}

static int dispatch(const json_t *object, const JsonField *table, void *target, TicketFault *f) {
        const char *name = NULL;
        int r = json_dispatch(object, table, target, &name);

        if (r >= 0 || r == -ENOMEM)
                return r;
        const char *known = known_field(table, name);
        if (r == -ENODATA)
                return fault(f, known, "\"%s\" is missing", known);
        if (r == -ERANGE)
                return fault(f, known, "\"%s\" is too long or too large", known);
        if (name && streq(known, "ticket") && !streq(name, "ticket"))
                return fault(f, known, "there is a member that a ticket does not have");
        return fault(f, known, "\"%s\" is not of the right type, or has characters that are not allowed", known);
}

bool ticket_text_is_plain(const char *text, bool lines) {
        const unsigned char *p = (const unsigned char *) text;

        for (; *p; p++) {
                if (*p < 0x20 && !(lines && (*p == '\n' || *p == '\t')))
                        return false;
                if (*p == 0x7f)
                        return false;
                if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) /* U+0080..U+009F */
                        return false;
                if (p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) /* U+2028..U+202E */
                        return false;
                if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9) /* U+2066..U+2069 */
                        return false;
        }
        return true;
}

int ticket_digest(const void *data, size_t length, char *ret) {
        unsigned char hash[32];
        unsigned size = sizeof(hash);

        if (EVP_Digest(data, length, hash, &size, EVP_sha256(), NULL) != 1)
                return -EIO;
        for (size_t i = 0; i < sizeof(hash); i++) {
                ret[2 * i] = "0123456789abcdef"[hash[i] >> 4];
                ret[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
        }
        ret[TICKET_DIGEST_HEX] = '\0';
        return 0;
}

int ticket_account(const Ticket *t, const char *person, char *ret) {
        char buffer[sizeof(ACCOUNT_PREFIX) + TICKET_ID_MAX + 1 + PERSON_NAME_MAX + 1];

        if (strv_length(t->requesters) == 1)
                (void) snprintf(buffer, sizeof(buffer), ACCOUNT_PREFIX "%s", t->key);
        else
                (void) snprintf(buffer, sizeof(buffer), ACCOUNT_PREFIX "%s-%s", t->key, person);
        return account_name_parse(buffer, ret);
}

static int check_requesters(const Ticket *t, TicketFault *f) {
        size_t n = strv_length(t->requesters);
        char account[ACCOUNT_NAME_MAX + 1];

        if (n < 1 || n > TICKET_REQUESTERS_MAX)
                return fault(f, "requesters", "there must be 1 to %d requesters", TICKET_REQUESTERS_MAX);
        for (size_t i = 0; i < n; i++) {
                if (!person_name_is_valid(t->requesters[i]) || account_name_is_ours(t->requesters[i]))
                        return fault(f, "requesters", "a requester is not a user name");
                for (size_t j = 0; j < i; j++)
                        if (streq(t->requesters[i], t->requesters[j]))
                                return fault(f, "requesters", "%s is named twice", t->requesters[i]);
                if (ticket_account(t, t->requesters[i], account) < 0)
                        return fault(f, "requesters",
                                     "id and requester do not make an account name (at most %d characters of a-z, 0-9 "
                                     "and -)",
                                     ACCOUNT_NAME_MAX);
        }
        return 0;
}

static int check_window(Ticket *t, TicketFault *f) {
        if (time_parse_rfc3339(t->not_before_text, &t->not_before) < 0)
                return fault(f, "not_before", "not a time like 2026-11-22T14:00:00Z");
        if (time_parse_rfc3339(t->not_after_text, &t->not_after) < 0)
                return fault(f, "not_after", "not a time like 2026-11-22T14:00:00Z");
        if (t->not_after <= t->not_before)
                return fault(f, "not_after", "the window ends before it begins");
        if (t->not_after - t->not_before > TICKET_WINDOW_MAX_USEC)
                return fault(f, "not_after", "the window is longer than 31 days");
        return 0;
}

static int check_ssh_keys(const Ticket *t, TicketFault *f) {
        size_t n = strv_length(t->ssh_keys);
        char key[4096];

        if (n > TICKET_KEYS_MAX)
                return fault(f, "ssh_keys", "at most %d keys", TICKET_KEYS_MAX);
        /* A key in the ticket would open every requester's account: then the receipt could name the wrong person. */
        if (n > 0 && strv_length(t->requesters) > 1)
                return fault(f, "ssh_keys", "a ticket with several requesters takes their keys from keys.d only");
        STRV_FOREACH (k, t->ssh_keys)
                if (ssh_key_parse(*k, key, sizeof(key)) < 0)
                        return fault(f, "ssh_keys", "not an SSH public key (\"type base64 comment\", no options)");
        return 0;
}

static int check_members(Ticket *t, TicketFault *f) {
        int r;

        if (t->version != 1)
                return fault(f, "version", "only version 1 is known");
        if (ticket_id_parse(t->id, t->key) < 0)
                return fault(f, "id", "not a ticket id: letters, digits and single '-' in between, at most %d",
                             TICKET_ID_MAX);
        if (!*t->title || !ticket_text_is_plain(t->title, false))
                return fault(f, "title", "empty, or has control characters");
        if (!ticket_text_is_plain(t->reason, true))
                return fault(f, "reason", "has control characters");
        if (!role_name_is_valid(t->role))
                return fault(f, "role", "not a role's name");
        if (strv_length(t->hosts) < 1)
                return fault(f, "hosts", "no host is named");
        STRV_FOREACH (h, t->hosts)
                if (!host_pattern_is_valid(*h))
                        return fault(f, "hosts", "not a host name or pattern (a-z, 0-9, '.', '-' and '*')");
        STRV_FOREACH (c, t->commands)
                if (**c != '/' || !ticket_text_is_plain(*c, false))
                        return fault(f, "commands", "a command must begin with its absolute path");
        if (strlen(t->nonce) != TICKET_NONCE_HEX || strspn(t->nonce, "0123456789abcdef") != TICKET_NONCE_HEX)
                return fault(f, "nonce", "not %d hexadecimal digits (0-9a-f)", TICKET_NONCE_HEX);
        if ((r = check_requesters(t, f)) < 0 || (r = check_window(t, f)) < 0)
                return r;
        return check_ssh_keys(t, f);
}

/* null and an empty list would count as absent, and the bytes that were signed would say something else than the struct: no commands, not all of
 * the role's. */
static int check_no_null(const json_t *object, TicketFault *f) {
        const char *name;
        json_t *value;

        json_object_foreach ((json_t *) object, name, value) {
                if (json_is_null(value))
                        return fault(f, known_field(ticket_fields, name), "null is not a value");
                if (streq(name, "commands") && json_is_array(value) && json_array_size(value) == 0)
                        return fault(f, "commands", "an empty list: name some of the role's commands, or leave the member out");
        }
        return 0;
}

int ticket_parse(const json_t *object, Ticket **ret, TicketFault *ret_fault) {
        JIT_CLEANUP(ticket_freep) Ticket *t = NULL;
        TicketFault unused = {.field = "ticket"};
        TicketFault *f = ret_fault ? ret_fault : &unused;
        int r;

        *f = (TicketFault){.field = "ticket"};
        if (!json_is_object(object))
                return fault(f, "ticket", "not an object");
        if (!(t = calloc(1, sizeof(*t))))
                return -ENOMEM;
        if ((r = check_no_null(object, f)) < 0 || (r = dispatch(object, ticket_fields, t, f)) < 0)
                return r;
        if ((r = check_members(t, f)) < 0)
                return r;
        if (!(t->canonical = json_canonical(object)))
                return -ENOMEM;
        t->canonical_length = strlen(t->canonical);
        if (t->canonical_length > TICKET_TEXT_MAX)
                return fault(f, "ticket", "longer than %d KiB", TICKET_TEXT_MAX / 1024);
        if ((r = ticket_digest(t->canonical, t->canonical_length, t->digest)) < 0)
                return r;
        *ret = take_ptr(t);
        return 0;
}

Ticket *ticket_free(Ticket *t) {
        if (!t)
                return NULL;
        free(t->id);
        free(t->title);
        strv_free(t->requesters);
        free(t->role);
        strv_free(t->hosts);
        free(t->not_before_text);
        free(t->not_after_text);
        free(t->reason);
        strv_free(t->ssh_keys);
        strv_free(t->commands);
        free(t->nonce);
        free(t->canonical);
        free(t);
        return NULL;
}

const char *ticket_state_name(TicketState s) {
        static const char *const names[] = {"open", "denied", "closed"};

        return names[s];
}
