/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/random.h>

#include "approver.h"
#include "event-stream.h"
#include "log.h"
#include "provider-stream.h"
#include "question-input.h"

#define IDLE_USEC (2 * USEC_PER_MINUTE) /* servers send a comment every 15 to 60 s, lest proxies cut the line */
#define POLL_USEC (100 * USEC_PER_SEC)  /* a held request is answered after 30 to 60 s by what is in use */
#define POLL_PAUSE_USEC USEC_PER_SEC
#define BACKOFF_MIN_USEC USEC_PER_SEC
#define BACKOFF_MAX_USEC (60 * USEC_PER_SEC)
enum { NOTICES_PER_SEC_MAX = 100 };

struct ProviderStream {
        HttpProvider *provider;
        const ProviderFile *file;
        Approver *approver;
        HttpSend *send;
        EventStream *events;    /* of this connection; SSE only */
        sd_event_source *again; /* to connect */
        sd_event_source *flush; /* ends a second with too many events */
        uint64_t asked_usec;    /* when the last request set out, CLOCK_BOOTTIME */
        uint64_t second_usec;   /* when the second began in which n_notices were given */
        unsigned n_notices;
        uint64_t backoff_usec; /* 0: the last connection was good */
        bool lost;             /* there was a time without a connection: anything may have changed in it */
        bool heard;            /* something came on this connection */
        bool complained;       /* of an event that made no sense, on this connection */
};

/* ---- what may have changed ---- */

static void notice_all(ProviderStream *s) {
        http_provider_forget(s->provider, "*");
        approver_changed(s->approver, "*");
}

static int on_flush(sd_event_source *source, uint64_t usec, void *userdata) {
        ProviderStream *s = userdata;

        (void) source, (void) usec;
        s->flush = sd_event_source_disable_unref(s->flush);
        notice_all(s);
        return 0;
}

/* More in a second than can be sensible: the rest of it becomes one "*" at its end. */
static bool notice_allowed(ProviderStream *s) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        int r;

        if (s->flush)
                return false;
        if (now - s->second_usec >= USEC_PER_SEC) {
                s->second_usec = now;
                s->n_notices = 0;
        }
        if (s->n_notices++ < NOTICES_PER_SEC_MAX)
                return true;
        r = sd_event_add_time(s->approver->event, &s->flush, CLOCK_BOOTTIME, s->second_usec + USEC_PER_SEC, 0, on_flush,
                              s);
        return r < 0; /* then the many it is */
}

static void notice(ProviderStream *s, const json_t *name) {
        char ticket[TICKET_ID_MAX + 1];
        ProviderMatch match;

        if (!json_is_string(name) || ticket_id_parse(json_string_value(name), ticket) < 0 ||
            provider_file_match(s->file, ticket, &match) < 0 || !notice_allowed(s))
                return;
        http_provider_forget(s->provider, ticket);
        approver_changed(s->approver, ticket);
}

static void complain(ProviderStream *s, const char *why) {
        if (!s->complained)
                log_warning("%s: an event of its stream is ignored: %s", s->file->name, why);
        s->complained = true;
}

/* Any JSON value is an event; as the one member of a list it can be parsed as an answer is. */
static int event_parse(const char *data, size_t length, json_t **ret, char *ret_why) {
        _cleanup_free_ char *text = malloc(length + 3);
        _cleanup_json_ json_t *list = NULL;
        size_t left = ANSWER_NODES_MAX;
        int r;

        if (!text)
                return -ENOMEM;
        text[0] = '[';
        memcpy(text + 1, data, length);
        text[length + 1] = ']';
        r = answer_parse(text, length + 2, EVENT_TEXT_MAX + 2, &left, &list, ret_why);
        if (r < 0)
                return r;
        if (json_array_size(list) != 1)
                return -EBADMSG;
        *ret = json_incref(json_array_get(list, 0));
        return 0;
}

static void on_event(const char *data, size_t length, void *userdata) {
        _cleanup_json_ json_t *event = NULL, *tickets = NULL;
        char why[SEND_WHY_MAX] = "not one JSON value", jq_why[JQ_WHY_MAX] = "";
        ProviderStream *s = userdata;
        json_t *ticket;
        size_t i;

        if (event_parse(data, length, &event, why) < 0)
                complain(s, why);
        else if (jq_program_run(s->file->stream->ticket, event, 2 * EVENT_TEXT_MAX, &tickets, jq_why) < 0)
                complain(s, jq_why);
        else if (!json_is_array(tickets))
                notice(s, tickets);
        json_array_foreach (tickets, i, ticket) {
                notice(s, ticket);
        }
}

/* ---- the connection ---- */

static void stream_connect(ProviderStream *s);

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        ProviderStream *s = userdata;

        (void) source, (void) usec;
        s->again = sd_event_source_disable_unref(s->again);
        stream_connect(s);
        return 0;
}

static void connect_in(ProviderStream *s, uint64_t usec) {
        int r;

        if (s->again)
                return;
        r = sd_event_add_time_relative(s->approver->event, &s->again, CLOCK_BOOTTIME, usec, USEC_PER_MSEC, on_again, s);
        if (r < 0)
                log_error("%s: its stream is not followed any more: %s", s->file->name, strerror(-r));
}

/* Half of the time and up to as much again: many hosts must not come back all at once. */
static void connect_later(ProviderStream *s) {
        uint64_t b = s->backoff_usec ? 2 * s->backoff_usec : BACKOFF_MIN_USEC, random = 0;

        s->backoff_usec = b > BACKOFF_MAX_USEC ? BACKOFF_MAX_USEC : b;
        (void) !getrandom(&random, sizeof(random), GRND_NONBLOCK); /* without: no jitter */
        connect_in(s, s->backoff_usec / 2 + random % (s->backoff_usec / 2));
}

/* First sign of life of a connection. */
static void stream_heard(ProviderStream *s) {
        if (s->heard)
                return;
        s->heard = true;
        s->backoff_usec = 0;
        if (!s->lost)
                return;
        s->lost = false;
        log_info("%s: its stream is back", s->file->name);
        notice_all(s);
}

static int on_part(const char *data, size_t length, void *userdata) {
        ProviderStream *s = userdata;

        stream_heard(s);
        return event_stream_feed(s->events, data, length);
}

static void stream_ended(ProviderStream *s, const char *why) {
        if (!s->lost)
                log_info("%s: its stream ended, connecting again: %s", s->file->name,
                         why && *why ? why : "the server closed it");
        s->lost = true;
        connect_later(s);
}

static void on_done(const SendAnswer *answer, void *userdata) {
        ProviderStream *s = userdata;
        uint64_t since = now_usec(CLOCK_BOOTTIME) - s->asked_usec;

        s->send = NULL;
        if (s->file->stream_kind != STREAM_POLL || answer->result != PROVIDER_OK) {
                stream_ended(s, answer->why);
                return;
        }
        stream_heard(s);
        if (!answer->null && answer->http->length > EVENT_TEXT_MAX)
                complain(s, "it is longer than 64 KiB");
        else if (!answer->null && answer->http->length > 0)
                on_event(answer->http->body, answer->http->length, s);
        connect_in(s, since < POLL_PAUSE_USEC ? POLL_PAUSE_USEC - since : 0);
}

static int stream_send(ProviderStream *s) {
        bool poll = s->file->stream_kind == STREAM_POLL;
        _cleanup_json_ json_t *input = question_input_new(NULL, s->approver->host_names, NULL);
        TemplateValue texts[INPUT_TEXTS_MAX];
        SendSetup setup = {.event = s->approver->event,
                           .server = http_provider_server(s->provider),
                           .login = http_provider_login(s->provider),
                           .request = s->file->stream,
                           .input = input,
                           .values = texts,
                           .accept = poll ? NULL : "text/event-stream",
                           .deadline_usec = s->asked_usec + (poll ? POLL_USEC : s->file->timeout_usec),
                           .part = poll ? NULL : on_part,
                           .idle_usec = IDLE_USEC};

        if (!input)
                return -ENOMEM;
        question_texts(input, NULL, NULL, NULL, texts);
        return http_send_new(&setup, on_done, s, &s->send);
}

static void stream_connect(ProviderStream *s) {
        int r = 0;

        s->heard = s->complained = false;
        s->events = event_stream_free(s->events);
        s->asked_usec = now_usec(CLOCK_BOOTTIME);
        if (s->file->stream_kind != STREAM_POLL)
                r = event_stream_new(on_event, s, &s->events);
        if (r >= 0)
                r = stream_send(s);
        if (r < 0)
                stream_ended(s, strerror(-r));
}

int provider_stream_new(HttpProvider *p, ProviderStream **ret) {
        ProviderStream *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        *s = (ProviderStream){.provider = p, .file = http_provider_file(p), .approver = http_provider_approver(p)};
        r = sd_event_add_time_relative(s->approver->event, &s->again, CLOCK_BOOTTIME, 0, 0, on_again, s);
        if (r < 0) {
                free(s);
                return r;
        }
        *ret = s;
        return 0;
}

ProviderStream *provider_stream_free(ProviderStream *s) {
        if (!s)
                return NULL;
        http_send_free(s->send);
        event_stream_free(s->events);
        sd_event_source_disable_unref(s->again);
        sd_event_source_disable_unref(s->flush);
        free(s);
        return NULL;
}
