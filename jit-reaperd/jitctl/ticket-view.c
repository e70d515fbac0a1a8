/* SPDX-License-Identifier: Apache-2.0 */

#include <strings.h>
#include <time.h>

#include "json.h"
#include "sign.h"
#include "strv.h"
#include "ticket-view.h"
#include "timefmt.h"

static const JsonField ticket_view_fields[] = {
                {"version", JSON_FIELD_UINT, offsetof(TicketView, version), 1, JSON_REQUIRED},
                {"id", JSON_FIELD_STRING, offsetof(TicketView, id), 64, JSON_REQUIRED},
                {"title", JSON_FIELD_STRING, offsetof(TicketView, title), 512, JSON_REQUIRED},
                {"requesters", JSON_FIELD_STRV, offsetof(TicketView, requesters), 64, JSON_REQUIRED},
                {"role", JSON_FIELD_STRING, offsetof(TicketView, role), 64, JSON_REQUIRED},
                {"hosts", JSON_FIELD_STRV, offsetof(TicketView, hosts), 253, JSON_REQUIRED},
                {"not_before", JSON_FIELD_STRING, offsetof(TicketView, not_before), TIME_TEXT_MAX, JSON_REQUIRED},
                {"not_after", JSON_FIELD_STRING, offsetof(TicketView, not_after), TIME_TEXT_MAX, JSON_REQUIRED},
                {"reason", JSON_FIELD_TEXT, offsetof(TicketView, reason), 4096, JSON_REQUIRED},
                {"ssh_keys", JSON_FIELD_STRV, offsetof(TicketView, ssh_keys), 8192, 0},
                {"commands", JSON_FIELD_STRV, offsetof(TicketView, commands), 4096, 0},
                {"emergency", JSON_FIELD_BOOL, offsetof(TicketView, emergency), 0, 0},
                {"nonce", JSON_FIELD_STRING, offsetof(TicketView, nonce), 64, JSON_REQUIRED},
                {0},
};

TicketView *ticket_view_free(TicketView *v) {
        if (!v)
                return NULL;
        free(v->canonical);
        free(v->id);
        free(v->title);
        strv_free(v->requesters);
        free(v->role);
        strv_free(v->hosts);
        free(v->not_before);
        free(v->not_after);
        free(v->reason);
        strv_free(v->ssh_keys);
        strv_free(v->commands);
        free(v->nonce);
        free(v);
        return NULL;
}

static int not_for_signing(char *ret_why, const char *what, const char *detail) {
        (void) snprintf(ret_why, TICKET_WHY_MAX, "this is not a ticket to sign: %s%s", what, detail);
        return -EBADMSG;
}

int ticket_view_new(const char *canonical, const char *id, TicketView **ret, char *ret_why) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *again = NULL;
        JIT_CLEANUP(ticket_view_freep) TicketView *v = NULL;
        const char *field = NULL;
        char why[JSON_WHY_MAX];
        int r;

        r = json_parse_strict(canonical, strlen(canonical), TICKET_CANONICAL_MAX, &object, why);
        if (r < 0)
                return not_for_signing(ret_why, "", why);
        again = json_canonical(object);
        v = calloc(1, sizeof(*v));
        if (!v || !again || !(v->canonical = strdup(canonical)))
                return -ENOMEM;
        if (!streq(again, canonical))
                return not_for_signing(
                                ret_why,
                                "its text is not in canonical form, what is shown could differ from what is signed",
                                "");
        r = json_dispatch(object, ticket_view_fields, v, &field);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return not_for_signing(ret_why, "wrong, missing or unknown member ", field ? field : "");
        if (id && strcasecmp(v->id, id) != 0)
                return not_for_signing(ret_why, "it is another one than was asked for: ", v->id);
        *ret = take_ptr(v);
        return 0;
}

/* "2026-11-22T14:00:00Z to 2026-11-22T15:00:00Z (1 h; ends in 42 min)" */
void ticket_window_show(Table *t, const char *not_before, const char *not_after) {
        uint64_t from, to, now = now_usec(CLOCK_REALTIME);
        char length[TIME_TEXT_MAX], away[TIME_TEXT_MAX];

        if (time_parse_rfc3339(not_before, &from) < 0 || time_parse_rfc3339(not_after, &to) < 0 || to <= from) {
                table_pairf(t, "Window", COLOR_BAD, "%s to %s: not a window", not_before, not_after);
                return;
        }
        (void) time_format_span(to - from, length);
        if (now < from)
                table_pairf(t, "Window", COLOR_NONE, "%s to %s (%s; opens in %s)", not_before, not_after, length,
                            time_format_span(from - now, away));
        else if (now < to)
                table_pairf(t, "Window", COLOR_NONE, "%s to %s (%s; ends in %s)", not_before, not_after, length,
                            time_format_span(to - now, away));
        else
                table_pairf(t, "Window", COLOR_WAIT, "%s to %s (%s; over for %s)", not_before, not_after, length,
                            time_format_span(now - to, away));
}

void ticket_view_show(const TicketView *v, Table *t) {
        table_pair(t, "Ticket", v->id, COLOR_STRONG);
        table_pair(t, "Title", v->title, COLOR_NONE);
        table_pair_strv(t, strv_length(v->requesters) == 1 ? "Requester" : "Requesters", v->requesters);
        table_pair(t, "Role", v->role, COLOR_NONE);
        table_pair_strv(t, "Hosts", v->hosts);
        ticket_window_show(t, v->not_before, v->not_after);
        table_pair(t, "Reason", v->reason, COLOR_NONE);
        STRV_FOREACH (c, v->commands)
                table_pair(t, c == v->commands ? "Commands" : "", *c, COLOR_NONE);
        STRV_FOREACH (k, v->ssh_keys) {
                _cleanup_free_ char *fingerprint = NULL;

                if (key_fingerprint(*k, &fingerprint) >= 0)
                        table_pair(t, k == v->ssh_keys ? "Keys" : "", fingerprint, COLOR_NONE);
                else
                        table_pairf(t, k == v->ssh_keys ? "Keys" : "", COLOR_BAD, "not a key: %.60s", *k);
        }
        if (v->emergency)
                table_pair(t, "Emergency", "yes", COLOR_BAD);
}
