/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "provider-reader.h"

/* Ticket= meets names from strangers, and the C library's regular expressions are known for patterns that take any
 * amount of memory or time.
 *
 * MUST: be matched against the whole ticket, whatever the pattern looks like.
 * MUST NOT: have back-references, or counts that multiply. */

enum { REPEATED_GROUPS_MAX = 2 };

static bool is_one_of(char c, const char *set) {
        return c && strchr(set, c);
}

/* p: behind the brace of {2}, {2,} or {2,5}. */
static bool count_is_valid(const char *p) {
        unsigned numbers = 0;

        for (;; p++) {
                unsigned n = 0;
                const char *start = p;

                for (; *p >= '0' && *p <= '9' && p - start < 3; p++)
                        n = n * 10 + (unsigned) (*p - '0');
                if (n > TICKET_ID_MAX || (p == start && numbers == 0))
                        return false;
                numbers++;
                if (*p == '}')
                        return true;
                if (*p != ',' || numbers == 2)
                        return false;
        }
}

static bool is_repetition(char c) {
        return is_one_of(c, "*+?{");
}

static const char *characters_fault(const char *pattern) {
        for (const char *p = pattern; *p; p++) {
                if (*p >= 'A' && *p <= 'Z')
                        return "has capitals: tickets are matched in small letters (Upper=yes makes {ticket} and {1} "
                               "to "
                               "{9} capital again)";
                if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && !is_one_of(*p, "-[](){}|*+?.,:^$"))
                        return "has a character other than a-z 0-9 - and [ ] ( ) { } | * + ? . , : ^ $ (tickets have "
                               "letters, digits and '-' only)";
        }
        return NULL;
}

/* regcomp(3) writes out what is repeated, x+ as xx*: repetitions of repetitions multiply. */
static const char *repetition_fault(const char *pattern) {
        unsigned groups = 0, repeated_groups = 0;

        for (const char *p = pattern; *p; p++) {
                char before = '(';

                if (*p == '(' && ++groups > PROVIDER_CAPTURES_MAX)
                        return "has more than 9 parts in parentheses";
                if (!is_repetition(*p))
                        continue;
                if (p > pattern)
                        before = p[-1];
                if (is_one_of(before, "*+?}"))
                        return "has a repetition of a repetition";
                if (is_one_of(before, "(|^$") || (*p == '{' && before == ')'))
                        return "has a repetition (* + ? or a count in braces) that does not follow a character, a "
                               "[set] "
                               "or, for * + ?, a part in parentheses";
                if (*p == '+' && before == ')' && ++repeated_groups > REPEATED_GROUPS_MAX)
                        return "has more than two parts in parentheses with '+' behind them";
                if (*p == '{' && !count_is_valid(p + 1))
                        return "has a count in braces other than {N}, {N,} or {N,M} with numbers up to 27";
        }
        return NULL;
}

const char *provider_pattern_compile(ProviderFile *f) {
        char whole[160];
        regex_t alone;

        const char *fault = characters_fault(f->ticket_pattern);
        if (!fault)
                fault = repetition_fault(f->ticket_pattern);
        if (fault)
                return fault;
        if ((size_t) snprintf(whole, sizeof(whole), "^(%s)$", f->ticket_pattern) >= sizeof(whole))
                return "is too long";

        /* By itself too: "a)|(b" is none, but would be one inside our parentheses. */
        if (regcomp(&alone, f->ticket_pattern, REG_EXTENDED) != 0)
                return "is no regular expression (regex(7), extended)";
        regfree(&alone);

        if (regcomp(&f->pattern, whole, REG_EXTENDED) != 0)
                return "is no regular expression (regex(7), extended)";
        f->has_pattern = true;
        if (regexec(&f->pattern, "", 0, NULL, 0) == 0)
                return "matches the empty text";
        return NULL;
}

int provider_file_match(const ProviderFile *f, const char *ticket, ProviderMatch *ret) {
        regmatch_t found[PROVIDER_CAPTURES_MAX + 2]; /* the whole, our own parentheses, the pattern's */
        char text[TICKET_ID_MAX + 1];
        ProviderMatch match = {};

        if (!f->has_pattern || ticket_id_parse(ticket, text) < 0 ||
            regexec(&f->pattern, text, ELEMENTSOF(found), found, 0) != 0)
                return -ENOENT;

        match.n = f->pattern.re_nsub; /* ours stands for the whole */
        for (size_t i = 0; i < match.n; i++) {
                const regmatch_t *m = found + i + 1;
                if (m->rm_so < 0)
                        continue;
                size_t n = (size_t) (m->rm_eo - m->rm_so);
                for (size_t j = 0; j < n; j++) {
                        char c = text[(size_t) m->rm_so + j];
                        match.text[i][j] = f->upper && c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
                }
        }
        *ret = match;
        return 0;
}
