/* SPDX-License-Identifier: Apache-2.0 */

#include "test.h"
#include "ticket-view.h"

#define TICKET(extra)                                                                                                  \
        "{\"emergency\":false,\"hosts\":[\"db1\"],\"id\":\"CHG1\"," extra                                              \
        "\"nonce\":\"00112233445566778899aabbccddeeff\",\"not_after\":\"2026-11-22T15:00:00Z\","                       \
        "\"not_before\":\"2026-11-22T14:00:00Z\",\"reason\":\"because\\nit is so\",\"requesters\":[\"alice\"],"        \
        "\"role\":\"dba\",\"title\":\"restart \\\"it\\\"\",\"version\":1}"

TEST(what_is_shown_is_what_is_signed) {
        JIT_CLEANUP(ticket_view_freep) TicketView *v = NULL;
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
        _cleanup_free_ char *text = NULL;
        char why[TICKET_WHY_MAX];
        size_t size;
        FILE *f = open_memstream(&text, &size);

        CHECK_EQ_INT(ticket_view_new(TICKET(""), "chg1", &v, why), 0);
        if (!v)
                return;
        CHECK_STREQ(v->canonical, TICKET(""));
        ticket_view_show(v, t);
        CHECK_EQ_INT(table_print(t, f, false), 0);
        (void) fclose(f);
        CHECK(strstr(text, "Ticket     CHG1\n"));
        CHECK(strstr(text, "Title      restart \"it\"\n"));
        CHECK(strstr(text, "Requester  alice\n"));
        CHECK(strstr(text, "Role       dba\n"));
        CHECK(strstr(text, "Hosts      db1\n"));
        CHECK(strstr(text, "2026-11-22T14:00:00Z to 2026-11-22T15:00:00Z (1 h; "));
        CHECK(strstr(text, "Reason     because\n           it is so\n"));
        CHECK(!strstr(text, "Emergency"));
}

static void check_refused(const char *canonical, const char *id, const char *part) {
        TicketView *v = NULL;
        char why[TICKET_WHY_MAX] = "";

        CHECK_EQ_INT(ticket_view_new(canonical, id, &v, why), -EBADMSG);
        CHECK(!v);
        if (!strstr(why, part))
                TEST_FAIL("\"%s\" lacks \"%s\"", why, part);
}

TEST(nothing_else_is_signed) {
        check_refused(TICKET(""), "CHG2", "another one");
        check_refused(TICKET("\"jobs\":1,"), "CHG1", "jobs");
        check_refused(" " TICKET(""), NULL, "canonical");
        check_refused(TICKET("") "\n", NULL, "canonical");
        check_refused(TICKET("\"id\":\"CHG1\","), NULL, "duplicate");
        check_refused(TICKET("\"n\\u006fnce\":\"x\","), NULL, "duplicate");
        check_refused("{}", NULL, "missing");
        check_refused("[]", NULL, "not a JSON object");
        check_refused("", NULL, "");
        check_refused("{\"version\":2}", NULL, "version");
        check_refused("{\"id\":\"\\u001B[2J\",\"version\":1}", NULL, "id");
}

TEST_MAIN
