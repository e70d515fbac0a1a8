/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "artefact.h"
#include "cleanup.h"
#include "grant-log.h"
#include "json.h"
#include "receipt.h"
#include "session-record.h"
#include "sudo-rules.h"
#include "timefmt.h"

__attribute__((format(printf, 3, 0))) static void add(Receipt *r, char ***list, const char *format, va_list ap) {
        char text[512];

        (void) vsnprintf(text, sizeof(text), format, ap);
        /* File names are the account's own words: only plain characters go into a record. */
        for (unsigned char *p = (unsigned char *) text; *p; p++)
                if (*p < 0x20 || *p >= 0x7f)
                        *p = '?';
        if (strv_length(*list) >= RECEIPT_ITEMS_MAX || strv_extend(list, text) < 0)
                r->dropped++;
}

void receipt_removed(Receipt *r, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        add(r, &r->removed, format, ap);
        va_end(ap);
}

void receipt_residue(Receipt *r, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        add(r, &r->residue, format, ap);
        va_end(ap);
}

void receipt_done(Receipt *r) {
        strv_free(r->removed);
        strv_free(r->residue);
        *r = (Receipt){};
}

static json_t *sessions_to_receipt(const Grant *g) {
        json_t *a = json_array();

        for (const Session *s = g->past; s; s = s->next)
                (void) json_array_append_new(a, session_to_json(s));
        for (const Session *s = g->sessions; s; s = s->next)
                (void) json_array_append_new(a, session_to_json(s));
        return a;
}

static void add_absent(json_t *list, int dir_fd, const char *name, const char *what) {
        if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                (void) json_array_append_new(list, json_string(what));
}

/* Only what has just been looked for and not found. */
static json_t *absent_list(const Grant *g, const Receipt *r) {
        const Directories *d = &g->manager->dirs;
        char rule[SUDOERS_NAME_MAX], uid[16];
        json_t *list = json_array();

        if (r->process_absent)
                (void) json_array_append_new(list, json_string("process"));
        add_absent(list, d->sudoers, sudoers_file_name(g, rule), "sudo rule");
        if (g->way == WAY_ELEVATION) {
                (void) snprintf(uid, sizeof(uid), "%u", g->person_uid);
                add_absent(list, d->elevated, uid, "marker");
                return list;
        }
        if (!grant_by_account(g->manager, g->account) && !grant_by_uid(g->manager, g->uid))
                (void) json_array_append_new(list, json_string("account"));
        add_absent(list, d->keys, g->account, "key");
        add_absent(list, d->homes, g->account, "home");
        return list;
}

/* Where what was done is to be seen: Record= of the role. */
static int add_recording(json_t *event, const Grant *g) {
        const Role *role = grant_role(g);
        char path[sizeof(SUDO_IO_LOGS) + sizeof(g->id) + 1];

        if (!role || role->record == ROLE_RECORD_NONE)
                return 0;
        if (role->record == ROLE_RECORD_TLOG)
                return g->way == WAY_ACCOUNT ? json_set_str(event, "recording", "journal") : 0;
        (void) snprintf(path, sizeof(path), "%s/%s", SUDO_IO_LOGS, g->id);
        return json_set_str(event, "recording", path);
}

int receipt_write(const Grant *g, const Receipt *r, unsigned killed) {
        json_t *event;
        int e;

        event = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s*,s:s*,s:s,s:s,s:o,s:I,s:I,s:I,s:s,s:s*,s:o,s:I,s:o,s:o,s:o}", "event",
                          "grant.receipt", "grant", g->id, "way", grant_way_to_string(g->way), "account", grant_user(g), "uid",
                          (json_int_t) grant_user_uid(g), "ticket", g->ticket, "title", g->title, "digest", g->digest, "requester", g->requester, "role", g->role ?: "",
                          "approvers", json_from_strv(g->approvers), "granted_at", (json_int_t) g->since_usec, "ended_at",
                          (json_int_t) g->end_usec, "gone_at", (json_int_t) g->gone_usec, "end_reason",
                          g->end_reason ?: "internal", "end_by", g->end_by, "sessions", sessions_to_receipt(g), "killed",
                          (json_int_t) killed, "removed", json_from_strv(r->removed), "absent", absent_list(g, r), "residue",
                          json_from_strv(r->residue));
        if (!event || add_recording(event, g) < 0) {
                json_decref(event);
                return -ENOMEM;
        }
        if (g->way == WAY_ELEVATION)
                (void) json_set_opt(event, "rule", json_boolean(g->has_rule));
        if (g->n_forgotten > 0)
                (void) json_set_uint(event, "sessions_not_listed", g->n_forgotten);
        if (r->dropped > 0)
                (void) json_set_uint(event, "not_listed", r->dropped);
        e = audit_write(g->manager->audit, event, true);
        if (e >= 0)
                grant_log(g, LOG_NOTICE, g->end_reason ?: "internal", "%s of %s is over (%s): %s is %s", g->ticket, g->requester,
                          g->end_reason ?: "internal", grant_user(g), g->way == WAY_ELEVATION ? "not elevated any more" : "gone");
        return e;
}
