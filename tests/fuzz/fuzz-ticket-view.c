/* SPDX-License-Identifier: Apache-2.0 */

/* What an approver is shown and signs, and what reaches a terminal at all. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "ticket-view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* Whatever went in: no byte that a terminal obeys, valid UTF-8, and nothing left to escape. */
static void check_escaped(const char *text) {
        _cleanup_free_ char *escaped = text_escape(text), *again = NULL;

        require(escaped);
        for (const unsigned char *p = (const unsigned char *) escaped; *p; p++) {
                require(*p >= 0x20 && *p != 0x7f);
                require(!(p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f));
        }
        again = text_escape(escaped);
        require(again && streq(again, escaped));
        require(text_width(escaped) <= 2 * strlen(escaped));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = malloc(size + 1);
        JIT_CLEANUP(ticket_view_freep) TicketView *v = NULL;
        char why[TICKET_WHY_MAX];

        require(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = 0;
        check_escaped(text);
        if (ticket_view_new(text, NULL, &v, why) >= 0)
                require(streq(v->canonical, text) && v->id && v->title && v->role && v->nonce && v->reason);
        return 0;
}
