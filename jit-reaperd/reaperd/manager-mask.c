/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "artefact.h"

static void unit_name(uid_t uid, char ret[static 32]) {
        (void) snprintf(ret, 32, "user@%u.service", uid);
}

int manager_mask_make(const Grant *g) {
        char name[32];

        unit_name(g->uid, name);
        return symlinkat("/dev/null", g->manager->dirs.units, name) < 0 && errno != EEXIST ? -errno : 0;
}

int manager_mask_remove(const Grant *g) {
        char name[32];

        unit_name(g->uid, name);
        return artefact_unlink(g->manager->dirs.units, name);
}

bool manager_mask_parse(int units_fd, const char *name, uid_t *ret) {
        char expected[32], target[16] = "";
        unsigned uid;

        if (sscanf(name, "user@%u.service", &uid) != 1)
                return false;
        unit_name(uid, expected);
        if (!streq(name, expected) || readlinkat(units_fd, name, target, sizeof(target) - 1) < 0 || !streq(target, "/dev/null"))
                return false;
        *ret = uid;
        return true;
}
