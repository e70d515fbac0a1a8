/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_POLICY_INPUT_H
#define JIT_POLICY_INPUT_H

#include <jansson.h>

#include "config.h"
#include "provider.h"

typedef struct PolicyInput {
        const Reference *reference;
        const char *account;
        const Approval *approval;
        const Role *role; /* NULL: there is none of that name */
        char *const *host_names;
        const char *phase, *service, *rhost, *tty; /* NULL: not known */
        const char *way;    /* account, elevate, gate: how the ticket is to be used; NULL: not known */
        const char *target; /* whom the command is to run as; NULL: not known */
        uint64_t now;
} PolicyInput;

/* What the policy sees; jit-approverd(8), "POLICY". NULL: no memory, or a text that is not UTF-8. */
json_t *policy_input(const PolicyInput *in);

#endif
