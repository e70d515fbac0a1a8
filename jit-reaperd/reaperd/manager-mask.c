/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "artefact.h"

/* user-runtime-dir@.service as well: it runs as root in the account's slice, where our kill would hit it half way through its work. */
static const char *const formats[] = {"user@%u.service", "user-runtime-dir@%u.service"};

enum { NAME_SIZE = 48 };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the two above */
static void unit_name(size_t i, uid_t uid, char ret[static NAME_SIZE]) {
        (void) snprintf(ret, NAME_SIZE, formats[i], uid);
}

static bool unit_name_parse(size_t i, const char *name, uid_t *ret) {
        char expected[NAME_SIZE];

        if (sscanf(name, formats[i], ret) != 1)
                return false;
        unit_name(i, *ret, expected);
        return streq(name, expected);
}
#pragma GCC diagnostic pop

int manager_mask_make(const Grant *g) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                char name[NAME_SIZE];

                unit_name(i, g->uid, name);
                if (symlinkat("/dev/null", g->manager->dirs.units, name) < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

int manager_mask_remove(const Grant *g) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                char name[NAME_SIZE];
                int r;

                unit_name(i, g->uid, name);
                r = artefact_unlink(g->manager->dirs.units, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

bool manager_mask_parse(int units_fd, const char *name, uid_t *ret) {
        char target[16] = "";

        if (!unit_name_parse(0, name, ret) && !unit_name_parse(1, name, ret))
                return false;
        return readlinkat(units_fd, name, target, sizeof(target) - 1) > 0 && streq(target, "/dev/null");
}
