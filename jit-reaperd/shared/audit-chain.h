/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_AUDIT_CHAIN_H
#define JIT_AUDIT_CHAIN_H

/* The audit file's format, without the file: each line is a canonical JSON object that carries its number and the
 * SHA-256 of the line before; receipts are sealed by Ed25519 (RFC 8032) over the line's bytes without the seal. See
 * jitctl(1), "audit verify". */

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cleanup.h"

enum { AUDIT_LINE_MAX = 1024 * 1024, AUDIT_HASH_HEX = 64 };

typedef struct AuditHead {
        uint64_t seq; /* of the last line; 0: no line yet */
        /* SHA-256 of the last line's bytes without newline, in hex; zeros at the start. */
        char hash[AUDIT_HASH_HEX + 1];
} AuditHead;

void audit_head_init(AuditHead *head);
/* Text form: one fixed-width line, AUDIT_HEAD_TEXT bytes with the newline, without NUL. */
enum { AUDIT_HEAD_TEXT = 20 + 1 + AUDIT_HASH_HEX + 1 };
void audit_head_format(const AuditHead *head, char ret[static AUDIT_HEAD_TEXT + 1]);
int audit_head_parse(const char *text, AuditHead *ret);

/* Adds seq, time and prev to event (stolen, must have "event" and none of seq, time, prev, seal: -EINVAL) and makes the
 * line, newline included (free()). seal_key: NULL for an unsealed line. head moves on only on success. -ENOMEM, -EIO
 * (OpenSSL), -EMSGSIZE. */
int audit_line_make(AuditHead *head, json_t *event, uint64_t now_realtime_usec, EVP_PKEY *seal_key, char **ret_line);
/* One line as read (without newline) against the head before it: moves head on. -EBADMSG with a sentence in *ret_why
 * (static). public_key may be NULL: seals are not checked; with one, "grant.receipt" and "daemon.start" must have
 * theirs. ret_sealed may be NULL. */
int audit_line_check(AuditHead *head, const char *line, size_t length, EVP_PKEY *public_key, bool *ret_sealed,
                     const char **ret_why);

typedef struct AuditReport {
        uint64_t lines, sealed;
        uint64_t bad_line;      /* first bad line's number from 1, 0: none */
        const char *why;        /* static */
        uint64_t unsealed_tail; /* lines behind the last seal */
} AuditReport;
/* The whole file. end: what audit.head says, or NULL; a file that ends before it was cut; one line more may stand in
 * the file, as audit.head is written after it. 0, -EBADMSG (report says), other errno. */
int audit_file_check(FILE *f, EVP_PKEY *public_key, const AuditHead *end, AuditReport *ret);

int audit_key_generate(EVP_PKEY **ret);
/* free(); the private part after OPENSSL_cleanse(). */
int audit_key_to_pem(EVP_PKEY *key, bool private_part, char **ret);
/* -EBADMSG for anything but an Ed25519 key that is not encrypted. */
int audit_key_from_pem(const char *pem, bool private_part, EVP_PKEY **ret);
static inline void audit_key_freep(EVP_PKEY **k) {
        EVP_PKEY_free(*k);
}

#endif
