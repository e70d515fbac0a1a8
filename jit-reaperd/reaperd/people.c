/* SPDX-License-Identifier: Apache-2.0 */

#include <grp.h>
#include <pwd.h>

#include "cleanup.h"
#include "people.h"

char *person_by_uid(uid_t uid) {
        if (uid == 0)
                return strdup("root");
        _cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
        const struct passwd *pw;

        while (f && (pw = fgetpwent(f)))
                if (pw->pw_uid == uid)
                        return strdup(pw->pw_name);
        return NULL;
}

static bool passwd_has(const char *name) {
        _cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
        const struct passwd *pw;

        while (f && (pw = fgetpwent(f)))
                if (streq(pw->pw_name, name))
                        return true;
        return false;
}

static bool group_has(const char *name) {
        _cleanup_fclose_ FILE *f = fopen("/etc/group", "re");
        const struct group *gr;

        while (f && (gr = fgetgrent(f)))
                if (streq(gr->gr_name, name))
                        return true;
        return false;
}

bool name_is_local(const char *name) {
        return passwd_has(name) || group_has(name);
}
