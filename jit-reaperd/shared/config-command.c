/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "config-parse.h"

/* A Command= of a role becomes part of a line that sudo reads as root.
 *
 * MUST: what passes here is one Cmnd of the grammar in sudoers(5): one program, and one list of arguments or one
 * pattern for them (config-pattern.c) if there is one. MUST NOT: let through anything that ends the Cmnd (',' ':' '='
 * '#' newline), turns it into a set ('*' '?' '[', a folder), negates it ('!'), or that releases of sudo read
 * differently (quotes, backslashes before other characters). */

enum { COMMAND_MAX = 1024 };

static bool is_alnum(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set) {
        return c && strchr(set, c);
}

/* "sha256:" 64 hexadecimal digits and blanks; how many characters of it, 0 if it is none. */
static size_t digest_length(const char *s) {
        static const char prefix[] = "sha256:";
        const size_t start = sizeof(prefix) - 1;
        size_t digits;

        if (strncmp(s, prefix, start) != 0)
                return 0;
        digits = strspn(s + start, "0123456789abcdefABCDEF");
        if (digits != 64 || s[start + digits] != ' ')
                return 0;
        return start + digits + strspn(s + start + digits, " ");
}

/* The program: moves *p to the blank or NUL behind it. NULL, or what is wrong. */
static const char *program_fault(const char **p) {
        const char *component = *p + 1;

        if (**p != '/')
                return "must be ALL, or start with the absolute path of one program";

        for (const char *s = *p + 1;; s++) {
                if (*s == '/' || *s == ' ' || *s == '\0') {
                        size_t n = (size_t) (s - component);

                        if (n == 0)
                                return "has an empty part in its path: a path that ends with '/' would mean every "
                                       "program in that folder";
                        if ((n == 1 && component[0] == '.') || (n == 2 && strncmp(component, "..", 2) == 0))
                                return "has '.' or '..' as a part of its path";
                        if (*s != '/') {
                                if (n == strlen("sudoedit") && strncmp(component, "sudoedit", n) == 0)
                                        return "names sudoedit, which sudoers(5) treats as more than a program";
                                *p = s;
                                return NULL;
                        }
                        component = s + 1;
                } else if (*s == '\\' && is_one_of(s[1], ",:=#"))
                        s++;
                else if (is_one_of(*s, ",:=#"))
                        return "has one of , : = # in its path without a backslash before it";
                else if (!is_alnum(*s) && !is_one_of(*s, "_.+@%~-"))
                        return "has a character in its path other than letters, digits and / _ . + @ % ~ -, or an "
                               "escaped one of , : = #";
        }
}

/* The arguments, from the first one's first character. NULL, or what is wrong. */
static const char *arguments_fault(const char *p) {
        if (strcmp(p, "\"\"") == 0) /* sudoers(5): none may be given */
                return NULL;

        for (const char *s = p; *s; s++) {
                if (strncmp(s, "\\\\", 2) == 0) {
                        if (strncmp(s, "\\\\\\\\", 4) !=
                            0) /* sudo's reader takes one away of two, and fnmatch(3) again */
                                return "has a backslash written as two: sudo takes them away twice, so it must be four";
                        s += 3;
                        if (s[1] == '\0')
                                return "ends with a backslash, which sudo may take for a rule that goes on in the next "
                                       "line";
                } else if (*s == '\\') {
                        s++;
                        if (*s == ' ')
                                return "has an escaped blank in an argument: sudo would take it for two arguments as "
                                       "well";
                        if (!is_one_of(*s, ",:=#*?[]!^"))
                                return "has a backslash before a character other than , : = # * ? [ ] ! ^";
                } else if (is_one_of(*s, ",:=#"))
                        return "has one of , : = # in an argument without a backslash before it";
                else if (is_one_of(*s, "*?[]^"))
                        return "has one of * ? [ ] ^ in an argument without a backslash before it: wildcards match "
                               "more than it seems, blanks and further arguments too";
                else if (*s == '"' || *s == '\'')
                        return "has a quote in an argument: sudoers(5) does not take quotes away";
        }
        return NULL;
}

static const char *command_fault(const char *command) {
        if (strlen(command) > COMMAND_MAX)
                return "is longer than 1024 bytes";
        for (const char *s = command; *s; s++)
                if ((unsigned char) *s < 0x20 || (unsigned char) *s >= 0x7f)
                        return "has a character other than printable ASCII";
        if (strcmp(command, "ALL") == 0)
                return NULL;
        if (command[0] == '!')
                return "starts with '!': sudo's exclusions are easily got round (sudoers(5), \"Security Notes\")";

        const char *p = command + digest_length(command);
        if (p == command && strncmp(command, "sha", 3) == 0)
                return "has a digest that is not sha256: with 64 hexadecimal digits and a blank";

        const char *fault = program_fault(&p);
        if (fault)
                return fault;
        p += strspn(p, " ");
        return *p == '^' ? sudo_pattern_fault(p) : arguments_fault(p);
}

bool sudo_command_is_valid(const char *command, const char **ret_why) {
        const char *fault = command_fault(command);

        if (fault && ret_why)
                *ret_why = fault;
        return !fault;
}

int config_value_command(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        char ***list = (char ***) (void *) ((char *) target + key->offset);

        if (!sudo_command_is_valid(value, ret_why))
                return -EINVAL;
        if (strv_length(*list) >= key->max) {
                *ret_why = "is one too many: at most 64 commands";
                return -ERANGE;
        }
        return strv_contains(*list, value) ? 0 : strv_extend(list, value);
}
