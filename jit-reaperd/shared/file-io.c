/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "file-io.h"

int write_all(int fd, const void *data, size_t length) {
        const char *p = data;

        while (length > 0) {
                ssize_t n = write(fd, p, length);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        return -EIO;
                p += n;
                length -= (size_t) n;
        }
        return 0;
}

/* Reads to the end of the file, at most max bytes, none of them NUL. expected: its size as far as known. */
static int read_to_end(int fd, size_t expected, size_t max, char **ret, size_t *ret_length) {
        /* One byte more than expected shows the end at once; one more for the NUL. */
        size_t size = (expected < max ? expected : max) + 2, length = 0;
        _cleanup_free_ char *buffer = malloc(size);

        if (!buffer)
                return -ENOMEM;

        for (;;) {
                ssize_t n = read(fd, buffer + length, size - 1 - length);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                length += (size_t) n;
                if (length > max)
                        return -EFBIG;
                if (length == size - 1) {
                        size_t larger = size - 1 < max / 2 ? 2 * size : max + 2;
                        char *grown = realloc(buffer, larger);
                        if (!grown)
                                return -ENOMEM;
                        buffer = grown;
                        size = larger;
                }
        }

        if (memchr(buffer, '\0', length))
                return -EBADMSG;
        buffer[length] = '\0';
        *ret = take_ptr(buffer);
        *ret_length = length;
        return 0;
}

int file_read_capped(int dir_fd, const char *name, size_t max, bool trusted, char **ret, size_t *ret_length) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;
        struct stat st;

        if (max > SSIZE_MAX - 2)
                return -EINVAL;

        /* O_NONBLOCK: a FIFO in the file's place must not stop us. */
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        if (trusted && ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH))))
                return -EPERM;
        if (st.st_size > (off_t) max)
                return -EFBIG;

        int r = read_to_end(fd, (size_t) st.st_size, max, &text, &length);
        if (r < 0)
                return r;

        *ret = take_ptr(text);
        if (ret_length)
                *ret_length = length;
        return 0;
}

static int write_and_close(int fd, const void *data, size_t length, mode_t mode, uid_t uid, gid_t gid, bool sync) {
        _cleanup_close_ int owned = fd;
        int r = write_all(fd, data, length);

        if (r < 0)
                return r;
        /* Owner first: a change of owner may clear bits of the mode. */
        if ((uid != (uid_t) -1 || gid != (gid_t) -1) && fchown(fd, uid, gid) < 0)
                return -errno;
        if (fchmod(fd, mode) < 0)
                return -errno;
        if (sync && fsync(fd) < 0)
                return -errno;
        /* NFS and quotas may report a failed write only here. */
        if (close(take_fd(&owned)) < 0 && errno != EINTR)
                return -errno;
        return 0;
}

/* Exclusive, so that it is ours alone; what a killed predecessor left is removed first. */
static int create_temporary(int dir_fd, const char *name) {
        for (unsigned attempt = 0; attempt < 2; attempt++) {
                int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (fd >= 0)
                        return fd;
                if (errno != EEXIST || attempt > 0 || unlinkat(dir_fd, name, 0) < 0)
                        break;
        }
        return -errno;
}

int file_write_atomic(int dir_fd, const char *name, const void *data, size_t length, mode_t mode, uid_t uid, gid_t gid,
                      bool sync) {
        _cleanup_free_ char *temporary = NULL, *folder = NULL;
        _cleanup_close_ int folder_fd = -1;
        const char *slash = strrchr(name, '/');
        const char *base = slash ? slash + 1 : name;
        int r;

        if (!*base || streq(base, ".") || streq(base, ".."))
                return -EINVAL;
        if (asprintf(&temporary, "%.*s.%s.tmp", (int) (base - name), name, base) < 0) {
                temporary = NULL;
                return -ENOMEM;
        }
        if (sync) {
                /* Opened before anything is written, so that little is left to fail after the renaming. */
                folder = base == name ? strdup(".") : strndup(name, (size_t) (base - name));
                if (!folder)
                        return -ENOMEM;
                folder_fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (folder_fd < 0)
                        return -errno;
        }

        int fd = create_temporary(dir_fd, temporary);
        if (fd < 0)
                return fd;

        r = write_and_close(fd, data, length, mode, uid, gid, sync);
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dir_fd, temporary, 0);
                return r;
        }
        if (sync && fsync(folder_fd) < 0)
                return -errno;
        return 0;
}
