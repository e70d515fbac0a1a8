/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_HTTP_CLIENT_INTERNAL_H
#define JIT_HTTP_CLIENT_INTERNAL_H

/* Shared by the http-*.c files of the client alone.
 *
 *   http-client.c    what all servers share; hands answers over
 *   http-server.c    queue, rate, breaker: which call may go out now
 *   http-multi.c     libcurl's sockets and timers on the event loop
 *   http-call.c      a call's life: start, retry, redirect, end
 *   http-transfer.c  one attempt: a libcurl easy handle, its options, what came back
 *
 * MUST: no function of a user is called while libcurl is on the stack, or from a function that the user called (but
 * http_server_free()); what is to be said waits in the client's lists. */

#include <curl/curl.h>
#include <sys/queue.h>

#include "http-client.h"
#include "http-limit.h"
#include "timefmt.h"

enum {
        HTTP_ATTEMPTS_MAX = 3, /* one and two retries */
        HTTP_URL_MAX = 16 * 1024,
        HTTP_IDLE_EASY_MAX = 32,                /* easy handles that wait for the next call */
        HTTP_STREAMS_PER_CONNECTION = 100,      /* libcurl's default of CURLMOPT_MAX_CONCURRENT_STREAMS(3) */
        HTTP_STREAM_PART_MAX = 4 * 1024 * 1024, /* what libcurl may read of a stream before we hand it on */
        HTTP_ARRIVING_MAX = 16 * 1024 * 1024,   /* of all answers of a server that are not complete */
};
#define HTTP_BACKOFF_USEC (200 * USEC_PER_MSEC)

TAILQ_HEAD(HttpCallList, HttpCall);
typedef struct HttpCallList HttpCallList;

typedef struct HttpBuffer {
        char *data; /* NUL behind it; NULL: nothing yet */
        size_t length, size;
} HttpBuffer;
/* -EMSGSIZE: would be longer than max; -ENOMEM. */
int buffer_append(HttpBuffer *b, const void *data, size_t length, size_t max);
void buffer_erase(HttpBuffer *b);

typedef struct Delivery {
        HttpCall *call; /* NULL: was freed by its callback */
        struct Delivery *outer;
} Delivery;

struct HttpClient {
        sd_event *event;
        sd_event_source *deliver; /* enabled when there is something to hand over */
        HttpBucket rate;
        HttpCallList ready; /* ended */
        HttpCallList parts; /* streams with data that was not handed over */
        Delivery *delivery; /* whose callbacks run, the innermost first */
        bool dispatching;   /* an event of ours is being worked on: hands over at its end */
        unsigned n_servers;
};

typedef enum HttpQueue { QUEUE_STREAM, QUEUE_URGENT, QUEUE_NORMAL, _QUEUE_MAX } HttpQueue;

struct HttpServer {
        HttpClient *client;
        char *name, *ca_file, *pinned_key, *client_cert, *client_key, *proxy;
        unsigned connections_max, queue_max;
        bool allow_plain;
        CURLM *multi;            /* of its own: connections are kept for nobody else, with this trust */
        sd_event_source *timer;  /* libcurl's */
        sd_event_source *soon;   /* libcurl's timer when it asks for no delay */
        sd_event_source *refill; /* when there will be a token */
        HttpBucket rate;
        HttpBreaker breaker;
        HttpCallList queues[_QUEUE_MAX];
        HttpCallList running;
        HttpCallList backoff;
        unsigned n_calls;   /* in all these lists, but streams */
        unsigned n_running; /* but streams */
        size_t arriving;    /* bytes that came for them */
        bool multiplexed;   /* the last answer came by HTTP/2 */
        bool closing;
        CURL *idle[HTTP_IDLE_EASY_MAX];
        size_t n_idle;
        char breaker_text[64];
};

struct HttpCall {
        TAILQ_ENTRY(HttpCall) entry, part_entry;
        HttpCallList *list; /* that it is on; NULL: none */
        HttpClient *client;
        HttpServer *server; /* NULL: is gone, or does not know this call any more */
        const char *method; /* static */
        char *url;
        struct curl_slist *headers;
        char *body;
        size_t body_length;
        uint64_t deadline_usec, started_usec;
        size_t answer_max;
        bool safe, urgent, plain;
        http_answer_t answer;
        void *userdata;
        sd_event_source *timer; /* deadline; end of the pause before a retry; a stream's silence */

        http_part_t part; /* streams only */
        uint64_t idle_usec, heard_usec;
        bool has_part, heard; /* data waits to be handed over; the server has accepted the stream */

        CURL *easy; /* of the attempt that runs */
        char error[CURL_ERROR_SIZE];
        HttpBuffer answer_body;
        size_t headers_length;
        bool too_long, crowded, no_memory, probe, answered;
        long retry_after_sec; /* 0: not said */
        char *redirect;       /* where to, or NULL */

        ProviderResult result;
        unsigned status, attempts, redirects;
        bool sent;
        char *content_type;
        char why[HTTP_WHY_MAX];
};

/* http-client.c */
void client_enter(HttpClient *c); /* around the work on every event, so that answers are handed over at its end */
void client_leave(HttpClient *c);
void client_wake(HttpClient *c);
void client_answer(HttpClient *c, HttpCall *call); /* hands one over now, and frees it */

/* http-server.c */
void server_enqueue(HttpServer *s, HttpCall *c, bool first);
void server_pump(HttpServer *s); /* starts what may start */
void server_heard(HttpServer *s, HttpCall *c, bool good);

/* http-multi.c */
int multi_new(HttpServer *s);
void multi_free(HttpServer *s);

/* http-call.c */
void call_move(HttpCall *c, HttpCallList *to); /* NULL: to none */
void call_end(HttpCall *c, ProviderResult result, const char *format, ...) __attribute__((format(printf, 3, 4)));
void call_transferred(HttpCall *c, CURLcode code); /* an attempt is over */
void call_drop_part(HttpCall *c);                  /* what came of a stream and was not handed over */
HttpCall *call_destroy(HttpCall *c);

/* http-transfer.c */
int transfer_start(HttpCall *c);   /* -ENOMEM */
void transfer_finish(HttpCall *c); /* keeps what came, gives the easy handle back */
void transfer_abort(HttpCall *c);
/* What a complete transfer comes to. */
ProviderResult transfer_judge(HttpCall *c, CURLcode code);

/* http-url.c */
/* -EINVAL: not one that we may ask; ret_plain: http. */
int http_url_check(const char *url, bool allow_plain, bool *ret_plain);
bool http_url_same_origin(const char *a, const char *b);

#endif
