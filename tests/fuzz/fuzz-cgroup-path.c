/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup-path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

static bool is_slice(const char *name) {
        size_t n = strlen(name);

        return n >= 6 && strcmp(name + n - 6, ".slice") == 0;
}

/* What is told of a place is at the beginning of its path, in so many words: a name further down, which a user may have
 * chosen, says nothing. */
static void check_beginning(const char *path, const CgroupPlace *place) {
        char beginning[64];

        if (place->owner != (uid_t) -1) {
                (void) snprintf(beginning, sizeof(beginning), "/user.slice/user-%u.slice", place->owner);
                require(strncmp(path, beginning, strlen(beginning)) == 0 && strchr("/", path[strlen(beginning)]));
        }
        if (place->grant[0]) {
                require(strspn(place->grant, "0123456789abcdef") == 16 && strlen(place->grant) == 16);
                (void) snprintf(beginning, sizeof(beginning), "/jit.slice/jit-%s.slice", place->grant);
                require(strncmp(path, beginning, strlen(beginning)) == 0 && strchr("/", path[strlen(beginning)]));
        }
        require(place->owner == (uid_t) -1 || !place->grant[0]);
}

/* Slices, then the unit: nothing behind the first name that is not a slice's has any part in it. */
static void check_names(const char *path, const CgroupPlace *place) {
        char again[2 * CGROUP_NAME_SIZE + 2];
        CgroupPlace cut;

        require(is_slice(place->slice) && !strchr(place->slice, '/'));
        require(!strchr(place->unit, '/') && (!is_slice(place->unit) || strcmp(place->unit, ".slice") == 0));
        (void) snprintf(again, sizeof(again), "/%s", place->unit);
        require(strstr(path, again));

        char *end = strdup(path);
        require(end);
        char *unit = place->unit[0] ? strstr(end, again) : NULL;
        while (unit && unit[strlen(again)] && unit[strlen(again)] != '/')
                unit = strstr(unit + 1, again);
        if (unit) {
                unit[strlen(again)] = '\0';
                require(cgroup_path_parse(end, &cut) == 0);
                require(cut.owner == place->owner && strcmp(cut.grant, place->grant) == 0);
                require(strcmp(cut.slice, place->slice) == 0 && strcmp(cut.unit, place->unit) == 0);
        }
        free(end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CgroupPlace place;
        char *path = malloc(size + 1);

        require(path);
        if (size > 0)
                memcpy(path, data, size);
        path[size] = '\0';
        if (cgroup_path_parse(path, &place) == 0) {
                require(path[0] == '/');
                check_beginning(path, &place);
                check_names(path, &place);
        }
        free(path);
        return 0;
}
