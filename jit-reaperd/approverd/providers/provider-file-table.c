/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "provider-reader.h"
#include "url-origin.h"

/* The settings that a provider's file has once, and their kinds of values. jit-provider(5) says the same in words. */

enum { TOKEN_MAX = 64, CREDENTIAL_NAME_MAX = 64, PROGRAM_NAME_MAX = 64, PIN_LENGTH = 44 /* base64 of 32 bytes */ };

static void *field(const ConfigKey *key, void *target) {
        return (char *) target + key->offset;
}

static int word_parse(const char *const *words, const char *value) {
        for (int i = 0; words[i]; i++)
                if (streq(words[i], value))
                        return i;
        return -EINVAL;
}

static int kind_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        static const char *const words[] = {[PROVIDER_FILE_TICKETS] = "http", [PROVIDER_FILE_POLICY] = "policy", NULL};
        int i = word_parse(words, value);

        (void) ret_why;
        if (i >= 0)
                *(ProviderFileKind *) field(key, target) = (ProviderFileKind) i;
        return i < 0 ? i : 0;
}

static int login_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        static const char *const words[] = {
                        [LOGIN_NONE] = "none",     [LOGIN_BEARER] = "bearer", [LOGIN_BASIC] = "basic",
                        [LOGIN_HEADER] = "header", [LOGIN_OAUTH2] = "oauth2", NULL};
        int i = word_parse(words, value);

        (void) ret_why;
        if (i >= 0)
                *(HttpLoginKind *) field(key, target) = (HttpLoginKind) i;
        return i < 0 ? i : 0;
}

static bool text_is_of(const char *text, const char *others) {
        for (; *text; text++)
                if (!isalnum((unsigned char) *text) && !strchr(others, *text))
                        return false;
        return true;
}

bool http_token_is_valid(const char *text) {
        return *text && strlen(text) <= TOKEN_MAX && text_is_of(text, "!#$%&'*+-.^_`|~");
}

bool program_name_is_valid(const char *name) {
        size_t n = strlen(name);

        return n > 3 && n <= PROGRAM_NAME_MAX && name[0] != '.' && streq(name + n - 3, ".jq") &&
               text_is_of(name, "._-");
}

static int checked_text(const ConfigKey *key, const char *value, void *target, bool valid, const char **ret_why) {
        return valid ? config_value_text(key, value, target, ret_why) : -EINVAL;
}

static int token_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        return checked_text(key, value, target, http_token_is_valid(value), ret_why);
}

static int program_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        return checked_text(key, value, target, program_name_is_valid(value), ret_why);
}

static int credential_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        return checked_text(key, value, target, value[0] != '.' && text_is_of(value, "._-"), ret_why);
}

static int ascii_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        for (const char *p = value; *p; p++)
                if ((unsigned char) *p < 0x20 || (unsigned char) *p >= 0x7f)
                        return -EINVAL;
        return config_value_text(key, value, target, ret_why);
}

static int token_url_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        JIT_CLEANUP(url_template_freep) UrlTemplate *t = NULL;
        char why[TEMPLATE_WHY_MAX];

        int r = url_template_parse(TEMPLATE_URL, value, &t, why);
        if (r < 0)
                return r == -ENOMEM ? r : -EINVAL;
        return checked_text(key, value, target, !url_template_names(t)[0], ret_why);
}

static int proxy_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        _cleanup_free_ char *origin = NULL;
        size_t length = 0;

        const char *fault = url_origin_parse(value, &length, &origin);
        if (fault)
                return -EINVAL;
        if (!origin)
                return -ENOMEM;
        return checked_text(key, value, target, value[length] == '\0' || streq(value + length, "/"), ret_why);
}

/* "sha256//BASE64", several with ';' between them, as CURLOPT_PINNEDPUBLICKEY(3) has it. */
static int pin_parse(const ConfigKey *key, const char *value, void *target, const char **ret_why) {
        static const char prefix[] = "sha256//";
        const char *p = value;

        for (;;) {
                if (strncmp(p, prefix, strlen(prefix)) != 0)
                        return -EINVAL;
                p += strlen(prefix);
                size_t n = strcspn(p, ";");
                if (n != PIN_LENGTH || p[PIN_LENGTH - 1] != '=')
                        return -EINVAL;
                for (size_t i = 0; i + 1 < n; i++)
                        if (!isalnum((unsigned char) p[i]) && p[i] != '+' && p[i] != '/')
                                return -EINVAL;
                p += n;
                if (*p == '\0')
                        break;
                p++;
        }
        return config_value_text(key, value, target, ret_why);
}

#define FILE_MEMBER(member) offsetof(ProviderFile, member)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)

/* clang-format off */
const ConfigKey provider_keys[] = {
        {"Provider", "Kind", kind_parse, FILE_MEMBER(kind), 0, 0, NULL, "must be http or policy", false},
        {"Provider", "Ticket", config_value_text, FILE_MEMBER(ticket_pattern), 1, 120, NULL,
         "must be a regular expression of at most 120 characters", false},
        {"Provider", "Upper", config_value_bool, FILE_MEMBER(upper), 0, 0, "no", "must be yes or no", false},
        {"Provider", "Program", program_parse, FILE_MEMBER(program_name), 4, PROGRAM_NAME_MAX, NULL,
         "must be NAME.jq in the same folder, of letters, digits and . _ -", false},
        {"Provider", "Context", config_value_bool, FILE_MEMBER(context), 0, 0, "no", "must be yes or no", false},
        {"Provider", "TimeoutSec", config_value_span, FILE_MEMBER(timeout_usec), USEC_PER_SEC, 30 * USEC_PER_SEC, "8s",
         "must be a time span from 1s to 30s", false},
        {"Provider", "CacheSec", config_value_span, FILE_MEMBER(cache_usec), 0, USEC_PER_MINUTE, "2s",
         "must be a time span from 0 to 60s", false},
        {"Provider", "NegativeCacheSec", config_value_span, FILE_MEMBER(negative_usec), 0, 5 * USEC_PER_MINUTE, "10s",
         "must be a time span from 0 to 5min", false},
        {"Provider", "RecheckSec", config_value_span, FILE_MEMBER(recheck_usec), USEC_PER_SEC, 10 * USEC_PER_MINUTE,
         "15s", "must be a time span from 1s to 10min", false},
        {"Provider", "GraceSec", config_value_span, FILE_MEMBER(grace_usec), 0, USEC_PER_DAY, "10min",
         "must be a time span from 0 to 1d", false},
        {"Server", "CAFile", config_value_path, FILE_MEMBER(ca_file), 0, 1024, NULL,
         "must be the absolute path of a file", false},
        {"Server", "PinnedKey", pin_parse, FILE_MEMBER(pinned_key), 1, CONFIG_LINE_MAX, NULL,
         "must be sha256// and the base64 of 32 bytes, or several of that with ';' between them", false},
        {"Server", "ClientCertificate", credential_parse, FILE_MEMBER(client_cert), 1, CREDENTIAL_NAME_MAX, NULL,
         "must be the name of a credential: letters, digits and . _ -", false},
        {"Server", "ClientKey", credential_parse, FILE_MEMBER(client_key), 1, CREDENTIAL_NAME_MAX, NULL,
         "must be the name of a credential: letters, digits and . _ -", false},
        {"Server", "Proxy", proxy_parse, FILE_MEMBER(proxy), 1, CONFIG_LINE_MAX, NULL,
         "must be http://HOST:PORT or https://HOST:PORT", false},
        {"Server", "AllowPlain", config_value_bool, FILE_MEMBER(allow_plain), 0, 0, "no", "must be yes or no", false},
        {"Server", "ConnectionsMax", config_value_unsigned, FILE_MEMBER(connections_max), 1, 64, "8",
         "must be a number from 1 to 64", false},
        {"Server", "QueueMax", config_value_unsigned, FILE_MEMBER(queue_max), 1, 4096, "256",
         "must be a number from 1 to 4096", false},
        {"Server", "RatePerSec", config_value_unsigned, FILE_MEMBER(rate_per_sec), 1, 1000, "50",
         "must be a number from 1 to 1000", false},
        {"Server", "RateBurst", config_value_unsigned, FILE_MEMBER(rate_burst), 1, 1000, "100",
         "must be a number from 1 to 1000", false},
        {"Login", "Kind", login_parse, FILE_MEMBER(login), 0, 0, "none",
         "must be none, bearer, basic, header or oauth2", false},
        {"Login", "Credential", credential_parse, FILE_MEMBER(credential), 1, CREDENTIAL_NAME_MAX, NULL,
         "must be the name of a credential: letters, digits and . _ -", false},
        {"Login", "Header", token_parse, FILE_MEMBER(login_header), 1, TOKEN_MAX, NULL,
         "must be one word as RFC 9110 has it: a scheme (Kind=bearer) or a header's name (Kind=header)", false},
        {"Login", "TokenURL", token_url_parse, FILE_MEMBER(token_url), 1, CONFIG_LINE_MAX, NULL,
         "must be an https URL without names in braces", false},
        {"Login", "ClientId", ascii_parse, FILE_MEMBER(client_id), 1, 128, NULL,
         "must be at most 128 printable ASCII characters", false},
        {"Login", "Scope", ascii_parse, FILE_MEMBER(scope), 1, CONFIG_LINE_MAX, NULL,
         "must be printable ASCII", false},
        {"Answer", "KeysFile", config_value_path, FILE_MEMBER(jwks_file), 0, 1024, NULL,
         "must be the absolute path of a file", false},
        {"Answer", "Unsigned", config_value_bool, FILE_MEMBER(unsigned_answers), 0, 0, "no", "must be yes or no", false},
        {},
};
/* clang-format on */
_Static_assert(ELEMENTSOF(provider_keys) <= 32, "ConfigTable.seen is too narrow");

bool provider_key_is_set(const ProviderReader *r, const char *section, const char *name) {
        for (const ConfigKey *key = provider_keys; key->name; key++)
                if (streq(key->section, section) && streq(key->name, name))
                        return r->table.seen >> (key - provider_keys) & 1;
        return false;
}
