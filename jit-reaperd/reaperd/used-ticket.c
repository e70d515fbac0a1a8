/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "timefmt.h"
#include "used-ticket.h"

/* A signed ticket's window is at most 31 days; no mark is needed for longer, and the ticket's own end is the approver's word. */
#define KEEP_USEC (32 * 24 * USEC_PER_HOUR)

enum { NAME_SIZE = TICKET_ID_MAX + 1 + PERSON_NAME_MAX + 1 };

static void mark_name(const Grant *g, char ret[static NAME_SIZE]) {
        char ticket[TICKET_ID_MAX + 1];

        if (ticket_id_parse(g->ticket, ticket) < 0)
                (void) snprintf(ticket, sizeof(ticket), "%s", g->ticket); /* verdict_parse() lets no such through */
        (void) snprintf(ret, NAME_SIZE, "%s:%s", ticket, g->requester);
}

int used_ticket_mark(const Grant *g) {
        const Role *role = grant_role(g);
        _cleanup_close_ int fd = -1;
        char name[NAME_SIZE];

        if (role && role->reactivate)
                return 0;
        mark_name(g, name);
        fd = openat(g->manager->dirs.used, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        return fd < 0 ? -errno : 0;
}

void used_ticket_unmark(const Grant *g) {
        char name[NAME_SIZE];

        mark_name(g, name);
        (void) unlinkat(g->manager->dirs.used, name, 0);
}

bool used_ticket_is_marked(const Grant *g) {
        char name[NAME_SIZE];

        mark_name(g, name);
        return faccessat(g->manager->dirs.used, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

void used_ticket_clean(Manager *m) {
        int fd = openat(m->dirs.used, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        uint64_t now = now_usec(CLOCK_REALTIME);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d)
                return;
        while ((e = readdir(d))) {
                struct stat st;
                if (e->d_name[0] != '.' && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
                    (uint64_t) st.st_mtim.tv_sec * USEC_PER_SEC + KEEP_USEC < now)
                        (void) unlinkat(fd, e->d_name, 0);
        }
        (void) closedir(d);
}
