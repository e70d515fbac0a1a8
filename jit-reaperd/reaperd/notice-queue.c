/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "approver-link.h"
#include "file-io.h"
#include "json.h"
#include "log.h"
#include "notice-queue.h"
#include "timefmt.h"

enum { NOTICE_FILE_MAX = 16 * 1024 };
#define RETRY_USEC USEC_PER_MINUTE

typedef struct Item {
        struct Item *next;
        uint64_t written_usec; /* as the file system has it; for the order at the start */
        char name[NOTICE_NAME_MAX];
} Item;

struct NoticeQueue {
        Manager *manager;
        Item *first, **end;
        unsigned n;
        VarlinkCall *call; /* about the first one */
        sd_event_source *retry;
};

static void item_drop(NoticeQueue *q) {
        Item *i = q->first;

        if (unlinkat(q->manager->dirs.notices, i->name, 0) < 0 && errno != ENOENT)
                log_warning("Cannot remove the notice %s, ignoring: it is sent again after a restart: %m", i->name);
        q->first = i->next;
        if (!q->first)
                q->end = &q->first;
        q->n--;
        free(i);
}

/* ---- sending ---- */

static void send_first(NoticeQueue *q);

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) s, (void) usec;
        notice_queue_send(userdata);
        return 0;
}

static void send_later(NoticeQueue *q) {
        if (q->retry)
                return;
        if (sd_event_add_time_relative(q->manager->event, &q->retry, CLOCK_BOOTTIME, RETRY_USEC, RETRY_USEC / 4,
                                       on_retry, q) < 0)
                log_warning("Notices wait until jit-approverd is started anew: cannot arm a timer");
}

/* Nobody has looked at it yet, or it is to be sent again. */
static bool is_passing(const char *error) {
        static const char *const errors[] = {"io.pamjit.Disconnected", "io.pamjit.Timeout", "io.pamjit.Protocol",
                                             "io.pamjit.Approver.TryAgain", VARLINK_ERROR_METHOD_NOT_FOUND};

        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (streq(error, errors[i]))
                        return true;
        return false;
}

static void on_sent(const char *error, json_t *parameters, bool continues, void *userdata) {
        NoticeQueue *q = userdata;

        (void) parameters, (void) continues;
        q->call = NULL;
        if (error && is_passing(error)) {
                log_debug("The notice %s waits: %s", q->first->name, error);
                send_later(q);
                return;
        }
        if (error)
                log_warning("jit-approverd does not take the notice %s, it is dropped: %s", q->first->name, error);
        item_drop(q);
        send_first(q);
}

/* As it was written, but a file may be damaged. */
static int read_notice(const NoticeQueue *q, json_t **ret) {
        _cleanup_free_ char *text = NULL;
        size_t length;
        int r = file_read_capped(q->manager->dirs.notices, q->first->name, NOTICE_FILE_MAX, true, &text, &length);

        return r < 0 ? r : json_parse_strict(text, length, NOTICE_FILE_MAX, ret, NULL);
}

static void send_first(NoticeQueue *q) {
        while (q->first && !q->call) {
                json_t *notice = NULL;
                int r = read_notice(q, &notice);

                if (r == -ENOMEM || r == -EMFILE || r == -ENFILE) {
                        send_later(q);
                        return;
                }
                if (r < 0) {
                        log_warning("The notice %s cannot be read, it is dropped: %s", q->first->name, strerror(-r));
                        item_drop(q);
                        continue;
                }
                if (approver_notice(q->manager, notice, on_sent, q, &q->call) < 0) {
                        send_later(q);
                        return;
                }
        }
}

void notice_queue_send(NoticeQueue *q) {
        q->retry = sd_event_source_disable_unref(q->retry);
        send_first(q);
}

/* ---- keeping ---- */

static int queue_append(NoticeQueue *q, const char *name, uint64_t written_usec) {
        Item *i = malloc(sizeof(*i));

        if (!i)
                return -ENOMEM;
        *i = (Item){.written_usec = written_usec};
        (void) snprintf(i->name, sizeof(i->name), "%s", name);
        *q->end = i;
        q->end = &i->next;
        q->n++;
        return 0;
}

int notice_queue_add(NoticeQueue *q, const char *name) {
        for (const Item *i = q->first; i; i = i->next)
                if (streq(i->name, name))
                        return 0;
        return queue_append(q, name, 0);
}

bool notice_queue_has_room(const NoticeQueue *q) {
        return q->n < NOTICES_MAX;
}

static bool is_notice(const char *name) {
        size_t n = strspn(name, "0123456789abcdef");

        return n == 16 && (streq(name + n, "-start.json") || streq(name + n, "-end.json"));
}

static int compare_items(const void *a, const void *b) {
        const Item *x = *(Item *const *) a, *y = *(Item *const *) b;

        if (x->written_usec != y->written_usec)
                return x->written_usec < y->written_usec ? -1 : 1;
        return -strcmp(x->name, y->name); /* of one grant, "start" before "end" */
}

static int queue_sort(NoticeQueue *q) {
        Item **items = calloc(q->n + 1, sizeof(*items));
        size_t n = 0;

        if (!items)
                return -ENOMEM;
        for (Item *i = q->first; i; i = i->next)
                items[n++] = i;
        qsort(items, n, sizeof(*items), compare_items);
        q->end = &q->first;
        for (size_t i = 0; i < n; i++) {
                *q->end = items[i];
                q->end = &items[i]->next;
        }
        *q->end = NULL;
        free(items);
        return 0;
}

static int queue_read(NoticeQueue *q) {
        int fd = openat(q->manager->dirs.notices, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d)
                return -errno;
        while (r >= 0 && (e = readdir(d))) {
                struct stat st;

                if (e->d_name[0] == '.' && (e->d_name[1] == 0 || streq(e->d_name, "..")))
                        continue;
                if (!is_notice(e->d_name)) /* a write that a kill cut short */
                        (void) unlinkat(fd, e->d_name, 0);
                else if (q->n < NOTICES_MAX && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) >= 0)
                        r = queue_append(q, e->d_name,
                                         (uint64_t) st.st_mtim.tv_sec * USEC_PER_SEC +
                                                         (uint64_t) st.st_mtim.tv_nsec / 1000);
        }
        (void) closedir(d);
        return r < 0 ? r : queue_sort(q);
}

int notice_queue_new(Manager *m, NoticeQueue **ret) {
        NoticeQueue *q = calloc(1, sizeof(*q));
        int r;

        if (!q)
                return -ENOMEM;
        q->manager = m;
        q->end = &q->first;
        r = queue_read(q);
        if (r < 0) {
                notice_queue_free(q);
                return r;
        }
        *ret = q;
        return 0;
}

NoticeQueue *notice_queue_free(NoticeQueue *q) {
        if (!q)
                return NULL;
        varlink_call_free(q->call);
        sd_event_source_disable_unref(q->retry);
        while (q->first) {
                Item *i = q->first;
                q->first = i->next;
                free(i);
        }
        free(q);
        return NULL;
}
