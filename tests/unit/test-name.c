/* SPDX-License-Identifier: Apache-2.0 */
#include "name.h"
#include "test.h"

#include <locale.h>

/* 31 and 32 characters in all. */
#define ACCOUNT_31 "jit-abcdefghijklmnopqrstuvwxyz0"
#define ACCOUNT_32 ACCOUNT_31 "1"
_Static_assert(sizeof(ACCOUNT_31) - 1 == ACCOUNT_NAME_MAX, "ACCOUNT_31");

static const char *const nasty[] = {
                "",    " ",   "a b",  "a\n",  "\na",  "a\tb", "a\x7f", "a\x1b[31m", "a/b",       "../a",  "a:b", "a;b",
                "a$b", "a'b", "a\"b", "a`b`", "a\\b", "a%sb", "a%n",   "\xc3\xa4",  "a\xc3\xa4", "a\xff", "-a",  "a*b?",
};

TEST(ours_by_prefix_in_any_case) {
        CHECK(account_name_is_ours("jit-x"));
        CHECK(account_name_is_ours("JIT-CHG1"));
        CHECK(account_name_is_ours("jIt-"));
        CHECK(account_name_is_ours("jit-\n"));
        CHECK(!account_name_is_ours(NULL));
        CHECK(!account_name_is_ours(""));
        CHECK(!account_name_is_ours("j"));
        CHECK(!account_name_is_ours("jit"));
        CHECK(!account_name_is_ours("jit_x"));
        CHECK(!account_name_is_ours("jitx-1"));
        CHECK(!account_name_is_ours(" jit-x"));
        CHECK(!account_name_is_ours("xjit-x"));
}

/* In a Turkish locale the small letter of I has no dot: the C library's functions would say no to "JIT-". */
TEST(case_folding_knows_no_locale) {
        char name[ACCOUNT_NAME_MAX + 1];

        if (!setlocale(LC_ALL, "tr_TR.UTF-8"))
                (void) setlocale(LC_ALL, "");
        CHECK(account_name_is_ours("JIT-CHI"));
        CHECK_EQ_INT(account_name_parse("JIT-CHI", name), 0);
        CHECK_STREQ(name, "jit-chi");
        (void) setlocale(LC_ALL, "C");
}

TEST(account_name_is_lowered) {
        char name[ACCOUNT_NAME_MAX + 1];

        CHECK_EQ_INT(account_name_parse("jit-CHG0012345", name), 0);
        CHECK_STREQ(name, "jit-chg0012345");
        CHECK_EQ_INT(account_name_parse("JIT-Ops-42-Alice", name), 0);
        CHECK_STREQ(name, "jit-ops-42-alice");
        CHECK_EQ_INT(account_name_parse("jit-7", name), 0);
        CHECK_STREQ(name, "jit-7");
}

/* compute-image-packages PR 624: names over 32 characters. */
TEST(account_name_length_limit) {
        char name[ACCOUNT_NAME_MAX + 1];

        CHECK_EQ_INT(account_name_parse(ACCOUNT_31, name), 0);
        CHECK_STREQ(name, ACCOUNT_31);
        CHECK_EQ_INT(account_name_parse(ACCOUNT_32, name), -EINVAL);
}

TEST(account_name_in_place) {
        char name[] = "JIT-ABC-1";

        CHECK_EQ_INT(account_name_parse(name, name), 0);
        CHECK_STREQ(name, "jit-abc-1");
}

TEST(account_name_refusals) {
        static const char *const bad[] = {
                        "jit-",    "jit--a", "jit-a-", "jit-a--b", "jit-a_b",
                        "jit-a.b", "jit",    "alice",  "jit-a ",   "jit-a@h",
        };
        char name[ACCOUNT_NAME_MAX + 1] = "untouched", text[64];

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK_EQ_INT(account_name_parse(bad[i], name), -EINVAL);
        for (size_t i = 0; i < sizeof(nasty) / sizeof(nasty[0]); i++) {
                (void) snprintf(text, sizeof(text), "jit-%s", nasty[i]);
                CHECK_EQ_INT(account_name_parse(text, name), -EINVAL);
        }
        CHECK_STREQ(name, "untouched");
}

TEST(account_name_every_byte) {
        char name[ACCOUNT_NAME_MAX + 1], text[] = "jit-aXb";

        for (int c = 1; c < 256; c++) {
                text[5] = (char) c;
                bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
                CHECK_EQ_INT(account_name_parse(text, name), good ? 0 : -EINVAL);
        }
}

TEST(very_long_input) {
        size_t n = 1024 * 1024;
        char *text = malloc(n + 1), name[ACCOUNT_NAME_MAX + 1];

        memset(text, 'a', n);
        text[n] = '\0';
        CHECK(!person_name_is_valid(text));
        CHECK(!role_name_is_valid(text));
        CHECK(!host_pattern_is_valid(text));
        CHECK_EQ_INT(ticket_id_parse(text, name), -EINVAL);
        memcpy(text, "jit-", 4);
        CHECK_EQ_INT(account_name_parse(text, name), -EINVAL);
        CHECK_EQ_INT(ssh_key_parse(text, name, sizeof(name)), -EINVAL);
        free(text);
}

TEST(ticket_ids) {
        char id[TICKET_ID_MAX + 1] = "untouched";

        CHECK_EQ_INT(ticket_id_parse("CHG0012345", id), 0);
        CHECK_STREQ(id, "chg0012345");
        CHECK_EQ_INT(ticket_id_parse("1", id), 0);
        CHECK_STREQ(id, "1");
        CHECK_EQ_INT(ticket_id_parse("OPS-1-b", NULL), 0);
        CHECK_EQ_INT(ticket_id_parse("123456789012345678901234567", id), 0);
        CHECK_EQ_INT(strlen(id), TICKET_ID_MAX);
        CHECK_EQ_INT(ticket_id_parse("1234567890123456789012345678", NULL), -EINVAL);
        CHECK_EQ_INT(ticket_id_parse(NULL, NULL), -EINVAL);
        CHECK_EQ_INT(ticket_id_parse("-", NULL), -EINVAL);
        CHECK_EQ_INT(ticket_id_parse("a--b", NULL), -EINVAL);
        CHECK_EQ_INT(ticket_id_parse("a-", NULL), -EINVAL);
        CHECK_EQ_INT(ticket_id_parse(".", NULL), -EINVAL);
        CHECK_EQ_INT(ticket_id_parse("..", NULL), -EINVAL);
        for (size_t i = 0; i < sizeof(nasty) / sizeof(nasty[0]); i++)
                CHECK_EQ_INT(ticket_id_parse(nasty[i], NULL), -EINVAL);
}

TEST(every_ticket_id_fits_an_account_name) {
        char id[TICKET_ID_MAX + 1], account[64], name[ACCOUNT_NAME_MAX + 1];

        CHECK_EQ_INT(ticket_id_parse("A23456789012345678901234567", id), 0);
        (void) snprintf(account, sizeof(account), "%s%s", ACCOUNT_PREFIX, id);
        CHECK_EQ_INT(account_name_parse(account, name), 0);
}

TEST(persons_and_roles) {
        CHECK(person_name_is_valid("alice"));
        CHECK(person_name_is_valid("_svc.deploy-2"));
        CHECK(person_name_is_valid("a"));
        CHECK(person_name_is_valid("abcdefghijklmnopqrstuvwxyz01234"));
        CHECK(!person_name_is_valid("abcdefghijklmnopqrstuvwxyz012345"));
        CHECK(!person_name_is_valid(NULL));
        CHECK(!person_name_is_valid("Alice"));
        CHECK(!person_name_is_valid("1alice"));
        CHECK(!person_name_is_valid(".alice"));
        CHECK(!person_name_is_valid("alice@example.org"));

        CHECK(role_name_is_valid("dba"));
        CHECK(role_name_is_valid("web-operator"));
        CHECK(role_name_is_valid("a12345678901234567890123456"));
        CHECK(!role_name_is_valid("a123456789012345678901234567"));
        CHECK(!role_name_is_valid(NULL));
        CHECK(!role_name_is_valid("DBA"));
        CHECK(!role_name_is_valid("0dba"));
        CHECK(!role_name_is_valid("db_a"));
        CHECK(!role_name_is_valid("db.a"));

        for (size_t i = 0; i < sizeof(nasty) / sizeof(nasty[0]); i++) {
                CHECK(!person_name_is_valid(nasty[i]));
                CHECK(!role_name_is_valid(nasty[i]));
        }
}

TEST(host_patterns) {
        char long_name[255];

        CHECK(host_pattern_is_valid("db1"));
        CHECK(host_pattern_is_valid("db*.prod.example.org"));
        CHECK(host_pattern_is_valid("*"));
        CHECK(!host_pattern_is_valid(NULL));
        CHECK(!host_pattern_is_valid("DB1"));
        CHECK(!host_pattern_is_valid("db[12]"));
        CHECK(!host_pattern_is_valid("db?"));
        CHECK(!host_pattern_is_valid("db_1"));
        CHECK(!host_pattern_is_valid("db1,db2"));

        memset(long_name, 'a', sizeof(long_name));
        long_name[254] = '\0';
        CHECK(!host_pattern_is_valid(long_name));
        long_name[253] = '\0';
        CHECK(host_pattern_is_valid(long_name));
}

/* Made by ssh-keygen for this test; nobody has the private halves. */
#define ED25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDe1+yp4OvIVpYkxEdYKE22MS+aTVtBIK5zCgBDRAt7N"
#define ECDSA                                                                                                          \
        "ecdsa-sha2-nistp256 "                                                                                         \
        "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBP5v6irG3gIDnASMzO+OmZgXP/yK27o5"                         \
        "rbvFEyM8Q6v9B1ZevJ73FznVfX14+fwutRKwJU9CMtnN9+DaNfxfqsw="

TEST(ssh_keys) {
        char key[512] = "untouched";

        CHECK_EQ_INT(ssh_key_parse(ED25519, key, sizeof(key)), 0);
        CHECK_STREQ(key, ED25519);
        CHECK_EQ_INT(ssh_key_parse(ED25519 " alice@laptop, the old one", key, sizeof(key)), 0);
        CHECK_STREQ(key, ED25519);
        CHECK_EQ_INT(ssh_key_parse(ECDSA, key, sizeof(key)), 0);
        CHECK_STREQ(key, ECDSA);
}

TEST(ssh_key_buffer) {
        char key[sizeof(ED25519)] = "untouched";

        CHECK_EQ_INT(ssh_key_parse(ED25519, key, sizeof(key) - 1), -ENOSPC);
        CHECK_STREQ(key, "untouched");
        CHECK_EQ_INT(ssh_key_parse(ED25519 " x", key, sizeof(key)), 0);
        CHECK_STREQ(key, ED25519);
}

TEST(ssh_key_refusals) {
        static const char *const bad[] = {
                        "",
                        " ",
                        "ssh-ed25519",
                        "ssh-ed25519 ",
                        "ssh-ed25519 AAAA",
                        " " ED25519,
                        "\n" ED25519,
                        ED25519 "\n" ED25519,
                        ED25519 "\t",
                        ED25519 "=",
                        ED25519 "A",
                        "command=\"/bin/sh\" " ED25519,
                        "cert-authority " ED25519,
                        "restrict " ED25519,
                        "#" ED25519,
                        /* the type before the blob is not the blob's */
                        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIDe1+yp4OvIVpYkxEdYKE22MS+aTVtBIK5zCgBDRAt7N",
                        "ssh-dss AAAAB3NzaC1kc3MAAAAA",
                        "ssh-ed25519-cert-v01@openssh.com "
                        "AAAAC3NzaC1lZDI1NTE5AAAAIDe1+yp4OvIVpYkxEdYKE22MS+aTVtBIK5zCgBDRAt7N",
                        /* '=' inside, and characters that are no base64 */
                        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDe1+yp4=vIVpYkxEdYKE22MS+aTVtBIK5zCgBDRAt7N",
                        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDe1+yp4-vIVpYkxEdYKE22MS+aTVtBIK5zCgBDRAt7N",
        };
        char key[512] = "untouched";

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK_EQ_INT(ssh_key_parse(bad[i], key, sizeof(key)), -EINVAL);
        CHECK_STREQ(key, "untouched");
}

TEST_MAIN
