/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <shadow.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "example.h"

/* libnss_wrapper has no getspnam_r(), which libpam calls for pam_unix: the program comes first in symbol look-up. */
__attribute__((visibility("default"))) int getspnam_r(const char *name, struct spwd *entry, char *buffer, size_t size,
                                                      struct spwd **ret) {
        if (snprintf(buffer, size, "%s", name) >= (int) size)
                return ERANGE;
        *entry = (struct spwd){.sp_namp = buffer,
                               .sp_pwdp = buffer + strlen(buffer), /* empty: never looked at here */
                               .sp_lstchg = 19000,
                               .sp_min = -1,
                               .sp_max = -1,
                               .sp_warn = -1,
                               .sp_inact = -1,
                               .sp_expire = strcmp(name, NOT_YET_ALLOWED) == 0 ? 1 : -1,
                               .sp_flag = ~0ul};
        *ret = entry;
        return 0;
}

typedef struct Example {
        const Fixture *fixture;
        const char *folder, *user, *module, *arguments;
        char text[8192];
        unsigned lines;
} Example;

static void add(Example *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(Example *e, const char *format, ...) {
        size_t used = strlen(e->text);
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(e->text + used, sizeof(e->text) - used, format, arguments);
        va_end(arguments);
}

/* Without root pam_unix cannot read the expiry, and the probe stands in for it. */
static void add_account(Example *e) {
        const char *probe = getenv("PAM_PROBE_MODULE");

        if (geteuid() == 0)
                add(e, "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
                       "account requisite pam_deny.so\naccount required pam_permit.so\n");
        else
                add(e, "account required %s code=%d\naccount required pam_permit.so\n", probe,
                    strcmp(e->user, NOT_YET_ALLOWED) == 0 ? PAM_ACCT_EXPIRED : PAM_SUCCESS);
}

/* What stands where the file says "@include NAME". (libpam reads included files from /etc/pam.d even when it is given
 * another directory.) The session's probe stands where pam_systemd stands. */
static void add_common(Example *e, const char *name) {
        const char *probe = getenv("PAM_PROBE_MODULE");

        if (strncmp(name, "common-session", 14) == 0)
                add(e, "session required pam_permit.so\nsession optional %s\n", probe);
        else if (strncmp(name, "common-account", 14) == 0)
                add_account(e);
        else if (strncmp(name, "common-auth", 11) == 0)
                add(e, "auth requisite %s code=%d\n", probe, PAM_AUTH_ERR);
}

static void add_file(Example *e, const char *name, const char *type);

static void add_line(Example *e, char *line, const char *type) {
        char *module = strstr(line, "pam_jit.so"), included[32];
        const char *kind = line + (*line == '-');

        if (line[0] == '@') {
                add_common(e, line + strlen("@include "));
                return;
        }
        if (line[0] == '#' || (type && strncmp(kind, type, strlen(type)) != 0))
                return;
        if (module) {
                *module = 0;
                add(e, "%s %s socket=%s elevated=%s timeout=1 %s %s", line, e->module, e->fixture->socket,
                    e->fixture->dir, e->arguments, module + strlen("pam_jit.so"));
                e->lines++;
        } else if (sscanf(line, "%*s include %31s", included) == 1 && strcmp(included, "runuser") != 0) {
                char of[16] = "";
                (void) sscanf(line, "%15s", of);
                if (strcmp(of, "password") != 0)
                        add_file(e, included, of);
        } else if (strstr(line, "pam_nologin.so") && strncmp(kind, "account", 7) == 0)
                add(e, "%s", line);
        else if (strstr(line, "pam_permit.so"))
                add(e, "%s", line);
        else if (strstr(line, "pam_unix.so") && strncmp(kind, "account", 7) == 0)
                add_account(e);
        else if (strstr(line, "pam_unix.so") && strncmp(kind, "session", 7) == 0)
                add(e, "session required pam_permit.so\n");
        else if (strstr(line, "pam_systemd.so"))
                add_common(e, "common-session");
}

/* type: only what is of it; NULL: all. */
static void add_file(Example *e, const char *name, const char *type) {
        char path[256], line[512];
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/%s/%s", getenv("PAM_EXAMPLES"), e->folder, name);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                add_line(e, line, type);
        if (file)
                (void) fclose(file);
}

unsigned example_write(const Fixture *f, const char *folder, const char *service, const char *user, const char *module,
                       const char *arguments) {
        Example e = {.fixture = f,
                     .folder = folder,
                     .user = user,
                     .module = module ? module : module_path(),
                     .arguments = arguments};

        add_file(&e, service, NULL);
        fixture_write(f, service, "%s", e.text);
        return e.lines;
}
