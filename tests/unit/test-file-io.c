/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cleanup.h"
#include "file-io.h"
#include "test.h"

/* A folder of its own for each test. */
static int folder_new(char path[static 32]) {
        (void) snprintf(path, 32, "/tmp/test-file-io.XXXXXX");
        if (!mkdtemp(path))
                abort();
        return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void folder_remove(int fd, const char *path, const char *const *names) {
        for (; *names; names++)
                (void) unlinkat(fd, *names, 0);
        (void) close(fd);
        /* Also a check: it is empty but for what the test names. */
        CHECK_EQ_INT(rmdir(path), 0);
}
#define FOLDER_REMOVE(fd, path, ...) folder_remove(fd, path, (const char *const[]){__VA_ARGS__, NULL})

static void put(int fd, const char *name, const void *data, size_t length, mode_t mode) {
        _cleanup_close_ int file = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        CHECK(file >= 0);
        CHECK_EQ_INT(write_all(file, data, length), 0);
        CHECK_EQ_INT(fchmod(file, mode), 0);
}

TEST(read_up_to_the_limit) {
        char path[32];
        int fd = folder_new(path);

        put(fd, "f", "12345678", 8, 0600);
        for (size_t max = 0; max < 12; max++) {
                _cleanup_free_ char *text = NULL;
                size_t length = 77;
                int r = file_read_capped(fd, "f", max, false, &text, &length);

                CHECK_EQ_INT(r, max < 8 ? -EFBIG : 0);
                CHECK_EQ_INT(length, max < 8 ? 77 : 8);
                if (r == 0)
                        CHECK_STREQ(text, "12345678");
                else
                        CHECK(text == NULL);
        }
        FOLDER_REMOVE(fd, path, "f");
}

TEST(read_empty_and_large) {
        char path[32];
        int fd = folder_new(path);
        _cleanup_free_ char *big = malloc(1000000), *text = NULL, *empty = NULL;
        size_t length = 77;

        memset(big, 'x', 1000000);
        put(fd, "f", "", 0, 0600);
        CHECK_EQ_INT(file_read_capped(fd, "f", 0, false, &empty, &length), 0);
        CHECK_STREQ(empty, "");
        CHECK_EQ_INT(length, 0);
        put(fd, "f", big, 1000000, 0600);
        CHECK_EQ_INT(file_read_capped(fd, "f", 1000000, false, &text, NULL), 0);
        CHECK_EQ_INT(strlen(text), 1000000);
        FOLDER_REMOVE(fd, path, "f");
}

/* Files of /proc have size 0 and content all the same: the size is a hint, the limit is not. */
TEST(read_files_that_hide_their_size) {
        _cleanup_free_ char *text = NULL, *cut = NULL;

        CHECK_EQ_INT(file_read_capped(AT_FDCWD, "/proc/self/status", 65536, true, &text, NULL), 0);
        CHECK(text && strstr(text, "Uid:"));
        CHECK_EQ_INT(file_read_capped(AT_FDCWD, "/proc/self/status", 100, true, &cut, NULL), -EFBIG);
}

TEST(read_refuses_what_is_no_plain_file) {
        char path[32];
        int fd = folder_new(path);
        char *text = NULL;
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        put(fd, "f", "x", 1, 0600);
        CHECK_EQ_INT(symlinkat("f", fd, "link"), 0);
        CHECK_EQ_INT(symlinkat("nowhere", fd, "dangling"), 0);
        CHECK_EQ_INT(mkfifoat(fd, "fifo", 0600), 0);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", path);
        CHECK_EQ_INT(bind(s, (struct sockaddr *) &address, sizeof(address)), 0);

        CHECK_EQ_INT(file_read_capped(fd, "missing", 10, false, &text, NULL), -ENOENT);
        CHECK_EQ_INT(file_read_capped(fd, "f/x", 10, false, &text, NULL), -ENOTDIR);
        CHECK_EQ_INT(file_read_capped(fd, "link", 10, false, &text, NULL), -ELOOP);
        CHECK_EQ_INT(file_read_capped(fd, "dangling", 10, false, &text, NULL), -ELOOP);
        CHECK_EQ_INT(file_read_capped(fd, ".", 10, false, &text, NULL), -EISDIR);
        CHECK_EQ_INT(file_read_capped(fd, "fifo", 10, false, &text, NULL), -EINVAL); /* and at once */
        CHECK_EQ_INT(file_read_capped(fd, "socket", 10, false, &text, NULL), -ENXIO);
        CHECK_EQ_INT(file_read_capped(AT_FDCWD, "/dev/zero", 10, false, &text, NULL), -EINVAL);
        CHECK(text == NULL);
        FOLDER_REMOVE(fd, path, "f", "link", "dangling", "fifo", "socket");
}

TEST(read_refuses_nul) {
        char path[32];
        int fd = folder_new(path);
        char *text = NULL;

        put(fd, "f", "a\0b", 3, 0600);
        CHECK_EQ_INT(file_read_capped(fd, "f", 10, false, &text, NULL), -EBADMSG);
        put(fd, "f", "\0", 1, 0600);
        CHECK_EQ_INT(file_read_capped(fd, "f", 10, false, &text, NULL), -EBADMSG);
        CHECK(text == NULL);
        FOLDER_REMOVE(fd, path, "f");
}

TEST(trusted_means_owner_and_mode) {
        char path[32];
        int fd = folder_new(path);

        for (mode_t mode = 0400; mode < 01000; mode++) {
                _cleanup_free_ char *text = NULL;

                put(fd, "f", "x", 1, 0600);
                CHECK_EQ_INT(fchmodat(fd, "f", mode, 0), 0);
                CHECK_EQ_INT(file_read_capped(fd, "f", 10, true, &text, NULL), mode & 022 ? -EPERM : 0);
        }
        if (geteuid() == 0) {
                _cleanup_free_ char *text = NULL, *same = NULL;

                CHECK_EQ_INT(fchmodat(fd, "f", 0644, 0), 0);
                CHECK_EQ_INT(fchownat(fd, "f", 4242, (gid_t) -1, 0), 0);
                CHECK_EQ_INT(file_read_capped(fd, "f", 10, true, &text, NULL), -EPERM);
                CHECK_EQ_INT(file_read_capped(fd, "f", 10, false, &same, NULL), 0);
        }
        FOLDER_REMOVE(fd, path, "f");
}

TEST(write_replaces_whole_files) {
        char path[32];
        int fd = folder_new(path);
        struct stat before, after;
        _cleanup_free_ char *text = NULL;

        CHECK_EQ_INT(file_write_atomic(fd, "f", "old content", 11, 0640, (uid_t) -1, (gid_t) -1, true), 0);
        CHECK_EQ_INT(fstatat(fd, "f", &before, 0), 0);
        CHECK_EQ_INT(before.st_mode & 07777, 0640);
        _cleanup_close_ int reader = openat(fd, "f", O_RDONLY | O_CLOEXEC);

        CHECK_EQ_INT(file_write_atomic(fd, "f", "new", 3, 0400, (uid_t) -1, (gid_t) -1, false), 0);
        CHECK_EQ_INT(fstatat(fd, "f", &after, 0), 0);
        CHECK(before.st_ino != after.st_ino);
        CHECK_EQ_INT(after.st_mode & 07777, 0400);
        CHECK_EQ_INT(file_read_capped(fd, "f", 10, true, &text, NULL), 0);
        CHECK_STREQ(text, "new");

        char old[32] = "";
        CHECK_EQ_INT(read(reader, old, sizeof(old) - 1), 11);
        CHECK_STREQ(old, "old content");
        FOLDER_REMOVE(fd, path, "f");
}

TEST(write_mode_ignores_umask) {
        char path[32];
        int fd = folder_new(path);
        struct stat st;
        mode_t old = umask(0777);

        CHECK_EQ_INT(file_write_atomic(fd, "f", "", 0, 0644, (uid_t) -1, (gid_t) -1, false), 0);
        (void) umask(old);
        CHECK_EQ_INT(fstatat(fd, "f", &st, 0), 0);
        CHECK_EQ_INT(st.st_mode & 07777, 0644);
        CHECK_EQ_INT(st.st_size, 0);
        FOLDER_REMOVE(fd, path, "f");
}

TEST(write_sets_the_owner) {
        char path[32];
        int fd = folder_new(path);
        struct stat st;

        if (geteuid() == 0) {
                CHECK_EQ_INT(file_write_atomic(fd, "f", "x", 1, 0640, (uid_t) -1, 4242, false), 0);
                CHECK_EQ_INT(fstatat(fd, "f", &st, 0), 0);
                CHECK_EQ_INT(st.st_uid, 0);
                CHECK_EQ_INT(st.st_gid, 4242);
        } else
                CHECK_EQ_INT(file_write_atomic(fd, "f", "x", 1, 0640, 0, 0, false), -EPERM);
        FOLDER_REMOVE(fd, path, "f");
}

/* A killed predecessor's temporary file, or somebody's symlink in its place, is neither followed nor in the way. */
TEST(write_after_a_crash) {
        char path[32];
        int fd = folder_new(path);
        _cleanup_free_ char *victim = NULL;

        put(fd, "victim", "precious", 8, 0600);
        put(fd, ".f.tmp", "half", 4, 0600);
        CHECK_EQ_INT(file_write_atomic(fd, "f", "x", 1, 0600, (uid_t) -1, (gid_t) -1, false), 0);
        CHECK_EQ_INT(symlinkat("victim", fd, ".f.tmp"), 0);
        CHECK_EQ_INT(file_write_atomic(fd, "f", "y", 1, 0600, (uid_t) -1, (gid_t) -1, false), 0);
        CHECK_EQ_INT(file_read_capped(fd, "victim", 10, false, &victim, NULL), 0);
        CHECK_STREQ(victim, "precious");
        FOLDER_REMOVE(fd, path, "f", "victim");
}

/* guest-oslogin #115: a full disk leaves an empty sudoers file. A limit on file sizes plays the full disk's part. */
TEST(write_failure_leaves_the_old_file_alone) {
        char path[32];
        int fd = folder_new(path);
        struct rlimit limit, tight;
        _cleanup_free_ char *text = NULL;

        CHECK_EQ_INT(file_write_atomic(fd, "f", "old", 3, 0600, (uid_t) -1, (gid_t) -1, false), 0);
        CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        CHECK_EQ_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
        tight = limit;
        tight.rlim_cur = 4;
        CHECK_EQ_INT(setrlimit(RLIMIT_FSIZE, &tight), 0);
        int r = file_write_atomic(fd, "f", "much longer", 11, 0600, (uid_t) -1, (gid_t) -1, true);
        CHECK_EQ_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
        CHECK_EQ_INT(r, -EFBIG);
        CHECK_EQ_INT(file_read_capped(fd, "f", 10, false, &text, NULL), 0);
        CHECK_STREQ(text, "old");
        FOLDER_REMOVE(fd, path, "f");
}

TEST(write_refusals_leave_nothing) {
        char path[32];
        int fd = folder_new(path);

        CHECK_EQ_INT(mkdirat(fd, "folder", 0700), 0);
        CHECK_EQ_INT(file_write_atomic(fd, "folder", "x", 1, 0600, (uid_t) -1, (gid_t) -1, true), -EISDIR);
        CHECK_EQ_INT(unlinkat(fd, "folder", AT_REMOVEDIR), 0);
        CHECK_EQ_INT(file_write_atomic(fd, "no/such", "x", 1, 0600, (uid_t) -1, (gid_t) -1, false), -ENOENT);
        CHECK_EQ_INT(file_write_atomic(fd, "", "x", 1, 0600, (uid_t) -1, (gid_t) -1, false), -EINVAL);
        CHECK_EQ_INT(file_write_atomic(fd, "folder/", "x", 1, 0600, (uid_t) -1, (gid_t) -1, false), -EINVAL);
        CHECK_EQ_INT(file_write_atomic(fd, "..", "x", 1, 0600, (uid_t) -1, (gid_t) -1, false), -EINVAL);
        folder_remove(fd, path, (const char *const[]){NULL});
}

TEST(write_by_path) {
        char path[32], name[64];
        int fd = folder_new(path);

        (void) snprintf(name, sizeof(name), "%s/f", path);
        CHECK_EQ_INT(file_write_atomic(AT_FDCWD, name, "x", 1, 0600, (uid_t) -1, (gid_t) -1, true), 0);
        CHECK_EQ_INT(faccessat(fd, "f", F_OK, 0), 0);
        FOLDER_REMOVE(fd, path, "f");
}

TEST(write_all_reports_errors) {
        int pair[2];

        CHECK_EQ_INT(write_all(-1, "x", 1), -EBADF);
        CHECK_EQ_INT(write_all(-1, NULL, 0), 0);
        CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        char chunk[65536] = "";
        int r = 0;
        for (unsigned i = 0; i < 1000 && r == 0; i++)
                r = write_all(pair[0], chunk, sizeof(chunk));
        CHECK_EQ_INT(r, -EAGAIN);
        (void) close(pair[0]);
        (void) close(pair[1]);
}

TEST_MAIN
