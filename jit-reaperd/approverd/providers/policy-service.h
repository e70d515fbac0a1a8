/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_POLICY_SERVICE_H
#define JIT_POLICY_SERVICE_H

/* A policy that another program decides (Kind=policy, Open Policy Agent): asked after policy.jq said yes, with the same
 * input; it can only take away. Its Program= makes {allow, reasons, ttl_usec, message} of the answer. */

#include "policy.h"
#include "provider-file.h"
#include "provider.h"

struct Approver;
typedef struct PolicyService PolicyService;

int policy_service_new(struct Approver *a, ProviderFile *file, PolicyService **ret); /* takes file over */
PolicyService *policy_service_free(PolicyService *s); /* questions under way: PROVIDER_CANCELED */
const char *policy_service_name(const PolicyService *s);
/* result->allow only where error is PROVIDER_OK. Called once, perhaps before this returns. */
typedef void (*policy_service_done_t)(ProviderResult error, const PolicyResult *result, const char *why,
                                      void *userdata);
int policy_service_ask(PolicyService *s, const json_t *input, policy_service_done_t done, void *userdata);

#endif
