/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "idle.h"
#include "session.h"
#include "terminal.h"
#include "timefmt.h"

enum { TERMINALS_MAX = 4096 };

static const char *without_dev(const char *tty) {
        return strncmp(tty, "/dev/", 5) == 0 ? tty + 5 : tty;
}

bool terminal_is_same(const char *a, const char *b) {
        return streq(without_dev(a), without_dev(b));
}

/* The name in /dev/pts of what PAM calls the terminal; NULL: it is no pseudo-terminal. */
static const char *name_in_pts(const char *tty) {
        const char *name = tty ? without_dev(tty) : "";
        size_t n;

        if (strncmp(name, "pts/", 4) != 0)
                return NULL;
        n = strspn(name + 4, "0123456789");
        return n > 0 && n <= 10 && !name[4 + n] ? name + 4 : NULL;
}

static bool has_opened_one(const Grant *g, const char *name) {
        for (const Session *s = g->sessions; s; s = s->next) {
                const char *own = s->kind == SESSION_LOGIN ? NULL : name_in_pts(s->tty);
                if (own && streq(own, name))
                        return true;
        }
        return false;
}

void terminal_foreach(const Grant *g, terminal_visit_t visit, void *userdata) {
        int fd = open("/dev/pts", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        struct statfs fs;
        struct dirent *e;
        DIR *d;

        /* Devices only: opening anything else that a user owns could wait or do harm. */
        if (fd < 0)
                return;
        if (fstatfs(fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC || !(d = fdopendir(fd))) {
                (void) close(fd);
                return;
        }
        for (unsigned n = 0; n < TERMINALS_MAX && (e = readdir(d)); n++) {
                struct stat st;
                if (e->d_name[0] < '0' || e->d_name[0] > '9')
                        continue;
                if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISCHR(st.st_mode) &&
                    ((g->way == WAY_ACCOUNT && st.st_uid == g->uid) || has_opened_one(g, e->d_name)))
                        visit(fd, e->d_name, &st, userdata);
        }
        (void) closedir(d);
}

typedef struct Telling {
        const char *line;
        unsigned told;
} Telling;

static void tell_one(int pts_fd, const char *name, const struct stat *st, void *userdata) {
        _cleanup_close_ int fd = openat(pts_fd, name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        Telling *t = userdata;

        (void) st;
        if (fd >= 0 && write(fd, t->line, strlen(t->line)) > 0) /* what does not fit is lost */
                t->told++;
}

unsigned terminal_tell(const Grant *g, const char *text) {
        char line[1200];
        Telling t = {.line = line};

        (void) snprintf(line, sizeof(line), "\r\npam_jit: %.1100s\r\n", text);
        terminal_foreach(g, tell_one, &t);
        return t.told;
}

void terminal_warn_if_due(Grant *g, uint64_t now) {
        const uint64_t *warn = g->manager->config->warn_usec;
        uint64_t left = g->deadline_usec > now ? g->deadline_usec - now : 0;
        char span[TIME_TEXT_MAX], at[TIME_TEXT_MAX], text[200];
        bool due = false;

        while (warn && warn[g->warned] > 0 && warn[g->warned] >= left) {
                g->warned++;
                due = true;
        }
        if (!due)
                return;
        (void) snprintf(text, sizeof(text), "%s ends in %s, at %s; everything in it is %s then",
                        g->way == WAY_ELEVATION ? "the elevation" : "this session", time_format_span(left + USEC_PER_SEC / 2, span),
                        time_format_rfc3339(g->until_usec, at), g->way == WAY_ELEVATION ? "killed" : "removed");
        (void) terminal_tell(g, text);
}

/* ---- idleness ---- */

typedef struct Activity {
        uint64_t last_usec; /* wall clock, as the kernel keeps it */
        bool found;
} Activity;

static void note_activity(int pts_fd, const char *name, const struct stat *st, void *userdata) {
        Activity *a = userdata;
        uint64_t t = (uint64_t) st->st_atim.tv_sec * USEC_PER_SEC;

        (void) pts_fd, (void) name;
        a->found = true;
        if (t > a->last_usec)
                a->last_usec = t;
}

uint64_t idle_due_usec(const Grant *g, uint64_t limit_usec) {
        uint64_t now = now_usec(CLOCK_BOOTTIME), wall = now_usec(CLOCK_REALTIME), idle;
        Activity a = {};

        terminal_foreach(g, note_activity, &a);
        if (!a.found)
                return now + limit_usec;
        idle = wall > a.last_usec ? wall - a.last_usec : 0;
        /* The terminal's time has whole steps of 8 s (tty_update_time() in the kernel): look again after, not before. */
        return idle >= limit_usec ? now : now + limit_usec - idle;
}
