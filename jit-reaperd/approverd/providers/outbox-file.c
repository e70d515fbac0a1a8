/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "file-io.h"
#include "json.h"
#include "log.h"
#include "outbox-file.h"
#include "timefmt.h"

enum { FILE_NAME_SIZE = OUTBOX_NAME_MAX + sizeof(".json") };

static bool name_is_valid(const char *name) {
        size_t n = strspn(name, "0123456789abcdef");

        return n == 16 && (streq(name + n, "-start") || streq(name + n, "-end"));
}

static bool provider_is_valid(const char *name) {
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return n > 0 && n <= OUTBOX_PROVIDER_MAX && name[n] == '\0';
}

static void file_name(const char *name, const char *state, char ret[static FILE_NAME_SIZE]) {
        (void) snprintf(ret, FILE_NAME_SIZE, "%.*s.%.4s", OUTBOX_NAME_MAX, name, state);
}

int outbox_folder_open(const char *state) {
        _cleanup_close_ int parent = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd;

        if (parent < 0)
                return -errno;
        if (mkdirat(parent, "outbox", 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(parent, "outbox", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

void outbox_file_done(OutboxFile *f) {
        json_decref(f->event);
        f->event = NULL;
}

/* kind and grant become members of the event, so that one program can write both comments. */
int outbox_file_make(const char *provider, const char *grant, const char *kind, const json_t *event, OutboxFile *ret) {
        OutboxFile f = {.at = now_usec(CLOCK_REALTIME)};
        const char *ticket = json_string_value(json_object_get(event, "ticket"));
        char name[FILE_NAME_SIZE];

        if (snprintf(name, sizeof(name), "%s-%s", grant, kind) > OUTBOX_NAME_MAX || !name_is_valid(name) ||
            !provider_is_valid(provider) || !ticket || ticket_id_parse(ticket, f.ticket) < 0)
                return -EINVAL;
        (void) snprintf(f.name, sizeof(f.name), "%.*s", OUTBOX_NAME_MAX, name);
        (void) snprintf(f.provider, sizeof(f.provider), "%s", provider);
        f.event = json_copy((json_t *) event);
        if (!f.event || json_set_str(f.event, "grant", grant) < 0 || json_set_str(f.event, "kind", kind) < 0) {
                outbox_file_done(&f);
                return -ENOMEM;
        }
        *ret = f;
        return 0;
}

bool outbox_file_exists(int folder, const char *name) {
        static const char *const states[] = {"json", "sent", "done"};
        char file[FILE_NAME_SIZE];

        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                file_name(name, states[i], file);
                if (faccessat(folder, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return true;
        }
        return false;
}

int outbox_file_write(int folder, const OutboxFile *f) {
        _cleanup_json_ json_t *j = json_pack("{s:s, s:s, s:I, s:O}", "provider", f->provider, "ticket", f->ticket, "at",
                                             (json_int_t) f->at, "event", f->event);
        _cleanup_free_ char *text = j ? json_canonical(j) : NULL;
        char file[FILE_NAME_SIZE];

        if (!text)
                return -ENOMEM;
        if (strlen(text) > OUTBOX_TEXT_MAX)
                return -EINVAL;
        file_name(f->name, "json", file);
        return file_write_atomic(folder, file, text, strlen(text), 0600, (uid_t) -1, (gid_t) -1, true);
}

typedef struct Content {
        char *provider, *ticket;
        uint64_t at;
        json_t *event;
} Content;

static void content_done(Content *c) {
        free(c->provider);
        free(c->ticket);
        json_decref(c->event);
}

static int content_parse(const char *text, size_t length, Content *ret) {
        static const JsonField fields[] = {
                        {"provider", JSON_FIELD_STRING, offsetof(Content, provider), OUTBOX_PROVIDER_MAX,
                         JSON_REQUIRED},
                        {"ticket", JSON_FIELD_STRING, offsetof(Content, ticket), TICKET_ID_MAX, JSON_REQUIRED},
                        {"at", JSON_FIELD_UINT, offsetof(Content, at), INT64_MAX, JSON_REQUIRED},
                        {"event", JSON_FIELD_OBJECT, offsetof(Content, event), 0, JSON_REQUIRED},
                        {0},
        };
        _cleanup_json_ json_t *j = NULL;
        int r = json_parse_strict(text, length, OUTBOX_TEXT_MAX, &j, NULL);

        return r < 0 ? r : json_dispatch(j, fields, ret, NULL);
}

int outbox_file_read(int folder, const char *name, bool event, OutboxFile *ret) {
        JIT_CLEANUP(content_done) Content c = {0};
        _cleanup_free_ char *text = NULL;
        char file[FILE_NAME_SIZE];
        OutboxFile f = {0};
        size_t length;
        int r;

        file_name(name, "json", file);
        r = file_read_capped(folder, file, OUTBOX_TEXT_MAX, false, &text, &length);
        if (r < 0)
                return r;
        r = content_parse(text, length, &c);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !provider_is_valid(c.provider) || ticket_id_parse(c.ticket, f.ticket) < 0)
                return -EBADMSG;
        (void) snprintf(f.name, sizeof(f.name), "%s", name);
        (void) snprintf(f.provider, sizeof(f.provider), "%s", c.provider);
        f.at = c.at;
        f.event = event ? take_ptr(c.event) : NULL;
        *ret = f;
        return 0;
}

int outbox_file_move(int folder, const char *name, const char *from, const char *to) {
        char old[FILE_NAME_SIZE], new[FILE_NAME_SIZE];

        file_name(name, from, old);
        file_name(name, to, new);
        if (renameat(folder, old, folder, new) < 0)
                return -errno;
        /* How long it is kept is counted from here. */
        (void) utimensat(folder, new, NULL, AT_SYMLINK_NOFOLLOW);
        return fsync(folder) < 0 ? -errno : 0;
}

int outbox_file_remove(int folder, const char *name, const char *state) {
        char file[FILE_NAME_SIZE];

        file_name(name, state, file);
        return unlinkat(folder, file, 0) < 0 ? -errno : 0;
}

static bool is_older(int folder, const char *file, uint64_t age_usec) {
        uint64_t now = now_usec(CLOCK_REALTIME);
        struct stat st;

        return fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
               (uint64_t) st.st_mtim.tv_sec * USEC_PER_SEC + age_usec < now;
}

static void scan_file(int folder, const char *file, uint64_t age_usec, outbox_found_t found, void *userdata) {
        const char *end = strrchr(file, '.'), *dot = end ? end : file + strlen(file);
        size_t n = (size_t) (dot - file);
        char name[OUTBOX_NAME_MAX + 1] = "";
        bool leftover, known;

        if (n <= OUTBOX_NAME_MAX)
                memcpy(name, file, n);
        leftover = file[0] == '.' && streq(dot, ".tmp"); /* of a write that was cut short */
        known = name_is_valid(name) && (streq(dot, ".json") || streq(dot, ".sent") || streq(dot, ".done"));

        if (leftover || (known && !streq(dot, ".json") && is_older(folder, file, age_usec)))
                (void) unlinkat(folder, file, 0);
        else if (!known)
                log_warning("outbox/%s: not a comment, ignoring", file);
        else
                found(name, dot + 1, userdata);
}

int outbox_folder_scan(int folder, uint64_t age_usec, outbox_found_t found, void *userdata) {
        int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                int r = -errno;
                closep(&fd);
                return r;
        }
        for (const struct dirent *e; (e = readdir(dir));)
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        scan_file(folder, e->d_name, age_usec, found, userdata);
        (void) closedir(dir);
        return 0;
}
