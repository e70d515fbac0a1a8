/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "../../jit-reaperd/approverd/providers/base64url.h"
#include "../../jit-reaperd/approverd/providers/jwk.h"
#include "test.h"

/* RFC 7515 appendix A.2 (RS256), A.3 (ES256), RFC 8037 appendix A (Ed25519). */
#define RFC_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RS256_N                                                                                                        \
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ" \
        "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2" \
        "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD" \
        "TW9gb54h4FRWyuXpoQ"
#define RS256_TOKEN                                                                                                    \
        "eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD "."                                                                        \
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU" \
        "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d" \
        "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig" \
        "cN_IoypGlUPQGe77Rw"
#define ES256_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define ES256_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ES256_TOKEN                                                                                                    \
        "eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD                                                                            \
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define EDDSA_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define EDDSA_D "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define EDDSA_TOKEN                                                                                                    \
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."                                                    \
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

#define JWK_RS256 "{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"" RS256_N "\",\"e\":\"AQAB\"}"
#define JWK_ES256 "{\"kty\":\"EC\",\"kid\":\"c\",\"crv\":\"P-256\",\"x\":\"" ES256_X "\",\"y\":\"" ES256_Y "\"}"
#define JWK_EDDSA "{\"kty\":\"OKP\",\"kid\":\"o\",\"crv\":\"Ed25519\",\"x\":\"" EDDSA_X "\"}"
#define SET(keys) "{\"keys\":[" keys "]}"
#define ALL SET(JWK_RS256 "," JWK_ES256 "," JWK_EDDSA)

static JwkSet *set_from(const char *text) {
        char why[JWS_WHY_MAX] = "";
        JwkSet *s = NULL;

        if (jwk_set_parse(text, strlen(text), &s, why) < 0)
                TEST_FAIL("%s: %s", why, text);
        return s;
}

/* What jws_verify() says; *ret_why is only there for a refusal. */
static int verify(const JwkSet *keys, const char *token, size_t length, char *ret_why) {
        _cleanup_json_ json_t *payload = NULL;
        int r;

        ret_why[0] = 0;
        r = jws_verify(keys, token, length, &payload, ret_why);
        if ((r >= 0) != (payload != NULL) || (r < 0) != (ret_why[0] != 0))
                TEST_FAIL("%d, \"%s\", %s", r, ret_why, payload ? "a payload" : "no payload");
        return r;
}

static void check_refused(const JwkSet *keys, const char *token, int error, const char *why_part) {
        char why[JWS_WHY_MAX];
        int r = verify(keys, token, strlen(token), why);

        if (r != error || !strstr(why, why_part))
                TEST_FAIL("%d \"%s\", not %d \"%s\": %.60s", r, why, error, why_part, token);
}

static char *encode(const void *data, size_t length) {
        char *text = calloc(1, length * 2 + 8);

        if (!text)
                abort();
        (void) EVP_EncodeBlock((unsigned char *) text, data, (int) length);
        for (char *p = text; *p; p++)
                *p = *p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? 0 : *p;
        return text;
}

/* A token with this header, signed by Ed25519 with the RFC's key, whatever the header says. */
static char *sign_eddsa(const char *header, size_t header_length, const char *payload) {
        _cleanup_free_ char *h = encode(header, header_length), *p = encode(payload, strlen(payload)), *s = NULL;
        _cleanup_free_ unsigned char *d = NULL;
        unsigned char signature[64];
        size_t d_length, length = sizeof(signature);
        char *text = NULL, *token = NULL;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY *key;

        if (base64url_decode(EDDSA_D, strlen(EDDSA_D), &d, &d_length) < 0)
                abort();
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d, d_length);
        if (asprintf(&text, "%s.%s", h, p) < 0 || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
            EVP_DigestSign(ctx, signature, &length, (unsigned char *) text, strlen(text)) != 1)
                abort();
        s = encode(signature, length);
        if (asprintf(&token, "%s.%s", text, s) < 0)
                abort();
        EVP_MD_CTX_free(ctx);
        EVP_PKEY_free(key);
        free(text);
        return token;
}

static void check_header(const JwkSet *keys, const char *header, int error, const char *why_part) {
        _cleanup_free_ char *token = sign_eddsa(header, strlen(header), "{}");

        if (error < 0)
                check_refused(keys, token, error, why_part);
        else {
                char why[JWS_WHY_MAX];
                if (verify(keys, token, strlen(token), why) < 0)
                        TEST_FAIL("%s: %s", header, why);
        }
}

TEST(rfc_vectors) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = set_from(ALL);
        const char *tokens[] = {RS256_TOKEN, ES256_TOKEN};

        for (size_t i = 0; i < ELEMENTSOF(tokens); i++) {
                _cleanup_json_ json_t *payload = NULL;
                char why[JWS_WHY_MAX] = "";

                if (jws_verify(keys, tokens[i], strlen(tokens[i]), &payload, why) < 0) {
                        TEST_FAIL("%s", why);
                        continue;
                }
                CHECK_STREQ(json_string_value(json_object_get(payload, "iss")), "joe");
                CHECK_EQ_INT(json_integer_value(json_object_get(payload, "exp")), 1300819380);
                CHECK(json_is_true(json_object_get(payload, "http://example.com/is_root")));
        }
        /* This one's payload is a sentence: the signature holds, and then it is no JSON. */
        check_refused(keys, EDDSA_TOKEN, -EBADMSG, "its payload is not JSON");
}

TEST(one_key_each) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *rsa = set_from(SET(JWK_RS256)), *ec = set_from(SET(JWK_ES256));

        check_refused(rsa, ES256_TOKEN, -EKEYREJECTED, "no key of ours is for its alg");
        check_refused(ec, RS256_TOKEN, -EKEYREJECTED, "no key of ours is for its alg");
        check_refused(ec, EDDSA_TOKEN, -EKEYREJECTED, "no key of ours is for its alg");
}

/* The rule of the last character's spare bits is what makes this hold for every place. */
static void check_every_byte(const JwkSet *keys, const char *token) {
        _cleanup_free_ char *copy = strdup(token);
        size_t length = strlen(token), taken = 0;
        static const char changes[] = {'A', 'z', '-', '.', '=', '\n', ' ', '\0', '~'};
        char why[JWS_WHY_MAX];

        for (size_t i = 0; i < length; i++) {
                for (size_t c = 0; c < ELEMENTSOF(changes) + 1; c++) {
                        copy[i] = c < ELEMENTSOF(changes) ? changes[c] : (char) (token[i] ^ 1);
                        if (copy[i] != token[i] && verify(keys, copy, length, why) >= 0)
                                taken++;
                }
                copy[i] = token[i];
        }
        CHECK_EQ_INT(taken, 0);
        for (size_t i = 0; i < length; i++)
                taken += verify(keys, token, i, why) >= 0;
        CHECK_EQ_INT(taken, 0);
}

TEST(changed_and_cut) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = set_from(ALL);
        _cleanup_free_ char *eddsa = sign_eddsa("{\"alg\":\"EdDSA\"}", 15, "{\"a\":1}");

        check_every_byte(keys, RS256_TOKEN);
        check_every_byte(keys, ES256_TOKEN);
        check_every_byte(keys, eddsa);
}

TEST(appended) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = set_from(ALL);

        check_refused(keys, ES256_TOKEN "A", -EKEYREJECTED, "no key of ours made");
        check_refused(keys, ES256_TOKEN "AAAA", -EKEYREJECTED, "no key of ours made");
        check_refused(keys, ES256_TOKEN "=", -EBADMSG, "base64url");
        check_refused(keys, ES256_TOKEN "\n", -EBADMSG, "base64url");
        check_refused(keys, ES256_TOKEN ".", -EBADMSG, "base64url");
        check_refused(keys, ES256_TOKEN ".AAAA", -EBADMSG, "base64url");
        check_refused(keys, " " ES256_TOKEN, -EBADMSG, "base64url");
        check_refused(keys, "", -EBADMSG, "three parts");
        check_refused(keys, "..", -EBADMSG, "three parts");
        check_refused(keys, "eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD, -EBADMSG, "three parts");
        check_refused(keys, "eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD ".", -EBADMSG, "three parts");
        check_refused(keys, "{\"payload\":\"\",\"signatures\":[]}", -EBADMSG, "three parts");
}

TEST(algorithms) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = set_from(ALL);
        static const char *const bad[] = {"none",  "None",  "HS256", "RS384", "PS256",
                                          "ES384", "es256", "eddsa", "",      "Ed448"};
        char header[128];

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                (void) snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", bad[i]);
                check_header(keys, header, -EBADMSG, "none of EdDSA, ES256, RS256");
        }
        check_header(keys, "{}", -EBADMSG, "none of EdDSA, ES256, RS256");
        check_header(keys, "{\"alg\":null}", -EBADMSG, "none of EdDSA, ES256, RS256");
        check_header(keys, "{\"alg\":[\"EdDSA\"]}", -EBADMSG, "none of EdDSA, ES256, RS256");
        check_header(keys, "{\"alg\":\"EdDSA\\u0000\"}", -EBADMSG, "not JSON");
        /* Signed by a key of ours, but under another algorithm's name. */
        check_header(keys, "{\"alg\":\"RS256\"}", -EKEYREJECTED, "no key of ours made");
        check_header(keys, "{\"alg\":\"ES256\"}", -EKEYREJECTED, "no key of ours made");
        check_header(keys, "{\"alg\":\"EdDSA\"}", 0, NULL);
}

TEST(kid) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = set_from(ALL);
        JIT_CLEANUP(jwk_set_freep)
        JwkSet *nameless = set_from(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" EDDSA_X "\"}"));

        check_header(keys, "{\"alg\":\"EdDSA\",\"kid\":\"o\"}", 0, NULL);
        check_header(keys, "{\"alg\":\"EdDSA\",\"kid\":\"r\"}", -EKEYREJECTED, "its kid and alg");
        check_header(keys, "{\"alg\":\"EdDSA\",\"kid\":\"O\"}", -EKEYREJECTED, "its kid and alg");
        check_header(keys, "{\"alg\":\"EdDSA\",\"kid\":\"\"}", -EKEYREJECTED, "its kid and alg");
        check_header(keys, "{\"alg\":\"EdDSA\",\"kid\":7}", -EBADMSG, "kid is no string");
        check_header(nameless, "{\"alg\":\"EdDSA\",\"kid\":\"o\"}", -EKEYREJECTED, "its kid and alg");
        check_header(nameless, "{\"alg\":\"EdDSA\"}", 0, NULL);
}

TEST(header_members) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = set_from(ALL);

        check_header(keys, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"cty\":\"json\",\"x5t\":\"AA\"}", 0, NULL);
        check_header(keys, "{\"alg\":\"EdDSA\",\"crit\":[\"exp\"]}", -EBADMSG, "\"crit\"");
        check_header(keys, "{\"alg\":\"EdDSA\",\"b64\":false,\"crit\":[\"b64\"]}", -EBADMSG, "\"crit\"");
        check_header(keys, "{\"alg\":\"EdDSA\",\"b64\":true}", -EBADMSG, "\"b64\"");
        check_header(keys, "{\"alg\":\"EdDSA\",\"jwk\":" JWK_EDDSA "}", -EBADMSG, "\"jwk\"");
        check_header(keys, "{\"alg\":\"EdDSA\",\"jku\":\"https://x.example/k\"}", -EBADMSG, "\"jku\"");
        check_header(keys, "{\"alg\":\"EdDSA\",\"x5u\":\"https://x.example/k\"}", -EBADMSG, "\"x5u\"");
        check_header(keys, "{\"alg\":\"EdDSA\",\"x5c\":[\"AA\"]}", -EBADMSG, "\"x5c\"");
        check_header(keys, "{\"alg\":\"EdDSA\",\"jwk\":null}", -EBADMSG, "\"jwk\"");
        check_header(keys, "{\"alg\":\"EdDSA\",\"zip\":\"DEF\"}", -EBADMSG, "\"zip\"");
        check_header(keys, "{\"alg\":\"none\",\"alg\":\"EdDSA\"}", -EBADMSG, "duplicate");
        check_header(keys, "{\"alg\":\"EdDSA\",\"kid\":\"o\",\"k\\u0069d\":\"o\"}", -EBADMSG, "duplicate");
        check_header(keys, "{\"alg\":\"EdDSA\"}x", -EBADMSG, "not JSON");
        check_header(keys, "[\"EdDSA\"]", -EBADMSG, "not a JSON object");
}

TEST(payloads) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = set_from(ALL);
        static const char *const bad[] = {"[]", "null", "{\"a\":1,\"a\":2}", "{\"a\":1", "{} {}", "\xff{}"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *token = sign_eddsa("{\"alg\":\"EdDSA\"}", 15, bad[i]);
                check_refused(keys, token, -EBADMSG, "its payload is not JSON");
        }
}

TEST(limits) {
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = set_from(ALL);
        _cleanup_free_ char *text = calloc(1, JWS_TEXT_MAX + 2);
        char why[JWS_WHY_MAX];

        memset(text, 'A', JWS_TEXT_MAX + 1);
        CHECK_EQ_INT(verify(keys, text, JWS_TEXT_MAX + 1, why), -EBADMSG);
        text[20] = text[JWS_TEXT_MAX - 4096] = '.'; /* a signature of 4 KiB, a header of NULs */
        CHECK_EQ_INT(verify(keys, text, JWS_TEXT_MAX, why), -EBADMSG);
        text[20] = 'A';
        text[6000] = '.';
        CHECK_EQ_INT(verify(keys, text, JWS_TEXT_MAX, why), -EBADMSG);
}

static void check_set_refused(const char *text, const char *why_part) {
        char why[JWS_WHY_MAX] = "";
        JwkSet *s = NULL;
        int r = jwk_set_parse(text, strlen(text), &s, why);

        if (r != -EBADMSG || s || !strstr(why, why_part))
                TEST_FAIL("%d \"%s\", not \"%s\": %.80s", r, why, why_part, text);
        jwk_set_free(s);
}

TEST(small_rsa) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 1024);
        unsigned char n[128];
        char *set = NULL;
        BIGNUM *bn = NULL;

        CHECK(key && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &bn) == 1 && BN_bn2binpad(bn, n, sizeof(n)) > 0);
        _cleanup_free_ char *text = encode(n, sizeof(n));
        CHECK(asprintf(&set, SET(JWK_EDDSA ",{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}"), text) > 0);
        check_set_refused(set, "1024 bits");
        free(set);
        BN_free(bn);
        EVP_PKEY_free(key);
}

TEST(key_sets) {
        check_set_refused("", "not a JWK set");
        check_set_refused("[]", "not a JWK set");
        check_set_refused("{}", "no list");
        check_set_refused("{\"keys\":{}}", "no list");
        check_set_refused(SET(""), "no key for");
        check_set_refused(SET("7"), "without kty");
        check_set_refused(SET("{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}"), "no key for");
        check_set_refused(SET("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}"), "no key for");
        check_set_refused(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"enc\",\"x\":\"" EDDSA_X "\"}"),
                          "no key for");
        check_set_refused(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"ES256\",\"x\":\"" EDDSA_X "\"}"),
                          "no key for");
        check_set_refused(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":[\"sign\"],\"x\":\"" EDDSA_X "\"}"),
                          "no key for");
        check_set_refused(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" EDDSA_X "\",\"d\":\"" EDDSA_D "\"}"),
                          "private part");
        check_set_refused(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" EDDSA_X "=\"}"), "32 bytes");
        check_set_refused(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"), "32 bytes");
        check_set_refused(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":1,\"x\":\"" EDDSA_X "\"}"), "a kid");
        check_set_refused(SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES256_X "\"}"), "32 bytes");
        check_set_refused(SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES256_Y "\",\"y\":\"" ES256_X "\"}"),
                          "no point");
        check_set_refused(SET("{\"kty\":\"RSA\",\"e\":\"AQAB\"}"), "without n or e");
        check_set_refused(SET("{\"kty\":\"RSA\",\"n\":\"" RS256_N "\",\"e\":\"AA\"}"), "is none");
        check_set_refused(SET("{\"kty\":\"RSA\",\"n\":\"" RS256_N RS256_N RS256_N RS256_N RS256_N "\",\"e\":\"AQAB\"}"),
                          "8192 bits");

        JIT_CLEANUP(jwk_set_freep)
        JwkSet *some = set_from(SET("{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"new\"},"
                                    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\",\"alg\":\"EdDSA\",\"key_"
                                    "ops\":[\"verify\"],\"x\":\"" EDDSA_X "\"}"));
        check_header(some, "{\"alg\":\"EdDSA\"}", 0, NULL);
}

TEST(key_files) {
        char folder[] = "/tmp/test-jws-XXXXXX", path[64], why[JWS_WHY_MAX] = "";
        JIT_CLEANUP(jwk_set_freep) JwkSet *keys = NULL;
        FILE *f;

        CHECK(mkdtemp(folder) != NULL);
        (void) snprintf(path, sizeof(path), "%s/keys.json", folder);
        CHECK_EQ_INT(jwk_set_load(path, &keys, why), -EBADMSG);
        CHECK(strstr(why, "No such file") != NULL);
        f = fopen(path, "we");
        CHECK(f && fputs(ALL, f) >= 0 && fclose(f) == 0);
        CHECK_EQ_INT(chmod(path, 0666), 0);
        CHECK_EQ_INT(jwk_set_load(path, &keys, why), -EBADMSG);
        CHECK_EQ_INT(chmod(path, 0644), 0);
        CHECK_EQ_INT(jwk_set_load(path, &keys, why), 0);
        (void) unlink(path);
        (void) rmdir(folder);
}

TEST(base64url) {
        static const struct {
                const char *text;
                int length; /* or negative errno */
        } cases[] = {{"", 0},           {"AA", 1},          {"AAA", 2},         {"AAAA", 3},
                     {"_-8", 2},        {"A", -EBADMSG},    {"AB", -EBADMSG},   {"AAB", -EBADMSG},
                     {"+/8", -EBADMSG}, {"AA==", -EBADMSG}, {"AA A", -EBADMSG}, {"AAAAA", -EBADMSG}};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ unsigned char *data = NULL;
                size_t length = 0;
                int r = base64url_decode(cases[i].text, strlen(cases[i].text), &data, &length);

                CHECK_EQ_INT(r < 0 ? r : (int) length, cases[i].length);
        }
}

TEST_MAIN
