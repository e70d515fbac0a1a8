/* SPDX-License-Identifier: Apache-2.0 */

#include "cleanup.h"
#include "target.h"

bool target_is_allowed(const char *run_as, const char *target) {
        size_t n = strcspn(run_as, ":");

        if (n == strlen("ALL") && strncmp(run_as, "ALL", n) == 0)
                return true;
        /* A number is not translated: no name service is asked, and "#0" is nobody's name. */
        return n > 0 && strlen(target) == n && strncmp(run_as, target, n) == 0;
}

const char *target_of_account_phase(const char *service, const char *account) {
        static const struct {
                const char *service;
                const char *target; /* NULL: the account */
        } table[] = {
                {"su", NULL}, {"su-l", NULL}, {"runuser", NULL}, {"runuser-l", NULL}, {"systemd-run0", NULL}, {"polkit-1", "root"},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(service, table[i].service))
                        return table[i].target ?: account;
        return NULL;
}
