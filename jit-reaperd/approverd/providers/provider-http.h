/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_HTTP_H
#define JIT_PROVIDER_HTTP_H

/* kind "http": tickets of another system, asked as its file says. One flight for each ticket (one for each question,
 * where the login's context is sent); what a flight brought may be used again for CacheSec=, an unknown ticket for
 * NegativeCacheSec=. */

#include "http-question.h"
#include "provider-file.h"
#include "provider.h"

struct Approver;
typedef struct HttpProvider HttpProvider;

/* Takes file over, also on failure. */
int provider_http_new(struct Approver *approver, ProviderFile *file, Provider **ret);
/* NULL for another kind. */
HttpProvider *http_provider(Provider *p);
const ProviderFile *http_provider_file(const HttpProvider *p);
HttpServer *http_provider_server(HttpProvider *p);
HttpLogin *http_provider_login(HttpProvider *p);
struct Approver *http_provider_approver(HttpProvider *p);
const JwkSet *http_provider_keys(const HttpProvider *p); /* NULL: answers are not signed */

/* The ticket may have changed: what is cached of it counts no more. "*": of all. */
void http_provider_forget(HttpProvider *p, const char *ticket);
/* `jitctl provider test`: as ask(), past every cache, and with a record of everything (http-question.h). person: "" or
 * NULL: not said. */
int http_provider_trace(HttpProvider *p, const char *ticket, const char *person, question_trace_t done, void *userdata);
/* `jitctl ticket new`: object is the ticket as its author wants it (without id), person who asks; by the file's
 * [Create]. ticket: in lower case. -EOPNOTSUPP: the file has none. done is called once, later. */
typedef void (*http_created_t)(ProviderResult result, const char *ticket, const char *why, void *userdata);
int http_provider_create(HttpProvider *p, const json_t *object, const char *person, http_created_t done,
                         void *userdata);

#endif
