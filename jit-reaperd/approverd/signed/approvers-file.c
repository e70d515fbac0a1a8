/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "file-io.h"
#include "log.h"
#include "signature.h"
#include "strv.h"

enum { APPROVERS_FILE_MAX = 1024 * 1024, APPROVERS_NAMES_MAX = 4096 };

typedef struct Identity {
        dev_t device;
        ino_t inode;
        off_t size;
        struct timespec mtime;
        int error; /* errno of looking, 0: the rest is set */
} Identity;

struct ApproversFile {
        char *directory;
        bool loaded;
        Identity approvers_identity, revoked_identity;
        int approvers_fd, revoked_fd; /* sealed memfds with what was read; ssh-keygen opens them by /proc/self/fd */
        bool timed, revokes_all;
        char **names; /* principals as they stand */
};

int approvers_file_new(const char *directory, ApproversFile **ret) {
        ApproversFile *a = calloc(1, sizeof(*a));

        if (!a)
                return -ENOMEM;
        a->approvers_fd = a->revoked_fd = -1;
        a->directory = strdup(directory);
        if (!a->directory) {
                free(a);
                return -ENOMEM;
        }
        *ret = a;
        return 0;
}

ApproversFile *approvers_file_free(ApproversFile *a) {
        if (!a)
                return NULL;
        closep(&a->approvers_fd);
        closep(&a->revoked_fd);
        strv_free(a->names);
        free(a->directory);
        free(a);
        return NULL;
}

static Identity identity_of(int dir_fd, const char *name) {
        Identity i = {0};
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                i.error = errno;
                return i;
        }
        i.device = st.st_dev;
        i.inode = st.st_ino;
        i.size = st.st_size;
        i.mtime = st.st_mtim;
        return i;
}

static bool identity_is(const Identity *a, const Identity *b) {
        return a->device == b->device && a->inode == b->inode && a->size == b->size &&
               a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec && a->error == b->error;
}

static int memfd_with(const char *name, const char *data, size_t length) {
        _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        if ((r = write_all(fd, data, length)) < 0)
                return r;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -errno;
        return take_fd(&fd);
}

/* allowed_signers: ssh-keygen(1), ALLOWED SIGNERS: principals, options, key. Only the first word is of interest here.
 */
static void collect_names(ApproversFile *a, const char *text) {
        for (const char *line = text; *line; line += *line == '\n') {
                size_t word = strcspn(line, " \t\n");

                if (*line != '#' && word < 1024) {
                        char names[1024], *state = NULL;
                        memcpy(names, line, word);
                        names[word] = '\0';
                        for (char *n = strtok_r(names, ",\"", &state); n; n = strtok_r(NULL, ",\"", &state))
                                if (strv_length(a->names) < APPROVERS_NAMES_MAX && !strpbrk(n, "*?!"))
                                        (void) strv_extend(&a->names, n); /* no memory: one person has fewer rights */
                }
                line += strcspn(line, "\n");
        }
}

static void load_approvers(ApproversFile *a, int dir_fd) {
        _cleanup_free_ char *text = NULL;
        size_t length = 0;
        int r;

        closep(&a->approvers_fd);
        a->names = strv_free(a->names);
        a->timed = false;
        r = dir_fd < 0 ? dir_fd : file_read_capped(dir_fd, "approvers", APPROVERS_FILE_MAX, true, &text, &length);
        if (r >= 0)
                r = a->approvers_fd = memfd_with("approvers", text, length);
        if (r < 0) {
                log_warning("%s/approvers: cannot be used, so nobody can approve: %s", a->directory, strerror(-r));
                return;
        }
        a->timed = strcasestr(text, "valid-after") || strcasestr(text, "valid-before") ||
                   strcasestr(text, "cert-authority");
        collect_names(a, text);
}

static void load_revoked(ApproversFile *a, int dir_fd) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        char *data;

        closep(&a->revoked_fd);
        a->revokes_all = false;
        if (a->revoked_identity.error == ENOENT)
                return;
        /* May be a binary KRL (ssh-keygen(1), KEY REVOCATION LISTS): not read as text. */
        fd = dir_fd < 0 ? -1 : openat(dir_fd, "revoked", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > APPROVERS_FILE_MAX ||
            (st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022) != 0)
                goto unusable;
        if (st.st_size == 0)
                return;
        data = malloc((size_t) st.st_size);
        if (data && read(fd, data, (size_t) st.st_size) == st.st_size)
                a->revoked_fd = memfd_with("revoked", data, (size_t) st.st_size);
        free(data);
        if (a->revoked_fd >= 0)
                return;
unusable:
        a->revokes_all = true;
        log_warning("%s/revoked: cannot be used, so every approver counts as revoked (a file of root's, writable by "
                    "root alone, of "
                    "at most %d KiB is wanted)",
                    a->directory, APPROVERS_FILE_MAX / 1024);
}

int approvers_file_refresh(ApproversFile *a) {
        _cleanup_close_ int dir_fd = open(a->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        Identity approvers = identity_of(dir_fd, "approvers"), revoked = identity_of(dir_fd, "revoked");
        bool changed = false;

        if (!a->loaded || !identity_is(&approvers, &a->approvers_identity)) {
                a->approvers_identity = approvers;
                load_approvers(a, dir_fd);
                changed = true;
        }
        if (!a->loaded || !identity_is(&revoked, &a->revoked_identity)) {
                a->revoked_identity = revoked;
                load_revoked(a, dir_fd);
                changed = true;
        }
        a->loaded = true;
        return changed;
}

void approvers_file_forget(ApproversFile *a) {
        a->loaded = false;
}

char *const *approvers_file_names(const ApproversFile *a) {
        return a->names;
}

bool approvers_file_lists(const ApproversFile *a, const char *name) {
        return strv_contains(a->names, name);
}

bool approvers_file_is_timed(const ApproversFile *a) {
        return a->timed;
}

int approvers_file_fd(const ApproversFile *a) {
        return a->approvers_fd;
}

int approvers_file_revoked_fd(const ApproversFile *a) {
        return a->revoked_fd;
}

bool approvers_file_revokes_all(const ApproversFile *a) {
        return a->revokes_all;
}
