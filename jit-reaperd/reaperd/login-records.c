/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <lastlog.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utmpx.h>

#include "cleanup.h"
#include "login-records.h"

/* Opened with O_NONBLOCK: an account that was root may have put a FIFO in the place of one. */

enum { UTMP_ENTRIES_MAX = 65536 };

static void append_wtmp(const struct utmpx *entry) {
        _cleanup_close_ int fd = open("/var/log/wtmp", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        if (fd >= 0)
                (void) !write(fd, entry, sizeof(*entry));
}

static void close_entry(int fd, off_t at, struct utmpx *u) {
        struct timeval now;

        (void) gettimeofday(&now, NULL);
        u->ut_type = DEAD_PROCESS;
        u->ut_tv.tv_sec = (int32_t) now.tv_sec;
        u->ut_tv.tv_usec = (int32_t) now.tv_usec;
        memset(u->ut_user, 0, sizeof(u->ut_user));
        memset(u->ut_host, 0, sizeof(u->ut_host));
        if (pwrite(fd, u, sizeof(*u), at) == sizeof(*u))
                append_wtmp(u);
}

/* Not by pututxline(3): it waits for a lock that any user who may read the file can hold. An entry is written in one piece, and nobody else
 * writes one whose processes are dead. */
static void close_utmp(const char *account, Receipt *receipt) {
        _cleanup_close_ int fd = open("/run/utmp", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct utmpx u;

        for (unsigned i = 0; fd >= 0 && i < UTMP_ENTRIES_MAX; i++) {
                off_t at = (off_t) i * (off_t) sizeof(u);

                if (pread(fd, &u, sizeof(u), at) != sizeof(u))
                        break;
                if (u.ut_type != USER_PROCESS || strncmp(u.ut_user, account, sizeof(u.ut_user)) != 0)
                        continue;
                receipt_removed(receipt, "utmp entry of %.32s", u.ut_line);
                close_entry(fd, at, &u);
        }
}

static void clear_lastlog(uid_t uid, Receipt *receipt) {
        _cleanup_close_ int fd = open("/var/log/lastlog", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        static const struct lastlog empty;
        off_t at = (off_t) uid * (off_t) sizeof(empty);
        struct lastlog l;

        if (fd < 0 || pread(fd, &l, sizeof(l), at) != sizeof(l) || l.ll_time == 0)
                return;
        if (pwrite(fd, &empty, sizeof(empty), at) == sizeof(empty))
                receipt_removed(receipt, "lastlog entry");
        else
                receipt_residue(receipt, "lastlog entry: %s", strerror(errno));
}

void login_records_close(const char *account, uid_t uid, Receipt *receipt) {
        close_utmp(account, receipt);
        clear_lastlog(uid, receipt);
}
