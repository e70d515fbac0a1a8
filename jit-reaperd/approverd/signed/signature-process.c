/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include "signature.h"

typedef struct Arguments {
        char signature[32], approvers[32], revoked[32]; /* /proc/self/fd/N */
        const char *argv[16];
} Arguments;

static void arguments_make(const SignatureProcess *p, Arguments *ret) {
        const char **a = ret->argv;

        (void) snprintf(ret->signature, sizeof(ret->signature), "/proc/self/fd/%d", p->signature_fd);
        (void) snprintf(ret->approvers, sizeof(ret->approvers), "/proc/self/fd/%d", p->approvers_fd);
        (void) snprintf(ret->revoked, sizeof(ret->revoked), "/proc/self/fd/%d", p->revoked_fd);
        *a++ = "ssh-keygen";
        *a++ = "-Y";
        *a++ = p->approvers_fd < 0 ? "check-novalidate" : "verify";
        *a++ = "-n";
        *a++ = SIGNATURE_NAMESPACE;
        *a++ = "-s";
        *a++ = ret->signature;
        if (p->approvers_fd >= 0) {
                *a++ = "-f";
                *a++ = ret->approvers;
                *a++ = "-I";
                *a++ = p->approver;
                if (p->revoked_fd >= 0) {
                        *a++ = "-r";
                        *a++ = ret->revoked;
                }
        }
        *a = NULL;
}

/* posix_spawn_file_actions_adddup2(3): with equal numbers it only clears close-on-exec. */
static int actions_make(const SignatureProcess *p, posix_spawn_file_actions_t *actions) {
        const int keep[] = {p->signature_fd, p->approvers_fd, p->revoked_fd};
        int r = posix_spawn_file_actions_adddup2(actions, p->message_fd, STDIN_FILENO);

        if (r == 0)
                r = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, STDOUT_FILENO, STDERR_FILENO);
        for (size_t i = 0; i < ELEMENTSOF(keep) && r == 0; i++)
                if (keep[i] >= 0)
                        r = posix_spawn_file_actions_adddup2(actions, keep[i], keep[i]);
        return r;
}

int signature_process_start(const SignatureProcess *p, pid_t *ret) {
        /* ssh-keygen looks its own user up: as in our unit, without asking jit-reaperd, which may be waiting for us. */
        static char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "SYSTEMD_BYPASS_USERDB=io.pamjit.Reaper",
                                            NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        Arguments arguments;
        sigset_t none, all;
        int r;

        (void) sigemptyset(&none);
        (void) sigfillset(&all);
        arguments_make(p, &arguments);
        if ((r = posix_spawn_file_actions_init(&actions)) != 0)
                return -r;
        if ((r = posix_spawnattr_init(&attributes)) != 0)
                goto finish;
        if ((r = actions_make(p, &actions)) == 0 && (r = posix_spawnattr_setsigmask(&attributes, &none)) == 0 &&
            (r = posix_spawnattr_setsigdefault(&attributes, &all)) == 0 &&
            (r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0)
                r = posix_spawn(ret, p->program, &actions, &attributes, (char *const *) arguments.argv, environment);
        (void) posix_spawnattr_destroy(&attributes);
finish:
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}
