/* SPDX-License-Identifier: Apache-2.0 */

#include <locale.h>

#include "strv.h"
#include "table.h"
#include "test.h"

static char *print(const Table *t, bool colors) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        CHECK_EQ_INT(table_print(t, f, colors), 0);
        (void) fclose(f);
        return text;
}

TEST(columns_are_aligned_without_trailing_blanks) {
        static const char *const header[] = {"A", "SESSIONS", "END", NULL};
        JIT_CLEANUP(table_freep) Table *t = table_new(header);
        _cleanup_free_ char *text = NULL;

        table_cell(t, "jit-chg1", COLOR_NONE);
        table_cell_number(t, 2);
        table_cell(t, "now", COLOR_NONE);
        table_cell(t, NULL, COLOR_NONE);
        table_cell_number(t, 10);
        table_cell(t, "", COLOR_NONE);
        text = print(t, false);
        CHECK_STREQ(text, "A         SESSIONS  END\n"
                          "jit-chg1         2  now\n"
                          "-               10  -\n");
}

TEST(width_is_counted_in_columns) {
        static const char *const header[] = {"N", "X", NULL};
        JIT_CLEANUP(table_freep) Table *t = table_new(header);
        _cleanup_free_ char *text = NULL;

        (void) setlocale(LC_CTYPE, "C.UTF-8");
        table_cell(t, "Jürgen", COLOR_NONE); /* 6 columns, 7 bytes */
        table_cell(t, "1", COLOR_NONE);
        table_cell(t, "日本", COLOR_NONE); /* 4 columns, 6 bytes */
        table_cell(t, "2", COLOR_NONE);
        table_cell(t, "e\xcc\x81", COLOR_NONE); /* with a combining accent: 1 column */
        table_cell(t, "3", COLOR_NONE);
        text = print(t, false);
        CHECK_STREQ(text, "N       X\n"
                          "Jürgen  1\n"
                          "日本    2\n"
                          "e\xcc\x81       3\n");
}

TEST(text_of_others_cannot_steer_the_terminal) {
        static const char *const header[] = {"T", NULL};
        JIT_CLEANUP(table_freep) Table *t = table_new(header);
        _cleanup_free_ char *text = NULL;

        table_cell(t,
                   "\x1b]0;title\x07\xc2\x9b"
                   "2J\r\nrow",
                   COLOR_NONE);
        text = print(t, false);
        CHECK_STREQ(text, "T\n\\x1b]0;title\\x07\\u{9b}2J\\x0d\\nrow\n");
}

TEST(pairs_leave_out_what_is_empty_and_go_on_below) {
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
        _cleanup_strv_ char **list = NULL;
        _cleanup_free_ char *text = NULL;

        CHECK_EQ_INT(strv_extend(&list, "alice"), 0);
        CHECK_EQ_INT(strv_extend(&list, "bob"), 0);
        table_pair(t, "Ticket", "CHG1", COLOR_NONE);
        table_pair(t, "Nothing", NULL, COLOR_NONE);
        table_pair(t, "Nothing", "", COLOR_NONE);
        table_pair(t, "Reason", "one\ntwo", COLOR_NONE);
        table_pair_strv(t, "People", list);
        table_pair_strv(t, "Nobody", NULL);
        table_pairf(t, "N", COLOR_NONE, "%d of %d", 1, 2);
        text = print(t, false);
        CHECK_STREQ(text, "Ticket  CHG1\n"
                          "Reason  one\n"
                          "        two\n"
                          "People  alice, bob\n"
                          "N       1 of 2\n");
}

TEST(colors_do_not_count_as_width) {
        static const char *const header[] = {"S", "X", NULL};
        JIT_CLEANUP(table_freep) Table *t = table_new(header);
        _cleanup_free_ char *text = NULL;

        table_cell(t, "active", COLOR_GOOD);
        table_cell(t, "1", COLOR_NONE);
        text = print(t, true);
        CHECK_STREQ(text, "\x1b[1mS\x1b[0m       \x1b[1mX\x1b[0m\n"
                          "\x1b[32mactive\x1b[0m  1\n");
}

TEST(colors_only_where_wanted) {
        FILE *f = tmpfile();

        CHECK(f && !color_wanted(f, false));
        CHECK(f && !color_wanted(f, true));
        if (f)
                (void) fclose(f);
}

TEST_MAIN
