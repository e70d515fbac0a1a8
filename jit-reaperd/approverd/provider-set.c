/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "approver.h"
#include "file-io.h"
#include "log.h"
#include "provider-http.h"
#include "strv.h"

enum { PROVIDERS_MAX = 32, PROVIDER_FILE_MAX = 64 * 1024 };

struct ProviderSet {
        Approver *approver;
        Provider *providers[PROVIDERS_MAX + 1]; /* [0] is "signed" */
        size_t n_providers;
        PolicyService *policies[PROVIDERS_MAX];
        size_t n_policies;
        json_t *refused;
        bool lacks_file;
        char lacking[ROLE_NAME_MAX + 1]; /* see provider_set_lacking_policy() */
        uint64_t mark;                   /* of the folder as it was read */
};

/* ---- one file ---- */

/* "NAME.conf" to NAME; false: not a provider's file. */
static bool file_name(const char *entry, char *ret) {
        size_t n = strlen(entry);

        if (n <= strlen(".conf") || n - strlen(".conf") > ROLE_NAME_MAX || !streq(entry + n - strlen(".conf"), ".conf"))
                return false;
        n -= strlen(".conf");
        memcpy(ret, entry, n);
        ret[n] = '\0';
        return role_name_is_valid(ret) && !streq(ret, "signed");
}

/* Whether a file that is refused was to be a policy: one that cannot be read may be. */
static bool may_be_policy(const char *text) {
        for (const char *line = text; line && *line; line = strchr(line, '\n')) {
                line += strspn(line, " \t\r\n");
                if (strncasecmp(line, "Kind", strlen("Kind")) != 0)
                        continue;
                line += strlen("Kind");
                line += strspn(line, " \t");
                if (*line != '=')
                        continue;
                line += 1 + strspn(line + 1, " \t");
                if (strncmp(line, "http", strlen("http")) != 0)
                        return true;
        }
        return !text;
}

/* *ret_policy is set on failure, too. */
static int read_file(ProviderSet *s, const char *folder, int fd, const char *entry, const char *name,
                     ProviderFile **ret, bool *ret_policy) {
        _cleanup_free_ char *text = NULL;
        char why[PROVIDER_WHY_MAX] = "";
        size_t length = 0;
        int r = file_read_capped(fd, entry, PROVIDER_FILE_MAX, true, &text, &length);

        if (r >= 0)
                r = provider_file_parse(folder, name, text, length, ret, why);
        *ret_policy = r < 0 ? may_be_policy(text) : (*ret)->kind == PROVIDER_FILE_POLICY;
        if (r < 0) {
                log_error("%s/%s is refused: %s", folder, entry, *why ? why : strerror(-r));
                (void) json_array_append_new(s->refused, json_pack("{s:s, s:s, s:s}", "name", name, "kind", "refused",
                                                                   "error", *why ? why : strerror(-r)));
        }
        return r;
}

static bool is_known(const ProviderSet *s, const char *name) {
        for (size_t i = 0; i < s->n_providers; i++)
                if (streq(s->providers[i]->name, name))
                        return true;
        for (size_t i = 0; i < s->n_policies; i++)
                if (streq(policy_service_name(s->policies[i]), name))
                        return true;
        return false;
}

static int add_file(ProviderSet *s, ProviderFile *file) {
        bool policy = file->kind == PROVIDER_FILE_POLICY;
        int r;

        if (s->n_providers + s->n_policies >= PROVIDERS_MAX) {
                provider_file_free(file);
                return -E2BIG;
        }
        r = policy ? policy_service_new(s->approver, file, &s->policies[s->n_policies])
                   : provider_http_new(s->approver, file, &s->providers[s->n_providers]);
        if (r < 0)
                return r;
        if (policy)
                s->n_policies++;
        else
                s->n_providers++;
        return 0;
}

/* ---- all files ---- */

static int compare_names(const void *x, const void *y) {
        return strcmp(*(char *const *) x, *(char *const *) y);
}

static int list_folder(int fd, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
        const struct dirent *e;
        int r = 0;

        if (!d) {
                r = -errno;
                if (copy >= 0)
                        (void) close(copy);
                return r;
        }
        while (r >= 0 && (e = readdir(d)))
                if (e->d_name[0] != '.')
                        r = strv_extend(&names, e->d_name);
        (void) closedir(d);
        if (r < 0)
                return r;
        if (names)
                qsort(names, strv_length(names), sizeof(*names), compare_names);
        *ret = take_ptr(names);
        return 0;
}

/* As FNV-1a does it: changes are to be noticed, nobody wants to hide one. */
static uint64_t mark_add(uint64_t mark, uint64_t value) {
        return (mark ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t mark_add_file(uint64_t mark, const char *name, const struct stat *st) {
        for (const char *c = name; *c; c++)
                mark = mark_add(mark, (unsigned char) *c);
        mark = mark_add(mark_add(mark, st->st_ino), (uint64_t) st->st_size);
        mark = mark_add(mark_add(mark, (uint64_t) st->st_ctim.tv_sec), (uint64_t) st->st_ctim.tv_nsec);
        return mark_add(mark_add(mark, st->st_mode), st->st_uid);
}

/* Changes with every file of the folder: programs lie beside the files that name them. */
static uint64_t folder_mark(int fd, char *const *names) {
        uint64_t mark = UINT64_C(0xcbf29ce484222325);

        STRV_FOREACH (name, names) {
                struct stat st;

                if (fstatat(fd, *name, &st, AT_SYMLINK_NOFOLLOW) >= 0)
                        mark = mark_add_file(mark, *name, &st);
        }
        return mark;
}

/* A file that is wrong where there was a good one before: old keeps its provider, which is moved over. */
static bool keep_old(ProviderSet *s, ProviderSet *old, const char *name) {
        for (size_t i = 1; old && i < old->n_providers; i++)
                if (streq(old->providers[i]->name, name)) {
                        s->providers[s->n_providers++] = old->providers[i];
                        old->providers[i] = old->providers[--old->n_providers];
                        return true;
                }
        for (size_t i = 0; old && i < old->n_policies; i++)
                if (streq(policy_service_name(old->policies[i]), name)) {
                        s->policies[s->n_policies++] = old->policies[i];
                        old->policies[i] = old->policies[--old->n_policies];
                        return true;
                }
        return false;
}

static void load_file(ProviderSet *s, ProviderSet *old, const char *folder, int fd, const char *entry) {
        char name[ROLE_NAME_MAX + 1];
        ProviderFile *file = NULL;
        bool policy, kept;
        int r;

        if (!file_name(entry, name) || is_known(s, name))
                return;
        r = read_file(s, folder, fd, entry, name, &file, &policy);
        if (r >= 0) {
                r = add_file(s, file);
                if (r < 0)
                        log_error("%s/%s cannot be used: %s", folder, entry, strerror(-r));
        }
        if (r >= 0)
                return;
        kept = s->n_providers + s->n_policies < PROVIDERS_MAX && keep_old(s, old, name);
        s->lacks_file = s->lacks_file || !kept;
        if (policy && !kept) {
                log_error("%s/%s may be a policy: nothing is allowed without it", folder, entry);
                memcpy(s->lacking, name, sizeof(name));
        }
}

/* The folder cannot be read: that is no reason to forget what it had. */
static void keep_all(ProviderSet *s, ProviderSet *old) {
        if (!old) {
                s->lacks_file = true;
                (void) snprintf(s->lacking, sizeof(s->lacking), "%s", "providers.d");
                return;
        }
        s->n_providers = old->n_providers; /* the arrays are copies of old's still */
        s->n_policies = old->n_policies;
        old->n_providers = 1;
        old->n_policies = 0;
}

/* The folder's path, its descriptor (-1: there is none) and what is in it. */
static int open_folder(const ProviderSet *s, char **ret_path, int *ret_fd, char ***ret_names) {
        *ret_fd = -1;
        if (asprintf(ret_path, "%s/providers.d", s->approver->etc) < 0) {
                *ret_path = NULL;
                return -ENOMEM;
        }
        *ret_fd = open(*ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return list_folder(*ret_fd, ret_names);
}

static void load(ProviderSet *s, ProviderSet *old) {
        _cleanup_free_ char *folder = NULL;
        _cleanup_strv_ char **names = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        r = open_folder(s, &folder, &fd, &names);
        if (r < 0) {
                log_error("%s cannot be read: %s", folder ? folder : "providers.d", strerror(-r));
                keep_all(s, old);
                return;
        }
        json_array_clear(s->refused);
        s->lacks_file = false;
        s->lacking[0] = '\0';
        s->mark = fd >= 0 ? folder_mark(fd, names) : 0;
        STRV_FOREACH (entry, names)
                load_file(s, old, folder, fd, *entry);
}

static void providers_done(ProviderSet *s) {
        for (size_t i = 0; i < s->n_policies; i++)
                policy_service_free(s->policies[i]);
        while (s->n_providers > 0) {
                Provider *p = s->providers[--s->n_providers];
                p->free(p);
        }
        s->n_policies = 0;
}

int provider_set_new(Approver *a, ProviderSet **ret) {
        ProviderSet *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->approver = a;
        s->refused = json_array();
        r = s->refused ? provider_signed_new(a, &s->providers[0]) : -ENOMEM;
        if (r < 0) {
                json_decref(s->refused);
                free(s);
                return r;
        }
        s->n_providers = 1;
        load(s, NULL);
        *ret = s;
        return 0;
}

ProviderSet *provider_set_free(ProviderSet *s) {
        if (!s)
                return NULL;
        providers_done(s);
        json_decref(s->refused);
        free(s);
        return NULL;
}

static bool folder_is_as_read(const ProviderSet *s) {
        _cleanup_free_ char *folder = NULL;
        _cleanup_strv_ char **names = NULL;
        _cleanup_close_ int fd = -1;

        return open_folder(s, &folder, &fd, &names) >= 0 && s->mark == (fd >= 0 ? folder_mark(fd, names) : 0);
}

/* The new ones are in place before the old ones answer what they were asked: whoever asks again at once asks the new.
 */
void provider_set_reload(ProviderSet *s, bool always) {
        if (!always && folder_is_as_read(s))
                return;

        ProviderSet old = *s;

        s->n_providers = 1;
        s->n_policies = 0;
        load(s, &old);
        /* What is left in old is not wanted any more; "signed" is in both. */
        if (old.n_providers > 1)
                old.providers[0] = old.providers[--old.n_providers];
        else
                old.n_providers = 0;
        providers_done(&old);
}

/* ---- asking ---- */

int provider_set_resolve(ProviderSet *s, const char *account, Reference *ret) {
        for (size_t i = 0; i < s->n_providers; i++) {
                int r = s->providers[i]->resolve(s->providers[i], account, ret);
                if (r != -ENOENT)
                        return r;
        }
        return -ENOENT;
}

int provider_set_refer(ProviderSet *s, const char *account, const char *person, Reference *ret) {
        const char *ticket = account + strlen(ACCOUNT_PREFIX);

        if (!person_name_is_valid(person) || ticket_id_parse(ticket, NULL) < 0)
                return -ENOENT;
        for (size_t i = 0; i < s->n_providers; i++) {
                int r = s->providers[i]->refer(s->providers[i], ticket, person, ret);
                if (r != -ENOENT)
                        return r;
        }
        return -ENOENT;
}

Provider *provider_set_find(ProviderSet *s, const char *name) {
        for (size_t i = 0; i < s->n_providers; i++)
                if (streq(s->providers[i]->name, name))
                        return s->providers[i];
        return NULL;
}

Provider *provider_set_first(ProviderSet *s) {
        return s->providers[0];
}

Provider *provider_set_next(ProviderSet *s, Provider *p) {
        for (size_t i = 0; i + 1 < s->n_providers; i++)
                if (s->providers[i] == p)
                        return s->providers[i + 1];
        return NULL;
}

json_t *provider_set_refused(const ProviderSet *s) {
        return s->refused;
}

PolicyService *const *provider_set_policies(ProviderSet *s, size_t *ret_n) {
        *ret_n = s->n_policies;
        return s->policies;
}

/* By name, not by place: providers.d may be loaded anew between two of them. */
PolicyService *provider_set_next_policy(ProviderSet *s, const char *name) {
        PolicyService *next = NULL;

        for (size_t i = 0; i < s->n_policies; i++) {
                const char *n = policy_service_name(s->policies[i]);
                if (strcmp(n, name) > 0 && (!next || strcmp(n, policy_service_name(next)) < 0))
                        next = s->policies[i];
        }
        return next;
}

bool provider_set_lacks_file(const ProviderSet *s) {
        return s->lacks_file;
}

const char *provider_set_lacking_policy(const ProviderSet *s) {
        return s->lacking[0] ? s->lacking : NULL;
}
