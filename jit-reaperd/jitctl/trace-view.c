/* SPDX-License-Identifier: Apache-2.0 */

#include "json-layout.h"
#include "json.h"
#include "member.h"
#include "table.h"
#include "timefmt.h"
#include "trace-view.h"
#include "tree.h"

enum {
        REQUESTS_SHOWN = 64, /* 8 requests, a few of them repeated for each value of a list */
        BODY_LINES = 40,
        ANSWER_LINES = 80,
        OBJECT_LINES = 200,
};

static void show_json(Table *t, const char *name, const json_t *j, size_t lines_max) {
        _cleanup_free_ char *text = j ? json_layout(j, lines_max) : NULL;

        table_pair(t, name, text, COLOR_NONE);
}

static void show_headers(Table *t, const json_t *headers) {
        json_t *header;
        size_t i;

        json_array_foreach ((json_t *) headers, i, header) {
                table_pair(t, i == 0 ? "Headers" : "", json_string_value(header), COLOR_FAINT);
        }
}

/* "200, 46 ms, 2 attempts" */
static void show_status(Table *t, const json_t *request) {
        uint64_t status = 0, took = 0, attempts = 1;
        char code[24], time[40] = "", tries[40] = "";
        bool answered = member_uint(request, "status", &status) && status > 0;

        (void) snprintf(code, sizeof(code), "%ju", (uintmax_t) status);
        if (member_uint(request, "took_usec", &took))
                (void) snprintf(time, sizeof(time), ", %.1f ms", (double) took / (double) USEC_PER_MSEC);
        if (member_uint(request, "attempts", &attempts) && attempts != 1)
                (void) snprintf(tries, sizeof(tries), ", %ju attempts", (uintmax_t) attempts);
        if (answered || *time || *tries)
                table_pairf(t, "Status", status / 100 == 2 ? COLOR_GOOD : COLOR_WAIT, "%s%s%s",
                            answered ? code : "no answer", time, tries);
}

static void show_request(Table *t, const json_t *request) {
        const char *name = member_text(request, "name"), *method = member_text(request, "method"),
                   *url = member_text(request, "url");

        table_pair(t, "Request", name ? name : "-", COLOR_STRONG);
        if (method || url)
                table_pairf(t, "", COLOR_NONE, "%s%s%s", method ? method : "", method && url ? " " : "",
                            url ? url : "");
        show_headers(t, json_object_get(request, "headers"));
        if (!json_is_null(json_object_get(request, "body")))
                show_json(t, "Body", json_object_get(request, "body"), BODY_LINES);
        show_status(t, request);
        table_pair(t, "Error", member_text(request, "error"), COLOR_BAD);
        show_json(t, "Answer", json_object_get(request, "answer"), ANSWER_LINES);
}

static int print_request(const json_t *request, FILE *f, bool colors) {
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
        int r;

        if (!t)
                return -ENOMEM;
        show_request(t, request);
        r = table_print(t, f, colors);
        fputc('\n', f);
        return r;
}

/* The answers are above: of the program's input only what was taken out of them and what the ticket's name gave. input
 * is a JSON text, and of a long one only the beginning. */
static void show_input(Table *t, const json_t *input) {
        _cleanup_json_ json_t *parsed = NULL;
        const char *text = json_string_value(input);

        if (text && json_parse_strict(text, strlen(text), JSON_MESSAGE_MAX, &parsed, NULL) < 0) {
                show_json(t, "Input", input, BODY_LINES);
                return;
        }
        if (parsed)
                input = parsed;
        tree_show(t, "match", json_object_get(input, "match"));
        tree_show(t, "value", json_object_get(input, "values"));
        tree_show(t, "context", json_object_get(input, "context"));
}

/* Most often that is what the last request ended with, which is above. */
static void show_error(Table *t, const json_t *trace, const json_t *requests) {
        const char *error = member_text(trace, "error"), *last = NULL;

        if (json_array_size(requests) > 0)
                last = member_text(json_array_get(requests, json_array_size(requests) - 1), "error");
        if (error && !(last && streq(error, last)))
                table_pair(t, "Error", error, COLOR_BAD);
}

int trace_print(const json_t *trace, FILE *f, bool colors) {
        const json_t *requests = json_object_get(trace, "requests"), *approval = json_object_get(trace, "approval");
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
        json_t *request;
        size_t i;

        if (!t)
                return -ENOMEM;
        json_array_foreach ((json_t *) requests, i, request) {
                int r = i < REQUESTS_SHOWN ? print_request(request, f, colors) : 0;

                if (r < 0)
                        return r;
        }
        if (json_array_size(requests) > REQUESTS_SHOWN)
                table_pairf(t, "", COLOR_WAIT, "%zu requests more", json_array_size(requests) - REQUESTS_SHOWN);
        show_input(t, json_object_get(trace, "input"));
        if (json_is_null(approval))
                table_pair(t, "Object", "null: no such ticket, or none was made", COLOR_WAIT);
        else
                show_json(t, "Object", approval, OBJECT_LINES);
        show_error(t, trace, requests);
        return table_print(t, f, colors);
}
