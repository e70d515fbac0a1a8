/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_FILE_IO_H
#define JIT_FILE_IO_H

/* Files by descriptor. All paths are relative to a directory descriptor (or AT_FDCWD) and never follow a symlink in
 * their last part. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads a regular file of at most max bytes; NUL-ended; free(). trusted: owner must be root (or ourselves) and nobody
 * else may write it, else -EPERM. -EFBIG if longer, -ELOOP for a symlink, -EBADMSG if it holds a NUL byte. ret_length
 * may be NULL. */
int file_read_capped(int dir_fd, const char *name, size_t max, bool trusted, char **ret, size_t *ret_length);
/* Writes ".NAME.tmp" beside it, with this mode, owner and group ((uid_t) -1: as is), and renames. On failure nothing is
 * left. sync: fsync the file and its directory. */
int file_write_atomic(int dir_fd, const char *name, const void *data, size_t length, mode_t mode, uid_t uid, gid_t gid,
                      bool sync);
/* Whole buffer or error; retries EINTR and short writes. */
int write_all(int fd, const void *data, size_t length);

#endif
