/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "file-io.h"
#include "provider-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* In the place of the real ones: what a file names is always there, and compiling takes no time. */

int file_read_capped(int dir_fd, const char *name, size_t max, bool trusted, char **ret, size_t *ret_length) {
        const char *base = strrchr(name, '/');

        (void) dir_fd, (void) max, (void) ret_length;
        require(trusted && base && strncmp(name, "/folder/", 8) == 0 && base == name + 7 && base[1] != '.');
        *ret = strdup(".");
        return *ret ? 0 : -ENOMEM;
}

int jq_program_new(const char *text, JqProgram **ret, char *ret_why) {
        if (strstr(text, "||")) {
                (void) snprintf(ret_why, JQ_WHY_MAX, "syntax error");
                return -EBADMSG;
        }
        *ret = malloc(1);
        return *ret ? 0 : -ENOMEM;
}

JqProgram *jq_program_free(JqProgram *p) {
        free(p);
        return NULL;
}

/* The names that may stand in q's templates, each with a value: more than that is never filled in. */
static void values_of(const ProviderFile *f, const ProviderRequest *q, TemplateValue *ret) {
        static const char *const captures[] = {"ticket", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
        bool ticket = f->has_pattern && q != f->stream && q != f->create;
        size_t n = 0;

        ret[n++] = (TemplateValue){"host", "db1"};
        for (size_t i = 0; ticket && i < f->pattern.re_nsub; i++)
                ret[n++] = (TemplateValue){captures[i], "x1"};
        for (size_t i = 0; i < f->n_requests && q != &f->requests[i] && ticket; i++)
                for (size_t j = 0; j < f->requests[i].n_values; j++)
                        ret[n++] = (TemplateValue){f->requests[i].values[j].name, "v"};
        ret[n] = (TemplateValue){};
}

static void check_filled(const UrlTemplate *t, const TemplateValue *values) {
        char why[TEMPLATE_WHY_MAX] = "", *filled = NULL;

        require(url_template_fill(t, values, &filled, why) == 0);
        free(filled);
}

static void check_request(const ProviderFile *f, const ProviderRequest *q) {
        TemplateValue values[16 + PROVIDER_REQUESTS_MAX * PROVIDER_VALUES_MAX];
        const char *origin = q->url ? url_template_origin(q->url) : NULL;
        bool writes = q == f->comment || q == f->create;

        require(q->name && q->method && origin && streq(origin, url_template_origin(f->requests[0].url)));
        require(!url_origin_is_plain(origin) || (f->allow_plain && url_origin_is_loopback(origin)));
        require(!q->body || !streq(q->method, "GET"));
        require(!writes || (!q->safe && q->body));
        require((q != f->stream && q != f->create) || q->ticket);
        values_of(f, q, values);
        check_filled(q->url, values);
        for (size_t i = 0; i < q->n_queries; i++) {
                require(*q->queries[i].name && !strpbrk(q->queries[i].name, "&=#?+ {}"));
                check_filled(q->queries[i].value, values);
        }
        for (size_t i = 0; i < q->n_headers; i++) {
                const char *name = q->headers[i].name;
                require(*name && !strpbrk(name, " :\r\n") && strcasecmp(name, "authorization") != 0 &&
                        strcasecmp(name, "host") != 0 && strcasecmp(name, "content-length") != 0 &&
                        strcasecmp(name, "transfer-encoding") != 0 && strcasecmp(name, "connection") != 0);
                check_filled(q->headers[i].value, values);
        }
        for (const unsigned *s = q->null_statuses; s && *s; s++)
                require(*s >= 400 && *s < 500 && *s != 401 && *s != 403 && *s != 429);
}

static void check_file(const ProviderFile *f) {
        require(f->program && f->n_requests >= 1 && f->n_requests <= PROVIDER_REQUESTS_MAX);
        require(f->has_pattern == (f->kind == PROVIDER_FILE_TICKETS));
        require(f->timeout_usec >= USEC_PER_SEC && f->timeout_usec <= 30 * USEC_PER_SEC);
        require(f->cache_usec <= f->recheck_usec || f->kind == PROVIDER_FILE_POLICY);
        require(f->connections_max >= 1 && f->connections_max <= 64 && f->rate_per_sec >= 1 && f->rate_burst >= 1);
        require(!f->context || f->jwks_file || f->unsigned_answers);
        require((f->login == LOGIN_NONE) == !f->credential);
        for (size_t i = 0; i < f->n_requests; i++)
                check_request(f, &f->requests[i]);
        const ProviderRequest *const singles[] = {f->stream, f->comment, f->create};
        for (size_t i = 0; i < ELEMENTSOF(singles); i++)
                if (singles[i])
                        check_request(f, singles[i]);
}

static void check_match(const ProviderFile *f, const char *ticket) {
        char lower[TICKET_ID_MAX + 1];
        ProviderMatch m = {};

        if (provider_file_match(f, ticket, &m) < 0)
                return;
        require(ticket_id_parse(ticket, lower) == 0 && strcasecmp(m.text[0], lower) == 0);
        require(m.n >= 1 && m.n <= PROVIDER_CAPTURES_MAX + 1);
        for (size_t i = 0; i < m.n; i++) {
                require(strlen(m.text[i]) <= TICKET_ID_MAX);
                require(strspn(m.text[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
                        strlen(m.text[i]));
        }
}

/* data: a ticket, a newline, and the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint8_t *newline = memchr(data, '\n', size);
        char why[PROVIDER_WHY_MAX] = "";
        ProviderFile *f = NULL;

        if (!newline)
                return 0;
        char *ticket = strndup((const char *) data, (size_t) (newline - data));
        const char *text = (const char *) newline + 1;
        size_t length = size - (size_t) (newline + 1 - data);

        require(ticket);
        int r = provider_file_parse("/folder", "t", text, length, &f, why);
        if (r == 0) {
                check_file(f);
                check_match(f, ticket);
        } else
                require(r == -EBADMSG && !f && strncmp(why, "/folder/t.conf:", 15) == 0 && strlen(why) > 17);
        provider_file_free(f);
        free(ticket);
        return 0;
}
