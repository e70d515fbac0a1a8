/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <string.h>

#include "audit-chain.h"
#include "json.h"
#include "timefmt.h"

/* What finds what: a changed byte in any line but the last, a line added, removed or moved: the next line's prev and
 * seq. A change in the last line: its seal, or the head that is kept in a file of its own. A cut tail: the head. A
 * chain made anew by somebody without the key: receipts and daemon starts without a valid seal. */

#define SEAL_START ",\"seal\":\""
#define SEAL_END "\"}"
enum {
        SEAL_BYTES = 64,                        /* RFC 8032 5.1.6 */
        SEAL_BASE64 = (SEAL_BYTES + 2) / 3 * 4, /* 88 */
        SEAL_TEXT = sizeof(SEAL_START) - 1 + SEAL_BASE64 + sizeof(SEAL_END) - 1,
};

static bool event_must_be_sealed(const char *event) {
        return strcmp(event, "grant.receipt") == 0 || strcmp(event, "daemon.start") == 0;
}

void audit_head_init(AuditHead *head) {
        head->seq = 0;
        memset(head->hash, '0', AUDIT_HASH_HEX);
        head->hash[AUDIT_HASH_HEX] = '\0';
}

void audit_head_format(const AuditHead *head, char ret[static AUDIT_HEAD_TEXT + 1]) {
        (void) snprintf(ret, AUDIT_HEAD_TEXT + 1, "%020" PRIu64 " %.*s\n", head->seq, AUDIT_HASH_HEX, head->hash);
}

static bool is_hash_text(const char *s, size_t length) {
        return length == AUDIT_HASH_HEX && strspn(s, "0123456789abcdef") >= length;
}

int audit_head_parse(const char *text, AuditHead *ret) {
        AuditHead head = {};

        if (strlen(text) != AUDIT_HEAD_TEXT || text[20] != ' ' || text[AUDIT_HEAD_TEXT - 1] != '\n' ||
            !is_hash_text(text + 21, AUDIT_HASH_HEX))
                return -EBADMSG;
        for (size_t i = 0; i < 20; i++)
                if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(head.seq, 10, &head.seq) ||
                    __builtin_add_overflow(head.seq, (uint64_t) (text[i] - '0'), &head.seq))
                        return -EBADMSG;
        memcpy(head.hash, text + 21, AUDIT_HASH_HEX);
        *ret = head;
        return 0;
}

/* Moves head on over a line's bytes. */
static int head_advance(AuditHead *head, const char *line, size_t length) {
        static const char hex[] = "0123456789abcdef";
        unsigned char digest[SHA256_DIGEST_LENGTH];

        if (EVP_Digest(line, length, digest, NULL, EVP_sha256(), NULL) != 1)
                return -EIO;
        for (size_t i = 0; i < sizeof(digest); i++) {
                head->hash[2 * i] = hex[digest[i] >> 4];
                head->hash[2 * i + 1] = hex[digest[i] & 15];
        }
        head->hash[AUDIT_HASH_HEX] = '\0';
        head->seq++;
        return 0;
}

static void md_ctx_freep(EVP_MD_CTX **c) {
        EVP_MD_CTX_free(*c);
}

static int seal_make(EVP_PKEY *key, const char *text, size_t length, char ret_base64[static SEAL_BASE64 + 1]) {
        JIT_CLEANUP(md_ctx_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();
        unsigned char seal[SEAL_BYTES];
        size_t n = sizeof(seal);

        if (!c)
                return -ENOMEM;
        if (EVP_DigestSignInit(c, NULL, NULL, NULL, key) != 1 ||
            EVP_DigestSign(c, seal, &n, (const unsigned char *) text, length) != 1 || n != sizeof(seal))
                return -EIO;
        (void) EVP_EncodeBlock((unsigned char *) ret_base64, seal, (int) sizeof(seal));
        return 0;
}

/* 1: it is the key's; 0: it is not; negative: OpenSSL could not tell. */
static int seal_check(EVP_PKEY *key, const char *text, size_t length, const unsigned char seal[static SEAL_BYTES]) {
        JIT_CLEANUP(md_ctx_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();

        if (!c)
                return -ENOMEM;
        if (EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) != 1)
                return -EIO;
        return EVP_DigestVerify(c, seal, SEAL_BYTES, (const unsigned char *) text, length) == 1;
}

/* Strict: 64 bytes have one base64 text only. */
static bool seal_decode(const char *base64, unsigned char ret[static SEAL_BYTES]) {
        unsigned char bytes[SEAL_BASE64 / 4 * 3], again[SEAL_BASE64 + 1];

        if (EVP_DecodeBlock(bytes, (const unsigned char *) base64, SEAL_BASE64) != (int) sizeof(bytes))
                return false;
        (void) EVP_EncodeBlock(again, bytes, SEAL_BYTES);
        if (memcmp(again, base64, SEAL_BASE64) != 0)
                return false;
        memcpy(ret, bytes, SEAL_BYTES);
        return true;
}

/* canonical: an object with members, as it ends with "}". Makes the line with its newline. */
static int line_assemble(const char *canonical, size_t length, EVP_PKEY *seal_key, char **ret, size_t *ret_length) {
        char seal[SEAL_BASE64 + 1];
        char *line = NULL;
        int n;

        if (seal_key) {
                int r = seal_make(seal_key, canonical, length, seal);
                if (r < 0)
                        return r;
                n = asprintf(&line, "%.*s" SEAL_START "%s" SEAL_END "\n", (int) length - 1, canonical, seal);
        } else
                n = asprintf(&line, "%s\n", canonical);
        if (n < 0)
                return -ENOMEM;
        *ret = line;
        *ret_length = (size_t) n - 1;
        return 0;
}

int audit_line_make(AuditHead *head, json_t *event, uint64_t now_realtime_usec, EVP_PKEY *seal_key, char **ret_line) {
        static const char *const ours[] = {"seq", "time", "prev", "seal"};
        _cleanup_json_ json_t *object = event;
        _cleanup_free_ char *canonical = NULL, *line = NULL;
        char now[TIME_TEXT_MAX];
        AuditHead next = *head;
        size_t length;

        if (!json_is_object(object) || !json_is_string(json_object_get(object, "event")))
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(ours); i++)
                if (json_object_get(object, ours[i]))
                        return -EINVAL;
        if (head->seq >= (uint64_t) INT64_MAX)
                return -EMSGSIZE;

        if (json_set_uint(object, "seq", head->seq + 1) < 0 ||
            json_set_str(object, "time", time_format_rfc3339_usec(now_realtime_usec, now)) < 0 ||
            json_set_str(object, "prev", head->hash) < 0)
                return -ENOMEM;
        canonical = json_canonical(object);
        if (!canonical)
                return -ENOMEM;

        size_t canonical_length = strlen(canonical);
        if (canonical_length > AUDIT_LINE_MAX - SEAL_TEXT)
                return -EMSGSIZE;
        int r = line_assemble(canonical, canonical_length, seal_key, &line, &length);
        if (r >= 0)
                r = head_advance(&next, line, length);
        if (r < 0)
                return r;

        *head = next;
        *ret_line = take_ptr(line);
        return 0;
}

/* Whether the line ends as a sealed one does; the bytes that were sealed are what stands before, and "}". */
static bool line_split_seal(const char *line, size_t length, size_t *ret_body) {
        const char *seal = line + length - SEAL_TEXT;

        if (length <= SEAL_TEXT || memcmp(seal, SEAL_START, strlen(SEAL_START)) != 0 ||
            memcmp(line + length - strlen(SEAL_END), SEAL_END, strlen(SEAL_END)) != 0)
                return false;
        *ret_body = length - SEAL_TEXT;
        return true;
}

/* The object without its seal: canonical, and in its place in the chain. */
static int body_check(const AuditHead *head, const char *body, size_t length, const char **ret_why, json_t **ret) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *canonical = NULL;
        char text[TIME_TEXT_MAX];
        uint64_t usec;

        int r = json_parse_strict(body, length, AUDIT_LINE_MAX, &object, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                *ret_why = "is not a JSON object";
                return -EBADMSG;
        }
        canonical = json_canonical(object);
        if (!canonical || strlen(canonical) != length || memcmp(canonical, body, length) != 0) {
                *ret_why = "is not in canonical form";
                return -EBADMSG;
        }

        const json_t *seq = json_object_get(object, "seq");
        const char *prev = json_string_value(json_object_get(object, "prev"));
        const char *time = json_string_value(json_object_get(object, "time"));
        if (!json_is_integer(seq) || !prev || !time || !json_is_string(json_object_get(object, "event")) ||
            json_object_get(object, "seal"))
                *ret_why = "lacks seq, time, prev or event, or has its seal in another place";
        else if (json_integer_value(seq) < 1 || (uint64_t) json_integer_value(seq) != head->seq + 1)
                *ret_why = "has another number than the next: lines were removed, repeated or moved";
        else if (strcmp(prev, head->hash) != 0)
                *ret_why = "does not follow from the line before: that one was changed, or this one is not its "
                           "successor";
        else if (time_parse_rfc3339(time, &usec) < 0 || strcmp(time_format_rfc3339_usec(usec, text), time) != 0)
                *ret_why = "has a time that is none";
        else {
                *ret = take_ptr(object);
                return 0;
        }
        return -EBADMSG;
}

static int line_seal_check(const char *body, size_t length, const char *base64, EVP_PKEY *public_key,
                           const char **ret_why) {
        unsigned char seal[SEAL_BYTES];

        if (!seal_decode(base64, seal)) {
                *ret_why = "has a seal that is not base64 of 64 bytes";
                return -EBADMSG;
        }
        if (!public_key)
                return 0;
        int r = seal_check(public_key, body, length, seal);
        if (r == 0) {
                *ret_why = "has a seal that is not this key's over this line";
                return -EBADMSG;
        }
        return r < 0 ? r : 0;
}

int audit_line_check(AuditHead *head, const char *line, size_t length, EVP_PKEY *public_key, bool *ret_sealed,
                     const char **ret_why) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *body = NULL;
        AuditHead next = *head;
        size_t body_length = length;

        *ret_why = NULL;
        if (length == 0 || length > AUDIT_LINE_MAX) {
                *ret_why = length == 0 ? "is empty" : "is longer than 1 MiB";
                return -EBADMSG;
        }
        bool sealed = line_split_seal(line, length, &body_length);
        body = malloc(body_length + 2);
        if (!body)
                return -ENOMEM;
        memcpy(body, line, body_length);
        if (sealed)
                body[body_length++] = '}';
        body[body_length] = '\0';

        int r = body_check(head, body, body_length, ret_why, &object);
        if (r < 0)
                return r;
        if (sealed) {
                const char *base64 = line + length - strlen(SEAL_END) - SEAL_BASE64;
                r = line_seal_check(body, body_length, base64, public_key, ret_why);
                if (r < 0)
                        return r;
        } else if (public_key && event_must_be_sealed(json_string_value(json_object_get(object, "event")))) {
                *ret_why = "is of a kind that is always sealed, and has no seal";
                return -EBADMSG;
        }

        r = head_advance(&next, line, length);
        if (r < 0)
                return r;
        *head = next;
        if (ret_sealed)
                *ret_sealed = sealed;
        return 0;
}

typedef struct LineReader {
        FILE *file;
        char *buffer; /* grows up to AUDIT_LINE_MAX */
        size_t size, length;
} LineReader;

static int line_reader_grow(LineReader *l) {
        size_t size = l->size > 0 ? 2 * l->size : 4096;
        char *grown = realloc(l->buffer, size);

        if (!grown)
                return -ENOMEM;
        l->buffer = grown;
        l->size = size;
        return 0;
}

/* 1: a line, without its newline; 0: the end; -EBADMSG: too long, or the file ends without a newline. */
static int line_read(LineReader *l, const char **ret_why) {
        int c;

        l->length = 0;
        while ((c = getc_unlocked(l->file)) != EOF && c != '\n') {
                if (l->length == AUDIT_LINE_MAX) {
                        *ret_why = "is longer than 1 MiB";
                        return -EBADMSG;
                }
                if (l->length == l->size && line_reader_grow(l) < 0)
                        return -ENOMEM;
                l->buffer[l->length++] = (char) c;
        }
        if (c == '\n')
                return 1;
        if (ferror(l->file))
                return -EIO;
        if (l->length == 0)
                return 0;
        *ret_why = "is cut: there is no newline at its end";
        return -EBADMSG;
}

/* Against audit.head, which is written after each line: after a power cut it may be one line behind, never ahead.
 * at_end: the chain's head when it had end->seq lines. */
static void end_check(const AuditHead *last, const AuditHead *at_end, const AuditHead *end, AuditReport *report) {
        if (last->seq < end->seq) {
                report->bad_line = last->seq + 1;
                report->why = "is missing: the file's tail was cut (audit.head counts more lines)";
        } else if (last->seq - end->seq > 1) {
                report->bad_line = end->seq + 2;
                report->why = "is one that audit.head does not count: it was added behind the daemon's back";
        } else if (strcmp(at_end->hash, end->hash) != 0) {
                report->bad_line = end->seq > 0 ? end->seq : 1;
                report->why = "is another one than audit.head recorded";
        }
}

int audit_file_check(FILE *f, EVP_PKEY *public_key, const AuditHead *end, AuditReport *ret) {
        LineReader reader = {.file = f};
        AuditReport report = {};
        AuditHead head, at_end;
        int r;

        audit_head_init(&head);
        at_end = head;

        while ((r = line_read(&reader, &report.why)) > 0) {
                bool sealed;

                r = audit_line_check(&head, reader.buffer, reader.length, public_key, &sealed, &report.why);
                if (r < 0)
                        break;
                report.lines++;
                report.sealed += sealed ? 1 : 0;
                report.unsealed_tail = sealed ? 0 : report.unsealed_tail + 1;
                if (end && head.seq == end->seq)
                        at_end = head;
        }
        if (r == -EBADMSG)
                report.bad_line = report.lines + 1;
        else if (r == 0 && end) {
                end_check(&head, &at_end, end, &report);
                r = report.bad_line > 0 ? -EBADMSG : 0;
        }

        free(reader.buffer);
        *ret = report;
        return r;
}
