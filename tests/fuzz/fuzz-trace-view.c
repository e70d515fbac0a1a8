/* SPDX-License-Identifier: Apache-2.0 */

/* What a ticket system says, on its way to root's terminal: the trace of `provider test`, and an explanation. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "explain-view.h"
#include "json.h"
#include "table.h"
#include "text.h"
#include "trace-view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* Lines of valid UTF-8 in which nothing is left to escape. */
static void check_printed(char *text) {
        char *rest = text, *line;

        while ((line = strsep(&rest, "\n"))) {
                _cleanup_free_ char *again = text_escape(line);

                require(again && streq(again, line));
        }
}

typedef int (*print_t)(const json_t *j, FILE *f);

static int print_trace(const json_t *j, FILE *f) {
        return trace_print(j, f, false);
}

static int print_explanation(const json_t *j, FILE *f) {
        return explain_print(j, json_object_get(j, "inputs"), "chg1", NULL, f, false);
}

static void check(print_t print, const json_t *j) {
        _cleanup_free_ char *text = NULL, *before = json_canonical(j), *after = NULL;
        size_t length;
        FILE *f = open_memstream(&text, &length);

        require(f && print(j, f) >= 0 && fclose(f) == 0);
        after = json_canonical(j);
        require(before && after && streq(before, after)); /* what --json prints is whole */
        check_printed(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *j = NULL;

        if (json_parse_strict((const char *) data, size, JSON_MESSAGE_MAX, &j, NULL) < 0)
                return 0;
        check(print_trace, j);
        check(print_explanation, j);
        return 0;
}
