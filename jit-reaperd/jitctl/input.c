/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <pwd.h>

#include "file-io.h"
#include "input.h"
#include "timefmt.h"

static int read_stdin(size_t max, char **ret) {
        _cleanup_free_ char *text = malloc(max + 2);
        size_t n;

        if (!text)
                return -ENOMEM;
        n = fread(text, 1, max + 1, stdin);
        if (ferror(stdin))
                return -EIO;
        if (n > max)
                return -EFBIG;
        if (memchr(text, 0, n))
                return -EBADMSG;
        text[n] = 0;
        *ret = take_ptr(text);
        return 0;
}

int input_read(const char *path, size_t max, char **ret) {
        _cleanup_free_ char *real = NULL;

        if (streq(path, "-"))
                return read_stdin(max, ret);
        real = realpath(path, NULL);
        if (!real)
                return -errno;
        return file_read_capped(AT_FDCWD, real, max, false, ret, NULL);
}

int output_document(const char *path, const json_t *j) {
        _cleanup_free_ char *text = json_dumps(j, JSON_SORT_KEYS | JSON_INDENT(2)), *line = NULL, *folder = NULL;
        _cleanup_close_ int dir = -1;
        const char *slash;
        int n;

        if (!text)
                return -ENOMEM;
        n = asprintf(&line, "%s\n", text);
        if (n < 0) {
                line = NULL;
                return -ENOMEM;
        }
        if (!path || streq(path, "-"))
                return fputs(line, stdout) < 0 ? -EIO : 0;
        slash = strrchr(path, '/');
        folder = slash ? strndup(path, (size_t) (slash - path + 1)) : strdup(".");
        if (!folder)
                return -ENOMEM;
        dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;
        return file_write_atomic(dir, slash ? slash + 1 : path, line, (size_t) n, 0644, (uid_t) -1, (gid_t) -1, false);
}

int input_time(const char *text, uint64_t now, uint64_t *ret) {
        size_t length = strlen(text);
        uint64_t span;
        char whole[TIME_TEXT_MAX];

        if (streq(text, "now")) {
                *ret = now;
                return 0;
        }
        if (text[0] == '+') {
                int r = time_parse_span(text + 1, &span);

                if (r < 0)
                        return r;
                if (span > UINT64_MAX - now)
                        return -ERANGE;
                *ret = now + span;
                return 0;
        }
        if (length != strlen("2026-11-22T14:00Z") || text[length - 1] != 'Z')
                return time_parse_rfc3339(text, ret);
        (void) snprintf(whole, sizeof(whole), "%.*s:00Z", (int) length - 1, text);
        return time_parse_rfc3339(whole, ret);
}

bool input_confirm(const char *question) {
        char answer[16];

        if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return true;
        fprintf(stderr, "%s [y/N] ", question);
        (void) fflush(stderr);
        if (!fgets(answer, sizeof(answer), stdin))
                return false;
        return answer[0] == 'y' || answer[0] == 'Y';
}

char *caller_name(void) {
        const struct passwd *pw = getpwuid(getuid());

        return pw ? strdup(pw->pw_name) : NULL;
}
