/* SPDX-License-Identifier: Apache-2.0 */
#include "config-parse.h"
#include "test.h"

/* What may become a Cmnd in a sudoers rule. tests/host sees that sudo reads the accepted ones as they are meant. */

#define HEX64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"

TEST(accepted) {
        static const char *const good[] = {
                        "ALL",
                        "/usr/bin/systemctl restart postgresql",
                        "/usr/bin/systemctl restart postgresql@15-main.service",
                        "/usr/bin/psql",
                        "/usr/bin/psql \"\"",
                        "/usr/bin/journalctl -u nginx --since today",
                        "/usr/bin/journalctl --unit\\=nginx",
                        "/bin/dd if\\=/dev/sda of\\=/tmp/a\\,b",
                        "/usr/bin/ssh host\\:22",
                        "/bin/echo \\#1 \\\\\\\\ \\* \\? \\[a\\] \\! \\^",
                        "/bin/echo ! !a a!",
                        "/bin/echo (root) NOPASSWD",
                        "/bin/echo $HOME `id` ; | & < >",
                        "/opt/a.b_c+d@e%f~g-h/i",
                        "/opt/a\\,b/c\\:d\\=e\\#f",
                        "/...",
                        "/bin/..a/b",
                        "/bin/.a",
                        "/bin/echo  two   blanks ",
                        "sha256:" HEX64 " /bin/ls",
                        "sha256:" HEX64 "   /bin/ls -l",
                        "/bin/ls ^-l( -a)?$",
                        "sha256:" HEX64 " /bin/ls ^[a-z]+$",
        };

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                const char *why = "";
                if (!sudo_command_is_valid(good[i], &why))
                        TEST_FAIL("%s: %s", good[i], why);
        }
}

TEST(refused) {
        static const struct {
                const char *command, *why;
        } bad[] = {
                        {"", "absolute path"},
                        {" /bin/ls", "absolute path"},
                        {"ls", "absolute path"},
                        {"all", "absolute path"},
                        {"ALL ALL", "absolute path"},
                        {"ALL, !/bin/sh", "absolute path"},
                        {"!ALL", "exclusions"},
                        {"!/bin/sh", "exclusions"},
                        {"! /bin/sh", "exclusions"},
                        {"!!/bin/sh", "exclusions"},
                        {"WEBSERVERS", "absolute path"}, /* an alias */
                        {"NOPASSWD: /bin/ls", "absolute path"},
                        {"NOEXEC:/bin/ls", "absolute path"},
                        {"(root) /bin/ls", "absolute path"},
                        {"CWD=/ /bin/ls", "absolute path"},
                        {"sudoedit /etc/hosts", "absolute path"},
                        {"list", "absolute path"},
                        {"^/bin/.*$", "absolute path"},
                        {"\"/bin/ls\"", "absolute path"},
                        {"/usr/bin/sudoedit /etc/hosts", "sudoedit"},
                        {"/sudoedit", "sudoedit"},
                        {"/", "every program"},
                        {"/bin/", "every program"},
                        {"/bin/ -l", "every program"},
                        {"//bin/ls", "every program"},
                        {"/bin//ls", "every program"},
                        {"/bin/../ls", "'.' or '..'"},
                        {"/bin/./ls", "'.' or '..'"},
                        {"/bin/..", "'.' or '..'"},
                        {"/bin/. x", "'.' or '..'"},
                        {"/bin/ls,/bin/sh", "without a backslash"},
                        {"/bin/ls:/bin/sh", "without a backslash"},
                        {"/bin/ls=x", "without a backslash"},
                        {"/bin/ls#x", "without a backslash"},
                        {"/bin/*", "other than letters"},
                        {"/bin/l?", "other than letters"},
                        {"/bin/[l]s", "other than letters"},
                        {"/bin/l\\*", "other than letters"},
                        {"/bin/l\\\\s", "other than letters"},
                        {"/bin/l\\ s", "other than letters"},
                        {"/bin/ls\\", "other than letters"},
                        {"/bin/\"ls\"", "other than letters"},
                        {"/bin/ls!", "other than letters"},
                        {"/bin/l(s)", "other than letters"},
                        {"/bin/ls, /bin/sh", "without a backslash"},
                        {"/bin/ls -l, /bin/sh", "without a backslash"},
                        {"/bin/ls -l,/bin/sh", "without a backslash"},
                        {"/bin/ls -l , !/bin/sh", "without a backslash"},
                        {"/bin/ls -l\\\\\\\\, /bin/sh",
                         "without a backslash"}, /* the backslash is escaped, the comma is not */
                        {"/bin/ls a:b", "without a backslash"},
                        {"/bin/ls x : ALL = ALL", "without a backslash"},
                        {"/bin/ls a=b", "without a backslash"},
                        {"/bin/ls # -l", "without a backslash"},
                        {"/bin/ls -l#", "without a backslash"},
                        {"/bin/cat /var/log/*", "wildcards"},
                        {"/bin/cat /var/log/?", "wildcards"},
                        {"/bin/cat /var/log/[a-z]", "wildcards"},
                        {"/bin/cat ^/var/log/.+$", "a '.' in its pattern"},
                        {"/bin/cat ^a$ b", "does not begin with '^' and end with '$'"},
                        {"/bin/cat x ^a$", "wildcards"},
                        {"^a$", "absolute path"},
                        {"/bin/ca^t$ x", "other than letters"},
                        {"/bin/cat /var/log/\\\\\\\\*", "wildcards"},
                        {"/bin/echo a\\\\b", "must be four"}, /* sudo reads it as "ab" */
                        {"/bin/echo a\\\\", "must be four"},
                        {"/bin/echo a\\\\\\\\", "ends with a backslash"},
                        {"/bin/echo a\\\\\\,", "must be four"},
                        {"/bin/rm /tmp/a\\ b", "two arguments"},
                        {"/bin/ls \\", "a backslash before"},
                        {"/bin/ls a\\", "a backslash before"},
                        {"/bin/ls \\a", "a backslash before"},
                        {"/bin/ls \\\"", "a backslash before"},
                        {"/bin/ls \"\" x", "a quote"},
                        {"/bin/ls x \"\"", "a quote"},
                        {"/bin/ls \"a b\"", "a quote"},
                        {"/bin/ls 'a'", "a quote"},
                        {"/bin/ls\n/bin/sh", "printable"},
                        {"/bin/ls\tx", "printable"},
                        {"/bin/ls x\r", "printable"},
                        {"/bin/ls \x1b[2J", "printable"},
                        {"/bin/l\xc3\xa4", "printable"},
                        {"/bin/ls \x7f", "printable"},
                        {"sha256:" HEX64, "a digest that is not"},
                        {"sha256:" HEX64 "0 /bin/ls", "a digest that is not"},
                        {"sha256:0123 /bin/ls", "a digest that is not"},
                        {"sha256: " HEX64 " /bin/ls", "a digest that is not"},
                        {"sha256 :" HEX64 " /bin/ls", "a digest that is not"},
                        {"sha512:" HEX64 HEX64 " /bin/ls", "a digest that is not"},
                        {"sha256:" HEX64 ", sha256:" HEX64 " /bin/ls", "a digest that is not"},
                        {"sha256:" HEX64 " sha256:" HEX64 " /bin/ls", "absolute path"},
                        {"sha256:" HEX64 " ALL", "absolute path"},
                        {"sha256:" HEX64 " !/bin/ls", "absolute path"},
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                const char *why = NULL;
                if (sudo_command_is_valid(bad[i].command, &why))
                        TEST_FAIL("accepted: %s", bad[i].command);
                else if (!strstr(why, bad[i].why))
                        TEST_FAIL("%s: \"%s\" is not in: %s", bad[i].command, bad[i].why, why);
                CHECK(!sudo_command_is_valid(bad[i].command, NULL));
        }
}

TEST(length) {
        char command[1026] = "/bin/ls ";

        memset(command + 8, 'x', sizeof(command) - 9);
        command[1025] = '\0';
        CHECK(!sudo_command_is_valid(command, NULL));
        command[1024] = '\0';
        CHECK(sudo_command_is_valid(command, NULL));
}

/* Each byte alone in an argument: the ones with a meaning for sudo do not pass. */
TEST(every_byte_in_an_argument) {
        char command[] = "/bin/ls aXb";

        for (int c = 1; c < 256; c++) {
                command[9] = (char) c;
                bool good = c >= ' ' && c < 0x7f && !strchr(",:=#\\*?[]^\"'", c);
                CHECK_EQ_INT(sudo_command_is_valid(command, NULL), good);
        }
}

TEST_MAIN
