/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>

#include "cleanup.h"
#include "file-io.h"
#include "name.h"
#include "uid-range.h"

enum {
        BLOCK = 64,        /* numbers taken ahead with one write to the disk; a crash loses the rest of it */
        RETURNED_MAX = 256,/* names whose unused number is remembered; the oldest is overwritten */
};

typedef struct Returned {
        char account[ACCOUNT_NAME_MAX + 1];
        uid_t uid;
} Returned;

struct UidRange {
        int dir_fd;
        uid_t min, max, next, block_end; /* numbers below block_end are ours on disk already */
        uid_t *foreign;                  /* accounts of /etc/passwd inside the range */
        size_t n_foreign;
        Returned returned[RETURNED_MAX];
        size_t returned_next;
};

/* /etc/passwd itself and not getpwent(): name services may be us, or a network. */
static int read_foreign(UidRange *u, const char *root) {
        _cleanup_free_ char *path = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        struct passwd *pw;

        if (asprintf(&path, "%s/etc/passwd", root) < 0)
                return -ENOMEM;
        f = fopen(path, "re");
        if (!f)
                return errno == ENOENT ? 0 : -errno;
        while ((pw = fgetpwent(f))) {
                uid_t *p;
                if (pw->pw_uid < u->min || pw->pw_uid > u->max)
                        continue;
                p = reallocarray(u->foreign, u->n_foreign + 1, sizeof(*p));
                if (!p)
                        return -ENOMEM;
                u->foreign = p;
                u->foreign[u->n_foreign++] = pw->pw_uid;
        }
        return 0;
}

static int check_subids(const UidRange *u, const char *root, const char *name, char *ret_why) {
        _cleanup_free_ char *path = NULL, *line = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t size = 0;

        if (asprintf(&path, "%s/etc/%s", root, name) < 0)
                return -ENOMEM;
        f = fopen(path, "re");
        if (!f)
                return errno == ENOENT ? 0 : -errno;
        while (getline(&line, &size, f) > 0) {
                unsigned long long first, count;
                const char *colon = strchr(line, ':');

                /* subuid(5): name:first:count */
                if (!colon || sscanf(colon + 1, "%llu:%llu", &first, &count) != 2 || count == 0)
                        continue;
                if (count > UINT32_MAX)
                        count = UINT32_MAX;
                if (first <= u->max && first + count - 1 >= u->min) {
                        (void) snprintf(ret_why, 256, "UIDRange=%u-%u overlaps %llu-%llu, which /etc/%s gives to %.*s",
                                        u->min, u->max, first, first + count - 1, name, (int) (colon - line), line);
                        return -EADDRINUSE;
                }
        }
        return 0;
}

static int counter_write(UidRange *u, uid_t block_end) {
        char text[32];
        int n = snprintf(text, sizeof(text), "%u\n", block_end);

        return file_write_atomic(u->dir_fd, "uid-next", text, (size_t) n, 0600, 0, 0, true);
}

static int counter_read(UidRange *u) {
        _cleanup_free_ char *text = NULL;
        unsigned value;
        int r = file_read_capped(u->dir_fd, "uid-next", 32, true, &text, NULL);

        u->next = u->min + 1;
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        /* A range that was changed meanwhile starts at its beginning. */
        if (sscanf(text, "%u", &value) == 1 && value > u->min && value <= u->max)
                u->next = value;
        return 0;
}

int uid_range_open(int dir_fd, const char *root, uid_t min, uid_t max, UidRange **ret, char *ret_why) {
        UidRange *u = calloc(1, sizeof(*u));
        int r;

        if (!u)
                return -ENOMEM;
        *u = (UidRange){.dir_fd = dir_fd, .min = min, .max = max};
        ret_why[0] = 0;
        r = check_subids(u, root, "subuid", ret_why);
        if (r >= 0)
                r = check_subids(u, root, "subgid", ret_why);
        if (r >= 0)
                r = read_foreign(u, root);
        if (r >= 0)
                r = counter_read(u);
        if (r < 0) {
                uid_range_free(u);
                return r;
        }
        u->block_end = u->next;
        *ret = u;
        return 0;
}

void uid_range_keep(UidRange *u) {
        if (u && u->block_end > u->next)
                (void) counter_write(u, u->next > u->max ? u->min + 1 : u->next);
}

UidRange *uid_range_free(UidRange *u) {
        if (!u)
                return NULL;
        free(u->foreign);
        free(u);
        return NULL;
}

static bool is_foreign(const UidRange *u, uid_t uid) {
        for (size_t i = 0; i < u->n_foreign; i++)
                if (u->foreign[i] == uid)
                        return true;
        return false;
}

/* Takes the next number off the block, and a new block ahead of it on the disk when it is used up. */
static int next_number(UidRange *u, uid_t *ret) {
        if (u->next > u->max) {
                u->next = u->min + 1;
                u->block_end = u->next;
        }
        if (u->next >= u->block_end) {
                uid_t end = u->max - u->next < BLOCK ? u->max + 1 : u->next + BLOCK;
                int r = counter_write(u, end > u->max ? u->min + 1 : end);
                if (r < 0)
                        return r;
                u->block_end = end;
        }
        *ret = u->next++;
        return 0;
}

int uid_range_take(UidRange *u, const char *account, bool (*is_taken)(uid_t uid, void *userdata), void *userdata, uid_t *ret) {
        for (size_t i = 0; i < RETURNED_MAX; i++)
                if (u->returned[i].uid != 0 && streq(u->returned[i].account, account)) {
                        uid_t uid = u->returned[i].uid;

                        u->returned[i].uid = 0;
                        if (is_taken(uid, userdata)) /* the whole range has gone by meanwhile */
                                break;
                        *ret = uid;
                        return 0;
                }
        for (uid_t tries = 0; tries <= u->max - u->min; tries++) {
                uid_t uid;
                int r = next_number(u, &uid);

                if (r < 0)
                        return r;
                if (!is_foreign(u, uid) && !is_taken(uid, userdata)) {
                        *ret = uid;
                        return 0;
                }
        }
        return -ENOSPC;
}

void uid_range_give_back(UidRange *u, const char *account, uid_t uid) {
        Returned *r = &u->returned[u->returned_next++ % RETURNED_MAX];

        (void) snprintf(r->account, sizeof(r->account), "%s", account);
        r->uid = uid;
}

bool uid_range_contains(const UidRange *u, uid_t uid) {
        return uid >= u->min && uid <= u->max;
}

uid_t uid_range_next(const UidRange *u) {
        return u->next;
}

uid_t uid_range_sender(const UidRange *u) {
        return u->min;
}
