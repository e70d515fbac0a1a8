/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PATHS_H
#define JIT_PATHS_H

/* Every path that more than one process must agree on. Overridable at build time, for tests that run without a host. */

#ifndef JIT_RUN
#define JIT_RUN "/run/jit"
#endif
#ifndef JIT_STATE
#define JIT_STATE "/var/lib/jit"
#endif
#ifndef JIT_ETC
#define JIT_ETC "/etc/jit"
#endif
#ifndef JIT_VENDOR
#define JIT_VENDOR "/usr/lib/jit"
#endif

#define REAPER_SOCKET JIT_RUN "/io.pamjit.Reaper"
#define APPROVER_SOCKET JIT_RUN "/io.pamjit.Approver"
#define HOME_ROOT JIT_RUN "/home"
#define ELEVATED_DIR JIT_RUN "/elevated" /* a file for each person with a sudo rule of ours: its name is the login UID */
#define AUDIT_FILE JIT_STATE "/audit.jsonl"
#define AUDIT_PUBLIC_KEY JIT_STATE "/audit.pub"

#endif
