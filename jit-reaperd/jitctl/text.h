/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEXT_H
#define JIT_TEXT_H

/* Text that others wrote, made fit for a terminal. */

#include <stddef.h>
#include <uchar.h>

/* Decodes one UTF-8 sequence (RFC 3629: no overlong forms, no surrogates) of text, which ends with NUL. Returns its
 * length in bytes, or 0 for a byte that starts none. */
size_t utf8_decode(const char *text, char32_t *ret);

/* A copy without anything that a terminal obeys or that changes the order of what a reader sees: C0, DEL and C1
 * controls, Unicode's direction marks and line separators, bytes that are not UTF-8. They become \n, \t, \xHH or
 * \u{HHHH}. NULL: an empty string. free(); NULL without memory. */
char *text_escape(const char *text);

/* Columns that text takes on a terminal, as wcwidth(3) counts them in a UTF-8 locale. text has been through
 * text_escape(). */
size_t text_width(const char *text);

#endif
