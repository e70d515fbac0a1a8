/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>

#include "http-client-internal.h"

typedef struct Url {
        CURLU *handle;
        char *scheme, *host, *port, *user, *password;
} Url;

static void url_clear(Url *u) {
        curl_free(u->scheme);
        curl_free(u->host);
        curl_free(u->port);
        curl_free(u->user);
        curl_free(u->password);
        curl_url_cleanup(u->handle);
}

static int url_parse(const char *text, Url *u) {
        if (!(u->handle = curl_url()))
                return -ENOMEM;
        if (curl_url_set(u->handle, CURLUPART_URL, text, 0) != CURLUE_OK ||
            curl_url_get(u->handle, CURLUPART_SCHEME, &u->scheme, 0) != CURLUE_OK ||
            curl_url_get(u->handle, CURLUPART_HOST, &u->host, 0) != CURLUE_OK ||
            curl_url_get(u->handle, CURLUPART_PORT, &u->port, CURLU_DEFAULT_PORT) != CURLUE_OK)
                return -EINVAL;
        /* A login belongs into a header, from a credential; in a URL it would be shown with it. */
        if (curl_url_get(u->handle, CURLUPART_USER, &u->user, 0) != CURLUE_NO_USER ||
            curl_url_get(u->handle, CURLUPART_PASSWORD, &u->password, 0) != CURLUE_NO_PASSWORD)
                return -EINVAL;
        return 0;
}

static bool is_loopback(const char *host) {
        return strcasecmp(host, "localhost") == 0 || streq(host, "127.0.0.1") || streq(host, "[::1]");
}

int http_url_check(const char *text, bool allow_plain, bool *ret_plain) {
        JIT_CLEANUP(url_clear) Url u = {0};
        bool plain;
        int r;

        if (strlen(text) > HTTP_URL_MAX)
                return -EINVAL;
        for (const char *p = text; *p; p++)
                if (!isgraph((unsigned char) *p))
                        return -EINVAL;
        if ((r = url_parse(text, &u)) < 0)
                return r;
        plain = streq(u.scheme, "http");
        if (!plain && !streq(u.scheme, "https"))
                return -EINVAL;
        if (plain && !(allow_plain && is_loopback(u.host)))
                return -EINVAL;
        *ret_plain = plain;
        return 0;
}

bool http_url_same_origin(const char *a, const char *b) {
        JIT_CLEANUP(url_clear) Url x = {0};
        JIT_CLEANUP(url_clear) Url y = {0};

        return url_parse(a, &x) >= 0 && url_parse(b, &y) >= 0 && streq(x.scheme, y.scheme) &&
               strcasecmp(x.host, y.host) == 0 && streq(x.port, y.port);
}
