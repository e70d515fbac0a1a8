/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_APPROVAL_CACHE_H
#define JIT_APPROVAL_CACHE_H

/* What is known of a provider's tickets: an approval counts for a while (CacheSec=), and is kept longer than that for
 * comparing (QuestionMemory); so does the news that there is no such ticket (NegativeCacheSec=). Strangers choose the
 * names: both kinds are bounded by number, approvals by size too, and neither drives out the other. */

#include "http-question.h"

enum { CACHE_TICKETS_MAX = 4096, CACHE_UNKNOWN_MAX = 4096, CACHE_BYTES_MAX = 8 * 1024 * 1024 };

typedef struct ApprovalCache ApprovalCache;

int approval_cache_new(ApprovalCache **ret);
ApprovalCache *approval_cache_free(ApprovalCache *c);
DEFINE_CLEANUP(ApprovalCache, approval_cache_free);

typedef enum CacheHit { CACHE_NOTHING, CACHE_APPROVAL, CACHE_UNKNOWN, CACHE_FAILED } CacheHit;

/* Times: CLOCK_BOOTTIME. *ret_record: borrowed until the cache is next changed; CACHE_APPROVAL only. */
CacheHit approval_cache_get(ApprovalCache *c, const char *ticket, uint64_t now, ApprovalRecord **ret_record);
/* What its answers were; borrowed; NULL. */
QuestionMemory *approval_cache_memory(ApprovalCache *c, const char *ticket);
/* Without memory for it, nothing is kept. memory may be NULL. */
void approval_cache_put(ApprovalCache *c, const char *ticket, ApprovalRecord *record, QuestionMemory *memory,
                        uint64_t until);
void approval_cache_put_unknown(ApprovalCache *c, const char *ticket, uint64_t until);
/* No answer came in time: until then it is not asked again. What its answers were before is kept. */
void approval_cache_put_failed(ApprovalCache *c, const char *ticket, uint64_t until);
/* Nothing of it counts any more ("*": of none), but its answers may still be compared with. */
void approval_cache_forget(ApprovalCache *c, const char *ticket);

#endif
