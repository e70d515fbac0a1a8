/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PAM_STACK_H
#define JIT_PAM_STACK_H

/* pam.conf(5): what stands in a service's stack, its includes followed. Lines of pam_jit.so that are not for such a
 * service (pam_jit(8), logins and elevations) are none. */

#include <stdbool.h>

typedef struct PamStack {
        bool found;       /* the service has a file; without one, libpam takes that of "other", and so do we */
        unsigned modules; /* places are counted from 1; 0: not there */
        unsigned systemd_at, unix_at, loginuid_at; /* the first of each */
        unsigned jit_first, jit_last;              /* pam_jit.so, but for the line that only looks around: */
        unsigned inside_at;                        /* with the argument inside */
        bool gate;                                 /* one of them has the argument gate */
        bool ignored;                              /* the no of one of them counts for nothing */
        bool open_without;                         /* one with gate lets everybody through when the module is missing */
} PamStack;

/* type: auth, account or session. 0, or the errno of the service's own file: -ENOENT is none. */
int pam_stack_read(const char *root, const char *service, const char *type, PamStack *ret);

#endif
