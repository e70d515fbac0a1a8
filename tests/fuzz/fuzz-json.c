/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

typedef struct Target {
        char *string, *text;
        uint64_t number;
        bool flag;
        char **list;
        json_t *object, *array;
} Target;

static const JsonField table[] = {
                {"s", JSON_FIELD_STRING, offsetof(Target, string), 16, JSON_REQUIRED},
                {"t", JSON_FIELD_TEXT, offsetof(Target, text), 16, 0},
                {"n", JSON_FIELD_UINT, offsetof(Target, number), 1000, 0},
                {"b", JSON_FIELD_BOOL, offsetof(Target, flag), 0, 0},
                {"l", JSON_FIELD_STRV, offsetof(Target, list), 8, 0},
                {"o", JSON_FIELD_OBJECT, offsetof(Target, object), 0, 0},
                {"a", JSON_FIELD_ARRAY, offsetof(Target, array), 0, 0},
                {},
};

static void check_dispatch(const json_t *j) {
        Target t = {};
        const char *field = NULL;

        if (json_dispatch(j, table, &t, &field) == 0) {
                require(t.string && strlen(t.string) <= 16 && !strpbrk(t.string, "\n\t\r\x1b\x7f"));
                require(!t.text || (strlen(t.text) <= 16 && !strpbrk(t.text, "\r\x1b\x7f")));
                require(t.number <= 1000 && strv_length(t.list) <= 64);
                STRV_FOREACH(s, t.list)
                require(strlen(*s) <= 8 && !strpbrk(*s, "\n\t\r\x1b\x7f"));
                require(!t.object || json_is_object(t.object));
                require(!t.array || json_is_array(t.array));
        } else
                require(field != NULL);
        free(t.string);
        free(t.text);
        strv_free(t.list);
        json_decref(t.object);
        json_decref(t.array);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char why[JSON_WHY_MAX] = "";
        json_t *j = NULL, *again = NULL;

        if (json_parse_strict((const char *) data, size, 65536, &j, why) < 0) {
                require(!j && why[0] && memchr(why, '\0', sizeof(why)));
                return 0;
        }

        char *text = json_canonical(j);
        if (text) { /* its canonical text means the same, and is its own canonical text */
                require(json_parse_strict(text, strlen(text), 16 * 65536, &again, why) == 0);
                char *text_again = json_canonical(again);
                require(text_again && strcmp(text, text_again) == 0);
                free(text_again);
        }
        check_dispatch(j);
        free(text);
        json_decref(again);
        json_decref(j);
        return 0;
}
