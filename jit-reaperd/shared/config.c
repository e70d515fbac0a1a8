/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config-parse.h"
#include "config.h"
#include "file-io.h"
#include "name.h"
#include "paths.h"

/* Where the files are: /etc/jit over /usr/lib/jit, by file name, as in systemd.unit(5). What stands in them:
 * config-table.c. */

enum { FOLDER_ENTRIES_MAX = 256 }; /* so many roles, or drop-ins of one file */

static const char *const config_folders[] = {JIT_ETC, JIT_VENDOR}; /* the first one wins */

typedef struct Loader {
        const char *root;
        Config *config;
        char *why; /* of the caller, CONFIG_WHY_MAX bytes */
} Loader;

static Role *role_free(Role *role) {
        if (role) {
                config_table_clear(role_keys, role);
                free(role->name);
                free(role);
        }
        return NULL;
}
DEFINE_CLEANUP(Role, role_free);

Config *config_free(Config *c) {
        if (!c)
                return NULL;
        for (Role **role = c->roles; role && *role; role++)
                role_free(*role);
        free(c->roles);
        config_table_clear(config_keys, c);
        free(c);
        return NULL;
}

const Role *config_role(const Config *c, const char *name) {
        for (Role **role = c->roles; role && *role; role++)
                if (streq((*role)->name, name))
                        return *role;
        return NULL;
}

__attribute__((format(printf, 2, 3))) static int loader_refuse(Loader *l, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(l->why, CONFIG_WHY_MAX, format, ap);
        va_end(ap);
        return -EBADMSG;
}

static int loader_path(const Loader *l, const char *folder, const char *name, char **ret) {
        if (asprintf(ret, "%s%s%s%s", l->root, folder, *name ? "/" : "", name) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

static const char *read_fault(int error) {
        switch (error) {
        case -EPERM:
                return "must belong to root and be writable by nobody else";
        case -ELOOP:
                return "is a symbolic link (only one to /dev/null is taken: it masks the file)";
        case -EISDIR:
        case -EINVAL:
                return "is not a regular file";
        case -EFBIG:
                return "is longer than 64 KiB";
        case -EBADMSG:
                return "holds a NUL byte";
        default:
                return strerror(-error);
        }
}

/* Whoever may write the folder may put any file there, so the folder counts as much as the file. *ret stays NULL
 * if there is none. */
static int folder_open(Loader *l, const char *path, DIR **ret) {
        struct stat st;

        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : loader_refuse(l, "%s: %s", path, strerror(errno));
        if (fstat(fd, &st) < 0)
                return loader_refuse(l, "%s: %s", path, strerror(errno));
        if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return loader_refuse(l, "%s: %s", path, read_fault(-EPERM));

        DIR *d = fdopendir(fd);
        if (!d)
                return errno == ENOMEM ? -ENOMEM : loader_refuse(l, "%s: %s", path, strerror(errno));
        (void) take_fd(&fd);
        *ret = d;
        return 0;
}

static void folder_closep(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* Hidden files and what editors and package managers leave (.conf~, .conf.dpkg-new, ...) are no configuration. */
static bool entry_counts(const char *name, const char *suffix) {
        size_t n = strlen(name), s = strlen(suffix);

        return name[0] != '.' && n > s && streq(name + n - s, suffix);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The names below subfolder, of both places, that end in suffix; sorted, each once. */
static int folder_list(Loader *l, const char *subfolder, const char *suffix, char ***ret) {
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(config_folders); i++) {
                __attribute__((cleanup(folder_closep))) DIR *d = NULL;
                _cleanup_free_ char *path = NULL;

                int r = loader_path(l, config_folders[i], subfolder, &path);
                if (r >= 0)
                        r = folder_open(l, path, &d);
                if (r < 0)
                        return r;
                if (!d)
                        continue;

                for (;;) {
                        errno = 0;
                        struct dirent *entry = readdir(d);
                        if (!entry) {
                                if (errno != 0)
                                        return loader_refuse(l, "%s: %s", path, strerror(errno));
                                break;
                        }
                        if (!entry_counts(entry->d_name, suffix) || strv_contains(names, entry->d_name))
                                continue;
                        if (strv_length(names) >= FOLDER_ENTRIES_MAX)
                                return loader_refuse(l, "%s: more than %d files", path, FOLDER_ENTRIES_MAX);
                        if (strv_extend(&names, entry->d_name) < 0)
                                return -ENOMEM;
                }
        }

        if (names)
                qsort(names, strv_length(names), sizeof(char *), compare_names);
        *ret = take_ptr(names);
        return 0;
}

static bool file_is_masked(const char *path) {
        char target[sizeof("/dev/null")];

        return readlink(path, target, sizeof(target)) == (ssize_t) strlen("/dev/null") &&
               memcmp(target, "/dev/null", strlen("/dev/null")) == 0;
}

/* Puts the file's text, of the first place that has it, over target. 1: done; 0: there is none, or it is masked (then
 * *ret_masked). */
static int file_apply(Loader *l, const char *name, const ConfigKey *table, void *target, bool *ret_masked) {
        *ret_masked = false;

        for (size_t i = 0; i < ELEMENTSOF(config_folders); i++) {
                _cleanup_free_ char *path = NULL, *text = NULL;
                size_t length = 0;

                int r = loader_path(l, config_folders[i], name, &path);
                if (r < 0)
                        return r;
                if (file_is_masked(path)) {
                        *ret_masked = true;
                        return 0;
                }
                r = file_read_capped(AT_FDCWD, path, CONFIG_FILE_MAX, true, &text, &length);
                if (r == -ENOENT)
                        continue;
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return loader_refuse(l, "%s: %s", path, read_fault(r));

                r = config_table_apply(table, target, path, text, length, l->why);
                return r < 0 ? r : 1;
        }
        return 0;
}

/* The drop-ins of NAME, in NAME.d. */
static int dropins_apply(Loader *l, const char *name, const ConfigKey *table, void *target) {
        _cleanup_free_ char *subfolder = NULL;
        _cleanup_strv_ char **files = NULL;
        bool masked;

        if (asprintf(&subfolder, "%s.d", name) < 0) {
                subfolder = NULL;
                return -ENOMEM;
        }
        int r = folder_list(l, subfolder, ".conf", &files);

        STRV_FOREACH(file, files) {
                _cleanup_free_ char *path = NULL;

                if (r < 0)
                        break;
                if (asprintf(&path, "%s/%s", subfolder, *file) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                r = file_apply(l, path, table, target, &masked);
        }
        return r < 0 ? r : 0;
}

static int config_add_role(Config *c, Role *role) {
        size_t n = 0;

        while (c->roles && c->roles[n])
                n++;
        Role **grown = reallocarray(c->roles, n + 2, sizeof(Role *));
        if (!grown)
                return -ENOMEM;
        grown[n] = role;
        grown[n + 1] = NULL;
        c->roles = grown;
        return 0;
}

static Role *role_new(const char *name, size_t length) {
        Role *role = calloc(1, sizeof(Role));

        if (!role)
                return NULL;
        role->name = strndup(name, length);
        return role->name ? role : role_free(role);
}

/* file: NAME.conf below roles.d. */
static int role_load(Loader *l, const char *file) {
        JIT_CLEANUP(role_freep) Role *role = role_new(file, strlen(file) - strlen(".conf"));
        _cleanup_free_ char *path = NULL;
        bool masked;

        if (!role)
                return -ENOMEM;
        if (asprintf(&path, "roles.d/%s", file) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        if (!role_name_is_valid(role->name))
                return loader_refuse(l, "%s%s/%s: a role's name is a small letter, then a-z 0-9 -, at most %d in all",
                                     l->root, JIT_ETC, path, ROLE_NAME_MAX);

        int r = config_table_defaults(role_keys, role);
        if (r >= 0)
                r = file_apply(l, path, role_keys, role, &masked);
        if (r <= 0)
                return r;
        r = dropins_apply(l, path, role_keys, role);
        if (r < 0)
                return r;
        const char *fault = role_fault(role);
        if (fault)
                return loader_refuse(l, "%s%s/%s: %s", l->root, JIT_ETC, path, fault);

        r = config_add_role(l->config, role);
        if (r < 0)
                return r;
        role = NULL;
        return 0;
}

/* A misspelt folder would quietly leave out what it says, maybe a restriction. */
static int roles_check_stray_dropins(Loader *l, char *const *files) {
        _cleanup_strv_ char **folders = NULL;

        int r = folder_list(l, "roles.d", ".conf.d", &folders);
        if (r < 0)
                return r;

        STRV_FOREACH(folder, folders) {
                (*folder)[strlen(*folder) - strlen(".d")] = '\0';
                if (!strv_contains(files, *folder))
                        return loader_refuse(l, "%s%s/roles.d/%s.d: there is no role file %s that this could belong to",
                                             l->root, JIT_ETC, *folder, *folder);
        }
        return 0;
}

static int compare_roles(const void *a, const void *b) {
        return strcmp((*(Role *const *) a)->name, (*(Role *const *) b)->name);
}

static int roles_load(Loader *l) {
        _cleanup_strv_ char **files = NULL;
        size_t n = 0;

        int r = folder_list(l, "roles.d", ".conf", &files);
        if (r >= 0)
                r = roles_check_stray_dropins(l, files);
        STRV_FOREACH(file, files) {
                if (r < 0)
                        break;
                r = role_load(l, *file);
        }
        if (r < 0)
                return r;

        while (l->config->roles && l->config->roles[n])
                n++;
        if (n > 0) /* the file names were sorted, with .conf: "a-b" came before "a" */
                qsort(l->config->roles, n, sizeof(Role *), compare_roles);
        return 0;
}

/* What hostname(1) says, and its part before the first dot. A name that is none to us (localhost.localdomain is one) is
 * left out. */
static int host_names_default(Config *c) {
        char name[256] = "";
        const ConfigKey key = {.max = 2, .offset = offsetof(Config, host_names)};
        const char *why = NULL;

        if (gethostname(name, sizeof(name) - 1) < 0 || !*name)
                return 0;
        int r = config_value_hosts(&key, name, c, &why);
        if (r >= 0 && strchr(name, '.')) {
                *strchr(name, '.') = '\0';
                r = config_value_hosts(&key, name, c, &why);
        }
        return r == -ENOMEM ? r : 0;
}

int config_load(const char *root, Config **ret, char *ret_why) {
        JIT_CLEANUP(config_freep) Config *c = calloc(1, sizeof(Config));
        Loader l = {.root = root, .config = c, .why = ret_why};
        _cleanup_strv_ char **ignored = NULL;
        bool masked;

        ret_why[0] = '\0';
        if (!c)
                return -ENOMEM;

        int r = config_table_defaults(config_keys, c);
        if (r >= 0)
                r = folder_list(&l, "", ".conf", &ignored); /* both folders may be trusted, or do not exist */
        if (r >= 0)
                r = file_apply(&l, "jit.conf", config_keys, c, &masked);
        if (r >= 0)
                r = dropins_apply(&l, "jit.conf", config_keys, c);
        if (r >= 0)
                r = roles_load(&l);
        if (r >= 0 && !c->host_names)
                r = host_names_default(c);
        if (r < 0)
                return r;

        *ret = take_ptr(c);
        return 0;
}
