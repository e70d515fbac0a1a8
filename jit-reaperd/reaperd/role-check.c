/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "file-io.h"
#include "log.h"
#include "role-check.h"
#include "strv.h"
#include "sudo-rules.h"
#include "timefmt.h"

#define LIMIT_USEC (10 * USEC_PER_SEC)
enum { OUTPUT_MAX = 4096 };

typedef struct RoleCheck {
        Manager *manager;
        Config *config;
        role_check_t done;
        bool probing; /* visudo has refused the roles: is it because it refuses all rules of ours? */
        pid_t pid;
        int output_fd; /* a memory file that takes visudo's words; -1 */
        char why[CONFIG_WHY_MAX];
        sd_event_source *child, *timer;
} RoleCheck;

static int visudo_start(RoleCheck *c);

static RoleCheck *role_check_free(RoleCheck *c) {
        if (c) {
                sd_event_source_disable_unref(c->child);
                sd_event_source_disable_unref(c->timer);
                closep(&c->output_fd);
                free(c);
        }
        return NULL;
}

static void role_check_end(RoleCheck *c, const char *why) {
        Manager *m = c->manager;
        Config *config = take_ptr(c->config);
        role_check_t done = c->done;

        done(m, config, why); /* why may be c's */
        role_check_free(c);
}

static int on_visudo_late(sd_event_source *s, uint64_t usec, void *userdata) {
        RoleCheck *c = userdata;

        (void) s, (void) usec;
        (void) kill(c->pid, SIGKILL); /* on_visudo_exit() follows */
        return 0;
}

static void take_output(RoleCheck *c) {
        char output[OUTPUT_MAX];
        ssize_t n = pread(c->output_fd, output, sizeof(output) - 1, 0);

        output[n > 0 ? n : 0] = 0;
        for (char *p = output; *p; p++)
                if ((unsigned char) *p < 0x20)
                        *p = ' ';
        (void) snprintf(c->why, sizeof(c->why), "visudo refuses the sudo rules of the roles in /etc/jit/roles.d: %.400s", output);
}

/* If visudo takes the roles' rules, or refuses them and takes the probe, the roles are right or wrong. If it refuses both, sudo here is one that
 * does not know our rules: then there are none, and the roles are not to blame. */
static int on_visudo_exit(sd_event_source *s, const siginfo_t *info, void *userdata) {
        RoleCheck *c = userdata;
        bool taken = info->si_code == CLD_EXITED && info->si_status == 0;
        bool refused = info->si_code == CLD_EXITED && info->si_status == 1;
        int r = 0;

        (void) s;
        if (c->probing && refused) {
                log_warning("This host's sudo takes no rules that end by themselves (visudo refuses NOTAFTER=, as sudo-rs does): roles give no "
                            "sudo commands here, and nobody is elevated");
                c->config->no_sudo_rules = true;
                role_check_end(c, NULL);
        } else if (c->probing)
                role_check_end(c, c->why);
        else if (taken)
                role_check_end(c, NULL);
        else {
                take_output(c);
                c->probing = true;
                r = visudo_start(c);
                if (r < 0)
                        role_check_end(c, c->why);
        }
        return 0;
}

static int write_probe(int fd) {
        return write_all(fd, sudo_rules_probe, strlen(sudo_rules_probe));
}

/* All roles' rules, in each form that a grant may write; without any role the probe is seen all the same. */
static int write_roles(int fd, const Config *config) {
        int r = write_probe(fd);

        for (Role *const *role = config->roles; r >= 0 && role && *role; role++) {
                _cleanup_free_ char *text = NULL;

                if (!(*role)->commands)
                        continue;
                r = sudo_rules_sample(*role, &text);
                if (r >= 0)
                        r = write_all(fd, text, strlen(text));
        }
        return r;
}

static int rules_to_memfd(const RoleCheck *c) {
        _cleanup_close_ int fd = memfd_create("sudoers", MFD_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = c->probing ? write_probe(fd) : write_roles(fd, c->config);
        if (r >= 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        return r < 0 ? r : take_fd(&fd);
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

/* -ENOENT: there is no visudo. */
static int visudo_start(RoleCheck *c) {
        _cleanup_close_ int rules = rules_to_memfd(c);
        int r = rules;

        c->child = sd_event_source_disable_unref(c->child);
        c->timer = sd_event_source_disable_unref(c->timer);
        closep(&c->output_fd);
        c->output_fd = memfd_create("visudo", MFD_CLOEXEC);
        if (r >= 0 && c->output_fd < 0)
                r = -errno;
        if (r >= 0)
                r = spawn_visudo(rules, c->output_fd, &c->pid);
        if (r >= 0)
                r = sd_event_add_child(c->manager->event, &c->child, c->pid, WEXITED, on_visudo_exit, c);
        if (r >= 0)
                r = sd_event_add_time_relative(c->manager->event, &c->timer, CLOCK_BOOTTIME, LIMIT_USEC, 0, on_visudo_late, c);
        return r;
}

int role_check_start(Manager *m, Config *config, role_check_t done) {
        RoleCheck *c = calloc(1, sizeof(*c));
        int r;

        if (!c) {
                done(m, config, "no memory");
                return -ENOMEM;
        }
        *c = (RoleCheck){.manager = m, .config = config, .done = done, .output_fd = -1};
        r = visudo_start(c);
        if (r >= 0)
                return 0;
        if (r == -ENOENT) {
                role_check_end(c, NULL);
                return 0;
        }
        role_check_end(c, strerror(-r));
        return r;
}
