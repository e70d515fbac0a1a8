/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_AUDIT_H
#define JIT_AUDIT_H

/* /var/lib/jit/audit.jsonl and the journal. The format is shared/audit-chain.h; here are the file, the key and who writes. */

#include <jansson.h>
#include <stdbool.h>

typedef struct Audit Audit;

/* Opens below the directory descriptor (borrowed), makes the key at the first start, takes a torn last line off. -EBADMSG if the end of the
 * chain is not what audit.head says: then a new chain is not begun silently, the finding is the first line written. */
int audit_open(int dir_fd, Audit **ret);
Audit *audit_free(Audit *a);

/* Appends a line; event is stolen and has at least "event". seal: a receipt. 0, -ENOSPC, -EIO... and then nothing was written.
 * The line is in the file when this returns and on the disk soon after: a thread of its own waits for the disk. */
int audit_write(Audit *a, json_t *event, bool seal);
/* SHA-256 of the line that was written last, in hex; valid until the next. */
const char *audit_last_hash(const Audit *a);
/* NULL while all is well, else a sentence. */
const char *audit_trouble(const Audit *a);

#endif
