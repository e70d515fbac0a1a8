/* SPDX-License-Identifier: Apache-2.0 */

#include <locale.h>

#include "cleanup.h"
#include "jitctl.h"
#include "paths.h"

#ifndef JIT_VERSION
#define JIT_VERSION "1"
#endif

static const Verb *const verb_tables[] = {verbs_ticket,   verbs_elevate, verbs_grants, verbs_show, verbs_explain,
                                          verbs_provider, verbs_policy,  verbs_audit,  verbs_check};

static const Option common_options[] = {
                {"json", OPTION_BOOL, offsetof(Ctl, json), 0, NULL, "the answer as one JSON value with sorted keys"},
                {"no-color", OPTION_BOOL, offsetof(Ctl, no_color), 0, NULL, "no colours, as when NO_COLOR is set"},
                {"help", OPTION_BOOL, offsetof(Ctl, help), 'h', NULL, "this text; `jitctl COMMAND --help` says more"},
                {"version", OPTION_BOOL, offsetof(Ctl, version), 0, NULL, "the version"},
                /* for tests, without the environment */
                {"reaper-socket", OPTION_STRING, offsetof(Ctl, reaper_socket), 0, "PATH", NULL},
                {"approver-socket", OPTION_STRING, offsetof(Ctl, approver_socket), 0, "PATH", NULL},
                {"state", OPTION_STRING, offsetof(Ctl, state_dir), 0, "DIR", NULL},
                {"root", OPTION_STRING, offsetof(Ctl, root), 0, "DIR", NULL},
                {0},
};

static int print_help(void) {
        printf("Usage: jitctl [OPTION...] COMMAND [ARGUMENT...]\n\n"
               "Access by ticket: ask for it, approve it, see what is live, take it back, prove that it is gone.\n\n"
               "Commands:\n");
        for (size_t i = 0; i < ELEMENTSOF(verb_tables); i++)
                for (const Verb *v = verb_tables[i]; v->name; v++)
                        printf("  %-15s %-24s %s\n", v->name, v->args, v->summary);
        printf("\nOptions, for each command:\n");
        options_print(common_options, stdout);
        printf("\nExit status: 0 yes, 1 the answer is no, 2 usage, 3 a service cannot be reached, 4 not permitted.\n\n"
               "Example: alice asks, bob approves, alice logs in.\n"
               "  alice$ jitctl ticket new CHG0012345 --role dba --host db1 --for 1h --title 'restart postgres'\n"
               "  bob$ jitctl ticket approve CHG0012345\n"
               "  alice$ ssh jit-chg0012345@db1\n\n"
               "See jitctl(1).\n");
        return STATUS_OK;
}

static int print_verb_help(const Verb *v) {
        printf("Usage: jitctl %s [OPTION...]%s%s\n\n%s.\n\nOptions:\n", v->name, *v->args ? " " : "", v->args,
               v->summary);
        options_print(v->options, stdout);
        options_print(common_options, stdout);
        printf("\n%s", v->help);
        return STATUS_OK;
}

/* The number of words of v's name that argv starts with, if it is all of them. */
static int match_verb(const Verb *v, int argc, char **argv) {
        const char *name = v->name;
        int words = 0;

        while (*name) {
                size_t n = strcspn(name, " ");

                if (words >= argc || strlen(argv[words]) != n || strncmp(argv[words], name, n) != 0)
                        return 0;
                words++;
                name += n + (name[n] == ' ');
        }
        return words;
}

static const Verb *find_verb(int argc, char **argv, int *ret_words) {
        for (size_t i = 0; i < ELEMENTSOF(verb_tables); i++)
                for (const Verb *v = verb_tables[i]; v->name; v++) {
                        int words = match_verb(v, argc, argv);

                        if (words > 0) {
                                *ret_words = words;
                                return v;
                        }
                }
        return NULL;
}

static int no_command(const char *word, const char *next) {
        size_t n = strlen(word);
        bool group = false; /* word is the first of two */

        for (size_t i = 0; i < ELEMENTSOF(verb_tables); i++)
                for (const Verb *v = verb_tables[i]; v->name; v++)
                        group |= strncmp(v->name, word, n) == 0 && v->name[n] == ' ';
        return say_error(STATUS_USAGE, "there is no command \"%s%s%s\"; see jitctl --help", word,
                         group && next ? " " : "", group && next ? next : "");
}

/* argv[0] is the last word of the verb's name. */
static int run_verb(Ctl *ctl, const Verb *v, int argc, char **argv) {
        _cleanup_free_ void *options = calloc(1, v->options_size > 0 ? v->options_size : 1);
        OptionSet sets[2] = {{common_options, ctl}, {v->options, options}};
        int first = 1, status = STATUS_USAGE, r;
        size_t n;

        if (!options)
                return say_no_memory();
        r = options_parse(sets, argc, argv, false, &first);
        n = (size_t) (argc - first);
        if (r == -ENOMEM)
                status = say_no_memory();
        else if (r >= 0 && ctl->help)
                status = print_verb_help(v);
        else if (r >= 0 && (n < v->min_args || n > v->max_args))
                status = say_error(STATUS_USAGE, "usage: jitctl %s [OPTION...] %s; see jitctl %s --help", v->name,
                                   v->args, v->name);
        else if (r >= 0)
                status = v->run(ctl, argv + first, options);
        options_done(sets + 1);
        return status;
}

static int run(int argc, char **argv) {
        Ctl ctl = {.reaper_socket = REAPER_SOCKET,
                   .approver_socket = APPROVER_SOCKET,
                   .state_dir = JIT_STATE,
                   .root = ""};
        OptionSet sets[2] = {{common_options, &ctl}, {NULL, NULL}};
        const Verb *verb;
        int first = 1, words = 0;

        if (options_parse(sets, argc, argv, true, &first) < 0)
                return STATUS_USAGE;
        if (ctl.version) {
                puts("jitctl " JIT_VERSION);
                return STATUS_OK;
        }
        if (first >= argc)
                return ctl.help ? print_help() : say_error(STATUS_USAGE, "what is to be done? See jitctl --help");
        if (streq(argv[first], "help"))
                return print_help();
        verb = find_verb(argc - first, argv + first, &words);
        if (!verb)
                return no_command(argv[first], argv[first + 1]);
        return run_verb(&ctl, verb, argc - first - words + 1, argv + first + words - 1);
}

int main(int argc, char **argv) {
        int status;

        /* Only for wcwidth(3): a terminal that people look at names in is a UTF-8 one, whatever LANG an ssh session was
         * left with. */
        (void) setlocale(LC_CTYPE, "C.UTF-8");
        status = run(argc, argv);
        if (fflush(stdout) != 0 || ferror(stdout))
                return status == STATUS_OK ? say_error(STATUS_NO, "cannot write the answer") : status;
        return status;
}
