/* SPDX-License-Identifier: Apache-2.0 */

/* What an account leaves outside of its home, planted and looked for again; and that nobody else's goes with it. */

#include <lastlog.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <utmpx.h>

#include "cleanup.h"
#include "leftovers.h"
#include "login-records.h"
#include "test-host.h"

enum { OURS = TEST_UID_MIN + 1, OTHERS = TEST_UID_MIN + 2 };

static const Grant grant = {.account = "jit-chg1", .uid = OURS};
static Receipt receipt;

static void make_folders(const char *path) {
        char part[128];

        for (const char *p = path + 1; (p = strchr(p, '/')); p++) {
                (void) snprintf(part, sizeof(part), "%.*s", (int) (p - path), path);
                (void) mkdir(part, 0755);
        }
}

static void plant(const char *path, uid_t uid) {
        make_folders(path);
        put_file(AT_FDCWD, path, "x");
        CHECK(chown(path, uid, uid) >= 0);
}

static bool listed(char *const *list, const char *what) {
        STRV_FOREACH (s, list)
                if (strstr(*s, what))
                        return true;
        return false;
}

TEST(files_by_name_and_owner) {
        static const char *const named[] = {
                        "/var/spool/cron/crontabs/jit-chg1", "/var/mail/jit-chg1",
                        "/var/lib/systemd/linger/jit-chg1",  "/run/sudo/ts/jit-chg1",
                        "/run/sudo/ts/1895759873",           "/var/lib/sudo/lectured/jit-chg1",
                        "/var/lib/sudo/lectured/1895759873",
        };
        static const char *const owned[] = {"/tmp/a", "/var/tmp/b/c", "/dev/shm/sem.x", "/var/spool/cron/atjobs/a0001",
                                            "/run/lock/l"};
        static const char *const theirs[] = {
                        "/var/spool/cron/crontabs/jit-chg11",
                        "/var/mail/jit-chg",
                        "/run/sudo/ts/189575987",
                        "/run/sudo/ts/alice",
                        "/tmp/theirs",
                        "/var/tmp/b/theirs",
                        "/dev/shm/theirs",
                        "/var/spool/cron/atjobs/a0002",
        };

        if (!private_host("files_by_name_and_owner"))
                return;
        for (size_t i = 0; i < ELEMENTSOF(named); i++)
                plant(named[i], 0);
        for (size_t i = 0; i < ELEMENTSOF(owned); i++)
                plant(owned[i], OURS);
        for (size_t i = 0; i < ELEMENTSOF(theirs); i++)
                plant(theirs[i], OTHERS);
        leftovers_remove(&grant, &receipt);
        for (size_t i = 0; i < ELEMENTSOF(named); i++)
                if (is_there(AT_FDCWD, named[i]) || !listed(receipt.removed, named[i]))
                        TEST_FAIL("%s is there, or not in the receipt", named[i]);
        for (size_t i = 0; i < ELEMENTSOF(owned); i++)
                if (is_there(AT_FDCWD, owned[i]))
                        TEST_FAIL("%s is there", owned[i]);
        for (size_t i = 0; i < ELEMENTSOF(theirs); i++)
                if (!is_there(AT_FDCWD, theirs[i]))
                        TEST_FAIL("%s is gone", theirs[i]);
        CHECK_EQ_INT(strv_length(receipt.residue), 0);
        receipt_done(&receipt);
        leftovers_remove(&grant, &receipt);
        CHECK_EQ_INT(strv_length(receipt.removed) + strv_length(receipt.residue), 0);
        receipt_done(&receipt);
}

TEST(what_cannot_be_removed_is_told) {
        if (!private_host("what_cannot_be_removed_is_told"))
                return;
        make_folders("/var/mail/jit-chg1/x");
        leftovers_remove(&grant, &receipt);
        CHECK(listed(receipt.residue, "/var/mail/jit-chg1"));
        receipt_done(&receipt);
        CHECK(rmdir("/var/mail/jit-chg1") >= 0);
}

/* A root session may put a FIFO where we open a file: opening it must not wait for its other end. */
TEST(fifos_do_not_stop_us) {
        static const char *const places[] = {"/run/utmp", "/var/log/wtmp", "/var/log/lastlog",
                                             "/var/log/journal/m/user-1895759873.journal"};
        struct utmpx u = {.ut_type = USER_PROCESS};

        if (!private_host("fifos_do_not_stop_us"))
                return;
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                make_folders(places[i]);
                CHECK(mkfifo(places[i], 0666) >= 0);
        }
        (void) alarm(20);
        leftovers_remove(&grant, &receipt);
        /* And a login that is to be noted in one. */
        CHECK(unlink("/run/utmp") >= 0);
        memcpy(u.ut_user, "jit-chg1", 8);
        int fd = open("/run/utmp", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        CHECK_EQ_INT(write(fd, &u, sizeof(u)), sizeof(u));
        (void) close(fd);
        leftovers_remove(&grant, &receipt);
        (void) alarm(0);
        CHECK(unlink("/run/utmp") >= 0);
        for (size_t i = 1; i < ELEMENTSOF(places); i++)
                CHECK(unlink(places[i]) >= 0);
        receipt_done(&receipt);
}

/* As uid, in a child: it stays behind when its maker is dead. */
static void make_ipc(uid_t uid, int ret[3]) {
        int fds[2];

        CHECK(pipe(fds) >= 0);
        pid_t pid = fork();
        if (pid == 0) {
                if (setresuid(uid, uid, uid) < 0)
                        _exit(1);
                int ids[] = {shmget(IPC_PRIVATE, 4096, 0666), semget(IPC_PRIVATE, 1, 0666), msgget(IPC_PRIVATE, 0666)};
                (void) !write(fds[1], ids, sizeof(ids));
                _exit(0);
        }
        CHECK_EQ_INT(read(fds[0], ret, 3 * sizeof(int)), 3 * sizeof(int));
        (void) close(fds[0]);
        (void) close(fds[1]);
        (void) waitpid(pid, NULL, 0);
}

static unsigned count_ipc(const int ids[3]) {
        struct shmid_ds shm;
        struct semid_ds sem;
        struct msqid_ds msg;

        return (unsigned) (shmctl(ids[0], IPC_STAT, &shm) >= 0) + (unsigned) (semctl(ids[1], 0, IPC_STAT, &sem) >= 0) +
               (unsigned) (msgctl(ids[2], IPC_STAT, &msg) >= 0);
}

TEST(system_v_ipc) {
        int ours[3], given[3], theirs[3];

        if (!private_host("system_v_ipc"))
                return;
        if (unshare(CLONE_NEWIPC) < 0) {
                printf("skip system_v_ipc (no IPC namespace of its own: %s)\n", strerror(errno));
                return;
        }
        make_ipc(OURS, ours);
        make_ipc(OTHERS, theirs);
        make_ipc(OTHERS, given);
        struct shmid_ds shm = {};
        CHECK(shmctl(given[0], IPC_STAT, &shm) >= 0);
        shm.shm_perm.uid = OURS; /* somebody else made it and gave it to the account */
        CHECK(shmctl(given[0], IPC_SET, &shm) >= 0);
        leftovers_remove(&grant, &receipt);
        CHECK_EQ_INT(count_ipc(ours), 0);
        CHECK_EQ_INT(count_ipc(given), 2);
        CHECK_EQ_INT(count_ipc(theirs), 3);
        CHECK(listed(receipt.removed, "shared memory") && listed(receipt.removed, "semaphores") &&
              listed(receipt.removed, "message queue"));
        CHECK_EQ_INT(strv_length(receipt.residue), 0);
        receipt_done(&receipt);
}

TEST(login_records) {
        struct utmpx entries[4] = {};
        struct lastlog l = {.ll_time = 5};

        if (!private_host("login_records"))
                return;
        static const char *const users[] = {"alice", "jit-chg1", "jit-chg11", "jit-chg1"};
        for (size_t i = 0; i < 4; i++) {
                entries[i].ut_type = i == 3 ? DEAD_PROCESS : USER_PROCESS;
                memcpy(entries[i].ut_user, users[i], strlen(users[i]));
                (void) snprintf(entries[i].ut_line, sizeof(entries[i].ut_line), "pts/%zu", i);
        }
        int fd = open("/run/utmp", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        CHECK_EQ_INT(write(fd, entries, sizeof(entries)), sizeof(entries));
        CHECK_EQ_INT(write(fd, "half", 4), 4);
        plant("/var/log/wtmp", 0);
        CHECK(truncate("/var/log/wtmp", 0) >= 0);
        int last = open("/var/log/lastlog", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        for (uid_t uid = OURS - 1; uid <= OURS + 1; uid++)
                CHECK_EQ_INT(pwrite(last, &l, sizeof(l), (off_t) uid * (off_t) sizeof(l)), sizeof(l));
        login_records_close("jit-chg1", OURS, &receipt);
        CHECK_EQ_INT(strv_length(receipt.removed), 2);
        CHECK_EQ_INT(pread(fd, entries, sizeof(entries), 0), sizeof(entries));
        CHECK(entries[0].ut_type == USER_PROCESS && entries[2].ut_type == USER_PROCESS);
        CHECK(entries[1].ut_type == DEAD_PROCESS && entries[1].ut_user[0] == 0);
        CHECK_STREQ(entries[1].ut_line, "pts/1");
        struct stat st;
        CHECK(stat("/var/log/wtmp", &st) >= 0 &&
              st.st_size == sizeof(struct utmpx)); /* the logout, as last(1) wants it */
        for (uid_t uid = OURS - 1; uid <= OURS + 1; uid++) {
                CHECK_EQ_INT(pread(last, &l, sizeof(l), (off_t) uid * (off_t) sizeof(l)), sizeof(l));
                CHECK_EQ_INT(l.ll_time, uid == OURS ? 0 : 5);
        }
        receipt_done(&receipt);
        login_records_close("jit-chg1", OURS, &receipt);
        CHECK_EQ_INT(strv_length(receipt.removed), 0);
        (void) close(fd);
        (void) close(last);
}

TEST_MAIN
