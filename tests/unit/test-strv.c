/* SPDX-License-Identifier: Apache-2.0 */
#include "strv.h"
#include "test.h"

TEST(null_is_the_empty_array) {
        CHECK_EQ_INT(strv_length(NULL), 0);
        CHECK(!strv_contains(NULL, ""));
        CHECK(strv_free(NULL) == NULL);
        STRV_FOREACH(s, (char *const *) NULL)
        CHECK(false);
}

TEST(extend_keeps_order_and_copies) {
        _cleanup_strv_ char **v = NULL;
        char word[] = "one";

        CHECK_EQ_INT(strv_extend(&v, word), 0);
        word[0] = 'X';
        CHECK_EQ_INT(strv_extend(&v, ""), 0);
        CHECK_EQ_INT(strv_extend(&v, "one"), 0);
        CHECK_EQ_INT(strv_length(v), 3);
        CHECK_STREQ(v[0], "one");
        CHECK_STREQ(v[1], "");
        CHECK_STREQ(v[2], "one");
        CHECK(v[3] == NULL);
        CHECK(strv_contains(v, ""));
        CHECK(strv_contains(v, "one"));
        CHECK(!strv_contains(v, "on"));
        CHECK(!strv_contains(v, "ones"));
}

TEST(extend_by_an_element_of_itself) {
        _cleanup_strv_ char **v = NULL;

        CHECK_EQ_INT(strv_extend(&v, "self"), 0);
        for (unsigned i = 0; i < 100; i++)
                CHECK_EQ_INT(strv_extend(&v, v[i]), 0);
        CHECK_EQ_INT(strv_length(v), 101);
        CHECK_STREQ(v[100], "self");
}

TEST(foreach_stops_at_null) {
        _cleanup_strv_ char **v = NULL;
        unsigned n = 0;

        CHECK_EQ_INT(strv_extend(&v, "a"), 0);
        CHECK_EQ_INT(strv_extend(&v, "b"), 0);
        STRV_FOREACH(s, v)
        CHECK((*s)[0] == (char) ('a' + (char) n++));
        CHECK_EQ_INT(n, 2);
}

TEST(take_ptr_leaves_null) {
        _cleanup_strv_ char **v = NULL;

        CHECK_EQ_INT(strv_extend(&v, "a"), 0);
        char **taken = take_ptr(v);
        CHECK(v == NULL);
        strv_free(taken);
}

TEST_MAIN
