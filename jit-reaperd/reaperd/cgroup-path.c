/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "cgroup-path.h"
#include "cleanup.h"

static bool has_suffix(const char *name, const char *suffix) {
        size_t n = strlen(name), k = strlen(suffix);

        return n > k && streq(name + n - k, suffix);
}

/* "user-1000.slice", as systemd writes it: no sign, no zero in front. */
static uid_t slice_owner(const char *name) {
        unsigned long uid;
        char *end;

        if (strncmp(name, "user-", 5) != 0 || name[5] < '0' || name[5] > '9' || (name[5] == '0' && name[6] != '.'))
                return (uid_t) -1;
        errno = 0;
        uid = strtoul(name + 5, &end, 10);
        return errno == 0 && uid < UINT32_MAX && streq(end, ".slice") ? (uid_t) uid : (uid_t) -1;
}

static void slice_grant(const char *name, char ret[static 17]) {
        if (strncmp(name, "jit-", 4) == 0 && strspn(name + 4, "0123456789abcdef") == 16 && streq(name + 20, ".slice")) {
                memcpy(ret, name + 4, 16);
                ret[16] = 0;
        }
}

int cgroup_path_parse(const char *path, CgroupPlace *ret) {
        CgroupPlace place = {.slice = "-.slice", .owner = (uid_t) -1};
        char name[CGROUP_NAME_SIZE], top[CGROUP_NAME_SIZE] = "";

        if (*path != '/')
                return -EINVAL;
        for (unsigned depth = 0; *path; depth++) {
                size_t n = strcspn(++path, "/");
                if (n >= sizeof(name))
                        return -EINVAL;
                memcpy(name, path, n);
                name[n] = 0;
                path += n;
                if (n == 0) /* the root itself */
                        break;
                if (!has_suffix(name, ".slice")) {
                        memcpy(place.unit, name, n + 1);
                        break;
                }
                if (depth == 0)
                        memcpy(top, name, n + 1);
                else if (depth == 1 && streq(top, "user.slice"))
                        place.owner = slice_owner(name);
                else if (depth == 1 && streq(top, "jit.slice"))
                        slice_grant(name, place.grant);
                memcpy(place.slice, name, n + 1);
        }
        *ret = place;
        return 0;
}

char *cgroup_place_session(const CgroupPlace *place) {
        const char *id = place->unit + strlen("session-");
        size_t n;

        if (place->owner == (uid_t) -1 || strncmp(place->unit, "session-", strlen("session-")) != 0)
                return NULL;
        n = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        return n > 0 && streq(id + n, ".scope") ? strndup(id, n) : NULL;
}

int cgroup_place_of(pid_t pid, CgroupPlace *ret) {
        _cleanup_free_ char *line = NULL;
        char file[40];
        size_t size = 0;

        (void) snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
        _cleanup_fclose_ FILE *f = fopen(file, "re");
        while (f && getline(&line, &size, f) > 0)
                if (strncmp(line, "0::", 3) == 0) {
                        line[strcspn(line, "\n")] = 0; /* the kernel makes no cgroup with a newline in its name */
                        return cgroup_path_parse(line + 3, ret);
                }
        return -ESRCH;
}
