/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "pam-text.h"

const char *text_from_item(const char *item, char ret[static ITEM_TEXT_MAX + 1]) {
        size_t n = 0;

        if (!item)
                return NULL;
        for (const char *p = item; *p && n < ITEM_TEXT_MAX; p++) {
                unsigned char c = (unsigned char) *p;

                if (c >= 0x80)
                        ret[n++] = '?';
                else if (c >= 0x20 && c != 0x7f)
                        ret[n++] = (char) c;
        }
        ret[n] = 0;
        return n > 0 ? ret : NULL;
}

/* RFC 3629. Returns the length of the character at s, 0 if it is broken. */
static size_t utf8_decode(const char *s, uint32_t *ret) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *p = (const unsigned char *) s;
        size_t length = p[0] < 0x80             ? 1
                        : (p[0] & 0xe0) == 0xc0 ? 2
                        : (p[0] & 0xf0) == 0xe0 ? 3
                        : (p[0] & 0xf8) == 0xf0 ? 4
                                                : 0;
        uint32_t c;

        if (length <= 1) {
                *ret = p[0];
                return length;
        }
        c = p[0] & (0xffu >> (length + 1));
        for (size_t i = 1; i < length; i++) {
                if ((p[i] & 0xc0) != 0x80) /* also stops at the ending NUL */
                        return 0;
                c = c << 6 | (p[i] & 0x3fu);
        }
        if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return length;
}

static bool is_harmless(uint32_t c) {
        static const struct {
                uint32_t first, last;
        } harmful[] = {
                        {0x00, 0x1f},       /* C0: escape sequences begin here */
                        {0x7f, 0x9f},       /* DEL, and C1, which terminals obey too */
                        {0x200b, 0x200f},   /* zero width, direction marks */
                        {0x2028, 0x202e},   /* line separators, direction overrides */
                        {0x2060, 0x206f},   /* invisible operators, direction isolates */
                        {0xfeff, 0xfeff},   /* byte order mark */
                        {0xfff9, 0xfffb},   /* annotations */
                        {0xe0000, 0xe007f}, /* tags */
        };

        for (size_t i = 0; i < ELEMENTSOF(harmful); i++)
                if (c >= harmful[i].first && c <= harmful[i].last)
                        return false;
        return true;
}

const char *text_for_terminal(const char *utf8, char ret[static TERMINAL_TEXT_MAX + 1]) {
        size_t n = 0;

        for (const char *p = utf8; *p;) {
                uint32_t c = 0;
                size_t length = utf8_decode(p, &c);

                if (n + (length > 0 ? length : 1) > TERMINAL_TEXT_MAX)
                        break;
                if (length > 0 && is_harmless(c)) {
                        memcpy(ret + n, p, length);
                        n += length;
                } else
                        ret[n++] = ' ';
                p += length > 0 ? length : 1;
        }
        ret[n] = 0;
        return ret;
}
