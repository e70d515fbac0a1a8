/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_POLICY_TEST_H
#define JIT_POLICY_TEST_H

/* `jitctl policy test`: a policy over case files. Needs no daemon and no root; nothing is changed.
 *
 * A case file is {"about": "...", "input": {what a policy gets}, "cases": [{"name": "...", "change": {"a.b": VALUE,
 * ...}, "allow": true, "reason": "the first one", "ttl_usec": 0}, ...]}: each case is the input with some members set,
 * and what has to come out; reason and ttl_usec may be left out. */

#include <stdio.h>

typedef struct PolicyTest {
        const char *cases;        /* a case file, or a folder of them (*.json) */
        const char *policy;       /* a file; NULL: etc/policy.jq, else vendor/policy.jq */
        const char *etc, *vendor; /* not looked at when policy is given */
} PolicyTest;

/* A line for each case and one at the end go to out; why it could not be run goes to err. 0: all are as expected, 1:
 * some are not, 2: a file or the policy is wrong: an exit status. */
int policy_test_run(const PolicyTest *test, FILE *out, FILE *err);

#endif
