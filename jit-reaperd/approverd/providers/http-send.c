/* SPDX-License-Identifier: Apache-2.0 */

#include <strings.h>

#include "http-send.h"
#include "json.h"
#include "question-trace.h"

enum { NAME_MAX_BYTES = 200 }; /* of a query's or header's name: a line of the file is no longer */

struct HttpSend {
        HttpServer *server;
        HttpLogin *login;
        const ProviderRequest *request;
        char *url, **headers, *body; /* as filled; headers without the login's */
        size_t body_length;
        uint64_t deadline_usec;
        bool urgent, again; /* again: after a 401 */
        bool in_login;
        uint64_t login_usec; /* when the login header was handed out, CLOCK_BOOTTIME */
        HttpCall *call;
        sd_event_source *defer; /* answers what failed before there was a call */
        ProviderResult failed;
        char why[SEND_WHY_MAX];
        json_t *trace;
        char *secret; /* with trace only: the login header's value, to be masked wherever it comes back */
        http_part_t part;
        uint64_t idle_usec;
        send_done_t done;
        void *userdata;
};

/* ---- filling ---- */

static int write_url(FILE *f, const ProviderRequest *r, const TemplateValue *values, char *why) {
        _cleanup_free_ char *url = NULL;
        int k = url_template_fill(r->url, values, &url, why);

        if (k < 0)
                return k;
        (void) fputs(url, f);
        for (size_t i = 0; i < r->n_queries; i++) {
                _cleanup_free_ char *value = NULL;
                if ((k = url_template_fill(r->queries[i].value, values, &value, why)) < 0)
                        return k;
                (void) fprintf(f, "%c%s=%s", i > 0 || strchr(url, '?') ? '&' : '?', r->queries[i].name, value);
        }
        return 0;
}

static int fill_url(HttpSend *s, const TemplateValue *values, char *why) {
        size_t length = 0;
        FILE *f = open_memstream(&s->url, &length);
        int r;

        if (!f)
                return -ENOMEM;
        r = write_url(f, s->request, values, why);
        return fclose(f) != 0 && r >= 0 ? -ENOMEM : r;
}

static bool has_header(const ProviderRequest *r, const char *name) {
        for (size_t i = 0; i < r->n_headers; i++)
                if (strcasecmp(r->headers[i].name, name) == 0)
                        return true;
        return false;
}

static int add_header(char ***headers, const char *name, const char *value) {
        _cleanup_free_ char *line = NULL;

        if (asprintf(&line, "%.*s: %s", NAME_MAX_BYTES, name, value) < 0) {
                line = NULL;
                return -ENOMEM;
        }
        return strv_extend(headers, line);
}

static int fill_headers(HttpSend *s, const SendSetup *setup, char *why) {
        const ProviderRequest *r = s->request;
        int k;

        for (size_t i = 0; i < r->n_headers; i++) {
                _cleanup_free_ char *value = NULL;
                if ((k = url_template_fill(r->headers[i].value, setup->values, &value, why)) < 0 ||
                    (k = add_header(&s->headers, r->headers[i].name, value)) < 0)
                        return k;
        }
        if (!has_header(r, "Accept") &&
            (k = add_header(&s->headers, "Accept", setup->accept ? setup->accept : "application/json")) < 0)
                return k;
        return 0;
}

static int fill_body(HttpSend *s, const json_t *input, char *ret_why) {
        _cleanup_json_ json_t *output = NULL;
        char why[JQ_WHY_MAX] = "";
        int r;

        if (!s->request->body)
                return 0;
        r = jq_program_run(s->request->body, input, 2 * JQ_OUTPUT_MAX, &output, why);
        if (r == -EBADMSG)
                (void) snprintf(ret_why, SEND_WHY_MAX, "the program of Body= of request %s %.400s", s->request->name,
                                why);
        if (r < 0)
                return r;
        if (!(s->body = json_dumps(output, JSON_COMPACT | JSON_ENCODE_ANY)))
                return -ENOMEM;
        s->body_length = strlen(s->body);
        if (s->body_length <= SEND_BODY_MAX)
                return 0;
        (void) snprintf(ret_why, SEND_WHY_MAX, "Body= of request %s made more than %d bytes", s->request->name,
                        SEND_BODY_MAX);
        return -EBADMSG;
}

/* Anything but -ENOMEM is the values' fault, and in s->why. */
static int send_fill(HttpSend *s, const SendSetup *setup) {
        char why[TEMPLATE_WHY_MAX] = "";
        int r;

        if ((r = fill_url(s, setup->values, why)) >= 0 && (r = fill_headers(s, setup, why)) >= 0)
                return fill_body(s, setup->input, s->why);
        if (r != -ENOMEM)
                (void) snprintf(s->why, sizeof(s->why), "request %s cannot be made: %s", s->request->name,
                                *why ? why : strerror(-r));
        return r;
}

/* ---- its way ---- */

static void erase(char *text) {
        if (text)
                explicit_bzero(text, strlen(text));
        free(text);
}

static HttpSend *send_destroy(HttpSend *s) {
        sd_event_source_disable_unref(s->defer);
        free(s->url);
        strv_free(s->headers);
        free(s->body);
        erase(s->secret);
        json_decref(s->trace);
        free(s);
        return NULL;
}

HttpSend *http_send_free(HttpSend *s) {
        if (!s)
                return NULL;
        s->call = http_call_free(s->call);
        if (s->in_login)
                http_login_cancel(s->login, s);
        return send_destroy(s);
}

static void send_finish(HttpSend *s, const SendAnswer *answer) {
        SendAnswer a = *answer;

        if (s->trace)
                trace_answer(s->trace, a.http, a.why, s->secret);
        a.trace = s->trace;
        a.secret = s->secret;
        s->done(&a, s->userdata);
        (void) send_destroy(s);
}

static int on_defer(sd_event_source *source, void *userdata) {
        HttpSend *s = userdata;

        (void) source;
        send_finish(s, &(SendAnswer){.result = s->failed, .why = s->why});
        return 0;
}

/* why may be s->why itself, or NULL. */
static void send_fail(HttpSend *s, ProviderResult result, const char *why) {
        s->failed = result;
        if (why != s->why)
                (void) snprintf(s->why, sizeof(s->why), "request %s: %.400s", s->request->name,
                                why ? why : "the login failed");
        (void) sd_event_source_set_enabled(s->defer, SD_EVENT_ONESHOT);
}

static bool is_null_status(const ProviderRequest *r, unsigned status) {
        for (const unsigned *p = r->null_statuses; p && *p; p++)
                if (*p == status)
                        return true;
        return false;
}

/* By status; 401 never counts as null, lest a lost login looks like a ticket that is not there. */
static void send_judge(HttpSend *s, const HttpAnswer *http) {
        SendAnswer a = {.result = http->result, .http = http, .why = s->why};

        if (http->status && http->status != 401 && is_null_status(s->request, http->status)) {
                a.result = PROVIDER_OK;
                a.null = true;
                (void) snprintf(s->why, sizeof(s->why), "request %s: status %u", s->request->name, http->status);
        } else if (http->result != PROVIDER_OK)
                (void) snprintf(s->why, sizeof(s->why), "request %s: %.400s", s->request->name,
                                http->why ? http->why : "failed");
        else if (http->status < 200 || http->status > 299) {
                a.result = PROVIDER_ANSWER;
                (void) snprintf(s->why, sizeof(s->why), "request %s: status %u", s->request->name, http->status);
        }
        send_finish(s, &a);
}

static void on_login(ProviderResult result, const char *header, const char *why, void *userdata);

static void send_log_in(HttpSend *s) {
        if (!s->login) {
                on_login(PROVIDER_OK, NULL, NULL, s);
                return;
        }
        s->in_login = true;
        http_login_header(s->login, s->deadline_usec, on_login, s);
}

static void on_answer(const HttpAnswer *answer, void *userdata) {
        HttpSend *s = userdata;

        s->call = NULL;
        if (answer->status == 401 && !s->again && s->login && http_login_forget(s->login, s->login_usec)) {
                s->again = true;
                send_log_in(s);
                return;
        }
        send_judge(s, answer);
}

static int on_part(const char *data, size_t length, void *userdata) {
        const HttpSend *s = userdata;

        return s->part(data, length, s->userdata);
}

static void send_trace(HttpSend *s, char *const *headers, const char *login) {
        const char *value = login ? strchr(login, ':') : NULL;

        erase(take_ptr(s->secret));
        json_decref(s->trace);
        s->trace = trace_request(s->request, s->url, headers, login, s->body);
        if (!value)
                return;
        value += 1 + strspn(value + 1, " ");
        if (strchr(value, ' ')) /* behind the scheme */
                value = strchr(value, ' ') + 1;
        s->secret = strdup(value);
}

static int send_start(HttpSend *s, const char *login) {
        _cleanup_strv_ char **headers = NULL;
        HttpRequest request = {.method = s->request->method,
                               .url = s->url,
                               .body = s->body,
                               .body_length = s->body_length,
                               .deadline_usec = s->deadline_usec,
                               .safe = s->request->safe,
                               .urgent = s->urgent};
        int r = 0;

        STRV_FOREACH (h, s->headers)
                if ((r = strv_extend(&headers, *h)) < 0)
                        return r;
        if (login && (r = strv_extend(&headers, login)) < 0)
                return r;
        request.headers = headers;
        if (s->trace)
                send_trace(s, headers, login);
        r = s->part ? http_stream_start(s->server, &request, s->idle_usec, on_part, on_answer, s, &s->call)
                    : http_call_start(s->server, &request, on_answer, s, &s->call);
        STRV_FOREACH (h, headers)
                explicit_bzero(*h, strlen(*h));
        return r;
}

static void on_login(ProviderResult result, const char *header, const char *why, void *userdata) {
        HttpSend *s = userdata;
        int r;

        s->in_login = false;
        s->login_usec = now_usec(CLOCK_BOOTTIME);
        if (result != PROVIDER_OK) {
                send_fail(s, result, why);
                return;
        }
        r = send_start(s, header);
        if (r < 0)
                send_fail(s, r == -ENOMEM ? PROVIDER_NO_MEMORY : PROVIDER_UNREACHABLE, strerror(-r));
}

int http_send_new(const SendSetup *setup, send_done_t done, void *userdata, HttpSend **ret) {
        JIT_CLEANUP(http_send_freep) HttpSend *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        *s = (HttpSend){.server = setup->server,
                        .login = setup->login,
                        .request = setup->request,
                        .deadline_usec = setup->deadline_usec,
                        .urgent = setup->urgent,
                        .part = setup->part,
                        .idle_usec = setup->idle_usec,
                        .userdata = userdata};
        if ((r = sd_event_add_defer(setup->event, &s->defer, on_defer, s)) < 0 ||
            (r = sd_event_source_set_enabled(s->defer, SD_EVENT_OFF)) < 0)
                return r;
        r = send_fill(s, setup);
        if (r == -ENOMEM)
                return r;
        s->done = done;
        *ret = s;
        if (setup->trace)
                s->trace = trace_request(s->request, s->url, s->headers, NULL, s->body);
        if (r < 0)
                send_fail(s, PROVIDER_INVALID, s->why);
        else
                send_log_in(s);
        (void) take_ptr(s);
        return 0;
}

void http_send_urgent(HttpSend *s) {
        s->urgent = true;
        if (s->call)
                http_call_urgent(s->call);
}

/* ---- what came ---- */

/* Before jansson makes objects of it: each value takes about a hundred times the byte that "," or "[" is. At least so
 * many values there are, or the text is no JSON. */
static size_t count_values(const char *text, size_t length) {
        size_t n = 1;
        bool in_string = false;

        for (size_t i = 0; i < length; i++) {
                char c = text[i];
                if (in_string) {
                        if (c == '\\')
                                i++;
                        else if (c == '"')
                                in_string = false;
                } else if (c == '"')
                        in_string = true;
                else if (c == ',' || c == '[' || c == '{')
                        n++;
        }
        return n;
}

/* An array is parsed as the one member of an object, since only objects are messages to json_parse_strict(). */
static int parse_array(const char *text, size_t length, size_t max, json_t **ret, char *why) {
        static const char before[] = "{\"a\":";
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *wrapped = malloc(sizeof(before) + length + 1);
        size_t n = sizeof(before) - 1;
        json_t *array;
        int r;

        if (!wrapped)
                return -ENOMEM;
        memcpy(wrapped, before, n);
        memcpy(wrapped + n, text, length);
        wrapped[n + length] = '}';
        r = json_parse_strict(wrapped, n + length + 1, max + n + 1, &object, why);
        if (r < 0)
                return r;
        array = json_object_get(object, "a");
        if (json_object_size(object) != 1 || !json_is_array(array))
                return -EBADMSG;
        *ret = json_incref(array);
        return 0;
}

int answer_parse(const char *text, size_t length, size_t max, size_t *values_left, json_t **ret, char *ret_why) {
        char why[JSON_WHY_MAX] = "not one JSON value";
        const char *first = text;
        size_t n;
        int r;

        while (first < text + length && strchr(" \t\r\n", *first) && *first)
                first++;
        if (length > max) {
                (void) snprintf(ret_why, SEND_WHY_MAX, "longer than is allowed");
                return -EBADMSG;
        }
        n = count_values(text, length);
        if (n > *values_left) {
                (void) snprintf(ret_why, SEND_WHY_MAX, "too many JSON values");
                return -EBADMSG;
        }
        *values_left -= n;
        r = first < text + length && *first == '[' ? parse_array(text, length, max, ret, why)
                                                   : json_parse_strict(text, length, max, ret, why);
        if (r >= 0 || r == -ENOMEM)
                return r;
        (void) snprintf(ret_why, SEND_WHY_MAX, "not the JSON it should be: %s", why);
        return -EBADMSG;
}
