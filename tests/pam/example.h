/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PAM_EXAMPLE_H
#define JIT_PAM_EXAMPLE_H

/* A file of examples/pam.d or examples/pam.d-gate as it is shipped, but for the module's path and for the lines that
 * would change the test's own process. Where it includes Debian's common-... files, these are reduced to what they do.
 * The reaper serves an account that has not been allowed as expired. */

#include "fixture.h"

#define NOT_YET_ALLOWED "jit-chg1"
#define ALLOWED "jit-chg2"

/* Writes folder/service with module in pam_jit.so's place (NULL: ours), and arguments behind what the file has. The
 * password that common-auth asks for is always wrong. After fixture_dir(); returns how many lines pam_jit has. */
unsigned example_write(const Fixture *f, const char *folder, const char *service, const char *user, const char *module,
                       const char *arguments);

#endif
