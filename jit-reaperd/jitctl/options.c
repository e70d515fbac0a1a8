/* SPDX-License-Identifier: Apache-2.0 */

#include <getopt.h>

#include "options.h"
#include "say.h"
#include "strv.h"

enum {
        OPTIONS_MAX = 48, /* in both tables together */
        SET_SHIFT = 8,    /* getopt_long(3) val: (set + 1) << 8 | row */
        HELP_COLUMN = 30,
};

static size_t table_length(const Option *table) {
        size_t n = 0;

        while (table && table[n].name)
                n++;
        return n;
}

/* Fills getopt_long(3)'s two forms from the tables. */
static void make_getopt(const OptionSet sets[static 2], bool stop_at_word, struct option *ret_long, char *ret_short) {
        size_t n = 0;
        char *s = ret_short;

        if (stop_at_word)
                *s++ = '+';
        *s++ = ':'; /* tell a missing argument from an unknown option */
        for (int set = 0; set < 2; set++)
                for (size_t row = 0; row < table_length(sets[set].table) && n < OPTIONS_MAX; row++) {
                        const Option *o = sets[set].table + row;
                        int argument = o->kind == OPTION_BOOL ? no_argument : required_argument;

                        ret_long[n++] = (struct option){o->name, argument, NULL, (set + 1) << SET_SHIFT | (int) row};
                        if (!o->letter)
                                continue;
                        *s++ = o->letter;
                        if (argument == required_argument)
                                *s++ = ':';
                }
        ret_long[n] = (struct option){0};
        *s = 0;
}

static int list_extend(char ***list, const char *text, bool commas) {
        if (!commas)
                return strv_extend(list, text);
        while (*text) {
                size_t n = strcspn(text, ",");
                _cleanup_free_ char *item = strndup(text, n);

                if (!item || (n > 0 && strv_extend(list, item) < 0))
                        return -ENOMEM;
                text += n + (text[n] == ',');
        }
        return 0;
}

static int option_apply(const Option *o, void *target, const char *value) {
        void *member = (char *) target + o->offset;

        switch (o->kind) {
        case OPTION_BOOL:
                *(bool *) member = true;
                return 0;
        case OPTION_STRING:
                *(const char **) member = value;
                return 0;
        case OPTION_LIST:
        case OPTION_LINES:
                return list_extend(member, value, o->kind == OPTION_LIST);
        }
        return -EINVAL;
}

/* The row that getopt_long(3) has found, by its number or by its letter. */
static const Option *find_option(const OptionSet sets[static 2], int found, void **ret_target) {
        for (int set = 0; set < 2; set++)
                for (size_t row = 0; row < table_length(sets[set].table); row++) {
                        const Option *o = sets[set].table + row;

                        if (found == ((set + 1) << SET_SHIFT | (int) row) || (o->letter && found == o->letter)) {
                                *ret_target = sets[set].target;
                                return o;
                        }
                }
        return NULL;
}

int options_parse(const OptionSet sets[static 2], int argc, char **argv, bool stop_at_word, int *ret_rest) {
        struct option longs[OPTIONS_MAX + 1];
        char shorts[2 * OPTIONS_MAX + 3];
        int found;

        make_getopt(sets, stop_at_word, longs, shorts);
        opterr = 0;
        optind = 0; /* glibc: start afresh, also with its hidden state */
        while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
                const Option *o;
                void *target;
                int r;

                if (found == ':' || found == '?') {
                        (void) say_error(STATUS_USAGE,
                                         found == ':'         ? "option %s needs an argument; see --help"
                                         : optopt > UINT8_MAX ? "option %s takes no argument; see --help"
                                                              : "unknown option %s; see --help",
                                         argv[optind - 1]);
                        return -EINVAL;
                }
                o = find_option(sets, found, &target);
                if (!o)
                        return -EINVAL;
                r = option_apply(o, target, optarg);
                if (r < 0)
                        return r;
        }
        *ret_rest = optind;
        return 0;
}

void options_done(const OptionSet *set) {
        for (const Option *o = set->table; o && o->name; o++)
                if (o->kind == OPTION_LIST || o->kind == OPTION_LINES) {
                        char ***list = (void *) ((char *) set->target + o->offset);
                        *list = strv_free(*list);
                }
}

void options_print(const Option *table, FILE *f) {
        for (const Option *o = table; o && o->name; o++) {
                int n;

                if (!o->help)
                        continue;
                if (o->letter)
                        n = fprintf(f, "  -%c, --%s", o->letter, o->name);
                else
                        n = fprintf(f, "      --%s", o->name);
                if (o->metavar)
                        n += fprintf(f, " %s", o->metavar);
                if (n > HELP_COLUMN - 2) {
                        fputc('\n', f);
                        n = 0;
                }
                fprintf(f, "%*s%s\n", HELP_COLUMN - n, "", o->help);
        }
}
