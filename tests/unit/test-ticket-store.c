/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <sys/stat.h>

#include "../../jit-reaperd/approverd/signed/ticket-store.h"
#include "strv.h"
#include "test.h"

static const uint64_t now = UINT64_C(1795348800) * USEC_PER_SEC; /* 2026-11-22T12:00:00Z */
static char folder[] = "/tmp/jit-store-XXXXXX";
static TicketStore *store;

static TicketDocument *document_of(const char *id, const char *creator, const char *not_before, const char *not_after) {
        json_t *j = json_pack("{s:i, s:s, s:s, s:[s], s:s, s:[s], s:s, s:s, s:s, s:s}", "version", 1, "id", id, "title",
                              "t", "requesters", "alice", "role", "dba", "hosts", "db1", "not_before", not_before,
                              "not_after", not_after, "reason", "r", "nonce", "00112233445566778899aabbccddeeff");
        TicketDocument *d = NULL;
        Ticket *t = NULL;

        CHECK_EQ_INT(ticket_parse(j, &t, NULL), 0);
        CHECK_EQ_INT(ticket_document_new(t, &d), 0);
        d->created_by = strdup(creator);
        json_decref(j);
        return d;
}

static int put(const char *id, const char *creator, const char *not_before, const char *not_after, TicketState state) {
        TicketDocument *d = document_of(id, creator, not_before, not_after);
        int r;

        if (state != TICKET_OPEN)
                CHECK_EQ_INT(ticket_document_end(d, state, "bob", now, NULL), 0);
        r = ticket_store_put(store, d, now);
        ticket_document_free(d);
        return r;
}

static int put_open(const char *id, const char *creator) {
        return put(id, creator, "2026-11-22T11:00:00Z", "2026-11-22T14:00:00Z", TICKET_OPEN);
}

static void begin(void) {
        strcpy(folder + strlen(folder) - 6, "XXXXXX");
        CHECK(mkdtemp(folder));
        CHECK_EQ_INT(ticket_store_new(folder, &store), 0);
}

static void end(void) {
        char command[64];

        store = ticket_store_free(store);
        (void) snprintf(command, sizeof(command), "rm -rf %s", folder);
        CHECK_EQ_INT(system(command), 0);
}

static void write_file(const char *name, const char *text, mode_t mode) {
        char path[128];
        int fd;

        (void) snprintf(path, sizeof(path), "%s/tickets/%s", folder, name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
        CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text));
        (void) close(fd);
}

static size_t count(void) {
        size_t n;

        (void) ticket_store_entries(store, &n);
        return n;
}

TEST(put_and_get) {
        TicketDocument *d = NULL;
        char path[128];
        struct stat st;
        begin();
        CHECK_EQ_INT(ticket_store_get(store, "CHG1", &d), -ENOENT);
        CHECK_EQ_INT(put_open("CHG1", "alice"), 0);
        CHECK_EQ_INT(ticket_store_get(store, "chg1", &d), 0);
        CHECK_STREQ(d->ticket->id, "CHG1");
        CHECK_STREQ(d->created_by, "alice");
        d = ticket_document_free(d);
        (void) snprintf(path, sizeof(path), "%s/tickets/chg1.json", folder);
        CHECK_EQ_INT(stat(path, &st), 0);
        CHECK_EQ_INT(st.st_mode & 07777, 0600);
        CHECK(ticket_store_has(store, "chg1"));
        CHECK(!ticket_store_has(store, "chg"));
        CHECK_EQ_INT(put("CHG1", "alice", "2026-11-22T11:00:00Z", "2026-11-22T14:00:00Z", TICKET_CLOSED), 0);
        CHECK_EQ_INT(count(), 1);
        CHECK_EQ_INT(ticket_store_get(store, "Chg1", &d), 0);
        CHECK_EQ_INT(d->state, TICKET_CLOSED);
        ticket_document_free(d);
        end();
}

TEST(names) {
        static const char *const ids[] = {"", ".", "..", "../x", "a/b", "/etc/passwd", "a.json", "a b", "a\n", "-a"};
        TicketDocument *d = NULL;
        begin();
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                CHECK_EQ_INT(ticket_store_get(store, ids[i], &d), -ENOENT);
        end();
}

TEST(sorted_and_read_again) {
        static const char *const ids[] = {"m", "b", "z", "a", "c-1", "c"};
        static const char *const order[] = {"a", "b", "c", "c-1", "m", "z"};
        size_t n;
        begin();
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                CHECK_EQ_INT(put_open(ids[i], "alice"), 0);
        write_file(".a.json.tmp", "half", 0600);
        write_file("junk", "x", 0600);
        write_file("bad.json", "{\"ticket\":", 0600);
        store = ticket_store_free(store);
        CHECK_EQ_INT(ticket_store_new(folder, &store), 0);
        const TicketEntry *e = ticket_store_entries(store, &n);
        CHECK_EQ_INT(n, ELEMENTSOF(order));
        for (size_t i = 0; i < n && i < ELEMENTSOF(order); i++) {
                CHECK_STREQ(e[i].key, order[i]);
                CHECK(strv_contains(e[i].requesters, "alice"));
        }
        CHECK_EQ_INT(ticket_store_rescan(store), 0);
        CHECK_EQ_INT(count(), ELEMENTSOF(order));
        end();
}

TEST(not_a_document) {
        TicketDocument *d = NULL;
        char path[128], *big;
        begin();
        write_file("a.json", "garbage", 0600);
        CHECK_EQ_INT(ticket_store_get(store, "a", &d), -EBADMSG);
        write_file("a.json", "{\"ticket\":{},\"ticket\":{}}", 0600);
        CHECK_EQ_INT(ticket_store_get(store, "a", &d), -EBADMSG);
        write_file("a.json", "", 0600);
        CHECK_EQ_INT(ticket_store_get(store, "a", &d), -EBADMSG);
        CHECK(big = calloc(1, DOCUMENT_TEXT_MAX + 2));
        memset(big, '[', DOCUMENT_TEXT_MAX + 1);
        write_file("a.json", big, 0600);
        CHECK_EQ_INT(ticket_store_get(store, "a", &d), -EBADMSG);
        big[DOCUMENT_TEXT_MAX / 2] = '\0';
        write_file("a.json", big, 0600);
        CHECK_EQ_INT(ticket_store_get(store, "a", &d), -EBADMSG);
        free(big);
        (void) snprintf(path, sizeof(path), "%s/tickets/link.json", folder);
        CHECK_EQ_INT(symlink("a.json", path), 0);
        CHECK_EQ_INT(ticket_store_get(store, "link", &d), -EBADMSG);
        CHECK_EQ_INT(put_open("X", "alice"), 0); /* a document under another one's name */
        (void) snprintf(path, sizeof(path), "cp %s/tickets/x.json %s/tickets/y.json", folder, folder);
        CHECK_EQ_INT(system(path), 0);
        CHECK_EQ_INT(ticket_store_get(store, "y", &d), -EBADMSG);
        end();
}

TEST(per_user) {
        char id[32];
        begin();
        for (unsigned i = 0; i < STORE_OPEN_PER_USER_MAX; i++) {
                (void) snprintf(id, sizeof(id), "a%u", i);
                CHECK_EQ_INT(put_open(id, "alice"), 0);
        }
        CHECK_EQ_INT(put_open("one-more", "alice"), -EDQUOT);
        CHECK_EQ_INT(put_open("one-more", "bob"), 0);
        CHECK_EQ_INT(put_open("of-root", "root"), 0);
        CHECK_EQ_INT(put("a0", "alice", "2026-11-22T11:00:00Z", "2026-11-22T14:00:00Z", TICKET_CLOSED), 0);
        CHECK_EQ_INT(put_open("another", "alice"), 0);
        CHECK_EQ_INT(put("old", "alice", "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z", TICKET_OPEN), -EDQUOT);
        end();
}

TEST(full) {
        char id[32];
        begin();
        CHECK_EQ_INT(put("old", "root", "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z", TICKET_CLOSED), 0);
        for (unsigned i = 1; i < STORE_TICKETS_MAX; i++) {
                (void) snprintf(id, sizeof(id), "t%u", i);
                if (put_open(id, "root") != 0) {
                        TEST_FAIL("ticket %u was not stored", i);
                        break;
                }
        }
        CHECK_EQ_INT(put_open("fits", "root"), 0); /* in the place of the old one */
        CHECK_EQ_INT(count(), STORE_TICKETS_MAX);
        CHECK(!ticket_store_has(store, "old"));
        CHECK_EQ_INT(put_open("too-many", "root"), -ENOSPC);
        CHECK_EQ_INT(put_open("t1", "root"), 0); /* one that is there can be written */
        end();
}

TEST_MAIN
