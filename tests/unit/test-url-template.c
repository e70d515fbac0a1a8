/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "url-template.h"

static const TemplateValue values[] = {
                {"ticket", "CHG0012345"},
                {"1", "0012345"},
                {"host", "db1.example.com"},
                {"person", "alice@example.com"},
                {"zone", "a+b:c"},
                {"bad", "1 or 1"},
                {"empty", ""},
                {"none", NULL},
                {"line", "a\r\nX: y"},
                {"slash", "a/../b"},
                {"dots", ".."},
                {"query", "a&b=c"},
                {"percent", "a%2e"},
                {"utf8", "a\xc3\xa9"},
                {},
};

static void check_fill(TemplateKind kind, const char *text, const char *expected) {
        JIT_CLEANUP(url_template_freep) UrlTemplate *t = NULL;
        char why[TEMPLATE_WHY_MAX] = "";
        _cleanup_free_ char *filled = NULL;

        int r = url_template_parse(kind, text, &t, why);
        if (r < 0) {
                TEST_FAIL("%s: %s", text, why);
                return;
        }
        r = url_template_fill(t, values, &filled, why);
        if (r < 0) {
                TEST_FAIL("%s: %s", text, why);
                return;
        }
        CHECK_STREQ(filled, expected);
}

TEST(urls) {
        check_fill(TEMPLATE_URL, "https://rt.example.com/REST/2.0/ticket/{1}",
                   "https://rt.example.com/REST/2.0/ticket/0012345");
        check_fill(TEMPLATE_URL, "https://h", "https://h");
        check_fill(TEMPLATE_URL, "https://h:8443/", "https://h:8443/");
        check_fill(TEMPLATE_URL, "https://[::1]:8443/{ticket}?x={host}&y=1",
                   "https://[::1]:8443/CHG0012345?x=db1.example.com&y=1");
        check_fill(TEMPLATE_URL, "http://127.0.0.1:80/a%2Fb/{1}{ticket}-{1}",
                   "http://127.0.0.1:80/a%2Fb/0012345CHG0012345-0012345");
        check_fill(TEMPLATE_URL, "https://h/{person}/{zone}", "https://h/alice%40example.com/a%2Bb%3Ac");
        check_fill(TEMPLATE_URL, "https://h/.{1}./..{1}/...", "https://h/.0012345./..0012345/...");
}

TEST(queries_are_encoded_whole) {
        check_fill(TEMPLATE_QUERY, "number={ticket}^state!=3", "number%3DCHG0012345%5Estate%21%3D3");
        check_fill(TEMPLATE_QUERY, "DependedOnBy={1} AND Type='approval'",
                   "DependedOnBy%3D0012345%20AND%20Type%3D%27approval%27");
        check_fill(TEMPLATE_QUERY, "{{\"a\":\"{person}\"}&#%?/",
                   "%7B%22a%22%3A%22alice%40example.com%22%7D%26%23%25%3F%2F");
        check_fill(TEMPLATE_QUERY, "", "");
        check_fill(TEMPLATE_QUERY, "-._~az09", "-._~az09");
}

TEST(headers_are_not_encoded) {
        check_fill(TEMPLATE_HEADER, "{person}; v=\"{zone}\" {{x}", "alice@example.com; v=\"a+b:c\" {x}");
}

static void check_refused(TemplateKind kind, const char *text, const char *part) {
        JIT_CLEANUP(url_template_freep) UrlTemplate *t = NULL;
        char why[TEMPLATE_WHY_MAX] = "";

        if (url_template_parse(kind, text, &t, why) != -EBADMSG || t)
                TEST_FAIL("%s: taken", text);
        if (!strstr(why, part))
                TEST_FAIL("%s: \"%s\", without \"%s\"", text, why, part);
}

TEST(wrong_authorities) {
        static const char *const wrong[][2] = {
                        {"", "https://"},
                        {"rt.example.com/x", "https://"},
                        {"ftp://h/", "https://"},
                        {"HTTPS://h/", "https://"},
                        {"//h/", "https://"},
                        {"{1}://h/", "https://"},
                        {"https:///x", "no host"},
                        {"https://{host}/x", "in its host"},
                        {"https://h{1}/x", "in its host"},
                        {"https://h:{1}/x", "in its host"},
                        {"https://u:p@h/x", "[Login]"},
                        {"https://h@other/x", "[Login]"},
                        {"https://h:/x", "port"},
                        {"https://h:0/x", "port"},
                        {"https://h:080/x", "port"},
                        {"https://h:65536/x", "port"},
                        {"https://h:1:2/x", "port"},
                        {"https://h_/x", "neither a name"},
                        {"https://h..x/x", "neither a name"},
                        {"https://-h/x", "neither a name"},
                        {"https://h./x", "neither a name"},
                        {"https://127.1/x", "neither a name"},
                        {"https://0x7f000001/x", "neither a name"},
                        {"https://2130706433/x", "neither a name"},
                        {"https://1.2.3.400/x", "neither a name"},
                        {"https://[::1/x", "neither a name"},
                        {"https://[::1]x/x", "neither a name"},
                        {"https://[g::1]/x", "neither a name"},
                        {"https://[fe80::1%25eth0]/x", "neither a name"},
                        {"https://h\\@x/", "[Login]"},
                        {"https://h%2fx/", "neither a name"},
                        {"https://h?x={1}", "must have a path"},
                        {"https://h#x", "must have a path"},
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                check_refused(TEMPLATE_URL, wrong[i][0], wrong[i][1]);
}

TEST(wrong_texts) {
        check_refused(TEMPLATE_URL, "https://h/a b", "a URL may not have");
        check_refused(TEMPLATE_URL, "https://h/a{{b", "a URL may not have");
        check_refused(TEMPLATE_URL, "https://h/a}b", "a URL may not have");
        check_refused(TEMPLATE_URL, "https://h/a\\b", "a URL may not have");
        check_refused(TEMPLATE_URL, "https://h/a%2", "'%'");
        check_refused(TEMPLATE_URL, "https://h/a%", "'%'");
        check_refused(TEMPLATE_URL, "https://h/a%{1}", "'%'");
        check_refused(TEMPLATE_URL, "https://h/a#b", "fragment");
        check_refused(TEMPLATE_URL, "https://h/a/../b", "'..'");
        check_refused(TEMPLATE_URL, "https://h/a/.%2E/b", "'..'");
        check_refused(TEMPLATE_URL, "https://h/.", "'.'");
        check_refused(TEMPLATE_URL, "https://h/%2e?x", "'.'");
        check_refused(TEMPLATE_URL, "https://h/\xc3\xa9", "printable ASCII");
        check_refused(TEMPLATE_HEADER, "", "empty");
        check_refused(TEMPLATE_HEADER, "a\r\nb", "printable ASCII");
        check_refused(TEMPLATE_HEADER, "a\tb", "printable ASCII");
        check_refused(TEMPLATE_QUERY, "a\nb", "printable ASCII");
        check_refused(TEMPLATE_QUERY, "a\x7f", "printable ASCII");
}

TEST(wrong_names) {
        check_refused(TEMPLATE_QUERY, "{ticket", "without an end");
        check_refused(TEMPLATE_QUERY, "{", "without an end");
        check_refused(TEMPLATE_QUERY, "a{}", "neither {1}");
        check_refused(TEMPLATE_QUERY, "{0}", "neither {1}");
        check_refused(TEMPLATE_QUERY, "{10}", "neither {1}");
        check_refused(TEMPLATE_QUERY, "{Ticket}", "neither {1}");
        check_refused(TEMPLATE_QUERY, "{a-b}", "neither {1}");
        check_refused(TEMPLATE_QUERY, "{_a}", "neither {1}");
        check_refused(TEMPLATE_QUERY, "{a{b}}", "neither {1}");
        check_refused(TEMPLATE_QUERY, "{abcdefghijklmnopqrstuvwxyz123456}", "neither {1}");
        check_refused(TEMPLATE_QUERY, "{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}", "more than 16");
        check_fill(TEMPLATE_HEADER, "{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}x{1}",
                   "001234500123450012345001234500123450012345001234500123450012345001234500123450012345001234500123450"
                   "0123"
                   "45x0012345");
}

static void check_not_filled(const char *text, int error, const char *part) {
        static const struct {
                TemplateKind kind;
                const char *prefix;
        } kinds[] = {{TEMPLATE_URL, "https://h/"}, {TEMPLATE_QUERY, ""}, {TEMPLATE_HEADER, ""}};

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                JIT_CLEANUP(url_template_freep) UrlTemplate *t = NULL;
                char why[TEMPLATE_WHY_MAX] = "", whole[64], *filled = NULL;

                (void) snprintf(whole, sizeof(whole), "%s%s", kinds[i].prefix, text);
                CHECK_EQ_INT(url_template_parse(kinds[i].kind, whole, &t, why), 0);
                if (!t)
                        continue;
                CHECK_EQ_INT(url_template_fill(t, values, &filled, why), error);
                CHECK(!filled);
                if (!strstr(why, part))
                        TEST_FAIL("%s: \"%s\", without \"%s\"", whole, why, part);
        }
}

TEST(values_that_may_not_stand_there) {
        static const char *const wrong[] = {"bad", "empty", "line", "slash", "dots", "query", "percent", "utf8"};

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                char text[32];
                (void) snprintf(text, sizeof(text), "x{%s}", wrong[i]);
                check_not_filled(text, -EINVAL, wrong[i]);
        }
        check_not_filled("{none}", -ENOENT, "{none} has no value");
        check_not_filled("{other}", -ENOENT, "{other} has no value");
}

TEST(value_grammar) {
        char text[TEMPLATE_VALUE_MAX + 2];

        memset(text, 'a', sizeof(text));
        text[TEMPLATE_VALUE_MAX] = '\0';
        CHECK(template_value_is_valid(text));
        text[TEMPLATE_VALUE_MAX] = 'a';
        text[TEMPLATE_VALUE_MAX + 1] = '\0';
        CHECK(!template_value_is_valid(text));
        CHECK(template_value_is_valid("0") && template_value_is_valid("a._@+:-") && !template_value_is_valid("-a"));
        CHECK(!template_value_is_valid("@a") && !template_value_is_valid("a b") && !template_value_is_valid("a\n"));

        /* every byte that is not in the set */
        for (int c = 1; c < 256; c++) {
                bool taken = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             strchr("._@+:-", c);
                char two[] = {'a', (char) c, '\0'};
                if (template_value_is_valid(two) != taken)
                        TEST_FAIL("byte %d: taken for the opposite", c);
        }
}

TEST(lengths) {
        char text[TEMPLATE_TEXT_MAX + 2], why[TEMPLATE_WHY_MAX] = "";
        JIT_CLEANUP(url_template_freep) UrlTemplate *t = NULL;
        char *filled = NULL;

        memset(text, 'a', sizeof(text));
        text[TEMPLATE_TEXT_MAX] = '\0';
        CHECK_EQ_INT(url_template_parse(TEMPLATE_QUERY, text, &t, why), 0);
        t = url_template_free(t);
        text[TEMPLATE_TEXT_MAX] = 'a';
        text[TEMPLATE_TEXT_MAX + 1] = '\0';
        CHECK_EQ_INT(url_template_parse(TEMPLATE_QUERY, text, &t, why), -EBADMSG);
        CHECK(strstr(why, "2048"));

        /* 2000 characters that take three each, and 16 values of 128 that do too */
        char value[TEMPLATE_VALUE_MAX + 1];
        memset(value, '@', sizeof(value) - 1);
        value[0] = 'a';
        value[TEMPLATE_VALUE_MAX] = '\0';
        const TemplateValue long_values[] = {{"1", value}, {}};
        memset(text, '/', 2000);
        memcpy(text + 2000, "{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}{1}", 49);
        CHECK_EQ_INT(url_template_parse(TEMPLATE_QUERY, text, &t, why), 0);
        CHECK_EQ_INT(t ? url_template_fill(t, long_values, &filled, why) : 0, -ENAMETOOLONG);
        CHECK(!filled && strstr(why, "8192"));
}

TEST(names_and_origins) {
        JIT_CLEANUP(url_template_freep) UrlTemplate *t = NULL;
        char why[TEMPLATE_WHY_MAX] = "";

        CHECK_EQ_INT(url_template_parse(TEMPLATE_URL, "https://RT.example.com/{b}/{1}?x={b}", &t, why), 0);
        if (t) {
                char *const *names = url_template_names(t);
                CHECK_STREQ(names[0], "b");
                CHECK_STREQ(names[1], "1");
                CHECK(!names[2]);
                CHECK_STREQ(url_template_origin(t), "https://rt.example.com:443");
        }
        t = url_template_free(t);
        CHECK_EQ_INT(url_template_parse(TEMPLATE_URL, "http://[0:0::1]/", &t, why), 0);
        CHECK_STREQ(t ? url_template_origin(t) : "", "http://[::1]:80");
        CHECK(url_origin_is_plain("http://[::1]:80") && !url_origin_is_plain("https://[::1]:80"));
        CHECK(url_origin_is_loopback("http://[::1]:80") && url_origin_is_loopback("http://127.8.9.1:80"));
        CHECK(url_origin_is_loopback("http://localhost:80") && !url_origin_is_loopback("http://localhost.x:80"));
        CHECK(!url_origin_is_loopback("http://128.0.0.1:80") && !url_origin_is_loopback("http://[::2]:80"));
        CHECK(!url_origin_is_loopback("http://127.0.0.1.x:80"));
}

TEST_MAIN
