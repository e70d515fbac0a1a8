/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

static char log_text[16384];

/* libpam's pam_syslog() ends here instead of in the C library: the program comes first in symbol look-up. */
void __syslog_chk(int priority, int flag, const char *format, ...);
__attribute__((visibility("default"), format(printf, 3, 4))) void __syslog_chk(int priority, int flag,
                                                                               const char *format, ...) {
        size_t used = strlen(log_text);
        va_list arguments;

        (void) priority, (void) flag;
        va_start(arguments, format);
        (void) vsnprintf(log_text + used, sizeof(log_text) - used, format, arguments);
        va_end(arguments);
        used = strlen(log_text);
        if (used + 1 < sizeof(log_text))
                memcpy(log_text + used, "\n", 2);
}

const char *fixture_log(void) {
        return log_text;
}

uint64_t clock_msec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

/* A test that cannot be set up must not pass. */
static void require(bool ok, const char *what) {
        if (ok)
                return;
        perror(what);
        _exit(99);
}

static int on_conversation(int count, const struct pam_message **messages, struct pam_response **ret, void *userdata) {
        Fixture *f = userdata;

        for (int i = 0; i < count; i++) {
                size_t used = strlen(f->shown);
                (void) snprintf(f->shown + used, sizeof(f->shown) - used, "%s\n", messages[i]->msg);
                if (f->messages < sizeof(f->shown_msec) / sizeof(f->shown_msec[0]))
                        f->shown_msec[f->messages] = clock_msec();
                f->messages++;
        }
        *ret = calloc((size_t) count, sizeof(**ret));
        return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

static const char *environment(const char *name) {
        const char *value = getenv(name);

        require(value && *value, name);
        return value;
}

const char *module_path(void) {
        return environment("PAM_JIT_MODULE");
}

void fixture_write(const Fixture *f, const char *name, const char *format, ...) {
        char path[128];
        va_list arguments;
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/%s", f->dir, name);
        file = fopen(path, "we");
        require(file != NULL, path);
        va_start(arguments, format);
        (void) vfprintf(file, format, arguments);
        va_end(arguments);
        require(fclose(file) == 0, path);
}

void fixture_dir(Fixture *f, const Script *script) {
        *f = (Fixture){.dir = "/tmp/pam-test-XXXXXX"};
        require(mkdtemp(f->dir) != NULL, "mkdtemp");
        (void) snprintf(f->socket, sizeof(f->socket), "%s/reaper", f->dir);
        log_text[0] = 0;
        if (script)
                require(reaper_start(&f->reaper, f->socket, script) == 0, "scripted reaper");
}

void fixture_start(Fixture *f, const char *service, const char *user) {
        struct pam_conv conversation = {.conv = on_conversation, .appdata_ptr = f};

        /* Without this file libpam writes a warning into the log that the tests look at. */
        fixture_write(f, "other",
                      "auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\n");
        require(pam_start_confdir(service, user, &conversation, f->dir, &f->pamh) == PAM_SUCCESS, "pam_start_confdir");
}

void fixture_begin(Fixture *f, const char *user, const Script *script, const char *arguments) {
        static const char *const types[] = {"account", "session"};
        char text[4096] = "";

        fixture_dir(f, script);
        for (size_t i = 0; i < 2; i++) {
                size_t used = strlen(text);
                (void) snprintf(text + used, sizeof(text) - used,
                                "%s [success=ok ignore=1 default=die] %s socket=%s %s\n"
                                "%s [default=done] %s code=%d\n"
                                "%s [default=bad] %s code=%d\n",
                                types[i], module_path(), f->socket, arguments ? arguments : "timeout=1", types[i],
                                environment("PAM_PROBE_MODULE"), PAM_SUCCESS, types[i], environment("PAM_PROBE_MODULE"),
                                PAM_WAS_IGNORED);
        }
        fixture_write(f, "probe", "%s", text);
        fixture_start(f, "probe", user);
}

void fixture_pam_end(Fixture *f) {
        if (f->pamh)
                (void) pam_end(f->pamh, PAM_SUCCESS);
        f->pamh = NULL;
}

void fixture_end(Fixture *f) {
        DIR *d;

        fixture_pam_end(f);
        reaper_stop(&f->reaper);
        d = opendir(f->dir);
        require(d != NULL, f->dir);
        for (struct dirent *e; (e = readdir(d));)
                (void) unlinkat(dirfd(d), e->d_name, 0);
        (void) closedir(d);
        (void) rmdir(f->dir);
}
