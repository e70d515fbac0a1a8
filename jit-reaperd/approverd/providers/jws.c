/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdbool.h>

#include "base64url.h"
#include "json.h"
#include "jwk.h"

enum {
        HEADER_MAX = 4096, /* bytes, decoded */
        SIGNATURE_MAX = 1024,
        ED25519_SIGNATURE_BYTES = 64,
        P256_HALF_BYTES = 32, /* RFC 7518 section 3.4: r and s, each of 32 bytes, big-endian */
        ECDSA_DER_MAX = 80,
};

typedef struct Part { /* of the token, still encoded */
        const char *text;
        size_t length;
} Part;

typedef struct Token {
        Part header, payload, signature, signed_text;
} Token;

static void ctx_freep(EVP_MD_CTX **c) {
        EVP_MD_CTX_free(*c);
}

static void ecdsa_freep(ECDSA_SIG **s) {
        ECDSA_SIG_free(*s);
}

static int token_split(const char *text, size_t length, Token *ret) {
        const char *first = memchr(text, '.', length), *second, *end = text + length;

        if (!first)
                return -EBADMSG;
        second = memchr(first + 1, '.', (size_t) (end - first - 1));
        if (!second)
                return -EBADMSG;
        *ret = (Token){
                        .header = {text, (size_t) (first - text)},
                        .payload = {first + 1, (size_t) (second - first - 1)},
                        .signature = {second + 1, (size_t) (end - second - 1)},
                        .signed_text = {text, (size_t) (second - text)},
        };
        return ret->header.length > 0 && ret->payload.length > 0 && ret->signature.length > 0 ? 0 : -EBADMSG;
}

/* RFC 7515 section 4.1: what says where the key is (ours are in a file), what changes the payload's meaning (RFC 7797),
 * and what belongs to JWE. */
static const char *const refused_members[] = {"crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "enc"};

static int header_parse(const Part *part, json_t **ret, JwsAlgorithm *ret_algorithm, char *ret_why) {
        _cleanup_free_ unsigned char *text = NULL;
        _cleanup_json_ json_t *header = NULL;
        const json_t *algorithm, *kid;
        char why[JSON_WHY_MAX];
        size_t length;
        int r = base64url_decode(part->text, part->length, &text, &length);

        if (r < 0)
                return jws_fail(ret_why, r, "its header is not base64url without padding");
        if (json_parse_strict((const char *) text, length, HEADER_MAX, &header, why) < 0)
                return jws_fail(ret_why, -EBADMSG, "its header is not JSON: %.140s", why);
        for (size_t i = 0; i < ELEMENTSOF(refused_members); i++)
                if (json_object_get(header, refused_members[i]))
                        return jws_fail(ret_why, -EBADMSG, "its header has \"%s\"", refused_members[i]);
        kid = json_object_get(header, "kid");
        if (kid && !json_is_string(kid))
                return jws_fail(ret_why, -EBADMSG, "its kid is no string");
        algorithm = json_object_get(header, "alg");
        if (!json_is_string(algorithm) || jws_algorithm_parse(json_string_value(algorithm), ret_algorithm) < 0)
                return jws_fail(ret_why, -EBADMSG, "its alg is none of EdDSA, ES256, RS256");
        *ret = take_ptr(header);
        return 0;
}

/* RFC 7518 section 3.4 has r and s one behind the other, OpenSSL takes them in DER (RFC 3279 section 2.2.3). */
static int ecdsa_to_der(const unsigned char *raw, unsigned char ret[static ECDSA_DER_MAX], size_t *ret_length) {
        JIT_CLEANUP(ecdsa_freep) ECDSA_SIG *sig = ECDSA_SIG_new();
        BIGNUM *r = BN_bin2bn(raw, P256_HALF_BYTES, NULL);
        BIGNUM *s = BN_bin2bn(raw + P256_HALF_BYTES, P256_HALF_BYTES, NULL);
        int length;

        if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
                BN_free(r);
                BN_free(s);
                return -ENOMEM;
        }
        length = i2d_ECDSA_SIG(sig, NULL);
        if (length <= 0 || length > ECDSA_DER_MAX)
                return -EBADMSG;
        *ret_length = (size_t) i2d_ECDSA_SIG(sig, &(unsigned char *){ret});
        return 0;
}

/* -EKEYREJECTED: it did not make this signature. */
static int key_verify(const JwkKey *key, const Part *text, const unsigned char *signature, size_t length) {
        JIT_CLEANUP(ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        const EVP_MD *digest = key->algorithm == JWS_EDDSA ? NULL : EVP_sha256(); /* RFC 8037: Ed25519 has its own */
        unsigned char der[ECDSA_DER_MAX];
        EVP_PKEY_CTX *options;
        int r;

        if (!ctx)
                return -ENOMEM;
        switch (key->algorithm) {
        case JWS_EDDSA:
                if (length != ED25519_SIGNATURE_BYTES)
                        return -EKEYREJECTED;
                break;
        case JWS_ES256:
                if (length != 2 * P256_HALF_BYTES)
                        return -EKEYREJECTED;
                r = ecdsa_to_der(signature, der, &length);
                if (r < 0)
                        return r;
                signature = der;
                break;
        case JWS_RS256:
                if (length != (size_t) EVP_PKEY_get_size(key->pkey))
                        return -EKEYREJECTED;
                break;
        case _JWS_ALGORITHMS:
                return -EINVAL;
        }
        if (EVP_DigestVerifyInit(ctx, &options, digest, NULL, key->pkey) != 1)
                return -EIO;
        if (key->algorithm == JWS_RS256 && EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PADDING) != 1)
                return -EIO;
        return EVP_DigestVerify(ctx, signature, length, (const unsigned char *) text->text, text->length) == 1
                               ? 0
                               : -EKEYREJECTED;
}

static bool key_fits(const JwkKey *key, JwsAlgorithm algorithm, const char *kid) {
        return key->algorithm == algorithm && (!kid || (key->kid && streq(key->kid, kid)));
}

static int keys_verify(const JwkSet *keys, const Token *token, JwsAlgorithm algorithm, const char *kid, char *ret_why) {
        _cleanup_free_ unsigned char *signature = NULL;
        size_t length, tried = 0;
        int r;

        if (token->signature.length > SIGNATURE_MAX / 3 * 4 + 4)
                return jws_fail(ret_why, -EBADMSG, "its signature is too long");
        r = base64url_decode(token->signature.text, token->signature.length, &signature, &length);
        if (r < 0)
                return jws_fail(ret_why, r, "its signature is not base64url without padding");
        for (size_t i = 0; i < keys->n_keys; i++) {
                if (!key_fits(&keys->keys[i], algorithm, kid))
                        continue;
                tried++;
                r = key_verify(&keys->keys[i], &token->signed_text, signature, length);
                if (r != -EKEYREJECTED)
                        return r < 0 ? jws_fail(ret_why, r, "OpenSSL failed") : 0;
        }
        return jws_fail(ret_why, -EKEYREJECTED, "%s",
                        tried > 0 ? "no key of ours made its signature"
                        : kid     ? "no key of ours has its kid and alg"
                                  : "no key of ours is for its alg");
}

int jws_verify(const JwkSet *keys, const char *text, size_t length, json_t **ret_payload, char *ret_why) {
        _cleanup_json_ json_t *header = NULL, *payload = NULL;
        _cleanup_free_ unsigned char *data = NULL;
        JwsAlgorithm algorithm = _JWS_ALGORITHMS;
        char why[JSON_WHY_MAX];
        size_t data_length;
        Token token;
        int r;

        if (length > JWS_TEXT_MAX)
                return jws_fail(ret_why, -EBADMSG, "longer than %d bytes", JWS_TEXT_MAX);
        if (token_split(text, length, &token) < 0)
                return jws_fail(ret_why, -EBADMSG, "not a JWS of three parts");
        r = header_parse(&token.header, &header, &algorithm, ret_why);
        if (r < 0)
                return r;
        r = keys_verify(keys, &token, algorithm, json_string_value(json_object_get(header, "kid")), ret_why);
        if (r < 0)
                return r;
        r = base64url_decode(token.payload.text, token.payload.length, &data, &data_length);
        if (r < 0)
                return jws_fail(ret_why, r, "its payload is not base64url without padding");
        if (json_parse_strict((const char *) data, data_length, JWS_TEXT_MAX, &payload, why) < 0)
                return jws_fail(ret_why, -EBADMSG, "its payload is not JSON: %.140s", why);
        ERR_clear_error(); /* of keys that did not fit */
        *ret_payload = take_ptr(payload);
        return 0;
}
