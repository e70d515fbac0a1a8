/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_VERB_TICKET_H
#define JIT_VERB_TICKET_H

/* Subcommands of `jitctl ticket` that are long enough for a file of their own; verb-ticket.c has their rows. */

#include <jansson.h>

#include "jitctl.h"

typedef struct NewOptions {
        const char *role, *from, *until, *span, *title, *reason, *output, *provider;
        char **hosts, **requesters, **keys, **commands;
        bool no_key, emergency;
} NewOptions;

extern const Option new_options[];
extern const char new_help[];
int verb_ticket_new(const Ctl *ctl, char *const *args, const void *options);
/* new-provided.c: --provider. ticket: what the provider's [Create] takes. */
int new_provided_check(const NewOptions *o, const char *id);
int new_provided_send(const Ctl *ctl, const NewOptions *o, json_t *ticket);

typedef struct ApproveOptions {
        const char *as, *key, *file, *output;
        bool yes;
} ApproveOptions;

extern const Option approve_options[];
extern const char approve_help[];
int verb_ticket_approve(const Ctl *ctl, char *const *args, const void *options);

#endif
