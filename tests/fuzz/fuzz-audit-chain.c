/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "audit-chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* As a head, as one line, and as a whole file. The public key is that of corpus-audit-chain. */
static const char public_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEAoQov/hmG3p7lT5g4v62J/TEz6YPj6Zmacmyn6ZmfQpA=\n"
                                 "-----END PUBLIC KEY-----\n";

static void check_head(const char *text) {
        char again[AUDIT_HEAD_TEXT + 1];
        AuditHead head;

        if (audit_head_parse(text, &head) < 0)
                return;
        audit_head_format(&head, again);
        require(strcmp(again, text) == 0);
}

static void check_file(const char *text, size_t length, EVP_PKEY *key) {
        FILE *f = length > 0 ? fmemopen((void *) (uintptr_t) text, length, "re") : fopen("/dev/null", "re");
        AuditReport report;

        require(f);
        int r = audit_file_check(f, key, NULL, &report);
        require(r == 0 || r == -EBADMSG);
        require((r == 0) == (report.bad_line == 0) && (r == 0) == (report.why == NULL));
        require(report.sealed <= report.lines && report.unsealed_tail <= report.lines);
        (void) fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static EVP_PKEY *key;
        char *text = malloc(size + 1);
        AuditHead head, before;
        const char *why = NULL;
        bool sealed;

        if (!key)
                require(audit_key_from_pem(public_pem, false, &key) == 0);
        require(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';

        check_head(text);
        audit_head_init(&head);
        before = head;
        int r = audit_line_check(&head, text, size, key, &sealed, &why);
        require(r == 0 || (why && memcmp(&head, &before, sizeof(head)) == 0));
        require(r != 0 || (head.seq == 1 && strcmp(head.hash, before.hash) != 0));
        check_file(text, size, key);
        check_file(text, size, NULL);

        EVP_PKEY *parsed = NULL;
        if (audit_key_from_pem(text, false, &parsed) == 0)
                EVP_PKEY_free(parsed);
        free(text);
        return 0;
}
