/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_UID_RANGE_H
#define JIT_UID_RANGE_H

/* UIDs of our own, counted upwards across reboots; one is not given out again before the whole range has gone by. What is kept on disk is the
 * end of a block of numbers taken ahead, so that a power cut loses numbers and never repeats one. */

#include <stdbool.h>
#include <sys/types.h>

typedef struct UidRange UidRange;

/* dir_fd: /var/lib/jit, borrowed. root: where etc/passwd and etc/subuid are looked for ("" for the host). The first number is never given out: it
 * is the sender's identity in process-kill.c. -EADDRINUSE with ret_why (256 bytes) if the range holds somebody's subordinate ids. */
int uid_range_open(int dir_fd, const char *root, uid_t min, uid_t max, UidRange **ret, char *ret_why);
UidRange *uid_range_free(UidRange *u);
/* At an orderly end: the rest of the block is not lost. */
void uid_range_keep(UidRange *u);

/* The same name gets the number back that it gave back unused: an sshd that looked it up before may still hold the number.
 * is_taken: whether a live grant has it. -ENOSPC. */
int uid_range_take(UidRange *u, const char *account, bool (*is_taken)(uid_t uid, void *userdata), void *userdata, uid_t *ret);
void uid_range_give_back(UidRange *u, const char *account, uid_t uid);
bool uid_range_contains(const UidRange *u, uid_t uid);
uid_t uid_range_next(const UidRange *u);
uid_t uid_range_sender(const UidRange *u);

#endif
