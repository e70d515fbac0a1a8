/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SIGN_H
#define JIT_SIGN_H

/* Everything about keys is ssh-keygen(1)'s work: passphrases, agents, FIDO tokens and certificates behave as people
 * know them. */

#include <stddef.h>

#define SIGN_NAMESPACE "approval@pamjit"

/* The first of the key files that ssh(1) would try in ~/.ssh that exists, with this ending. *ret: free(), or NULL if
 * there is none. -ENOMEM. */
int key_find(const char *ending, char **ret);
/* `ssh-keygen -Y sign` over text with this key file: a private key, or a public one whose private part an agent holds.
 * ret_signature is the armored text; free(). What ssh-keygen has to say goes to stderr. -EKEYREJECTED if it did not
 * sign. */
int sign_text(const char *key_file, const char *text, char **ret_signature);
/* "256 SHA256:... comment (ED25519)" of a public key's text. -EINVAL for no key. */
int key_fingerprint(const char *key, char **ret);
/* A public key's text as it is given on the command line: "type base64 comment" itself or a file that has it. -EINVAL;
 * errno of the file. */
int key_read_public(const char *text_or_file, char **ret);

#endif
