/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "cleanup.h"
#include "json.h"
#include "session-record.h"

static const char *const kind_names[] = {
        [SESSION_LOGIN] = "login",
        [SESSION_SCOPE] = "scope",
        [SESSION_ELEVATED] = "elevated",
};

const char *session_kind_to_string(SessionKind k) {
        return kind_names[k];
}

json_t *session_to_json(const Session *s) {
        char unit[SCOPE_UNIT_SIZE];
        json_t *j = json_object();

        if (!j)
                return NULL;
        (void) json_set_str(j, "kind", kind_names[s->kind]);
        (void) json_set_str(j, "service", s->service);
        (void) json_set_str(j, "rhost", s->rhost);
        (void) json_set_str(j, "tty", s->tty);
        (void) json_set_str(j, "target", s->target);
        if (s->kind == SESSION_SCOPE)
                (void) json_set_str(j, "unit", scope_unit(s, unit));
        (void) json_set_str(j, "id", s->logind_id);
        (void) json_set_uint(j, "pid", (uint64_t) s->pid);
        (void) json_set_uint(j, "from", s->from_usec);
        if (s->to_usec > 0)
                (void) json_set_uint(j, "to", s->to_usec);
        return j;
}

static int add_login_session(json_t *j, const Session *s) {
        if (s->kind == SESSION_LOGIN)
                return 0;
        if (s->from)
                return json_set_opt(j, "loginSession", login_session_to_json(s->from));
        return s->from_record ? json_set_opt(j, "loginSession", json_incref(s->from_record)) : 0;
}

json_t *sessions_to_record(const Session *first) {
        json_t *a = json_array();

        for (const Session *s = first; s; s = s->next) {
                json_t *j = session_to_json(s);
                if (!j || json_set_uint(j, "pidStart", s->pid_start) < 0 || add_login_session(j, s) < 0 || json_array_append_new(a, j) < 0) {
                        json_decref(a);
                        return NULL;
                }
        }
        return a;
}

/* ---- reading back ---- */

typedef struct SessionRecord {
        Session session;
        char *kind, *unit;
        uint64_t pid;
        json_t *login_session;
} SessionRecord;

static int record_parse(const json_t *object, SessionRecord *ret) {
        static const JsonField table[] = {
                {"kind", JSON_FIELD_STRING, offsetof(SessionRecord, kind), 16, 0},
                {"service", JSON_FIELD_STRING, offsetof(SessionRecord, session.service), 255, JSON_REQUIRED},
                {"rhost", JSON_FIELD_STRING, offsetof(SessionRecord, session.rhost), 255, 0},
                {"tty", JSON_FIELD_STRING, offsetof(SessionRecord, session.tty), 255, 0},
                {"target", JSON_FIELD_STRING, offsetof(SessionRecord, session.target), 255, 0},
                {"id", JSON_FIELD_STRING, offsetof(SessionRecord, session.logind_id), 255, 0},
                {"unit", JSON_FIELD_STRING, offsetof(SessionRecord, unit), 255, 0}, /* its name follows from id and pid */
                {"loginSession", JSON_FIELD_OBJECT, offsetof(SessionRecord, login_session), 0, 0},
                {"pid", JSON_FIELD_UINT, offsetof(SessionRecord, pid), INT32_MAX, JSON_REQUIRED},
                {"pidStart", JSON_FIELD_UINT, offsetof(SessionRecord, session.pid_start), INT64_MAX, JSON_REQUIRED},
                {"from", JSON_FIELD_UINT, offsetof(SessionRecord, session.from_usec), INT64_MAX, 0},
                {"to", JSON_FIELD_UINT, offsetof(SessionRecord, session.to_usec), INT64_MAX, 0},
                {},
        };
        int r = json_dispatch(object, table, ret, NULL);

        if (r < 0)
                return r;
        ret->session.pid = (pid_t) ret->pid;
        if (!ret->kind) /* as it was written when there was but one */
                return 0;
        for (size_t k = 0; k < ELEMENTSOF(kind_names); k++)
                if (streq(ret->kind, kind_names[k])) {
                        ret->session.kind = (SessionKind) k;
                        return 0;
                }
        return -EBADMSG;
}

static void free_strings(Session *s) {
        free(s->service);
        free(s->rhost);
        free(s->tty);
        free(s->target);
        free(s->logind_id);
}

static int session_from_json(Grant *g, const json_t *object, bool live, Session **ret) {
        SessionRecord rec = {};
        Session *s;
        int r = record_parse(object, &rec);

        s = r < 0 ? NULL : session_new(g);
        if (s) {
                *s = rec.session;
                s->grant = g;
                if (live && s->kind != SESSION_LOGIN)
                        s->from_record = take_ptr(rec.login_session);
                *ret = s;
        } else
                free_strings(&rec.session);
        free(rec.kind);
        free(rec.unit);
        json_decref(rec.login_session);
        return r < 0 ? r : s ? 0 : -ENOMEM;
}

int sessions_from_record(Grant *g, const json_t *array, bool live, Session **ret_first) {
        Session **end = ret_first;
        const json_t *object;
        size_t i;

        json_array_foreach((json_t *) array, i, object) {
                int r = session_from_json(g, object, live, end);
                if (r < 0)
                        return r;
                end = &(*end)->next;
        }
        return 0;
}
