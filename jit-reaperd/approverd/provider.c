/* SPDX-License-Identifier: Apache-2.0 */

#include "provider.h"

const char *provider_result_reason(ProviderResult r) {
        static const char *const reasons[] = {
                        [PROVIDER_OK] = NULL,
                        [PROVIDER_NO_MEMORY] = NULL,
                        [PROVIDER_UNKNOWN] = "ticket-unknown",
                        [PROVIDER_INVALID] = "ticket-invalid",
                        [PROVIDER_UNREACHABLE] = "provider-unreachable",
                        [PROVIDER_TLS] = "provider-tls",
                        [PROVIDER_LOGIN] = "provider-login",
                        [PROVIDER_LIMIT] = "provider-limit",
                        [PROVIDER_ANSWER] = "provider-answer",
                        [PROVIDER_CANCELED] = "provider-unreachable",
        };

        return reasons[r];
}
