/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TABLE_H
#define JIT_TABLE_H

/* Aligned tables for people. Everything that goes in is copied and escaped (text.h). Cells are counted in terminal
 * columns. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cleanup.h"

typedef enum Color {
        COLOR_NONE,
        COLOR_GOOD, /* green */
        COLOR_WAIT, /* yellow */
        COLOR_BAD,  /* red */
        COLOR_FAINT,
        COLOR_STRONG,
} Color;

/* Whether f is a terminal that wants colours: https://no-color.org. */
bool color_wanted(FILE *f, bool no_color);

typedef struct Table Table;

/* header: NULL-ended, or NULL for a table of names and values, which has two columns and no header. */
Table *table_new(const char *const *header); /* NULL without memory */
Table *table_free(Table *t);
DEFINE_CLEANUP(Table, table_free);

/* Cells go in from left to right, row by row. NULL or empty text: "-". A failure is remembered and reported by
 * table_print(). */
void table_cell(Table *t, const char *text, Color color);
void table_cell_number(Table *t, uint64_t n); /* flush right */

/* For a table of names and values. No text: no row. A value of several lines goes on below itself. */
void table_pair(Table *t, const char *name, const char *text, Color color);
void table_pair_strv(Table *t, const char *name, char *const *v);
void table_pairf(Table *t, const char *name, Color color, const char *format, ...)
                __attribute__((format(printf, 4, 5)));

/* No trailing blanks, two between columns. -ENOMEM if a cell was lost, -EIO. */
int table_print(const Table *t, FILE *f, bool colors);

#endif
