/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "provider-reader.h"

/* [Request NAME], [Stream], [Comment] and [Create]: one table, with where each key may stand. */

enum {
        PLACE_REQUEST = 1,
        PLACE_STREAM = 2,
        PLACE_COMMENT = 4,
        PLACE_CREATE = 8,
        PLACE_ANY = PLACE_REQUEST | PLACE_STREAM | PLACE_COMMENT | PLACE_CREATE,
};

enum { VALUE_NAME_MAX = 31, QUERY_NAME_MAX = 64, NULL_STATUSES_MAX = 8 };

static const char request_prefix[] = "Request ";

/* [a-z][a-z0-9_]*: a request's, a value's. */
static bool value_name_is_valid(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= VALUE_NAME_MAX && name[0] >= 'a' && name[0] <= 'z' &&
               strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static int method_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        static const char *const methods[] = {"GET", "POST", "PUT", "PATCH"};

        (void) r;
        for (size_t i = 0; i < ELEMENTSOF(methods); i++)
                if (streq(methods[i], value)) {
                        q->method = strdup(value);
                        return q->method ? 0 : -ENOMEM;
                }
        return assign_refuse(ret_why, "Method", "must be GET, POST, PUT or PATCH, not \"%.60s\"", value);
}

static int url_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        char why[TEMPLATE_WHY_MAX] = "";

        (void) r;
        int result = url_template_parse(TEMPLATE_URL, value, &q->url, why);
        return result == -EBADMSG ? assign_refuse(ret_why, "URL", "\"%.160s\" %s", value, why) : result;
}

/* name and value are of the caller; the pair takes copies. */
static int pair_add(ProviderPair *pairs, size_t *n, const char *name, TemplateKind kind, const char *text,
                    const char *key, char *ret_why) {
        JIT_CLEANUP(url_template_freep) UrlTemplate *t = NULL;
        _cleanup_free_ char *copy = NULL;
        char why[TEMPLATE_WHY_MAX] = "";

        int r = url_template_parse(kind, text, &t, why);
        if (r == -EBADMSG)
                return assign_refuse(ret_why, key, "\"%.160s\" %s", text, why);
        if (r >= 0 && kind == TEMPLATE_QUERY)
                r = url_encode(name, &copy);
        else if (r >= 0 && !(copy = strdup(name)))
                r = -ENOMEM;
        if (r < 0)
                return r;
        pairs[(*n)++] = (ProviderPair){.name = take_ptr(copy), .value = take_ptr(t)};
        return 0;
}

static int query_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        size_t n = strcspn(value, "=");
        char name[QUERY_NAME_MAX + 1];

        (void) r;
        if (value[n] != '=' || n == 0 || n > QUERY_NAME_MAX)
                return assign_refuse(ret_why, "Query",
                                     "must be NAME=TEXT, a name of at most 64 characters, not \"%.100s\"", value);
        memcpy(name, value, n);
        name[n] = '\0';
        for (const char *p = name; *p; p++)
                if ((unsigned char) *p <= 0x20 || (unsigned char) *p >= 0x7f || strchr("{}&#?", *p))
                        return assign_refuse(ret_why, "Query",
                                             "the name \"%.64s\" has a blank, one of { } & # ?, or another character "
                                             "than printable ASCII",
                                             name);
        if (q->n_queries == PROVIDER_QUERIES_MAX)
                return assign_refuse(ret_why, "Query", "is one too many: at most 16 in a request");
        return pair_add(q->queries, &q->n_queries, name, TEMPLATE_QUERY, value + n + 1, "Query", ret_why);
}

/* What the request's sender, libcurl or [Login] sets, and what would change how the message is framed. */
static bool header_is_ours(const char *name) {
        static const char *const ours[] = {"Authorization",
                                           "Host",
                                           "Content-Length",
                                           "Content-Encoding",
                                           "Accept-Encoding",
                                           "Connection",
                                           "Transfer-Encoding",
                                           "Cookie",
                                           "TE",
                                           "Trailer",
                                           "Upgrade",
                                           "Expect",
                                           "Keep-Alive",
                                           "Range"};

        for (size_t i = 0; i < ELEMENTSOF(ours); i++)
                if (strcasecmp(ours[i], name) == 0)
                        return true;
        return strncasecmp(name, "Proxy-", 6) == 0;
}

static int header_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        size_t n = strcspn(value, ":");
        _cleanup_free_ char *name = strndup(value, n);

        (void) r;
        if (!name)
                return -ENOMEM;
        if (value[n] != ':' || !http_token_is_valid(name))
                return assign_refuse(ret_why, "Header", "must be NAME: TEXT, a name as RFC 9110 has it, not \"%.100s\"",
                                     value);
        if (header_is_ours(name))
                return assign_refuse(ret_why, "Header",
                                     "\"%.64s\" cannot be set here: [Login], Body= and the connection "
                                     "say what it is",
                                     name);
        for (size_t i = 0; i < q->n_headers; i++)
                if (strcasecmp(q->headers[i].name, name) == 0)
                        return assign_refuse(ret_why, "Header", "\"%.64s\" is set twice", name);
        if (q->n_headers == PROVIDER_HEADERS_MAX)
                return assign_refuse(ret_why, "Header", "is one too many: at most 8 in a request");
        const char *text = value + n + 1;
        return pair_add(q->headers, &q->n_headers, name, TEMPLATE_HEADER, text + strspn(text, " \t"), "Header",
                        ret_why);
}

static int body_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        char why[PROVIDER_WHY_MAX] = "";

        if (!program_name_is_valid(value))
                return assign_refuse(ret_why, "Body",
                                     "must be NAME.jq in the same folder, of letters, digits and . _ -, not \"%.100s\"",
                                     value);
        int result = reader_program_load(r, value, &q->body, why);
        return result == -EBADMSG ? assign_refuse(ret_why, "Body", "%.400s", why) : result;
}

static int each_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        (void) r;
        if (!value_name_is_valid(value))
                return assign_refuse(ret_why, "ForEach", "must be the name of a value, not \"%.60s\"", value);
        q->each = strdup(value);
        return q->each ? 0 : -ENOMEM;
}

/* 401, 403 and 429 have a meaning of their own whatever a file says. */
static bool null_status_is_valid(const char *text, unsigned *ret) {
        if (strlen(text) != 3 || text[0] != '4' || strspn(text, "0123456789") != 3)
                return false;
        *ret = 400 + (unsigned) (text[1] - '0') * 10 + (unsigned) (text[2] - '0');
        return *ret != 401 && *ret != 403 && *ret != 429;
}

static int null_status_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        _cleanup_free_ unsigned *statuses = NULL;
        _cleanup_free_ char *copy = strdup(value);
        char *state = NULL;
        size_t n = 0;

        (void) r;
        if (!copy || !(statuses = calloc(NULL_STATUSES_MAX + 1, sizeof(unsigned))))
                return -ENOMEM;
        if (!streq(value, "none"))
                for (char *word = strtok_r(copy, " \t", &state); word; word = strtok_r(NULL, " \t", &state))
                        if (n == NULL_STATUSES_MAX || !null_status_is_valid(word, &statuses[n++]))
                                return assign_refuse(ret_why, "NullStatus",
                                                     "must be none, or at most 8 statuses from 400 to 499 without 401, "
                                                     "403 and 429, not \"%.100s\"",
                                                     value);
        q->null_statuses = take_ptr(statuses);
        return 0;
}

static bool value_exists(const ProviderFile *f, const char *name) {
        for (size_t i = 0; i < f->n_requests; i++)
                for (size_t j = 0; j < f->requests[i].n_values; j++)
                        if (streq(f->requests[i].values[j].name, name))
                                return true;
        return false;
}

static int value_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        size_t n = strcspn(value, " \t");
        _cleanup_free_ char *name = strndup(value, n);
        const char *program = value + n + strspn(value + n, " \t");
        char why[PROVIDER_WHY_MAX] = "";

        if (!name)
                return -ENOMEM;
        if (!value_name_is_valid(name) || !*program)
                return assign_refuse(ret_why, "Value",
                                     "must be NAME PROGRAM, a name of a-z, 0-9 and _, a letter first, at most 31 "
                                     "characters, not \"%.100s\"",
                                     value);
        if (streq(name, "ticket") || streq(name, "host"))
                return assign_refuse(ret_why, "Value", "{%s} means something else already", name);
        if (value_exists(r->file, name))
                return assign_refuse(ret_why, "Value", "there is a value \"%.31s\" already", name);
        if (q->n_values == PROVIDER_VALUES_MAX)
                return assign_refuse(ret_why, "Value", "is one too many: at most 8 in a request");
        int result = reader_program_compile(r, program, &q->values[q->n_values].program, why);
        if (result < 0)
                return result == -EBADMSG ? assign_refuse(ret_why, "Value", "%.400s", why) : result;
        q->values[q->n_values++].name = take_ptr(name);
        return 0;
}

static int safe_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        const ConfigKey key = {.name = "Safe", .offset = offsetof(ProviderRequest, safe)};
        const char *why = NULL;

        (void) r;
        if (config_value_bool(&key, value, q, &why) < 0)
                return assign_refuse(ret_why, "Safe", "must be yes or no, not \"%.60s\"", value);
        return 0;
}

static int stream_kind_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        (void) q;
        if (!streq(value, "sse") && !streq(value, "poll"))
                return assign_refuse(ret_why, "Kind", "must be sse or poll, not \"%.60s\"", value);
        r->file->stream_kind = streq(value, "poll") ? STREAM_POLL : STREAM_SSE;
        return 0;
}

static int ticket_assign(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why) {
        char why[PROVIDER_WHY_MAX] = "";

        int result = reader_program_compile(r, value, &q->ticket, why);
        return result == -EBADMSG ? assign_refuse(ret_why, "Ticket", "%.400s", why) : result;
}

static const struct RequestKey {
        const char *name;
        unsigned places;
        bool list;
        int (*assign)(ProviderReader *r, ProviderRequest *q, const char *value, char *ret_why);
} request_keys[] = {
                {"Method", PLACE_REQUEST | PLACE_COMMENT | PLACE_CREATE, false, method_assign},
                {"URL", PLACE_ANY, false, url_assign},
                {"Query", PLACE_ANY, true, query_assign},
                {"Header", PLACE_ANY, true, header_assign},
                {"Body", PLACE_REQUEST | PLACE_COMMENT | PLACE_CREATE, false, body_assign},
                {"ForEach", PLACE_REQUEST, false, each_assign},
                {"NullStatus", PLACE_REQUEST, false, null_status_assign},
                {"Value", PLACE_REQUEST, true, value_assign},
                {"Safe", PLACE_REQUEST, false, safe_assign},
                {"Kind", PLACE_STREAM, false, stream_kind_assign},
                {"Ticket", PLACE_STREAM | PLACE_CREATE, false, ticket_assign},
};

/* ---- sections ---- */

static const struct {
        const char *section;
        unsigned place;
        size_t offset;
} singles[] = {
                {"Stream", PLACE_STREAM, offsetof(ProviderFile, stream)},
                {"Comment", PLACE_COMMENT, offsetof(ProviderFile, comment)},
                {"Create", PLACE_CREATE, offsetof(ProviderFile, create)},
};

bool request_section(const char *section) {
        for (size_t i = 0; i < ELEMENTSOF(singles); i++)
                if (streq(singles[i].section, section))
                        return true;
        return strncmp(section, request_prefix, strlen(request_prefix)) == 0;
}

static int single_get(ProviderReader *r, size_t i, ProviderRequest **ret, uint32_t **ret_seen) {
        ProviderRequest **q = (ProviderRequest **) (void *) ((char *) r->file + singles[i].offset);

        if (!*q) {
                *q = calloc(1, sizeof(**q));
                if (!*q || !((*q)->name = strdup(singles[i].section)))
                        return -ENOMEM;
        }
        *ret = *q;
        *ret_seen = &r->seen[PROVIDER_REQUESTS_MAX + i];
        return 0;
}

static int request_get(ProviderReader *r, const char *name, ProviderRequest **ret, uint32_t **ret_seen, char *ret_why) {
        ProviderFile *f = r->file;
        size_t i = 0;

        if (!value_name_is_valid(name)) {
                (void) snprintf(ret_why, CONFIG_WHY_MAX,
                                "[Request %.40s]: a request's name is of a-z, 0-9 and _, a letter first, at most 31 "
                                "characters",
                                name);
                return -EBADMSG;
        }
        while (i < f->n_requests && !streq(f->requests[i].name, name))
                i++;
        if (i == PROVIDER_REQUESTS_MAX) {
                (void) snprintf(ret_why, CONFIG_WHY_MAX, "[Request %.31s]: is one too many: at most 8", name);
                return -EBADMSG;
        }
        if (i == f->n_requests) {
                f->requests[i].name = strdup(name);
                if (!f->requests[i].name)
                        return -ENOMEM;
                f->n_requests++;
        }
        *ret = &f->requests[i];
        *ret_seen = &r->seen[i];
        return 0;
}

int request_assign(ProviderReader *r, const char *section, const char *name, const char *value, char *ret_why) {
        const struct RequestKey *key = NULL;
        ProviderRequest *q = NULL;
        uint32_t *seen = NULL;
        unsigned place = PLACE_REQUEST;
        size_t single = 0;

        while (single < ELEMENTSOF(singles) && !streq(singles[single].section, section))
                single++;
        if (single < ELEMENTSOF(singles))
                place = singles[single].place;
        int result = place == PLACE_REQUEST ? request_get(r, section + strlen(request_prefix), &q, &seen, ret_why)
                                            : single_get(r, single, &q, &seen);
        if (result < 0)
                return result;

        for (size_t i = 0; i < ELEMENTSOF(request_keys); i++)
                if (streq(request_keys[i].name, name))
                        key = request_keys + i;
        if (!key || !(key->places & place))
                return assign_refuse(ret_why, name, "unknown key in section [%.49s]", section);
        uint32_t bit = UINT32_C(1) << (key - request_keys);
        if (!key->list && (*seen & bit))
                return assign_refuse(ret_why, name, "set twice in section [%.49s]", section);
        *seen |= bit;
        return key->assign(r, q, value, ret_why);
}

bool request_key_is_set(const ProviderReader *r, const ProviderRequest *q, const char *name) {
        size_t place = 0, key = 0;

        while (place < r->file->n_requests && q != &r->file->requests[place])
                place++;
        if (place == r->file->n_requests)
                for (size_t i = 0; i < ELEMENTSOF(singles); i++)
                        if (streq(singles[i].section, q->name))
                                place = PROVIDER_REQUESTS_MAX + i;
        while (key < ELEMENTSOF(request_keys) && !streq(request_keys[key].name, name))
                key++;
        return r->seen[place] >> key & 1;
}

void provider_request_clear(ProviderRequest *q) {
        for (size_t i = 0; i < q->n_queries; i++) {
                free(q->queries[i].name);
                url_template_free(q->queries[i].value);
        }
        for (size_t i = 0; i < q->n_headers; i++) {
                free(q->headers[i].name);
                url_template_free(q->headers[i].value);
        }
        for (size_t i = 0; i < q->n_values; i++) {
                free(q->values[i].name);
                jq_program_free(q->values[i].program);
        }
        free(q->name);
        free(q->method);
        url_template_free(q->url);
        jq_program_free(q->body);
        free(q->each);
        free(q->null_statuses);
        jq_program_free(q->ticket);
        *q = (ProviderRequest){};
}

ProviderRequest *provider_request_free(ProviderRequest *q) {
        if (q) {
                provider_request_clear(q);
                free(q);
        }
        return NULL;
}
