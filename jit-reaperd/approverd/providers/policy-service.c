/* SPDX-License-Identifier: Apache-2.0 */

#include "approver.h"
#include "http-question.h"
#include "provider-server.h"

enum { FLIGHTS_MAX = 1024 };

typedef struct Flight {
        struct Flight *next;
        PolicyService *service;
        HttpQuestion *question;
        policy_service_done_t done;
        void *userdata;
} Flight;

struct PolicyService {
        Approver *approver;
        ProviderFile *file;
        HttpServer *server;
        HttpLogin *login;
        JwkSet *keys;
        Flight *flights;
        size_t n_flights, held; /* held: see QuestionSetup */
        bool closing;
};

static void flight_finish(Flight *f, ProviderResult error, const PolicyResult *result, const char *why) {
        for (Flight **p = &f->service->flights; *p; p = &(*p)->next)
                if (*p == f) {
                        *p = f->next;
                        f->service->n_flights--;
                        break;
                }
        http_question_free(f->question);
        f->done(error, result, why, f->userdata);
        free(f);
}

static void on_answer(const QuestionAnswer *answer, void *userdata) {
        JIT_CLEANUP(policy_result_done) PolicyResult result = {.ttl_usec = USEC_INFINITY};
        Flight *f = userdata;
        int r;

        f->question = NULL;
        if (answer->result != PROVIDER_OK) {
                /* What is said of a ticket elsewhere is no answer here. */
                bool none = answer->result == PROVIDER_UNKNOWN || answer->result == PROVIDER_INVALID;
                flight_finish(f, none ? PROVIDER_ANSWER : answer->result, NULL, answer->why);
                return;
        }
        r = policy_result_parse(answer->output, &result);
        if (r < 0)
                flight_finish(f, r == -ENOMEM ? PROVIDER_NO_MEMORY : PROVIDER_ANSWER, NULL,
                              "its program gave an answer that is not {allow, reasons, ttl_usec, message}");
        else
                flight_finish(f, PROVIDER_OK, &result, NULL);
}

static int flight_start(Flight *f, const json_t *input) {
        PolicyService *s = f->service;
        _cleanup_json_ json_t *extra = json_pack("{s:O}", "input", input);
        QuestionSetup setup = {.event = s->approver->event,
                               .file = s->file,
                               .server = s->server,
                               .login = s->login,
                               .keys = s->keys,
                               .host_names = s->approver->host_names,
                               .extra = extra,
                               .deadline_usec = now_usec(CLOCK_BOOTTIME) + s->file->timeout_usec,
                               .held = &s->held,
                               .urgent = true};

        return extra ? http_question_new(&setup, on_answer, f, &f->question) : -ENOMEM;
}

int policy_service_ask(PolicyService *s, const json_t *input, policy_service_done_t done, void *userdata) {
        Flight *f;
        int r;

        if (s->closing || s->n_flights >= FLIGHTS_MAX) {
                done(s->closing ? PROVIDER_CANCELED : PROVIDER_LIMIT, NULL,
                     s->closing ? "the policy is loaded anew" : "too many questions are under way", userdata);
                return 0;
        }
        if (!(f = malloc(sizeof(*f))))
                return -ENOMEM;
        *f = (Flight){.next = s->flights, .service = s, .done = done, .userdata = userdata};
        r = flight_start(f, input);
        if (r < 0) {
                free(f);
                return r;
        }
        s->flights = f;
        s->n_flights++;
        return 0;
}

const char *policy_service_name(const PolicyService *s) {
        return s->file->name;
}

PolicyService *policy_service_free(PolicyService *s) {
        if (!s)
                return NULL;
        s->closing = true;
        while (s->flights)
                flight_finish(s->flights, PROVIDER_CANCELED, NULL, "the policy is loaded anew");
        http_server_free(s->server); /* first: an answer that it hands over may want a new login */
        http_login_free(s->login);
        jwk_set_free(s->keys);
        provider_file_free(s->file);
        free(s);
        return NULL;
}

int policy_service_new(Approver *a, ProviderFile *file, PolicyService **ret) {
        PolicyService *s = calloc(1, sizeof(*s));
        int r;

        if (!s) {
                provider_file_free(file);
                return -ENOMEM;
        }
        s->approver = a;
        s->file = file;
        if ((r = provider_keys_load(file, &s->keys)) < 0 ||
            (r = provider_server_new(a, file, &s->server, &s->login)) < 0) {
                policy_service_free(s);
                return r;
        }
        *ret = s;
        return 0;
}
