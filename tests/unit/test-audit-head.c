/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "audit-chain.h"
#include "test.h"

/* The rest of audit-chain.h: audit.head, making lines, keys. */

TEST(head_text) {
        AuditHead head = {.seq = 42}, back = {};
        char text[AUDIT_HEAD_TEXT + 1];

        memset(head.hash, 'a', AUDIT_HASH_HEX);
        audit_head_format(&head, text);
        CHECK_EQ_INT(strlen(text), AUDIT_HEAD_TEXT);
        CHECK(strncmp(text, "00000000000000000042 aaaa", 25) == 0);
        CHECK_EQ_INT(audit_head_parse(text, &back), 0);
        CHECK_EQ_INT(back.seq, 42);
        CHECK_STREQ(back.hash, head.hash);

        head.seq = UINT64_MAX;
        audit_head_format(&head, text);
        CHECK_EQ_INT(audit_head_parse(text, &back), 0);
        CHECK(back.seq == UINT64_MAX);
}

TEST(head_text_refusals) {
        AuditHead head, back = {.seq = 77};
        char text[AUDIT_HEAD_TEXT + 1], changed[AUDIT_HEAD_TEXT + 8];

        audit_head_init(&head);
        audit_head_format(&head, text);
        for (size_t i = 0; i < AUDIT_HEAD_TEXT; i++) {
                memcpy(changed, text, sizeof(text));
                changed[i] = 'x';
                CHECK_EQ_INT(audit_head_parse(changed, &back), -EBADMSG);
                changed[i] = '\0'; /* cut here */
                CHECK_EQ_INT(audit_head_parse(changed, &back), -EBADMSG);
                memcpy(changed, text, sizeof(text));
                changed[i] = i == AUDIT_HEAD_TEXT - 1 ? ' ' : '\n';
                CHECK_EQ_INT(audit_head_parse(changed, &back), -EBADMSG);
        }
        (void) snprintf(changed, sizeof(changed), "%s\n", text);
        CHECK_EQ_INT(audit_head_parse(changed, &back), -EBADMSG);
        memcpy(changed, text, sizeof(text));
        memcpy(changed, "18446744073709551616", 20); /* 2^64 */
        CHECK_EQ_INT(audit_head_parse(changed, &back), -EBADMSG);
        memcpy(changed, text, sizeof(text));
        changed[30] = 'A'; /* one text only: small letters */
        CHECK_EQ_INT(audit_head_parse(changed, &back), -EBADMSG);
        CHECK_EQ_INT(back.seq, 77);
}

TEST(make_refuses_members_that_are_ours) {
        static const char *const ours[] = {"seq", "time", "prev", "seal"};
        AuditHead head;
        char *line = NULL;

        audit_head_init(&head);
        for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
                CHECK_EQ_INT(audit_line_make(&head, json_pack("{s:s, s:s}", "event", "x", ours[i], "y"), 0, NULL,
                                             &line),
                             -EINVAL);
        CHECK_EQ_INT(audit_line_make(&head, json_object(), 0, NULL, &line), -EINVAL);
        CHECK_EQ_INT(audit_line_make(&head, json_pack("{s:i}", "event", 1), 0, NULL, &line), -EINVAL);
        CHECK_EQ_INT(audit_line_make(&head, json_array(), 0, NULL, &line), -EINVAL);
        CHECK_EQ_INT(audit_line_make(&head, NULL, 0, NULL, &line), -EINVAL);
        CHECK_EQ_INT(head.seq, 0);
        CHECK(line == NULL);
}

TEST(make_and_check_agree_on_the_longest_line) {
        EVP_PKEY *key = NULL;
        char *text = malloc(AUDIT_LINE_MAX + 1);
        size_t low = 0, high = AUDIT_LINE_MAX;

        CHECK_EQ_INT(audit_key_generate(&key), 0);
        memset(text, 'x', AUDIT_LINE_MAX);
        while (low < high) { /* the longest text that audit_line_make() takes */
                size_t middle = (low + high + 1) / 2;
                AuditHead head;
                char *line = NULL;

                audit_head_init(&head);
                int r = audit_line_make(&head, json_pack("{s:s, s:s%}", "event", "x", "text", text, middle), 0, key,
                                        &line);
                if (r == 0) {
                        AuditHead check;
                        const char *why;

                        CHECK(strlen(line) <= AUDIT_LINE_MAX + 1);
                        audit_head_init(&check);
                        CHECK_EQ_INT(audit_line_check(&check, line, strlen(line) - 1, key, NULL, &why), 0);
                        CHECK_STREQ(check.hash, head.hash);
                        low = middle;
                } else {
                        CHECK_EQ_INT(r, -EMSGSIZE);
                        CHECK_EQ_INT(head.seq, 0);
                        high = middle - 1;
                }
                free(line);
        }
        CHECK(low > AUDIT_LINE_MAX - 512);
        free(text);
        EVP_PKEY_free(key);
}

TEST(an_endless_line) {
        FILE *f = fopen("/dev/zero", "re");
        AuditReport report;

        CHECK_EQ_INT(audit_file_check(f, NULL, NULL, &report), -EBADMSG);
        CHECK_EQ_INT(report.bad_line, 1);
        (void) fclose(f);
}

TEST(keys_as_pem) {
        EVP_PKEY *key = NULL, *again = NULL, *public_key = NULL;
        char *secret = NULL, *public_pem = NULL, *line = NULL;
        AuditHead head, check;
        const char *why;
        bool sealed = false;

        CHECK_EQ_INT(audit_key_generate(&key), 0);
        CHECK_EQ_INT(audit_key_to_pem(key, true, &secret), 0);
        CHECK_EQ_INT(audit_key_to_pem(key, false, &public_pem), 0);
        CHECK(strncmp(secret, "-----BEGIN PRIVATE KEY-----\n", 28) == 0);
        CHECK(strncmp(public_pem, "-----BEGIN PUBLIC KEY-----\n", 27) == 0);
        CHECK_EQ_INT(audit_key_from_pem(secret, true, &again), 0);
        CHECK_EQ_INT(audit_key_from_pem(public_pem, false, &public_key), 0);

        audit_head_init(&head);
        audit_head_init(&check);
        CHECK_EQ_INT(audit_line_make(&head, json_pack("{s:s}", "event", "daemon.start"), 1, again, &line), 0);
        CHECK_EQ_INT(audit_line_check(&check, line, strlen(line) - 1, public_key, &sealed, &why), 0);
        CHECK(sealed);
        /* A public key cannot seal. */
        char *none = NULL;
        CHECK_EQ_INT(audit_line_make(&head, json_pack("{s:s}", "event", "x"), 1, public_key, &none), -EIO);
        CHECK_EQ_INT(head.seq, 1);
        CHECK(none == NULL);

        free(line);
        free(secret);
        free(public_pem);
        EVP_PKEY_free(key);
        EVP_PKEY_free(again);
        EVP_PKEY_free(public_key);
}

TEST(keys_that_are_none) {
        EVP_PKEY *key = NULL, *ed = NULL, *rsa = EVP_RSA_gen(2048);
        char *pem = NULL, *public_pem = NULL;

        CHECK_EQ_INT(audit_key_generate(&ed), 0);
        CHECK_EQ_INT(audit_key_from_pem("", true, &key), -EBADMSG);
        CHECK_EQ_INT(audit_key_from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", true, &key),
                     -EBADMSG);
        CHECK_EQ_INT(audit_key_to_pem(rsa, true, &pem), 0);
        CHECK_EQ_INT(audit_key_from_pem(pem, true, &key), -EBADMSG);
        CHECK_EQ_INT(audit_key_to_pem(ed, false, &public_pem), 0);
        CHECK_EQ_INT(audit_key_from_pem(public_pem, true, &key), -EBADMSG);

        /* An encrypted one must not make OpenSSL ask on the terminal. */
        BIO *b = BIO_new(BIO_s_mem());
        char *data = NULL;
        CHECK_EQ_INT(PEM_write_bio_PKCS8PrivateKey(b, ed, EVP_aes_128_cbc(), "secret", 6, NULL, NULL), 1);
        long length = BIO_get_mem_data(b, &data);
        char *encrypted = strndup(data, (size_t) length);
        CHECK_EQ_INT(audit_key_from_pem(encrypted, true, &key), -EBADMSG);

        CHECK(key == NULL);
        free(encrypted);
        free(pem);
        free(public_pem);
        BIO_free(b);
        EVP_PKEY_free(ed);
        EVP_PKEY_free(rsa);
}

TEST_MAIN
