/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "cleanup.h"
#include "pam-service.h"

bool pam_service_elevates(const char *service) {
        static const char *const names[] = {"su",        "su-l", "sudo",     "sudo-i",      "runuser",
                                            "runuser-l", "doas", "polkit-1", "systemd-run0"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcmp(service, names[i]) == 0)
                        return true;
        return false;
}
