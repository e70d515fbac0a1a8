/* SPDX-License-Identifier: Apache-2.0 */

/* PROTOCOL.sshsig: armour around base64 of: "SSHSIG", uint32 version 1, string publickey, string namespace, string
 * reserved, string hash_algorithm, string signature. */

#include "signature.h"
#include "strv.h"

#define ARMOUR_BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define ARMOUR_END "-----END SSH SIGNATURE-----"

typedef struct Reader {
        const unsigned char *data;
        size_t left;
} Reader;

static int base64_value(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 base64 with newlines in between if lines is set. ret_length is at most size, else -ENOSPC. */
static int base64_decode(const char *text, size_t length, bool lines, unsigned char *ret, size_t size,
                         size_t *ret_length) {
        uint32_t group = 0;
        size_t digits = 0, padding = 0, used = 0;

        for (size_t i = 0; i < length; i++) {
                int v = base64_value(text[i]);

                if (lines && text[i] == '\n')
                        continue;
                if (text[i] == '=') {
                        padding++;
                        continue;
                }
                if (v < 0 || padding > 0)
                        return -EBADMSG;
                group = group << 6 | (uint32_t) v;
                digits++;
                if (digits % 4 == 1)
                        continue; /* six bits so far */
                if (used >= size)
                        return -ENOSPC;
                unsigned spare = (unsigned) (2 * (3 - (digits - 1) % 4)); /* bits behind the byte that is whole now */
                ret[used++] = (unsigned char) (group >> spare);
        }
        if (digits % 4 == 1 || (digits + padding) % 4 != 0 || padding > 2)
                return -EBADMSG;
        *ret_length = used;
        return 0;
}

static int read_string(Reader *r, const unsigned char **ret, size_t *ret_length) {
        uint32_t n;

        if (r->left < 4)
                return -EBADMSG;
        n = (uint32_t) r->data[0] << 24 | (uint32_t) r->data[1] << 16 | (uint32_t) r->data[2] << 8 | r->data[3];
        if (n > r->left - 4)
                return -EBADMSG;
        *ret = r->data + 4;
        *ret_length = n;
        r->data += 4 + (size_t) n;
        r->left -= 4 + (size_t) n;
        return 0;
}

static int parse_blob(const unsigned char *blob, size_t length, SignatureKey *ret) {
        static const unsigned char preamble[] = {'S', 'S', 'H', 'S', 'I', 'G', 0, 0, 0, 1};
        const unsigned char *key, *name, *rest;
        size_t key_length, name_length, rest_length;
        Reader r;

        if (length < sizeof(preamble) || memcmp(blob, preamble, sizeof(preamble)) != 0)
                return -EBADMSG;
        r = (Reader){blob + sizeof(preamble), length - sizeof(preamble)};
        if (read_string(&r, &key, &key_length) < 0 || read_string(&r, &name, &name_length) < 0)
                return -EBADMSG;
        for (unsigned i = 0; i < 3; i++) /* reserved, hash algorithm, signature */
                if (read_string(&r, &rest, &rest_length) < 0)
                        return -EBADMSG;
        if (r.left > 0 || key_length == 0 || key_length > sizeof(ret->blob))
                return -EBADMSG;
        if (name_length != strlen(SIGNATURE_NAMESPACE) || memcmp(name, SIGNATURE_NAMESPACE, name_length) != 0)
                return -EBADMSG;
        memcpy(ret->blob, key, key_length);
        ret->length = key_length;
        return 0;
}

int signature_parse(const char *text, size_t length, SignatureKey *ret) {
        unsigned char blob[SIGNATURE_TEXT_MAX];
        const size_t begin = strlen(ARMOUR_BEGIN), end = strlen(ARMOUR_END);
        size_t n;

        while (length > 0 && text[length - 1] == '\n')
                length--;
        if (length > SIGNATURE_TEXT_MAX || length < begin + end || memcmp(text, ARMOUR_BEGIN, begin) != 0 ||
            memcmp(text + length - end, ARMOUR_END, end) != 0 || text[length - end - 1] != '\n')
                return -EBADMSG;
        if (base64_decode(text + begin, length - begin - end, true, blob, sizeof(blob), &n) < 0)
                return -EBADMSG;
        return parse_blob(blob, n, ret);
}

bool signature_key_is(const SignatureKey *key, const char *line) {
        unsigned char blob[SIGNATURE_KEY_MAX];
        const char *base64 = strchr(line, ' ');
        size_t n;

        if (!base64)
                return false;
        base64++;
        if (base64_decode(base64, strcspn(base64, " \t\n"), false, blob, sizeof(blob), &n) < 0)
                return false;
        return n == key->length && memcmp(blob, key->blob, n) == 0;
}

bool signature_key_is_among(const SignatureKey *key, char *const *lines) {
        STRV_FOREACH (line, lines)
                if (signature_key_is(key, *line))
                        return true;
        return false;
}

bool signature_key_equal(const SignatureKey *a, const SignatureKey *b) {
        return a->length == b->length && memcmp(a->blob, b->blob, a->length) == 0;
}
