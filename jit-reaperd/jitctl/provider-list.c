/* SPDX-License-Identifier: Apache-2.0 */

#include "client.h"
#include "member.h"
#include "provider-list.h"

int providers_fetch(const Ctl *ctl, bool quiet, json_t **ret) {
        _cleanup_free_ char *why = NULL;

        if (!quiet)
                return client_call(ctl, SERVICE_APPROVER, "ListProviders", NULL, CALL_USEC, ret);
        return client_try(ctl, SERVICE_APPROVER, "ListProviders", NULL, CALL_USEC, ret, &why);
}

const json_t *providers_find(const json_t *reply, const char *name) {
        json_t *provider;
        size_t i;

        json_array_foreach (json_object_get(reply, "providers"), i, provider) {
                const char *one = member_text(provider, "name");

                if (one && streq(one, name))
                        return provider;
        }
        return NULL;
}

const char *provider_state(const json_t *provider, Color *ret) {
        const char *error = member_text(provider, "error"), *state = member_text(provider, "state");

        *ret = error ? COLOR_BAD : !state || streq(state, "ok") ? COLOR_GOOD : COLOR_WAIT;
        return error ? error : state ? state : "ok";
}

void providers_show(const json_t *reply, Table *t) {
        uint64_t comments = 0;
        json_t *provider;
        size_t i;

        json_array_foreach (json_object_get(reply, "providers"), i, provider) {
                const char *name = member_text(provider, "name"), *state;
                _cleanup_free_ char *row = NULL;
                Color color;

                if (!name || streq(name, "signed"))
                        continue;
                if (asprintf(&row, "Provider %s", name) < 0) {
                        row = NULL;
                        continue; /* without memory the table fails as well */
                }
                state = provider_state(provider, &color);
                table_pair(t, row, state, color);
        }
        if (member_uint(reply, "comments_waiting", &comments) && comments > 0)
                table_pairf(t, "Comments", COLOR_WAIT, "%ju wait to be written to their tickets", (uintmax_t) comments);
}
