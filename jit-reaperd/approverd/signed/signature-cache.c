/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/evp.h>

#include "signature.h"

/* Sets of a few entries each, found by the digest's first bytes: bounded, without allocation, and a stranger who fills
 * it with wrong signatures pushes out at most what a new check brings back. */
enum { WAYS = 4, SETS = SIGNATURE_CACHE_MAX / WAYS };

typedef struct CacheEntry {
        unsigned char digest[SIGNATURE_DIGEST];
        uint64_t until; /* 0: empty */
        uint64_t used;  /* the cache's clock when last asked for */
        SignatureResult result;
} CacheEntry;

struct SignatureCache {
        uint64_t clock;
        CacheEntry entries[SETS][WAYS];
};

SignatureCache *signature_cache_new(void) {
        return calloc(1, sizeof(SignatureCache));
}

SignatureCache *signature_cache_free(SignatureCache *c) {
        free(c);
        return NULL;
}

static int digest_part(EVP_MD_CTX *context, const void *data, size_t length) {
        uint64_t n = length; /* the length first, so that no two requests make the same stream */

        return EVP_DigestUpdate(context, &n, sizeof(n)) == 1 && EVP_DigestUpdate(context, data, length) == 1 ? 0 : -EIO;
}

int signature_cache_digest(const SignatureRequest *request, unsigned char ret[static SIGNATURE_DIGEST]) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        int r = -EIO;

        if (!context)
                return -ENOMEM;
        if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
            digest_part(context, request->message, request->length) == 0 &&
            digest_part(context, request->approver, strlen(request->approver)) == 0 &&
            digest_part(context, request->signature, strlen(request->signature)) == 0 &&
            EVP_DigestFinal_ex(context, ret, NULL) == 1)
                r = 0;
        EVP_MD_CTX_free(context);
        return r;
}

static CacheEntry *set_of(SignatureCache *c, const unsigned char *digest) {
        return c->entries[(digest[0] | (unsigned) digest[1] << 8) % SETS];
}

bool signature_cache_get(SignatureCache *c, const unsigned char digest[static SIGNATURE_DIGEST], uint64_t now,
                         SignatureResult *ret) {
        CacheEntry *set = set_of(c, digest);

        for (unsigned i = 0; i < WAYS; i++) {
                if (set[i].until <= now || memcmp(set[i].digest, digest, SIGNATURE_DIGEST) != 0)
                        continue;
                set[i].used = ++c->clock;
                *ret = set[i].result;
                return true;
        }
        return false;
}

void signature_cache_put(SignatureCache *c, const unsigned char digest[static SIGNATURE_DIGEST], uint64_t until,
                         SignatureResult result) {
        CacheEntry *set = set_of(c, digest), *victim = &set[0];

        for (unsigned i = 0; i < WAYS; i++) {
                if (memcmp(set[i].digest, digest, SIGNATURE_DIGEST) == 0) {
                        victim = &set[i];
                        break;
                }
                if (set[i].used < victim->used)
                        victim = &set[i];
        }
        memcpy(victim->digest, digest, SIGNATURE_DIGEST);
        victim->until = until;
        victim->used = ++c->clock;
        victim->result = result;
}

void signature_cache_flush(SignatureCache *c) {
        memset(c, 0, sizeof(*c));
}
