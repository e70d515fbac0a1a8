/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_NOTICE_QUEUE_H
#define JIT_NOTICE_QUEUE_H

/* The files of /var/lib/jit/notices, in the order in which they were written, and their way to jit-approverd: one at a
 * time, again after a minute if it is not there. */

#include "grant-notice.h"

enum { NOTICE_NAME_MAX = 40 }; /* "0123456789abcdef-start.json" and its NUL */

typedef struct NoticeQueue NoticeQueue;

/* Reads the folder. */
int notice_queue_new(Manager *m, NoticeQueue **ret);
NoticeQueue *notice_queue_free(NoticeQueue *q);
bool notice_queue_has_room(const NoticeQueue *q);
/* The file is there. One that is in it already keeps its place. */
int notice_queue_add(NoticeQueue *q, const char *name);
/* Starts sending what waits, unless that is under way. Does not wait. */
void notice_queue_send(NoticeQueue *q);

#endif
