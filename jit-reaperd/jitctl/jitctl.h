/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_JITCTL_H
#define JIT_JITCTL_H

/* jitctl: one process, started by a person, without privilege of its own. What somebody may do is decided by the
 * daemons from the caller's kernel credentials; nothing here checks it.
 *
 * MUST: text from a daemon, a file or a ticket passes text_escape() before it reaches a terminal (table.c, say.c).
 * MUST NOT: read the environment, but for NO_COLOR, TERM and what ssh-keygen(1) needs. */

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "say.h"

typedef struct Ctl {
        bool json, no_color, help, version;
        const char *reaper_socket, *approver_socket, *state_dir,
                        *root; /* borrowed from the command line or constants */
} Ctl;

/* A subcommand. options is a table whose offsets are into a zeroed struct of options_size bytes. run gets the words
 * that are left, NULL-ended and min_args to max_args of them, and returns a STATUS_. */
typedef struct Verb {
        const char *name; /* "ticket new" */
        const char *args; /* for the usage line */
        size_t min_args, max_args;
        const char *summary;
        const Option *options; /* may be NULL */
        size_t options_size;
        const char *help; /* what --help says below the options: with an example, ends with a newline */
        int (*run)(const Ctl *ctl, char *const *args, const void *options);
} Verb;

/* Each ends with a NULL name. */
extern const Verb verbs_ticket[];   /* verb-ticket.c */
extern const Verb verbs_elevate[];  /* verb-elevate.c */
extern const Verb verbs_grants[];   /* verb-grants.c */
extern const Verb verbs_show[];     /* verb-show.c */
extern const Verb verbs_explain[];  /* verb-explain.c */
extern const Verb verbs_provider[]; /* verb-provider.c */
extern const Verb verbs_policy[];   /* verb-policy.c */
extern const Verb verbs_audit[];    /* verb-audit.c */
extern const Verb verbs_check[];    /* verb-check.c */

#endif
