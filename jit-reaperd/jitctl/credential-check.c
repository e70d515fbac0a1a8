/* SPDX-License-Identifier: Apache-2.0 */

/* Whether systemd hands a secret to jit-approverd: systemd.exec(5), CREDENTIALS. Only what the unit's files say is
 * looked at, and no secret is read. */

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "findings.h"

#define UNIT "jit-approverd.service"
#define EXAMPLE_DROP_IN "/etc/systemd/system/" UNIT ".d/credentials.conf"

typedef struct CredentialScan {
        const char *name;
        char *source; /* the path of LoadCredential=, if it has one */
        bool found;
} CredentialScan;

/* "LoadCredential=ID:PATH", "SetCredential=ID:TEXT", "ImportCredential=GLOB". A folder as PATH gives ID_FILE each. */
static int on_unit_line(char *line, void *userdata) {
        static const char *const keys[] = {"LoadCredential", "LoadCredentialEncrypted", "SetCredential",
                                           "SetCredentialEncrypted"};
        CredentialScan *s = userdata;
        char *key = strsep(&line, "="), *id, *end;
        size_t n;

        if (!line)
                return 0;
        for (end = key + strlen(key); end > key && strchr(" \t", end[-1]); end--)
                end[-1] = 0;
        line += strspn(line, " \t");
        s->found |= streq(key, "ImportCredential") && fnmatch(line, s->name, 0) == 0;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                if (!streq(key, keys[i]))
                        continue;
                id = strsep(&line, ":");
                n = strlen(id);
                if (!streq(id, s->name) && !(strncmp(s->name, id, n) == 0 && s->name[n] == '_'))
                        return 0;
                s->found = true;
                if (i < 2 && line && line[0] == '/' && !strchr(line, '%') && streq(id, s->name)) {
                        free(s->source);
                        s->source = strdup(line);
                }
                return 0;
        }
        return 0;
}

static int is_drop_in(const struct dirent *e) {
        size_t n = strlen(e->d_name);

        return n > strlen(".conf") && streq(e->d_name + n - strlen(".conf"), ".conf");
}

static void scan_drop_ins(const char *folder, CredentialScan *s) {
        struct dirent **entries = NULL;
        int n = scandir(folder, &entries, is_drop_in, alphasort);

        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;

                if (asprintf(&path, "/%s", entries[i]->d_name) < 0)
                        path = NULL;
                else
                        (void) each_config_line(folder, path, on_unit_line, s);
                free(entries[i]);
        }
        free(entries);
}

/* Most of them are not there: ignoring. */
static void scan_unit(const char *root, const char *folder, CredentialScan *s) {
        _cleanup_free_ char *unit = NULL, *drop_ins = NULL;

        if (asprintf(&unit, "%s/%s", folder, UNIT) < 0)
                unit = NULL;
        if (asprintf(&drop_ins, "%s%s/%s.d", root, folder, UNIT) < 0)
                drop_ins = NULL;
        if (unit)
                (void) each_config_line(root, unit, on_unit_line, s);
        if (drop_ins)
                scan_drop_ins(drop_ins, s);
}

/* The unit does not start at all without it. */
static void check_source(Findings *f, const char *root, const char *name, const char *source) {
        _cleanup_free_ char *whole = NULL;
        struct stat st;

        if (asprintf(&whole, "%s%s", root, source) < 0) {
                whole = NULL;
                f->failed = true;
        } else if (stat(whole, &st) < 0) {
                if (errno != EACCES)
                        findings_add(f, true, source, "put the secret there: " UNIT " does not start without it",
                                     "the credential %s: %s", name, strerror(errno));
        } else if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)))
                findings_add(f, false, source, "chmod 600",
                             "the credential %s can be read or written by others than root", name);
}

void credential_check(Findings *f, const char *root, const char *file, const char *key, const char *name) {
        static const char *const folders[] = {"/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/system",
                                              "/etc/systemd/system"};
        CredentialScan scan = {.name = name};

        for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                scan_unit(root, folders[i], &scan);
        if (!scan.found)
                findings_add(f, false, file, "add LoadCredential= to " EXAMPLE_DROP_IN " and restart jit-approverd",
                             "%s=%s: no file of " UNIT " gives it that credential: it cannot log in", key, name);
        else if (scan.source)
                check_source(f, root, name, scan.source);
        free(scan.source);
}
