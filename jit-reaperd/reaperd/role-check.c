/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "artefact.h"
#include "file-io.h"
#include "log.h"
#include "role-check.h"
#include "strv.h"
#include "timefmt.h"

#define LIMIT_USEC (10 * USEC_PER_SEC)
enum { OUTPUT_MAX = 4096 };

typedef struct RoleCheck {
        Manager *manager;
        Config *config;
        role_check_t done;
        pid_t pid;
        int output_fd; /* a memory file that takes visudo's words */
        sd_event_source *child, *timer;
} RoleCheck;

static void role_check_end(RoleCheck *c, const char *why) {
        Manager *m = c->manager;
        Config *config = take_ptr(c->config);
        role_check_t done = c->done;

        sd_event_source_disable_unref(c->child);
        sd_event_source_disable_unref(c->timer);
        (void) close(c->output_fd);
        free(c);
        done(m, config, why);
}

static int on_visudo_late(sd_event_source *s, uint64_t usec, void *userdata) {
        RoleCheck *c = userdata;

        (void) s, (void) usec;
        (void) kill(c->pid, SIGKILL); /* on_visudo_exit() follows */
        return 0;
}

static int on_visudo_exit(sd_event_source *s, const siginfo_t *info, void *userdata) {
        RoleCheck *c = userdata;
        char output[OUTPUT_MAX], why[CONFIG_WHY_MAX];
        ssize_t n;

        (void) s;
        if (info->si_code == CLD_EXITED && info->si_status == 0) {
                role_check_end(c, NULL);
                return 0;
        }
        n = pread(c->output_fd, output, sizeof(output) - 1, 0);
        output[n > 0 ? n : 0] = 0;
        for (char *p = output; *p; p++)
                if ((unsigned char) *p < 0x20)
                        *p = ' ';
        (void) snprintf(why, sizeof(why), "visudo refuses the sudo rules of the roles in /etc/jit/roles.d: %.400s", output);
        role_check_end(c, why);
        return 0;
}

/* All roles' rules, each under its role's name as the account, so that visudo's complaint names the role. */
static int rules_to_memfd(const Config *config) {
        _cleanup_close_ int fd = memfd_create("sudoers", MFD_CLOEXEC);

        if (fd < 0)
                return -errno;
        for (Role *const *r = config->roles; r && *r; r++) {
                _cleanup_free_ char *text = NULL, *account = NULL;
                int e;

                if (!(*r)->commands)
                        continue;
                if (asprintf(&account, "jit-%s", (*r)->name) < 0)
                        return -ENOMEM;
                e = sudoers_text(account, *r, (*r)->commands, now_usec(CLOCK_REALTIME), &text);
                if (e >= 0)
                        e = write_all(fd, text, strlen(text));
                if (e < 0)
                        return e;
        }
        return take_fd(&fd);
}

static int spawn_visudo(int rules_fd, int output_fd, pid_t *ret) {
        char *const argv[] = {(char *) "visudo", (char *) "-c", (char *) "-f", (char *) "/dev/stdin", NULL};
        char *const envp[] = {(char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *) "LC_ALL=C",
                              (char *) "SYSTEMD_BYPASS_USERDB=1", NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none;
        int r;

        (void) sigemptyset(&none);
        (void) posix_spawn_file_actions_init(&actions);
        (void) posix_spawnattr_init(&attributes);
        (void) posix_spawnattr_setsigmask(&attributes, &none);
        (void) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        r = posix_spawn_file_actions_adddup2(&actions, rules_fd, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn(ret, "/usr/sbin/visudo", &actions, &attributes, argv, envp);
        (void) posix_spawnattr_destroy(&attributes);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int role_check_start(Manager *m, Config *config, role_check_t done) {
        _cleanup_close_ int rules = rules_to_memfd(config);
        RoleCheck *c = calloc(1, sizeof(*c));
        int r = rules;

        if (!c) {
                done(m, config, "no memory");
                return -ENOMEM;
        }
        *c = (RoleCheck){.manager = m, .config = config, .done = done, .output_fd = memfd_create("visudo", MFD_CLOEXEC)};
        if (r >= 0 && lseek(rules, 0, SEEK_SET) < 0)
                r = -errno;
        if (r >= 0)
                r = spawn_visudo(rules, c->output_fd, &c->pid);
        if (r == -ENOENT) {
                role_check_end(c, NULL);
                return 0;
        }
        if (r >= 0)
                r = sd_event_add_child(m->event, &c->child, c->pid, WEXITED, on_visudo_exit, c);
        if (r >= 0)
                r = sd_event_add_time_relative(m->event, &c->timer, CLOCK_BOOTTIME, LIMIT_USEC, 0, on_visudo_late, c);
        if (r < 0)
                role_check_end(c, strerror(-r));
        return r;
}
