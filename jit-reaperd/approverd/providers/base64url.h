/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_BASE64URL_H
#define JIT_BASE64URL_H

/* RFC 7515 section 2: base64url without padding, blanks or newlines.
 *
 * MUST: take one text for a value only; a last character with bits that stand for nothing is refused (RFC 4648 section
 * 3.5), so that no byte of a signed text can be changed unseen. */

#include <stddef.h>

/* NUL behind it, for texts; free(). -EBADMSG, -ENOMEM. An empty text is an empty value. */
int base64url_decode(const char *text, size_t length, unsigned char **ret, size_t *ret_length);

#endif
