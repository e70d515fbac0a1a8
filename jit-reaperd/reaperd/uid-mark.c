/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "artefact.h"

static void mark_name(const Grant *g, char ret[static 16]) {
        (void) snprintf(ret, 16, "%u", g->uid);
}

int uid_mark_make(const Grant *g) {
        char name[16];

        mark_name(g, name);
        return symlinkat(g->account, g->manager->dirs.uids, name) < 0 && errno != EEXIST ? -errno : 0;
}

int uid_mark_remove(const Grant *g) {
        char name[16];

        mark_name(g, name);
        return artefact_unlink(g->manager->dirs.uids, name);
}
