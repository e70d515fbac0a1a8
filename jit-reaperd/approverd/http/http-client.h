/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_HTTP_CLIENT_H
#define JIT_HTTP_CLIENT_H

/* HTTPS requests by libcurl's multi interface on the event loop: kept connections, HTTP/2 where it is offered, nothing
 * that waits (curl_multi_socket_action(3), threaded resolver, no signals).
 *
 * MUST: stop an answer while it arrives once it is longer than its limit.
 * MUST: never follow a redirect to another scheme, host or port; never send what a request carries anywhere else.
 * MUST NOT: offer a content encoding: what is counted is what arrives. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "provider.h"
#include "strv.h"

enum {
        HTTP_ANSWER_MAX = 1024 * 1024, /* bytes of a body */
        HTTP_HEADERS_MAX = 64 * 1024,  /* bytes of an answer's headers */
        HTTP_REDIRECTS_MAX = 3,        /* within the same origin, GET only */
        HTTP_WHY_MAX = 256,
};

typedef struct HttpClient HttpClient; /* one in a process */
typedef struct HttpServer HttpServer; /* what all requests of a provider share: trust, limits, breaker */
typedef struct HttpCall HttpCall;     /* one request with its retries */

typedef struct HttpServerSettings {
        const char *name;        /* for messages */
        const char *ca_file;     /* NULL: the system's */
        const char *pinned_key;  /* "sha256//BASE64[;...]", CURLOPT_PINNEDPUBLICKEY(3); NULL: none */
        const char *client_cert; /* paths of PEM files; NULL: none */
        const char *client_key;
        const char *proxy;        /* URL; NULL: none, whatever the environment says */
        unsigned connections_max; /* 1..64 */
        unsigned queue_max;       /* calls that wait or run; beyond: PROVIDER_LIMIT at once */
        unsigned rate_per_sec;    /* requests; 1..1000; what is over it waits in the queue */
        unsigned rate_burst;      /* 1..1000 */
        bool allow_plain;         /* http:// to a loopback address literal or "localhost"; else https only */
} HttpServerSettings;

/* total_rate_per_sec: of all servers together. */
int http_client_new(sd_event *event, unsigned total_rate_per_sec, HttpClient **ret);
/* Its servers must be freed before; not in a callback. */
HttpClient *http_client_free(HttpClient *c);

int http_server_new(HttpClient *c, const HttpServerSettings *settings, HttpServer **ret); /* copies */
/* Its calls are answered with PROVIDER_CANCELED before it returns. Also in a callback of one of its own calls. */
HttpServer *http_server_free(HttpServer *s);

typedef struct HttpRequest {
        const char *method; /* GET, POST, PUT, PATCH */
        const char *url;
        char *const *headers; /* "Name: value"; Content-Type is application/json for a body unless it says otherwise */
        const char *body;     /* NULL: none */
        size_t body_length;
        uint64_t deadline_usec; /* CLOCK_BOOTTIME: for queue, retries and all */
        size_t answer_max;      /* 0: HTTP_ANSWER_MAX */
        bool safe;              /* may be sent again after a failure that leaves it open whether it was handled; what
                                   is not safe gets a connection of its own, for libcurl repeats on kept ones */
        bool urgent;            /* before those that are not, in the queue */
} HttpRequest;

typedef struct HttpAnswer {
        ProviderResult result; /* OK for every complete answer with status 200..499 but 401, 403, 429 */
        unsigned status;       /* 0: none came */
        const char *body;      /* NUL behind it */
        size_t length;
        const char *content_type; /* NULL: none */
        bool sent;                /* the request may have reached the server: false means certainly not */
        unsigned attempts;
        uint64_t took_usec;
        const char *why; /* a sentence unless OK */
} HttpAnswer;

/* Called once, never before http_call_start() has returned; the call is freed after it. */
typedef void (*http_answer_t)(const HttpAnswer *answer, void *userdata);
/* Copies request; erases its copy of headers and body. -ENOMEM; -ESHUTDOWN while the server is being freed. Limits, an
 * open breaker and a URL or header that may not be sent answer through answer. */
int http_call_start(HttpServer *s, const HttpRequest *request, http_answer_t answer, void *userdata, HttpCall **ret);
HttpCall *http_call_free(HttpCall *c); /* not answered; does nothing in the call's own answer */

/* Somebody waits for it now: before those that are not urgent, if it is still in the queue. */
void http_call_urgent(HttpCall *c);

/* An answer that has no end (server-sent events, long poll): body parts as they come. Not retried; no total deadline,
 * but ended when nothing came for idle_usec. part returns a negative errno to end it. done is called once. */
typedef int (*http_part_t)(const char *data, size_t length, void *userdata);
int http_stream_start(HttpServer *s, const HttpRequest *request, uint64_t idle_usec, http_part_t part,
                      http_answer_t done, void *userdata, HttpCall **ret);

/* "closed", "open until 2026-11-22T14:00:00Z", "half-open": for explain and status. Valid until the next time. */
const char *http_server_breaker(const HttpServer *s);

#endif
