/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "cleanup.h"
#include "leftovers.h"
#include "login-records.h"
#include "tree-clean.h"

/* ---- by name or number: %s is the account, %u its UID ---- */

static void unlink_found(const char *path, Receipt *receipt) {
        if (unlink(path) >= 0)
                receipt_removed(receipt, "%s", path);
        else if (errno != ENOENT && errno != ENOTDIR)
                receipt_residue(receipt, "%s: %s", path, strerror(errno));
}

static void remove_named(const Grant *g, Receipt *receipt) {
        static const char *const by_name[] = {
                "/var/spool/cron/crontabs/", "/var/spool/cron/",         "/var/mail/",           "/var/lib/systemd/linger/",
                "/run/sudo/ts/",             "/var/lib/sudo/ts/",        "/var/lib/sudo/lectured/",
        };
        char path[128];

        for (size_t i = 0; i < ELEMENTSOF(by_name); i++) {
                (void) snprintf(path, sizeof(path), "%s%s", by_name[i], g->account);
                unlink_found(path, receipt);
                /* sudo names its files by UID from 1.9.15 on. */
                (void) snprintf(path, sizeof(path), "%s%u", by_name[i], g->uid);
                unlink_found(path, receipt);
        }
}

/* ---- by owner ---- */

static void remove_owned(const Grant *g, Receipt *receipt) {
        /* at(1) names its jobs by number, the owner is the user; the rest is for everybody. */
        static const char *const directories[] = {
                "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/var/spool/cron/atjobs", "/var/spool/cron/atspool", "/run/lock",
        };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                tree_clean(directories[i], g->uid, receipt);
}

/* ---- System V IPC: proc_sysvipc(5), the columns by their number ---- */

static int remove_shm(int id) {
        return shmctl(id, IPC_RMID, NULL);
}

static int remove_sem(int id) {
        return semctl(id, 0, IPC_RMID);
}

static int remove_msg(int id) {
        return msgctl(id, IPC_RMID, NULL);
}

static const struct IpcKind {
        const char *name, *file;
        unsigned uid_column, cuid_column; /* owner, creator; column 1 is the id */
        int (*remove)(int id);
} ipc_kinds[] = {
        {"shared memory", "/proc/sysvipc/shm", 7, 9, remove_shm},
        {"semaphores", "/proc/sysvipc/sem", 4, 6, remove_sem},
        {"message queue", "/proc/sysvipc/msg", 7, 9, remove_msg},
};

static void remove_ipc_line(const struct IpcKind *kind, char *line, uid_t uid, Receipt *receipt) {
        unsigned long id = 0, owner = 0, creator = 0;
        char *save = NULL, *word = strtok_r(line, " \n", &save);

        for (unsigned column = 0; word; column++, word = strtok_r(NULL, " \n", &save)) {
                unsigned long value = strtoul(word, NULL, 10);
                if (column == 1)
                        id = value;
                else if (column == kind->uid_column)
                        owner = value;
                else if (column == kind->cuid_column)
                        creator = value;
        }
        if (owner != uid && creator != uid)
                return;
        if (kind->remove((int) id) >= 0)
                receipt_removed(receipt, "%s %lu", kind->name, id);
        else if (errno != EINVAL && errno != EIDRM)
                receipt_residue(receipt, "%s %lu: %s", kind->name, id, strerror(errno));
}

static void remove_ipc(const Grant *g, Receipt *receipt) {
        for (size_t i = 0; i < ELEMENTSOF(ipc_kinds); i++) {
                _cleanup_fclose_ FILE *f = fopen(ipc_kinds[i].file, "re");
                char line[512];
                unsigned n = 0;

                while (f && fgets(line, sizeof(line), f))
                        if (n++ > 0) /* the first line has the names of the columns */
                                remove_ipc_line(&ipc_kinds[i], line, g->uid, receipt);
        }
}

void leftovers_remove(const Grant *g, Receipt *receipt) {
        remove_named(g, receipt);
        remove_owned(g, receipt);
        remove_ipc(g, receipt);
        login_records_close(g->account, g->uid, receipt);
}
