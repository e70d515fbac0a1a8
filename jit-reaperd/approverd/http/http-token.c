/* SPDX-License-Identifier: Apache-2.0 */

#include "http-token.h"
#include "json.h"

bool token_is_valid(const char *token) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
        size_t n = strspn(token, letters), length = n + strspn(token + n, "=");

        return n > 0 && length <= TOKEN_MAX && token[length] == '\0';
}

bool header_value_is_valid(const char *value) {
        size_t n = 0;

        for (; value[n]; n++)
                if (value[n] < ' ' || value[n] > '~')
                        return false;
        return n > 0 && n <= HEADER_VALUE_MAX;
}

/* application/x-www-form-urlencoded; NULL: no memory. */
static char *form_encode(const char *text) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
        char *ret = malloc(3 * strlen(text) + 1), *to = ret;

        if (!ret)
                return NULL;
        for (; *text; text++)
                if (strchr(plain, *text))
                        *to++ = *text;
                else if (*text == ' ')
                        *to++ = '+';
                else
                        to += snprintf(to, 4, "%%%02X", (unsigned char) *text);
        *to = '\0';
        return ret;
}

int token_login(const char *client_id, const char *secret, char **ret) {
        char *id = form_encode(client_id), *encoded = form_encode(secret), *login = NULL;
        bool good = id && encoded && asprintf(&login, "%s:%s", id, encoded) >= 0;

        credential_free(encoded);
        free(id);
        if (!good)
                return -ENOMEM;
        *ret = login;
        return 0;
}

int token_body(const char *scope, char **ret) {
        _cleanup_free_ char *encoded = NULL;
        char *body;

        if (scope && !(encoded = form_encode(scope)))
                return -ENOMEM;
        if (asprintf(&body, "grant_type=client_credentials%s%s", encoded ? "&scope=" : "", encoded ?: "") < 0)
                return -ENOMEM;
        *ret = body;
        return 0;
}

/* ---- the answer: RFC 6749 sections 5.1 and 5.2 ---- */

typedef struct TokenAnswer {
        char *access_token, *token_type, *error;
        uint64_t expires_in; /* seconds */
} TokenAnswer;

static const JsonField token_fields[] = {
                {"access_token", JSON_FIELD_STRING, offsetof(TokenAnswer, access_token), TOKEN_MAX, 0},
                {"token_type", JSON_FIELD_STRING, offsetof(TokenAnswer, token_type), 32, 0},
                {"expires_in", JSON_FIELD_UINT, offsetof(TokenAnswer, expires_in), INT32_MAX, 0},
                {"error", JSON_FIELD_STRING, offsetof(TokenAnswer, error), 64, 0},
                {0},
};

static void token_answer_clear(TokenAnswer *a) {
        credential_free(a->access_token);
        free(a->token_type);
        free(a->error);
}

/* The other members are the server's own, and to be ignored (section 5.1). */
static int known_members(const json_t *all, json_t **ret) {
        _cleanup_json_ json_t *known = json_object();

        for (const JsonField *f = token_fields; f->name; f++) {
                json_t *value = json_object_get(all, f->name);

                if (value && json_object_set(known, f->name, value) < 0)
                        return -ENOMEM;
        }
        if (!known)
                return -ENOMEM;
        *ret = take_ptr(known);
        return 0;
}

static int answer_dispatch(const HttpAnswer *answer, TokenAnswer *ret) {
        _cleanup_json_ json_t *all = NULL;
        _cleanup_json_ json_t *known = NULL;
        int r;

        if ((r = json_parse_strict(answer->body, answer->length, TOKEN_ANSWER_MAX, &all, NULL)) < 0 ||
            (r = known_members(all, &known)) < 0)
                return r;
        if (json_object_get(known, "expires_in") == NULL)
                ret->expires_in = TOKEN_LIFE_USEC_UNSAID / USEC_PER_SEC;
        return json_dispatch(known, token_fields, ret, NULL);
}

ProviderResult token_parse(const HttpAnswer *answer, char **ret_header, uint64_t *ret_life_usec, char *ret_why) {
        JIT_CLEANUP(token_answer_clear) TokenAnswer a = {0};
        uint64_t life;
        int r;

        if (answer->result != PROVIDER_OK && answer->result != PROVIDER_LOGIN) {
                (void) snprintf(ret_why, HTTP_WHY_MAX, "no token: %.200s", answer->why);
                return answer->result;
        }
        r = answer_dispatch(answer, &a);
        if (answer->status < 200 || answer->status > 299) {
                (void) snprintf(ret_why, HTTP_WHY_MAX, "no token: HTTP status %u%s%s", answer->status,
                                a.error ? ", " : "", a.error ?: "");
                return PROVIDER_LOGIN;
        }
        if (r < 0 || !a.access_token || !token_is_valid(a.access_token) || !a.token_type ||
            strcasecmp(a.token_type, "Bearer") != 0 || a.expires_in == 0) {
                (void) snprintf(ret_why, HTTP_WHY_MAX, "no token: the answer is none of RFC 6749");
                return PROVIDER_LOGIN;
        }
        if (asprintf(ret_header, "Authorization: Bearer %s", a.access_token) < 0) {
                *ret_header = NULL;
                (void) snprintf(ret_why, HTTP_WHY_MAX, "no memory");
                return PROVIDER_NO_MEMORY;
        }
        life = a.expires_in * USEC_PER_SEC;
        *ret_life_usec = life < TOKEN_LIFE_USEC_MAX ? life : TOKEN_LIFE_USEC_MAX;
        return PROVIDER_OK;
}
