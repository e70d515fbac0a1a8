/* SPDX-License-Identifier: Apache-2.0 */

#include "timefmt.h"
#include "tree.h"

bool tree_usec(const json_t *j, uint64_t *ret) {
        if (json_is_string(j))
                return time_parse_rfc3339(json_string_value(j), ret) >= 0;
        if (!json_is_integer(j) || json_integer_value(j) < 0)
                return false;
        *ret = (uint64_t) json_integer_value(j);
        return true;
}

static bool name_is(const char *name, const char *const *names) {
        const char *dot = strrchr(name, '.');

        for (size_t i = 0; names[i]; i++)
                if (streq(dot ? dot + 1 : name, names[i]))
                        return true;
        return false;
}

static void show_integer(Table *t, const char *name, json_int_t value) {
        static const char *const times[] = {"notBefore", "notAfter",        "since",          "until", "now",
                                            "at",        "not_before_usec", "not_after_usec", NULL};
        static const char *const spans[] = {"ttlUSec", "ttl_usec", "idle_usec", "recheckUSec", "graceUSec", NULL};
        char text[TIME_TEXT_MAX];

        if (value >= 0 && name_is(name, times))
                table_pair(t, name, time_format_rfc3339((uint64_t) value, text), COLOR_NONE);
        else if (value >= 0 && name_is(name, spans))
                table_pair(t, name, time_format_span((uint64_t) value, text), COLOR_NONE);
        else
                table_pairf(t, name, COLOR_NONE, "%" JSON_INTEGER_FORMAT, value);
}

/* The depth is json_parse_strict()'s, at most JSON_DEPTH_MAX. */
void tree_show(Table *t, const char *name, const json_t *j) {
        const char *member;
        json_t *value;
        size_t i;

        if (json_is_string(j))
                table_pair(t, name, json_string_value(j), COLOR_NONE);
        else if (json_is_integer(j))
                show_integer(t, name, json_integer_value(j));
        else if (json_is_real(j))
                table_pairf(t, name, COLOR_NONE, "%g", json_real_value(j));
        else if (json_is_boolean(j))
                table_pair(t, name, json_is_true(j) ? "yes" : "no", COLOR_NONE);
        json_array_foreach ((json_t *) j, i, value) {
                tree_show(t, i == 0 || json_is_object(value) ? name : "", value);
        }
        json_object_foreach ((json_t *) j, member, value) {
                _cleanup_free_ char *path = NULL;

                if (asprintf(&path, "%s%s%s", name, *name ? "." : "", member) < 0) {
                        path = NULL;
                        continue; /* without memory table_print() will fail as well */
                }
                tree_show(t, path, value);
        }
}
