/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <stdarg.h>

#include "strv.h"
#include "table.h"
#include "text.h"

typedef struct Cell {
        char *text; /* escaped */
        size_t width;
        Color color;
        bool right;
} Cell;

struct Table {
        Cell *cells;
        size_t n_cells, n_columns;
        bool has_header, failed;
};

bool color_wanted(FILE *f, bool no_color) {
        const char *unwanted = getenv("NO_COLOR"), *term = getenv("TERM");

        return !no_color && !(unwanted && *unwanted) && !(term && streq(term, "dumb")) && isatty(fileno(f));
}

Table *table_new(const char *const *header) {
        Table *t = calloc(1, sizeof(*t));

        if (!t)
                return NULL;
        t->n_columns = 2;
        if (header) {
                t->has_header = true;
                for (t->n_columns = 0; header[t->n_columns]; t->n_columns++)
                        ;
                for (size_t i = 0; i < t->n_columns; i++)
                        table_cell(t, header[i], COLOR_STRONG);
        }
        return t;
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_cells; i++)
                free(t->cells[i].text);
        free(t->cells);
        free(t);
        return NULL;
}

static void add_cell(Table *t, const char *text, Color color, bool right) {
        Cell *cells;
        char *escaped = text_escape(text);

        if (!escaped) {
                t->failed = true;
                return;
        }
        cells = reallocarray(t->cells, t->n_cells + 1, sizeof(*cells));
        if (!cells) {
                free(escaped);
                t->failed = true;
                return;
        }
        t->cells = cells;
        cells[t->n_cells++] = (Cell){.text = escaped, .width = text_width(escaped), .color = color, .right = right};
}

void table_cell(Table *t, const char *text, Color color) {
        add_cell(t, text && *text ? text : "-", color, false);
}

void table_cell_number(Table *t, uint64_t n) {
        char text[21];

        (void) snprintf(text, sizeof(text), "%" PRIu64, n);
        add_cell(t, text, COLOR_NONE, true);
}

void table_pair(Table *t, const char *name, const char *text, Color color) {
        while (text && *text) {
                size_t n = strcspn(text, "\n");
                _cleanup_free_ char *line = strndup(text, n);

                if (!line) {
                        t->failed = true;
                        return;
                }
                add_cell(t, name, COLOR_FAINT, false);
                add_cell(t, line, color, false);
                name = "";
                text += n + (text[n] == '\n');
        }
}

void table_pair_strv(Table *t, const char *name, char *const *v) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f) {
                t->failed = true;
                return;
        }
        STRV_FOREACH(s, v)
        fprintf(f, "%s%s", s == v ? "" : ", ", *s);
        if (fclose(f) != 0)
                t->failed = true;
        else
                table_pair(t, name, text, COLOR_NONE);
}

void table_pairf(Table *t, const char *name, Color color, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                t->failed = true;
                return;
        }
        table_pair(t, name, text, color);
}

static const char *color_code(Color color) {
        static const char *const codes[] = {
                        [COLOR_NONE] = "",          [COLOR_GOOD] = "\x1b[32m", [COLOR_WAIT] = "\x1b[33m",
                        [COLOR_BAD] = "\x1b[1;31m", [COLOR_FAINT] = "\x1b[2m", [COLOR_STRONG] = "\x1b[1m",
        };

        return codes[color];
}

static void print_blanks(FILE *f, size_t n) {
        while (n-- > 0)
                fputc(' ', f);
}

static void print_cell(const Cell *c, size_t width, bool last, FILE *f, bool colors) {
        const char *code = colors ? color_code(c->color) : "";

        if (c->right)
                print_blanks(f, width - c->width);
        fprintf(f, "%s%s%s", code, c->text, *code ? "\x1b[0m" : "");
        if (!last)
                print_blanks(f, (c->right ? 0 : width - c->width) + 2);
}

int table_print(const Table *t, FILE *f, bool colors) {
        _cleanup_free_ size_t *widths = calloc(t->n_columns, sizeof(*widths));

        if (t->failed || !widths)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_cells; i++)
                if (t->cells[i].width > widths[i % t->n_columns])
                        widths[i % t->n_columns] = t->cells[i].width;
        for (size_t i = 0; i < t->n_cells; i++) {
                bool last = i % t->n_columns == t->n_columns - 1;

                print_cell(t->cells + i, widths[i % t->n_columns], last, f, colors);
                if (last)
                        fputc('\n', f);
        }
        return ferror(f) ? -EIO : 0;
}
