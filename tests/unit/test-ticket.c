/* SPDX-License-Identifier: Apache-2.0 */

#include "../../jit-reaperd/approverd/signed/ticket.h"
#include "json.h"
#include "strv.h"
#include "test.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"

static const char canonical[] = "{\"emergency\":false,\"hosts\":[\"db1\",\"db*.prod\"],\"id\":\"CHG0012345\",\"nonce\":"
                                "\"00112233445566778899aabbccddeeff\","
                                "\"not_after\":\"2026-11-22T14:00:00Z\",\"not_before\":\"2026-11-22T12:00:00Z\","
                                "\"reason\":\"a stuck replica\\nsee 4711\","
                                "\"requesters\":[\"alice\"],\"role\":\"dba\",\"ssh_keys\":[\"" KEY
                                " alice\"],\"title\":\"restart postgres \xe2\x9c\x93\",\"version\":1}";

static json_t *parse(const char *text) {
        json_t *j = NULL;

        CHECK_EQ_INT(json_parse_strict(text, strlen(text), TICKET_TEXT_MAX, &j, NULL), 0);
        return j;
}

/* The field at fault when member is set to value (JSON text; NULL: removed), "" if none is. */
static const char *with(const char *member, const char *value) {
        json_t *j = parse(canonical);
        TicketFault f = {.field = ""};
        Ticket *t = NULL;
        int r;

        if (value)
                CHECK(json_object_set_new(j, member, json_loads(value, JSON_DECODE_ANY, NULL)) == 0);
        else
                json_object_del(j, member);
        r = ticket_parse(j, &t, &f);
        CHECK(r == 0 || r == -EBADMSG);
        CHECK(r == 0 || (*f.field && *f.message));
        ticket_free(t);
        json_decref(j);
        return r < 0 ? f.field : "";
}

static const char *with_long(const char *member, size_t length) {
        char *text = malloc(length + 3);
        const char *field;

        memset(text, 'a', length + 2);
        text[0] = text[length + 1] = '"';
        text[length + 2] = '\0';
        field = with(member, text);
        free(text);
        return field;
}

TEST(good) {
        json_t *j = parse(canonical);
        Ticket *t = NULL;
        char account[ACCOUNT_NAME_MAX + 1];
        CHECK_EQ_INT(ticket_parse(j, &t, NULL), 0);
        CHECK_STREQ(t->canonical, canonical);
        CHECK_STREQ(t->key, "chg0012345");
        CHECK_EQ_INT(strlen(t->digest), TICKET_DIGEST_HEX);
        CHECK_EQ_INT(t->not_after - t->not_before, 2 * USEC_PER_HOUR);
        CHECK_EQ_INT(ticket_account(t, "alice", account), 0);
        CHECK_STREQ(account, "jit-chg0012345");
        ticket_free(t);
        json_decref(j);
}

TEST(order_does_not_matter) {
        json_t *j = parse(
                        "{\"version\":1,\"title\":\"t\",\"role\":\"r\",\"requesters\":[\"a\"],\"reason\":\"\","
                        "\"nonce\":"
                        "\"00112233445566778899aabbccddeeff\",\"not_before\":\"2026-11-22T12:00:00Z\", \"not_after\" : "
                        "\"2026-11-22T14:00:00Z\",\"id\":\"X\",\"hosts\":[\"h\"]}");
        Ticket *t = NULL;
        CHECK_EQ_INT(ticket_parse(j, &t, NULL), 0);
        CHECK_STREQ(t->canonical,
                    "{\"hosts\":[\"h\"],\"id\":\"X\",\"nonce\":\"00112233445566778899aabbccddeeff\",\"not_after\":"
                    "\"2026-11-22T14:00:00Z\",\"not_before\":\"2026-11-22T12:00:00Z\",\"reason\":\"\",\"requesters\":"
                    "[\"a\"],\"role\":\"r\",\"title\":\"t\",\"version\":1}");
        ticket_free(t);
        json_decref(j);
}

TEST(each_member_is_checked) {
        static const struct {
                const char *member, *value, *field;
        } cases[] = {
                        {"version", "2", "version"},
                        {"version", "\"1\"", "version"},
                        {"version", "1.0", "version"},
                        {"version", "-1", "version"},
                        {"id", "\"\"", "id"},
                        {"id", "\"a/b\"", "id"},
                        {"id", "\"a--b\"", "id"},
                        {"id", "\"-a\"", "id"},
                        {"id", "\"..\"", "id"},
                        {"id", "7", "id"},
                        {"id", "\"\\u00e4\"", "id"},
                        {"id", "\"jit\"", ""},
                        {"title", "\"\"", "title"},
                        {"title", "\"a\\nb\"", "title"},
                        {"title", "\"a\\u001b[2J\"", "title"},
                        {"title", "\"a\\u009b\"", "title"},
                        {"title", "\"a\\u202e\"", "title"},
                        {"title", "\"a\\u2066b\"", "title"},
                        {"title", "\"a\\u2028\"", "title"},
                        {"title", "\"\\u00e4\\u20ac\"", ""},
                        {"requesters", "[]", "requesters"},
                        {"requesters", "\"alice\"", "requesters"},
                        {"requesters", "[1]", "requesters"},
                        {"requesters", "[\"../x\"]", "requesters"},
                        {"requesters", "[\"jit-x\"]", "requesters"},
                        {"requesters", "[\"Alice\"]", "requesters"},
                        {"requesters", "[\"a.b\"]", ""},
                        {"role", "\"DBA\"", "role"},
                        {"role", "\"../dba\"", "role"},
                        {"role", "\"\"", "role"},
                        {"hosts", "[]", "hosts"},
                        {"hosts", "[\"a b\"]", "hosts"},
                        {"hosts", "[\"\"]", "hosts"},
                        {"hosts", "[\"*\"]", ""},
                        {"not_before", "\"yesterday\"", "not_before"},
                        {"not_before", "\"2026-11-22T15:00:00Z\"", "not_after"},
                        {"not_before", "\"2026-11-22T14:00:00Z\"", "not_after"},
                        {"not_before", "\"2026-10-22T13:59:59Z\"", "not_after"},
                        {"not_before", "\"2026-10-22T14:00:00Z\"", ""},
                        {"not_after", "\"2026-11-22T14:00:00+01:00\"", "not_after"},
                        {"not_after", "1795356000", "not_after"},
                        {"reason", "\"\"", ""},
                        {"reason", "\"\\u0007\"", "reason"},
                        {"reason", "[]", "reason"},
                        {"ssh_keys", "[]", ""},
                        {"ssh_keys", "[\"x\"]", "ssh_keys"},
                        {"ssh_keys", "[\"command=\\\"x\\\" " KEY "\"]", "ssh_keys"},
                        {"commands", "[\"/bin/true\"]", ""},
                        {"commands", "[\"true\"]", "commands"},
                        {"commands", "[\"\"]", "commands"},
                        {"commands", "[\"/bin/true\\n/bin/sh\"]", "commands"},
                        {"emergency", "true", ""},
                        {"emergency", "1", "emergency"},
                        {"emergency", "null", "emergency"},
                        {"commands", "null", "commands"},
                        {"nonce", "\"0\"", "nonce"},
                        {"nonce", "\"00112233445566778899AABBCCDDEEFF\"", "nonce"},
                        {"surprise", "1", "ticket"},
                        {"state", "\"approved\"", "ticket"},
                        {"approvals", "[]", "ticket"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (!streq(with(cases[i].member, cases[i].value), cases[i].field))
                        TEST_FAIL("%s = %s: fault in \"%s\"", cases[i].member, cases[i].value,
                                  with(cases[i].member, cases[i].value));
}

TEST(each_member_is_needed) {
        static const char *const needed[] = {"version", "id",         "title",     "requesters", "role",
                                             "hosts",   "not_before", "not_after", "reason",     "nonce"};

        for (size_t i = 0; i < ELEMENTSOF(needed); i++)
                CHECK_STREQ(with(needed[i], NULL), needed[i]);
        CHECK_STREQ(with("emergency", NULL), "");
        CHECK_STREQ(with("ssh_keys", NULL), "");
}

TEST(lengths) {
        CHECK_STREQ(with_long("title", TICKET_TITLE_MAX), "");
        CHECK_STREQ(with_long("title", TICKET_TITLE_MAX + 1), "title");
        CHECK_STREQ(with_long("reason", TICKET_REASON_MAX), "");
        CHECK_STREQ(with_long("reason", TICKET_REASON_MAX + 1), "reason");
        CHECK_STREQ(with_long("id", TICKET_ID_MAX), "");
        CHECK_STREQ(with_long("id", TICKET_ID_MAX + 1), "id");
        CHECK_STREQ(with_long("role", ROLE_NAME_MAX + 1), "role");
}

TEST(canonical_length) {
        json_t *j = parse(canonical), *commands = json_array();
        char text[TICKET_COMMAND_MAX + 1];
        TicketFault f;
        Ticket *t = NULL;
        memset(text, 'a', sizeof(text));
        text[0] = '/';
        text[sizeof(text) - 1] = '\0';
        for (unsigned i = 0; i < 64; i++)
                json_array_append_new(commands, json_string(text));
        json_object_set_new(j, "commands", commands);
        CHECK_EQ_INT(ticket_parse(j, &t, &f), -EBADMSG);
        CHECK_STREQ(f.field, "ticket");
        json_decref(j);
}

TEST(several_requesters) {
        json_t *j = parse(canonical);
        Ticket *t = NULL;
        char account[ACCOUNT_NAME_MAX + 1];
        json_object_del(j, "ssh_keys");
        json_object_set_new(j, "requesters", json_pack("[s, s]", "alice", "bob"));
        CHECK_EQ_INT(ticket_parse(j, &t, NULL), 0);
        CHECK_EQ_INT(ticket_account(t, "bob", account), 0);
        CHECK_STREQ(account, "jit-chg0012345-bob");
        t = ticket_free(t);
        json_object_set_new(j, "ssh_keys", json_pack("[s]", KEY)); /* a key would open both accounts */
        CHECK_EQ_INT(ticket_parse(j, &t, NULL), -EBADMSG);
        json_object_del(j, "ssh_keys");
        json_object_set_new(j, "requesters", json_pack("[s, s]", "alice", "a.b")); /* no account can be called so */
        CHECK_EQ_INT(ticket_parse(j, &t, NULL), -EBADMSG);
        json_object_set_new(j, "requesters", json_pack("[s, s]", "alice", "a-name-that-is-too-long"));
        CHECK_EQ_INT(ticket_parse(j, &t, NULL), -EBADMSG);
        json_object_set_new(j, "requesters", json_pack("[s, s]", "alice", "alice"));
        CHECK_EQ_INT(ticket_parse(j, &t, NULL), -EBADMSG);
        json_decref(j);
}

static int document_parse(json_t *object, TicketDocument **ret) {
        TicketFault f;
        int r = ticket_document_parse(object, ret, &f);

        json_decref(object);
        return r;
}

static json_t *document(const char *approvals, const char *state) {
        json_t *j = json_pack("{s:o}", "ticket", parse(canonical));

        if (approvals)
                json_object_set_new(j, "approvals", json_loads(approvals, 0, NULL));
        if (state)
                json_object_set_new(j, "state", json_string(state));
        return j;
}

TEST(documents) {
        TicketDocument *d = NULL;
        CHECK_EQ_INT(document_parse(document(NULL, NULL), &d), 0);
        CHECK_EQ_INT(d->state, TICKET_OPEN);
        d = ticket_document_free(d);
        CHECK_EQ_INT(document_parse(document("[{\"approver\":\"bob\",\"at\":\"2026-11-22T09:00:00Z\",\"signature\":"
                                             "\"a\\nb\\n\"}]",
                                             "open"),
                                    &d),
                     0);
        CHECK_EQ_INT(d->n_approvals, 1);
        CHECK_STREQ(d->approvals[0].signature, "a\nb\n");
        d = ticket_document_free(d);
        CHECK_EQ_INT(document_parse(document("[{\"approver\":\"bob\"}]", "open"), &d), -EBADMSG);
        CHECK_EQ_INT(document_parse(document("[{\"approver\":\"../"
                                             "b\",\"at\":\"2026-11-22T09:00:00Z\",\"signature\":\"\"}]",
                                             "open"),
                                    &d),
                     -EBADMSG);
        CHECK_EQ_INT(document_parse(document("[1]", "open"), &d), -EBADMSG);
        CHECK_EQ_INT(document_parse(document("[{\"approver\":\"b\",\"at\":\"2026-11-22T09:00:00Z\",\"signature\":\"\"},"
                                             "{\"approver\":\"b\",\"at\":\"2026-11-22T09:00:00Z\",\"signature\":\"\"}]",
                                             "open"),
                                    &d),
                     -EBADMSG);
        CHECK_EQ_INT(document_parse(document(NULL, "approved"), &d), -EBADMSG);
        CHECK_EQ_INT(document_parse(json_pack("{s:s}", "ticket", "x"), &d), -EBADMSG);
        CHECK_EQ_INT(document_parse(json_array(), &d), -EBADMSG);
}

TEST(document_round_trip) {
        TicketDocument *d = NULL, *again = NULL;
        CHECK_EQ_INT(document_parse(document("[{\"approver\":\"bob\",\"at\":\"2026-11-22T09:00:00Z\",\"signature\":"
                                             "\"s\"}]",
                                             NULL),
                                    &d),
                     0);
        CHECK_EQ_INT(ticket_document_add_approval(d, "bob", 1, "x"), -EEXIST);
        CHECK_EQ_INT(ticket_document_add_approval(d, "carol", 1, "x"), 0);
        CHECK_EQ_INT(ticket_document_end(d, TICKET_CLOSED, "alice", USEC_PER_SEC, "done"), 0);
        CHECK_EQ_INT(ticket_document_end(d, TICKET_DENIED, "alice", USEC_PER_SEC, NULL), -EALREADY);
        d->created_by = strdup("alice");
        CHECK_EQ_INT(document_parse(ticket_document_to_json(d, true), &again), 0);
        CHECK_STREQ(again->ticket->canonical, canonical);
        CHECK_EQ_INT(again->n_approvals, 2);
        CHECK_EQ_INT(again->state, TICKET_CLOSED);
        CHECK_EQ_INT(again->state_at, USEC_PER_SEC);
        CHECK_STREQ(again->state_by, "alice");
        CHECK_STREQ(again->state_reason, "done");
        CHECK_STREQ(again->created_by, "alice");
        again = ticket_document_free(again);
        CHECK_EQ_INT(document_parse(ticket_document_to_json(d, false), &again), 0);
        CHECK(!again->created_by);
        ticket_document_free(again);
        ticket_document_free(d);
}

TEST(too_many_approvals) {
        TicketDocument *d = NULL;
        char name[16];
        CHECK_EQ_INT(document_parse(document(NULL, NULL), &d), 0);
        for (unsigned i = 0; i <= TICKET_APPROVALS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "p%u", i);
                CHECK_EQ_INT(ticket_document_add_approval(d, name, 1, "s"), i < TICKET_APPROVALS_MAX ? 0 : -ENOSPC);
        }
        ticket_document_free(d);
}

TEST_MAIN
