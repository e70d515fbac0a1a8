/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_SET_H
#define JIT_PROVIDER_SET_H

/* All providers of this host: "signed" first, then those of providers.d by name. A name belongs to the first provider
 * whose tickets it fits: signed by its store, http by Ticket=. */

#include "policy-service.h"
#include "provider.h"

struct Approver;
typedef struct ProviderSet ProviderSet;

/* Reads etc/providers.d. A file that is wrong is logged and left out, or stays as it was when there was one before: its
 * tickets are refused rather than judged by half a file. */
int provider_set_new(struct Approver *a, ProviderSet **ret);
ProviderSet *provider_set_free(ProviderSet *s);
/* Anew, if a file of providers.d has changed since, or always: compiling the programs of one file takes some 50 ms.
 * Questions under way are answered with PROVIDER_CANCELED. */
void provider_set_reload(ProviderSet *s, bool always);

/* account: jit-TICKET or jit-TICKET-PERSON in lower case. -ENOENT. */
int provider_set_resolve(ProviderSet *s, const char *account, Reference *ret);
/* account: jit-TICKET in lower case, person: who asks for it, and must be one of its requesters. -ENOENT. */
int provider_set_refer(ProviderSet *s, const char *account, const char *person, Reference *ret);
Provider *provider_set_find(ProviderSet *s, const char *name); /* NULL */
Provider *provider_set_first(ProviderSet *s);                  /* "signed" */
Provider *provider_set_next(ProviderSet *s, Provider *p);      /* NULL at the end */
/* Files that are not used: [{name, kind, error}]; borrowed. */
json_t *provider_set_refused(const ProviderSet *s);
/* Whether there is such a file with no good one before it: whose tickets it has is not known. */
bool provider_set_lacks_file(const ProviderSet *s);
/* The additional policies (Kind=policy). */
PolicyService *const *provider_set_policies(ProviderSet *s, size_t *ret_n);
/* The one behind this name ("": the first one); NULL: none. */
PolicyService *provider_set_next_policy(ProviderSet *s, const char *name);
/* A file that is not used and may be such a policy, by name: what it would forbid is not known, so nothing may be
 * allowed. NULL: none. */
const char *provider_set_lacking_policy(const ProviderSet *s);

#endif
