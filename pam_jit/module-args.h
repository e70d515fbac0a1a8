/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_MODULE_ARGS_H
#define JIT_MODULE_ARGS_H

#include <stdbool.h>
#include <stdint.h>

/* What stands behind pam_jit.so in a PAM configuration file; pam_jit(8), OPTIONS. */
typedef struct ModuleArgs {
        const char *socket;    /* borrowed from argv or static */
        const char *elevated;  /* ELEVATED_DIR; borrowed as well */
        uint64_t timeout_usec; /* for connecting and calling together */
        bool wait;             /* for an approval, as long as the host lets one: jit.conf(5), WaitSec= */
        bool gate;             /* the host's own rules need a ticket, too */
        bool logins;           /* this line is for services that prove who a person is */
        bool inside;           /* this line is the one before pam_systemd(8) in a service that elevates: inside.h */
        bool elevations;       /* for those that change the user of a process: shared/pam-service.h */
        bool debug;
} ModuleArgs;

/* 0 or -EINVAL; then *ret_bad is the first argument at fault (borrowed from argv), and *ret holds usable values all the
 * same: those of all arguments that are right, wherever they stand, so that a gate is one next to a spelling mistake.
 */
int module_args_parse(int argc, const char **argv, ModuleArgs *ret, const char **ret_bad);

#endif
