/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_BENCH_REAPER_CLIENT_H
#define JIT_BENCH_REAPER_CLIENT_H

/* What sshd and pam_jit say to jit-reaperd, without sshd; and a look at what lies on the host. Every function ends the
 * program where the answer is not the one that a measurement needs: a figure of something else would be worse than
 * none. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "varlink.h"

/* CLOCK_MONOTONIC: nothing here sleeps through a suspend. */
uint64_t bench_now_usec(void);
_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A decimal argument. */
unsigned bench_number(const char *text);

/* As nss-systemd(8) asks for sshd's monitor, over our socket alone: reserves the account. */
uid_t client_lookup(const char *account);
void client_authorize(const char *account);
/* The connection is the session: the caller keeps it. */
VarlinkPeer *client_open_session(const char *account);
/* Comes back when the grant is gone. */
void client_revoke(const char *account);

/* Whether key, sudo rule, home and account are there, all of them or none; what is not as expected goes to *ret_what.
 * Processes are looked for too when there should be none. */
bool artefacts_are(bool present, const char *account, uid_t uid, const char **ret_what);

#endif
