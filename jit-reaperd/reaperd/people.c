/* SPDX-License-Identifier: Apache-2.0 */

#include <pwd.h>
#include <stdio.h>

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

/* passwd(5), group(5): the first field of a line. Not by fgetpwent(3), which asks for its place in the file three times
 * a line: every login comes by here. A line that is no entry counts as well: better an account too few than somebody
 * else's name. */
static bool file_has(const char *path, const char *name) {
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0, length = strlen(name);

        while (f && getline(&line, &size, f) > 0) {
                const char *first = line + strspn(line, " \t");
                if (strncmp(first, name, length) == 0 && (first[length] == ':' || first[length] == '\n'))
                        return true;
        }
        return false;
}

bool name_is_local(const char *name) {
        return file_has("/etc/passwd", name) || file_has("/etc/group", name);
}
