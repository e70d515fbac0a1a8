/* SPDX-License-Identifier: Apache-2.0 */

/* What lies in our places without a grant: a record was lost, or could not be read. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "artefact.h"
#include "cleanup.h"
#include "log.h"
#include "process-kill.h"
#include "reap.h"
#include "uid-range.h"

static void orphans_in(Manager *m, int dir_fd, void (*remove)(Manager *m, const char *name)) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d)
                return;
        while ((e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        remove(m, e->d_name);
        (void) closedir(d);
}

static bool is_orphan(const Grant *g, const char *name) {
        if (!g)
                log_warning("Removing what has no grant: %s", name);
        return !g;
}

static void remove_key(Manager *m, const char *name) {
        if (is_orphan(grant_by_account(m, name), name))
                (void) unlinkat(m->dirs.keys, name, 0);
}

/* Whose name the rule has: an account's, or elevate-UID-ACCOUNT (sudoers-file.c). */
static Grant *rule_owner(const Manager *m, const char *name) {
        char own[SUDOERS_NAME_MAX];
        unsigned uid;
        Grant *g;

        if (sscanf(name, "elevate-%u-", &uid) != 1)
                return grant_by_account(m, name);
        g = grant_by_person(m, uid);
        return g && g->has_rule && streq(sudoers_file_name(g, own), name) ? g : NULL;
}

static void remove_rule(Manager *m, const char *name) {
        if (is_orphan(rule_owner(m, name), name))
                (void) unlinkat(m->dirs.sudoers, name, 0);
}

static void remove_marker(Manager *m, const char *name) {
        if (elevated_marker_orphan(m, name))
                log_warning("UID %s is not elevated by any grant", name);
}

static void remove_home(Manager *m, const char *name) {
        Grant g = {.manager = m};

        if (strlen(name) > ACCOUNT_NAME_MAX || !is_orphan(grant_by_account(m, name), name))
                return;
        memcpy(g.account, name, strlen(name) + 1);
        (void) home_remove(&g);
}

static void remove_mask(Manager *m, const char *name) {
        uid_t uid;

        if (!manager_mask_parse(m->dirs.units, name, &uid) || !uid_range_contains(m->uids, uid) || grant_by_uid(m, uid))
                return;
        log_warning("Removing what has no grant: %s, and the processes of UID %u", name, uid);
        (void) uid_kill_all(uid, uid_range_sender(m->uids));
        Grant g = {.manager = m, .uid = uid};
        (void) manager_mask_remove(&g);
}

/* jit-ID.slice: what an elevation started. */
static void remove_slice(Manager *m, const char *name) {
        char id[17], own[SLICE_NAME_MAX];

        if (sscanf(name, "jit-%16[0-9a-f].slice", id) != 1 || strlen(id) != 16)
                return;
        (void) snprintf(own, sizeof(own), "jit-%s.slice", id);
        if (!streq(own, name) || grant_by_id(m, id))
                return;
        log_warning("Removing what has no grant: %s, and its processes", name);
        slice_end(m, name);
}

static void remove_slices(Manager *m) {
        int fd = slice_open("jit.slice");

        if (fd < 0)
                return;
        orphans_in(m, fd, remove_slice);
        (void) close(fd);
}

void reap_orphans(Manager *m) {
        orphans_in(m, m->dirs.sudoers, remove_rule);
        orphans_in(m, m->dirs.elevated, remove_marker); /* after the rules: see there */
        remove_slices(m);
        orphans_in(m, m->dirs.keys, remove_key);
        orphans_in(m, m->dirs.homes, remove_home);
        orphans_in(m, m->dirs.units, remove_mask);
}
