/* SPDX-License-Identifier: Apache-2.0 */

/* One attempt: an easy handle with what libcurl may and may not do. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "http-client-internal.h"

int buffer_append(HttpBuffer *b, const void *data, size_t length, size_t max) {
        if (length > max || b->length > max - length)
                return -EMSGSIZE;
        if (b->length + length >= b->size) {
                size_t size = b->size ? b->size * 2 : 4096;
                char *bigger;

                while (size <= b->length + length)
                        size *= 2;
                /* Not realloc(3): it would leave a copy behind that nobody erases. */
                if (!(bigger = malloc(size)))
                        return -ENOMEM;
                if (b->data) {
                        memcpy(bigger, b->data, b->length);
                        explicit_bzero(b->data, b->length);
                        free(b->data);
                }
                b->data = bigger;
                b->size = size;
        }
        memcpy(b->data + b->length, data, length);
        b->length += length;
        b->data[b->length] = '\0';
        return 0;
}

void buffer_erase(HttpBuffer *b) {
        if (b->data)
                explicit_bzero(b->data, b->length);
        free(b->data);
        *b = (HttpBuffer){0};
}

/* ---- what libcurl calls while it works ---- */

static bool is_stream_part(HttpCall *c) {
        long status = 0;

        return c->part && curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status / 100 == 2;
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        HttpCall *c = userdata;

        /* A stream may have no end: that the server is there is known at the empty line behind its headers. */
        if (!c->heard && size * n == 2 && data[0] == '\r' && is_stream_part(c)) {
                c->heard = true;
                server_heard(c->server, c, true);
        }
        if ((c->headers_length += size * n) <= HTTP_HEADERS_MAX)
                return size * n;
        c->too_long = true;
        return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        HttpCall *c = userdata;
        bool part = is_stream_part(c);
        int r;

        /* HTTP/2 has a hundred answers on one connection: hundreds of long ones would not fit into memory. */
        c->crowded = !part && c->server->arriving + size * n > HTTP_ARRIVING_MAX;
        r = c->crowded ? -EMSGSIZE
                       : buffer_append(&c->answer_body, data, size * n, part ? HTTP_STREAM_PART_MAX : c->answer_max);
        if (r < 0) {
                c->too_long = r == -EMSGSIZE;
                c->no_memory = r == -ENOMEM;
                return size * n + 1; /* anything but what came: CURLE_WRITE_ERROR */
        }
        if (!c->part)
                c->server->arriving += size * n;
        c->heard_usec = now_usec(CLOCK_BOOTTIME);
        if (part && !c->has_part && size * n > 0) {
                c->has_part = true;
                TAILQ_INSERT_TAIL(&c->client->parts, c, part_entry);
        }
        return size * n;
}

/* CURLOPT_PREREQFUNCTION(3): the connection is there, the request is written next. */
static int on_prereq(void *userdata, char *to, char *from, int to_port, int from_port) {
        HttpCall *c = userdata;

        (void) to, (void) from, (void) to_port, (void) from_port;
        c->sent = true;
        return CURL_PREREQFUNC_OK;
}

static bool is_loopback(const struct curl_sockaddr *a) {
        if (a->family == AF_INET) {
                struct sockaddr_in in;

                memcpy(&in, &a->addr, sizeof(in));
                return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        }
        if (a->family == AF_INET6 && a->addrlen >= sizeof(struct sockaddr_in6)) {
                struct sockaddr_in6 in6;

                memcpy(&in6, (const void *) &a->addr, sizeof(in6));
                return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
        }
        return false;
}

/* libcurl's own sockets would live on in the processes that we start. What is not encrypted stays on this host,
 * whatever a name means. */
static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *a) {
        const HttpCall *c = userdata;

        (void) purpose;
        if (c->plain && !is_loopback(a)) {
                errno = EPERM;
                return CURL_SOCKET_BAD;
        }
        return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ---- options ---- */

#define SET(easy, option, value) (curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static bool set_trust(CURL *e, const HttpServer *s) {
        if (!SET(e, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2) || !SET(e, CURLOPT_SSL_VERIFYPEER, 1L) ||
            !SET(e, CURLOPT_SSL_VERIFYHOST, 2L))
                return false;
        /* The folder is another store that libcurl would look into as well. */
        if (s->ca_file && (!SET(e, CURLOPT_CAINFO, s->ca_file) || !SET(e, CURLOPT_CAPATH, NULL)))
                return false;
        if (s->pinned_key && !SET(e, CURLOPT_PINNEDPUBLICKEY, s->pinned_key))
                return false;
        if (s->client_cert && !SET(e, CURLOPT_SSLCERT, s->client_cert))
                return false;
        /* An encrypted key fails with the empty pass phrase; without one OpenSSL would ask the terminal. */
        return !s->client_key || (SET(e, CURLOPT_SSLKEY, s->client_key) && SET(e, CURLOPT_KEYPASSWD, ""));
}

static bool set_limits(CURL *e, const HttpServer *s) {
        return SET(e, CURLOPT_PROTOCOLS_STR, s->allow_plain ? "https,http" : "https") && SET(e, CURLOPT_NOSIGNAL, 1L) &&
               SET(e, CURLOPT_QUICK_EXIT, 1L) && /* waits for no resolver thread */
               SET(e, CURLOPT_FOLLOWLOCATION, 0L) && SET(e, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED) &&
               SET(e, CURLOPT_HTTP_CONTENT_DECODING, 0L) && SET(e, CURLOPT_NOPROXY, "") &&
               SET(e, CURLOPT_PROXY, s->proxy ?: "") && /* "": none, and the environment is not asked */
               SET(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && SET(e, CURLOPT_HEADEROPT, (long) CURLHEADER_SEPARATE) &&
               SET(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS) && SET(e, CURLOPT_PIPEWAIT, 1L) &&
               SET(e, CURLOPT_TCP_KEEPALIVE, 1L) && SET(e, CURLOPT_USERAGENT, "pam_jit/" JIT_VERSION);
}

static bool set_callbacks(CURL *e) {
        return SET(e, CURLOPT_HEADERFUNCTION, on_header) && SET(e, CURLOPT_WRITEFUNCTION, on_body) &&
               SET(e, CURLOPT_PREREQFUNCTION, on_prereq) && SET(e, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
}

static CURL *easy_get(HttpServer *s) {
        CURL *e;

        if (s->n_idle > 0)
                return s->idle[--s->n_idle];
        e = curl_easy_init();
        if (e && set_trust(e, s) && set_limits(e, s) && set_callbacks(e))
                return e;
        curl_easy_cleanup(e);
        return NULL;
}

static bool set_method(CURL *e, const HttpCall *c) {
        bool get = streq(c->method, "GET");

        if (!SET(e, CURLOPT_CUSTOMREQUEST, get || streq(c->method, "POST") ? NULL : c->method))
                return false;
        if (get)
                return SET(e, CURLOPT_POSTFIELDS, NULL) && SET(e, CURLOPT_HTTPGET, 1L);
        return SET(e, CURLOPT_POST, 1L) && SET(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) c->body_length) &&
               SET(e, CURLOPT_POSTFIELDS, c->body ?: "");
}

static bool set_call(CURL *e, HttpCall *c) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);
        uint64_t left_ms = c->deadline_usec > now ? (c->deadline_usec - now) / USEC_PER_MSEC : 0;

        return set_method(e, c) && SET(e, CURLOPT_URL, c->url) && SET(e, CURLOPT_HTTPHEADER, c->headers) &&
               SET(e, CURLOPT_PRIVATE, c) && SET(e, CURLOPT_HEADERDATA, c) && SET(e, CURLOPT_WRITEDATA, c) &&
               SET(e, CURLOPT_PREREQDATA, c) && SET(e, CURLOPT_OPENSOCKETDATA, c) &&
               SET(e, CURLOPT_ERRORBUFFER, c->error) &&
               /* Half of what is left: so another try, or the name's next address, has time as well. */
               SET(e, CURLOPT_CONNECTTIMEOUT_MS, (long) (left_ms / 2 + 1)) &&
               /* libcurl repeats by itself what a kept connection did not answer, a POST too (lib/transfer.c,
                * Curl_retry_request). What must not be sent twice gets a connection of its own. */
               SET(e, CURLOPT_FRESH_CONNECT, (long) !c->safe);
}

/* ---- begin and end ---- */

int transfer_start(HttpCall *c) {
        HttpServer *s = c->server;

        c->error[0] = '\0';
        c->headers_length = 0;
        c->too_long = c->crowded = c->no_memory = false;
        c->heard_usec = now_usec(CLOCK_BOOTTIME);
        buffer_erase(&c->answer_body);
        if (!(c->easy = easy_get(s)))
                return -ENOMEM;
        if (!set_call(c->easy, c) || curl_multi_add_handle(s->multi, c->easy) != CURLM_OK) {
                curl_easy_cleanup(take_ptr(c->easy));
                return -ENOMEM;
        }
        c->attempts++;
        s->n_running += !c->part;
        call_move(c, &s->running);
        return 0;
}

static void transfer_release(HttpCall *c) {
        HttpServer *s = c->server;
        CURL *e = take_ptr(c->easy);

        (void) curl_multi_remove_handle(s->multi, e); /* fails for a handle that is not in it only */
        s->n_running -= !c->part;
        if (!c->part)
                s->arriving -= c->answer_body.length;
        (void) (SET(e, CURLOPT_ERRORBUFFER, NULL) && SET(e, CURLOPT_HTTPHEADER, NULL) &&
                SET(e, CURLOPT_POSTFIELDS, NULL) && SET(e, CURLOPT_PRIVATE, NULL)); /* they point into the call */
        if (s->n_idle < HTTP_IDLE_EASY_MAX)
                s->idle[s->n_idle++] = e;
        else
                curl_easy_cleanup(e);
}

void transfer_finish(HttpCall *c) {
        long status = 0, version = 0;
        curl_off_t after = 0;
        char *to = NULL, *type = NULL;

        (void) curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
        (void) curl_easy_getinfo(c->easy, CURLINFO_HTTP_VERSION, &version);
        (void) curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &after);
        (void) curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to);
        (void) curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
        c->status = status > 0 && status < 1000 ? (unsigned) status : 0;
        c->retry_after_sec = after > 0 && after < 86400 ? (long) after : 0;
        free(c->redirect);
        c->redirect = to ? strdup(to) : NULL; /* no memory: a redirect that leads nowhere */
        free(c->content_type);
        c->content_type = type ? strdup(type) : NULL;
        if (c->status)
                c->server->multiplexed = version == CURL_HTTP_VERSION_2_0;
        transfer_release(c);
}

void transfer_abort(HttpCall *c) {
        c->status = 0;
        transfer_release(c);
}

/* ---- what it comes to ---- */

/* CURLE_TOO_LARGE, from libcurl 8.6 on; before that it said CURLE_OUT_OF_MEMORY (lib/dynbuf.c). A header of more than
 * 100 KiB. */
enum { TRANSFER_TOO_LARGE = 100 };

static ProviderResult judge_error(HttpCall *c, CURLcode code) {
        if ((int) code == TRANSFER_TOO_LARGE)
                return PROVIDER_ANSWER;
        switch (code) {
        case CURLE_WRITE_ERROR:
                if (c->no_memory)
                        return PROVIDER_NO_MEMORY;
                (void) snprintf(c->error, sizeof(c->error), "%s",
                                c->crowded ? "too many long answers at a time" : "the answer is longer than allowed");
                return c->crowded ? PROVIDER_LIMIT : PROVIDER_ANSWER;
        case CURLE_SSL_CONNECT_ERROR:
                /* "OpenSSL SSL_connect: Connection reset by peer in connection to ...": the network's error, no TLS
                 * alert (lib/vtls/openssl.c, ossl_connect_step2()). */
                return strstr(c->error, "SSL_connect:") ? PROVIDER_UNREACHABLE : PROVIDER_TLS;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_CLIENTCERT:
        case CURLE_SSL_ENGINE_INITFAILED:
        case CURLE_USE_SSL_FAILED:
                return PROVIDER_TLS;
        case CURLE_OUT_OF_MEMORY:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL: /* not HTTP at all */
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_URL_MALFORMAT:
                return PROVIDER_ANSWER;
        default:
                return PROVIDER_UNREACHABLE;
        }
}

static ProviderResult judge_status(unsigned status) {
        if (status == 401 || status == 403)
                return PROVIDER_LOGIN;
        if (status == 429)
                return PROVIDER_LIMIT;
        if (status >= 200 && status < 500)
                return PROVIDER_OK;
        return status >= 500 && status < 600 ? PROVIDER_UNREACHABLE : PROVIDER_ANSWER;
}

ProviderResult transfer_judge(HttpCall *c, CURLcode code) {
        if (code == CURLE_OK) {
                (void) snprintf(c->error, sizeof(c->error), "HTTP status %u", c->status);
                return judge_status(c->status);
        }
        c->status = 0;
        if (!c->error[0])
                (void) snprintf(c->error, sizeof(c->error), "%s", curl_easy_strerror(code));
        return judge_error(c, code);
}
