/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "people.h"

/* passwd(5): "name:password:UID:...". Not by fgetpwent(3), which asks for its place in the file three times a line. */
static bool line_has_uid(const char *line, uid_t uid) {
        const char *field = strchr(line, ':');
        unsigned long n;
        char *end;

        field = field ? strchr(field + 1, ':') : NULL;
        if (!field || field[1] < '0' || field[1] > '9')
                return false;
        errno = 0;
        n = strtoul(field + 1, &end, 10);
        return errno == 0 && *end == ':' && n == uid;
}

char *person_by_uid(uid_t uid) {
        _cleanup_fclose_ FILE *f = uid == 0 ? NULL : fopen("/etc/passwd", "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        if (uid == 0)
                return strdup("root");
        while (f && getline(&line, &size, f) > 0)
                /* "+name" and "-name" are rules for other sources of names. */
                if (line_has_uid(line, uid) && !strchr(":+-", *line))
                        return strndup(line, strcspn(line, ":"));
        return NULL;
}

/* passwd(5), group(5): the first field of a line. Every login comes by here. A line that is no entry counts as well:
 * better an account too few than somebody else's name. */
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
