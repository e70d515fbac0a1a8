/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "artefact.h"
#include "cleanup.h"
#include "log.h"
#include "stale-sudo.h"
#include "timefmt.h"

enum { NAME_SIZE = 16 };

static void marker_name(uid_t uid, char ret[static NAME_SIZE]) {
        (void) snprintf(ret, NAME_SIZE, "%u", uid);
}

static int set_end(int dir_fd, const char *name, uint64_t usec) {
        const struct timespec at = {(time_t) (usec / USEC_PER_SEC), (long) (usec % USEC_PER_SEC * 1000)}, times[] = {at, at};

        return utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* CLOCK_BOOTTIME; 0: no rule of this person's has ended. -ENOENT: no marker. A time that the file system gave is far from those since the boot. */
static int get_end(int dir_fd, const char *name, uint64_t *ret) {
        struct stat st;
        uint64_t usec;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        usec = (uint64_t) st.st_mtim.tv_sec * USEC_PER_SEC + (uint64_t) st.st_mtim.tv_nsec / 1000;
        *ret = usec <= now_usec(CLOCK_BOOTTIME) ? usec : 0;
        return 0;
}

int elevated_marker_make(const Grant *g) {
        int dir_fd = g->manager->dirs.elevated;
        char name[NAME_SIZE];

        marker_name(g->person_uid, name);
        _cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) /* kept: it may have an end to tell */
                return errno == EEXIST ? 0 : -errno;
        return set_end(dir_fd, name, 0);
}

int elevated_marker_remove(const Grant *g, unsigned *ret_left, pid_t *ret_first) {
        const Grant *next = grant_by_person(g->manager, g->person_uid);
        uint64_t began = grant_since_boottime(g), end = 0;
        int dir_fd = g->manager->dirs.elevated, r;
        char name[NAME_SIZE];

        *ret_left = 0;
        *ret_first = 0;
        /* The last look comes when this grant is forgotten: by then the marker may be the next elevation's. */
        if (next && next != g && next->has_rule)
                return 0;
        marker_name(g->person_uid, name);
        r = get_end(dir_fd, name, &end);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (end < began) { /* the first time */
                end = now_usec(CLOCK_BOOTTIME);
                r = set_end(dir_fd, name, end);
                if (r < 0)
                        return r;
        }
        StaleSudo s = {.uid = g->person_uid, .kill_from = usec_to_ticks(began), .kill_until = usec_to_ticks(end)};
        r = stale_sudo_find(g->manager, &s);
        if (r < 0)
                return r;
        *ret_left = s.left;
        *ret_first = s.first;
        /* Also one that was killed may have had a child a moment before, which this look has missed. */
        return s.left + s.killed > 0 ? 0 : artefact_unlink(dir_fd, name);
}

int elevated_right_remove(const Grant *g) {
        unsigned left;
        pid_t first;
        int r;

        r = sudoers_file_remove(g);
        return r < 0 ? r : elevated_marker_remove(g, &left, &first);
}

/* No elevation of the person's with a rule is there: is the marker of any use? Also to those that began after the end: `sudo -b` goes on in a child of
 * the process that has read the rules. */
static void remove_if_idle(Manager *m, const char *name, uid_t uid, pid_t except) {
        StaleSudo s = {.uid = uid, .kill_from = UINT64_MAX, .except = except};

        if (stale_sudo_find(m, &s) < 0 || s.left > 0)
                return;
        if (artefact_unlink(m->dirs.elevated, name) < 0)
                log_warning("Cannot remove the marker of UID %u, ignoring: its sudo asks us each time", uid);
}

static bool has_rule(const Manager *m, uid_t uid) {
        const Grant *g = grant_by_person(m, uid);

        return g && g->has_rule;
}

bool elevated_marker_bars_process(Manager *m, uid_t person_uid, pid_t pid, uint64_t started) {
        char name[NAME_SIZE];
        uint64_t end = 0;

        marker_name(person_uid, name);
        if (get_end(m->dirs.elevated, name, &end) < 0 || end == 0)
                return false;
        if (started <= usec_to_ticks(end))
                return true;
        if (!has_rule(m, person_uid))
                remove_if_idle(m, name, person_uid, pid);
        return false;
}

bool elevated_marker_orphan(Manager *m, const char *name) {
        char expected[NAME_SIZE];
        uint64_t end = 0;
        unsigned uid;

        if (sscanf(name, "%u", &uid) == 1) {
                marker_name(uid, expected);
                if (streq(name, expected)) {
                        if (has_rule(m, uid))
                                return false;
                        if (get_end(m->dirs.elevated, name, &end) >= 0 && end == 0)
                                (void) set_end(m->dirs.elevated, name, now_usec(CLOCK_BOOTTIME));
                        remove_if_idle(m, name, uid, 0);
                        return true;
                }
        }
        (void) unlinkat(m->dirs.elevated, name, 0);
        return true;
}
