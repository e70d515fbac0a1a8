/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_SERVER_H
#define JIT_PROVIDER_SERVER_H

/* What a provider's file says of its server and of what is needed to talk to it. Failures are logged, with the file. */

#include "http-login.h"
#include "jws.h"
#include "provider-file.h"

struct Approver;

int provider_server_new(struct Approver *a, const ProviderFile *f, HttpServer **ret_server, HttpLogin **ret_login);
/* *ret stays as it is without KeysFile=. */
int provider_keys_load(const ProviderFile *f, JwkSet **ret);

#endif
