/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_NAME_H
#define JIT_PROVIDER_NAME_H

/* Each provider's name once, and a number for it in every grant: memory is counted by the grant. */

#include "manager.h"

/* 0: name is NULL, or there is no room for it. */
uint16_t provider_name_number(Manager *m, const char *name);
const char *provider_name(const Manager *m, uint16_t number); /* NULL for 0 */

#endif
