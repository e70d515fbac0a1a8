/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_JWK_H
#define JIT_JWK_H

/* What a JwkSet (jws.h) is made of: each key with the one algorithm that it may verify. */

#include <openssl/evp.h>

#include "jws.h"

typedef enum JwsAlgorithm { JWS_EDDSA, JWS_ES256, JWS_RS256, _JWS_ALGORITHMS } JwsAlgorithm;

typedef struct JwkKey {
        JwsAlgorithm algorithm;
        char *kid; /* NULL: has none */
        EVP_PKEY *pkey;
} JwkKey;

struct JwkSet {
        JwkKey keys[JWK_KEYS_MAX];
        size_t n_keys;
};

/* "EdDSA", "ES256", "RS256" (RFC 7518 section 3.1, RFC 8037 section 3.1), case counts. -ENOENT: anything else. */
int jws_algorithm_parse(const char *name, JwsAlgorithm *ret);
const char *jws_algorithm_name(JwsAlgorithm a);

/* Writes a sentence into ret_why (JWS_WHY_MAX bytes; may be NULL) and returns error. */
int jws_fail(char *ret_why, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
