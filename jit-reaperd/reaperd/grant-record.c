/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "artefact.h"
#include "file-io.h"
#include "grant-record.h"
#include "grant-recheck.h"
#include "json.h"
#include "log.h"
#include "provider-name.h"
#include "reap.h"
#include "session-record.h"
#include "timefmt.h"
#include "uid-range.h"

static const char *const state_names[] = {
        [GRANT_RESERVED] = "reserved",
        [GRANT_ACTIVE] = "active",
        [GRANT_REVOKING] = "revoking",
        [GRANT_FORGOTTEN] = "forgotten",
};

const char *grant_state_to_string(GrantState s) {
        return state_names[s];
}

static void record_name(const char *id, char ret[static 48]) {
        (void) snprintf(ret, 48, "%s.json", id);
}

static int add_whose(json_t *j, const Grant *g) {
        int r;

        if (g->way == WAY_ACCOUNT)
                return json_set_uint(j, "uid", g->uid);
        r = json_set_uint(j, "personUid", g->person_uid);
        return r < 0 ? r : json_set_opt(j, "rule", json_boolean(g->has_rule));
}

/* What is asked again, and since when nobody answers. */
static int add_provider(json_t *j, const Grant *g) {
        const char *name = provider_name(g->manager, g->provider);
        const char *silence = g->state == GRANT_ACTIVE ? silence_to_string(g->silence) : NULL;
        int r = json_set_str(j, "provider", name);

        if (r >= 0 && g->recheck_sec > 0)
                r = json_set_uint(j, "recheckSec", g->recheck_sec);
        if (r >= 0 && g->grace_sec != GRACE_NONE)
                r = json_set_uint(j, "graceSec", g->grace_sec);
        if (r >= 0 && g->notices != NOTICE_NONE)
                r = json_set_opt(j, "comments", json_true());
        if (r >= 0 && g->notices == NOTICE_STARTED)
                r = json_set_opt(j, "noticed", json_true());
        if (r >= 0 && silence)
                r = json_set_str(j, "silence", silence);
        if (r >= 0 && silence)
                r = json_set_uint(j, "answered", g->answered_usec);
        return r;
}

static int record_save(const Grant *g, int dir_fd) {
        _cleanup_json_ json_t *j = NULL;
        _cleanup_free_ char *text = NULL;
        char name[48];

        j = json_pack("{s:s,s:s,s:s,s:s,s:b,s:b,s:s,s:s*,s:s,s:s,s:s*,s:o,s:o,s:o,s:I,s:I,s:I,s:s*,s:s*,s:I,s:I,s:o,s:o}", "id", g->id,
                      "account", g->account, "way", grant_way_to_string(g->way), "state", state_names[g->state], "authorized",
                      g->authorized, "allowed", g->allowed, "ticket", g->ticket, "title", g->title, "requester", g->requester, "role", g->role ?: "", "digest",
                      g->digest, "approvers", json_from_strv(g->approvers), "commands", json_from_strv(g->commands), "keys",
                      json_from_strv(g->keys), "since", (json_int_t) g->since_usec, "until", (json_int_t) g->until_usec,
                      "deadline", (json_int_t) g->deadline_usec, "endReason",
                      g->end_reason, "endBy", g->end_by, "end", (json_int_t) (g->state == GRANT_ACTIVE ? 0 : g->end_usec),
                      "gone", (json_int_t) (g->state == GRANT_ACTIVE ? 0 : g->gone_usec), "sessions", sessions_to_record(g->sessions), "past",
                      sessions_to_record(g->past));
        text = j && add_whose(j, g) >= 0 && add_provider(j, g) >= 0 ? json_dumps(j, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        record_name(g->id, name);
        return file_write_atomic(dir_fd, name, text, strlen(text), 0600, 0, 0, false);
}

int grant_record_save(const Grant *g) {
        return record_save(g, g->manager->dirs.grants);
}

int grant_record_save_live(const Grant *g) {
        return record_save(g, g->manager->dirs.live);
}

int grant_record_remove(const Grant *g) {
        char name[48];
        int r;

        record_name(g->id, name);
        r = artefact_unlink(g->manager->dirs.live, name);
        return r < 0 ? r : artefact_unlink(g->manager->dirs.grants, name);
}

/* ---- reading back ---- */

typedef struct Record {
        Grant grant;
        char *id, *account, *ticket, *requester, *way, *state, *provider, *silence;
        uint64_t uid, person_uid, recheck_sec, grace_sec, answered_usec;
        bool comments, noticed, authorized, allowed, rule;
        json_t *sessions, *past;
} Record;

static void record_done(Record *rec) {
        free(rec->id);
        free(rec->account);
        free(rec->ticket);
        free(rec->requester);
        free(rec->way);
        free(rec->state);
        free(rec->provider);
        free(rec->silence);
        json_decref(rec->sessions);
        json_decref(rec->past);
}

static int record_parse(const json_t *object, Record *ret) {
        static const JsonField table[] = {
                {"id", JSON_FIELD_STRING, offsetof(Record, id), 16, JSON_REQUIRED},
                {"account", JSON_FIELD_STRING, offsetof(Record, account), ACCOUNT_NAME_MAX, JSON_REQUIRED},
                {"way", JSON_FIELD_STRING, offsetof(Record, way), 16, 0},
                {"uid", JSON_FIELD_UINT, offsetof(Record, uid), UINT32_MAX - 1, 0},
                {"personUid", JSON_FIELD_UINT, offsetof(Record, person_uid), UINT32_MAX - 1, 0},
                {"rule", JSON_FIELD_BOOL, offsetof(Record, rule), 0, 0},
                {"state", JSON_FIELD_STRING, offsetof(Record, state), 16, JSON_REQUIRED},
                {"authorized", JSON_FIELD_BOOL, offsetof(Record, authorized), 0, 0},
                {"allowed", JSON_FIELD_BOOL, offsetof(Record, allowed), 0, 0},
                {"ticket", JSON_FIELD_STRING, offsetof(Record, ticket), TICKET_ID_MAX, JSON_REQUIRED},
                {"title", JSON_FIELD_STRING, offsetof(Record, grant.title), 512, 0},
                {"requester", JSON_FIELD_STRING, offsetof(Record, requester), PERSON_NAME_MAX, JSON_REQUIRED},
                {"role", JSON_FIELD_STRING, offsetof(Record, grant.role), ROLE_NAME_MAX, JSON_REQUIRED},
                {"digest", JSON_FIELD_STRING, offsetof(Record, grant.digest), 128, 0},
                {"approvers", JSON_FIELD_STRV, offsetof(Record, grant.approvers), PERSON_NAME_MAX, 0},
                {"commands", JSON_FIELD_STRV, offsetof(Record, grant.commands), 1024, 0},
                {"keys", JSON_FIELD_STRV, offsetof(Record, grant.keys), 16384, 0},
                {"since", JSON_FIELD_UINT, offsetof(Record, grant.since_usec), INT64_MAX, JSON_REQUIRED},
                {"until", JSON_FIELD_UINT, offsetof(Record, grant.until_usec), INT64_MAX, JSON_REQUIRED},
                {"deadline", JSON_FIELD_UINT, offsetof(Record, grant.deadline_usec), INT64_MAX, JSON_REQUIRED},
                {"endReason", JSON_FIELD_STRING, offsetof(Record, grant.end_reason), 40, 0},
                {"endBy", JSON_FIELD_STRING, offsetof(Record, grant.end_by), 64, 0},
                {"end", JSON_FIELD_UINT, offsetof(Record, grant.end_usec), INT64_MAX, 0},
                {"gone", JSON_FIELD_UINT, offsetof(Record, grant.gone_usec), INT64_MAX, 0},
                {"sessions", JSON_FIELD_ARRAY, offsetof(Record, sessions), 0, 0},
                {"past", JSON_FIELD_ARRAY, offsetof(Record, past), 0, 0},
                {"provider", JSON_FIELD_STRING, offsetof(Record, provider), 31, 0},
                {"recheckSec", JSON_FIELD_UINT, offsetof(Record, recheck_sec), UINT16_MAX, 0},
                {"graceSec", JSON_FIELD_UINT, offsetof(Record, grace_sec), GRACE_NONE, 0},
                {"comments", JSON_FIELD_BOOL, offsetof(Record, comments), 0, 0},
                {"noticed", JSON_FIELD_BOOL, offsetof(Record, noticed), 0, 0},
                {"silence", JSON_FIELD_STRING, offsetof(Record, silence), 40, 0},
                {"answered", JSON_FIELD_UINT, offsetof(Record, answered_usec), INT64_MAX, 0},
                {},
        };

        ret->grace_sec = GRACE_NONE;
        ret->uid = ret->person_uid = UID_NONE;
        return json_dispatch(object, table, ret, NULL);
}

static void take_provider(Manager *m, const Record *rec, Grant *g) {
        g->provider = provider_name_number(m, rec->provider);
        g->recheck_sec = (uint16_t) rec->recheck_sec;
        g->grace_sec = (uint32_t) rec->grace_sec;
        g->notices = !rec->comments ? NOTICE_NONE : rec->noticed ? NOTICE_STARTED : NOTICE_WANTED;
        if (g->state != GRANT_ACTIVE)
                return;
        g->silence = rec->silence ? silence_from_string(rec->silence) : 0;
        g->answered_usec = rec->answered_usec;
        g->recheck_at_usec = USEC_INFINITY;
}

/* Exactly the one UID that its kind has. */
static int take_whose(const Manager *m, const Record *rec, Grant *g) {
        g->has_rule = rec->rule;
        g->uid = (uid_t) rec->uid;
        g->person_uid = (uid_t) rec->person_uid;
        if (!rec->way || streq(rec->way, "account")) { /* not said: as above */
                g->way = WAY_ACCOUNT;
                return uid_range_contains(m->uids, g->uid) && g->person_uid == UID_NONE && !g->has_rule ? 0 : -EBADMSG;
        }
        g->way = WAY_ELEVATION;
        return streq(rec->way, "elevation") && g->uid == UID_NONE && g->person_uid != UID_NONE && g->person_uid != 0 &&
                               !uid_range_contains(m->uids, g->person_uid) && g->state != GRANT_RESERVED
                       ? 0
                       : -EBADMSG;
}

static int record_to_grant(Manager *m, Record *rec) {
        Grant *g = &rec->grant;
        char folded[ACCOUNT_NAME_MAX + 1];
        int r;

        if (rec->grant.role && !*rec->grant.role) { /* refused, and not told what it is for */
                free(rec->grant.role);
                rec->grant.role = NULL;
        }
        if (account_name_parse(rec->account, folded) < 0 || !streq(folded, rec->account) || strlen(rec->id) != 16)
                return -EBADMSG;
        for (int s = GRANT_RESERVED; s <= GRANT_FORGOTTEN; s++)
                if (streq(rec->state, state_names[s])) {
                        g->state = (GrantState) s;
                        g->manager = m;
                        g->authorized = rec->authorized;
                        g->allowed = rec->allowed;
                        memcpy(g->id, rec->id, sizeof(g->id));
                        memcpy(g->account, folded, sizeof(folded));
                        take_provider(m, rec, g);
                        r = take_whose(m, rec, g);
                        return r < 0 ? r : grant_set_names(g, rec->ticket, rec->requester);
                }
        return -EBADMSG;
}

static int record_load(Manager *m, int dir_fd, const char *name, Grant **ret) {
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ json_t *j = NULL;
        Record rec = {};
        Grant *g = NULL;
        size_t length;
        int r;

        r = file_read_capped(dir_fd, name, JSON_MESSAGE_MAX, true, &text, &length);
        if (r >= 0)
                r = json_parse_strict(text, length, JSON_MESSAGE_MAX, &j, NULL);
        if (r >= 0)
                r = record_parse(j, &rec);
        if (r >= 0)
                r = record_to_grant(m, &rec);
        g = calloc(1, sizeof(*g));
        if (!g) {
                record_done(&rec);
                return -ENOMEM;
        }
        *g = rec.grant;
        g->manager = m;
        if (r >= 0)
                r = sessions_from_record(g, rec.sessions, true, &g->sessions);
        if (r >= 0)
                r = sessions_from_record(g, rec.past, false, &g->past);
        if (r >= 0)
                r = grant_link(g);
        record_done(&rec);
        if (r < 0) {
                grant_free(g);
                return r;
        }
        *ret = g;
        return 0;
}

/* Each readable record in the directory that wanted says yes to; others are removed. */
static int load_directory(Manager *m, int dir_fd, bool (*wanted)(const Manager *m, const char *name), void (*found)(Grant *g)) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        const Grant *before = m->grants;
        struct dirent *e;

        if (!d)
                return -errno;
        while ((e = readdir(d))) {
                Grant *g = NULL;
                int r;

                if (streq(e->d_name, ".") || streq(e->d_name, "..") || !wanted(m, e->d_name))
                        continue;
                /* ".NAME.tmp": a write that a kill cut short; what it was to replace is still there. */
                r = e->d_name[0] == '.' ? -EBADMSG : record_load(m, dir_fd, e->d_name, &g);
                if (r < 0) {
                        if (e->d_name[0] != '.')
                                log_error("Cannot read the record %s, ending its grant: %s", e->d_name, strerror(-r));
                        (void) unlinkat(dir_fd, e->d_name, 0);
                }
        }
        (void) closedir(d);
        /* Only now: it writes and removes records, which a folder that is being read may show a second time (readdir(3)), and then a live grant's
         * record would be taken for a double and removed. New ones are in front of the list. */
        for (Grant *g = m->grants, *next; g && g != before; g = next) {
                next = g->next;
                found(g);
        }
        return 0;
}

static bool is_any(const Manager *m, const char *name) {
        (void) m, (void) name;
        return true;
}

int grant_record_load_all(Manager *m, void (*resume)(Grant *g)) {
        return load_directory(m, m->dirs.grants, is_any, resume);
}

/* No grant of this start knows the copy: what it was a copy of went with the last boot. */
static bool is_lost(const Manager *m, const char *name) {
        for (const Grant *g = m->grants; g; g = g->next) {
                char own[48];

                record_name(g->id, own);
                if (streq(own, name))
                        return false;
        }
        return true;
}

static void end_by_reboot(Grant *g) {
        g->state = GRANT_REVOKING;
        g->authorized = false;
        free(g->end_reason);
        g->end_reason = strdup("reboot");
        g->end_usec = now_usec(CLOCK_REALTIME);
        g->gone_usec = 0;
        if (grant_record_save(g) < 0)
                log_warning("Cannot write the record of %s, ignoring: its copy stays until the receipt", grant_user(g));
        reap_start(g, NULL);
}

int grant_record_load_lost(Manager *m) {
        return load_directory(m, m->dirs.live, is_lost, end_by_reboot);
}
