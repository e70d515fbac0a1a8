/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

static char log_text[16384];

/* A test that cannot be set up must not pass. */
static void require(bool ok, const char *what) {
        if (ok)
                return;
        perror(what);
        _exit(99);
}

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

/* ---- the kernel's word about the process, as the tests want it ---- */

typedef struct KernelFile {
        const char *path;
        char read[2][128]; /* what is opened in its place, first and then; "": the kernel's own */
        unsigned opened;
        int error;
} KernelFile;

static KernelFile kernel_files[] = {
                {.path = "/proc/self/loginuid"}, {.path = "/proc/self/cgroup"}, {.path = "/proc/self/stat"}};
static uid_t real_uid;

__attribute__((visibility("default"))) uid_t getuid(void) {
        return real_uid;
}

__attribute__((visibility("default"))) int open(const char *path, int flags, ...) {
        mode_t mode = 0;

        if (flags & (O_CREAT | O_TMPFILE)) {
                va_list arguments;
                va_start(arguments, flags);
                mode = va_arg(arguments, mode_t);
                va_end(arguments);
        }
        for (size_t i = 0; i < sizeof(kernel_files) / sizeof(kernel_files[0]); i++) {
                KernelFile *k = &kernel_files[i];
                if (strcmp(path, k->path) != 0)
                        continue;
                if (k->error != 0) {
                        errno = k->error;
                        return -1;
                }
                path = k->read[k->opened > 0][0] ? k->read[k->opened > 0] : path;
                k->opened++;
                break;
        }
        return (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void kernel_file(Fixture *f, KernelFile *k, const char *first, const char *then, int error) {
        const char *const texts[] = {first, then}, *name = strrchr(k->path, '/') + 1;

        k->error = error;
        k->opened = 0;
        for (size_t i = 0; i < 2; i++) {
                char file[32];

                k->read[i][0] = 0;
                if (!texts[i])
                        continue;
                (void) snprintf(file, sizeof(file), "%s-%zu", name, i);
                fixture_write(f, file, "%s", texts[i]);
                (void) snprintf(k->read[i], sizeof(k->read[i]), "%s/%s", f->dir, file);
        }
}

void fixture_login_uid(Fixture *f, const char *text, int error) {
        kernel_file(f, &kernel_files[0], text, text, error);
}

void fixture_cgroup(Fixture *f, const char *first, const char *then, int error) {
        kernel_file(f, &kernel_files[1], first, then, error);
}

void fixture_stat(Fixture *f, const char *text, int error) {
        kernel_file(f, &kernel_files[2], text, text, error);
}

void fixture_real_uid(uid_t uid) {
        real_uid = uid;
}

/* ---- what is erased ---- */

static char erased[1024];

/* The two entries of the C library: the module calls the second where it is built as it is shipped. */
__attribute__((visibility("default"))) void explicit_bzero(void *memory, size_t length) {
        size_t used = strlen(erased);

        (void) snprintf(erased + used, sizeof(erased) - used, "%.*s\n", (int) length, (const char *) memory);
        memset(memory, 0, length);
        __asm__ __volatile__("" ::"r"(memory) : "memory");
}

void __explicit_bzero_chk(void *memory, size_t length, size_t size);
__attribute__((visibility("default"))) void __explicit_bzero_chk(void *memory, size_t length, size_t size) {
        require(length <= size, "explicit_bzero");
        explicit_bzero(memory, length);
}

unsigned fixture_erased(const char *text) {
        unsigned n = 0;

        for (const char *p = erased; (p = strstr(p, text)); p += strlen(text))
                n++;
        return n;
}

const char *fixture_log(void) {
        return log_text;
}

uint64_t clock_msec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

static void nap(unsigned msec) {
        const struct timespec t = {.tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000L};

        (void) nanosleep(&t, NULL);
}

/* As sudo's: a prompt that nobody can answer fails the whole conversation, and nothing is shown. */
static int on_conversation(int count, const struct pam_message **messages, struct pam_response **ret, void *userdata) {
        Fixture *f = userdata;
        struct pam_response *answers = calloc((size_t) count, sizeof(*answers));

        for (int i = 0; answers && i < count; i++) {
                size_t used = strlen(f->shown);

                if (messages[i]->msg_style == PAM_PROMPT_ECHO_ON || messages[i]->msg_style == PAM_PROMPT_ECHO_OFF) {
                        f->prompts++;
                        if (!f->typed || messages[i]->msg_style == PAM_PROMPT_ECHO_OFF) {
                                free(answers);
                                return PAM_CONV_ERR;
                        }
                        nap(f->typing_msec);
                        answers[i].resp = strdup(f->typed);
                }
                (void) snprintf(f->shown + used, sizeof(f->shown) - used, "%s\n", messages[i]->msg);
                if (f->messages < sizeof(f->shown_msec) / sizeof(f->shown_msec[0]))
                        f->shown_msec[f->messages] = clock_msec();
                f->messages++;
        }
        *ret = answers;
        return answers ? PAM_SUCCESS : PAM_BUF_ERR;
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
        log_text[0] = erased[0] = 0;
        fixture_login_uid(f, "4294967295", 0);
        fixture_cgroup(f, "0::/system.slice/cron.service\n", "0::/system.slice/cron.service\n", 0);
        fixture_stat(f, NULL, 0);
        fixture_real_uid(4242);
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

void fixture_begin_service(Fixture *f, const char *service, const char *user, const Script *script,
                           const char *arguments) {
        static const char *const types[] = {"auth", "account", "session"};
        char text[4096] = "";

        fixture_dir(f, script);
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                size_t used = strlen(text);
                (void) snprintf(text + used, sizeof(text) - used,
                                "%s [success=ok ignore=1 default=die] %s socket=%s elevated=%s %s\n"
                                "%s [default=done] %s code=%d\n"
                                "%s [default=bad] %s code=%d\n",
                                types[i], module_path(), f->socket, f->dir, arguments ? arguments : "timeout=1",
                                types[i], environment("PAM_PROBE_MODULE"), PAM_SUCCESS, types[i],
                                environment("PAM_PROBE_MODULE"), PAM_WAS_IGNORED);
        }
        fixture_write(f, service, "%s", text);
        fixture_start(f, service, user);
}

void fixture_begin(Fixture *f, const char *user, const Script *script, const char *arguments) {
        fixture_begin_service(f, "probe", user, script, arguments);
}

bool fixture_nothing_held(Fixture *f) {
        unsigned made = 0, ended = 0;

        for (int event; (event = reaper_next_event(&f->reaper, made > 0 && made == ended ? 20 : 1000)) != 0;) {
                made += event == SAW_CONNECTION;
                ended += event == SAW_END;
        }
        return made == ended;
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
