/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_EVENT_STREAM_H
#define JIT_EVENT_STREAM_H

/* Server-sent events (WHATWG HTML, "9.2.6 Interpreting an event stream"), in parts of any size. Of their fields only
 * "data" counts here. */

#include <stddef.h>

#include "cleanup.h"

enum { EVENT_TEXT_MAX = 64 * 1024 }; /* bytes of one event's data, and of one line */

typedef struct EventStream EventStream;

/* data: its lines joined by newlines, NUL behind it. */
typedef void (*event_text_t)(const char *data, size_t length, void *userdata);
int event_stream_new(event_text_t event, void *userdata, EventStream **ret);
EventStream *event_stream_free(EventStream *s);
DEFINE_CLEANUP(EventStream, event_stream_free);
/* -EMSGSIZE: a line or an event is too long; the stream is of no use then. */
int event_stream_feed(EventStream *s, const char *data, size_t length);

#endif
