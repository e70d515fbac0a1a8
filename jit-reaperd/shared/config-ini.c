/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "config-parse.h"

/* libinih parses; this reader hands it lines, and only such lines as it takes to mean what they look like. By itself it
 * cuts long lines in two, drops text behind " ;" and behind "]", joins indented lines to the one before, and takes ':'
 * for '='. How much of that happens depends on how a distribution has built it, so nothing of it may be reached. */

typedef struct IniFile {
        const char *path;
        const char *next, *end;
        unsigned line;
        config_assign_t assign;
        void *userdata;
        int error; /* 0 until the first fault */
        char *why; /* of the caller, CONFIG_WHY_MAX bytes */
} IniFile;

static void ini_refuse(IniFile *f, int error, const char *sentence) {
        if (f->error)
                return;
        f->error = error;
        (void) snprintf(f->why, CONFIG_WHY_MAX, "%s:%u: %s", f->path, f->line, sentence);
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* Length of the UTF-8 sequence at p (RFC 3629: shortest form, no surrogates), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left) {
        size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : 4;

        if (p[0] > 0xf4 || (n == 4 && p[0] < 0xf0) || n > left)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
            (p[0] == 0xf4 && p[1] >= 0x90))
                return 0;
        return n;
}

/* NULL, or what is wrong with a line's bytes, comment or not. */
static const char *line_bytes_fault(const char *line, size_t length) {
        const unsigned char *p = (const unsigned char *) line;

        for (size_t i = 0, n; i < length; i += n) {
                n = utf8_sequence(p + i, length - i);
                if (n == 0)
                        return "not UTF-8";
                if (p[i] == '\r')
                        return "a carriage return: lines end with a newline alone";
                if ((p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f || (p[i] == 0xc2 && p[i + 1] < 0xa0))
                        return "a control character";
                if (n == 3 && memcmp(p + i, "\xef\xbb\xbf", 3) == 0)
                        return "a byte order mark";
        }
        return NULL;
}

/* As line_bytes_fault(), for the form of a line that is neither blank nor a comment. */
static const char *line_form_fault(const char *line, size_t length) {
        while (length > 0 && is_blank(line[length - 1]))
                length--;

        if (is_blank(line[0]))
                return "starts with a blank: a value cannot be continued on the next line";
        if (length > CONFIG_LINE_MAX)
                return "longer than 198 bytes";
        if (line[length - 1] == '\\')
                return "ends with a backslash: a value cannot be continued on the next line";
        for (size_t i = 1; i < length; i++)
                if (line[i] == ';' && is_blank(line[i - 1]))
                        return "has a ';' behind a blank: comments have lines of their own";

        if (line[0] == '[') {
                const char *end = memchr(line, ']', length);
                return end == line + length - 1 ? NULL : "must be [Section] and nothing else";
        }

        size_t key = 0;
        while (key < length && ((line[key] >= 'A' && line[key] <= 'Z') || (line[key] >= 'a' && line[key] <= 'z')))
                key++;
        size_t equals = key;
        while (equals < length && is_blank(line[equals]))
                equals++;
        return key > 0 && equals < length && line[equals] == '=' ? NULL : "must be [Section] or Key=value";
}

/* fgets(3) for libinih: a line with its newline, or NULL at the end and after a fault. */
static char *on_ini_line(char *buffer, int size, void *stream) {
        IniFile *f = stream;

        if (f->error || f->next == f->end)
                return NULL;

        const char *line = f->next, *newline = memchr(line, '\n', (size_t) (f->end - line));
        size_t length = (size_t) ((newline ? newline : f->end) - line), blanks = 0;
        f->next = newline ? newline + 1 : f->end;
        f->line++;

        while (blanks < length && is_blank(line[blanks]))
                blanks++;
        bool empty = blanks == length || line[blanks] == '#' || line[blanks] == ';';

        const char *fault = line_bytes_fault(line, length);
        if (!fault && !empty)
                fault = line_form_fault(line, length);
        if (empty)
                length = 0;
        else /* trailing blanks do not count, here as in line_form_fault() */
                while (length > 0 && is_blank(line[length - 1]))
                        length--;
        if (!fault && size < (int) length + 2)
                fault = "longer than libinih's buffer";
        if (fault) {
                ini_refuse(f, -EBADMSG, fault);
                return NULL;
        }

        memcpy(buffer, line, length);
        buffer[length] = '\n';
        buffer[length + 1] = '\0';
        return buffer;
}

/* libinih's handlers return nonzero on success. */
static int on_ini_assignment(void *userdata, const char *section, const char *key, const char *value) {
        IniFile *f = userdata;
        char why[CONFIG_WHY_MAX] = "";

        if (f->error)
                return 0;

        int r = f->assign(f->userdata, section, key, value ? value : "", why);
        if (r < 0)
                ini_refuse(f, r, why);
        return r >= 0;
}

int config_ini_parse(const char *path, const char *text, size_t length, config_assign_t assign, void *userdata,
                     char *ret_why) {
        IniFile f = {
                        .path = path,
                        .next = text,
                        .end = text + length,
                        .assign = assign,
                        .userdata = userdata,
                        .why = ret_why,
        };

        int r = ini_parse_stream(on_ini_line, &f, on_ini_assignment, &f);
        if (f.error)
                return f.error;
        if (r == -2) /* libinih could not allocate its buffer */
                return -ENOMEM;
        if (r != 0) {
                f.line = r > 0 ? (unsigned) r : f.line;
                ini_refuse(&f, -EBADMSG, "must be [Section] or Key=value");
                return f.error;
        }
        return 0;
}
