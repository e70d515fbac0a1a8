/* SPDX-License-Identifier: Apache-2.0 */

/* tls-server CERTIFICATE KEY ANSWER PORT DELAY: a ticket system on 127.0.0.1: HTTP/1.1 over TLS, a thread per
 * connection. GET /.../NAME answers the file ANSWER with each '@' replaced by NAME, after DELAY microseconds of doing
 * nothing. PORT 0: any. Says "listening PORT"; ends with its parent.
 *
 * Not the tests' server.py: an interpreter computes longer for each answer than the client whose time is taken, on
 * cores that the client needs too. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "reaper-client.h"

enum { REQUEST_MAX = 8192, ANSWER_MAX = 64 * 1024 };

static SSL_CTX *context;
static unsigned delay_usec;
static char answer[ANSWER_MAX / 2];

static void answer_read(const char *path) {
        FILE *f = fopen(path, "re");
        size_t n = f ? fread(answer, 1, sizeof(answer) - 1, f) : 0;

        if (n == 0 || n == sizeof(answer) - 1)
                bench_fail("%s: cannot be read, or too long", path);
        (void) fclose(f);
}

/* The answer's whole text with its headers; its length. */
static size_t answer_fill(const char *name, char *ret) {
        size_t name_length = strlen(name), body = 0, n;

        for (const char *c = answer; *c; c++)
                body += *c == '@' ? name_length : 1;
        n = (size_t) snprintf(ret, ANSWER_MAX,
                              "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", body);
        if (n + body > ANSWER_MAX)
                bench_fail("the answer is too long");
        for (const char *c = answer; *c; c++) {
                size_t length = *c == '@' ? name_length : 1;

                memcpy(ret + n, *c == '@' ? name : c, length);
                n += length;
        }
        return n;
}

/* One request with all its headers; what is behind its last slash. False: the connection ends. */
static bool request_read(SSL *ssl, char *buffer, const char **ret_name) {
        size_t n = 0;

        for (;;) {
                int r = n < REQUEST_MAX - 1 ? SSL_read(ssl, buffer + n, (int) (REQUEST_MAX - 1 - n)) : 0;

                if (r <= 0)
                        return false;
                n += (size_t) r;
                buffer[n] = '\0';
                if (strstr(buffer, "\r\n\r\n"))
                        break;
        }
        char *end = strncmp(buffer, "GET ", 4) == 0 ? strchr(buffer + 4, ' ') : NULL;
        if (!end)
                return false;
        *end = '\0';
        *ret_name = strrchr(buffer + 4, '/') ? strrchr(buffer + 4, '/') + 1 : "";
        return true;
}

static void *serve(void *userdata) {
        char request[REQUEST_MAX], *text = malloc(ANSWER_MAX);
        SSL *ssl = userdata;
        const char *name;

        if (text && SSL_accept(ssl) == 1)
                while (request_read(ssl, request, &name)) {
                        if (delay_usec > 0)
                                (void) usleep(delay_usec);
                        if (SSL_write(ssl, text, (int) answer_fill(name, text)) <= 0)
                                break;
                }
        (void) close(SSL_get_fd(ssl));
        SSL_free(ssl);
        free(text);
        return NULL;
}

static int listen_on(unsigned port) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t) port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
            bind(fd, (const struct sockaddr *) &address, length) < 0 || listen(fd, 256) < 0 ||
            getsockname(fd, (struct sockaddr *) &address, &length) < 0)
                bench_fail("port %u: %m", port);
        (void) printf("listening %u\n", ntohs(address.sin_port));
        (void) fflush(stdout);
        return fd;
}

static void thread_start(void *(*run)(void *), void *userdata) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, run, userdata) != 0 || pthread_detach(thread) != 0)
                bench_fail("no thread");
}

int main(int argc, char *argv[]) {
        int fd, one = 1;

        if (argc != 6)
                bench_fail("tls-server CERTIFICATE KEY ANSWER PORT DELAY");
        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        delay_usec = bench_number(argv[5]);
        (void) signal(SIGPIPE, SIG_IGN);
        answer_read(argv[3]);
        context = SSL_CTX_new(TLS_server_method());
        if (!context || SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
            SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1)
                bench_fail("no certificate: %s", ERR_error_string(ERR_get_error(), NULL));
        fd = listen_on(bench_number(argv[4]));
        for (;;) {
                int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
                SSL *ssl = connection >= 0 ? SSL_new(context) : NULL;

                if (!ssl || SSL_set_fd(ssl, connection) != 1 ||
                    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
                        bench_fail("accept: %m");
                thread_start(serve, ssl);
        }
}
