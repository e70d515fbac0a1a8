/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_ROLE_CHECK_H
#define JIT_ROLE_CHECK_H

#include "manager.h"

/* Has visudo(8) check the sudo rules of all roles before they are taken into use, as one file, without waiting for it. config changes hands to
 * done; why: NULL if all is well. A host without visudo has no sudo to check for.
 *
 * One whose visudo refuses even the simplest rule of ours has a sudo that does not know NOTAFTER= (sudo-rs). It would leave our lines out and print
 * each of them on everybody's terminal, so none are written: config->no_sudo_rules. */
typedef void (*role_check_t)(Manager *m, Config *config, const char *why);
int role_check_start(Manager *m, Config *config, role_check_t done);

#endif
