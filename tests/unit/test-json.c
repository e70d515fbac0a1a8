/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cleanup.h"
#include "json.h"
#include "strv.h"
#include "test.h"

static int parse(const char *text, json_t **ret, char *ret_why) {
        return json_parse_strict(text, strlen(text), JSON_MESSAGE_MAX, ret, ret_why);
}

static json_t *parsed(const char *text) {
        json_t *j = NULL;

        if (parse(text, &j, NULL) != 0)
                TEST_FAIL("refused: %s", text);
        return j;
}

TEST(parse_good) {
        static const char *const good[] = {
                        "{}",
                        " {\n\t} \r\n",
                        "{\"a\":[],\"A\":{}}",
                        "{\"\":0}",
                        "{\"a\":-9223372036854775808}",
                        "{\"a\":9223372036854775807}",
                        "{\"a\":\"\xf0\x9f\x94\x92 \\ud83d\\udd12\"}",
                        "{\"a\":1e3}",
        };

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                json_decref(parsed(good[i]));
}

TEST(parse_refusals) {
        static const char *const bad[] = {
                        "",
                        " ",
                        "[]",
                        "null",
                        "1",
                        "\"a\"",
                        "{",
                        "}",
                        "{}}",
                        "{}{}",
                        "{} x",
                        "{}\n//",
                        "{a:1}",
                        "{'a':1}",
                        "{\"a\":1,}",
                        "{\"a\"}",
                        "{\"a\":}",
                        "{\"a\":01}",
                        "{\"a\":+1}",
                        "{\"a\":.5}",
                        "{\"a\":0x1}",
                        "{\"a\":NaN}",
                        "{\"a\":Infinity}",
                        "{\"a\":True}",
                        "{\"a\":9223372036854775808}",
                        "{\"a\":1e999}",
                        /* twice the same, plain and in disguise */
                        "{\"a\":1,\"a\":1}",
                        "{\"a\":1,\"\\u0061\":2}",
                        "{\"x\":{\"a\":1,\"a\":2}}",
                        "{\"x\":[{\"a\":1,\"a\":2}]}",
                        /* not UTF-8, lone surrogates, overlong, NUL, raw control characters */
                        "{\"a\":\"\xff\"}",
                        "{\"a\":\"\xc0\xaf\"}",
                        "{\"a\":\"\xed\xa0\x80\"}",
                        "{\"a\":\"\\ud800\"}",
                        "{\"a\":\"\\udc00\\ud800\"}",
                        "{\"a\":\"\xe2\x82\"}",
                        "{\"\xff\":1}",
                        "{\"a\":\"\\u0000\"}",
                        "{\"\\u0000\":1}",
                        "{\"a\":\"\n\"}",
                        "{\"a\":\"\x01\"}",
                        "{\"a\":\"\\x\"}",
                        "{\"a\":\"\\u12\"}",
                        "{\"a\":\"",
                        "{\"a\":\"\\",
                        "\xef\xbb\xbf{}",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char why[JSON_WHY_MAX] = "";
                json_t *j = NULL;

                CHECK_EQ_INT(parse(bad[i], &j, why), -EBADMSG);
                CHECK(j == NULL);
                CHECK(why[0] && strlen(why) < JSON_WHY_MAX);
                if (test_failed)
                        fprintf(stderr, "case %zu: %s\n", i, bad[i]);
        }
}

TEST(parse_nul_bytes) {
        json_t *j = NULL;

        CHECK_EQ_INT(json_parse_strict("{}\0", 3, 100, &j, NULL), -EBADMSG);
        CHECK_EQ_INT(json_parse_strict("\0{}", 3, 100, &j, NULL), -EBADMSG);
        CHECK_EQ_INT(json_parse_strict("{\"a\":\"\0\"}", 9, 100, &j, NULL), -EBADMSG);
        CHECK(j == NULL);
}

/* length counts, not a NUL: what is behind is not read. */
TEST(parse_length) {
        json_t *j = NULL;

        CHECK_EQ_INT(json_parse_strict("{} trailing", 2, 2, &j, NULL), 0);
        json_decref(j);
        j = NULL;
        CHECK_EQ_INT(json_parse_strict("{}", 2, 1, &j, NULL), -EMSGSIZE);
        CHECK_EQ_INT(json_parse_strict("", 0, 0, &j, NULL), -EBADMSG);
        CHECK(j == NULL);
}

/* Depth bombs: as arrays and as objects, closed and not; brackets inside strings do not count. */
TEST(parse_depth) {
        char text[8192];

        for (size_t depth = 1; depth < 1000; depth = depth < 40 ? depth + 1 : depth * 3) {
                for (unsigned kind = 0; kind < 4; kind++) {
                        size_t n = 0;
                        json_t *j = NULL;

                        for (size_t i = 0; i < depth; i++)
                                n += (size_t) snprintf(text + n, sizeof(text) - n, "%s",
                                                       i == 0 || kind % 2 ? "{\"a\":" : "[");
                        if (kind < 2) {
                                n += (size_t) snprintf(text + n, sizeof(text) - n, "1");
                                for (size_t i = depth; i > 0; i--)
                                        text[n++] = i == 1 || kind % 2 ? '}' : ']';
                        }
                        CHECK_EQ_INT(json_parse_strict(text, n, sizeof(text), &j, NULL), depth > JSON_DEPTH_MAX ? -ELOOP
                                                                                         : kind < 2             ? 0
                                                                                                    : -EBADMSG);
                        json_decref(j);
                }
        }
        json_decref(parsed("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[{{{{{{{{{{{{{{{{{{{{{{\"}"));
        json_decref(parsed("{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\\"}"));
        json_decref(parsed("{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}"));
}

TEST(canonical) {
        _cleanup_json_ json_t *j =
                        parsed(" { \"b\" : [ 1 , 2 ] , \"a\" : { \"z\":null, \"B\":true }, \"c\":\"\\u00e4\\/\" } ");
        _cleanup_free_ char *text = json_canonical(j);
        _cleanup_json_ json_t *again = NULL;

        CHECK_STREQ(text, "{\"a\":{\"B\":true,\"z\":null},\"b\":[1,2],\"c\":\"\xc3\xa4/\"}");
        CHECK_EQ_INT(parse(text, &again, NULL), 0);
        CHECK(json_equal(j, again));
}

typedef struct Target {
        char *string, *text;
        uint64_t number;
        bool flag;
        char **list;
        json_t *object, *array;
} Target;

static const JsonField table[] = {
                {"string", JSON_FIELD_STRING, offsetof(Target, string), 8, JSON_REQUIRED},
                {"text", JSON_FIELD_TEXT, offsetof(Target, text), 8, 0},
                {"number", JSON_FIELD_UINT, offsetof(Target, number), 100, 0},
                {"flag", JSON_FIELD_BOOL, offsetof(Target, flag), 0, 0},
                {"list", JSON_FIELD_STRV, offsetof(Target, list), 4, 0},
                {"object", JSON_FIELD_OBJECT, offsetof(Target, object), 0, 0},
                {"array", JSON_FIELD_ARRAY, offsetof(Target, array), 0, 0},
                {},
};

static void target_clear(Target *t) {
        free(t->string);
        free(t->text);
        strv_free(t->list);
        json_decref(t->object);
        json_decref(t->array);
        memset(t, 0, sizeof(*t));
}

TEST(dispatch_every_kind) {
        _cleanup_json_ json_t *j = parsed("{\"string\":\"12345678\",\"text\":\"a\\n\\tb\",\"number\":100,\"flag\":true,"
                                          "\"list\":[\"\",\"abcd\"],\"object\":{\"x\":1},\"array\":[1]}");
        Target t = {};
        const char *field = "untouched";

        CHECK_EQ_INT(json_dispatch(j, table, &t, &field), 0);
        CHECK(field == NULL);
        CHECK_STREQ(t.string, "12345678");
        CHECK_STREQ(t.text, "a\n\tb");
        CHECK_EQ_INT(t.number, 100);
        CHECK(t.flag);
        CHECK_EQ_INT(strv_length(t.list), 2);
        CHECK_STREQ(t.list[1], "abcd");
        CHECK_EQ_INT(json_object_size(t.object), 1);
        CHECK_EQ_INT(json_array_size(t.array), 1);
        target_clear(&t);
}

TEST(dispatch_null_is_absent) {
        _cleanup_json_ json_t *j = parsed("{\"string\":\"\",\"text\":null,\"number\":null,\"flag\":null,\"list\":null,"
                                          "\"object\":null,\"array\":null}"),
                              *missing = parsed("{\"string\":null}");
        Target t = {};
        const char *field = NULL;

        CHECK_EQ_INT(json_dispatch(j, table, &t, NULL), 0);
        CHECK_STREQ(t.string, "");
        CHECK(!t.text && !t.list && !t.object && !t.array && !t.flag && t.number == 0);
        target_clear(&t);
        CHECK_EQ_INT(json_dispatch(missing, table, &t, &field), -ENODATA);
        CHECK_STREQ(field, "string");
        target_clear(&t);
}

TEST(dispatch_refusals) {
        static const struct {
                const char *text;
                int error;
                const char *field;
        } bad[] = {
                        {"{}", -ENODATA, "string"},
                        {"{\"string\":\"a\",\"other\":1}", -EBADMSG, "other"},
                        {"{\"string\":\"a\",\"other\":null}", -EBADMSG, "other"},
                        {"{\"String\":\"a\"}", -EBADMSG, "String"},
                        {"{\"string\":1}", -EBADMSG, "string"},
                        {"{\"string\":[\"a\"]}", -EBADMSG, "string"},
                        {"{\"string\":\"123456789\"}", -ERANGE, "string"},
                        {"{\"string\":\"\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\"}", -ERANGE, "string"}, /* bytes count */
                        {"{\"string\":\"a\\nb\"}", -EBADMSG, "string"},
                        {"{\"string\":\"a\\tb\"}", -EBADMSG, "string"},
                        {"{\"string\":\"\\u001b[m\"}", -EBADMSG, "string"},
                        {"{\"string\":\"\\u007f\"}", -EBADMSG, "string"},
                        {"{\"string\":\"\\u009b1m\"}", -EBADMSG, "string"}, /* CSI in one character */
                        {"{\"string\":\"a\",\"text\":\"a\\rb\"}", -EBADMSG, "text"},
                        {"{\"string\":\"a\",\"text\":\"\\u0085\"}", -EBADMSG, "text"},
                        {"{\"string\":\"a\",\"number\":-1}", -ERANGE, "number"},
                        {"{\"string\":\"a\",\"number\":101}", -ERANGE, "number"},
                        {"{\"string\":\"a\",\"number\":1.0}", -EBADMSG, "number"},
                        {"{\"string\":\"a\",\"number\":\"1\"}", -EBADMSG, "number"},
                        {"{\"string\":\"a\",\"number\":true}", -EBADMSG, "number"},
                        {"{\"string\":\"a\",\"flag\":1}", -EBADMSG, "flag"},
                        {"{\"string\":\"a\",\"flag\":\"true\"}", -EBADMSG, "flag"},
                        {"{\"string\":\"a\",\"list\":\"a\"}", -EBADMSG, "list"},
                        {"{\"string\":\"a\",\"list\":[1]}", -EBADMSG, "list"},
                        {"{\"string\":\"a\",\"list\":[null]}", -EBADMSG, "list"},
                        {"{\"string\":\"a\",\"list\":[\"ok\",\"12345\"]}", -ERANGE, "list"},
                        {"{\"string\":\"a\",\"list\":[\"ok\",\"\\n\"]}", -EBADMSG, "list"},
                        {"{\"string\":\"a\",\"object\":[]}", -EBADMSG, "object"},
                        {"{\"string\":\"a\",\"array\":{}}", -EBADMSG, "array"},
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                _cleanup_json_ json_t *j = parsed(bad[i].text);
                Target t = {};
                const char *field = NULL;

                CHECK_EQ_INT(json_dispatch(j, table, &t, &field), bad[i].error);
                CHECK_STREQ(field, bad[i].field);
                target_clear(&t);
        }
}

TEST(dispatch_list_length) {
        _cleanup_json_ json_t *j = parsed("{\"string\":\"\",\"list\":[]}");
        Target t = {};

        for (unsigned i = 0; i < 64; i++)
                CHECK_EQ_INT(json_array_append_new(json_object_get(j, "list"), json_string("x")), 0);
        CHECK_EQ_INT(json_dispatch(j, table, &t, NULL), 0);
        CHECK_EQ_INT(strv_length(t.list), 64);
        target_clear(&t);
        CHECK_EQ_INT(json_array_append_new(json_object_get(j, "list"), json_string("x")), 0);
        CHECK_EQ_INT(json_dispatch(j, table, &t, NULL), -ERANGE);
        target_clear(&t);
}

TEST(dispatch_takes_objects_only) {
        _cleanup_json_ json_t *array = json_array();
        Target t = {};

        CHECK_EQ_INT(json_dispatch(array, table, &t, NULL), -EBADMSG);
        CHECK_EQ_INT(json_dispatch(NULL, table, &t, NULL), -EBADMSG);
        target_clear(&t);
}

TEST(builders) {
        _cleanup_strv_ char **v = NULL;
        _cleanup_json_ json_t *o = json_object(), *empty = json_from_strv(NULL);

        CHECK_EQ_INT(json_array_size(empty), 0);
        CHECK_EQ_INT(strv_extend(&v, "a"), 0);
        CHECK_EQ_INT(json_set_opt(o, "list", json_from_strv(v)), 0);
        CHECK_EQ_INT(json_set_opt(o, "none", NULL), 0);
        CHECK_EQ_INT(json_set_str(o, "text", "x"), 0);
        CHECK_EQ_INT(json_set_str(o, "nothing", NULL), 0);
        CHECK_EQ_INT(json_set_uint(o, "n", 1795356000123456), 0);
        _cleanup_free_ char *text = json_canonical(o);
        CHECK_STREQ(text, "{\"list\":[\"a\"],\"n\":1795356000123456,\"text\":\"x\"}");
        /* A text that is not UTF-8 is an error, not a hole in the answer. */
        CHECK_EQ_INT(json_set_str(o, "bad", "\xff"), -ENOMEM);
}

TEST_MAIN
