/* SPDX-License-Identifier: Apache-2.0 */

/* A module that stands behind pam_jit in the tests' stacks, where pam_systemd stands on a host. It answers code=NUMBER,
 * and shows what only modules can see: the data that pam_jit left for pam_systemd, as environment variables. */

#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static int answer(int argc, const char **argv) {
        for (int i = 0; i < argc; i++)
                if (strncmp(argv[i], "code=", 5) == 0)
                        return atoi(argv[i] + 5);
        return PAM_SUCCESS;
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void) pamh, (void) flags;
        return answer(argc, argv);
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void) pamh, (void) flags;
        return answer(argc, argv);
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void) pamh, (void) flags;
        return answer(argc, argv);
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        static const char *const names[] = {"systemd.runtime_max_sec", "systemd.tasks_max", "systemd.memory_max",
                                            "systemd.cpu_weight"};

        (void) flags;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const void *value = NULL;
                char text[128];

                if (pam_get_data(pamh, names[i], &value) != PAM_SUCCESS || !value)
                        continue;
                (void) snprintf(text, sizeof(text), "%s=%s", names[i], (const char *) value);
                (void) pam_putenv(pamh, text);
        }
        return answer(argc, argv);
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
        (void) pamh, (void) flags;
        return answer(argc, argv);
}
