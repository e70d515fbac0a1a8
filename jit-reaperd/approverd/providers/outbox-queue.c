/* SPDX-License-Identifier: Apache-2.0 */

#include "outbox-queue.h"

#define RETRY_MIN_USEC (5 * USEC_PER_SEC)
#define RETRY_MAX_USEC USEC_PER_HOUR

static bool is_sending(const OutboxItem *i) {
        return i->question || i->send;
}

/* By when they came; a grant's start before its end. */
static bool is_before(const OutboxItem *a, const OutboxItem *b) {
        return a->file.at != b->file.at ? a->file.at < b->file.at : strcmp(a->file.name, b->file.name) > 0;
}

static bool same_ticket(const OutboxFile *a, const OutboxFile *b) {
        return streq(a->ticket, b->ticket) && streq(a->provider, b->provider);
}

static void link_ticket(OutboxQueue *q, const OutboxFile *f) {
        OutboxItem *last = NULL;

        for (OutboxItem *i = q->first; i; i = i->next)
                if (same_ticket(&i->file, f)) {
                        i->before = last;
                        last = i;
                }
}

static OutboxItem *item_free(OutboxItem *i) {
        http_question_free(i->question);
        http_send_free(i->send);
        free(i);
        return NULL;
}

int outbox_queue_add(OutboxQueue *q, const OutboxFile *f, OutboxItem **ret) {
        OutboxItem *i = calloc(1, sizeof(*i)), **p = &q->first;

        if (!i)
                return -ENOMEM;
        i->file = *f;
        i->file.event = NULL;
        while (*p && !is_before(i, *p))
                p = &(*p)->next;
        i->next = *p;
        *p = i;
        q->n++;
        link_ticket(q, f);
        *ret = i;
        return 0;
}

void outbox_queue_remove(OutboxQueue *q, OutboxItem *i) {
        OutboxFile f = i->file;

        for (OutboxItem **p = &q->first; *p; p = &(*p)->next)
                if (*p == i) {
                        *p = i->next;
                        q->n--;
                        break;
                }
        (void) item_free(i);
        link_ticket(q, &f);
}

void outbox_queue_done(OutboxQueue *q) {
        for (OutboxItem *i = q->first, *next; i; i = next) {
                next = i->next;
                (void) item_free(i);
        }
        *q = (OutboxQueue){0};
}

bool outbox_queue_may_go(const OutboxQueue *q, const OutboxItem *i) {
        unsigned n = 0, of_provider = 0;

        if (is_sending(i) || i->before)
                return false;
        for (size_t k = 0; k < SENDING_MAX; k++)
                if (q->sending[k]) {
                        n++;
                        if (streq(q->sending[k]->file.provider, i->file.provider))
                                of_provider++;
                }
        return n < SENDING_MAX && of_provider < SENDING_PER_PROVIDER_MAX;
}

uint64_t outbox_queue_next(const OutboxQueue *q) {
        uint64_t soonest = USEC_INFINITY;

        for (const OutboxItem *i = q->first; i; i = i->next)
                if (i->next_usec < soonest && outbox_queue_may_go(q, i))
                        soonest = i->next_usec;
        return soonest;
}

void outbox_queue_started(OutboxQueue *q, OutboxItem *i) {
        for (size_t k = 0; k < SENDING_MAX; k++)
                if (!q->sending[k]) {
                        q->sending[k] = i;
                        return;
                }
}

void outbox_queue_landed(OutboxQueue *q, const OutboxItem *i) {
        for (size_t k = 0; k < SENDING_MAX; k++)
                if (q->sending[k] == i)
                        q->sending[k] = NULL;
}

/* A system that cannot be reached for one comment is not asked at once for the next one. */
void outbox_queue_later(OutboxQueue *q, OutboxItem *i, bool whole_provider) {
        uint64_t b = i->backoff_usec ? 2 * i->backoff_usec : RETRY_MIN_USEC;

        i->backoff_usec = b > RETRY_MAX_USEC ? RETRY_MAX_USEC : b;
        i->next_usec = now_usec(CLOCK_BOOTTIME) + i->backoff_usec;
        for (OutboxItem *j = whole_provider ? q->first : NULL; j; j = j->next)
                if (!is_sending(j) && j->next_usec < i->next_usec && streq(j->file.provider, i->file.provider))
                        j->next_usec = i->next_usec;
}
