/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/random.h>

#include "approval-cache.h"

enum { BUCKETS = 1024, SIZE_UNKNOWN = 16 * 1024 /* of a record that was never measured */ };

typedef struct Entry {
        struct Entry *next;          /* in its bucket */
        struct Entry *newer, *older; /* in its list */
        char ticket[TICKET_ID_MAX + 1];
        ApprovalRecord *record; /* NULL: there is no such ticket */
        QuestionMemory *memory;
        uint64_t until, failed_until;
        size_t size;
} Entry;

typedef struct EntryList { /* in the order of their last use */
        Entry *newest, *oldest;
        size_t n;
} EntryList;

struct ApprovalCache {
        Entry *buckets[BUCKETS];
        EntryList approvals, unknown;
        size_t bytes;
        uint32_t seed;
};

static uint32_t hash(uint32_t seed, const char *text) {
        uint32_t h = 2166136261U ^ seed;

        for (const unsigned char *p = (const unsigned char *) text; *p; p++)
                h = (h ^ *p) * 16777619U;
        return h ^ h >> 15;
}

static Entry **find(ApprovalCache *c, const char *ticket) {
        Entry **p = &c->buckets[hash(c->seed, ticket) % BUCKETS];

        while (*p && !streq((*p)->ticket, ticket))
                p = &(*p)->next;
        return p;
}

static EntryList *list_of(ApprovalCache *c, const Entry *e) {
        return e->record ? &c->approvals : &c->unknown;
}

static void list_remove(EntryList *l, Entry *e) {
        *(e->newer ? &e->newer->older : &l->newest) = e->older;
        *(e->older ? &e->older->newer : &l->oldest) = e->newer;
        l->n--;
}

static void list_add(EntryList *l, Entry *e) {
        e->newer = NULL;
        e->older = l->newest;
        *(l->newest ? &l->newest->newer : &l->oldest) = e;
        l->newest = e;
        l->n++;
}

static void entry_remove(ApprovalCache *c, Entry **place) {
        Entry *e = *place;

        *place = e->next;
        list_remove(list_of(c, e), e);
        c->bytes -= e->size;
        approval_record_unref(e->record);
        question_memory_unref(e->memory);
        free(e);
}

static void make_room(ApprovalCache *c) {
        while (c->approvals.n > CACHE_TICKETS_MAX || (c->bytes > CACHE_BYTES_MAX && c->approvals.n > 1))
                entry_remove(c, find(c, c->approvals.oldest->ticket));
        while (c->unknown.n > CACHE_UNKNOWN_MAX)
                entry_remove(c, find(c, c->unknown.oldest->ticket));
}

static void put(ApprovalCache *c, const char *ticket, ApprovalRecord *record, QuestionMemory *memory, uint64_t until) {
        Entry **place = find(c, ticket), *e;

        if (*place)
                entry_remove(c, place);
        if (!(e = malloc(sizeof(*e))))
                return;
        place = find(c, ticket);
        *e = (Entry){.record = record ? approval_record_ref(record) : NULL,
                     .memory = question_memory_ref(memory),
                     .until = until,
                     .size = memory   ? memory->size
                             : record ? SIZE_UNKNOWN
                                      : 0};
        (void) snprintf(e->ticket, sizeof(e->ticket), "%s", ticket);
        *place = e;
        list_add(list_of(c, e), e);
        c->bytes += e->size;
        make_room(c);
}

int approval_cache_new(ApprovalCache **ret) {
        ApprovalCache *c = calloc(1, sizeof(*c));

        if (!c)
                return -ENOMEM;
        /* Nobody outside shall choose which tickets fall together; without entropy they only might. */
        (void) !getrandom(&c->seed, sizeof(c->seed), GRND_NONBLOCK);
        *ret = c;
        return 0;
}

ApprovalCache *approval_cache_free(ApprovalCache *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < BUCKETS; i++)
                while (c->buckets[i])
                        entry_remove(c, &c->buckets[i]);
        free(c);
        return NULL;
}

CacheHit approval_cache_get(ApprovalCache *c, const char *ticket, uint64_t now, ApprovalRecord **ret_record) {
        Entry *e = *find(c, ticket);

        if (!e || (e->until <= now && e->failed_until <= now))
                return CACHE_NOTHING;
        if (e->until <= now)
                return CACHE_FAILED;
        if (!e->record)
                return CACHE_UNKNOWN;
        *ret_record = e->record;
        return CACHE_APPROVAL;
}

QuestionMemory *approval_cache_memory(ApprovalCache *c, const char *ticket) {
        const Entry *e = *find(c, ticket);

        return e ? e->memory : NULL;
}

void approval_cache_put(ApprovalCache *c, const char *ticket, ApprovalRecord *record, QuestionMemory *memory,
                        uint64_t until) {
        Entry *e = *find(c, ticket);

        if (!e || !e->record || e->record != record || e->memory != memory) {
                put(c, ticket, record, memory, until);
                return;
        }
        e->until = until;
        e->failed_until = 0;
        list_remove(&c->approvals, e);
        list_add(&c->approvals, e);
}

void approval_cache_put_unknown(ApprovalCache *c, const char *ticket, uint64_t until) {
        put(c, ticket, NULL, NULL, until);
}

void approval_cache_put_failed(ApprovalCache *c, const char *ticket, uint64_t until) {
        Entry *e = *find(c, ticket);

        if (!e) {
                put(c, ticket, NULL, NULL, 0);
                e = *find(c, ticket);
        }
        if (e)
                e->failed_until = until;
}

void approval_cache_forget(ApprovalCache *c, const char *ticket) {
        Entry *e;

        if (!streq(ticket, "*")) {
                if ((e = *find(c, ticket)))
                        e->until = e->failed_until = 0;
                return;
        }
        for (e = c->approvals.newest; e; e = e->older)
                e->until = e->failed_until = 0;
        for (e = c->unknown.newest; e; e = e->older)
                e->until = e->failed_until = 0;
}
