/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PAM_TEXT_H
#define JIT_PAM_TEXT_H

/* Text that crosses between a stranger (the network), the daemon and a person's terminal. */

#include <stddef.h>

enum { ITEM_TEXT_MAX = 255, TERMINAL_TEXT_MAX = 1024 };

/* A PAM item as it may be sent on: at most ITEM_TEXT_MAX characters of printable ASCII. Control characters are left
 * out, every byte above ASCII becomes '?'. Returns ret, or NULL if nothing is left or item is NULL. */
const char *text_from_item(const char *item, char ret[static ITEM_TEXT_MAX + 1]);

/* A sentence as it may be shown: at most TERMINAL_TEXT_MAX bytes, cut between characters; control characters, broken
 * UTF-8 and the characters that reorder or hide text become spaces. Returns ret. */
const char *text_for_terminal(const char *utf8, char ret[static TERMINAL_TEXT_MAX + 1]);

#endif
