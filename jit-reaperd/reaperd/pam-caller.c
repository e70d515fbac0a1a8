/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "json.h"
#include "pam-caller.h"

void caller_done(Caller *c) {
        free(c->account);
        free(c->service);
        free(c->rhost);
        free(c->tty);
        free(c->ruser);
        *c = (Caller){};
}

int caller_parse(json_t *parameters, Caller *ret, bool *ret_wait) {
        typedef struct Parameters {
                Caller caller;
                bool wait;
        } Parameters;
        static const JsonField table[] = {
                        {"account", JSON_FIELD_STRING, offsetof(Parameters, caller.account), 255, JSON_REQUIRED},
                        {"service", JSON_FIELD_STRING, offsetof(Parameters, caller.service), 255, JSON_REQUIRED},
                        {"rhost", JSON_FIELD_STRING, offsetof(Parameters, caller.rhost), 255, 0},
                        {"tty", JSON_FIELD_STRING, offsetof(Parameters, caller.tty), 255, 0},
                        {"ruser", JSON_FIELD_STRING, offsetof(Parameters, caller.ruser), 255, 0},
                        {"wait", JSON_FIELD_BOOL, offsetof(Parameters, wait), 0, 0},
                        {},
        };
        char folded[ACCOUNT_NAME_MAX + 1];
        Parameters p = {};
        int r = json_dispatch(parameters, table, &p, NULL);

        *ret = p.caller;
        if (r < 0)
                return r;
        if (p.wait && !ret_wait)
                return -EBADMSG;
        if (ret_wait)
                *ret_wait = p.wait;
        r = account_name_parse(ret->account, folded);
        if (r < 0)
                return r;
        memcpy(ret->account, folded, strlen(folded) + 1);
        return 0;
}
