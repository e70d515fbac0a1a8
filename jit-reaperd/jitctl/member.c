/* SPDX-License-Identifier: Apache-2.0 */

#include "cleanup.h"
#include "member.h"

const char *member_text(const json_t *object, const char *name) {
        const char *text = json_string_value(json_object_get(object, name));

        return text && *text ? text : NULL;
}

bool member_uint(const json_t *object, const char *name, uint64_t *ret) {
        const json_t *value = json_object_get(object, name);

        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return false;
        *ret = (uint64_t) json_integer_value(value);
        return true;
}

json_t *member_take(json_t *object, const char *name) {
        json_t *value = json_incref(json_object_get(object, name));

        if (value)
                (void) json_object_del(object, name);
        return value;
}
