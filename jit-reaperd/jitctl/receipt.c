/* SPDX-License-Identifier: Apache-2.0 */

/* chain_print(): the receipt as a person reads it. Members that this version does not know are shown all the same, by
 * their names. */

#include "chain.h"
#include "fetched.h"
#include "live-grant.h"
#include "timefmt.h"
#include "tree.h"

static const char *text(const json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

/* In the shown table already, or of no interest to a person. */
static bool is_known(const char *name) {
        static const char *const known[] = {
                        "seq",      "time",    "prev",       "seal",      "event",    "grant",     "account",
                        "uid",      "ticket",  "title",      "requester", "role",     "approvers", "granted_at",
                        "ended_at", "gone_at", "end_reason", "end_by",    "sessions", "killed",    "removed",
                        "absent",   "residue", "digest",     "way",       "rule",     "recording",
        };

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (streq(known[i], name))
                        return true;
        return false;
}

/* "2026-11-22T14:20:00Z (20 min), all of it gone 41.2 ms later" */
static void show_when(Table *t, const json_t *r) {
        char from_text[TIME_TEXT_MAX], to_text[TIME_TEXT_MAX], span[TIME_TEXT_MAX + 4] = "", later[64] = "";
        uint64_t from, to, gone;

        if (tree_usec(json_object_get(r, "granted_at"), &from))
                table_pair(t, "From", time_format_rfc3339(from, from_text), COLOR_NONE);
        else
                from = UINT64_MAX;
        if (tree_usec(json_object_get(r, "ended_at"), &to)) {
                char length[TIME_TEXT_MAX];

                if (to >= from)
                        (void) snprintf(span, sizeof(span), " (%s)", time_format_span(to - from, length));
                if (tree_usec(json_object_get(r, "gone_at"), &gone) && gone >= to)
                        (void) snprintf(later, sizeof(later), ", all of it gone %.1f ms later",
                                        (double) (gone - to) / (double) USEC_PER_MSEC);
                table_pairf(t, "To", COLOR_NONE, "%s%s%s", time_format_rfc3339(to, to_text), span, later);
        }
        if (text(r, "end_reason"))
                table_pairf(t, "Ended by", COLOR_NONE, "%s%s%s%s", text(r, "end_reason"), text(r, "end_by") ? " (" : "",
                            text(r, "end_by") ? text(r, "end_by") : "", text(r, "end_by") ? ")" : "");
}

/* "sudo to root on pts/1, 2026-11-22T06:03:33Z to 2026-11-22T06:03:41Z" */
static void show_session(Table *t, const char *name, const json_t *s) {
        const char *service = text(s, "service"), *kind = text(s, "kind"), *target = text(s, "target"),
                   *rhost = text(s, "rhost"), *tty = text(s, "tty");
        char from_text[TIME_TEXT_MAX], to_text[TIME_TEXT_MAX];
        uint64_t from, to;
        bool has_from = tree_usec(json_object_get(s, "from"), &from), has_to = tree_usec(json_object_get(s, "to"), &to);

        if (kind && streq(kind, "elevated"))
                service = kind;
        table_pairf(t, name, COLOR_NONE, "%s%s%s%s%s%s%s%s%s%s%s", service ? service : "?",
                    target && *target ? " to " : "", target ? target : "", rhost && *rhost ? " from " : "",
                    rhost ? rhost : "", tty && *tty ? " on " : "", tty ? tty : "", has_from ? ", " : "",
                    has_from ? time_format_rfc3339(from, from_text) : "", has_to ? " to " : "",
                    has_to ? time_format_rfc3339(to, to_text) : "");
}

static void show_sessions(Table *t, const json_t *sessions) {
        json_t *s;
        size_t i;

        json_array_foreach ((json_t *) sessions, i, s) {
                show_session(t, i == 0 ? "Sessions" : "", s);
        }
        if (json_is_array(sessions) && json_array_size(sessions) == 0)
                table_pair(t, "Sessions", "none", COLOR_NONE);
}

/* Receipts of an older version say nothing of it. */
static void show_way(Table *t, const json_t *r) {
        const char *means = NULL, *way = text(r, "way");

        if (!way)
                return;
        way = grant_way(way, json_is_true(json_object_get(r, "rule")), &means);
        table_pairf(t, "Way", COLOR_NONE, "%s%s%s", way, means ? ": " : "", means ? means : "");
}

/* One path, or several. */
static void show_recording(Table *t, const json_t *recording) {
        json_t *path;
        size_t i;

        table_pair(t, "Recording", json_string_value(recording), COLOR_NONE);
        json_array_foreach ((json_t *) recording, i, path) {
                table_pair(t, i == 0 ? "Recording" : "", json_string_value(path), COLOR_NONE);
        }
}

static void show_list(Table *t, const char *name, const json_t *list, Color color, const char *empty) {
        json_t *value;
        size_t i;

        if (json_is_array(list) && json_array_size(list) == 0)
                table_pair(t, name, empty, COLOR_GOOD);
        json_array_foreach ((json_t *) list, i, value) {
                if (json_is_string(value))
                        table_pair(t, i == 0 ? name : "", json_string_value(value), color);
                else
                        tree_show(t, name, value);
        }
        if (list && !json_is_array(list))
                tree_show(t, name, list);
}

static void show_seal(Table *t, const Chain *c) {
        const char *rest = "; the whole file: jitctl audit verify";

        if (c->seal_fault)
                table_pairf(t, "Seal", COLOR_BAD, "WRONG: the line %s%s", c->seal_fault, rest);
        else if (!c->sealed)
                table_pair(t, "Seal", "none", COLOR_BAD);
        else if (c->seal_checked)
                table_pairf(t, "Seal", COLOR_GOOD, "good%s", rest);
        else
                table_pair(t, "Seal", "not checked: no audit.pub that can be read", COLOR_WAIT);
}

static void show_receipt(Table *t, const Chain *c) {
        const json_t *r = c->receipt, *uid = json_object_get(r, "uid"), *killed = json_object_get(r, "killed");
        const char *name;
        json_t *value;

        table_pair(t, "Receipt", text(r, "grant"), COLOR_STRONG);
        if (json_is_integer(uid))
                table_pairf(t, "Account", COLOR_NONE, "%s (uid %" JSON_INTEGER_FORMAT ")",
                            text(r, "account") ? text(r, "account") : "?", json_integer_value(uid));
        else
                table_pair(t, "Account", text(r, "account"), COLOR_NONE);
        show_way(t, r);
        table_pairf(t, "Ticket", COLOR_NONE, "%s%s%s", text(r, "ticket") ? text(r, "ticket") : "?",
                    text(r, "title") ? ": " : "", text(r, "title") ? text(r, "title") : "");
        table_pair(t, "Its digest", text(r, "digest"), COLOR_FAINT);
        table_pair(t, "Person", text(r, "requester"), COLOR_NONE);
        table_pair(t, "Role", text(r, "role"), COLOR_NONE);
        show_list(t, "Approved by", json_object_get(r, "approvers"), COLOR_NONE, "nobody");
        show_when(t, r);
        show_sessions(t, json_object_get(r, "sessions"));
        show_recording(t, json_object_get(r, "recording"));
        if (json_is_integer(killed))
                table_pairf(t, "Killed", COLOR_NONE, "%" JSON_INTEGER_FORMAT " process%s", json_integer_value(killed),
                            json_integer_value(killed) == 1 ? "" : "es");
        show_list(t, "Removed", json_object_get(r, "removed"), COLOR_NONE, "nothing");
        show_list(t, "Found absent", json_object_get(r, "absent"), COLOR_GOOD, "nothing");
        show_list(t, "Residue", json_object_get(r, "residue"), COLOR_BAD, "none");
        json_object_foreach ((json_t *) r, name, value) {
                if (!is_known(name))
                        tree_show(t, name, value);
        }
        show_seal(t, c);
}

/* TIME EVENT WHAT of each line; what: the line's own members, on one line. */
static int print_events(const Ctl *ctl, const Chain *c) {
        static const char *const header[] = {"TIME", "EVENT", "WHAT", NULL};
        JIT_CLEANUP(table_freep) Table *t = table_new(header);
        json_t *line;
        size_t i;

        if (!t)
                return say_no_memory();
        json_array_foreach (c->lines, i, line) {
                static const char *const shown[] = {"account", "requester", "service", "target", "rhost",
                                                    "tty",     "unit",      "reason",  "by"};
                char what[256];
                size_t n = 0;

                what[0] = 0;
                for (size_t j = 0; j < ELEMENTSOF(shown) && n < sizeof(what); j++)
                        if (text(line, shown[j])) {
                                int w = snprintf(what + n, sizeof(what) - n, "%s%s", n > 0 ? ", " : "",
                                                 text(line, shown[j]));
                                n += w > 0 ? (size_t) w : 0;
                        }
                table_cell(t, text(line, "time"), COLOR_NONE);
                table_cell(t, text(line, "event"), COLOR_STRONG);
                table_cell(t, what, COLOR_NONE);
        }
        return table_print(t, stdout, color_wanted(stdout, ctl->no_color)) < 0 ? say_no_memory() : STATUS_OK;
}

int chain_print(const Ctl *ctl, const Chain *c) {
        JIT_CLEANUP(table_freep) Table *t = NULL;

        if (!c->receipt) {
                say_warning("this grant has no receipt yet; so far:");
                return print_events(ctl, c);
        }
        t = table_new(NULL);
        if (!t)
                return say_no_memory();
        show_receipt(t, c);
        return table_print(t, stdout, color_wanted(stdout, ctl->no_color)) < 0 ? say_no_memory() : STATUS_OK;
}
