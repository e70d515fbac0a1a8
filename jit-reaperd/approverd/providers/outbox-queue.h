/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_OUTBOX_QUEUE_H
#define JIT_OUTBOX_QUEUE_H

/* Which comment is sent next, and when: those on one ticket one after the other, in the order they came; each again
 * after 5 s, 10 s ... 1 h; a few at a time. */

#include "http-question.h"
#include "outbox-file.h"
#include "outbox.h"

enum { SENDING_MAX = 8, SENDING_PER_PROVIDER_MAX = 2 };

typedef struct OutboxItem {        /* a comment that waits or is being sent */
        struct OutboxItem *next;   /* in the order they came */
        struct OutboxItem *before; /* the last one before it on the same ticket, which goes first */
        Outbox *outbox;
        OutboxFile file;                  /* without the event */
        uint64_t next_usec, backoff_usec; /* CLOCK_BOOTTIME; backoff 0: never failed */
        HttpQuestion *question;           /* for the values that the comment's request needs */
        HttpSend *send;
} OutboxItem;

typedef struct OutboxQueue { /* zeroed: empty */
        OutboxItem *first;
        OutboxItem *sending[SENDING_MAX]; /* NULL: free */
        unsigned n;
} OutboxQueue;

int outbox_queue_add(OutboxQueue *q, const OutboxFile *f, OutboxItem **ret);
void outbox_queue_remove(OutboxQueue *q, OutboxItem *i); /* frees it */
void outbox_queue_done(OutboxQueue *q);

bool outbox_queue_may_go(const OutboxQueue *q, const OutboxItem *i);
uint64_t outbox_queue_next(const OutboxQueue *q); /* when the first may go; USEC_INFINITY: none now */
void outbox_queue_started(OutboxQueue *q, OutboxItem *i);
void outbox_queue_landed(OutboxQueue *q, const OutboxItem *i);
/* It failed; whole_provider: and so would all others of that provider. */
void outbox_queue_later(OutboxQueue *q, OutboxItem *i, bool whole_provider);

#endif
