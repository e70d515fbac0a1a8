/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "json.h"
#include "name.h"
#include "pam-caller.h"

enum { ITEM_MAX = 255 };

void caller_done(Caller *c) {
        free(c->account);
        free(c->service);
        free(c->rhost);
        free(c->tty);
        free(c->ruser);
        free(c->target);
        *c = (Caller){};
}

void caller_extra_done(CallerExtra *e) {
        free(e->ticket);
        free(e->inside);
        free(e->decision);
        *e = (CallerExtra){};
}

typedef struct Parameters {
        Caller caller;
        CallerExtra extra;
} Parameters;

enum { CALLER_FIELDS = 5, EXTRA_FIELDS = 7 };
static const JsonField caller_fields[CALLER_FIELDS] = {
                {"account", JSON_FIELD_STRING, offsetof(Parameters, caller.account), ITEM_MAX, JSON_REQUIRED},
                {"service", JSON_FIELD_STRING, offsetof(Parameters, caller.service), ITEM_MAX, JSON_REQUIRED},
                {"rhost", JSON_FIELD_STRING, offsetof(Parameters, caller.rhost), ITEM_MAX, 0},
                {"tty", JSON_FIELD_STRING, offsetof(Parameters, caller.tty), ITEM_MAX, 0},
                {"ruser", JSON_FIELD_STRING, offsetof(Parameters, caller.ruser), ITEM_MAX, 0},
};
/* In the order of CALLER_*. */
static const JsonField extra_fields[EXTRA_FIELDS] = {
                {"wait", JSON_FIELD_BOOL, offsetof(Parameters, extra.wait), 0, 0},
                {"ticket", JSON_FIELD_STRING, offsetof(Parameters, extra.ticket), ITEM_MAX, 0},
                {"gate", JSON_FIELD_BOOL, offsetof(Parameters, extra.gate), 0, JSON_REQUIRED},
                {"inside", JSON_FIELD_STRING, offsetof(Parameters, extra.inside), 48, 0},
                {"decision", JSON_FIELD_STRING, offsetof(Parameters, extra.decision), 32, 0},
                {"started", JSON_FIELD_UINT, offsetof(Parameters, extra.started), INT64_MAX, 0},
                {"uid", JSON_FIELD_UINT, offsetof(Parameters, extra.uid), UINT32_MAX - 1, 0},
};

int caller_parse_any(json_t *parameters, unsigned extras, Caller *ret, CallerExtra *ret_extra) {
        JsonField table[CALLER_FIELDS + EXTRA_FIELDS + 1] = {};
        Parameters p = {.extra.uid = CALLER_UID_UNSAID};
        size_t n = CALLER_FIELDS;
        int r;

        memcpy(table, caller_fields, sizeof(caller_fields));
        for (unsigned i = 0; i < EXTRA_FIELDS; i++)
                if (extras & (1u << i))
                        table[n++] = extra_fields[i];
        r = json_dispatch(parameters, table, &p, NULL);
        *ret = p.caller;
        if (ret_extra)
                *ret_extra = p.extra;
        return r;
}

int caller_parse(json_t *parameters, unsigned extras, Caller *ret, CallerExtra *ret_extra) {
        char folded[ACCOUNT_NAME_MAX + 1];
        int r = caller_parse_any(parameters, extras, ret, ret_extra);

        if (r >= 0)
                r = account_name_parse(ret->account, folded);
        if (r < 0)
                return r;
        memcpy(ret->account, folded, strlen(folded) + 1);
        return 0;
}
