/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PEOPLE_H
#define JIT_PEOPLE_H

#include <stdbool.h>
#include <sys/types.h>

/* The name that /etc/passwd gives a UID, NULL if it has none; free(). People of a directory service are not found: jit-reaperd waits for no name
 * service (manager.h). They see and end their grants from inside, or through root. */
char *person_by_uid(uid_t uid);
/* Whether /etc/passwd or /etc/group has the name: then it is somebody's, whatever tickets say. */
bool name_is_local(const char *name);

#endif
