/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_HTTP_LOGIN_H
#define JIT_HTTP_LOGIN_H

/* How we log in to a ticket system: the header that a request carries. Secrets come from systemd credentials alone
 * (systemd.exec(5), LoadCredential=), are read when needed and erased afterwards. */

#include "http-client.h"

typedef enum HttpLoginKind { LOGIN_NONE, LOGIN_BEARER, LOGIN_BASIC, LOGIN_HEADER, LOGIN_OAUTH2 } HttpLoginKind;

typedef struct HttpLoginSettings {
        HttpLoginKind kind;
        const char *credential; /* name: [A-Za-z0-9._-]+; its content: token, "user:password", value, client secret */
        const char *header; /* LOGIN_HEADER: its name; LOGIN_BEARER: the scheme, default "Bearer" ("token" for RT) */
        const char *token_url, *client_id, *scope; /* LOGIN_OAUTH2: RFC 6749 section 4.4; scope may be NULL */
} HttpLoginSettings;

typedef struct HttpLogin HttpLogin;
int http_login_new(HttpServer *s, const HttpLoginSettings *settings, HttpLogin **ret); /* copies; no file is read yet */
HttpLogin *http_login_free(HttpLogin *l); /* waiting ones are answered with PROVIDER_CANCELED */

/* header: "Name: value", or NULL for LOGIN_NONE; borrowed, erased after the callback. Called once, perhaps before this
 * returns. A token is fetched once for all that wait, and kept until 30 s before it ends. */
typedef void (*http_login_t)(ProviderResult result, const char *header, const char *why, void *userdata);
void http_login_header(HttpLogin *l, uint64_t deadline_usec, http_login_t done, void *userdata);
/* Those who wait with this userdata are gone: done is not called for them. */
void http_login_cancel(HttpLogin *l, const void *userdata);
/* The server said 401 to a header that was handed out at handed_usec (CLOCK_BOOTTIME): that token is not used again;
 * one that is newer is kept. Whether another try makes sense. */
bool http_login_forget(HttpLogin *l, uint64_t handed_usec);

/* A credential's content without trailing newlines; name as above, folder $CREDENTIALS_DIRECTORY. At most 64 KiB, no
 * NUL. -ENOENT, -EINVAL, -EFBIG, -ENOMEM. Free with credential_free(), which erases. */
int credential_load(const char *name, char **ret);
char *credential_free(char *secret);
/* Its path, for libcurl's client certificates. */
int credential_path(const char *name, char **ret);

#endif
