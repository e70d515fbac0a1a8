/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_JSON_H
#define JIT_JSON_H

/* JSON from outside: capped, strict, and put into a struct once by a table. jansson does the parsing.
 *
 * MUST: every byte that another process sent goes through json_parse_strict() and json_dispatch().
 * MUST NOT: reach into a json_t that was not dispatched. */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum {
        JSON_MESSAGE_MAX = 256 * 1024, /* bytes of one Varlink message */
        JSON_DEPTH_MAX = 16,           /* nested arrays and objects */
};

/* One JSON object of at most max bytes and JSON_DEPTH_MAX levels, UTF-8, no duplicate keys, no NUL, nothing behind it.
 * -EMSGSIZE (too long), -ELOOP (too deep), -EBADMSG (anything else). ret_why, if given, gets a sentence with the place
 * (static storage of the caller, at least JSON_WHY_MAX bytes). */
enum { JSON_WHY_MAX = 192 };
int json_parse_strict(const char *text, size_t length, size_t max, json_t **ret, char *ret_why);

/* RFC 8785 for the subset we use (ASCII member names, integers, no floats): sorted, compact. Free with free(). */
char *json_canonical(const json_t *j);

typedef enum JsonKind {
        JSON_FIELD_STRING, /* char *, on the heap, at most max bytes, no control characters */
        JSON_FIELD_TEXT,   /* as STRING, but newline and tab are allowed */
        JSON_FIELD_UINT,   /* uint64_t, at most max */
        JSON_FIELD_BOOL,   /* bool */
        JSON_FIELD_STRV,   /* char **, at most 64 strings of at most max bytes, no control characters */
        JSON_FIELD_OBJECT, /* json_t *, a new reference; the caller dispatches it in turn */
        JSON_FIELD_ARRAY,  /* json_t *, a new reference */
} JsonKind;

enum { JSON_REQUIRED = 1 };

typedef struct JsonField {
        const char *name;
        JsonKind kind;
        size_t offset; /* of the member in the target struct, which starts zeroed */
        uint64_t max;
        unsigned flags;
} JsonField;

/* Fills target by the table, which ends with a NULL name. A member that the table does not name is refused: -EBADMSG for
 * that and for a wrong type, -ERANGE for too long or too large, -ENODATA for a required one that is missing. ret_field, if
 * given, gets the name at fault (points into object or table). JSON null counts as absent. The caller frees target's
 * members in every case. */
int json_dispatch(const json_t *object, const JsonField *table, void *target, const char **ret_field);

/* Builders for answers: NULL strings and arrays become JSON null / are left out, never an error later. */
json_t *json_from_strv(char *const *v);
/* Sets name to value if value is not NULL; steals value; 0 or -ENOMEM. */
int json_set_opt(json_t *object, const char *name, json_t *value);
int json_set_str(json_t *object, const char *name, const char *value); /* NULL value: left out */
int json_set_uint(json_t *object, const char *name, uint64_t value);

#endif
