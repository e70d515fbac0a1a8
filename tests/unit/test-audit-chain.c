/* SPDX-License-Identifier: Apache-2.0 */
#include "audit-chain.h"
#include "json.h"
#include "test.h"

enum { LINES = 6 };
#define NOW UINT64_C(1795356000123456) /* 2026-11-22T14:00:00.123456Z */

static EVP_PKEY *key_new(void) {
        EVP_PKEY *key = NULL;

        CHECK_EQ_INT(audit_key_generate(&key), 0);
        return key;
}

static json_t *event_new(const char *name) {
        return json_pack("{s:s, s:s, s:{s:i}, s:s}", "event", name, "account", "jit-chg1", "nested", "n", 7, "zone",
                         "\xc3\xa4 \" \\ \n,\"seal\":\"");
}

/* A small real day: start, grant, two sessions, receipt, and one more line behind the last seal. */
static const char *const events[LINES] = {"daemon.start",   "grant.active",  "session.open",
                                          "session.closed", "grant.receipt", "login.refused"};

typedef struct Chain {
        EVP_PKEY *key;
        char *lines[LINES];
        AuditHead heads[LINES + 1]; /* [n]: after n lines */
} Chain;

static void chain_make(Chain *c) {
        AuditHead head;

        c->key = key_new();
        audit_head_init(&head);
        c->heads[0] = head;
        for (size_t i = 0; i < LINES; i++) {
                bool sealed = i == 0 || i == 4;
                CHECK_EQ_INT(audit_line_make(&head, event_new(events[i]), NOW + i, sealed ? c->key : NULL,
                                             &c->lines[i]),
                             0);
                c->heads[i + 1] = head;
        }
}

static void chain_free(Chain *c) {
        for (size_t i = 0; i < LINES; i++)
                free(c->lines[i]);
        EVP_PKEY_free(c->key);
}

/* Puts these lines (by index) together; free(). */
static char *chain_text(const Chain *c, const size_t *order, size_t n) {
        char *text = calloc(1, 16384);

        for (size_t i = 0, at = 0; i < n; i++) {
                size_t length = strlen(c->lines[order[i]]);
                memcpy(text + at, c->lines[order[i]], length);
                at += length;
        }
        return text;
}

static int check_text(const char *text, size_t length, EVP_PKEY *key, const AuditHead *end, AuditReport *ret) {
        /* fmemopen() does not take an empty buffer. */
        FILE *f = length > 0 ? fmemopen((void *) (uintptr_t) text, length, "re") : fopen("/dev/null", "re");
        int r = audit_file_check(f, key, end, ret);

        (void) fclose(f);
        return r;
}

static int check_order(const Chain *c, const size_t *order, size_t n, const AuditHead *end, AuditReport *ret) {
        _cleanup_free_ char *text = chain_text(c, order, n);

        return check_text(text, strlen(text), c->key, end, ret);
}
#define ORDER(...) (const size_t[]){__VA_ARGS__}, sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t)

TEST(a_good_chain) {
        Chain c = {};
        AuditReport report;

        chain_make(&c);
        CHECK_EQ_INT(check_order(&c, ORDER(0, 1, 2, 3, 4, 5), &c.heads[LINES], &report), 0);
        CHECK_EQ_INT(report.lines, LINES);
        CHECK_EQ_INT(report.sealed, 2);
        CHECK_EQ_INT(report.bad_line, 0);
        CHECK(report.why == NULL);
        CHECK_EQ_INT(report.unsealed_tail, 1);
        CHECK_EQ_INT(check_order(&c, ORDER(0, 1, 2, 3, 4, 5), NULL, &report), 0);
        chain_free(&c);
}

TEST(the_form_of_a_line) {
        Chain c = {};

        chain_make(&c);
        CHECK(strstr(c.lines[1], "\"prev\":\"") != NULL);
        CHECK(strstr(c.lines[1], "\"seq\":2,\"time\":\"2026-11-22T14:00:00.123457Z\"") != NULL);
        CHECK(strstr(c.lines[1], ",\"seal\":\"") == NULL);
        CHECK(strcmp(c.lines[4] + strlen(c.lines[4]) - 5, "==\"}\n") == 0);
        for (size_t i = 0; i < LINES; i++) {
                CHECK(strchr(c.lines[i], '\n') == c.lines[i] + strlen(c.lines[i]) - 1);
                json_t *j = json_loads(c.lines[i], JSON_REJECT_DUPLICATES, NULL);
                CHECK(json_is_object(j));
                json_decref(j);
        }
        CHECK(strstr(c.lines[0], "0000000000000000000000000000000000000000000000000000000000000000") != NULL);
        chain_free(&c);
}

/* One flipped bit in each byte, every bit in the last line: nothing follows it that would give the change away. */
TEST(every_byte_counts) {
        Chain c = {};
        AuditReport report;

        chain_make(&c);
        _cleanup_free_ char *text = chain_text(&c, ORDER(0, 1, 2, 3, 4, 5));
        size_t length = strlen(text), line = 1;

        for (size_t i = 0; i < length; i++) {
                char old = text[i];
                unsigned first = line == LINES ? 0 : i % 8, last = line == LINES ? 7 : first;

                for (unsigned bit = first; bit <= last; bit++) {
                        text[i] = (char) (old ^ (1 << bit));
                        if (check_text(text, length, c.key, &c.heads[LINES], &report) != -EBADMSG)
                                TEST_FAIL("byte %zu, bit %u", i, bit);
                        /* The changed line itself, or the one whose prev no longer fits. */
                        CHECK(report.bad_line == line || report.bad_line == line + 1);
                        CHECK(report.why != NULL);
                }
                text[i] = old;
                line += old == '\n';
        }
        CHECK_EQ_INT(check_text(text, length, c.key, &c.heads[LINES], &report), 0);
        chain_free(&c);
}

/* The seal alone, without audit.head: every bit of a receipt that is the file's last line. */
TEST(every_bit_under_a_seal) {
        Chain c = {};

        chain_make(&c);
        size_t length = strlen(c.lines[4]) - 1;
        for (size_t i = 0; i < 8 * length; i++) {
                AuditHead head = c.heads[4];
                const char *why;

                c.lines[4][i / 8] = (char) (c.lines[4][i / 8] ^ (1 << (i % 8)));
                if (audit_line_check(&head, c.lines[4], length, c.key, NULL, &why) != -EBADMSG)
                        TEST_FAIL("bit %zu", i);
                c.lines[4][i / 8] = (char) (c.lines[4][i / 8] ^ (1 << (i % 8)));
        }
        chain_free(&c);
}

TEST(every_byte_removed_or_added) {
        static const char set[] = "\0 \n\"{}a0";
        Chain c = {};
        AuditReport report;

        chain_make(&c);
        _cleanup_free_ char *text = chain_text(&c, ORDER(0, 1, 2, 3, 4, 5));
        size_t length = strlen(text);
        _cleanup_free_ char *changed = malloc(length + 2);

        for (size_t i = 0; i < length; i++) {
                memcpy(changed, text, i);
                memcpy(changed + i, text + i + 1, length - i);
                if (check_text(changed, length - 1, c.key, &c.heads[LINES], &report) != -EBADMSG)
                        TEST_FAIL("byte %zu removed", i);
                memcpy(changed + i + 1, text + i, length - i);
                changed[i] = i % 2 ? text[i] : set[i / 2 % (sizeof(set) - 1)];
                if (check_text(changed, length + 1, c.key, &c.heads[LINES], &report) != -EBADMSG)
                        TEST_FAIL("byte %zu: %d put before", i, changed[i]);
        }
        chain_free(&c);
}

TEST(every_cut) {
        Chain c = {};
        AuditReport report;

        chain_make(&c);
        _cleanup_free_ char *text = chain_text(&c, ORDER(0, 1, 2, 3, 4, 5));
        size_t length = strlen(text), lines = 0;

        for (size_t i = 0; i < length; i++) {
                CHECK_EQ_INT(check_text(text, i, c.key, &c.heads[LINES], &report), -EBADMSG);
                CHECK_EQ_INT(report.bad_line, lines + 1);
                lines += text[i] == '\n';
        }
        chain_free(&c);
}

TEST(lines_moved_about) {
        static const struct {
                size_t order[8], n;
                uint64_t bad_line;
        } cases[] = {
                        {{1, 2, 3, 4, 5}, 5, 1}, /* the first one removed */
                        {{0, 2, 3, 4, 5}, 5, 2}, /* one removed */
                        {{0, 1, 2, 3, 4}, 5, 6}, /* the last one removed */
                        {{0}, 1, 2},             /* all but the first */
                        {{}, 0, 1},              /* all */
                        {{0, 0, 1, 2, 3, 4, 5}, 7, 2},
                        {{0, 1, 2, 3, 4, 5, 5}, 7, 7},
                        {{0, 1, 2, 3, 4, 5, 0}, 7, 7},
                        {{1, 0, 2, 3, 4, 5}, 6, 1},
                        {{0, 2, 1, 3, 4, 5}, 6, 2},
                        {{0, 1, 2, 3, 5, 4}, 6, 5},
                        {{0, 1, 2, 5}, 4, 4},
        };
        Chain c = {};
        AuditReport report;

        chain_make(&c);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                CHECK_EQ_INT(check_order(&c, cases[i].order, cases[i].n, &c.heads[LINES], &report), -EBADMSG);
                CHECK_EQ_INT(report.bad_line, cases[i].bad_line);
        }
        chain_free(&c);
}

/* audit.head is written after the line: a power cut leaves it one line behind, and never more. */
TEST(head_may_be_one_line_behind) {
        Chain c = {};
        AuditReport report;

        chain_make(&c);
        CHECK_EQ_INT(check_order(&c, ORDER(0, 1, 2, 3, 4, 5), &c.heads[5], &report), 0);
        CHECK_EQ_INT(check_order(&c, ORDER(0, 1, 2, 3, 4, 5), &c.heads[4], &report), -EBADMSG);
        CHECK_EQ_INT(report.bad_line, 6);
        CHECK_EQ_INT(check_order(&c, ORDER(0), &c.heads[0], &report), 0);
        CHECK_EQ_INT(check_order(&c, ORDER(0, 1), &c.heads[0], &report), -EBADMSG);
        AuditHead other = c.heads[5];
        other.hash[0] = other.hash[0] == '0' ? '1' : '0';
        CHECK_EQ_INT(check_order(&c, ORDER(0, 1, 2, 3, 4, 5), &other, &report), -EBADMSG);
        CHECK_EQ_INT(report.bad_line, 5);
        CHECK_EQ_INT(check_text("", 0, c.key, &c.heads[0], &report), 0);
        chain_free(&c);
}

/* Somebody without the key makes a whole new chain, with the hashes all right. */
TEST(a_forged_chain) {
        Chain c = {}, forged = {};
        AuditReport report;
        AuditHead head;
        const char *why;

        chain_make(&c);
        chain_make(&forged);
        _cleanup_free_ char *text = chain_text(&forged, ORDER(0, 1, 2, 3, 4, 5));
        CHECK_EQ_INT(check_text(text, strlen(text), c.key, &forged.heads[LINES], &report), -EBADMSG);
        CHECK_EQ_INT(report.bad_line, 1);
        CHECK_EQ_INT(check_text(text, strlen(text), forged.key, &forged.heads[LINES], &report), 0);

        /* Without seals: start and receipt must have one, whatever else is in order. */
        for (size_t i = 0; i < 2; i++) {
                _cleanup_free_ char *line = NULL;

                audit_head_init(&head);
                CHECK_EQ_INT(audit_line_make(&head, event_new(i ? "grant.receipt" : "daemon.start"), NOW, NULL, &line),
                             0);
                audit_head_init(&head);
                CHECK_EQ_INT(audit_line_check(&head, line, strlen(line) - 1, c.key, NULL, &why), -EBADMSG);
                CHECK(strstr(why, "always sealed") != NULL);
                CHECK_EQ_INT(head.seq, 0);
                CHECK_EQ_INT(audit_line_check(&head, line, strlen(line) - 1, NULL, NULL, &why), 0);
        }
        chain_free(&c);
        chain_free(&forged);
}

/* A seal of another line, and a seal of this line's content at another place in the chain. */
TEST(a_seal_does_not_travel) {
        Chain c = {};
        AuditHead head;
        const char *why;

        chain_make(&c);
        size_t a = strlen(c.lines[0]), b = strlen(c.lines[4]);
        memcpy(c.lines[4] + b - 3 - 88, c.lines[0] + a - 3 - 88, 88);
        head = c.heads[4];
        CHECK_EQ_INT(audit_line_check(&head, c.lines[4], b - 1, c.key, NULL, &why), -EBADMSG);
        CHECK(strstr(why, "not this key's") != NULL);
        CHECK_EQ_INT(head.seq, 4);
        CHECK_STREQ(head.hash, c.heads[4].hash);
        chain_free(&c);
}

/* Same value, other text: "=" bits that base64 ignores, white space, escapes, order, a second seal. */
TEST(one_text_only) {
        Chain c = {};
        AuditHead head;
        const char *why;

        chain_make(&c);
        size_t n = strlen(c.lines[0]) - 1;
        char *last = c.lines[0] + n - 5; /* before ==\"} */
        for (unsigned i = 1; i < 16; i++) {
                char old = *last;
                static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                *last = alphabet[((size_t) (strchr(alphabet, old) - alphabet) & 48) | i];
                head = c.heads[0];
                int r = audit_line_check(&head, c.lines[0], n, c.key, NULL, &why);
                CHECK_EQ_INT(r, *last == old ? 0 : -EBADMSG);
                *last = old;
        }
        chain_free(&c);
}

TEST(crafted_lines) {
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define GOOD "{\"event\":\"x\",\"prev\":\"" ZEROS "\",\"seq\":1,\"time\":\"2026-11-22T14:00:00.000000Z\"}"
#define SEAL88 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
        static const char *const bad[] = {
                        "",
                        "{}",
                        "[]",
                        "null",
                        "\"x\"",
                        "}",
                        ",\"seal\":\"" SEAL88 "\"}",
                        "{\"seal\":\"" SEAL88 "\"}",
                        GOOD " ",
                        " " GOOD,
                        GOOD GOOD,
                        "{\"event\":\"x\",\"prev\":\"" ZEROS "\",\"seq\":1.0,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS
                        "\",\"seq\":\"1\",\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS "\",\"seq\":0,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS "\",\"seq\":2,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS "\",\"seq\":-1,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS
                        "\",\"seq\":18446744073709551617,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS "0\",\"seq\":1,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":null,\"seq\":1,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS "\",\"seq\":1,\"time\":\"2026-11-22T14:00:00Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS "\",\"seq\":1,\"time\":\"yesterday\"}",
                        "{\"event\":1,\"prev\":\"" ZEROS "\",\"seq\":1,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"prev\":\"" ZEROS "\",\"seq\":1,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"event\":\"x\",\"prev\":\"" ZEROS
                        "\",\"seq\":1,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"\\u0078\",\"prev\":\"" ZEROS
                        "\",\"seq\":1,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
                        "{\"event\":\"x\",\"prev\":\"" ZEROS
                        "\",\"seal\":\"x\",\"seq\":1,\"time\":\"2026-11-22T14:00:00.000000Z\"}",
        };
        AuditHead head;
        const char *why;

        audit_head_init(&head);
        CHECK_EQ_INT(audit_line_check(&head, GOOD, strlen(GOOD), NULL, NULL, &why), 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                audit_head_init(&head);
                if (audit_line_check(&head, bad[i], strlen(bad[i]), NULL, NULL, &why) != -EBADMSG)
                        TEST_FAIL("accepted: %s", bad[i]);
                CHECK_EQ_INT(head.seq, 0);
        }
}

TEST_MAIN
