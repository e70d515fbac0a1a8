/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "provider-reader.h"

/* What can be said only when the whole file has been read: what is missing, and what does not fit together. */

typedef int (*check_t)(const ProviderReader *r);

/* As the file has it, for messages and for finding lines. */
static const char *request_section_name(const ProviderReader *r, const ProviderRequest *q, char *buffer, size_t size) {
        bool named = q >= r->file->requests && q < r->file->requests + r->file->n_requests;

        (void) snprintf(buffer, size, "%s%s", named ? "Request " : "", q->name);
        return buffer;
}

#define SECTION(r, q) request_section_name(r, q, (char[64]){}, 64)

/* Calls check for each request, then the stream, the comment and the creation, if there are such. */
static int each_request(ProviderReader *r, int (*check)(ProviderReader *r, ProviderRequest *q)) {
        ProviderFile *f = r->file;
        ProviderRequest *const singles[] = {f->stream, f->comment, f->create};
        int result = 0;

        for (size_t i = 0; i < f->n_requests && result >= 0; i++)
                result = check(r, &f->requests[i]);
        for (size_t i = 0; i < ELEMENTSOF(singles) && result >= 0; i++)
                if (singles[i])
                        result = check(r, singles[i]);
        return result;
}

/* libinih says nothing of a section without keys, but its author meant something by it. */
static int sections_check(const ProviderReader *r) {
        const char *end = r->text + r->length;

        for (const char *line = r->text, *next; line < end; line = next) {
                const char *newline = memchr(line, '\n', (size_t) (end - line));
                const char *bracket = memchr(line, ']', (size_t) ((newline ? newline : end) - line));
                char section[64] = "";

                next = newline ? newline + 1 : end;
                if (line[0] != '[' || !bracket)
                        continue;
                (void) snprintf(section, sizeof(section), "%.*s", (int) (bracket - line - 1), line + 1);
                if (!strv_contains(r->sections, section))
                        return reader_refuse(r, section, NULL, 0, "[%.60s] has no keys", section);
        }
        return 0;
}

static int kind_check(const ProviderReader *r) {
        static const char *const not_for_policy[][2] = {
                        {"Provider", "Ticket"},           {"Provider", "Upper"},
                        {"Provider", "Context"},          {"Provider", "CacheSec"},
                        {"Provider", "NegativeCacheSec"}, {"Provider", "RecheckSec"},
                        {"Provider", "GraceSec"},         {"Answer", "KeysFile"},
                        {"Answer", "Unsigned"},
        };
        ProviderFile *f = r->file;

        if (!provider_key_is_set(r, "Provider", "Kind"))
                return reader_refuse(r, "Provider", NULL, 0, "[Provider] needs Kind=http or Kind=policy");
        if (f->kind == PROVIDER_FILE_TICKETS) {
                if (!f->ticket_pattern)
                        return reader_refuse(r, "Provider", NULL, 0,
                                             "[Provider] needs Ticket=, the pattern of its tickets' names");
                const char *fault = provider_pattern_compile(f);
                return fault ? reader_refuse(r, "Provider", "Ticket", 0, "\"%s\" %s", f->ticket_pattern, fault) : 0;
        }

        for (size_t i = 0; i < ELEMENTSOF(not_for_policy); i++)
                if (provider_key_is_set(r, not_for_policy[i][0], not_for_policy[i][1]))
                        return reader_refuse(r, not_for_policy[i][0], not_for_policy[i][1], 0,
                                             "means nothing with Kind=policy");
        const ProviderRequest *const singles[] = {f->stream, f->comment, f->create};
        for (size_t i = 0; i < ELEMENTSOF(singles); i++)
                if (singles[i])
                        return reader_refuse(r, singles[i]->name, NULL, 0, "[%s] means nothing with Kind=policy",
                                             singles[i]->name);
        if (f->n_requests > 1)
                return reader_refuse(r, SECTION(r, &f->requests[1]), NULL, 0, "Kind=policy has one request only");
        return 0;
}

static int times_check(const ProviderReader *r) {
        const ProviderFile *f = r->file;

        if (f->kind == PROVIDER_FILE_TICKETS && f->cache_usec > f->recheck_usec)
                return reader_refuse(r, "Provider",
                                     provider_key_is_set(r, "Provider", "CacheSec") ? "CacheSec" : "RecheckSec", 0,
                                     "CacheSec= must not be longer than RecheckSec=: live grants would be judged by "
                                     "old answers");
        return 0;
}

static int server_check(const ProviderReader *r) {
        if (r->file->client_key && !r->file->client_cert)
                return reader_refuse(r, "Server", "ClientKey", 0, "needs ClientCertificate=");
        return 0;
}

/* ---- login ---- */

static int login_check(const ProviderReader *r) {
        static const struct {
                const char *kind;
                unsigned needs, takes; /* bits by place in keys */
        } rules[] = {
                        [LOGIN_NONE] = {"none", 0, 0},
                        [LOGIN_BEARER] = {"bearer", 1, 3},
                        [LOGIN_BASIC] = {"basic", 1, 1},
                        [LOGIN_HEADER] = {"header", 3, 3},
                        [LOGIN_OAUTH2] = {"oauth2", 13, 1 | 4 | 8 | 16},
        };
        static const char *const keys[] = {"Credential", "Header", "TokenURL", "ClientId", "Scope"};
        const ProviderFile *f = r->file;
        const char *kind = rules[f->login].kind;

        for (unsigned i = 0; i < ELEMENTSOF(keys); i++) {
                bool set = provider_key_is_set(r, "Login", keys[i]);
                if (set && !(rules[f->login].takes >> i & 1))
                        return reader_refuse(r, "Login", keys[i], 0, "means nothing with Kind=%s", kind);
                if (!set && (rules[f->login].needs >> i & 1))
                        return reader_refuse(r, "Login", NULL, 0, "[Login] needs %s= with Kind=%s", keys[i], kind);
        }
        return 0;
}

/* Of Kind=header: what a request sets by itself cannot carry a secret. */
static int login_header_check(const ProviderReader *r) {
        static const char *const ours[] = {"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection"};
        const ProviderFile *f = r->file;

        for (size_t i = 0; f->login == LOGIN_HEADER && i < ELEMENTSOF(ours); i++)
                if (strcasecmp(ours[i], f->login_header) == 0)
                        return reader_refuse(r, "Login", "Header", 0, "\"%s\" cannot be set", f->login_header);
        return 0;
}

/* ---- requests ---- */

static int origin_refuse_plain(const ProviderReader *r, const char *section, const char *key, const char *origin) {
        if (!url_origin_is_plain(origin))
                return 0;
        if (!r->file->allow_plain)
                return reader_refuse(r, section, key, 0, "must start with https://");
        if (!url_origin_is_loopback(origin))
                return reader_refuse(
                                r, section, key, 0,
                                "must start with https://: AllowPlain=yes is for localhost, 127.0.0.0/8 and [::1]");
        return 0;
}

static int token_url_check(const ProviderReader *r) {
        JIT_CLEANUP(url_template_freep) UrlTemplate *t = NULL;
        char why[TEMPLATE_WHY_MAX] = "";

        if (!r->file->token_url)
                return 0;
        int result = url_template_parse(TEMPLATE_URL, r->file->token_url, &t, why);
        return result < 0 ? result : origin_refuse_plain(r, "Login", "TokenURL", url_template_origin(t));
}

/* One origin for all: what logs in to it is sent nowhere else. */
static int url_check(ProviderReader *r, ProviderRequest *q) {
        const char *section = SECTION(r, q), *first = NULL;

        if (!q->url)
                return reader_refuse(r, section, NULL, 0, "[%s] needs URL=", section);
        if (r->file->requests[0].url)
                first = url_template_origin(r->file->requests[0].url);
        int result = origin_refuse_plain(r, section, "URL", url_template_origin(q->url));
        if (result >= 0 && first && !streq(first, url_template_origin(q->url)))
                return reader_refuse(r, section, "URL", 0,
                                     "must have the scheme, host and port of the first request (%.100s): the login is "
                                     "for one server",
                                     first);
        return result;
}

static int method_check(ProviderReader *r, ProviderRequest *q) {
        const ProviderFile *f = r->file;
        const char *section = SECTION(r, q);
        bool writes = q == f->comment || q == f->create;

        if (!q->method && !(q->method = strdup(writes ? "POST" : "GET")))
                return -ENOMEM;
        bool get = streq(q->method, "GET");
        if (get && writes)
                return reader_refuse(r, section, "Method", 0, "must be POST, PUT or PATCH in [%s]", section);
        if (get && q->body)
                return reader_refuse(r, section, "Body", 0, "needs Method=POST, PUT or PATCH");
        if (writes && !q->body)
                return reader_refuse(r, section, NULL, 0, "[%s] needs Body=", section);
        if ((q == f->stream || q == f->create) && !q->ticket)
                return reader_refuse(r, section, NULL, 0, "[%s] needs Ticket=, a jq program", section);
        if (!writes && !request_key_is_set(r, q, "Safe"))
                q->safe = get;
        if (f->kind == PROVIDER_FILE_TICKETS && !writes && q != f->stream && !q->null_statuses) {
                q->null_statuses = calloc(2, sizeof(unsigned));
                if (!q->null_statuses)
                        return -ENOMEM;
                q->null_statuses[0] = 404;
        }
        for (size_t i = 0; f->login == LOGIN_HEADER && i < q->n_headers; i++)
                if (strcasecmp(q->headers[i].name, f->login_header) == 0)
                        return reader_refuse(r, section, "Header", i, "\"%s\" is set by [Login]", q->headers[i].name);
        if (f->kind == PROVIDER_FILE_POLICY && q->n_values > 0)
                return reader_refuse(r, section, "Value", 0, "means nothing with Kind=policy");
        return 0;
}

/* ---- names in templates ---- */

/* Values are known in requests after their own, and in the comment. */
static bool value_is_known(const ProviderFile *f, const ProviderRequest *q, const char *name) {
        if (q == f->stream || q == f->create)
                return false;
        for (size_t i = 0; i < f->n_requests && q != &f->requests[i]; i++)
                for (size_t j = 0; j < f->requests[i].n_values; j++)
                        if (!name || streq(f->requests[i].values[j].name, name))
                                return true;
        return false;
}

static bool name_is_known(const ProviderFile *f, const ProviderRequest *q, const char *name) {
        bool ticket = f->kind == PROVIDER_FILE_TICKETS && q != f->stream && q != f->create;

        if (streq(name, "host"))
                return true;
        if (ticket && (streq(name, "ticket") ||
                       (name[0] >= '1' && name[0] <= '9' && (size_t) (name[0] - '0') < f->pattern.re_nsub)))
                return true;
        return value_is_known(f, q, name);
}

/* "{host} {ticket} {1} ...": what may stand in q's templates. */
static const char *known_names(const ProviderFile *f, const ProviderRequest *q, char *ret, size_t size) {
        static const char *const fixed[] = {"host", "ticket", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(fixed) && n < size; i++)
                if (name_is_known(f, q, fixed[i]))
                        n += (size_t) snprintf(ret + n, size - n, " {%s}", fixed[i]);
        for (size_t i = 0; i < f->n_requests; i++)
                for (size_t j = 0; j < f->requests[i].n_values && n < size; j++)
                        if (value_is_known(f, q, f->requests[i].values[j].name))
                                n += (size_t) snprintf(ret + n, size - n, " {%s}", f->requests[i].values[j].name);
        return ret;
}

static int template_check(const ProviderReader *r, const ProviderRequest *q, const char *key, size_t nth,
                          const UrlTemplate *t) {
        char known[200] = "";

        for (char *const *name = url_template_names(t); *name; name++)
                if (!name_is_known(r->file, q, *name))
                        return reader_refuse(r, SECTION(r, q), key, nth, "{%s} is not known there; what is:%s", *name,
                                             known_names(r->file, q, known, sizeof(known)));
        return 0;
}

static int names_check(ProviderReader *r, ProviderRequest *q) {
        int result = template_check(r, q, "URL", 0, q->url);

        for (size_t i = 0; i < q->n_queries && result >= 0; i++)
                result = template_check(r, q, "Query", i, q->queries[i].value);
        for (size_t i = 0; i < q->n_headers && result >= 0; i++)
                result = template_check(r, q, "Header", i, q->headers[i].value);
        if (result >= 0 && q->each && !value_is_known(r->file, q, q->each))
                return reader_refuse(r, SECTION(r, q), "ForEach", 0, "there is no value \"%s\" of an earlier request",
                                     q->each);
        return result;
}

/* ---- the answer's signature ---- */

static int answer_check(const ProviderReader *r) {
        const ProviderFile *f = r->file;
        bool body = false;

        if (f->jwks_file && f->unsigned_answers)
                return reader_refuse(r, "Answer", "Unsigned", 0, "contradicts KeysFile=");
        if (f->jwks_file && f->n_requests > 1)
                return reader_refuse(r, "Answer", "KeysFile", 0,
                                     "is for files with one request: the answers to others would not be signed");
        if (!f->context)
                return 0;
        for (size_t i = 0; i < f->n_requests; i++)
                body |= f->requests[i].body != NULL;
        if (!body)
                return reader_refuse(r, "Provider", "Context", 0, "needs a request with Body=, which would carry it");
        if (!f->jwks_file && !f->unsigned_answers)
                return reader_refuse(r, "Provider", "Context", 0,
                                     "needs [Answer] with KeysFile=, or Unsigned=yes if the answers are not signed");
        return 0;
}

static int program_check(ProviderReader *r) {
        ProviderFile *f = r->file;
        char why[PROVIDER_WHY_MAX] = "";

        bool set = f->program_name != NULL;
        if (!set && asprintf(&f->program_name, "%s.jq", f->name) < 0) {
                f->program_name = NULL;
                return -ENOMEM;
        }
        int result = reader_program_load(r, f->program_name, &f->program, why);
        return result == -EBADMSG ? reader_refuse(r, "Provider", set ? "Program" : NULL, 0, "%.400s", why) : result;
}

int provider_file_check(ProviderReader *r) {
        static const check_t before[] = {sections_check, kind_check,         times_check,    server_check,
                                         login_check,    login_header_check, token_url_check};
        int result = 0;

        for (size_t i = 0; i < ELEMENTSOF(before) && result >= 0; i++)
                result = before[i](r);
        if (result >= 0 && r->file->n_requests == 0)
                result = reader_refuse(r, NULL, NULL, 0, "needs a request: [Request NAME]");
        if (result >= 0)
                result = each_request(r, url_check);
        if (result >= 0)
                result = each_request(r, method_check);
        if (result >= 0)
                result = each_request(r, names_check);
        if (result >= 0)
                result = answer_check(r);
        return result < 0 ? result : program_check(r);
}
