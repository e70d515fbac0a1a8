/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_HTTP_SEND_H
#define JIT_HTTP_SEND_H

/* One request of a provider's file: its templates filled, logged in, sent; after a 401 once more with a new login. */

#include <jansson.h>
#include <systemd/sd-event.h>

#include "http-client.h"
#include "http-login.h"
#include "provider-file.h"

enum {
        ANSWER_NODES_MAX =
                        100000, /* JSON values in the answers to one question: each costs about 100 bytes when parsed */
        SEND_BODY_MAX = 256 * 1024,
        SEND_WHY_MAX = 512,
};

typedef struct HttpSend HttpSend;

typedef struct SendSetup {
        sd_event *event;
        HttpServer *server;
        HttpLogin *login;
        const ProviderRequest *request;
        const json_t *input;         /* what the Body= program gets; NULL only if there is no such program */
        const TemplateValue *values; /* ends with a NULL name */
        const char *accept;          /* a media type; NULL: application/json */
        uint64_t deadline_usec;      /* CLOCK_BOOTTIME */
        bool urgent, trace;
        /* Not NULL: the answer has no end (http_stream_start()) and goes here in parts, with done's userdata. */
        http_part_t part;
        uint64_t idle_usec;
} SendSetup;

typedef struct SendAnswer {
        ProviderResult result;  /* OK: a status of 200 to 299, or null */
        bool null;              /* the status is among NullStatus= */
        const HttpAnswer *http; /* NULL: it came to no request */
        const char *why;        /* a sentence, unless OK */
        json_t *trace;          /* borrowed; NULL unless asked for */
        const char *secret;     /* borrowed; what was masked in trace, or NULL */
} SendAnswer;

/* Called once, never before http_send_new() has returned; the object is freed after it, not by it. */
typedef void (*send_done_t)(const SendAnswer *answer, void *userdata);
/* Everything in setup but request, server and login may go away when this returns. A template that cannot be filled is
 * answered with PROVIDER_INVALID. -ENOMEM and errors of the event loop. */
int http_send_new(const SendSetup *setup, send_done_t done, void *userdata, HttpSend **ret);
HttpSend *http_send_free(HttpSend *s); /* not answered */
DEFINE_CLEANUP(HttpSend, http_send_free);
void http_send_urgent(HttpSend *s);

/* A JSON object or array of at most max bytes, JSON_DEPTH_MAX levels and *values_left values (which becomes less);
 * otherwise as json_parse_strict(). -EBADMSG and ret_why (SEND_WHY_MAX bytes), -ENOMEM. */
int answer_parse(const char *text, size_t length, size_t max, size_t *values_left, json_t **ret, char *ret_why);

#endif
