/* SPDX-License-Identifier: Apache-2.0 */

#include <locale.h>

#include "cleanup.h"
#include "test.h"
#include "text.h"

static void check_escape(const char *text, const char *expected) {
        _cleanup_free_ char *escaped = text_escape(text);

        CHECK_STREQ(escaped, expected);
}

TEST(plain_text_stays) {
        check_escape(NULL, "");
        check_escape("", "");
        check_escape("restart postgres", "restart postgres");
        check_escape("C:\\x1b", "C:\\x1b");
        check_escape("Jürgen 日本 😀", "Jürgen 日本 😀");
}

TEST(controls_are_shown) {
        check_escape("a\nb\tc", "a\\nb\\tc");
        check_escape("\x1b[31mred", "\\x1b[31mred");
        check_escape("\x01\x7f", "\\x01\\x7f");
        check_escape("\xc2\x9b"
                     "31m",
                     "\\u{9b}31m");                         /* CSI as one character */
        check_escape("\xc2\x80\xc2\x9f", "\\u{80}\\u{9f}"); /* the first and last of C1 */
        check_escape("\xc2\xa0", "\xc2\xa0");
}

TEST(what_turns_the_reading_order_is_shown) {
        check_escape("a\xe2\x80\xae"
                     "b",
                     "a\\u{202e}b");
        check_escape("\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}");
        check_escape("\xe2\x80\xa8", "\\u{2028}");
        check_escape("\xe2\x80\x8f", "\\u{200f}");
        check_escape("\xef\xbb\xbf", "\\u{feff}");
}

TEST(bytes_that_are_not_utf8_are_shown) {
        check_escape("\xff\xfe", "\\xff\\xfe");
        check_escape("\x9b"
                     "31m",
                     "\\x9b31m");
        check_escape("\xc3", "\\xc3");                   /* cut */
        check_escape("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
        check_escape("\xe0\x80\x9b", "\\xe0\\x80\\x9b"); /* overlong C1 */
        check_escape("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
        check_escape("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
        check_escape("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
}

TEST(widths) {
        (void) setlocale(LC_CTYPE, "C.UTF-8");
        CHECK_EQ_INT(text_width(""), 0);
        CHECK_EQ_INT(text_width("abc"), 3);
        CHECK_EQ_INT(text_width("ü"), 1);
        CHECK_EQ_INT(text_width("日本"), 4);
}

TEST_MAIN
