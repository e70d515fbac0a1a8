/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_APPROVAL_TEXT_H
#define JIT_APPROVAL_TEXT_H

/* What people wrote into a form of the ticket system, so that it may be shown. */

#include <jansson.h>
#include <stddef.h>

/* One line of at most max bytes (at least 3): every character that ticket_text_is_plain() refuses, line ends among
 * them, becomes a space; what is too long is cut between two characters and ends in "...". text: UTF-8, length bytes
 * and a NUL behind them; NULs in between are control characters, too. A new reference; NULL: no memory. */
json_t *approval_text_clean(const char *text, size_t length, size_t max);

#endif
