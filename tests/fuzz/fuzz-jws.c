/* SPDX-License-Identifier: Apache-2.0 */

#include "../../jit-reaperd/approverd/providers/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Public keys whose private parts are published nowhere but in RFC 7515 and RFC 8037: all that they signed is in those.
 */
static const char keys_text[] =
                "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
static const char signed_payload[] =
                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
                "cnVlfQ";

static JwkSet *keys_of_rfc(void) {
        static JwkSet *keys;

        if (!keys && jwk_set_parse(keys_text, sizeof(keys_text) - 1, &keys, NULL) < 0)
                abort();
        return keys;
}

/* Never a payload but the one that was signed. */
static void check_token(const char *text, size_t length) {
        _cleanup_json_ json_t *payload = NULL;
        char why[JWS_WHY_MAX] = "";
        int r = jws_verify(keys_of_rfc(), text, length, &payload, why);

        if ((r >= 0) != (payload != NULL))
                abort();
        if (r < 0 ? why[0] == 0 : memmem(text, length, signed_payload, sizeof(signed_payload) - 1) == NULL)
                abort();
}

/* First byte: even: a token for the keys above, odd: a key set, with a token behind a newline. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = NULL;
        const char *text, *token;
        size_t length;

        if (size == 0)
                return 0;
        text = (const char *) data + 1;
        length = size - 1;
        if (data[0] % 2 == 0) {
                check_token(text, length);
                return 0;
        }
        token = memchr(text, '\n', length);
        if (jwk_set_parse(text, token ? (size_t) (token - text) : length, &keys, NULL) >= 0 && token) {
                _cleanup_json_ json_t *payload = NULL;
                (void) jws_verify(keys, token + 1, (size_t) (text + length - token - 1), &payload, NULL);
        }
        return 0;
}
