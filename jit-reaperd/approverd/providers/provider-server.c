/* SPDX-License-Identifier: Apache-2.0 */

#include "approver.h"
#include "log.h"
#include "provider-server.h"

static int server_new(Approver *a, const ProviderFile *f, HttpServer **ret) {
        _cleanup_free_ char *cert = NULL, *key = NULL;
        HttpServerSettings settings = {.name = f->name,
                                       .ca_file = f->ca_file,
                                       .pinned_key = f->pinned_key,
                                       .proxy = f->proxy,
                                       .connections_max = f->connections_max,
                                       .queue_max = f->queue_max,
                                       .rate_per_sec = f->rate_per_sec,
                                       .rate_burst = f->rate_burst,
                                       .allow_plain = f->allow_plain};
        int r;

        if ((f->client_cert && (r = credential_path(f->client_cert, &cert)) < 0) ||
            (f->client_key && (r = credential_path(f->client_key, &key)) < 0)) {
                log_error("%s: the client certificate: %s", f->path, strerror(-r));
                return r;
        }
        settings.client_cert = cert;
        settings.client_key = key;
        r = http_server_new(a->http, &settings, ret);
        if (r < 0)
                log_error("%s: no connections can be made as it says: %s", f->path, strerror(-r));
        return r;
}

int provider_server_new(Approver *a, const ProviderFile *f, HttpServer **ret_server, HttpLogin **ret_login) {
        HttpLoginSettings settings = {.kind = f->login,
                                      .credential = f->credential,
                                      .header = f->login_header,
                                      .token_url = f->token_url,
                                      .client_id = f->client_id,
                                      .scope = f->scope};
        HttpServer *server;
        int r = server_new(a, f, &server);

        if (r < 0)
                return r;
        r = http_login_new(server, &settings, ret_login);
        if (r < 0) {
                log_error("%s: the login cannot be prepared: %s", f->path, strerror(-r));
                http_server_free(server);
                return r;
        }
        *ret_server = server;
        return 0;
}

int provider_keys_load(const ProviderFile *f, JwkSet **ret) {
        char why[JWS_WHY_MAX] = "";
        int r;

        if (!f->jwks_file)
                return 0;
        r = jwk_set_load(f->jwks_file, ret, why);
        if (r < 0)
                log_error("%s: KeysFile=%s: %s", f->path, f->jwks_file, *why ? why : strerror(-r));
        return r;
}
