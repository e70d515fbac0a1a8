/* SPDX-License-Identifier: Apache-2.0 */

#include <strings.h>

#include "json.h"
#include "question-trace.h"
#include "ticket.h"

#define MASK "***"
enum { SECRET_MIN = 4 }; /* what is shorter stands in any text by chance */

/* Bytes of the UTF-8 sequence that c begins; 1 for what begins none. */
static size_t sequence_length(unsigned char c) {
        return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
}

/* RFC 3629, section 4: neither longer than need be, nor a surrogate, nor beyond U+10FFFF. n: as sequence_length(). */
static bool is_sequence(const unsigned char *c, size_t n) {
        for (size_t i = 1; i < n; i++)
                if ((c[i] & 0xc0) != 0x80)
                        return false;
        switch (n) {
        case 1:
                return c[0] > 0 && c[0] < 0x80;
        case 2:
                return c[0] >= 0xc2;
        case 3:
                return (c[0] != 0xe0 || c[1] >= 0xa0) && (c[0] != 0xed || c[1] < 0xa0);
        default:
                return c[0] <= 0xf4 && (c[0] != 0xf0 || c[1] >= 0x90) && (c[0] != 0xf4 || c[1] < 0x90);
        }
}

/* Copies one character of text to ret (4 bytes), or '?' for one that must not be shown. Bytes taken. */
static size_t copy_plain(const char *text, size_t length, char *ret, size_t *ret_length) {
        size_t n = sequence_length((unsigned char) text[0]);
        char c[5] = "";

        ret[0] = '?';
        *ret_length = 1;
        if (n > length || !is_sequence((const unsigned char *) text, n))
                return 1;
        memcpy(c, text, n);
        if (!ticket_text_is_plain(c, true))
                return n;
        memcpy(ret, c, n);
        *ret_length = n;
        return n;
}

json_t *trace_text(const char *text, size_t length, size_t max, const char *secret) {
        static const char more[] = "\n[...]";
        size_t s = secret ? strlen(secret) : 0, n = 0, i = 0, taken;
        _cleanup_free_ char *out = malloc(max + sizeof(more) + 8);

        if (!out)
                return NULL;
        while (i < length && n < max) {
                if (s >= SECRET_MIN && length - i >= s && memcmp(text + i, secret, s) == 0) {
                        memset(out + n, '*', strlen(MASK));
                        n += strlen(MASK);
                        i += s;
                        continue;
                }
                i += copy_plain(text + i, length - i, out + n, &taken);
                n += taken;
        }
        if (i < length) {
                memcpy(out + n, more, sizeof(more) - 1);
                n += sizeof(more) - 1;
        }
        return json_stringn(out, n);
}

static json_t *trace_string(const char *text, const char *secret) {
        return text ? trace_text(text, strlen(text), TRACE_TEXT_MAX, secret) : NULL;
}

static json_t *trace_headers(char *const *headers, const char *login) {
        json_t *list = json_array();

        STRV_FOREACH (h, headers) {
                char masked[256];
                bool secret = strncasecmp(*h, "authorization:", strlen("authorization:")) == 0 ||
                              (login && streq(*h, login));
                (void) snprintf(masked, sizeof(masked), "%.*s: " MASK, (int) strcspn(*h, ":") & 0xff, *h);
                (void) json_array_append_new(list, trace_string(secret ? masked : *h, NULL));
        }
        return list;
}

json_t *trace_request(const ProviderRequest *r, const char *url, char *const *headers, const char *login,
                      const char *body) {
        json_t *t = json_object();

        (void) json_set_str(t, "name", r->name);
        (void) json_set_str(t, "method", r->method);
        (void) json_set_opt(t, "url", trace_string(url, NULL));
        (void) json_set_opt(t, "headers", trace_headers(headers, login));
        (void) json_set_opt(t, "body", trace_string(body, NULL));
        return t;
}

void trace_answer(json_t *t, const HttpAnswer *answer, const char *why, const char *secret) {
        if (answer && answer->status)
                (void) json_set_uint(t, "status", answer->status);
        if (answer) {
                (void) json_set_uint(t, "took_usec", answer->took_usec);
                (void) json_set_uint(t, "attempts", answer->attempts);
                if (answer->body)
                        (void) json_set_opt(t, "answer",
                                            trace_text(answer->body, answer->length, TRACE_TEXT_MAX, secret));
        }
        if (why && *why)
                (void) json_set_opt(t, "error", trace_string(why, secret));
}

/* ---- the whole within a message ---- */

static size_t texts_size(const json_t *j) {
        size_t total = 0, i;
        const char *name;
        json_t *value;

        if (json_is_string(j))
                return json_string_length(j);
        json_array_foreach (j, i, value)
                total += texts_size(value);
        json_object_foreach ((json_t *) j, name, value)
                total += texts_size(value);
        return total;
}

static void cut_member(json_t *object, const char *name, size_t max) {
        const json_t *text = json_object_get(object, name);

        if (json_is_string(text) && json_string_length(text) > max)
                (void) json_set_opt(object, name,
                                    trace_text(json_string_value(text), json_string_length(text), max, NULL));
}

static void trace_limit(json_t *trace) {
        json_t *request;
        size_t i;

        for (size_t max = TRACE_TEXT_MAX; max >= 64 && texts_size(trace) > TRACE_TOTAL_MAX; max /= 2) {
                json_array_foreach (json_object_get(trace, "requests"), i, request) {
                        cut_member(request, "answer", max);
                        cut_member(request, "body", max);
                        cut_member(request, "url", max);
                }
                cut_member(trace, "input", max);
                cut_member(trace, "approval", max);
        }
}

static json_t *trace_json(const json_t *j, const char *secret) {
        _cleanup_free_ char *text = json_dumps(j, JSON_INDENT(2) | JSON_ENCODE_ANY);

        return text ? trace_string(text, secret) : NULL;
}

json_t *trace_question(json_t *requests, const json_t *input, json_t *approval, bool as_text, const char *why,
                       const char *secret) {
        json_t *t = json_pack("{s:O}", "requests", requests);

        if (!t)
                return NULL;
        (void) json_set_opt(t, "input", trace_json(input, secret));
        if (!approval)
                (void) json_object_set_new(t, "approval", json_null());
        else
                (void) json_set_opt(t, "approval", as_text ? trace_json(approval, secret) : json_incref(approval));
        if (why && *why)
                (void) json_set_opt(t, "error", trace_string(why, secret));
        trace_limit(t);
        return t;
}
