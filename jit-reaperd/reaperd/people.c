/* SPDX-License-Identifier: Apache-2.0 */

#include <pwd.h>

#include "cleanup.h"
#include "people.h"

char *person_by_uid(uid_t uid) {
        _cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
        const struct passwd *pw;

        while (f && (pw = fgetpwent(f)))
                if (pw->pw_uid == uid)
                        return strdup(pw->pw_name);
        return NULL;
}
