/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SUDO_OPTIONS_H
#define JIT_SUDO_OPTIONS_H

/* What a sudo(8) was called with, for what PAM does not hear of: a group (-g) beside the user, another root folder, a working folder... A role of the
 * gate's that does not let commands run as root holds these as well, so that only options whose meaning is known and harmless are taken there.
 *
 * Its arguments are in its own memory: who called it cannot change them any more, as it is a set-user-ID program. */

#include <stddef.h>
#include <sys/types.h>

typedef enum SudoUse {
        SUDO_USE_PLAIN, /* -u USER, -n -i -s -H -k -S -A -b -l -v -E, VAR=VALUE, and a command */
        SUDO_USE_EDIT,  /* sudoedit: it has opened the files before PAM hears whom it runs as */
        SUDO_USE_OTHER, /* anything else, and what is not understood */
} SudoUse;

/* As in /proc/PID/cmdline: words, each ended by a NUL byte. */
SudoUse sudo_use_parse(const char *words, size_t length);
/* Of a process that is alive; the caller looks whether it still is. */
SudoUse sudo_use_of(pid_t pid);

#endif
