/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>

#include "event-stream.h"

struct EventStream {
        event_text_t event;
        void *userdata;
        bool after_cr; /* a newline now is the second half of a line's end */
        bool begun;    /* a line has ended: no byte order mark any more */
        bool has_data;
        size_t line_length, data_length;
        char line[EVENT_TEXT_MAX + 1], data[EVENT_TEXT_MAX + 1];
};

int event_stream_new(event_text_t event, void *userdata, EventStream **ret) {
        EventStream *s = malloc(sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->event = event;
        s->userdata = userdata;
        s->after_cr = s->begun = s->has_data = false;
        s->line_length = s->data_length = 0;
        *ret = s;
        return 0;
}

EventStream *event_stream_free(EventStream *s) {
        free(s);
        return NULL;
}

static int add_data(EventStream *s, const char *value, size_t length) {
        size_t newline = s->has_data;

        if (s->data_length + newline + length > EVENT_TEXT_MAX)
                return -EMSGSIZE;
        if (newline)
                s->data[s->data_length++] = '\n';
        memcpy(s->data + s->data_length, value, length);
        s->data_length += length;
        s->has_data = true;
        return 0;
}

static int take_line(EventStream *s) {
        const char *line = s->line, *colon;
        size_t n = s->line_length, field;

        s->line_length = 0;
        if (!s->begun && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
                line += 3;
                n -= 3;
        }
        s->begun = true;
        if (n == 0) {
                bool dispatch = s->has_data && s->data_length > 0;
                size_t length = s->data_length;
                s->data[length] = '\0';
                s->has_data = false;
                s->data_length = 0;
                if (dispatch)
                        s->event(s->data, length, s->userdata);
                return 0;
        }
        colon = memchr(line, ':', n);
        field = colon ? (size_t) (colon - line) : n;
        if (field != 4 || memcmp(line, "data", 4) != 0)
                return 0;
        if (!colon)
                return add_data(s, "", 0);
        n -= field + 1;
        line = colon + 1;
        if (n > 0 && *line == ' ')
                line++, n--;
        return add_data(s, line, n);
}

int event_stream_feed(EventStream *s, const char *data, size_t length) {
        int r = 0;

        for (size_t i = 0; i < length && r >= 0; i++) {
                char c = data[i];
                bool second = c == '\n' && s->after_cr;

                s->after_cr = c == '\r';
                if (second)
                        continue;
                if (c == '\n' || c == '\r')
                        r = take_line(s);
                else if (s->line_length >= EVENT_TEXT_MAX)
                        r = -EMSGSIZE;
                else
                        s->line[s->line_length++] = c;
        }
        return r;
}
