/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "url-template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* What must be the same whatever the values are. */
typedef struct Shape {
        char *scheme, *host, *port;
        size_t segments, parameters;
        bool fragment, user;
} Shape;

static size_t count(const char *text, char c) {
        size_t n = 0;

        for (; text && *text; text++)
                n += *text == c;
        return n;
}

static void shape_of(const char *url, Shape *ret) {
        char *path = NULL, *query = NULL, *other = NULL;
        CURLU *u = curl_url();

        require(u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK);
        require(curl_url_get(u, CURLUPART_SCHEME, &ret->scheme, 0) == CURLUE_OK);
        require(curl_url_get(u, CURLUPART_HOST, &ret->host, 0) == CURLUE_OK);
        require(curl_url_get(u, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) == CURLUE_OK);
        require(curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK);
        (void) curl_url_get(u, CURLUPART_QUERY, &query, 0);
        ret->segments = count(path, '/');
        ret->parameters = query ? count(query, '&') + count(query, ';') + 1 : 0;
        ret->fragment = curl_url_get(u, CURLUPART_FRAGMENT, &other, 0) == CURLUE_OK;
        curl_free(other);
        ret->user = curl_url_get(u, CURLUPART_USER, &other, 0) == CURLUE_OK;
        curl_free(ret->user ? other : NULL);
        curl_free(path);
        curl_free(query);
        curl_url_cleanup(u);
}

static void shape_clear(Shape *s) {
        curl_free(s->scheme);
        curl_free(s->host);
        curl_free(s->port);
}

static void check_same_shape(const char *url, const char *plain_url) {
        Shape a = {}, b = {};

        shape_of(url, &a);
        shape_of(plain_url, &b);
        require(streq(a.scheme, b.scheme) && streq(a.host, b.host) && streq(a.port, b.port));
        require(a.segments == b.segments && a.parameters == b.parameters);
        require(!a.fragment && !b.fragment && !a.user && !b.user);
        shape_clear(&a);
        shape_clear(&b);
}

/* libcurl writes an IPv6 address anew only if that makes it shorter. */
static void check_origin(const char *url, const char *origin) {
        char host[64] = "", expected[512];
        struct in6_addr address;
        Shape shape = {};

        shape_of(url, &shape);
        if (shape.host[0] == '[') {
                (void) snprintf(host, sizeof(host), "%.*s", (int) strcspn(shape.host + 1, "]"), shape.host + 1);
                require(inet_pton(AF_INET6, host, &address) == 1 && inet_ntop(AF_INET6, &address, host, sizeof(host)));
                (void) snprintf(expected, sizeof(expected), "%s://[%s]:%s", shape.scheme, host, shape.port);
        } else
                (void) snprintf(expected, sizeof(expected), "%s://%s:%s", shape.scheme, shape.host, shape.port);
        require(strcasecmp(expected, origin) == 0);
        shape_clear(&shape);
}

static void check_filled(TemplateKind kind, const UrlTemplate *t, const char *filled, const char *plain) {
        char url[TEMPLATE_TEXT_MAX * 4 + 64], plain_url[TEMPLATE_TEXT_MAX * 4 + 64];

        if (kind == TEMPLATE_HEADER) {
                for (const char *p = filled; *p; p++)
                        require(*p >= 0x20 && *p < 0x7f);
                return;
        }
        (void) snprintf(url, sizeof(url), "%s%s", kind == TEMPLATE_QUERY ? "https://h.example/p?a=" : "", filled);
        (void) snprintf(plain_url, sizeof(plain_url), "%s%s", kind == TEMPLATE_QUERY ? "https://h.example/p?a=" : "",
                        plain);
        check_same_shape(url, plain_url);
        if (kind == TEMPLATE_URL)
                check_origin(url, url_template_origin(t));
}

/* data: the kind, the template, then values for {a} {1} {b_2}, with 0xff between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const TemplateValue plain[] = {{"a", "x"}, {"1", "x"}, {"b_2", "x"}, {}};
        TemplateValue values[] = {{"a", ""}, {"1", ""}, {"b_2", ""}, {}};
        char why[TEMPLATE_WHY_MAX] = "", *filled = NULL, *plain_filled = NULL;
        UrlTemplate *t = NULL;

        if (size == 0 || data[0] > TEMPLATE_HEADER)
                return 0;
        TemplateKind kind = (TemplateKind) data[0];
        char *text = strndup((const char *) data + 1, size - 1);
        require(text);
        char *part = text;
        for (size_t i = 0; i < 3 && part; i++) {
                part = strchr(part, '\xff');
                if (part) {
                        *part++ = '\0';
                        values[i].value = part;
                }
        }

        if (url_template_parse(kind, text, &t, why) == 0) {
                require(why[0] == '\0');
                int r = url_template_fill(t, values, &filled, why);
                if (r < 0)
                        require(!filled && why[0]);
                else {
                        require(url_template_fill(t, plain, &plain_filled, why) == 0);
                        check_filled(kind, t, filled, plain_filled);
                }
        } else
                require(!t && why[0]);

        free(filled);
        free(plain_filled);
        url_template_free(t);
        free(text);
        return 0;
}
