/* SPDX-License-Identifier: Apache-2.0 */

/* /etc/jit/providers.d, as jit-approverd will find it, which is not root and reads only what is root's. What stands in
 * the files is jit-approverd's business (`jitctl provider list`); here only what other files they name. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "config-parse.h"
#include "file-io.h"
#include "findings.h"
#include "name.h"
#include "paths.h"

#define FOLDER JIT_ETC "/providers.d"

typedef struct FileScan {
        Findings *findings;
        const char *root, *path; /* path: of the file, without root */
        bool has_program;
} FileScan;

/* A regular file or folder of root's that nobody else may write and everybody may read. follow: its last part may be a
 * symlink, as those of /etc/ssl/certs are. */
static int check_owner(Findings *f, const char *root, const char *path, mode_t kind, bool follow) {
        _cleanup_free_ char *whole = NULL;
        mode_t read = kind == S_IFDIR ? S_IROTH | S_IXOTH : S_IROTH;
        struct stat st;

        if (asprintf(&whole, "%s%s", root, path) < 0) {
                whole = NULL;
                f->failed = true;
                return -ENOMEM;
        }
        if (fstatat(AT_FDCWD, whole, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if ((st.st_mode & S_IFMT) != kind)
                findings_add(f, true, path, "put the file itself there", "is not a regular file");
        else if (st.st_uid != 0 && st.st_uid != geteuid())
                findings_add(f, true, path, "chown root:root",
                             "belongs to user %u, not to root: jit-approverd refuses it", (unsigned) st.st_uid);
        else if (st.st_mode & (S_IWGRP | S_IWOTH))
                findings_add(f, true, path, "chmod go-w", "others than root may write it: jit-approverd refuses it");
        else if ((st.st_mode & read) != read)
                findings_add(f, true, path,
                             kind == S_IFDIR ? "chmod 755" : "chmod 644; secrets belong into credentials",
                             "jit-approverd, which is not root, may not read it");
        return 0;
}

/* A file that a provider's file names: beside it, if the name has no slash. */
static void check_named(FileScan *s, const char *key, const char *value) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, "%s%s", value[0] == '/' ? "" : FOLDER "/", value) < 0) {
                path = NULL;
                s->findings->failed = true;
                return;
        }
        r = check_owner(s->findings, s->root, path, S_IFREG, streq(key, "CAFile"));
        if (r < 0 && r != -ENOMEM)
                findings_add(s->findings, true, s->path, "correct the name, or put the file there", "%s=%s: %s: %s",
                             key, value, path, strerror(-r));
}

static int on_assignment(void *userdata, const char *section, const char *key, const char *value, char *ret_why) {
        static const char *const files[] = {"Program", "Body", "CAFile", "KeysFile"},
                                 *const credentials[] = {"Credential", "ClientCertificate", "ClientKey"};
        FileScan *s = userdata;

        (void) section;
        (void) ret_why;
        if (!*value)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (streq(key, files[i]))
                        check_named(s, key, value);
        for (size_t i = 0; i < ELEMENTSOF(credentials); i++)
                if (streq(key, credentials[i]))
                        credential_check(s->findings, s->root, s->path, key, value);
        s->has_program |= streq(key, "Program");
        return 0;
}

static void check_content(FileScan *s, const char *name) {
        _cleanup_free_ char *whole = NULL, *text = NULL, *program = NULL;
        char why[CONFIG_WHY_MAX] = "";
        size_t length = 0;
        int r;

        if (asprintf(&whole, "%s%s", s->root, s->path) < 0 || asprintf(&program, "%s.jq", name) < 0) {
                s->findings->failed = true;
                return;
        }
        r = file_read_capped(AT_FDCWD, whole, CONFIG_FILE_MAX, false, &text, &length);
        if (r >= 0)
                r = config_ini_parse(s->path, text, length, on_assignment, s, why);
        if (r == -EBADMSG && *why)
                findings_add_place(s->findings, "correct it: jit-provider(5)", why);
        else if (r < 0)
                findings_add(s->findings, true, s->path, "jit-provider(5)", "cannot be read: %s", strerror(-r));
        else if (!s->has_program)
                check_named(s, "Program", program);
}

static int is_provider_file(const struct dirent *e) {
        size_t n = strlen(e->d_name);

        return e->d_name[0] != '.' && n > strlen(".conf") && streq(e->d_name + n - strlen(".conf"), ".conf");
}

static void check_file(Findings *f, const char *root, const char *file) {
        _cleanup_free_ char *path = NULL, *name = strndup(file, strlen(file) - strlen(".conf"));
        FileScan scan = {.findings = f, .root = root};
        size_t errors = f->errors;

        if (!name || asprintf(&path, "%s/%s", FOLDER, file) < 0) {
                path = NULL;
                f->failed = true;
                return;
        }
        if (!role_name_is_valid(name) || streq(name, "signed"))
                findings_add(f, true, path, "name it a-z, 0-9 and '-', at most 27; \"signed\" is taken",
                             "\"%s\" is not a provider's name: it is not read", name);
        (void) check_owner(f, root, path, S_IFREG, false);
        scan.path = path;
        if (f->errors == errors)
                check_content(&scan, name);
}

size_t provider_check(Findings *f, const char *root) {
        _cleanup_free_ char *folder = NULL;
        struct dirent **entries = NULL;
        int n;

        if (asprintf(&folder, "%s%s", root, FOLDER) < 0) {
                folder = NULL;
                f->failed = true;
                return 0;
        }
        n = scandir(folder, &entries, is_provider_file, alphasort);
        if (n < 0) {
                if (errno != ENOENT)
                        findings_add(f, false, FOLDER, "look again as root", "not checked: %s", strerror(errno));
                return 0;
        }
        if (n > 0)
                (void) check_owner(f, root, FOLDER, S_IFDIR, false);
        for (int i = 0; i < n; i++) {
                check_file(f, root, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return (size_t) n;
}
