/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROVIDER_FILE_H
#define JIT_PROVIDER_FILE_H

/* jit-provider(5): /etc/jit/providers.d/NAME.conf, parsed by libinih, checked by tables; with the jq programs it names,
 * compiled. A wrong file is refused whole. */

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "http-client.h"
#include "http-login.h"
#include "jq-program.h"
#include "strv.h"
#include "url-template.h"

enum {
        PROVIDER_REQUESTS_MAX = 8,
        PROVIDER_VALUES_MAX = 8, /* of one request */
        PROVIDER_QUERIES_MAX = 16,
        PROVIDER_HEADERS_MAX = 8,
        PROVIDER_CAPTURES_MAX = 9,
        PROVIDER_EACH_MAX = 16,     /* values of a list that a request is repeated for */
        PROVIDER_PROGRAMS_MAX = 24, /* of one file: each takes about 20 ms to compile */
        PROVIDER_WHY_MAX = 512,
};

typedef struct ProviderValue { /* Value=NAME JQ: a string, a whole number, or a list of them, out of an answer */
        char *name;            /* [a-z][a-z0-9_]*, at most 31 */
        JqProgram *program;
} ProviderValue;

typedef struct ProviderPair { /* Query=NAME=TEMPLATE, Header=NAME: TEMPLATE */
        char *name;
        UrlTemplate *value;
} ProviderPair;

typedef struct ProviderRequest {                    /* [Request NAME], and [Stream], [Comment], [Create] */
        char *name;                                 /* [a-z][a-z0-9_]*, at most 31 */
        char *method;                               /* Method=GET */
        UrlTemplate *url;                           /* URL= */
        ProviderPair queries[PROVIDER_QUERIES_MAX]; /* their names are percent-encoded already */
        size_t n_queries;
        ProviderPair headers[PROVIDER_HEADERS_MAX];
        size_t n_headers;
        JqProgram *body;         /* Body=FILE.jq: its output is the JSON body; NULL: none */
        char *each;              /* ForEach=VALUE: once for each of its values; the answer is a list */
        unsigned *null_statuses; /* NullStatus=404: the answer counts as null; ends with 0; NULL: none */
        ProviderValue values[PROVIDER_VALUES_MAX];
        size_t n_values;
        JqProgram *ticket; /* [Stream] and [Create] Ticket=JQ: which ticket(s) an event or the answer names */
        bool safe;         /* GET, or Safe=yes; never true in [Comment] and [Create] */
} ProviderRequest;

typedef enum StreamKind { STREAM_SSE, STREAM_POLL } StreamKind;
typedef enum ProviderFileKind { PROVIDER_FILE_TICKETS, PROVIDER_FILE_POLICY } ProviderFileKind;

typedef struct ProviderFile {
        char *name, *path;
        ProviderFileKind kind; /* Kind=http (tickets) or Kind=policy (asked after policy.jq said yes) */
        char *ticket_pattern;  /* Ticket=: POSIX extended, matched against the whole lower-case ticket */
        regex_t pattern;
        bool has_pattern, upper; /* Upper=yes: {ticket} and the captures are in upper case */
        char *program_name;      /* Program=NAME.jq */
        JqProgram *program;
        bool context;  /* Context=yes: the login's context is in every body's input, and no answer is shared */
        bool uses_now; /* one of its programs has the word "now": what it says may change by itself */
        uint64_t timeout_usec, cache_usec, negative_usec, recheck_usec, grace_usec;
        char *ca_file, *pinned_key, *client_cert, *client_key, *proxy; /* client_*: names of credentials */
        unsigned connections_max, queue_max, rate_per_sec, rate_burst;
        bool allow_plain;
        HttpLoginKind login;
        char *credential, *login_header, *token_url, *client_id, *scope;
        ProviderRequest requests[PROVIDER_REQUESTS_MAX];
        size_t n_requests;
        ProviderRequest *stream, *comment, *create; /* NULL: the file has none */
        StreamKind stream_kind;                     /* [Stream] Kind= */
        char *jwks_file; /* [Answer] KeysFile=: the first request's answer is a JWS (RFC 7515) by one of these keys */
        bool unsigned_answers; /* [Answer] Unsigned=yes: needed where Context=yes has no KeysFile= */
} ProviderFile;

/* As a role's, and not "signed". */
bool provider_name_is_valid(const char *name);
/* text: of folder/NAME.conf; programs are read from folder. -EBADMSG and ret_why ("PATH:LINE: sentence", or "PATH:
 * sentence"), -ENOMEM. */
int provider_file_parse(const char *folder, const char *name, const char *text, size_t length, ProviderFile **ret,
                        char *ret_why);
ProviderFile *provider_file_free(ProviderFile *f);
DEFINE_CLEANUP(ProviderFile, provider_file_free);
/* Whether this provider's: ret_ticket (TICKET_ID_MAX + 1 bytes), captures[0] is the whole, as {ticket}, {1}.. {9} stand
 * for (upper-cased if so). -ENOENT. */
typedef struct ProviderMatch {
        char text[PROVIDER_CAPTURES_MAX + 1][TICKET_ID_MAX + 1];
        size_t n;
} ProviderMatch;
int provider_file_match(const ProviderFile *f, const char *ticket, ProviderMatch *ret);

#endif
