/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LOGIN_UID_H
#define JIT_LOGIN_UID_H

/* Who logged in as this process, by the kernel's word: proc_pid_loginuid(5). */

#include <sys/types.h>

#define UID_NONE ((uid_t) -1)

/* 0; *ret is UID_NONE where nobody did (a service), or the kernel keeps none. Else -errno: it cannot be known. */
int login_uid_get(uid_t *ret);

#endif
