/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SUDO_STACK_H
#define JIT_SUDO_STACK_H

#include <stdbool.h>

/* Whether sudo(8) asks pam_jit when it opens a session, with -i and without: the stacks of sudo and sudo-i in folder
 * (/etc/pam.d), their includes followed, have a session line of pam_jit.so. Where it does not, what a rule of ours lets
 * somebody run would be in no scope and end at no deadline. Whatever cannot be read says no. */
bool sudo_stack_has_us(const char *folder);

#endif
