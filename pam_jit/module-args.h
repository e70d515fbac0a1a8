/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_MODULE_ARGS_H
#define JIT_MODULE_ARGS_H

#include <stdbool.h>
#include <stdint.h>

/* What stands behind pam_jit.so in a PAM configuration file; pam_jit(8), OPTIONS. */
typedef struct ModuleArgs {
        const char *socket;    /* borrowed from argv or static */
        uint64_t timeout_usec; /* for connecting and calling together */
        bool wait;             /* for an approval, as long as the host lets one: jit.conf(5), WaitSec= */
        bool debug;
} ModuleArgs;

/* 0 or -EINVAL; then *ret_bad is the first argument at fault (borrowed from argv), and *ret holds usable values all the
 * same. */
int module_args_parse(int argc, const char **argv, ModuleArgs *ret, const char **ret_bad);

#endif
