/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_NAME_H
#define JIT_NAME_H

/* The grammar of everything that becomes part of a path, a user name or a log line. useradd(8) CAVEATS:
 * [a-z_][a-z0-9_-]*, at most 32 characters with the NUL (utmp(5) UT_NAMESIZE): so 31. */

#include <stdbool.h>
#include <stddef.h>

#define ACCOUNT_PREFIX "jit-"
enum { ACCOUNT_NAME_MAX = 31, TICKET_ID_MAX = 27, PERSON_NAME_MAX = 31, ROLE_NAME_MAX = 27 };

/* Whether name is one that pam_jit looks after at all: starts with jit- in any case of letters. */
bool account_name_is_ours(const char *name);
/* Lower-cases name into ret (ACCOUNT_NAME_MAX + 1 bytes). -EINVAL if it is not jit- and [a-z0-9] with single '-' in
 * between, of at most ACCOUNT_NAME_MAX characters in all. */
int account_name_parse(const char *name, char *ret);
/* Ticket id: [A-Za-z0-9] and single '-' in between, 1 to TICKET_ID_MAX; compared without regard to case. ret
 * lower-cased, or NULL. */
int ticket_id_parse(const char *id, char *ret);
bool person_name_is_valid(const char *name);     /* [a-z_][a-z0-9_.-]*, at most PERSON_NAME_MAX */
bool role_name_is_valid(const char *name);       /* [a-z][a-z0-9-]*, at most ROLE_NAME_MAX */
bool host_pattern_is_valid(const char *pattern); /* [a-z0-9.*-]+, at most 253 */
/* "type base64" with an optional comment, type one of ssh(1)'s key types, no options, no control characters. Writes
 * "type base64" without the comment to ret (size bytes). -EINVAL, -ENOSPC. */
int ssh_key_parse(const char *line, char *ret, size_t size);

#endif
