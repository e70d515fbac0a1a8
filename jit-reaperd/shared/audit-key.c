/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string.h>

#include "audit-chain.h"

/* The audit file's Ed25519 key as PEM: PKCS #8 (RFC 8410) for the private part, SubjectPublicKeyInfo for the public
 * one. */

enum { PEM_TEXT_MAX = 4096 };

static void bio_freep(BIO **b) {
        BIO_free(*b);
}

int audit_key_generate(EVP_PKEY **ret) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

        if (!key)
                return -EIO;
        *ret = key;
        return 0;
}

int audit_key_to_pem(EVP_PKEY *key, bool private_part, char **ret) {
        /* Of the secure kind, which clears what it frees. */
        JIT_CLEANUP(bio_freep) BIO *b = BIO_new(BIO_s_secmem());
        char *data = NULL;

        if (!b)
                return -ENOMEM;
        int r = private_part ? PEM_write_bio_PKCS8PrivateKey(b, key, NULL, NULL, 0, NULL, NULL)
                             : PEM_write_bio_PUBKEY(b, key);
        long length = r == 1 ? BIO_get_mem_data(b, &data) : 0;
        if (length <= 0)
                return -EIO;

        char *pem = strndup(data, (size_t) length);
        if (!pem)
                return -ENOMEM;
        *ret = pem;
        return 0;
}

/* In place of OpenSSL's own, which asks on the terminal: an encrypted key is none of ours. */
static int on_passphrase(char *buffer, int size, int writing, void *userdata) {
        (void) buffer;
        (void) size;
        (void) writing;
        (void) userdata;
        return -1;
}

int audit_key_from_pem(const char *pem, bool private_part, EVP_PKEY **ret) {
        size_t length = strlen(pem);

        if (length > PEM_TEXT_MAX)
                return -EBADMSG;
        JIT_CLEANUP(bio_freep) BIO *b = BIO_new_mem_buf(pem, (int) length);
        if (!b)
                return -ENOMEM;

        JIT_CLEANUP(audit_key_freep)
        EVP_PKEY *key = private_part ? PEM_read_bio_PrivateKey(b, NULL, on_passphrase, NULL)
                                     : PEM_read_bio_PUBKEY(b, NULL, on_passphrase, NULL);
        if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519)
                return -EBADMSG;
        *ret = take_ptr(key);
        return 0;
}
