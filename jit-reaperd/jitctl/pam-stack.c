/* SPDX-License-Identifier: Apache-2.0 */

#include <strings.h>

#include "cleanup.h"
#include "findings.h"
#include "pam-service.h"
#include "pam-stack.h"

enum { INCLUDE_DEPTH_MAX = 16 };

typedef struct PamScan {
        const char *root, *type;
        bool elevates; /* not a service that people log in by */
        unsigned depth;
        PamStack *stack;
} PamScan;

static int on_pam_line(char *line, void *userdata);

/* name: of a service, or a path. */
static int scan_service(PamScan *s, const char *name) {
        static const char *const folders[] = {"/etc/pam.d/", "/usr/lib/pam.d/"};
        int r = -ENOENT;

        if (s->depth >= INCLUDE_DEPTH_MAX)
                return -ELOOP;
        s->depth++;
        for (size_t i = 0; i < (*name == '/' ? 1 : ELEMENTSOF(folders)) && r == -ENOENT; i++) {
                _cleanup_free_ char *path = NULL;

                if (asprintf(&path, "%s%s", *name == '/' ? "" : folders[i], name) < 0) {
                        path = NULL;
                        r = -ENOMEM;
                        break;
                }
                r = each_config_line(s->root, path, on_pam_line, s);
        }
        s->depth--;
        return r;
}

static bool module_is(const char *path, const char *name) {
        const char *slash = strrchr(path, '/');

        return streq(slash ? slash + 1 : path, name);
}

/* One word, or all that is between [ and ]. */
static char *next_control(char **line) {
        char *control, *end;

        if (!*line)
                return NULL;
        *line += strspn(*line, " \t");
        if (**line != '[')
                return next_word(line);
        control = *line + 1;
        end = strchr(control, ']');
        if (!end)
                return NULL;
        *end = 0;
        *line = end + 1;
        return control;
}

static bool control_ignores(const char *control) {
        return strcasecmp(control, "optional") == 0 || strcasecmp(control, "sufficient") == 0 ||
               strstr(control, "default=ignore");
}

static void count_jit(const PamScan *s, const char *control, char *arguments) {
        bool gate = false, inside = false, logins = false, elevations = false;
        PamStack *k = s->stack;
        const char *word;

        while ((word = next_word(&arguments))) {
                gate |= streq(word, "gate");
                inside |= streq(word, "inside");
                logins |= streq(word, "logins");
                elevations |= streq(word, "elevations");
        }
        if (s->elevates ? logins : elevations)
                return;
        if (inside) {
                k->inside_at = k->inside_at ? k->inside_at : k->modules;
                return;
        }
        k->jit_first = k->jit_first ? k->jit_first : k->modules;
        k->jit_last = k->modules;
        k->gate |= gate;
        k->ignored |= control_ignores(control);
        k->open_without |= gate && strstr(control, "module_unknown=ignore");
}

static void count_module(const PamScan *s, const char *control, const char *module, char *arguments) {
        PamStack *k = s->stack;

        k->modules++;
        if (module_is(module, "pam_systemd.so") && !k->systemd_at)
                k->systemd_at = k->modules;
        if (module_is(module, "pam_unix.so") && !k->unix_at)
                k->unix_at = k->modules;
        if (module_is(module, "pam_loginuid.so") && !k->loginuid_at)
                k->loginuid_at = k->modules;
        if (module_is(module, "pam_jit.so"))
                count_jit(s, control, arguments);
}

static int on_pam_line(char *line, void *userdata) {
        PamScan *s = userdata;
        char *type, *control, *module;

        line[strcspn(line, "#")] = 0;
        type = next_word(&line);
        if (!type)
                return 0;
        if (streq(type, "@include")) {
                module = next_word(&line);
                if (module)
                        (void) scan_service(s, module); /* libpam says so itself if it cannot be read */
                return 0;
        }
        if (strcasecmp(*type == '-' ? type + 1 : type, s->type) != 0)
                return 0;
        control = next_control(&line);
        module = control ? next_word(&line) : NULL;
        if (!module)
                return 0;
        if (strcasecmp(control, "include") == 0 || strcasecmp(control, "substack") == 0)
                (void) scan_service(s, module);
        else
                count_module(s, control, module, line);
        return 0;
}

int pam_stack_read(const char *root, const char *service, const char *type, PamStack *ret) {
        PamStack stack = {0};
        PamScan scan = {.root = root, .type = type, .elevates = pam_service_elevates(service), .stack = &stack};
        int r = scan_service(&scan, service);

        if (r == -ENOENT)
                (void) scan_service(&scan, "other");
        stack.found = r >= 0;
        *ret = stack;
        return r;
}
