/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_CREATE_H
#define JIT_PROVIDER_CREATE_H

/* Opening tickets in another system ([Create]): http_provider_create() and what it has under way. */

#include "provider-http.h"

typedef struct Creation Creation;

/* Where p keeps its list. */
Creation **http_provider_creations(HttpProvider *p);
/* All under way are answered with PROVIDER_CANCELED. */
void creations_cancel(Creation **list);

#endif
