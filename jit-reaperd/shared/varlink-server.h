/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_VARLINK_SERVER_H
#define JIT_VARLINK_SERVER_H

#include "varlink.h"

/* org.varlink.service (varlink-service.c): -ENOENT if the method is none of its. */
int varlink_service_call(VarlinkLink *l, const VarlinkInterface *const *interfaces, const char *method,
                         const json_t *parameters);

#endif
