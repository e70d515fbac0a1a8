/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_JWS_H
#define JIT_JWS_H

/* Signed answers: JWS in compact serialization (RFC 7515 section 3.1) with EdDSA over Ed25519 (RFC 8037), ES256 or
 * RS256 (RFC 7518 sections 3.4, 3.3), against a JWK set (RFC 7517). OpenSSL does the cryptography.
 *
 * MUST: take the algorithm from the key, never from the token alone (both must agree); refuse "none", "crit", unknown
 * header members that change meaning (b64, jku, jwk, x5u, x5c), RSA keys below 2048 bits. */

#include <jansson.h>
#include <stddef.h>

#include "cleanup.h"

enum { JWS_TEXT_MAX = 1024 * 1024, JWK_SET_MAX = 64 * 1024, JWK_KEYS_MAX = 16, JWS_WHY_MAX = 192 };

typedef struct JwkSet JwkSet;
/* -EBADMSG and ret_why (JWS_WHY_MAX bytes, may be NULL, not written for -ENOMEM). A key of a type or use we do not take
 * is skipped; none left is an error. */
int jwk_set_parse(const char *text, size_t length, JwkSet **ret, char *ret_why);
JwkSet *jwk_set_free(JwkSet *s);
DEFINE_CLEANUP(JwkSet, jwk_set_free);
int jwk_set_load(const char *path, JwkSet **ret, char *ret_why); /* a file of root's */

/* The payload, parsed strictly (json.h), if one of the keys signed it: the one that kid names, else each that fits.
 * -EBADMSG: not such a text; -EKEYREJECTED: no key of ours signed it; ret_why says which and why. -ENOMEM, -EIO. */
int jws_verify(const JwkSet *keys, const char *text, size_t length, json_t **ret_payload, char *ret_why);

#endif
