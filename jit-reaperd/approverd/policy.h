/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_POLICY_H
#define JIT_POLICY_H

/* The policy: one jq program of the administrator's, compiled once. Its author is trusted (the file is root's); its
 * input is not, but is bounded, and a run that takes too much processor time is stopped.
 *
 * MUST: take anything but {"allow": true, ...} from a run that ended well as no. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"
#include "timefmt.h"

enum {
        POLICY_TEXT_MAX = 64 * 1024,   /* bytes of the program */
        POLICY_INPUT_MAX = 512 * 1024, /* bytes of its input */
        POLICY_REASONS_MAX = 16,
        POLICY_MESSAGE_MAX = 200,
        POLICY_WHY_MAX = 512,
};
#define POLICY_TIME_MAX_USEC (250 * USEC_PER_MSEC) /* of processor time, for one run */

typedef struct Policy Policy;

typedef struct PolicyResult {
        bool allow;
        char **reasons;    /* strv, never empty: codes, the one that counts first */
        uint64_t ttl_usec; /* USEC_INFINITY: the policy sets none */
        char *message;     /* one line for the person, or NULL */
        char *error;       /* why the answer is no when the program itself failed; NULL: it did not */
} PolicyResult;

void policy_result_done(PolicyResult *r);

/* One Policy in a process at a time may run (its clock is a signal). -EBADMSG and ret_why (POLICY_WHY_MAX bytes) if it
 * does not compile; -ENOMEM. */
int policy_new(const char *program, Policy **ret, char *ret_why);
Policy *policy_free(Policy *p);
DEFINE_CLEANUP(Policy, policy_free);
/* etc/policy.jq, else vendor/policy.jq; both must be root's (or ours). -ENOENT: neither is there. */
int policy_load(const char *etc, const char *vendor, Policy **ret, char *ret_why);

/* {"allow", "reasons"?, "ttl_usec"?, "message"?}, from whichever policy. -EBADMSG: it is not that; -ENOMEM. ret is
 * empty then. */
int policy_result_parse(const json_t *output, PolicyResult *ret);
/* Never fails: what goes wrong is a no. ret is filled in every case, but for -ENOMEM. */
int policy_run(Policy *p, const json_t *input, PolicyResult *ret);

#endif
