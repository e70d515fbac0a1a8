/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>

#include "cleanup.h"
#include "json-layout.h"

enum { LINE_BYTES_MAX = 240, INDENT = 2, INDENT_MAX = 32 };

#define BLANKS " \t\r\n"

static void new_line(FILE *f, size_t depth) {
        fprintf(f, "\n%*s", INDENT * (int) (depth < INDENT_MAX ? depth : INDENT_MAX), "");
}

/* The string that begins at text with its quotes, or all of it if it has no end. */
static size_t string_length(const char *text) {
        size_t i = 1;

        while (text[i] && text[i] != '"')
                i += text[i] == '\\' && text[i + 1] ? 2 : 1;
        return i + (text[i] == '"');
}

static void put_json(FILE *f, const char *text) {
        size_t depth = 0;

        for (const char *p = text; *p; p += strspn(p, BLANKS)) {
                size_t n = *p == '"' ? string_length(p) : 1;
                bool opens = *p == '{' || *p == '[', closes = *p == '}' || *p == ']';
                const char *next = p + n + strspn(p + n, BLANKS);
                bool empty = opens && (*next == '}' || *next == ']');

                if (closes) {
                        depth -= depth > 0;
                        new_line(f, depth);
                }
                (void) fwrite(p, 1, n, f);
                if (empty)
                        fputc(*next++, f);
                else if (opens)
                        new_line(f, ++depth);
                else if (*p == ',')
                        new_line(f, depth);
                else if (*p == ':')
                        fputc(' ', f);
                p = empty ? next : p + n;
        }
}

static size_t count_lines(const char *text) {
        size_t n = 0;

        while (*text) {
                text += strcspn(text, "\n");
                text += *text == '\n';
                n++;
        }
        return n;
}

/* Cuts at a character's beginning: half of one would not be UTF-8. */
static void put_line(FILE *f, const char *line, size_t n) {
        size_t cut = n;

        if (n > LINE_BYTES_MAX) {
                cut = LINE_BYTES_MAX;
                while (cut > 0 && ((unsigned char) line[cut] & 0xc0) == 0x80)
                        cut--;
        }
        (void) fwrite(line, 1, cut, f);
        if (cut < n)
                fprintf(f, "... (%zu bytes more)", n - cut);
        fputc('\n', f);
}

static char *cut_lines(const char *text, size_t lines_max) {
        char *result = NULL;
        size_t size = 0, n = 0;
        FILE *f = open_memstream(&result, &size);

        if (!f)
                return NULL;
        for (; *text && n < lines_max; n++) {
                size_t length = strcspn(text, "\n");

                put_line(f, text, length);
                text += length + (text[length] == '\n');
        }
        if (*text)
                fprintf(f, "... (%zu lines more)\n", count_lines(text));
        if (fclose(f) != 0) {
                free(result);
                return NULL;
        }
        return result;
}

char *json_layout(const json_t *j, size_t lines_max) {
        _cleanup_free_ char *dumped = NULL, *laid_out = NULL;
        const char *text = json_string_value(j);
        size_t size = 0;
        FILE *f;

        if (!text) {
                dumped = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
                text = dumped;
        }
        if (!text)
                return NULL;
        text += strspn(text, BLANKS);
        if (*text != '{' && *text != '[')
                return cut_lines(text, lines_max);
        f = open_memstream(&laid_out, &size);
        if (!f)
                return NULL;
        put_json(f, text);
        return fclose(f) == 0 ? cut_lines(laid_out, lines_max) : NULL;
}
