/* SPDX-License-Identifier: Apache-2.0 */

#include "approval-text.h"
#include "cleanup.h"

/* Length in bytes of what must not be shown at p (ticket_text_is_plain()), or 0. */
static size_t unshowable(const unsigned char *p) {
        if (*p < 0x20 || *p == 0x7f)
                return 1;
        if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
                return 2;
        if (p[0] == 0xe2 &&
            ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
                return 3;
        return 0;
}

json_t *approval_text_clean(const char *text, size_t length, size_t max) {
        _cleanup_free_ char *clean = calloc(1, length + 1);
        size_t n = 0, skip;

        if (!clean)
                return NULL;
        for (size_t i = 0; i < length; i += skip ? skip : 1) {
                skip = unshowable((const unsigned char *) text + i);
                clean[n++] = skip ? ' ' : text[i];
        }
        if (n > max) {
                n = max - strlen("...");
                while (n > 0 &&
                       ((unsigned char) clean[n] & 0xc0) == 0x80) /* RFC 3629 3: not a character's first byte */
                        n--;
                for (const char *dot = "..."; *dot; dot++)
                        clean[n++] = *dot;
        }
        return json_stringn(clean, n);
}
