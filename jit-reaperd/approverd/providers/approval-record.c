/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>

#include "approval-record.h"
#include "approval-text.h"
#include "config.h"
#include "json.h"
#include "strv.h"

enum {
        TIME_LENGTH_MAX = TIME_TEXT_MAX - 1,
        HOST_LENGTH_MAX = 253,
        KEY_LENGTH_MAX = 4096,
        BY_ELEMENTS_MAX = 256, /* of approvers and invalid, before the same ones are counted once */
        CODE_LENGTH_MAX = 40,
};

#define AT(member) offsetof(ApprovalRecord, member)

static const JsonField record_fields[] = {
                {"ticket", JSON_FIELD_STRING, AT(ticket), TICKET_ID_MAX, JSON_REQUIRED},
                {"state", JSON_FIELD_STRING, AT(state), 16, JSON_REQUIRED},
                {"title", JSON_FIELD_STRING, AT(title), TICKET_TITLE_MAX, JSON_REQUIRED},
                {"requesters", JSON_FIELD_STRV, AT(requesters), PERSON_NAME_MAX, JSON_REQUIRED},
                {"approvers", JSON_FIELD_ARRAY, AT(approvers), 0, JSON_REQUIRED},
                {"invalid", JSON_FIELD_ARRAY, AT(invalid), 0, 0},
                {"hosts", JSON_FIELD_STRV, AT(hosts), HOST_LENGTH_MAX, JSON_REQUIRED},
                {"role", JSON_FIELD_STRING, AT(role), ROLE_NAME_MAX, JSON_REQUIRED},
                {"not_before", JSON_FIELD_STRING, AT(not_before), TIME_LENGTH_MAX, JSON_REQUIRED},
                {"not_after", JSON_FIELD_STRING, AT(not_after), TIME_LENGTH_MAX, JSON_REQUIRED},
                {"reason", JSON_FIELD_STRING, AT(reason), TICKET_REASON_MAX, JSON_REQUIRED},
                {"commands", JSON_FIELD_STRV, AT(commands), TICKET_COMMAND_MAX, 0},
                {"ssh_keys", JSON_FIELD_STRV, AT(ssh_keys), KEY_LENGTH_MAX, 0},
                {"emergency", JSON_FIELD_BOOL, AT(approval.emergency), 0, 0},
                {"may_approve", JSON_FIELD_STRV, AT(may_approve), PERSON_NAME_MAX, 0},
                {"state_by", JSON_FIELD_STRING, AT(state_by), PERSON_NAME_MAX, 0},
                {"state_at", JSON_FIELD_STRING, AT(state_at), TIME_LENGTH_MAX, 0},
                {"state_reason", JSON_FIELD_STRING, AT(state_reason), TICKET_REASON_MAX, 0},
                {0},
};

typedef struct RawBy {
        char *name, *at, *reason;
} RawBy;

/* What does not count has its reason. */
static const JsonField approver_fields[] = {
                {"name", JSON_FIELD_STRING, offsetof(RawBy, name), PERSON_NAME_MAX, JSON_REQUIRED},
                {"at", JSON_FIELD_STRING, offsetof(RawBy, at), TIME_LENGTH_MAX, 0},
                {0},
};
static const JsonField invalid_fields[] = {
                {"name", JSON_FIELD_STRING, offsetof(RawBy, name), PERSON_NAME_MAX, JSON_REQUIRED},
                {"at", JSON_FIELD_STRING, offsetof(RawBy, at), TIME_LENGTH_MAX, 0},
                {"reason", JSON_FIELD_STRING, offsetof(RawBy, reason), CODE_LENGTH_MAX, JSON_REQUIRED},
                {0},
};

static int fault(char *ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fault(char *ret_why, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(ret_why, APPROVAL_WHY_MAX, format, ap);
        va_end(ap);
        return -EBADMSG;
}

/* ---- members ---- */

static int object_clean(const json_t *object, json_t **ret) {
        static const struct {
                const char *name;
                size_t max;
        } texts[] = {{"title", TICKET_TITLE_MAX}, {"reason", TICKET_REASON_MAX}, {"state_reason", TICKET_REASON_MAX}};
        _cleanup_json_ json_t *copy = json_copy((json_t *) object);

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                const json_t *text = json_object_get(object, texts[i].name);
                if (json_is_string(text) &&
                    json_object_set_new(copy, texts[i].name,
                                        approval_text_clean(json_string_value(text), json_string_length(text),
                                                            texts[i].max)) < 0)
                        return -ENOMEM;
        }
        *ret = take_ptr(copy);
        return 0;
}

static int dispatch_fault(int error, const char *name, const JsonField *table, char *ret_why) {
        const JsonField *f = table;

        if (error == -ENOMEM)
                return error;
        while (f->name && !(name && streq(f->name, name)))
                f++;
        if (!f->name) /* a name of somebody's choice is not for the journal */
                return fault(ret_why, "there is a member that an approval does not have");
        if (error == -ENODATA)
                return fault(ret_why, "\"%s\" is missing", f->name);
        if (error == -ERANGE)
                return fault(ret_why, "\"%s\" is too long, or has too many elements", f->name);
        return fault(ret_why, "\"%s\" is not of the right type, or has control characters", f->name);
}

/* In place: each string once, the first one stays. */
static void strv_uniq(char **v) {
        size_t n = 0;

        for (size_t i = 0; v && v[i]; i++) {
                bool again = false;
                for (size_t j = 0; j < n && !again; j++)
                        again = streq(v[j], v[i]);
                if (again)
                        free(v[i]);
                else
                        v[n++] = v[i];
        }
        if (v)
                v[n] = NULL;
}

static int check_names(char **names, bool (*is_valid)(const char *name), const char *member, size_t min, size_t max,
                       char *ret_why) {
        STRV_FOREACH (n, names)
                if (!is_valid(*n))
                        return fault(ret_why, "\"%s\" has a name that is none", member);
        strv_uniq(names);
        if (strv_length(names) < min)
                return fault(ret_why, "\"%s\" is empty", member);
        if (strv_length(names) > max)
                return fault(ret_why, "\"%s\" has more than %zu names", member, max);
        return 0;
}

/* An account of ours is nobody's name. */
static bool requester_is_valid(const char *name) {
        return person_name_is_valid(name) && !account_name_is_ours(name);
}

static bool command_is_valid(const char *command) {
        return sudo_command_is_valid(command, NULL);
}

static int check_lists(ApprovalRecord *r, char *ret_why) {
        int e;

        if ((e = check_names(r->requesters, requester_is_valid, "requesters", 1, TICKET_REQUESTERS_MAX, ret_why)) < 0 ||
            (e = check_names(r->hosts, host_pattern_is_valid, "hosts", 1, SIZE_MAX, ret_why)) < 0 ||
            (e = check_names(r->may_approve, person_name_is_valid, "may_approve", 0, SIZE_MAX, ret_why)) < 0 ||
            (e = check_names(r->commands, command_is_valid, "commands", 0, SIZE_MAX, ret_why)) < 0)
                return e;
        /* An empty list would end up as no list: all of the role's commands instead of none. */
        if (!r->commands && json_is_array(json_object_get(r->object, "commands")))
                return fault(ret_why, "\"commands\" is empty: name some of the role's, or leave the member out");
        return 0;
}

static int check_keys(ApprovalRecord *r, char *ret_why) {
        char key[KEY_LENGTH_MAX];

        STRV_FOREACH (k, r->ssh_keys) {
                if (ssh_key_parse(*k, key, sizeof(key)) < 0)
                        return fault(ret_why, "\"ssh_keys\" has what is no SSH public key (\"type base64 comment\")");
                memcpy(*k, key, strlen(key) + 1); /* never longer than the line */
        }
        strv_uniq(r->ssh_keys);
        if (strv_length(r->ssh_keys) > TICKET_KEYS_MAX)
                return fault(ret_why, "\"ssh_keys\" has more than %d keys", TICKET_KEYS_MAX);
        /* It would open every requester's account: then the receipt could name the wrong person. */
        if (r->ssh_keys && strv_length(r->requesters) > 1)
                return fault(ret_why, "\"ssh_keys\" and several requesters: their keys come from keys.d only");
        return 0;
}

static int check_window(ApprovalRecord *r, char *ret_why) {
        Approval *a = &r->approval;

        if (time_parse_rfc3339_zone(r->not_before, &a->not_before) < 0)
                return fault(ret_why, "\"not_before\" is not a time like 2026-11-22T14:00:00Z or ...+02:00");
        if (time_parse_rfc3339_zone(r->not_after, &a->not_after) < 0)
                return fault(ret_why, "\"not_after\" is not a time like 2026-11-22T14:00:00Z or ...+02:00");
        if (a->not_after <= a->not_before)
                return fault(ret_why, "the window ends before it begins");
        if (a->not_after - a->not_before > TICKET_WINDOW_MAX_USEC)
                return fault(ret_why, "the window is longer than 31 days");
        return 0;
}

static int check_state(ApprovalRecord *r, char *ret_why) {
        static const char *const states[] = {[APPROVAL_PENDING] = "pending",
                                             [APPROVAL_APPROVED] = "approved",
                                             [APPROVAL_DENIED] = "denied",
                                             [APPROVAL_CLOSED] = "closed"};
        Approval *a = &r->approval;
        size_t i = 0;

        while (i < ELEMENTSOF(states) && !streq(states[i], r->state))
                i++;
        if (i == ELEMENTSOF(states))
                return fault(ret_why, "\"state\" is not pending, approved, denied or closed");
        a->state = (ApprovalState) i;
        if (r->state_by && !person_name_is_valid(r->state_by))
                return fault(ret_why, "\"state_by\" is not a person's name");
        if (r->state_at && time_parse_rfc3339_zone(r->state_at, &a->state_at) < 0)
                return fault(ret_why, "\"state_at\" is not a time like 2026-11-22T14:00:00Z or ...+02:00");
        a->state_by = r->state_by;
        a->state_reason = r->state_reason;
        return 0;
}

/* ---- who approved ---- */

static void raw_by_done(RawBy *raw) {
        free(raw->name);
        free(raw->at);
        free(raw->reason);
}

static bool code_is_valid(const char *code) {
        return *code && code[strspn(code, "abcdefghijklmnopqrstuvwxyz-")] == '\0';
}

/* A copy that lives as long as the record, or NULL. */
static const char *keep(ApprovalRecord *r, const char *text) {
        return strv_extend(&r->people, text) < 0 ? NULL : r->people[strv_length(r->people) - 1];
}

static ApprovalBy *find_by(ApprovalBy *by, size_t n, const RawBy *raw) {
        for (size_t i = 0; i < n; i++)
                if (streq(by[i].name, raw->name) && (!raw->reason || streq(by[i].reason, raw->reason)))
                        return by + i;
        return NULL;
}

static int take_by(ApprovalRecord *r, const RawBy *raw, uint64_t at, ApprovalBy *list, size_t *n) {
        ApprovalBy *by = find_by(list, *n, raw);

        if (by) {
                if (at > 0 && (by->at == 0 || at < by->at))
                        by->at = at;
                return 0;
        }
        if (*n == TICKET_APPROVALS_MAX)
                return -ENOSPC;
        list[*n] = (ApprovalBy){.name = keep(r, raw->name), .at = at};
        if (!list[*n].name || (raw->reason && !(list[*n].reason = keep(r, raw->reason))))
                return -ENOMEM;
        (*n)++;
        return 0;
}

static int take_people(ApprovalRecord *r, const json_t *array, const char *member, const JsonField *table,
                       ApprovalBy *list, size_t *n, char *ret_why) {
        if (json_array_size(array) > BY_ELEMENTS_MAX)
                return fault(ret_why, "\"%s\" has too many elements", member);
        for (size_t i = 0; i < json_array_size(array); i++) {
                JIT_CLEANUP(raw_by_done) RawBy raw = {0};
                uint64_t at = 0;
                int e = json_dispatch(json_array_get(array, i), table, &raw, NULL);

                if (e == -ENOMEM)
                        return e;
                if (e < 0)
                        return fault(ret_why, "\"%s\" has what is not {name, at%s}", member,
                                     table == invalid_fields ? ", reason" : "");
                if (!person_name_is_valid(raw.name))
                        return fault(ret_why, "\"%s\" has a name that is none", member);
                if (raw.at && time_parse_rfc3339_zone(raw.at, &at) < 0)
                        return fault(ret_why, "\"%s\" has a time not like 2026-11-22T14:00:00Z or ...+02:00", member);
                if (raw.reason && !code_is_valid(raw.reason))
                        return fault(ret_why, "\"%s\" has a reason that is no code (a-z and '-')", member);
                if ((e = take_by(r, &raw, at, list, n)) == -ENOSPC)
                        return fault(ret_why, "\"%s\" has more than %d people", member, TICKET_APPROVALS_MAX);
                if (e < 0)
                        return e;
        }
        return 0;
}

/* ---- what was approved ---- */

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static json_t *json_from_set(char *const *v) {
        size_t n = strv_length(v);
        _cleanup_free_ char **sorted = calloc(n + 1, sizeof(*sorted));

        if (!sorted)
                return NULL;
        for (size_t i = 0; i < n; i++)
                sorted[i] = v[i];
        qsort(sorted, n, sizeof(*sorted), compare_strings);
        return json_from_strv(sorted);
}

/* reason: whole, before it was cut. Times are instants: the zone in which a system writes them may change. */
static int record_digest(ApprovalRecord *r, const char *key, const json_t *reason) {
        const Approval *a = &r->approval;
        _cleanup_json_ json_t *j =
                        json_pack("{s:s, s:o, s:o, s:s, s:I, s:I, s:O, s:o, s:o, s:b}", "ticket", key, "requesters",
                                  json_from_set(r->requesters), "hosts", json_from_set(r->hosts), "role", r->role,
                                  "not_before", (json_int_t) a->not_before, "not_after", (json_int_t) a->not_after,
                                  "reason", reason, "commands", json_from_set(r->commands), "ssh_keys",
                                  json_from_set(r->ssh_keys), "emergency", (int) a->emergency);
        _cleanup_free_ char *text = j ? json_canonical(j) : NULL;

        return text ? ticket_digest(text, strlen(text), r->digest) : -ENOMEM;
}

static void record_point(ApprovalRecord *r) {
        Approval *a = &r->approval;

        a->ticket = r->ticket;
        a->title = r->title[strspn(r->title, " ")] ? r->title : r->ticket;
        a->role = r->role;
        a->reason = r->reason;
        a->digest = r->digest;
        a->requesters = r->requesters;
        a->hosts = r->hosts;
        a->commands = r->commands;
        a->ssh_keys = r->ssh_keys;
        a->may_approve = r->may_approve;
}

static int record_check(ApprovalRecord *r, const char *ticket, char *ret_why) {
        Approval *a = &r->approval;
        char key[TICKET_ID_MAX + 1];
        int e;

        if (ticket_id_parse(r->ticket, key) < 0 || !streq(key, ticket))
                return fault(ret_why, "\"ticket\" is another one");
        if (!role_name_is_valid(r->role))
                return fault(ret_why, "\"role\" is not a role's name");
        if ((e = check_lists(r, ret_why)) < 0 || (e = check_keys(r, ret_why)) < 0 ||
            (e = check_window(r, ret_why)) < 0 || (e = check_state(r, ret_why)) < 0)
                return e;
        e = take_people(r, r->approvers, "approvers", approver_fields, a->approvers, &a->n_approvers, ret_why);
        if (e < 0)
                return e;
        return take_people(r, r->invalid, "invalid", invalid_fields, a->invalid, &a->n_invalid, ret_why);
}

int approval_record_new(const json_t *object, const char *ticket, ApprovalRecord **ret, char *ret_why) {
        JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *r = NULL;
        const char *name = NULL;
        int e;

        if (!json_is_object(object))
                return fault(ret_why, "the program's output is not an object");
        if (!(r = calloc(1, sizeof(*r))))
                return -ENOMEM;
        r->n_refs = 1;
        if ((e = object_clean(object, &r->object)) < 0)
                return e;
        if ((e = json_dispatch(r->object, record_fields, r, &name)) < 0)
                return dispatch_fault(e, name, record_fields, ret_why);
        if ((e = record_check(r, ticket, ret_why)) < 0)
                return e;
        record_point(r);
        if ((e = record_digest(r, ticket, json_object_get(object, "reason"))) < 0)
                return e;
        *ret = take_ptr(r);
        return 0;
}

ApprovalRecord *approval_record_ref(ApprovalRecord *r) {
        if (r)
                r->n_refs++;
        return r;
}

ApprovalRecord *approval_record_unref(ApprovalRecord *r) {
        if (!r || --r->n_refs > 0)
                return NULL;
        json_decref(r->object);
        json_decref(r->approvers);
        json_decref(r->invalid);
        free(r->ticket);
        free(r->state);
        free(r->title);
        free(r->role);
        free(r->reason);
        free(r->state_by);
        free(r->state_at);
        free(r->state_reason);
        free(r->not_before);
        free(r->not_after);
        strv_free(r->requesters);
        strv_free(r->hosts);
        strv_free(r->commands);
        strv_free(r->ssh_keys);
        strv_free(r->may_approve);
        strv_free(r->people);
        free(r);
        return NULL;
}
