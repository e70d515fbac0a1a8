/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/random.h>

#include "approval-cache.h"
#include "approver.h"
#include "json.h"
#include "person-keys.h"
#include "provider-create.h"
#include "provider-server.h"
#include "provider-stream.h"

enum { FLIGHT_BUCKETS = 256 };
/* sshd(8) looks an account up twice for one login: it shall not wait twice for a system that hangs. */
#define FAILED_USEC (2 * USEC_PER_SEC)

typedef struct Waiter {
        struct Waiter *next;
        char person[PERSON_NAME_MAX + 1];
        bool told; /* as in Reference */
        provider_answer_t answer;
        void *userdata;
} Waiter;

typedef struct Flight {
        struct Flight *next; /* in its bucket */
        HttpProvider *provider;
        char ticket[TICKET_ID_MAX + 1];
        HttpQuestion *question;
        Waiter *waiters, **end;
        bool alone; /* nobody else may join: it carries one login's context, or is a trial */
        bool stale; /* the ticket may have changed since it set out */
        bool urgent;
        uint64_t deadline_usec; /* CLOCK_BOOTTIME */
        question_trace_t traced;
        void *userdata;
} Flight;

struct HttpProvider {
        Provider provider;
        Approver *approver;
        ProviderFile *file;
        HttpServer *server;
        HttpLogin *login;
        JwkSet *keys;
        ApprovalCache *cache;
        Flight *flights[FLIGHT_BUCKETS];
        size_t n_flights, held; /* held: see QuestionSetup */
        Creation *creations;
        ProviderStream *stream;
        bool closing;
};

/* ---- which ticket ---- */

/* The whole as a ticket first, then the shortest person. */
static int http_resolve(Provider *p, const char *account, Reference *ret) {
        const ProviderFile *f = ((HttpProvider *) p)->file;
        const char *name = account + strlen(ACCOUNT_PREFIX);
        char ticket[TICKET_ID_MAX + 1];
        ProviderMatch match;

        for (size_t i = strlen(name); i > 0; i--) {
                bool whole = name[i] == '\0';
                if ((!whole && (name[i] != '-' || !person_name_is_valid(name + i + 1))) || i > TICKET_ID_MAX)
                        continue;
                memcpy(ticket, name, i);
                ticket[i] = '\0';
                if (provider_file_match(f, ticket, &match) < 0)
                        continue;
                *ret = (Reference){.provider = p};
                (void) snprintf(ret->ticket, sizeof(ret->ticket), "%s", ticket);
                (void) snprintf(ret->person, sizeof(ret->person), "%s", whole ? "" : name + i + 1);
                return 0;
        }
        return -ENOENT;
}

static int http_refer(Provider *p, const char *ticket, const char *person, Reference *ret) {
        ProviderMatch match;

        if (provider_file_match(((HttpProvider *) p)->file, ticket, &match) < 0)
                return -ENOENT;
        *ret = (Reference){.provider = p, .told = true};
        (void) snprintf(ret->ticket, sizeof(ret->ticket), "%s", ticket);
        (void) snprintf(ret->person, sizeof(ret->person), "%s", person);
        return 0;
}

/* ---- answering ---- */

static void answer_error(const Waiter *w, ProviderResult result, const char *why) {
        w->answer(&(ProviderAnswer){.result = result, .detail = why}, w->userdata);
}

/* One account for each person: a ticket with one requester is named alone, one with several never. */
static const char *person_of(const Approval *a, const Waiter *w) {
        size_t n = strv_length(a->requesters);

        if (!*w->person)
                return n == 1 ? a->requesters[0] : NULL;
        return (n > 1 || w->told) && strv_contains(a->requesters, w->person) ? w->person : NULL;
}

static void answer_record(const HttpProvider *p, const Waiter *w, const ApprovalRecord *record) {
        const Approval *a = &record->approval;
        const char *person = person_of(a, w);
        _cleanup_strv_ char **keys = NULL;

        if (!person)
                answer_error(w, PROVIDER_UNKNOWN,
                             w->told      ? "somebody else requested it"
                             : *w->person ? "that is no account of this ticket's requesters"
                                          : "several people requested it: jit-TICKET-PERSON");
        else if (requester_keys_load(p->approver->etc, a->requesters, a->ssh_keys, person, &keys, NULL) < 0)
                answer_error(w, PROVIDER_NO_MEMORY, NULL);
        else
                w->answer(&(ProviderAnswer){.result = PROVIDER_OK, .approval = a, .person = person, .keys = keys},
                          w->userdata);
}

/* ---- flights ---- */

static Flight **flight_bucket(HttpProvider *p, const char *ticket) {
        uint32_t h = 5381;

        for (const unsigned char *c = (const unsigned char *) ticket; *c; c++)
                h = h * 33 + *c;
        return &p->flights[h % FLIGHT_BUCKETS];
}

/* One that may be joined: with half of its time ahead at least, lest a login pays for what others waited before. */
static Flight *flight_find(HttpProvider *p, const char *ticket) {
        uint64_t enough = now_usec(CLOCK_BOOTTIME) + p->file->timeout_usec / 2;

        for (Flight *f = *flight_bucket(p, ticket); f; f = f->next)
                if (!f->alone && !f->stale && f->deadline_usec >= enough && streq(f->ticket, ticket))
                        return f;
        return NULL;
}

static void flight_unlink(Flight *f) {
        for (Flight **p = flight_bucket(f->provider, f->ticket); *p; p = &(*p)->next)
                if (*p == f) {
                        *p = f->next;
                        f->provider->n_flights--;
                        return;
                }
}

static int flight_add_waiter(Flight *f, const Reference *reference, provider_answer_t answer, void *userdata) {
        Waiter *w = malloc(sizeof(*w));

        if (!w)
                return -ENOMEM;
        *w = (Waiter){.told = reference->told, .answer = answer, .userdata = userdata};
        (void) snprintf(w->person, sizeof(w->person), "%s", reference->person);
        *f->end = w;
        f->end = &w->next;
        return 0;
}

/* Answers everybody and frees it. It is out of the table before: who asks again sets a new one out. */
static void flight_land(Flight *f, const QuestionAnswer *a) {
        flight_unlink(f);
        if (f->traced)
                f->traced(a->result, a->record, a->why, a->trace, f->userdata);
        for (Waiter *w = f->waiters, *next; w; w = next) {
                next = w->next;
                if (a->result == PROVIDER_OK)
                        answer_record(f->provider, w, a->record);
                else
                        answer_error(w, a->result, a->why);
                free(w);
        }
        http_question_free(f->question);
        free(f);
}

static void on_question(const QuestionAnswer *answer, void *userdata) {
        Flight *f = userdata;
        const HttpProvider *p = f->provider;
        uint64_t now = now_usec(CLOCK_BOOTTIME);

        f->question = NULL;
        if (!f->alone && answer->result == PROVIDER_OK)
                approval_cache_put(p->cache, f->ticket, answer->record, answer->memory,
                                   f->stale ? 0 : now + p->file->cache_usec);
        else if (!f->alone && answer->result == PROVIDER_UNKNOWN)
                approval_cache_put_unknown(p->cache, f->ticket, f->stale ? 0 : now + p->file->negative_usec);
        else if (!f->traced && !f->stale && answer->result == PROVIDER_UNREACHABLE)
                approval_cache_put_failed(p->cache, f->ticket, now + FAILED_USEC);
        flight_land(f, answer);
}

/* {"context": {...}} for Context=yes; *ret stays NULL without it. */
static int context_new(const HttpProvider *p, const Reference *reference, const QuestionContext *context, json_t **ret) {
        const char *person = reference->person;
        bool named = *person && !reference->told;
        static const QuestionContext none = {.phase = "name"};
        char account[sizeof(ACCOUNT_PREFIX) + TICKET_ID_MAX + 1 + PERSON_NAME_MAX], nonce[33];
        unsigned char random[16];

        if (!p->file->context)
                return 0;
        if (getentropy(random, sizeof(random)) < 0)
                return -errno;
        for (size_t i = 0; i < sizeof(random); i++)
                (void) snprintf(nonce + 2 * i, 3, "%02x", random[i]);
        (void) snprintf(account, sizeof(account), ACCOUNT_PREFIX "%s%s%s", reference->ticket, named ? "-" : "",
                        named ? person : "");
        if (!context)
                context = &none;
        *ret = json_pack("{s:{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s}}", "context", "account", account,
                         "person", *person ? person : NULL, "phase", context->phase, "service", context->service,
                         "rhost", context->rhost, "tty", context->tty, "way", context->way, "target", context->target,
                         "nonce", nonce);
        return *ret ? 0 : -ENOMEM;
}

static int flight_start(Flight *f, const Reference *reference, const QuestionContext *context, bool trace) {
        HttpProvider *p = f->provider;
        _cleanup_json_ json_t *extra = NULL;
        ProviderMatch match;
        QuestionSetup setup = {.event = p->approver->event,
                               .file = p->file,
                               .server = p->server,
                               .login = p->login,
                               .keys = p->keys,
                               .match = &match,
                               .ticket = f->ticket,
                               .host_names = p->approver->host_names,
                               .deadline_usec = f->deadline_usec,
                               .held = &p->held,
                               .urgent = f->urgent,
                               .trace = trace};
        int r = provider_file_match(p->file, f->ticket, &match);

        if (r < 0 || (r = context_new(p, reference, context, &extra)) < 0)
                return r;
        setup.extra = extra;
        setup.memory = f->alone ? NULL : approval_cache_memory(p->cache, f->ticket);
        return http_question_new(&setup, on_question, f, &f->question);
}

static int flight_new(HttpProvider *p, const Reference *reference, const QuestionContext *context, bool urgent,
                      bool trace, Flight **ret) {
        Flight *f, **bucket = flight_bucket(p, reference->ticket);
        int r;

        if (p->n_flights >= p->file->queue_max * (urgent ? 2 : 1)) /* live grants do not keep logins out */
                return -EBUSY;
        if (!(f = calloc(1, sizeof(*f))))
                return -ENOMEM;
        *f = (Flight){.provider = p,
                      .urgent = urgent,
                      .alone = trace || p->file->context,
                      .deadline_usec = now_usec(CLOCK_BOOTTIME) + p->file->timeout_usec};
        f->end = &f->waiters;
        (void) snprintf(f->ticket, sizeof(f->ticket), "%s", reference->ticket);
        r = flight_start(f, reference, context, trace);
        if (r < 0) {
                free(f);
                return r;
        }
        f->next = *bucket;
        *bucket = f;
        p->n_flights++;
        *ret = f;
        return 0;
}

/* ---- asking ---- */

static int ask_flight(HttpProvider *p, const Reference *reference, const QuestionContext *context, bool urgent,
                      provider_answer_t answer, void *userdata) {
        Flight *f = p->file->context ? NULL : flight_find(p, reference->ticket);
        int r;

        if (!f && (r = flight_new(p, reference, context, urgent, false, &f)) < 0)
                return r;
        if (urgent && !f->urgent) {
                f->urgent = true;
                http_question_urgent(f->question);
        }
        return flight_add_waiter(f, reference, answer, userdata);
}

static void http_ask(Provider *provider, const Reference *reference, const QuestionContext *context, bool urgent,
                     provider_answer_t answer, void *userdata) {
        HttpProvider *p = (HttpProvider *) provider;
        JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *kept = NULL;
        ApprovalRecord *record = NULL;
        Waiter w = {.told = reference->told, .answer = answer, .userdata = userdata};
        CacheHit hit;
        int r;

        (void) snprintf(w.person, sizeof(w.person), "%s", reference->person);
        if (p->closing) {
                answer_error(&w, PROVIDER_CANCELED, "the provider is loaded anew");
                return;
        }
        /* Where a login's context is sent, nothing but failures is ever kept. */
        hit = approval_cache_get(p->cache, reference->ticket, now_usec(CLOCK_BOOTTIME), &record);
        if (hit == CACHE_APPROVAL) {
                kept = approval_record_ref(record); /* whoever is answered may ask, and change the cache */
                answer_record(p, &w, kept);
                return;
        }
        if (hit == CACHE_UNKNOWN) {
                answer_error(&w, PROVIDER_UNKNOWN, "the ticket system said a moment ago that there is none");
                return;
        }
        if (hit == CACHE_FAILED) {
                answer_error(&w, PROVIDER_UNREACHABLE, "the ticket system gave no answer a moment ago");
                return;
        }
        r = ask_flight(p, reference, context, urgent, answer, userdata);
        if (r < 0)
                answer_error(&w, r == -EBUSY ? PROVIDER_LIMIT : PROVIDER_NO_MEMORY,
                             r == -EBUSY ? "too many questions are under way" : NULL);
}

int http_provider_trace(HttpProvider *p, const char *ticket, const char *person, question_trace_t done,
                        void *userdata) {
        Reference reference = {0};
        Flight *f;
        int r;

        (void) snprintf(reference.ticket, sizeof(reference.ticket), "%s", ticket);
        (void) snprintf(reference.person, sizeof(reference.person), "%s", person ? person : "");
        r = flight_new(p, &reference, NULL, true, true, &f);
        if (r < 0)
                return r;
        f->traced = done;
        f->userdata = userdata;
        return 0;
}

void http_provider_forget(HttpProvider *p, const char *ticket) {
        bool all = streq(ticket, "*");

        approval_cache_forget(p->cache, ticket);
        for (size_t i = 0; i < FLIGHT_BUCKETS; i++)
                for (Flight *f = p->flights[i]; f; f = f->next)
                        if (all || streq(f->ticket, ticket))
                                f->stale = true;
}

/* ---- life ---- */

static Provider *http_free(Provider *provider) {
        HttpProvider *p = (HttpProvider *) provider;

        p->closing = true;
        p->stream = provider_stream_free(p->stream);
        creations_cancel(&p->creations);
        for (size_t i = 0; i < FLIGHT_BUCKETS; i++)
                while (p->flights[i])
                        flight_land(p->flights[i], &(QuestionAnswer){.result = PROVIDER_CANCELED,
                                                                     .why = "the provider is loaded anew"});
        http_server_free(p->server); /* first: an answer that it hands over may want a new login */
        http_login_free(p->login);
        jwk_set_free(p->keys);
        approval_cache_free(p->cache);
        provider_file_free(p->file);
        free(p);
        return NULL;
}

int provider_http_new(Approver *approver, ProviderFile *file, Provider **ret) {
        HttpProvider *p = calloc(1, sizeof(*p));
        int r;

        if (!p) {
                provider_file_free(file);
                return -ENOMEM;
        }
        p->provider = (Provider){.kind = "http",
                                 .name = file->name,
                                 .recheck_usec = file->recheck_usec,
                                 .grace_usec = file->grace_usec,
                                 .comments = file->comment != NULL,
                                 .resolve = http_resolve,
                                 .refer = http_refer,
                                 .ask = http_ask,
                                 .free = http_free};
        p->approver = approver;
        p->file = file;
        if ((r = approval_cache_new(&p->cache)) < 0 || (r = provider_keys_load(file, &p->keys)) < 0 ||
            (r = provider_server_new(approver, file, &p->server, &p->login)) < 0 ||
            (file->stream && (r = provider_stream_new(p, &p->stream)) < 0)) {
                (void) http_free(&p->provider);
                return r;
        }
        *ret = &p->provider;
        return 0;
}

HttpProvider *http_provider(Provider *p) {
        return p->free == http_free ? (HttpProvider *) p : NULL;
}

const ProviderFile *http_provider_file(const HttpProvider *p) {
        return p->file;
}

HttpServer *http_provider_server(HttpProvider *p) {
        return p->server;
}

HttpLogin *http_provider_login(HttpProvider *p) {
        return p->login;
}

Approver *http_provider_approver(HttpProvider *p) {
        return p->approver;
}

const JwkSet *http_provider_keys(const HttpProvider *p) {
        return p->keys;
}

Creation **http_provider_creations(HttpProvider *p) {
        return &p->creations;
}
