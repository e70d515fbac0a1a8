/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <wchar.h>

#include "cleanup.h"
#include "text.h"

size_t utf8_decode(const char *text, char32_t *ret) {
        static const char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *p = (const unsigned char *) text;
        size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
        char32_t c;

        if (length == 0)
                return 0;
        if (length == 1) {
                *ret = p[0];
                return 1;
        }
        c = p[0] & (0x7fu >> length);
        for (size_t i = 1; i < length; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return length;
}

/* Unicode Standard Annex #9, 2: the explicit directional characters; and what ends a line (Annex #14: LS, PS), and
 * tags. */
static bool is_harmful(char32_t c) {
        return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
               (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
               (c >= 0xe0000 && c <= 0xe007f);
}

char *text_escape(const char *text) {
        _cleanup_free_ char *result = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&result, &size);
        bool failed;

        if (!f)
                return NULL;
        for (const char *p = text ? text : ""; *p;) {
                char32_t c = 0;
                size_t n = utf8_decode(p, &c);

                if (n == 0) {
                        fprintf(f, "\\x%02x", (unsigned char) *p);
                        n = 1;
                } else if (c == '\n')
                        fputs("\\n", f);
                else if (c == '\t')
                        fputs("\\t", f);
                else if (!is_harmful(c))
                        fwrite(p, 1, n, f);
                else
                        fprintf(f, c < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned) c);
                p += n;
        }
        failed = ferror(f);
        if (fclose(f) != 0 || failed)
                return NULL;
        return take_ptr(result);
}

size_t text_width(const char *text) {
        size_t width = 0;

        for (const char *p = text; *p;) {
                char32_t c = 0;
                size_t n = utf8_decode(p, &c);
                int columns = n == 0 ? 1 : wcwidth((wchar_t) c);

                /* -1: unknown to this C library, most likely newer than it is */
                width += columns < 0 ? 1 : (size_t) columns;
                p += n == 0 ? 1 : n;
        }
        return width;
}
