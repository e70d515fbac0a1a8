/* SPDX-License-Identifier: Apache-2.0 */
#include <regex.h>
#include <string.h>

#include "config-parse.h"

/* A pattern for a command's arguments: sudoers(5) "Regular expressions", a POSIX extended one over the arguments joined
 * by blanks. Taken is the part of the language whose words can be seen by reading it:
 *
 *      pattern     ^ sequence $
 *      sequence    (atom [* + ? {n} {n,} {n,m}])...
 *      atom        a character, \ and a special one, [class], (sequence|sequence...)
 *      class       characters, a-z, [:alpha:] and its like
 *
 * MUST NOT: let through what matches a newline, or a blank that is not written as one: a '.', [^...], [:space:]. A
 * blank is where an argument ends.
 *
 * sudo's reader (toke.l, 1.9.10 and later) ends the expression at the first '$' without a backslash, and cannot read a
 * '#' without one; it hands all backslashes on to regcomp(3). */

enum {
        DEPTH_MAX = 8,
        BOUND_MAX = 255,
        COST_MAX = 4096, /* characters and classes with their bounds written out: regcomp(3) does write them out */
};

#define SPECIALS ".[]()*+?{}|^$\\#"

typedef struct Pattern {
        const char *next, *end; /* end: at the closing '$' */
        unsigned depth;
        const char *fault;
} Pattern;

static bool pattern_refuse(Pattern *p, const char *fault) {
        if (!p->fault)
                p->fault = fault;
        return false;
}

static char pattern_peek(const Pattern *p) {
        return p->next < p->end ? *p->next : '\0';
}

static bool pattern_take(Pattern *p, char c) {
        if (pattern_peek(p) != c)
                return false;
        p->next++;
        return true;
}

static bool is_within(char c, char from, char to) {
        return c >= from && c <= to;
}

/* [:alnum:] and the like, from the inner '['. */
static bool class_name(Pattern *p) {
        static const char *const names[] = {"[:alnum:]", "[:alpha:]", "[:digit:]",
                                            "[:lower:]", "[:upper:]", "[:xdigit:]"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strncmp(p->next, names[i], strlen(names[i])) == 0) {
                        p->next += strlen(names[i]);
                        return true;
                }
        return pattern_refuse(p, "has a '[' in a class that does not begin [:alnum:], [:alpha:], [:digit:], [:lower:], "
                                 "[:upper:] or [:xdigit:]: other classes match blanks or depend on the language");
}

/* At a '-' that is the last in its class. */
static bool class_ends_with_dash(const Pattern *p) {
        return pattern_peek(p) == '-' && p->next + 1 < p->end && p->next[1] == ']';
}

/* At the '-' behind from, with more to come. */
static bool class_range(Pattern *p, char from) {
        char to = p->next[1];

        p->next += 2;
        return from <= to && ((is_within(from, 'a', 'z') && is_within(to, 'a', 'z')) ||
                              (is_within(from, 'A', 'Z') && is_within(to, 'A', 'Z')) ||
                              (is_within(from, '0', '9') && is_within(to, '0', '9')));
}

/* Behind the '['. */
static bool class_parse(Pattern *p) {
        bool empty = true;

        if (pattern_peek(p) == '^')
                return pattern_refuse(p,
                                      "has a class of what must not be there, [^...]: it matches blanks, newlines and "
                                      "further arguments");
        for (;; empty = false) {
                char c = pattern_peek(p);

                if (c == ']' && !empty) {
                        p->next++;
                        return true;
                }
                if (c == '\0' || c == ']')
                        return pattern_refuse(p, "has an empty class, or one without its ']'");
                if (c == '[') {
                        if (!class_name(p))
                                return false;
                        continue;
                }
                if (c == ' ')
                        return pattern_refuse(p, "has a blank in a class: it would match further arguments");
                if (strchr("\\#$\"'", c))
                        return pattern_refuse(p, "has one of \\ # $ \" ' in a class: sudo does not read these as they "
                                                 "stand there");
                p->next++;
                bool range = pattern_peek(p) == '-' && !class_ends_with_dash(p);
                if (c == '-' ? range || !(empty || pattern_peek(p) == ']') : range && !class_range(p, c))
                        return pattern_refuse(p,
                                              "has a range in a class that is not within a-z, A-Z or 0-9 (a '-' itself "
                                              "stands first or last in its class)");
        }
}

/* Behind the '{'. */
static bool bound_number(Pattern *p, unsigned *ret) {
        unsigned n = 0, digits = 0;

        for (; is_within(pattern_peek(p), '0', '9') && digits < 4; p->next++, digits++)
                n = n * 10 + (unsigned) (*p->next - '0');
        *ret = n;
        return digits > 0 && n <= BOUND_MAX;
}

static bool bound_parse(Pattern *p, unsigned *ret_max) {
        static const char rule[] =
                        "has a bound that is not {n}, {n,} or {n,m} with numbers up to 255, the last one not "
                        "0 and not below the first";
        unsigned min, max;

        if (!bound_number(p, &min))
                return pattern_refuse(p, rule);
        max = min;
        if (pattern_take(p, ',')) {
                if (pattern_peek(p) == '}')
                        max = min + 1;
                else if (!bound_number(p, &max))
                        return pattern_refuse(p, rule);
        }
        if (!pattern_take(p, '}') || max == 0 || max < min)
                return pattern_refuse(p, rule);
        *ret_max = max;
        return true;
}

static bool sequence_parse(Pattern *p, unsigned *cost);

/* Behind the '('. */
static bool group_parse(Pattern *p, unsigned *cost) {
        if (p->depth == DEPTH_MAX)
                return pattern_refuse(p, "has more than 8 parentheses in each other");
        p->depth++;
        do
                if (!sequence_parse(p, cost))
                        return false;
        while (pattern_take(p, '|'));
        p->depth--;
        return pattern_take(p, ')') || pattern_refuse(p, "has a '(' without its ')'");
}

static bool atom_parse(Pattern *p, unsigned *cost) {
        char c = *p->next++;

        switch (c) {
        case '(':
                return group_parse(p, cost);
        case '[':
                *cost += 1;
                return class_parse(p);
        case '\\':
                if (p->next == p->end)
                        return pattern_refuse(p, "ends with an escaped '$': a pattern ends with one that is not");
                if (!strchr(SPECIALS, *p->next))
                        return pattern_refuse(p, "has a backslash in its pattern before a character other than "
                                                 ". [ ] ( ) * + ? { } | ^ $ \\ #");
                p->next++;
                *cost += 1;
                return true;
        case '.':
                return pattern_refuse(p,
                                      "has a '.' in its pattern: it matches blanks, newlines and further arguments. A "
                                      "class such as [a-z0-9] says what is meant; \\. is a dot");
        case '"':
        case '\'':
                return pattern_refuse(p, "has a quote in its pattern: sudoers(5) does not take quotes away");
        case '*':
        case '+':
        case '?':
        case '{':
                return pattern_refuse(p, "has a repetition (* + ? {) with nothing before it that could be repeated");
        default:
                if (strchr(SPECIALS, c))
                        return pattern_refuse(
                                        p, "has one of ] ) } | ^ $ # in its pattern where it means nothing: it needs a "
                                           "backslash, and a | parentheses around all of its choices");
                *cost += 1;
                return true;
        }
}

/* Up to '|', ')' or the end; *cost grows by what it stands for. */
static bool sequence_parse(Pattern *p, unsigned *cost) {
        const char *begin = p->next;

        while (p->next < p->end && !(p->depth > 0 && (*p->next == '|' || *p->next == ')'))) {
                unsigned one = 0, times = 1;

                if (!atom_parse(p, &one))
                        return false;
                if (!pattern_take(p, '*') && !pattern_take(p, '+') && !pattern_take(p, '?') && pattern_take(p, '{') &&
                    !bound_parse(p, &times))
                        return false;
                *cost += one * times; /* both below 2^13 */
                if (*cost > COST_MAX)
                        return pattern_refuse(p, "stands for more than 4096 characters with its bounds written out");
        }
        return p->next > begin || pattern_refuse(p, "has a choice or a pair of parentheses with nothing in it");
}

const char *sudo_pattern_fault(const char *pattern) {
        size_t n = strlen(pattern);
        unsigned cost = 0;
        regex_t compiled;

        if (n < 2 || pattern[0] != '^' || pattern[n - 1] != '$')
                return "has a pattern that does not begin with '^' and end with '$': it would match parts of arguments";
        if (n == 2)
                return "has a pattern of nothing: \"\" says that there may be no arguments";

        Pattern p = {.next = pattern + 1, .end = pattern + n - 1};
        if (!sequence_parse(&p, &cost))
                return p.fault;
        if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return "has a pattern that regcomp(3) does not take";
        regfree(&compiled);
        return NULL;
}
