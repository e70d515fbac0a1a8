/* SPDX-License-Identifier: Apache-2.0 */

/* sudoers(5): whether the rules of grants are read at all. */

#include <dirent.h>

#include "cleanup.h"
#include "findings.h"
#include "paths.h"

#define SUDOERS "/etc/sudoers"
#define OUR_FOLDER JIT_RUN "/sudoers.d"
enum { INCLUDE_DEPTH_MAX = 16 };

typedef struct SudoScan {
        const char *root;
        unsigned depth;
        bool found;
} SudoScan;

static int on_sudoers_line(char *line, void *userdata);

/* Files whose name ends in ~ or has a dot are skipped by sudo. */
static void scan_folder(SudoScan *s, const char *folder) {
        _cleanup_free_ char *whole = NULL;
        const struct dirent *entry;
        DIR *d;

        if (asprintf(&whole, "%s%s", s->root, folder) < 0) {
                whole = NULL;
                return;
        }
        d = opendir(whole);
        while (d && (entry = readdir(d))) {
                _cleanup_free_ char *path = NULL;
                size_t n = strlen(entry->d_name);

                if (strchr(entry->d_name, '.') || entry->d_name[n - 1] == '~')
                        continue;
                if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
                        path = NULL;
                else
                        (void) each_config_line(s->root, path, on_sudoers_line,
                                                s); /* a file we may not read: the caller says so */
        }
        if (d)
                (void) closedir(d);
}

static int on_sudoers_line(char *line, void *userdata) {
        SudoScan *s = userdata;
        char *word = next_word(&line), *path = next_word(&line);
        size_t n;

        if (!word || !path || s->depth >= INCLUDE_DEPTH_MAX)
                return 0;
        n = strlen(path);
        while (n > 1 && path[n - 1] == '/')
                path[--n] = 0;
        s->depth++;
        if (streq(word, "@include") || streq(word, "#include"))
                (void) each_config_line(s->root, path, on_sudoers_line, s);
        else if (streq(word, "@includedir") || streq(word, "#includedir")) {
                if (streq(path, OUR_FOLDER))
                        s->found = true;
                else
                        scan_folder(s, path);
        }
        s->depth--;
        return 0;
}

void sudo_check(Findings *f, const char *root) {
        SudoScan s = {.root = root};
        int r = each_config_line(root, SUDOERS, on_sudoers_line, &s);

        if (r < 0)
                findings_add(f, false, SUDOERS,
                             r == -ENOENT ? "install sudo, if roles are to use it" : "run `jitctl check` as root",
                             "not checked: %s", strerror(-r));
        else if (!s.found)
                findings_add(f, false, SUDOERS,
                             "put a file with the line `@includedir " OUR_FOLDER "` into /etc/sudoers.d",
                             "%s is not included: sudo does not know the rules of grants", OUR_FOLDER);
}
