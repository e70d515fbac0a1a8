/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_CGROUP_PATH_H
#define JIT_CGROUP_PATH_H

/* Where a process is, by the path of its cgroup (cgroups(7), systemd docs/CGROUP_DELEGATION.md): slices from the root on, then a unit, then what
 * the unit made for itself. The unit's own part is not looked at: below user@.service a user names cgroups as he likes, also after our slices. */

#include <sys/types.h>

enum { CGROUP_NAME_SIZE = 256 }; /* a unit's name with its NUL (systemd.unit(5)) */

typedef struct CgroupPlace {
        char slice[CGROUP_NAME_SIZE]; /* the innermost; "-.slice": the root */
        char unit[CGROUP_NAME_SIZE];  /* "": none */
        uid_t owner;                  /* of user.slice/user-UID.slice; (uid_t) -1: in none */
        char grant[17];               /* of jit.slice/jit-ID.slice; "": in none */
} CgroupPlace;

/* A path as in /proc/PID/cgroup. -EINVAL: not one, or its names are too long. */
int cgroup_path_parse(const char *path, CgroupPlace *ret);
/* logind's id of the session whose scope the unit is ("session-3.scope"); NULL: it is none. free() */
char *cgroup_place_session(const CgroupPlace *place);
/* -ESRCH: there is no such process, or it is in no cgroup of the unified hierarchy. */
int cgroup_place_of(pid_t pid, CgroupPlace *ret);

#endif
