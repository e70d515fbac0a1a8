/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_HTTP_H
#define JIT_TEST_HTTP_H

/* Our HTTP client against tests/tickets/server.py, over TLS on loopback. Certificates are made here, for this run. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "http-client.h"
#include "test.h"
#include "timefmt.h"

#define SERVER_SCRIPT "tests/tickets/server.py"
#define LONG_USEC (60 * USEC_PER_SEC) /* ample on a slow, busy machine: none of what should work takes so long */

extern char **environ;

static char test_folder[] = "/tmp/test-http.XXXXXX";
static sd_event *test_event;
static HttpClient *test_client;

static inline const char *in_folder(const char *name) {
        static char paths[8][128];
        static unsigned next;
        char *path = paths[next++ % 8];

        (void) snprintf(path, sizeof(paths[0]), "%s/%s", test_folder, name);
        return path;
}

/* ---- certificates ---- */

typedef struct TestCert {
        const char *name;   /* of NAME.pem and NAME.key */
        const char *san;    /* subjectAltName; NULL: a CA */
        const char *issuer; /* NULL: itself */
        long from_sec, to_sec;
} TestCert;

static inline EVP_PKEY *key_read(const char *name) {
        _cleanup_fclose_ FILE *f = fopen(in_folder(name), "re");

        return f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
}

static inline void extension_add(X509 *cert, X509 *issuer, int nid, const char *value) {
        X509V3_CTX context;
        X509_EXTENSION *e;

        X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
        e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        if (!e || X509_add_ext(cert, e, -1) != 1)
                abort();
        X509_EXTENSION_free(e);
}

static inline void cert_write(const TestCert *c, X509 *cert, EVP_PKEY *key) {
        char file[64];
        _cleanup_fclose_ FILE *pem = NULL;
        _cleanup_fclose_ FILE *secret = NULL;

        (void) snprintf(file, sizeof(file), "%s.pem", c->name);
        pem = fopen(in_folder(file), "we");
        (void) snprintf(file, sizeof(file), "%s.key", c->name);
        secret = fopen(in_folder(file), "we");
        if (!pem || !secret || PEM_write_X509(pem, cert) != 1 ||
            PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) != 1)
                abort();
}

static inline X509 *issuer_read(const char *name) {
        char file[64];
        _cleanup_fclose_ FILE *f = NULL;

        (void) snprintf(file, sizeof(file), "%s.pem", name);
        f = fopen(in_folder(file), "re");
        return f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
}

static inline void cert_make(const TestCert *c) {
        EVP_PKEY *key = EVP_EC_gen("P-256"), *issuer_key = NULL;
        X509 *cert = X509_new(), *issuer = c->issuer ? issuer_read(c->issuer) : NULL;
        char file[64];
        static long serial;

        if (!key || !cert)
                abort();
        if (c->issuer) {
                (void) snprintf(file, sizeof(file), "%s.key", c->issuer);
                issuer_key = key_read(file);
        }
        (void) X509_set_version(cert, 2);
        (void) ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
        (void) X509_gmtime_adj(X509_getm_notBefore(cert), c->from_sec);
        (void) X509_gmtime_adj(X509_getm_notAfter(cert), c->to_sec);
        (void) X509_set_pubkey(cert, key);
        (void) X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                          (const unsigned char *) c->name, -1, -1, 0);
        (void) X509_set_issuer_name(cert, X509_get_subject_name(issuer ?: cert));
        extension_add(cert, issuer ?: cert, NID_basic_constraints, c->san ? "critical,CA:FALSE" : "critical,CA:TRUE");
        if (c->san)
                extension_add(cert, issuer ?: cert, NID_subject_alt_name, c->san);
        if (X509_sign(cert, issuer_key ?: key, EVP_sha256()) == 0)
                abort();
        cert_write(c, cert, key);
        X509_free(cert);
        X509_free(issuer);
        EVP_PKEY_free(key);
        EVP_PKEY_free(issuer_key);
}

/* ---- the server ---- */

typedef struct TestServer {
        pid_t pid;
        int input; /* the server ends when this is closed, also when we die */
        unsigned port, control;
} TestServer;

/* arguments: behind the script's name, NULL at the end. */
static inline bool test_server_start(TestServer *ret, char *const *arguments) {
        char *argv[24] = {(char *) "python3", (char *) SERVER_SCRIPT, (char *) "--stdin"};
        posix_spawn_file_actions_t actions;
        _cleanup_fclose_ FILE *output = NULL;
        int in[2], out[2], r;

        for (size_t i = 0; arguments[i]; i++)
                argv[3 + i] = arguments[i];
        if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
                abort();
        (void) posix_spawn_file_actions_init(&actions);
        (void) posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        (void) posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        r = posix_spawnp(&ret->pid, argv[0], &actions, NULL, argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        (void) close(in[0]);
        (void) close(out[1]);
        ret->input = in[1];
        output = fdopen(out[0], "re");
        if (r == 0 && fscanf(output, "listening %u control %u", &ret->port, &ret->control) == 2)
                return true;
        if (r == 0)
                (void) waitpid(ret->pid, NULL, 0);
        (void) close(in[1]);
        return false;
}

static inline void test_server_stop(TestServer *s) {
        (void) close(s->input);
        (void) kill(s->pid, SIGTERM);
        (void) waitpid(s->pid, NULL, 0);
}

/* One command on the control port; the answer's JSON. */
static inline json_t *control(const TestServer *s, const char *method, const char *path, const char *body) {
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t) s->control),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        _cleanup_free_ char *answer = calloc(1, 4 * 1024 * 1024);
        size_t length = 0;
        const char *json;
        ssize_t n;

        if (connect(fd, (const struct sockaddr *) &to, sizeof(to)) < 0 || !answer)
                abort();
        if (dprintf(fd, "%s %s HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", method, path, strlen(body), body) < 0)
                abort();
        while ((n = read(fd, answer + length, 4 * 1024 * 1024 - 1 - length)) > 0)
                length += (size_t) n;
        json = strstr(answer, "\r\n\r\n");
        if (!json || strncmp(answer, "HTTP/1.1 200", 12) != 0) {
                TEST_FAIL("%s %s: %.100s", method, path, answer);
                return NULL;
        }
        return json_loads(json + 4, 0, NULL);
}

static inline void tell(const TestServer *s, const char *method, const char *path, const char *body) {
        json_decref(control(s, method, path, body));
}

static inline long stat_of(const TestServer *s, const char *name) {
        _cleanup_json_ json_t *stats = control(s, "GET", "/stats", "");

        return (long) json_integer_value(json_object_get(stats, name));
}

/* ---- our side ---- */

static inline HttpServerSettings settings_default(void) {
        static char ca[128];

        (void) snprintf(ca, sizeof(ca), "%s", in_folder("ca.pem"));
        return (HttpServerSettings){.name = "test",
                                    .ca_file = ca,
                                    .connections_max = 8,
                                    .queue_max = 64,
                                    .rate_per_sec = 1000,
                                    .rate_burst = 1000};
}

static inline HttpServer *server_of(const HttpServerSettings *settings) {
        HttpServer *s = NULL;

        CHECK_EQ_INT(http_server_new(test_client, settings, &s), 0);
        return s;
}

typedef struct Heard { /* what a call brought */
        bool done;
        HttpAnswer answer; /* body and why point at the copies below */
        char why[HTTP_WHY_MAX], type[128];
        char *body;
        HttpCall *call;
} Heard;

static inline void heard_clear(Heard *h) {
        free(h->body);
        *h = (Heard){0};
}

static inline void on_heard(const HttpAnswer *answer, void *userdata) {
        Heard *h = userdata;

        if (h->done)
                TEST_FAIL("answered twice");
        h->done = true;
        h->answer = *answer;
        (void) snprintf(h->why, sizeof(h->why), "%s", answer->why ?: "");
        (void) snprintf(h->type, sizeof(h->type), "%s", answer->content_type ?: "");
        h->body = strndup(answer->body, answer->length);
        h->call = NULL;
}

/* Runs the loop until *done, or too long. */
static inline bool run_until(const bool *done) {
        uint64_t end = now_usec(CLOCK_BOOTTIME) + LONG_USEC;

        while (!*done && now_usec(CLOCK_BOOTTIME) < end)
                if (sd_event_run(test_event, 100 * USEC_PER_MSEC) < 0)
                        return false;
        return *done;
}

static inline void run_for(uint64_t usec) {
        uint64_t end = now_usec(CLOCK_BOOTTIME) + usec, now;

        while ((now = now_usec(CLOCK_BOOTTIME)) < end)
                (void) sd_event_run(test_event, end - now);
}

static inline const char *url_of(const TestServer *s, const char *path) {
        static char urls[8][512];
        static unsigned next;
        char *url = urls[next++ % 8];

        (void) snprintf(url, sizeof(urls[0]), "https://localhost:%u%s", s->port, path);
        return url;
}

static inline HttpRequest get_of(const char *url) {
        return (HttpRequest){.method = "GET",
                             .url = url,
                             .deadline_usec = now_usec(CLOCK_BOOTTIME) + LONG_USEC,
                             .safe = true};
}

static inline void ask_start(HttpServer *s, const HttpRequest *r, Heard *h) {
        *h = (Heard){0};
        CHECK_EQ_INT(http_call_start(s, r, on_heard, h, &h->call), 0);
        CHECK(!h->done); /* never from inside */
}

static inline void ask(HttpServer *s, const HttpRequest *r, Heard *h) {
        ask_start(s, r, h);
        if (!run_until(&h->done))
                TEST_FAIL("no answer for %s", r->url);
}

static inline bool is_connected_to(int fd, unsigned port) {
        struct sockaddr_in peer = {0};
        socklen_t length = sizeof(peer);

        return getpeername(fd, (struct sockaddr *) &peer, &length) == 0 && peer.sin_family == AF_INET &&
               ntohs(peer.sin_port) == port;
}

/* ---- the frame of a test program ---- */

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
        (void) st, (void) flag, (void) ftw;
        return remove(path);
}

static inline void test_http_end(void) {
        http_client_free(test_client);
        sd_event_unref(test_event);
        (void) nftw(test_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A folder with ca.pem and good.pem (for localhost), a loop, a client. */
static inline void test_http_begin(void) {
        static const TestCert ca = {"ca", NULL, NULL, -3600, 86400};
        static const TestCert good = {"good", "DNS:localhost,IP:127.0.0.1", "ca", -3600, 86400};

        if (!mkdtemp(test_folder) || sd_event_new(&test_event) < 0 ||
            http_client_new(test_event, 10000, &test_client) < 0)
                abort();
        cert_make(&ca);
        cert_make(&good);
}

/* A server with this certificate and up to four more arguments. */
static inline bool good_server(TestServer *ret, const char *cert, const char *a, const char *b) {
        char pem[64], key[64];
        char *arguments[] = {(char *) "--cert", NULL, (char *) "--key", NULL, (char *) a, (char *) b, NULL};

        (void) snprintf(pem, sizeof(pem), "%s.pem", cert);
        (void) snprintf(key, sizeof(key), "%s.key", cert);
        arguments[1] = (char *) in_folder(pem);
        arguments[3] = (char *) in_folder(key);
        return test_server_start(ret, arguments);
}

/* Everything is skipped where the server cannot run. */
#define TEST_HTTP_MAIN(what)                                                                                           \
        int main(void) {                                                                                               \
                int failures = 0;                                                                                      \
                test_http_begin();                                                                                     \
                if (!good_server(&server, "good", NULL, NULL)) {                                                       \
                        printf("skip %s (no python3, or not started in the source folder)\n", what);                   \
                        test_http_end();                                                                               \
                        return 0;                                                                                      \
                }                                                                                                      \
                for (TestCase *t = test_first; t; t = t->next) {                                                       \
                        test_failed = false;                                                                           \
                        tell(&server, "DELETE", "/routes", "");                                                        \
                        tell(&server, "DELETE", "/log", "");                                                           \
                        t->run();                                                                                      \
                        printf("%s %s\n", test_failed ? "not ok" : "ok", t->name);                                     \
                        (void) fflush(stdout);                                                                         \
                        failures += test_failed;                                                                       \
                }                                                                                                      \
                test_server_stop(&server);                                                                             \
                test_http_end();                                                                                       \
                return failures ? EXIT_FAILURE : EXIT_SUCCESS;                                                         \
        }

#endif
