/* SPDX-License-Identifier: Apache-2.0 */

/* What stands in the header by which a ticket system knows us, and OAuth2's client credentials (RFC 6749 section 4.4).
 */

#include <openssl/evp.h>
#include <stdarg.h>
#include <sys/queue.h>

#include "http-token.h"

typedef struct Waiter {
        TAILQ_ENTRY(Waiter) entry;
        http_login_t done;
        void *userdata;
} Waiter;

TAILQ_HEAD(WaiterList, Waiter);

struct HttpLogin {
        HttpServer *server;
        HttpLoginKind kind;
        char *credential, *header, *token_url, *client_id, *scope;
        char *token;                       /* a whole header; NULL: none */
        uint64_t fetched_usec, until_usec; /* CLOCK_BOOTTIME */
        HttpCall *fetch;                   /* on its way */
        struct WaiterList waiters, answering;
        bool *freed; /* told to the function whose callback freed us */
};

DEFINE_CLEANUP(char, credential_free);
#define _cleanup_secret_ JIT_CLEANUP(credential_freep)

/* Sets *freed once a callback has freed l. */
static void watch_freed(HttpLogin *l, bool *freed) {
        l->freed = freed;
}

static void answer_all(HttpLogin *l, struct WaiterList *list, ProviderResult result, const char *header,
                       const char *why) {
        bool freed = false, *outer = l->freed;
        Waiter *w;

        watch_freed(l, &freed);
        while (!freed && (w = TAILQ_FIRST(list))) {
                Waiter now = *w;

                TAILQ_REMOVE(list, w, entry);
                free(w);
                now.done(result, header, why, now.userdata);
        }
        if (freed) {
                if (outer)
                        *outer = true;
                return;
        }
        l->freed = outer;
}

HttpLogin *http_login_free(HttpLogin *l) {
        if (!l)
                return NULL;
        if (l->freed)
                *l->freed = true;
        l->freed = NULL;
        l->fetch = http_call_free(l->fetch);
        answer_all(l, &l->answering, PROVIDER_CANCELED, NULL, "is being closed");
        answer_all(l, &l->waiters, PROVIDER_CANCELED, NULL, "is being closed");
        credential_free(l->token);
        free(l->credential);
        free(l->header);
        free(l->token_url);
        free(l->client_id);
        free(l->scope);
        free(l);
        return NULL;
}

DEFINE_CLEANUP(HttpLogin, http_login_free);

static int copy(char **ret, const char *text) {
        return text && !(*ret = strdup(text)) ? -ENOMEM : 0;
}

int http_login_new(HttpServer *s, const HttpLoginSettings *settings, HttpLogin **ret) {
        JIT_CLEANUP(http_login_freep) HttpLogin *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        TAILQ_INIT(&l->waiters);
        TAILQ_INIT(&l->answering);
        l->server = s;
        l->kind = settings->kind;
        if (copy(&l->credential, settings->credential) < 0 || copy(&l->header, settings->header) < 0 ||
            copy(&l->token_url, settings->token_url) < 0 || copy(&l->client_id, settings->client_id) < 0 ||
            copy(&l->scope, settings->scope) < 0)
                return -ENOMEM;
        *ret = take_ptr(l);
        return 0;
}

/* ---- headers ---- */

static int format_header(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int format_header(char **ret, const char *format, ...) {
        va_list ap;
        char *text;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;
        *ret = text;
        return 0;
}

/* -EINVAL: the credential's content does not fit. */
static int basic_make(const char *login, char **ret) {
        _cleanup_secret_ char *encoded = NULL;
        size_t n = strlen(login);

        if (!strchr(login, ':') || !header_value_is_valid(login))
                return -EINVAL;
        if (!(encoded = malloc(n / 3 * 4 + 5)))
                return -ENOMEM;
        (void) EVP_EncodeBlock((unsigned char *) encoded, (const unsigned char *) login, (int) n);
        return format_header(ret, "Authorization: Basic %s", encoded);
}

static int fixed_header(const HttpLogin *l, const char *secret, char **ret) {
        switch (l->kind) {
        case LOGIN_BASIC:
                return basic_make(secret, ret);
        case LOGIN_HEADER:
                return header_value_is_valid(secret) ? format_header(ret, "%s: %s", l->header, secret) : -EINVAL;
        case LOGIN_BEARER:
                if (!token_is_valid(secret))
                        return -EINVAL;
                return format_header(ret, "Authorization: %s %s", l->header ?: "Bearer", secret);
        case LOGIN_NONE:
        case LOGIN_OAUTH2:
        default:
                return -EINVAL;
        }
}

static ProviderResult why_not(const HttpLogin *l, int r, char *ret) {
        if (r == -EINVAL)
                (void) snprintf(ret, HTTP_WHY_MAX, "credential %.100s: its content does not fit", l->credential);
        else
                (void) snprintf(ret, HTTP_WHY_MAX, "credential %.100s: %s", l->credential, strerror(-r));
        return r == -ENOMEM ? PROVIDER_NO_MEMORY : PROVIDER_LOGIN;
}

static void answer_fixed(HttpLogin *l, http_login_t done, void *userdata) {
        _cleanup_secret_ char *secret = NULL;
        _cleanup_secret_ char *header = NULL;
        char why[HTTP_WHY_MAX];
        int r;

        if ((r = credential_load(l->credential, &secret)) < 0 || (r = fixed_header(l, secret, &header)) < 0)
                done(why_not(l, r, why), NULL, why, userdata);
        else
                done(PROVIDER_OK, header, NULL, userdata);
}

/* ---- OAuth2 ---- */

static void on_token(const HttpAnswer *answer, void *userdata) {
        HttpLogin *l = userdata;
        _cleanup_secret_ char *header = NULL;
        char why[HTTP_WHY_MAX] = "";
        uint64_t life = 0;
        ProviderResult result = token_parse(answer, &header, &life, why);

        l->fetch = NULL;
        credential_free(l->token);
        l->token = result == PROVIDER_OK ? strdup(header) : NULL; /* no memory: is fetched again */
        /* fetched_usec is when it was asked for: the server's clock for it began not before that. */
        l->until_usec = l->fetched_usec + (life > TOKEN_EARLY_USEC ? life - TOKEN_EARLY_USEC : 0);
        l->fetched_usec = now_usec(CLOCK_BOOTTIME);
        TAILQ_CONCAT(&l->answering, &l->waiters, entry); /* who asks from now on asks anew */
        answer_all(l, &l->answering, result, header,
                   result == PROVIDER_OK ? NULL : why); /* l may be gone behind this */
}

static int fetch_start(HttpLogin *l, const char *secret, uint64_t deadline_usec) {
        _cleanup_secret_ char *login = NULL;
        _cleanup_secret_ char *header = NULL;
        _cleanup_secret_ char *body = NULL;
        char *headers[] = {NULL, (char *) "Content-Type: application/x-www-form-urlencoded",
                           (char *) "Accept: application/json", NULL};
        HttpRequest request = {.method = "POST",
                               .url = l->token_url,
                               .headers = headers,
                               .deadline_usec = deadline_usec,
                               .answer_max = TOKEN_ANSWER_MAX,
                               .safe = true,
                               .urgent = true};
        int r;

        if ((r = token_login(l->client_id, secret, &login)) < 0 || (r = basic_make(login, &header)) < 0 ||
            (r = token_body(l->scope, &body)) < 0)
                return r;
        headers[0] = header;
        request.body = body;
        request.body_length = strlen(body);
        l->fetched_usec = now_usec(CLOCK_BOOTTIME);
        return http_call_start(l->server, &request, on_token, l, &l->fetch);
}

static void ask_token(HttpLogin *l, uint64_t deadline_usec, http_login_t done, void *userdata) {
        _cleanup_secret_ char *secret = NULL;
        char why[HTTP_WHY_MAX];
        Waiter *w;
        int r = 0;

        if (!(w = malloc(sizeof(*w)))) {
                done(PROVIDER_NO_MEMORY, NULL, "no memory", userdata);
                return;
        }
        if (!l->fetch &&
            ((r = credential_load(l->credential, &secret)) < 0 || (r = fetch_start(l, secret, deadline_usec)) < 0)) {
                free(w);
                done(why_not(l, r, why), NULL, why, userdata);
                return;
        }
        *w = (Waiter){.done = done, .userdata = userdata};
        TAILQ_INSERT_TAIL(&l->waiters, w, entry);
}

/* ---- */

void http_login_header(HttpLogin *l, uint64_t deadline_usec, http_login_t done, void *userdata) {
        if (l->kind == LOGIN_NONE)
                done(PROVIDER_OK, NULL, NULL, userdata);
        else if (l->kind != LOGIN_OAUTH2)
                answer_fixed(l, done, userdata);
        else if (l->token && now_usec(CLOCK_BOOTTIME) < l->until_usec) {
                _cleanup_secret_ char *header = strdup(l->token); /* the callback may forget or free ours */

                done(header ? PROVIDER_OK : PROVIDER_NO_MEMORY, header, header ? NULL : "no memory", userdata);
        } else
                ask_token(l, deadline_usec, done, userdata);
}

static void cancel_in(struct WaiterList *list, const void *userdata) {
        Waiter *next;

        for (Waiter *w = TAILQ_FIRST(list); w; w = next) {
                next = TAILQ_NEXT(w, entry);
                if (w->userdata == userdata) {
                        TAILQ_REMOVE(list, w, entry);
                        free(w);
                }
        }
}

void http_login_cancel(HttpLogin *l, const void *userdata) {
        cancel_in(&l->waiters, userdata);
        cancel_in(&l->answering, userdata);
}

bool http_login_forget(HttpLogin *l, uint64_t handed_usec) {
        if (l->kind != LOGIN_OAUTH2)
                return false;
        if (l->token && l->fetched_usec <= handed_usec)
                l->token = credential_free(l->token);
        return true;
}
