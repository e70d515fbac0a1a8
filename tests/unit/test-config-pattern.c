/* SPDX-License-Identifier: Apache-2.0 */
#include <regex.h>

#include "config-parse.h"
#include "test.h"

/* Which patterns of arguments are taken. That sudo reads the taken ones as regcomp(3) does is seen on real hosts. */

TEST(accepted) {
        static const char *const good[] = {
                        "^a$",
                        "^restart [a-z0-9-]+\\.service$",
                        "^--unit=[a-z]+,[a-z]+:x$",
                        "^-u (nginx|php[0-9]\\.[0-9]-fpm)( --since (today|yesterday))?$",
                        "^[a-z]{1,8}$",
                        "^[a-z]{3}[0-9]{0,2}[A-F]{2,}$",
                        "^([0-9]{1,3}\\.){3}[0-9]{1,3}$",
                        "^/var/log/[A-Za-z0-9_-]+\\.log$",
                        "^\\[\\]\\(\\)\\*\\+\\?\\{\\}\\|\\^\\$\\\\\\#\\.$",
                        "^[[:alnum:]_]+@[[:lower:][:digit:]-]+$",
                        "^[a^]$",
                        "^[-a]$",
                        "^[a-]$",
                        "^[a-z-]$",
                        "^[.*+?(){}|]$",
                        "^a*b+c?$",
                        "^!a %b <c> ;d& `e`$",
                        "^((((((((a))))))))$",
                        "^(a|(b|c)d)e$",
        };

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                const char *why = sudo_pattern_fault(good[i]);
                if (why)
                        TEST_FAIL("%s: %s", good[i], why);
        }
}

TEST(refused) {
        static const struct {
                const char *pattern, *why;
        } bad[] = {
                        {"", "does not begin"},
                        {"^", "does not begin"},
                        {"$", "does not begin"},
                        {"a", "does not begin"},
                        {"^a", "does not begin"},
                        {"a$", "does not begin"},
                        {"^a$ ", "does not begin"},
                        {"^$", "pattern of nothing"},
                        {"^a\\$", "escaped '$'"},
                        {"^\\$", "escaped '$'"},
                        {"^.$", "a '.'"},
                        {"^a.*$", "a '.'"},
                        {"^[a]{2}.$", "a '.'"},
                        {"^(a|.)$", "a '.'"},
                        {"^[^a]$", "[^...]"},
                        {"^(x|[^a-z])$", "[^...]"},
                        {"^[]$", "an empty class"},
                        {"^[]a]$", "an empty class"},
                        {"^[a$", "one without its ']'"},
                        {"^[$", "an empty class"},
                        {"^[a b]$", "a blank in a class"},
                        {"^[a\\]]$", "one of \\ #"},
                        {"^[a$]$", "one of \\ #"},
                        {"^[#]$", "one of \\ #"},
                        {"^[\"]$", "one of \\ #"},
                        {"^[']$", "one of \\ #"},
                        {"^[[:space:]]$", "a '[' in a class"},
                        {"^[[:blank:]]$", "a '[' in a class"},
                        {"^[[:print:]]$", "a '[' in a class"},
                        {"^[[:cntrl:]]$", "a '[' in a class"},
                        {"^[[:graph:]]$", "a '[' in a class"},
                        {"^[[:alpha]$", "a '[' in a class"},
                        {"^[[.space.]]$", "a '[' in a class"},
                        {"^[[=a=]]$", "a '[' in a class"},
                        {"^[a[]$", "a '[' in a class"},
                        {"^[z-a]$", "a range"},
                        {"^[a-Z]$", "a range"},
                        {"^[A-z]$", "a range"},
                        {"^[0-a]$", "a range"},
                        {"^[!-~]$", "a range"},
                        {"^[ -~]$", "a blank in a class"},
                        {"^[a-z-9]$", "a range"},
                        {"^[a-[:digit:]]$", "a range"},
                        {"^[--a]$", "a range"},
                        {"^*$", "a repetition"},
                        {"^+a$", "a repetition"},
                        {"^a**$", "a repetition"},
                        {"^a+?$", "a repetition"},
                        {"^a{2}{3}$", "a repetition"},
                        {"^(*a)$", "a repetition"},
                        {"^(a|*)$", "a repetition"},
                        {"^(?i)a$", "a repetition"},
                        {"^(?:a)$", "a repetition"},
                        {"^{2}$", "a repetition"},
                        {"^a{$", "a bound"},
                        {"^a{}$", "a bound"},
                        {"^a{,2}$", "a bound"},
                        {"^a{2$", "a bound"},
                        {"^a{2,1}$", "a bound"},
                        {"^a{0}$", "a bound"},
                        {"^a{0,0}$", "a bound"},
                        {"^a{256}$", "a bound"},
                        {"^a{1,256}$", "a bound"},
                        {"^a{99999999999}$", "a bound"},
                        {"^a{-1}$", "a bound"},
                        {"^a{1,2,3}$", "a bound"},
                        {"^a{ 1}$", "a bound"},
                        {"^()$", "nothing in it"},
                        {"^(a|)$", "nothing in it"},
                        {"^(|a)$", "nothing in it"},
                        {"^(a$", "without its ')'"},
                        {"^((a)$", "without its ')'"},
                        {"^a)$", "where it means nothing"},
                        {"^a]$", "where it means nothing"},
                        {"^a}$", "where it means nothing"},
                        {"^a|b$", "where it means nothing"}, /* that would be ^a, or b$ */
                        {"^a^b$", "where it means nothing"},
                        {"^a$b$", "where it means nothing"},
                        {"^(a$)$", "where it means nothing"},
                        {"^(^a)$", "where it means nothing"},
                        {"^a#$", "where it means nothing"},
                        {"^\\a$", "a backslash"},
                        {"^\\w+$", "a backslash"},
                        {"^\\s$", "a backslash"},
                        {"^\\S$", "a backslash"},
                        {"^(a)\\1$", "a backslash"},
                        {"^\\<a\\>$", "a backslash"},
                        {"^\\ $", "a backslash"},
                        {"^\\,$", "a backslash"},
                        {"^\"a\"$", "a quote"},
                        {"^'a'$", "a quote"},
                        {"^(((((((((a)))))))))$", "more than 8"},
                        {"^(((a{255}){255}){255}){255}$", "more than 4096"},
                        {"^([a-z]{64}){65}$", "more than 4096"},
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                const char *why = sudo_pattern_fault(bad[i].pattern);
                if (!why)
                        TEST_FAIL("taken: %s", bad[i].pattern);
                else if (!strstr(why, bad[i].why))
                        TEST_FAIL("%s: \"%s\" is not in: %s", bad[i].pattern, bad[i].why, why);
        }
}

/* Of each character between a and b: what is taken as it stands matches itself alone, and never a blank or a newline by another one. */
TEST(every_byte_of_a_pattern) {
        char pattern[] = "^aXb$", text[] = "aXb";

        for (int c = 1; c < 0x7f; c++) {
                regex_t compiled;

                pattern[2] = (char) c;
                bool taken = c >= ' ' && !sudo_pattern_fault(pattern);
                CHECK_EQ_INT(taken, c >= ' ' && !strchr(".[](){}|^$\\#\"'", c));
                if (!taken || strchr("*+?", c) || regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                        continue;
                for (int d = 1; d < 0x80; d++) {
                        text[1] = (char) d;
                        CHECK_EQ_INT(regexec(&compiled, text, 0, NULL, 0) == 0, c == d);
                }
                regfree(&compiled);
        }
}

TEST_MAIN
