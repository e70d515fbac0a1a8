/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_HTTP_LIMIT_H
#define JIT_HTTP_LIMIT_H

/* What keeps us from hurting a ticket system, and it from hurting us: a token bucket and a breaker. Plain values and
 * arithmetic; now_usec is CLOCK_BOOTTIME. */

#include <stdbool.h>
#include <stdint.h>

#include "timefmt.h"

enum {
        BREAKER_FAILURES_MAX = 5, /* in a row; then it opens */
};
#define BREAKER_OPEN_USEC_MIN USEC_PER_SEC
#define BREAKER_OPEN_USEC_MAX USEC_PER_MINUTE

typedef struct HttpBucket {
        uint64_t rate, burst;  /* tokens in a second; tokens at most */
        uint64_t level, stamp; /* millionths of a token, and when that was so */
} HttpBucket;

HttpBucket bucket_make(unsigned rate, unsigned burst, uint64_t now_usec);
/* 0: a token is there. Else so long until one is. */
uint64_t bucket_wait(HttpBucket *b, uint64_t now_usec);
void bucket_take(HttpBucket *b); /* only after bucket_wait() said 0 */

typedef enum BreakerState { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN } BreakerState;

typedef struct HttpBreaker {
        unsigned failures;   /* in a row */
        uint64_t open_usec;  /* for so long it was opened last */
        uint64_t until_usec; /* open until then, then half-open until a probe says more */
        bool probing;        /* half-open: one request is out, the others wait for what it brings */
} HttpBreaker;

BreakerState breaker_state(const HttpBreaker *b, uint64_t now_usec);
void breaker_succeeded(HttpBreaker *b);
/* probe: it was the one request of a half-open breaker. */
void breaker_failed(HttpBreaker *b, bool probe, uint64_t now_usec);

/* Between a half and one and a half of usec, evenly: so that many clients do not come back at the same moment. */
uint64_t jitter_usec(uint64_t usec);

#endif
