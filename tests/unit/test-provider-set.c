/* SPDX-License-Identifier: Apache-2.0 */

/* providers.d with files that are not as they should be: what cannot be read may not make anything easier. */

#include "test-provider.h"

#include "../../jit-reaperd/approverd/approver-api.h"
#include "../../jit-reaperd/approverd/evaluate.h"

#define GOOD "[Provider]\nKind=http\nTicket=t-[0-9]+\n" ONE
#define GOOD_OTHER "[Provider]\nKind=http\nTicket=u-[0-9]+\n" ONE
#define ONE "[Request ticket]\nURL=https://localhost:1/{ticket}\n"
#define POLICY "[Provider]\nKind=policy\n[Request decision]\nURL=https://localhost:1/\n"

static TicketStore *approver_store;

static void write_file(const char *name, const char *text) {
        char program[32];

        (void) snprintf(program, sizeof(program), "%.*s.jq", (int) strcspn(name, "."), name);
        put_program(program, ".answers");
        put_program(name, text);
}

static size_t n_policies(void) {
        size_t n;

        (void) provider_set_policies(approver.providers, &n);
        return n;
}

TEST(a_refused_policy) {
        static const struct {
                const char *text;
                bool lacking;
        } table[] = {
                        {POLICY, false},
                        {POLICY "Unknown=1\n", true},
                        {"[Provider]\nKind = \tpolicies\n", true},
                        {"[Provider]\nkind=policy\n", true},
                        {GOOD "Unknown=1\n", false},
                        {"[Provider]\n#Kind=policy\nKind=http\n", false},
                        {"garbage", false},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const char *lacking;

                write_file("freeze.conf", table[i].text);
                providers_begin();
                lacking = provider_set_lacking_policy(approver.providers);
                CHECK_STREQ(lacking ? lacking : "none", table[i].lacking ? "freeze" : "none");
                providers_end();
        }
}

/* As long as there was a good one before, that one is asked. */
TEST(a_policy_that_turns_bad) {
        write_file("freeze.conf", POLICY);
        providers_begin();
        CHECK_EQ_INT(n_policies(), 1);
        write_file("freeze.conf", POLICY "Unknown=1\n");
        provider_set_reload(approver.providers, true);
        CHECK_EQ_INT(n_policies(), 1);
        CHECK(!provider_set_lacking_policy(approver.providers));
        CHECK(unlink(in_folder("providers.d/freeze.conf")) == 0);
        provider_set_reload(approver.providers, true);
        CHECK_EQ_INT(n_policies(), 0);
        CHECK(!provider_set_lacking_policy(approver.providers));
        providers_end();
}

static const char *next(const char *name) {
        PolicyService *s = provider_set_next_policy(approver.providers, name);

        return s ? policy_service_name(s) : "none";
}

/* The files' order is another one: '-' comes before '.'. */
TEST(policies_by_name) {
        write_file("b.conf", POLICY);
        write_file("b-c.conf", POLICY);
        write_file("d.conf", POLICY);
        providers_begin();
        CHECK_STREQ(next(""), "b");
        CHECK_STREQ(next("b"), "b-c");
        CHECK_STREQ(next("b-a"), "b-c"); /* one that is gone meanwhile */
        CHECK_STREQ(next("b-c"), "d");
        CHECK_STREQ(next("d"), "none");
        providers_end();
}

TEST(a_folder_that_cannot_be_read) {
        write_file("freeze.conf", POLICY);
        write_file("tickets.conf", GOOD);
        providers_begin();
        CHECK(rename(in_folder("providers.d"), in_folder("away")) == 0);
        put("providers.d", "no folder");
        provider_set_reload(approver.providers, true);
        CHECK_EQ_INT(n_policies(), 1);
        CHECK(provider_set_find(approver.providers, "tickets") != NULL);
        approver.providers = provider_set_free(approver.providers);
        CHECK_EQ_INT(provider_set_new(&approver, &approver.providers), 0);
        CHECK(provider_set_lacking_policy(approver.providers) != NULL);
        CHECK(unlink(in_folder("providers.d")) == 0);
        CHECK(rename(in_folder("away"), in_folder("providers.d")) == 0);
        provider_set_reload(approver.providers, true);
        CHECK(!provider_set_lacking_policy(approver.providers));
        providers_end();
}

static Ticket *ticket_of(const char *id, const char *requesters) {
        Ticket *t = NULL;
        char text[512];
        json_t *object;
        TicketFault fault;

        (void) snprintf(text, sizeof(text),
                        "{\"version\":1,\"id\":\"%s\",\"title\":\"t\",\"requesters\":[%s],\"role\":\"dba\",\"hosts\":["
                        "\"db1\"],"
                        "\"not_before\":\"2026-11-22T07:00:00Z\",\"not_after\":\"2026-11-22T08:00:00Z\",\"reason\":"
                        "\"r\",\"nonce\":\"00112233445566778899aabbccddeeff\"}",
                        id, requesters);
        object = json_loads(text, 0, NULL);
        if (!object || ticket_parse(object, &t, &fault) < 0)
                abort();
        json_decref(object);
        return t;
}

static bool is_free(const char *id, const char *requesters) {
        JIT_CLEANUP(ticket_freep) Ticket *t = ticket_of(id, requesters);

        return ticket_names_are_free(&approver, t);
}

static int put_ticket(const char *id, const char *requesters) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        int r = ticket_document_new(ticket_of(id, requesters), &d);

        return r < 0 ? r : ticket_store_put(approver.store, d, now_usec(CLOCK_REALTIME));
}

/* A signed ticket's account is "signed"'s, whatever other providers say: so it may not be one of theirs. */
TEST(a_signed_ticket_in_anothers_place) {
        write_file("tickets.conf", GOOD);
        providers_begin();
        CHECK_EQ_INT(ticket_store_new(test_folder, &approver.store), 0);
        CHECK(is_free("change-1", "\"alice\""));
        CHECK(!is_free("t-1", "\"alice\""));
        CHECK(!is_free("T-1", "\"alice\",\"bob\""));
        CHECK(!is_free("t-1-alice", "\"bob\"")); /* alice's account of t-1 */
        approver.store = ticket_store_free(approver.store);
        providers_end();
}

static void on_evaluated(json_t *verdict, json_t *inputs, void *userdata) {
        char *reason = userdata;

        (void) snprintf(reason, 64, "%s", json_string_value(json_object_get(verdict, "reason")));
        json_decref(verdict);
        json_decref(inputs);
}

/* The first two by the store of signed tickets, whose ids may look like another provider's. */
TEST(a_person_beside_the_ticket) {
        Reference r;

        write_file("tickets.conf", GOOD);
        providers_begin();
        CHECK_EQ_INT(ticket_store_new(test_folder, &approver.store), 0);
        CHECK_EQ_INT(put_ticket("CHG1", "\"alice\",\"dan\""), 0);
        CHECK_EQ_INT(provider_set_refer(approver.providers, "jit-chg1", "dan", &r), 0);
        CHECK(r.provider == provider_set_first(approver.providers) && streq(r.ticket, "chg1") && streq(r.person, "dan"));
        CHECK_EQ_INT(provider_set_refer(approver.providers, "jit-chg1", "alice", &r), 0);
        CHECK_EQ_INT(provider_set_refer(approver.providers, "jit-chg1", "alicex", &r), -ENOENT);
        CHECK_EQ_INT(provider_set_refer(approver.providers, "jit-chg1", "da", &r), -ENOENT);
        CHECK_EQ_INT(provider_set_refer(approver.providers, "jit-chg1-alice", "alice", &r), -ENOENT);
        CHECK_EQ_INT(provider_set_resolve(approver.providers, "jit-chg1", &r), -ENOENT); /* as an account it is nobody's */
        CHECK_EQ_INT(provider_set_refer(approver.providers, "jit-t-1", "alice", &r), 0);
        CHECK(r.told && streq(r.ticket, "t-1") && streq(r.person, "alice"));
        static const char *const persons[] = {"", "Alice", "a b", "../x", "root\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
        for (size_t i = 0; i < ELEMENTSOF(persons); i++)
                CHECK_EQ_INT(provider_set_refer(approver.providers, "jit-t-1", persons[i], &r), -ENOENT);
        approver.store = ticket_store_free(approver.store);
        providers_end();
}

static const char *judged(const char *phase) {
        JIT_CLEANUP(evaluate_context_done) EvaluateContext context = {.phase = strdup(phase)};
        static char reason[64];

        evaluate_account(&approver, "jit-t-1", &context, false, on_evaluated, reason);
        return reason;
}

/* A live grant of a provider whose file is wrong when jit-approverd starts: nothing is known of its ticket. */
TEST(live_grants_of_a_refused_file) {
        CHECK_EQ_INT(ticket_store_new(test_folder, &approver_store), 0);
        for (int wrong = 0; wrong < 2; wrong++) {
                write_file("other.conf", GOOD_OTHER);
                if (wrong)
                        write_file("tickets.conf", GOOD "Unknown=1\n");
                providers_begin();
                approver.store = approver_store;
                CHECK_STREQ(judged("recheck"), wrong ? "provider-answer" : "ticket-unknown");
                CHECK_STREQ(judged("name"), "ticket-unknown");
                providers_end();
        }
        approver_store = ticket_store_free(approver_store);
}

TEST_HTTP_MAIN("provider-set")
