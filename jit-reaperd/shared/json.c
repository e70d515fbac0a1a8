/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>

#include "cleanup.h"
#include "json.h"
#include "strv.h"

/* jansson allows 2048 levels, each some stack: count them before it recurses. */
static int check_depth(const char *text, size_t length) {
        size_t depth = 0;
        bool in_string = false;

        for (size_t i = 0; i < length; i++) {
                char c = text[i];
                if (in_string) {
                        if (c == '\\')
                                i++;
                        else if (c == '"')
                                in_string = false;
                } else if (c == '"')
                        in_string = true;
                else if (c == '{' || c == '[') {
                        if (++depth > JSON_DEPTH_MAX)
                                return -ELOOP;
                } else if ((c == '}' || c == ']') && depth > 0)
                        depth--;
        }
        return 0;
}

static int parse_fail(int error, char *ret_why, const char *why) {
        if (ret_why)
                (void) snprintf(ret_why, JSON_WHY_MAX, "%s", why);
        return error;
}

int json_parse_strict(const char *text, size_t length, size_t max, json_t **ret, char *ret_why) {
        json_error_t error;
        json_t *j;

        if (length > max)
                return parse_fail(-EMSGSIZE, ret_why, "longer than is allowed");
        if (memchr(text, 0, length))
                return parse_fail(-EBADMSG, ret_why, "a NUL byte inside");
        if (check_depth(text, length) < 0)
                return parse_fail(-ELOOP, ret_why, "nested deeper than is allowed");
        j = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
        if (!j) {
                if (ret_why)
                        (void) snprintf(ret_why, JSON_WHY_MAX, "line %d, column %d: %.120s", error.line, error.column,
                                        error.text);
                return -EBADMSG;
        }
        if (!json_is_object(j)) {
                json_decref(j);
                return parse_fail(-EBADMSG, ret_why, "not a JSON object");
        }
        *ret = j;
        return 0;
}

char *json_canonical(const json_t *j) {
        return json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
}

/* C0 and DEL, and C1 (U+0080 to U+009F, 0xC2 0x80 to 0xC2 0x9F in UTF-8), which terminals obey too. */
static bool text_is_clean(const char *s, bool multiline) {
        for (const unsigned char *p = (const unsigned char *) s; *p; p++) {
                if ((*p < 0x20 && !(multiline && (*p == '\n' || *p == '\t'))) || *p == 0x7f)
                        return false;
                if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
                        return false;
        }
        return true;
}

static int string_from_json(const json_t *value, uint64_t max, bool multiline, char **ret) {
        char *copy;

        if (!json_is_string(value))
                return -EBADMSG;
        if (json_string_length(value) > max)
                return -ERANGE;
        if (strlen(json_string_value(value)) != json_string_length(value) ||
            !text_is_clean(json_string_value(value), multiline))
                return -EBADMSG;
        copy = strdup(json_string_value(value));
        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

static int strv_from_json(const json_t *value, uint64_t max, char ***ret) {
        _cleanup_strv_ char **v = NULL;

        if (!json_is_array(value))
                return -EBADMSG;
        if (json_array_size(value) > 64)
                return -ERANGE;
        for (size_t i = 0; i < json_array_size(value); i++) {
                _cleanup_free_ char *s = NULL;
                int r = string_from_json(json_array_get(value, i), max, false, &s);
                if (r < 0)
                        return r;
                r = strv_extend(&v, s);
                if (r < 0)
                        return r;
        }
        strv_free(*ret);
        *ret = take_ptr(v);
        return 0;
}

static int uint_from_json(const json_t *value, uint64_t max, uint64_t *ret) {
        if (!json_is_integer(value))
                return -EBADMSG;
        if (json_integer_value(value) < 0 || (uint64_t) json_integer_value(value) > max)
                return -ERANGE;
        *ret = (uint64_t) json_integer_value(value);
        return 0;
}

static int json_ref_from_json(json_t *value, bool is_right_type, json_t **ret) {
        if (!is_right_type)
                return -EBADMSG;
        json_decref(*ret);
        *ret = json_incref(value);
        return 0;
}

static int dispatch_field(const JsonField *f, json_t *value, void *target) {
        void *member = (char *) target + f->offset;

        switch (f->kind) {
        case JSON_FIELD_STRING:
                return string_from_json(value, f->max, false, member);
        case JSON_FIELD_TEXT:
                return string_from_json(value, f->max, true, member);
        case JSON_FIELD_UINT:
                return uint_from_json(value, f->max, member);
        case JSON_FIELD_BOOL:
                if (!json_is_boolean(value))
                        return -EBADMSG;
                *(bool *) member = json_is_true(value);
                return 0;
        case JSON_FIELD_STRV:
                return strv_from_json(value, f->max, member);
        case JSON_FIELD_OBJECT:
                return json_ref_from_json(value, json_is_object(value), member);
        case JSON_FIELD_ARRAY:
                return json_ref_from_json(value, json_is_array(value), member);
        }
        return -EINVAL;
}

static const JsonField *find_field(const JsonField *table, const char *name) {
        for (const JsonField *f = table; f->name; f++)
                if (streq(f->name, name))
                        return f;
        return NULL;
}

int json_dispatch(const json_t *object, const JsonField *table, void *target, const char **ret_field) {
        const char *name, *ignored;
        json_t *value;

        if (!ret_field)
                ret_field = &ignored;
        *ret_field = "";
        if (!json_is_object(object))
                return -EBADMSG;
        json_object_foreach((json_t *) object, name, value) {
                const JsonField *f = find_field(table, name);
                int r;

                *ret_field = name;
                if (!f)
                        return -EBADMSG;
                if (json_is_null(value))
                        continue;
                r = dispatch_field(f, value, target);
                if (r < 0)
                        return r;
        }
        for (const JsonField *f = table; f->name; f++)
                if (f->flags & JSON_REQUIRED) {
                        const json_t *v = json_object_get(object, f->name);
                        *ret_field = f->name;
                        if (!v || json_is_null(v))
                                return -ENODATA;
                }
        *ret_field = NULL;
        return 0;
}

json_t *json_from_strv(char *const *v) {
        json_t *a = json_array();

        if (!a)
                return NULL;
        STRV_FOREACH(s, v)
                if (json_array_append_new(a, json_string(*s)) < 0) {
                        json_decref(a);
                        return NULL;
                }
        return a;
}

int json_set_opt(json_t *object, const char *name, json_t *value) {
        if (!value)
                return 0;
        return json_object_set_new(object, name, value) < 0 ? -ENOMEM : 0;
}

int json_set_str(json_t *object, const char *name, const char *value) {
        if (!value)
                return 0;
        return json_object_set_new(object, name, json_string(value)) < 0 ? -ENOMEM : 0;
}

int json_set_uint(json_t *object, const char *name, uint64_t value) {
        return json_object_set_new(object, name, json_integer((json_int_t) value)) < 0 ? -ENOMEM : 0;
}
