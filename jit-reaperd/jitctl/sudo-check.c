/* SPDX-License-Identifier: Apache-2.0 */

/* sudoers(5): whether the rules of grants are read at all, and whether sudo calls pam_jit for each command. Read here
 * and not by cvtsudoers(1), which sudo-rs does not have. */

#include <dirent.h>
#include <limits.h>

#include "cleanup.h"
#include "findings.h"
#include "paths.h"
#include "process.h"
#include "sudo-rules.h"

#define SUDOERS "/etc/sudoers"
#define OUR_FOLDER JIT_RUN "/sudoers.d"
enum { INCLUDE_DEPTH_MAX = 16, LINK_DEPTH_MAX = 8 };

typedef struct SudoScan {
        Findings *findings;
        const char *root, *file; /* that is being read */
        unsigned depth;
        bool found;
} SudoScan;

/* One setting of a Defaults line; what is cut off is longer than anything that we look for. */
typedef struct DefaultsOption {
        bool negated;
        char name[32], value[64];
} DefaultsOption;

static int on_sudoers_line(char *line, void *userdata);

static void take(char *to, size_t size, const char *from, size_t n) {
        (void) snprintf(to, size, "%.*s", (int) n, from);
}

/* name, !name, name=value, name+=value, name = "value"; blanks and commas between them. The names of users, hosts and
 * commands that a Defaults line may be for look like names too, and are none that we know. */
static bool next_option(const char **text, DefaultsOption *ret) {
        const char *p = *text + strspn(*text, " \t,"), *after;
        size_t n;

        *ret = (DefaultsOption){0};
        for (; *p == '!'; p += 1 + strspn(p + 1, " \t"))
                ret->negated = !ret->negated;
        if (!*p)
                return false;
        n = strcspn(p, " \t,=+-\"");
        take(ret->name, sizeof(ret->name), p, n);
        p += n;
        after = p + strspn(p, " \t");
        after += (*after == '+' || *after == '-') && after[1] == '=';
        if (*after == '=') {
                p = after + 1 + strspn(after + 1, " \t");
                n = *p == '"' ? strcspn(++p, "\"") : strcspn(p, " \t,");
                take(ret->value, sizeof(ret->value), p, n);
                p += n + (p[n] == '"');
        } else if (*p && !strchr(" \t,", *p)) /* no name of a setting: over it, so that the next begins where it does */
                p += 1 + strcspn(p + 1, " \t,");
        *text = p;
        return true;
}

static void check_option(const SudoScan *s, const DefaultsOption *o) {
        bool is_service = streq(o->name, "pam_service") || streq(o->name, "pam_login_service") ||
                          streq(o->name, "pam_askpass_service");

        if (o->negated && streq(o->name, "pam_session"))
                findings_add(s->findings, true, s->file, "take !pam_session out",
                             "!pam_session: sudo does not call pam_jit for its commands, so that what it starts by a "
                             "ticket does not end with it");
        if (o->negated && streq(o->name, "pam_acct_mgmt"))
                findings_add(s->findings, true, s->file, "take !pam_acct_mgmt out",
                             "!pam_acct_mgmt: sudo does not ask pam_jit, so that the gate is open");
        if (is_service && !streq(o->value, "sudo") && !streq(o->value, "sudo-i"))
                findings_add(s->findings, true, s->file, "take it out, or let the service be sudo or sudo-i",
                             "%s: pam_jit knows sudo by its services sudo and sudo-i alone, and would take this for a "
                             "login",
                             o->name);
}

static void scan_defaults(const SudoScan *s, const char *text) {
        DefaultsOption o;

        if (strchr(":@>!", *text)) /* for whom; not the ! of the first setting, which has a blank before it */
                text++;
        while (next_option(&text, &o))
                check_option(s, &o);
}

static void scan_file(SudoScan *s, const char *path) {
        const char *outer = s->file;

        s->file = path;
        (void) each_config_line(s->root, path, on_sudoers_line, s); /* a file we may not read: the caller says so */
        s->file = outer;
}

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
                        scan_file(s, path);
        }
        if (d)
                (void) closedir(d);
}

/* A name without a / in front is in the folder of the file that names it. */
static char *include_path(const SudoScan *s, const char *name) {
        const char *slash = strrchr(s->file, '/');
        size_t n = strlen(name);
        char *path;

        if (n >= 2 && name[0] == '"' && name[n - 1] == '"') {
                name++;
                n -= 2;
        }
        while (n > 1 && name[n - 1] == '/')
                n--;
        if (asprintf(&path, "%.*s%.*s", *name == '/' ? 0 : (int) (slash - s->file) + 1, s->file, (int) n, name) < 0)
                return NULL;
        return path;
}

static void scan_include(SudoScan *s, const char *name, bool folder) {
        _cleanup_free_ char *path = include_path(s, name);

        if (!path || s->depth >= INCLUDE_DEPTH_MAX)
                return;
        s->depth++;
        if (folder && streq(path, OUR_FOLDER))
                s->found = true;
        else if (folder)
                scan_folder(s, path);
        else
                scan_file(s, path);
        s->depth--;
}

static int on_sudoers_line(char *line, void *userdata) {
        static const char defaults[] = "Defaults";
        SudoScan *s = userdata;
        const char *word, *path;

        if (strncmp(line, defaults, strlen(defaults)) == 0 && line[strlen(defaults)] &&
            strchr(" \t:@>!", line[strlen(defaults)])) {
                scan_defaults(s, line + strlen(defaults));
                return 0;
        }
        word = next_word(&line);
        path = next_word(&line);
        if (word && path && (streq(word, "@include") || streq(word, "#include")))
                scan_include(s, path, false);
        else if (word && path && (streq(word, "@includedir") || streq(word, "#includedir")))
                scan_include(s, path, true);
        return 0;
}

/* What /usr/bin/sudo is in the end, below root. free(); NULL without memory. */
static char *sudo_program(const char *root) {
        _cleanup_free_ char *program = strdup("/usr/bin/sudo");

        for (unsigned depth = 0; program && depth < LINK_DEPTH_MAX; depth++) {
                _cleanup_free_ char *whole = NULL;
                char target[PATH_MAX], *next = NULL;
                const char *slash = strrchr(program, '/');
                ssize_t n;

                if (asprintf(&whole, "%s%s", root, program) < 0) {
                        whole = NULL;
                        return NULL;
                }
                n = readlink(whole, target, sizeof(target) - 1);
                if (n < 0)
                        break;
                target[n] = 0;
                if (asprintf(&next, "%.*s%s", *target == '/' ? 0 : (int) (slash - program) + 1, program, target) < 0)
                        return NULL;
                free(program);
                program = next;
        }
        return take_ptr(program);
}

/* Whether visudo(8), which reads as sudo does, refuses what every grant's rules have in them. */
static bool probe_is_refused(void) {
        static const char *const argv[] = {"visudo", "-c", "-f", "-", NULL};
        _cleanup_free_ char *output = NULL;
        int status = 0;

        return process_run(argv, sudo_rules_probe, strlen(sudo_rules_probe), true, &output, &status) >= 0 &&
               status != 0;
}

#define NO_RULES "so that there is no sudo by a role, no sudo -u jit-TICKET and no jitctl elevate"

/* sudo-rs takes no rule that ends by itself: it leaves the rule out, and says so to whoever calls it. */
static void check_program(Findings *f, const char *root) {
        _cleanup_free_ char *program = sudo_program(root);

        if (!program)
                f->failed = true;
        else if (strstr(program, "sudo-rs") || strstr(program, "/cargo/"))
                findings_add(f, false, "/usr/bin/sudo", "make the other sudo this host's, or let roles use gate alone",
                             "is sudo-rs (%s), which leaves the rules of grants out, " NO_RULES, program);
        else if (probe_is_refused())
                findings_add(f, false, "/usr/bin/sudo", "install sudo 1.8.20 or later, or let roles use gate alone",
                             "takes no rules that end by themselves (NOTAFTER=), %s", NO_RULES);
        else if (file_is_there(root, "/usr/bin/sudo-rs") && !file_is_there(root, "/etc/sudoers-rs"))
                findings_add(f, false, SUDOERS, "give sudo-rs a file of its own, /etc/sudoers-rs, without " OUR_FOLDER,
                             "sudo-rs reads it too, and says to each of its callers that it cannot read the rules of "
                             "grants");
}

void sudo_check(Findings *f, const char *root) {
        SudoScan s = {.findings = f, .root = root, .file = SUDOERS};
        int r = each_config_line(root, SUDOERS, on_sudoers_line, &s);

        if (r < 0)
                findings_add(f, false, SUDOERS,
                             r == -ENOENT ? "install sudo, if roles are to use it" : "run `jitctl check` as root",
                             "not checked: %s", strerror(-r));
        else if (!s.found)
                findings_add(f, false, SUDOERS,
                             "put a file with the line `@includedir " OUR_FOLDER "` into /etc/sudoers.d",
                             "%s is not included: sudo does not know the rules of grants", OUR_FOLDER);
        if (s.found)
                check_program(f, root);
}
