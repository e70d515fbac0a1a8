/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>

#include "findings.h"
#include "input.h"

enum { CONFIG_FILE_MAX = 1024 * 1024 };

void findings_add(Findings *f, bool is_error, const char *file, const char *action, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        json_t *finding;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&message, format, ap);
        va_end(ap);
        if (n < 0) {
                message = NULL;
                f->failed = true;
                return;
        }
        if (is_error)
                f->errors++;
        else
                f->warnings++;
        finding = json_pack("{s:s, s:s*, s:s, s:s}", "severity", is_error ? "error" : "warning", "file", file,
                            "message", message, "action", action);
        if (!finding || json_array_append_new(f->list, finding) < 0)
                f->failed = true;
}

void findings_add_place(Findings *f, const char *action, const char *why) {
        const char *end = strstr(why, ": ");
        _cleanup_free_ char *file = end && why[0] == '/' ? strndup(why, (size_t) (end - why)) : NULL;

        findings_add(f, true, file, action, "%s", file ? end + 2 : why);
}

/* sudoers(5): #include and #includedir are no comments */
static bool is_comment(const char *line) {
        return *line == '#' && strncmp(line, "#include", 8) != 0;
}

/* Trimmed; with the lines that it goes on in, which comments do not. NULL at the end. */
static char *next_line(char **rest) {
        char *line = strsep(rest, "\n"), *end, *p;

        if (!line)
                return NULL;
        line += strspn(line, " \t");
        for (;;) {
                end = p = line + strlen(line);
                while (p > line && strchr(" \t\r", p[-1]))
                        *--p = 0;
                if (p == line || p[-1] != '\\' || is_comment(line) || !*rest)
                        return line;
                memset(p - 1, ' ', (size_t) (end - p) + 2); /* the backslash, to the newline that strsep(3) took */
                (void) strsep(rest, "\n");
        }
}

int each_config_line(const char *root, const char *path, config_line_t on_line, void *userdata) {
        _cleanup_free_ char *whole = NULL, *text = NULL;
        char *rest, *line;
        int r;

        if (asprintf(&whole, "%s%s", root, path) < 0) {
                whole = NULL;
                return -ENOMEM;
        }
        r = input_read(whole, CONFIG_FILE_MAX, &text);
        if (r < 0)
                return r;
        rest = text;
        while ((line = next_line(&rest))) {
                if (!*line || is_comment(line))
                        continue;
                r = on_line(line, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

bool file_is_there(const char *root, const char *path) {
        _cleanup_free_ char *whole = NULL;

        if (asprintf(&whole, "%s%s", root, path) < 0) {
                whole = NULL;
                return false;
        }
        return access(whole, F_OK) == 0;
}

char *next_word(char **line) {
        char *word;

        while ((word = strsep(line, " \t")))
                if (*word)
                        return word;
        return NULL;
}
