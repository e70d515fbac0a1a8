/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PAM_FIXTURE_H
#define JIT_PAM_FIXTURE_H

/* One PAM transaction through the real libpam with a configuration directory of its own, and a scripted reaper behind
 * it. The names that resolve are in tests/pam/passwd, through libnss_wrapper. */

#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdint.h>

#include "scripted-reaper.h"

/* The code that a stack made by fixture_begin() gives when pam_jit has answered PAM_IGNORE. Nothing else here answers
 * so. */
#define PAM_WAS_IGNORED PAM_MAXTRIES

typedef struct Fixture {
        ScriptedReaper reaper;
        pam_handle_t *pamh;
        char dir[64], socket[96];
        char shown[8192]; /* what the person was shown */
        unsigned messages;
        uint64_t shown_msec[16];       /* when each of the first was shown */
        const char *typed;             /* what is typed at a prompt that shows it; NULL: there is nobody to type */
        unsigned prompts, typing_msec; /* how often somebody was asked; how long typing takes */
} Fixture;

/* script NULL: nobody listens. arguments: of the module, beside socket= and elevated=; NULL: "timeout=1". */
void fixture_begin_service(Fixture *f, const char *service, const char *user, const Script *script,
                           const char *arguments);
/* The same by the service "probe", which proves who a person is. */
void fixture_begin(Fixture *f, const char *user, const Script *script, const char *arguments);
/* The same with files of one's own in f->dir: write them between fixture_dir() and fixture_start(). */
void fixture_dir(Fixture *f, const Script *script);
void fixture_write(const Fixture *f, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
void fixture_start(Fixture *f, const char *service, const char *user);
/* Ends PAM and the reaper and takes the directory away. */
void fixture_end(Fixture *f);
void fixture_pam_end(Fixture *f);

const char *module_path(void);

/* What the module reads where the kernel tells the process's login UID, or, text NULL, what error it meets; error 0 as
 * well: the kernel's own file. After fixture_dir() it is unset, as for a service. The folder of markers (elevated=) is
 * f->dir. */
void fixture_login_uid(Fixture *f, const char *text, int error);
/* The same for /proc/self/cgroup, when it is opened first, and from then on. After fixture_dir(): a service. */
void fixture_cgroup(Fixture *f, const char *first, const char *then, int error);
/* The same for /proc/self/stat. After fixture_dir(): the kernel's own. */
void fixture_stat(Fixture *f, const char *text, int error);
/* What getuid(2) says: 4242 after fixture_dir(). */
void fixture_real_uid(uid_t uid);

/* Whether every connection to the reaper has ended. Takes the events. */
bool fixture_nothing_held(Fixture *f);

/* How often a copy of text was erased since fixture_begin(). */
unsigned fixture_erased(const char *text);

/* What was written to syslog since fixture_begin(). */
const char *fixture_log(void);

uint64_t clock_msec(void);

#endif
