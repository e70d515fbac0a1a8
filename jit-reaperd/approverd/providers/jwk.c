/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdarg.h>
#include <stdbool.h>

#include "base64url.h"
#include "file-io.h"
#include "json.h"
#include "jwk.h"

/* RFC 7517 (the set and its keys), RFC 7518 section 6.2 (EC) and 6.3 (RSA), RFC 8037 section 2 (OKP). */

enum {
        ED25519_BYTES = 32,
        P256_BYTES = 32,
        RSA_BITS_MIN = 2048, /* RFC 7518 section 3.3 */
        RSA_BITS_MAX = 8192, /* beyond, a check costs milliseconds */
        KID_MAX = 128,
};

static const char *const algorithm_names[_JWS_ALGORITHMS] = {
                [JWS_EDDSA] = "EdDSA",
                [JWS_ES256] = "ES256",
                [JWS_RS256] = "RS256",
};

int jws_algorithm_parse(const char *name, JwsAlgorithm *ret) {
        for (size_t i = 0; i < ELEMENTSOF(algorithm_names); i++)
                if (streq(name, algorithm_names[i])) {
                        *ret = (JwsAlgorithm) i;
                        return 0;
                }
        return -ENOENT;
}

const char *jws_algorithm_name(JwsAlgorithm a) {
        return algorithm_names[a];
}

int jws_fail(char *ret_why, int error, const char *format, ...) {
        va_list ap;

        ERR_clear_error(); /* what OpenSSL left there is no later caller's */
        if (!ret_why)
                return error;
        va_start(ap, format);
        (void) vsnprintf(ret_why, JWS_WHY_MAX, format, ap);
        va_end(ap);
        return error;
}

static void pkey_freep(EVP_PKEY **p) {
        EVP_PKEY_free(*p);
}

static void pkey_ctx_freep(EVP_PKEY_CTX **c) {
        EVP_PKEY_CTX_free(*c);
}

static void param_bld_freep(OSSL_PARAM_BLD **b) {
        OSSL_PARAM_BLD_free(*b);
}

static void params_freep(OSSL_PARAM **p) {
        OSSL_PARAM_free(*p);
}

static void bn_freep(BIGNUM **n) {
        BN_free(*n);
}

/* A public key of these parameters that OpenSSL finds right: on the curve, an odd modulus ... */
static int pkey_from_params(const char *type, OSSL_PARAM_BLD *bld, EVP_PKEY **ret) {
        JIT_CLEANUP(params_freep) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
        JIT_CLEANUP(pkey_ctx_freep) EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
        JIT_CLEANUP(pkey_ctx_freep) EVP_PKEY_CTX *check = NULL;
        JIT_CLEANUP(pkey_freep) EVP_PKEY *key = NULL;

        if (!params || !make)
                return -ENOMEM;
        if (EVP_PKEY_fromdata_init(make) != 1 || EVP_PKEY_fromdata(make, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
                return -EBADMSG;
        check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        if (!check)
                return -ENOMEM;
        if (EVP_PKEY_public_check(check) != 1)
                return -EBADMSG;
        *ret = take_ptr(key);
        return 0;
}

static int member_decode(const json_t *jwk, const char *name, unsigned char **ret, size_t *ret_length) {
        const json_t *v = json_object_get(jwk, name);

        if (!json_is_string(v))
                return -EBADMSG;
        return base64url_decode(json_string_value(v), json_string_length(v), ret, ret_length);
}

static int member_decode_sized(const json_t *jwk, const char *name, size_t size, unsigned char **ret) {
        _cleanup_free_ unsigned char *data = NULL;
        size_t length;
        int r = member_decode(jwk, name, &data, &length);

        if (r < 0)
                return r;
        if (length != size)
                return -EBADMSG;
        *ret = take_ptr(data);
        return 0;
}

static int pkey_from_okp(const json_t *jwk, EVP_PKEY **ret, char *ret_why) {
        _cleanup_free_ unsigned char *x = NULL;
        int r = member_decode_sized(jwk, "x", ED25519_BYTES, &x);

        if (r < 0)
                return jws_fail(ret_why, r, "an Ed25519 key whose x is not 32 bytes");
        EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, ED25519_BYTES);
        if (!key)
                return jws_fail(ret_why, -EBADMSG, "an Ed25519 key that is none");
        *ret = key;
        return 0;
}

static int pkey_from_ec(const json_t *jwk, EVP_PKEY **ret, char *ret_why) {
        JIT_CLEANUP(param_bld_freep) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
        _cleanup_free_ unsigned char *x = NULL, *y = NULL;
        unsigned char point[1 + 2 * P256_BYTES] = {0x04}; /* uncompressed, SEC 1 section 2.3.3 */
        int r = member_decode_sized(jwk, "x", P256_BYTES, &x);

        if (r >= 0)
                r = member_decode_sized(jwk, "y", P256_BYTES, &y);
        if (r < 0)
                return jws_fail(ret_why, r, "a P-256 key whose x or y is not 32 bytes");
        memcpy(point + 1, x, P256_BYTES);
        memcpy(point + 1 + P256_BYTES, y, P256_BYTES);
        if (!bld || OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
            OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) != 1)
                return -ENOMEM;
        r = pkey_from_params("EC", bld, ret);
        return r < 0 ? jws_fail(ret_why, r, "a P-256 key that is no point of its curve") : 0;
}

static int pkey_from_rsa(const json_t *jwk, EVP_PKEY **ret, char *ret_why) {
        JIT_CLEANUP(param_bld_freep) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
        JIT_CLEANUP(bn_freep) BIGNUM *n = NULL, *e = NULL;
        _cleanup_free_ unsigned char *n_data = NULL, *e_data = NULL;
        size_t n_length, e_length;
        int r = member_decode(jwk, "n", &n_data, &n_length);

        if (r >= 0)
                r = member_decode(jwk, "e", &e_data, &e_length);
        if (r < 0)
                return jws_fail(ret_why, r, "an RSA key without n or e");
        if (n_length > RSA_BITS_MAX / 8 || e_length > 8)
                return jws_fail(ret_why, -EBADMSG, "an RSA key of more than %d bits", RSA_BITS_MAX);
        n = BN_bin2bn(n_data, (int) n_length, NULL);
        e = BN_bin2bn(e_data, (int) e_length, NULL);
        if (!bld || !n || !e)
                return -ENOMEM;
        if (BN_num_bits(n) < RSA_BITS_MIN)
                return jws_fail(ret_why, -EBADMSG, "an RSA key of %d bits; at least %d are needed", BN_num_bits(n),
                                RSA_BITS_MIN);
        if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
            OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1)
                return -ENOMEM;
        r = pkey_from_params("RSA", bld, ret);
        return r < 0 ? jws_fail(ret_why, r, "an RSA key that is none") : 0;
}

static const struct {
        const char *kty, *crv; /* crv: NULL where the type has none */
        JwsAlgorithm algorithm;
        int (*make)(const json_t *jwk, EVP_PKEY **ret, char *ret_why);
} key_types[] = {
                {"OKP", "Ed25519", JWS_EDDSA, pkey_from_okp},
                {"EC", "P-256", JWS_ES256, pkey_from_ec},
                {"RSA", NULL, JWS_RS256, pkey_from_rsa},
};

static bool member_is(const json_t *jwk, const char *name, const char *value) {
        const json_t *v = json_object_get(jwk, name);

        return json_is_string(v) && streq(json_string_value(v), value);
}

static bool list_has(const json_t *list, const char *value) {
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *v = json_array_get(list, i);

                if (json_is_string(v) && streq(json_string_value(v), value))
                        return true;
        }
        return false;
}

/* RFC 7517 sections 4.2 to 4.4: whether the key says that it is for this algorithm and for checking signatures. */
static bool key_is_for(const json_t *jwk, JwsAlgorithm algorithm) {
        const json_t *operations = json_object_get(jwk, "key_ops");

        return (!json_object_get(jwk, "use") || member_is(jwk, "use", "sig")) &&
               (!operations || list_has(operations, "verify")) &&
               (!json_object_get(jwk, "alg") || member_is(jwk, "alg", jws_algorithm_name(algorithm)));
}

/* 0: skipped. */
static int key_parse(const json_t *jwk, JwkKey *ret, char *ret_why) {
        const json_t *kid = json_object_get(jwk, "kid");
        int r;

        if (!json_is_string(json_object_get(jwk, "kty")))
                return jws_fail(ret_why, -EBADMSG, "a key without kty");
        if (json_object_get(jwk, "d"))
                return jws_fail(ret_why, -EBADMSG, "a key with its private part, which does not belong here");
        if (kid && (!json_is_string(kid) || json_string_length(kid) > KID_MAX))
                return jws_fail(ret_why, -EBADMSG, "a kid that is no string of at most %d bytes", KID_MAX);
        for (size_t i = 0; i < ELEMENTSOF(key_types); i++) {
                if (!member_is(jwk, "kty", key_types[i].kty) || !key_is_for(jwk, key_types[i].algorithm) ||
                    (key_types[i].crv && !member_is(jwk, "crv", key_types[i].crv)))
                        continue;
                _cleanup_free_ char *name = kid ? strdup(json_string_value(kid)) : NULL;
                if (kid && !name)
                        return -ENOMEM;
                r = key_types[i].make(jwk, &ret->pkey, ret_why);
                if (r < 0)
                        return r;
                ret->algorithm = key_types[i].algorithm;
                ret->kid = take_ptr(name);
                return 1;
        }
        return 0;
}

int jwk_set_parse(const char *text, size_t length, JwkSet **ret, char *ret_why) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *s = calloc(1, sizeof(JwkSet));
        _cleanup_json_ json_t *object = NULL;
        char why[JSON_WHY_MAX];
        const json_t *list;

        if (!s)
                return -ENOMEM;
        if (json_parse_strict(text, length, JWK_SET_MAX, &object, why) < 0)
                return jws_fail(ret_why, -EBADMSG, "not a JWK set: %.150s", why);
        list = json_object_get(object, "keys");
        if (!json_is_array(list))
                return jws_fail(ret_why, -EBADMSG, "not a JWK set: no list \"keys\"");
        if (json_array_size(list) > JWK_KEYS_MAX)
                return jws_fail(ret_why, -EBADMSG, "more than %d keys", JWK_KEYS_MAX);
        for (size_t i = 0; i < json_array_size(list); i++) {
                int r = key_parse(json_array_get(list, i), &s->keys[s->n_keys], ret_why);
                if (r < 0)
                        return r;
                s->n_keys += r > 0;
        }
        if (s->n_keys == 0)
                return jws_fail(ret_why, -EBADMSG, "no key for EdDSA (Ed25519), ES256 or RS256");
        *ret = take_ptr(s);
        return 0;
}

JwkSet *jwk_set_free(JwkSet *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_keys; i++) {
                free(s->keys[i].kid);
                EVP_PKEY_free(s->keys[i].pkey);
        }
        free(s);
        return NULL;
}

int jwk_set_load(const char *path, JwkSet **ret, char *ret_why) {
        _cleanup_free_ char *text = NULL;
        size_t length;
        int r = file_read_capped(AT_FDCWD, path, JWK_SET_MAX, true, &text, &length);

        if (r < 0)
                return jws_fail(ret_why, r == -ENOMEM ? r : -EBADMSG, "cannot read it: %s", strerror(-r));
        return jwk_set_parse(text, length, ret, ret_why);
}
