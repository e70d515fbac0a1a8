/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file-io.h"
#include "json.h"
#include "log.h"
#include "strv.h"
#include "ticket-store.h"

#define SUFFIX ".json"
enum { FILE_NAME_SIZE = TICKET_ID_MAX + sizeof(SUFFIX) };

struct TicketStore {
        int fd;
        TicketEntry *entries; /* sorted by key */
        size_t n, allocated;
};

static void entry_done(TicketEntry *e) {
        free(e->key);
        free(e->created_by);
        strv_free(e->requesters);
        *e = (TicketEntry){0};
}

static int entry_from(const TicketDocument *d, TicketEntry *ret) {
        TicketEntry e = {.state = d->state, .not_after = d->ticket->not_after};

        if (!(e.key = strdup(d->ticket->key)) || (d->created_by && !(e.created_by = strdup(d->created_by))))
                goto fail;
        STRV_FOREACH (r, d->ticket->requesters)
                if (strv_extend(&e.requesters, *r) < 0)
                        goto fail;
        *ret = e;
        return 0;
fail:
        entry_done(&e);
        return -ENOMEM;
}

/* Where key is, or would be. */
static size_t find(const TicketStore *s, const char *key, bool *ret_found) {
        size_t low = 0, high = s->n;

        *ret_found = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c = strcmp(s->entries[middle].key, key);

                if (c == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (c < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static int index_grow(TicketStore *s) {
        size_t n = s->allocated ? 2 * s->allocated : 64;
        TicketEntry *p = reallocarray(s->entries, n, sizeof(*p));

        if (!p)
                return -ENOMEM;
        s->entries = p;
        s->allocated = n;
        return 0;
}

static int index_set(TicketStore *s, const TicketDocument *d) {
        TicketEntry e;
        bool found;
        size_t at = find(s, d->ticket->key, &found);
        int r;

        if (!found && s->n == s->allocated && (r = index_grow(s)) < 0)
                return r;
        if ((r = entry_from(d, &e)) < 0)
                return r;
        if (found)
                entry_done(&s->entries[at]);
        else {
                memmove(&s->entries[at + 1], &s->entries[at], (s->n - at) * sizeof(e));
                s->n++;
        }
        s->entries[at] = e;
        return 0;
}

static void index_remove(TicketStore *s, size_t at) {
        entry_done(&s->entries[at]);
        s->n--;
        memmove(&s->entries[at], &s->entries[at + 1], (s->n - at) * sizeof(s->entries[0]));
}

/* ---- files ---- */

static void file_name(const char *key, char ret[static FILE_NAME_SIZE]) {
        (void) snprintf(ret, FILE_NAME_SIZE, "%.*s" SUFFIX, TICKET_ID_MAX, key);
}

int ticket_store_get(TicketStore *s, const char *id, TicketDocument **ret) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ json_t *j = NULL;
        char key[TICKET_ID_MAX + 1], name[FILE_NAME_SIZE];
        size_t length;
        int r;

        if (ticket_id_parse(id, key) < 0)
                return -ENOENT;
        file_name(key, name);
        r = file_read_capped(s->fd, name, DOCUMENT_TEXT_MAX, false, &text, &length);
        if (r == -EFBIG || r == -ELOOP)
                return -EBADMSG;
        if (r < 0)
                return r;
        if (json_parse_strict(text, length, DOCUMENT_TEXT_MAX, &j, NULL) < 0)
                return -EBADMSG;
        if ((r = ticket_document_parse(j, &d, NULL)) < 0)
                return r;
        if (!streq(d->ticket->key, key))
                return -EBADMSG;
        *ret = take_ptr(d);
        return 0;
}

static int count(const TicketStore *s, const TicketDocument *d, uint64_t now) {
        size_t all = 0, open = 0;

        if (!d->created_by || streq(d->created_by, "root"))
                return 0;
        for (size_t i = 0; i < s->n; i++) {
                const TicketEntry *e = &s->entries[i];
                if (e->not_after <= now || !e->created_by || !streq(e->created_by, d->created_by))
                        continue;
                all++;
                open += e->state == TICKET_OPEN;
        }
        return all >= STORE_TICKETS_PER_USER_MAX || open >= STORE_OPEN_PER_USER_MAX ? -EDQUOT : 0;
}

/* A ticket whose window has passed can be forgotten: even if somebody brings it back open, nobody can use it. */
static int make_room(TicketStore *s, uint64_t now) {
        char name[FILE_NAME_SIZE];
        size_t oldest = 0;

        if (s->n < STORE_TICKETS_MAX)
                return 0;
        for (size_t i = 1; i < s->n; i++)
                if (s->entries[i].not_after < s->entries[oldest].not_after)
                        oldest = i;
        if (s->entries[oldest].not_after > now)
                return -ENOSPC;
        file_name(s->entries[oldest].key, name);
        if (unlinkat(s->fd, name, 0) < 0 && errno != ENOENT)
                return -errno;
        index_remove(s, oldest);
        return 0;
}

int ticket_store_put(TicketStore *s, const TicketDocument *d, uint64_t now) {
        _cleanup_json_ json_t *j = NULL;
        _cleanup_free_ char *text = NULL;
        char name[FILE_NAME_SIZE];
        bool found;
        int r;

        (void) find(s, d->ticket->key, &found);
        if (!found && ((r = count(s, d, now)) < 0 || (r = make_room(s, now)) < 0))
                return r;
        if (!(j = ticket_document_to_json(d, true)) || !(text = json_canonical(j)))
                return -ENOMEM;
        if (strlen(text) > DOCUMENT_TEXT_MAX)
                return -EFBIG;
        file_name(d->ticket->key, name);
        /* A new ticket or an approval that a power cut takes away is asked for again; a denial or a closing must not
         * come undone. */
        r = file_write_atomic(s->fd, name, text, strlen(text), 0600, (uid_t) -1, (gid_t) -1, d->state != TICKET_OPEN);
        return r < 0 ? r : index_set(s, d);
}

static void scan_file(TicketStore *s, const char *name) {
        JIT_CLEANUP(ticket_document_freep) TicketDocument *d = NULL;
        char key[TICKET_ID_MAX + 1];
        size_t length = strlen(name);
        int r = -EBADMSG;

        if (length > 4 && name[0] == '.' && streq(name + length - 4, ".tmp")) { /* of a write that was cut short */
                (void) unlinkat(s->fd, name, 0);
                return;
        }
        if (length > strlen(SUFFIX) && length - strlen(SUFFIX) < sizeof(key) &&
            streq(name + length - strlen(SUFFIX), SUFFIX)) {
                memcpy(key, name, length - strlen(SUFFIX));
                key[length - strlen(SUFFIX)] = '\0';
                r = ticket_store_get(s, key, &d);
        }
        if (r >= 0)
                r = index_set(s, d);
        if (r < 0)
                log_warning("tickets/%s: not a ticket document, ignoring: %s", name, strerror(-r));
}

int ticket_store_rescan(TicketStore *s) {
        int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                int r = -errno;
                closep(&fd);
                return r;
        }
        while (s->n > 0)
                entry_done(&s->entries[--s->n]);
        for (struct dirent *e; s->n < STORE_TICKETS_MAX && (e = readdir(dir));)
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        scan_file(s, e->d_name);
        (void) closedir(dir);
        return 0;
}

static int open_folder(const char *state_directory) {
        _cleanup_close_ int parent = open(state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd;

        if (parent < 0)
                return -errno;
        if (mkdirat(parent, "tickets", 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(parent, "tickets", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int ticket_store_new(const char *state_directory, TicketStore **ret) {
        JIT_CLEANUP(ticket_store_freep) TicketStore *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->fd = -1;
        if ((r = index_grow(s)) < 0 || (r = s->fd = open_folder(state_directory)) < 0 ||
            (r = ticket_store_rescan(s)) < 0)
                return r;
        *ret = take_ptr(s);
        return 0;
}

TicketStore *ticket_store_free(TicketStore *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n; i++)
                entry_done(&s->entries[i]);
        free(s->entries);
        closep(&s->fd);
        free(s);
        return NULL;
}

const TicketEntry *ticket_store_entries(const TicketStore *s, size_t *ret_n) {
        *ret_n = s->n;
        return s->entries;
}

bool ticket_store_has(const TicketStore *s, const char *key) {
        bool found;

        (void) find(s, key, &found);
        return found;
}
