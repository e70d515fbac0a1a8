/* SPDX-License-Identifier: Apache-2.0 */

#include "cleanup.h"
#include "jitctl.h"
#include "paths.h"

/* The policy runs where it always runs, in jit-approverd's program: jitctl links no jq. Not the service, but another
 * process of the caller's own, with no more rights than theirs. */
#define PROGRAM JIT_VENDOR "/jit-approverd"

typedef struct PolicyOptions {
        const char *policy;
} PolicyOptions;

static const Option policy_options[] = {
                {"policy", OPTION_STRING, offsetof(PolicyOptions, policy), 'p', "FILE",
                 "this one in place of the host's: /etc/jit/policy.jq, or the shipped one"},
                {0},
};

static int verb_policy_test(const Ctl *ctl, char *const *args, const void *options) {
        const PolicyOptions *o = options;
        _cleanup_free_ char *program = NULL;
        const char *argv[] = {
                        "jit-approverd", "--policy-test", args[0], o->policy ? "--policy" : NULL, o->policy, NULL};

        if (ctl->json)
                return say_error(STATUS_USAGE, "policy test has no --json: one line a case, and the exit status");
        if (asprintf(&program, "%s%s", ctl->root, PROGRAM) < 0) {
                program = NULL;
                return say_no_memory();
        }
        (void) fflush(stdout);
        (void) execv(program, (char *const *) argv); /* execve(2) does not write to argv */
        return say_error(STATUS_NO, "cannot run %s, which runs policies: %s; is pam_jit installed whole?", program,
                         strerror(errno));
}

const Verb verbs_policy[] = {
                {"policy test", "DIR|FILE", 1, 1, "Run the policy over cases", policy_options, sizeof(PolicyOptions),
                 "A file of cases, or each *.json of a folder, holds an input, what each case changes in it, and the "
                 "answer that is\n"
                 "wanted. One line a case; the exit status is 0 if all answers are as wanted. See jit-approverd(8), "
                 "POLICY.\n\n"
                 "Example: the shipped policy; and one's own before it goes into place\n"
                 "  jitctl policy test /usr/share/doc/pam_jit/examples/policy/shipped-cases.json\n"
                 "  jitctl policy test cases --policy ./policy.jq && sudo install -m 644 policy.jq /etc/jit/\n",
                 verb_policy_test},
                {0},
};
