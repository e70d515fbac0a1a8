/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base64url.h"
#include "cleanup.h"

static int digit_value(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int base64url_decode(const char *text, size_t length, unsigned char **ret, size_t *ret_length) {
        _cleanup_free_ unsigned char *data = NULL;
        uint32_t bits = 0; /* not yet written, the lowest n_bits */
        unsigned n_bits = 0;
        size_t used = 0;

        if (length % 4 == 1)
                return -EBADMSG;
        data = malloc(length / 4 * 3 + 3);
        if (!data)
                return -ENOMEM;
        for (size_t i = 0; i < length; i++) {
                int v = digit_value(text[i]);

                if (v < 0)
                        return -EBADMSG;
                bits = bits << 6 | (uint32_t) v;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        data[used++] = (unsigned char) (bits >> n_bits);
                        bits &= (UINT32_C(1) << n_bits) - 1;
                }
        }
        if (bits != 0)
                return -EBADMSG;
        data[used] = 0;
        *ret = take_ptr(data);
        *ret_length = used;
        return 0;
}
