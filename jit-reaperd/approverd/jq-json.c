/* SPDX-License-Identifier: Apache-2.0 */

#include <math.h>
#include <stdbool.h>

#include "cleanup.h"
#include "jq-json.h"

enum { DEPTH_MAX = 32 }; /* an answer of JSON_DEPTH_MAX, and what the question puts around it */

static int spend(size_t *left, size_t bytes) {
        if (bytes > *left)
                return -EMSGSIZE;
        *left -= bytes;
        return 0;
}

static int value_from_json(const json_t *j, unsigned depth, size_t *left, jv *ret);

static int jv_from_array(const json_t *j, unsigned depth, size_t *left, jv *ret) {
        size_t n = json_array_size(j);
        jv array;
        int r = 0;

        if (n > *left)
                return -EMSGSIZE;
        array = jv_array_sized((int) n);
        for (size_t i = 0; i < n; i++) {
                jv value;
                if ((r = value_from_json(json_array_get(j, i), depth + 1, left, &value)) < 0)
                        break;
                array = jv_array_append(array, value);
        }
        if (r >= 0)
                *ret = array;
        else
                jv_free(array);
        return r;
}

static int jv_from_object(const json_t *j, unsigned depth, size_t *left, jv *ret) {
        jv object = jv_object();
        const char *name;
        json_t *member;
        int r = 0;

        json_object_foreach ((json_t *) j, name, member) {
                jv value;
                if ((r = spend(left, strlen(name) + 3)) < 0 ||
                    (r = value_from_json(member, depth + 1, left, &value)) < 0)
                        break;
                object = jv_object_set(object, jv_string(name), value);
        }
        if (r >= 0)
                *ret = object;
        else
                jv_free(object);
        return r;
}

static int value_from_json(const json_t *j, unsigned depth, size_t *left, jv *ret) {
        if (depth > DEPTH_MAX)
                return -ELOOP;
        if (spend(left, json_is_string(j) ? json_string_length(j) + 3 : 2) < 0)
                return -EMSGSIZE;
        switch (json_typeof(j)) {
        case JSON_OBJECT:
                return jv_from_object(j, depth, left, ret);
        case JSON_ARRAY:
                return jv_from_array(j, depth, left, ret);
        case JSON_STRING:
                *ret = jv_string_sized(json_string_value(j), (int) json_string_length(j));
                return 0;
        case JSON_INTEGER:
                *ret = jv_number((double) json_integer_value(j));
                return 0;
        case JSON_REAL:
                *ret = jv_number(json_real_value(j));
                return 0;
        case JSON_TRUE:
                *ret = jv_true();
                return 0;
        case JSON_FALSE:
                *ret = jv_false();
                return 0;
        default:
                *ret = jv_null();
                return 0;
        }
}

static int json_from_value(jv value, unsigned depth, size_t *left, json_t **ret);

static int json_from_jv_array(jv array, unsigned depth, size_t *left, json_t **ret) {
        _cleanup_json_ json_t *j = json_array();
        int r;

        if (!j)
                return -ENOMEM;
        for (int i = 0, n = jv_array_length(jv_copy(array)); i < n; i++) {
                json_t *member;
                if ((r = json_from_value(jv_array_get(jv_copy(array), i), depth + 1, left, &member)) < 0)
                        return r;
                if (json_array_append_new(j, member) < 0)
                        return -ENOMEM;
        }
        *ret = take_ptr(j);
        return 0;
}

/* Consumes key and value. */
static int take_member(json_t *object, jv key, jv value, unsigned depth, size_t *left) {
        size_t length = (size_t) jv_string_length_bytes(jv_copy(key));
        json_t *member = NULL;
        int r = json_from_value(value, depth + 1, left, &member);

        if (r >= 0)
                r = spend(left, length + 3);
        if (r >= 0 && strlen(jv_string_value(key)) != length)
                r = -EBADMSG; /* a NUL inside: jansson would cut it there */
        if (r >= 0 && json_object_set(object, jv_string_value(key), member) < 0)
                r = -EBADMSG; /* not UTF-8; libjq aborts before memory runs out here */
        json_decref(member);
        jv_free(key);
        return r;
}

static int json_from_jv_object(jv object, unsigned depth, size_t *left, json_t **ret) {
        _cleanup_json_ json_t *j = json_object();
        int r;

        if (!j)
                return -ENOMEM;
        for (int i = jv_object_iter(object); jv_object_iter_valid(object, i); i = jv_object_iter_next(object, i)) {
                r = take_member(j, jv_object_iter_key(object, i), jv_object_iter_value(object, i), depth, left);
                if (r < 0)
                        return r;
        }
        *ret = take_ptr(j);
        return 0;
}

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

/* Whole numbers as far as a double has all of them become integers. JSON has neither infinity nor NaN. */
static int json_from_double(double v, json_t **ret) {
        if (!isfinite(v))
                return -EBADMSG;
        bool whole = fabs(v) <= EXACT_MAX && (double) (json_int_t) v == v;
        *ret = whole ? json_integer((json_int_t) v) : json_real(v);
        return *ret ? 0 : -ENOMEM;
}

static int json_from_jv_string(jv string, size_t *left, json_t **ret) {
        size_t length = (size_t) jv_string_length_bytes(jv_copy(string));

        if (spend(left, length) < 0)
                return -EMSGSIZE;
        *ret = json_stringn(jv_string_value(string), length);
        return *ret ? 0 : -EBADMSG; /* jq can make surrogates, which are no UTF-8 */
}

/* Consumes value. */
static int json_from_value(jv value, unsigned depth, size_t *left, json_t **ret) {
        jv_kind kind = jv_get_kind(value);
        int r = depth > DEPTH_MAX ? -ELOOP : spend(left, 2);

        if (r < 0)
                ;
        else if (kind == JV_KIND_OBJECT)
                r = json_from_jv_object(value, depth, left, ret);
        else if (kind == JV_KIND_ARRAY)
                r = json_from_jv_array(value, depth, left, ret);
        else if (kind == JV_KIND_STRING)
                r = json_from_jv_string(value, left, ret);
        else if (kind == JV_KIND_NUMBER)
                r = json_from_double(jv_number_value(value), ret);
        else
                *ret = kind == JV_KIND_NULL ? json_null() : json_boolean(kind == JV_KIND_TRUE);
        jv_free(value);
        return r;
}

int jv_from_json(const json_t *j, size_t max, jv *ret) {
        return value_from_json(j, 0, &max, ret);
}

int json_from_jv(jv value, size_t max, json_t **ret) {
        return json_from_value(value, 0, &max, ret);
}

/* value: our own reference, and its container's. */
static void reclaim(jv value) {
        jv_kind kind = jv_get_kind(value);

        if (kind == JV_KIND_ARRAY)
                for (int i = 0, n = jv_array_length(jv_copy(value)); i < n; i++)
                        reclaim(jv_array_get(jv_copy(value), i));
        else if (kind == JV_KIND_OBJECT)
                for (int i = jv_object_iter(value); jv_object_iter_valid(value, i); i = jv_object_iter_next(value, i)) {
                        reclaim(jv_object_iter_key(value, i));
                        reclaim(jv_object_iter_value(value, i));
                }
        while (jv_get_refcnt(value) > 2)
                jv_free(value);
        jv_free(value);
}

void jv_reclaim(jv value) {
        reclaim(jv_copy(value));
        jv_free(value);
}
