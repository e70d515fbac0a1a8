/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_OUTBOX_FILE_H
#define JIT_OUTBOX_FILE_H

/* The files of the outbox. A comment's state is its file's ending:
 *   NAME.json  waits
 *   NAME.sent  is being sent, or nobody knows whether it arrived: never sent again
 *   NAME.done  was written
 * NAME is GRANT-start or GRANT-end. Each change of state is on disk before what follows it is done. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "name.h"

enum { OUTBOX_NAME_MAX = 16 + 6, OUTBOX_TEXT_MAX = 64 * 1024, OUTBOX_PROVIDER_MAX = 31 };

typedef struct OutboxFile {
        char name[OUTBOX_NAME_MAX + 1];
        char provider[OUTBOX_PROVIDER_MAX + 1];
        char ticket[TICKET_ID_MAX + 1]; /* in lower case */
        uint64_t at;                    /* usec since 1970: when it came */
        json_t *event;                  /* a reference; NULL where it was not asked for */
} OutboxFile;

/* STATE/outbox; a descriptor. */
int outbox_folder_open(const char *state);
/* grant: 16 hex digits; kind: start or end; event: has "ticket". -EINVAL. ret->event is a new object. */
int outbox_file_make(const char *provider, const char *grant, const char *kind, const json_t *event, OutboxFile *ret);
void outbox_file_done(OutboxFile *f);
/* Whether it is there in any state. */
bool outbox_file_exists(int folder, const char *name);
int outbox_file_write(int folder, const OutboxFile *f);
/* NAME.json. -EBADMSG: not one of ours. */
int outbox_file_read(int folder, const char *name, bool event, OutboxFile *ret);
/* from, to: "json", "sent", "done". */
int outbox_file_move(int folder, const char *name, const char *from, const char *to);
int outbox_file_remove(int folder, const char *name, const char *state);

/* Calls found for each file; removes leftovers, and what has been sent or done for longer than age_usec. */
typedef void (*outbox_found_t)(const char *name, const char *state, void *userdata);
int outbox_folder_scan(int folder, uint64_t age_usec, outbox_found_t found, void *userdata);

#endif
