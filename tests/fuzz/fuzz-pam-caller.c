/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "name.h"
#include "pam-caller.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

static void check_text(const char *text, bool required) {
        require(text || !required);
        require(!text || strlen(text) <= 255);
        for (; text && *text; text++)
                require((unsigned char) *text >= 0x20 && *text != 0x7f);
}

static void check_caller(const Caller *c) {
        check_text(c->account, true);
        check_text(c->service, true);
        check_text(c->rhost, false);
        check_text(c->tty, false);
        check_text(c->ruser, false);
        require(!c->target); /* PAM does not say it: a method does */
}

/* The first byte says which parameters the method has, and whether it is about an account of ours; then one message's
 * parameters. What a method does not have is never set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *parameters = NULL;
        _cleanup_caller_extra_ CallerExtra extra = {};
        _cleanup_caller_ Caller c = {};
        char folded[ACCOUNT_NAME_MAX + 1];

        if (size < 1 || json_parse_strict((const char *) data + 1, size - 1, JSON_MESSAGE_MAX, &parameters, NULL) < 0)
                return 0;
        unsigned extras = data[0] & 0x7f;
        bool ours = data[0] & 0x80;

        if ((ours ? caller_parse : caller_parse_any)(parameters, extras, &c, &extra) < 0)
                return 0;
        check_caller(&c);
        check_text(extra.ticket, false);
        check_text(extra.inside, false);
        check_text(extra.decision, false);
        require(!extra.ticket || (extras & CALLER_TICKET));
        require(!extra.inside || ((extras & CALLER_INSIDE) && strlen(extra.inside) <= 48));
        require(!extra.decision || ((extras & CALLER_DECISION) && strlen(extra.decision) <= 32));
        require(extra.started == 0 || ((extras & CALLER_STARTED) && extra.started <= INT64_MAX));
        require(extra.uid == CALLER_UID_UNSAID || ((extras & CALLER_UID) && extra.uid < UINT32_MAX));
        require(!extra.wait || (extras & CALLER_WAIT));
        require(!extra.gate || (extras & CALLER_GATE));
        require(!(extras & CALLER_GATE) || json_is_boolean(json_object_get(parameters, "gate")));
        if (ours)
                require(account_name_parse(c.account, folded) == 0 && strcmp(folded, c.account) == 0);
        return 0;
}
