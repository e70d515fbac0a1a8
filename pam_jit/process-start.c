/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>

#include "cleanup.h"
#include "process-start.h"

#define STAT "/proc/self/stat"

enum { STAT_TEXT_MAX = 1024, FIELD_START = 22, FIELD_BEHIND_NAME = 3 };

int process_start_get(uint64_t *ret) {
        _cleanup_close_ int fd = open(STAT, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        char text[STAT_TEXT_MAX + 1], *p, *end;
        unsigned long long start;
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, text, sizeof(text) - 1);
        if (n < 0)
                return -errno;
        text[n] = 0;
        p = strrchr(text, ')'); /* the program's name, which may have any character in it, ends with the last one */
        if (!p || p[1] != ' ')
                return -EBADMSG;
        p += 2;
        for (unsigned field = FIELD_BEHIND_NAME; field < FIELD_START; field++) {
                p = strchr(p, ' ');
                if (!p)
                        return -EBADMSG;
                p++;
        }
        errno = 0;
        start = strtoull(p, &end, 10);
        if (*p < '0' || *p > '9' || errno != 0 || *end != ' ' || start > INT64_MAX)
                return -EBADMSG;
        *ret = start;
        return 0;
}
