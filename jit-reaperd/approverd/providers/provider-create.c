/* SPDX-License-Identifier: Apache-2.0 */

#include "approver.h"
#include "json.h"
#include "provider-create.h"
#include "question-input.h"

enum { CREATIONS_MAX = 16 };

struct Creation {
        Creation *next;
        HttpProvider *provider;
        HttpSend *send;
        http_created_t done;
        void *userdata;
};

static void creation_finish(Creation *c, ProviderResult result, const char *ticket, const char *why) {
        for (Creation **p = http_provider_creations(c->provider); *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        break;
                }
        http_send_free(c->send);
        c->done(result, ticket, why, c->userdata);
        free(c);
}

void creations_cancel(Creation **list) {
        while (*list)
                creation_finish(*list, PROVIDER_CANCELED, NULL, "the provider was loaded anew");
}

/* The new ticket's name by Ticket=: one of this provider's own, in lower case. */
static int created_ticket(const ProviderFile *f, const HttpAnswer *http, char ret[static TICKET_ID_MAX + 1],
                          char *ret_why) {
        _cleanup_json_ json_t *answer = NULL, *output = NULL;
        size_t left = ANSWER_NODES_MAX;
        char why[JQ_WHY_MAX] = "", ticket[TICKET_ID_MAX + 1];
        ProviderMatch match;
        const char *text;
        int r = answer_parse(http->body ? http->body : "", http->length, HTTP_ANSWER_MAX, &left, &answer, ret_why);

        if (r < 0)
                return r;
        r = f->create->ticket ? jq_program_run(f->create->ticket, answer, 2 * HTTP_ANSWER_MAX, &output, why) : -EBADMSG;
        if (r < 0) {
                (void) snprintf(ret_why, SEND_WHY_MAX, "the program of Ticket= of [Create] %.400s", why);
                return r;
        }
        text = json_string_value(output);
        if (!text || ticket_id_parse(text, ticket) < 0 || provider_file_match(f, ticket, &match) < 0) {
                (void) snprintf(ret_why, SEND_WHY_MAX, "Ticket= of [Create] gave no name that fits Ticket=");
                return -EBADMSG;
        }
        memcpy(ret, ticket, sizeof(ticket));
        return 0;
}

static void on_created(const SendAnswer *answer, void *userdata) {
        Creation *c = userdata;
        char ticket[TICKET_ID_MAX + 1], why[SEND_WHY_MAX] = "";
        int r;

        c->send = NULL;
        if (answer->result != PROVIDER_OK || answer->null) {
                creation_finish(c, answer->null ? PROVIDER_ANSWER : answer->result, NULL, answer->why);
                return;
        }
        r = created_ticket(http_provider_file(c->provider), answer->http, ticket, why);
        if (r < 0)
                creation_finish(c, r == -ENOMEM ? PROVIDER_NO_MEMORY : PROVIDER_ANSWER, NULL, why);
        else {
                http_provider_forget(c->provider, ticket); /* somebody may have asked for it too early */
                creation_finish(c, PROVIDER_OK, ticket, NULL);
        }
}

static int creation_start(Creation *c, const json_t *object, const char *person) {
        const ProviderFile *f = http_provider_file(c->provider);
        const Approver *a = http_provider_approver(c->provider);
        _cleanup_json_ json_t *extra = json_pack("{s:O, s:s}", "new", object, "person", person), *input = NULL;
        TemplateValue texts[INPUT_TEXTS_MAX];
        SendSetup setup = {.event = a->event,
                           .server = http_provider_server(c->provider),
                           .login = http_provider_login(c->provider),
                           .request = f->create,
                           .values = texts,
                           .deadline_usec = now_usec(CLOCK_BOOTTIME) + f->timeout_usec,
                           .urgent = true};

        if (!extra || !(input = question_input_new(NULL, a->host_names, extra)))
                return -ENOMEM;
        setup.input = input;
        question_texts(input, NULL, NULL, NULL, texts);
        return http_send_new(&setup, on_created, c, &c->send);
}

int http_provider_create(HttpProvider *p, const json_t *object, const char *person, http_created_t done,
                         void *userdata) {
        Creation **list = http_provider_creations(p), *c;
        size_t n = 0;
        int r;

        if (!http_provider_file(p)->create)
                return -EOPNOTSUPP;
        for (c = *list; c; c = c->next)
                n++;
        if (n >= CREATIONS_MAX)
                return -EBUSY;
        if (!(c = malloc(sizeof(*c))))
                return -ENOMEM;
        *c = (Creation){.next = *list, .provider = p, .done = done, .userdata = userdata};
        r = creation_start(c, object, person);
        if (r < 0) {
                free(c);
                return r;
        }
        *list = c;
        return 0;
}
