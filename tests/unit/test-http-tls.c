/* SPDX-License-Identifier: Apache-2.0 */

/* Only the server it should be: certificates, pins, protocol versions, client certificates; HTTP/2 over it. */

#include <curl/curl.h>
#include <openssl/sha.h>

#include "test-http.h"

static TestServer server;

static unsigned free_port(void) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t n = sizeof(a);

        if (bind(fd, (const struct sockaddr *) &a, n) < 0 || getsockname(fd, (struct sockaddr *) &a, &n) < 0)
                abort();
        return ntohs(a.sin_port);
}

static bool can_connect(unsigned port) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t) port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return connect(fd, (const struct sockaddr *) &a, sizeof(a)) == 0;
}

/* A program that listens on port, ready. */
static pid_t program_start(char *const *argv, unsigned port) {
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int r;

        (void) posix_spawn_file_actions_init(&actions);
        (void) posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        (void) posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return -1;
        for (unsigned i = 0; i < 500 && !can_connect(port); i++)
                if (usleep(20000) < 0 || waitpid(pid, NULL, WNOHANG) == pid)
                        return -1;
        return pid;
}

/* One question to a server with this certificate. */
static void check_one(const HttpServerSettings *settings, const TestServer *t, const char *path, ProviderResult result,
                      const char *what) {
        HttpServer *s = server_of(settings);
        HttpRequest r = get_of(url_of(t, path));
        Heard h;

        ask(s, &r, &h);
        if (h.answer.result != result)
                TEST_FAIL("%s: result %d (%s)", what, (int) h.answer.result, h.why);
        if (result == PROVIDER_TLS) {
                CHECK(!h.answer.sent);
                CHECK_EQ_INT(h.answer.attempts, 1);
        }
        heard_clear(&h);
        http_server_free(s);
}

TEST(certificates) {
        static const TestCert certs[] = {
                        {"expired", "DNS:localhost", "ca", -7200, -3600},
                        {"early", "DNS:localhost", "ca", 3600, 7200},
                        {"elsewhere", "DNS:example.com", "ca", -3600, 86400},
                        {"self", "DNS:localhost", NULL, -3600, 86400},
                        {"other-ca", NULL, NULL, -3600, 86400},
                        {"other", "DNS:localhost", "other-ca", -3600, 86400},
        };
        HttpServerSettings settings = settings_default();

        for (size_t i = 0; i < ELEMENTSOF(certs); i++) {
                TestServer t;

                cert_make(&certs[i]);
                if (!certs[i].san)
                        continue;
                CHECK(good_server(&t, certs[i].name, NULL, NULL));
                check_one(&settings, &t, "/echo", PROVIDER_TLS, certs[i].name);
                CHECK_EQ_INT(stat_of(&t, "requests"), 0);
                test_server_stop(&t);
        }
        settings.ca_file = in_folder("other-ca.pem");
        check_one(&settings, &server, "/echo", PROVIDER_TLS, "another authority");
        settings.ca_file = NULL; /* the system's, which does not know ours */
        check_one(&settings, &server, "/echo", PROVIDER_TLS, "the system's authorities");
        settings.ca_file = in_folder("missing.pem");
        check_one(&settings, &server, "/echo", PROVIDER_TLS, "no such file");
}

static void pin_of(const char *file, char ret[static 64]) {
        unsigned char digest[SHA256_DIGEST_LENGTH], *der = NULL;
        char encoded[64];
        X509 *cert = issuer_read(file);
        int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

        SHA256(der, (size_t) n, digest);
        (void) EVP_EncodeBlock((unsigned char *) encoded, digest, sizeof(digest));
        (void) snprintf(ret, 64, "sha256//%.44s", encoded);
        OPENSSL_free(der);
        X509_free(cert);
}

TEST(pins) {
        HttpServerSettings settings = settings_default();
        char pin[64], both[160];

        pin_of("good", pin);
        settings.pinned_key = pin;
        check_one(&settings, &server, "/echo", PROVIDER_OK, "the pinned key");
        (void) snprintf(both, sizeof(both), "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;%s", pin);
        settings.pinned_key = both;
        check_one(&settings, &server, "/echo", PROVIDER_OK, "one of two pinned keys");
        pin_of("ca", pin); /* the authority's, not the server's */
        settings.pinned_key = pin;
        check_one(&settings, &server, "/echo", PROVIDER_TLS, "another pinned key");
}

/* Whether the server can be reached at all by who allows what is old. */
static bool speaks_old_tls(const char *url) {
        _cleanup_fclose_ FILE *nothing = fopen("/dev/null", "we");
        CURL *e = curl_easy_init();
        bool good;

        (void) curl_easy_setopt(e, CURLOPT_URL, url);
        (void) curl_easy_setopt(e, CURLOPT_CAINFO, in_folder("ca.pem"));
        (void) curl_easy_setopt(e, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_1);
        (void) curl_easy_setopt(e, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
        (void) curl_easy_setopt(e, CURLOPT_WRITEDATA, nothing);
        (void) curl_easy_setopt(e, CURLOPT_TIMEOUT, 20L);
        (void) curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
        good = curl_easy_perform(e) == CURLE_OK;
        curl_easy_cleanup(e);
        return good;
}

TEST(old_protocols) {
        char port[16], *argv[] = {(char *) "openssl",
                                  (char *) "s_server",
                                  (char *) "-quiet",
                                  (char *) "-WWW",
                                  (char *) "-tls1_1",
                                  (char *) "-cipher",
                                  (char *) "ALL:@SECLEVEL=0",
                                  (char *) "-cert",
                                  (char *) in_folder("good.pem"),
                                  (char *) "-key",
                                  (char *) in_folder("good.key"),
                                  (char *) "-accept",
                                  port,
                                  NULL};
        HttpServerSettings settings = settings_default();
        TestServer t = {.port = free_port()};
        pid_t pid;

        (void) snprintf(port, sizeof(port), "%u", t.port);
        if ((pid = program_start(argv, t.port)) < 0) {
                printf("skip old_protocols (there is no openssl here)\n");
                return;
        }
        if (speaks_old_tls(url_of(&t, "/Makefile")))
                check_one(&settings, &t, "/Makefile", PROVIDER_TLS, "TLS 1.1");
        else
                printf("skip old_protocols (this OpenSSL has no TLS 1.1)\n");
        (void) kill(pid, SIGTERM);
        (void) waitpid(pid, NULL, 0);
}

TEST(client_certificates) {
        static const TestCert certs[] = {{"client", "DNS:jit-approverd", "ca", -3600, 86400},
                                         {"stranger", "DNS:jit-approverd", NULL, -3600, 86400}};
        HttpServerSettings settings = settings_default();
        TestServer t;

        cert_make(&certs[0]);
        cert_make(&certs[1]);
        CHECK(good_server(&t, "good", "--client-ca", in_folder("ca.pem")));
        check_one(&settings, &t, "/echo", PROVIDER_UNREACHABLE, "no client certificate"); /* it hangs up */
        settings.client_cert = in_folder("client.pem");
        settings.client_key = in_folder("client.key");
        check_one(&settings, &t, "/echo", PROVIDER_OK, "the client certificate");
        settings.client_cert = in_folder("stranger.pem");
        settings.client_key = in_folder("stranger.key");
        check_one(&settings, &t, "/echo", PROVIDER_UNREACHABLE, "a stranger's certificate");
        settings.client_key = in_folder("client.key"); /* does not fit */
        check_one(&settings, &t, "/echo", PROVIDER_TLS, "another's key");
        settings.client_cert = in_folder("missing.pem");
        check_one(&settings, &t, "/echo", PROVIDER_TLS, "no such certificate");
        test_server_stop(&t);
}

static int listener(char *ret_url, size_t size) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t n = sizeof(a);

        if (bind(fd, (const struct sockaddr *) &a, n) < 0 || listen(fd, 8) < 0 ||
            getsockname(fd, (struct sockaddr *) &a, &n) < 0)
                abort();
        (void) snprintf(ret_url, size, "https://127.0.0.1:%u/", ntohs(a.sin_port));
        return fd;
}

TEST(no_tls_at_all) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        char url[64];
        _cleanup_close_ int fd = listener(url, sizeof(url));
        _cleanup_close_ int peer = -1;
        HttpRequest r = get_of(url);
        Heard h;

        ask_start(s, &r, &h);
        run_for(50 * USEC_PER_MSEC);
        peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        CHECK(dprintf(peer, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") > 0);
        CHECK(run_until(&h.done));
        CHECK_EQ_INT(h.answer.result, PROVIDER_TLS);
        CHECK(!h.answer.sent);
        heard_clear(&h);
        http_server_free(s);
}

TEST(silent_listener) {
        HttpServerSettings settings = settings_default();
        HttpServer *s = server_of(&settings);
        char url[64];
        _cleanup_close_ int fd = listener(url, sizeof(url));
        HttpRequest r = get_of(url);
        Heard h;

        r.deadline_usec = now_usec(CLOCK_BOOTTIME) + USEC_PER_SEC;
        ask(s, &r, &h);
        CHECK_EQ_INT(h.answer.result, PROVIDER_UNREACHABLE);
        CHECK(!h.answer.sent);
        CHECK(h.answer.took_usec >= USEC_PER_SEC / 2 && h.answer.took_usec < 10 * USEC_PER_SEC);
        heard_clear(&h);
        http_server_free(s);
}

/* ---- HTTP/2 ---- */

/* nghttpd(1) speaks nothing but HTTP/2. */
static pid_t nghttpd_start(unsigned *ret_port) {
        char port[16], folder[160],
                        *argv[] = {(char *) "nghttpd",
                                   (char *) "-a",
                                   (char *) "127.0.0.1",
                                   folder,
                                   port,
                                   (char *) in_folder("good.key"),
                                   (char *) in_folder("good.pem"),
                                   NULL};

        *ret_port = free_port();
        (void) snprintf(port, sizeof(port), "%u", *ret_port);
        (void) snprintf(folder, sizeof(folder), "--htdocs=%s", test_folder);
        return program_start(argv, *ret_port);
}

static unsigned connections_to(unsigned port) {
        unsigned n = 0;

        for (int fd = 3; fd < 1024; fd++)
                n += is_connected_to(fd, port);
        return n;
}

TEST(http2) {
        HttpServerSettings settings = settings_default();
        HttpServer *s;
        Heard all[60];
        unsigned port;
        char url[96];
        pid_t pid;

        if ((pid = nghttpd_start(&port)) < 0) {
                printf("skip http2 (there is no nghttpd here)\n");
                return;
        }
        s = server_of(&settings);
        (void) snprintf(url, sizeof(url), "https://localhost:%u/good.pem", port);
        for (unsigned round = 0; round < 2; round++) { /* the second on what was learned by the first */
                HttpRequest r = get_of(url);

                for (size_t i = 0; i < ELEMENTSOF(all); i++)
                        ask_start(s, &r, &all[i]);
                for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                        CHECK(run_until(&all[i].done));
                        CHECK_EQ_INT(all[i].answer.result, PROVIDER_OK);
                        CHECK_EQ_INT(all[i].answer.status, 200);
                        CHECK(all[i].body && strstr(all[i].body, "END CERTIFICATE"));
                        heard_clear(&all[i]);
                }
                CHECK_EQ_INT(connections_to(port), 1);
        }
        http_server_free(s);
        (void) kill(pid, SIGTERM);
        (void) waitpid(pid, NULL, 0);
}

TEST_HTTP_MAIN("http_tls")
