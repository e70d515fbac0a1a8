/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_HTTP_TOKEN_H
#define JIT_HTTP_TOKEN_H

/* What is said to and by an OAuth2 token endpoint. No state; secrets are erased by whom they are given to. */

#include "http-login.h"
#include "timefmt.h"

enum { TOKEN_ANSWER_MAX = 64 * 1024, TOKEN_MAX = 8 * 1024, HEADER_VALUE_MAX = 8 * 1024 };
#define TOKEN_EARLY_USEC (30 * USEC_PER_SEC)         /* a token is not used in the last part of its life */
#define TOKEN_LIFE_USEC_UNSAID (5 * USEC_PER_MINUTE) /* the server does not say (RFC 6749 section 5.1) */
#define TOKEN_LIFE_USEC_MAX (24 * USEC_PER_HOUR)

bool token_is_valid(const char *token);        /* b64token, RFC 6750 section 2.1 */
bool header_value_is_valid(const char *value); /* printable ASCII, not empty */

/* "ID:SECRET" as HTTP Basic wants it: both form-encoded first (RFC 6749 section 2.3.1). -ENOMEM. */
int token_login(const char *client_id, const char *secret, char **ret);
int token_body(const char *scope, char **ret); /* scope may be NULL. -ENOMEM */

/* ret_header: "Authorization: Bearer ...", ret_life_usec; or ret_why (HTTP_WHY_MAX bytes). */
ProviderResult token_parse(const HttpAnswer *answer, char **ret_header, uint64_t *ret_life_usec, char *ret_why);

#endif
