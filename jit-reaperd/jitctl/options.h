/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_OPTIONS_H
#define JIT_OPTIONS_H

/* Command line options from tables: the same rows are parsed and printed by --help. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum OptionKind {
        OPTION_BOOL,   /* bool */
        OPTION_STRING, /* const char *, borrowed from argv; given twice, the last one counts */
        OPTION_LIST,   /* char **, a strv; may be given again, and "a,b" is two */
        OPTION_LINES,  /* char **, a strv; may be given again, commas mean nothing */
} OptionKind;

typedef struct Option {
        const char *name; /* NULL ends a table */
        OptionKind kind;
        size_t offset;
        char letter;         /* 0: none */
        const char *metavar; /* for --help */
        const char *help;    /* NULL: not shown */
} Option;

typedef struct OptionSet {
        const Option *table; /* may be NULL */
        void *target;
} OptionSet;

/* Parses argv[1] and on by two tables. stop_at_word: stop at the first argument that is not an option, else they may be
 * mixed and "--" ends the options. *ret_rest is the index in argv of the first word left (argv gets sorted). -EINVAL
 * after a sentence on stderr, -ENOMEM. Lists are freed by options_done() in every case. */
int options_parse(const OptionSet sets[static 2], int argc, char **argv, bool stop_at_word, int *ret_rest);
void options_done(const OptionSet *set);
void options_print(const Option *table, FILE *f);

#endif
