/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/random.h>

#include "http-limit.h"

#define TOKEN UINT64_C(1000000)

HttpBucket bucket_make(unsigned rate, unsigned burst, uint64_t now_usec) {
        return (HttpBucket){.rate = rate, .burst = burst, .level = burst * TOKEN, .stamp = now_usec};
}

uint64_t bucket_wait(HttpBucket *b, uint64_t now_usec) {
        uint64_t full = b->burst * TOKEN, passed = now_usec > b->stamp ? now_usec - b->stamp : 0;

        /* One microsecond brings `rate` millionths of a token. */
        b->level = passed >= (full - b->level) / b->rate ? full : b->level + passed * b->rate;
        b->stamp = now_usec;
        return b->level >= TOKEN ? 0 : (TOKEN - b->level) / b->rate + 1;
}

void bucket_take(HttpBucket *b) {
        b->level -= TOKEN;
}

uint64_t jitter_usec(uint64_t usec) {
        uint32_t random = 0;

        /* Without random numbers, which Linux always has soon after boot, there is no jitter, and all else is well. */
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
                return usec;
        return usec / 2 + usec * (random >> 12) / ((UINT32_MAX >> 12) + UINT64_C(1));
}

BreakerState breaker_state(const HttpBreaker *b, uint64_t now_usec) {
        if (b->failures < BREAKER_FAILURES_MAX)
                return BREAKER_CLOSED;
        return now_usec < b->until_usec ? BREAKER_OPEN : BREAKER_HALF_OPEN;
}

void breaker_succeeded(HttpBreaker *b) {
        *b = (HttpBreaker){0};
}

void breaker_failed(HttpBreaker *b, bool probe, uint64_t now_usec) {
        if (b->failures < BREAKER_FAILURES_MAX)
                b->failures++;
        if (b->failures < BREAKER_FAILURES_MAX)
                return;
        if (b->open_usec == 0)
                b->open_usec = BREAKER_OPEN_USEC_MIN;
        else if (probe)
                b->open_usec = b->open_usec * 2 < BREAKER_OPEN_USEC_MAX ? b->open_usec * 2 : BREAKER_OPEN_USEC_MAX;
        else
                return; /* was on its way when the breaker opened: says nothing new */
        b->until_usec = now_usec + jitter_usec(b->open_usec);
        b->probing = false;
}
