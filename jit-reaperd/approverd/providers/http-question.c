/* SPDX-License-Identifier: Apache-2.0 */

#include "http-question.h"
#include "json.h"
#include "question-input.h"
#include "question-trace.h"

typedef struct Slot { /* one request of a round */
        HttpQuestion *question;
        HttpSend *send; /* NULL: answered */
        AnswerText text;
} Slot;

typedef struct Round { /* one [Request] */
        Slot *slots;
        size_t n, waiting;
        bool parsed; /* its answer is in the input */
} Round;

struct HttpQuestion {
        QuestionSetup setup; /* file, server, login, keys, deadline, flags */
        ProviderMatch match;
        char ticket[TICKET_ID_MAX + 1];
        json_t *input, *answers, *values; /* the latter two are borrowed members of input */
        Round rounds[PROVIDER_REQUESTS_MAX];
        size_t current;
        size_t bytes, values_left;    /* of all answers */
        size_t held;                  /* its part of *setup.held */
        QuestionMemory *old, *memory; /* memory: NULL: nothing is to be used again */
        bool same;                    /* all answers so far are those of old */
        json_t *traces, *trace_output;
        char *secret;
        char why[SEND_WHY_MAX];
        question_done_t done;
        void *userdata;
};

/* ---- memory of answers ---- */

/* now: an approval that is made of the time of day must be made anew each time. */
static int memory_prepare(HttpQuestion *q, const QuestionSetup *setup) {
        if (!setup->ticket || setup->extra || setup->trace || setup->file->uses_now)
                return 0;
        q->old = question_memory_ref(setup->memory);
        q->same = q->old != NULL;
        return question_memory_new(setup->host_names, &q->memory);
}

/* The values that the same answer gave then. */
static int values_again(HttpQuestion *q, const ProviderRequest *r) {
        for (size_t i = 0; i < r->n_values; i++) {
                json_t *value = json_object_get(q->old->values, r->values[i].name);
                if (value && json_object_set(q->values, r->values[i].name, value) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* ---- its end ---- */

static void round_done(Round *r) {
        for (size_t i = 0; i < r->n; i++) {
                http_send_free(r->slots[i].send);
                free(r->slots[i].text.text);
        }
        free(r->slots);
        *r = (Round){0};
}

HttpQuestion *http_question_free(HttpQuestion *q) {
        if (!q)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(q->rounds); i++)
                round_done(&q->rounds[i]);
        if (q->setup.held)
                *q->setup.held -= q->held;
        question_memory_unref(q->old);
        question_memory_unref(q->memory);
        json_decref(q->input);
        json_decref(q->traces);
        json_decref(q->trace_output);
        if (q->secret)
                explicit_bzero(q->secret, strlen(q->secret));
        free(q->secret);
        free(q);
        return NULL;
}

static void question_finish(HttpQuestion *q, const QuestionAnswer *answer) {
        QuestionAnswer a = *answer;

        /* Requests that still run are of no use any more, and their answers must not find us gone. */
        for (size_t i = 0; i < ELEMENTSOF(q->rounds); i++)
                round_done(&q->rounds[i]);
        if (q->setup.trace) {
                /* What is no approval may be nested deeper than a message may be: it is shown as text. */
                json_t *approval = a.record ? a.record->object : q->trace_output;
                a.trace = trace_question(q->traces, q->input, approval, !a.record, a.why, q->secret);
        }
        q->done(&a, q->userdata);
        json_decref(a.trace);
        (void) http_question_free(q);
}

static void question_fail(HttpQuestion *q, ProviderResult result) {
        question_finish(q, &(QuestionAnswer){.result = result, .why = q->why});
}

/* For errors of our own; -EBADMSG is the answers', -ENOBUFS their number's: both have filled q->why. */
static void question_error(HttpQuestion *q, int error, ProviderResult bad) {
        if (error == -EBADMSG || error == -ENOBUFS) {
                question_fail(q, error == -EBADMSG ? bad : PROVIDER_LIMIT);
                return;
        }
        (void) snprintf(q->why, sizeof(q->why), "%s", strerror(-error));
        question_fail(q, error == -ENOMEM ? PROVIDER_NO_MEMORY : PROVIDER_UNREACHABLE);
}

/* ---- answers ---- */

/* A system whose first answers are long, and whose second ones never come, must not fill the memory. -ENOBUFS. */
static int question_hold(HttpQuestion *q, size_t bytes) {
        if (!q->setup.held)
                return 0;
        if (*q->setup.held + bytes > QUESTIONS_HELD_MAX) {
                (void) snprintf(q->why, sizeof(q->why), "too many long answers are held for questions under way");
                return -ENOBUFS;
        }
        *q->setup.held += bytes;
        q->held += bytes;
        return 0;
}

static int parse_slot(HttpQuestion *q, size_t i, const Slot *s, json_t **ret) {
        char why[SEND_WHY_MAX] = "";
        size_t values = q->values_left;
        int r;

        if (!s->text.text) {
                *ret = json_null();
                return 0;
        }
        if (i == 0 && q->setup.keys) {
                char jws_why[JWS_WHY_MAX] = "";
                r = jws_verify(q->setup.keys, s->text.text, s->text.length, ret, jws_why);
                (void) snprintf(why, sizeof(why), "%s", jws_why);
        } else
                r = answer_parse(s->text.text, s->text.length, HTTP_ANSWER_MAX, &q->values_left, ret, why);
        if (r < 0 && r != -ENOMEM) {
                (void) snprintf(q->why, sizeof(q->why), "the answer to request %s: %.400s",
                                q->setup.file->requests[i].name, *why ? why : strerror(-r));
                return -EBADMSG;
        }
        if (r >= 0 && (r = question_hold(q, (values - q->values_left) * QUESTION_VALUE_BYTES)) < 0)
                json_decref(*ret);
        return r;
}

static int parse_round(HttpQuestion *q, size_t i) {
        const ProviderRequest *request = &q->setup.file->requests[i];
        Round *round = &q->rounds[i];
        json_t *list = request->each && round->slots ? json_array() : NULL, *j = NULL;
        int r = request->each && round->slots && !list ? -ENOMEM : 0;

        if (!round->slots)
                j = json_null();
        for (size_t k = 0; round->slots && k < round->n && r >= 0; k++) {
                r = parse_slot(q, i, &round->slots[k], &j);
                free(take_ptr(round->slots[k].text.text)); /* twice in memory is once too often */
                if (r >= 0 && list && json_array_append_new(list, take_ptr(j)) < 0)
                        r = -ENOMEM;
        }
        if (r >= 0 && json_object_set_new(q->answers, request->name, list ? take_ptr(list) : take_ptr(j)) < 0)
                r = -ENOMEM;
        json_decref(list);
        round->parsed = r >= 0;
        return r;
}

static int parse_rounds(HttpQuestion *q) {
        int r = 0;

        for (size_t i = 0; i < q->current && r >= 0; i++)
                if (!q->rounds[i].parsed)
                        r = parse_round(q, i);
        return r;
}

static int round_values(HttpQuestion *q, size_t i) {
        const ProviderRequest *request = &q->setup.file->requests[i];
        const json_t *answer = json_object_get(q->answers, request->name);

        return json_is_null(answer) ? 0 : question_values(request, answer, 2 * QUESTION_INPUT_MAX, q->values, q->why);
}

/* ---- the program ---- */

static void question_take_output(HttpQuestion *q, json_t *output) {
        JIT_CLEANUP(approval_record_unrefp) ApprovalRecord *record = NULL;
        char why[APPROVAL_WHY_MAX] = "";
        int r;

        if (!*q->ticket) {
                question_finish(q, &(QuestionAnswer){.result = PROVIDER_OK, .output = output});
                return;
        }
        if (json_is_null(output)) {
                (void) snprintf(q->why, sizeof(q->why), "the program gave null: there is no such ticket");
                question_fail(q, PROVIDER_UNKNOWN);
                return;
        }
        r = approval_record_new(output, q->ticket, &record, why);
        if (r < 0) {
                (void) snprintf(q->why, sizeof(q->why), "the program's approval: %s", *why ? why : strerror(-r));
                question_error(q, r, PROVIDER_INVALID);
                return;
        }
        if (q->memory)
                question_memory_keep(q->memory, q->values, record, output);
        question_finish(q, &(QuestionAnswer){.result = PROVIDER_OK, .record = record, .memory = q->memory});
}

static void question_conclude(HttpQuestion *q) {
        _cleanup_json_ json_t *output = NULL;
        char why[JQ_WHY_MAX] = "";
        int r;

        if (q->same && q->old->n == q->memory->n) {
                question_finish(q,
                                &(QuestionAnswer){.result = PROVIDER_OK, .record = q->old->record, .memory = q->old});
                return;
        }
        r = parse_rounds(q);
        if (r < 0) {
                question_error(q, r, PROVIDER_ANSWER);
                return;
        }
        if (q->setup.no_program) {
                question_finish(q, &(QuestionAnswer){.result = PROVIDER_OK, .output = q->input});
                return;
        }
        r = jq_program_run(q->setup.file->program, q->input, 2 * QUESTION_INPUT_MAX, &output, why);
        if (r < 0) {
                (void) snprintf(q->why, sizeof(q->why), "the program %.450s", why);
                question_error(q, r, PROVIDER_INVALID);
                return;
        }
        if (q->setup.trace)
                q->trace_output = json_incref(output);
        question_take_output(q, output);
}

/* ---- rounds ---- */

static int round_start(HttpQuestion *q);

/* Whether the answer is the one of the time before; then nothing of it need be looked at. */
static int round_compare(HttpQuestion *q, size_t i) {
        const AnswerText *texts[PROVIDER_EACH_MAX + 1] = {0};
        const Round *round = &q->rounds[i];
        int r;

        if (!q->memory)
                return 0;
        for (size_t k = 0; k < round->n; k++)
                texts[k] = &round->slots[k].text;
        r = question_memory_add(q->memory, texts, round->n);
        if (r >= 0)
                q->same = q->same && question_memory_follows(q->memory, q->old);
        return r;
}

/* All of a round has come. */
static void round_end(HttpQuestion *q) {
        size_t i = q->current++;
        const ProviderRequest *request = &q->setup.file->requests[i];
        int r;

        if (i == 0 && !q->rounds[0].slots[0].text.text) {
                (void) snprintf(q->why, sizeof(q->why), "the answer to request %s says that there is none",
                                request->name);
                question_fail(q, PROVIDER_UNKNOWN);
                return;
        }
        r = round_compare(q, i);
        if (r >= 0 && q->same)
                r = values_again(q, request);
        else if (r >= 0) {
                r = parse_rounds(q);
                if (r == -EBADMSG) {
                        question_error(q, r, PROVIDER_ANSWER);
                        return;
                }
                if (r >= 0)
                        r = round_values(q, i);
        }
        if (r >= 0 && q->current == q->setup.file->n_requests) {
                question_conclude(q);
                return;
        }
        if (r >= 0)
                r = round_start(q);
        if (r < 0)
                question_error(q, r, PROVIDER_INVALID);
        else if (r == 0) /* nothing to ask: a value is null, or ForEach='s an empty list */
                round_end(q);
}

static int slot_keep(Slot *s, const HttpAnswer *answer) {
        if (!(s->text.text = malloc(answer->length + 1)))
                return -ENOMEM;
        memcpy(s->text.text, answer->body ? answer->body : "", answer->length);
        s->text.text[answer->length] = '\0';
        s->text.length = answer->length;
        return 0;
}

static void on_sent(const SendAnswer *answer, void *userdata) {
        Slot *s = userdata;
        HttpQuestion *q = s->question;
        int r;

        s->send = NULL;
        if (answer->trace)
                (void) json_array_append(q->traces, answer->trace);
        if (answer->secret && !q->secret)
                q->secret = strdup(answer->secret);
        if (answer->result != PROVIDER_OK) {
                (void) snprintf(q->why, sizeof(q->why), "%s", answer->why ? answer->why : "");
                question_fail(q, answer->result);
                return;
        }
        if (!answer->null) {
                q->bytes += answer->http->length;
                if (q->bytes > QUESTION_INPUT_MAX) {
                        (void) snprintf(q->why, sizeof(q->why), "all answers together are longer than %d bytes",
                                        QUESTION_INPUT_MAX);
                        question_fail(q, PROVIDER_ANSWER);
                        return;
                }
                if ((r = question_hold(q, answer->http->length)) < 0 || (r = slot_keep(s, answer->http)) < 0) {
                        question_error(q, r, PROVIDER_NO_MEMORY);
                        return;
                }
        }
        if (--q->rounds[q->current].waiting == 0)
                round_end(q);
}

static int slot_start(HttpQuestion *q, Slot *s, const char *each_value) {
        const ProviderRequest *request = &q->setup.file->requests[q->current];
        TemplateValue texts[INPUT_TEXTS_MAX];
        SendSetup setup = {.event = q->setup.event,
                           .server = q->setup.server,
                           .login = q->setup.login,
                           .request = request,
                           .input = q->input,
                           .values = texts,
                           .accept = q->setup.keys && q->current == 0 ? "application/jose" : NULL,
                           .deadline_usec = q->setup.deadline_usec,
                           .urgent = q->setup.urgent,
                           .trace = q->setup.trace};
        int r;

        question_texts(q->input, *q->match.text[0] ? &q->match : NULL, request->each, each_value, texts);
        s->question = q;
        r = http_send_new(&setup, on_sent, s, &s->send);
        if (r >= 0)
                q->rounds[q->current].waiting++;
        return r;
}

/* So many requests are under way now, or a negative errno. */
static int round_start(HttpQuestion *q) {
        const ProviderRequest *request = &q->setup.file->requests[q->current];
        json_t *each = request->each ? json_object_get(q->values, request->each) : NULL;
        Round *round = &q->rounds[q->current];
        size_t n = json_is_array(each) ? json_array_size(each) : 1;
        int r;

        if (q->current > 0 && question_lacks(request, q->values))
                return 0; /* not sent: its answer is null */
        if (request->body && (r = parse_rounds(q)) < 0)
                return r;
        if (!(round->slots = calloc(n + 1, sizeof(*round->slots))))
                return -ENOMEM;
        round->n = n;
        for (size_t i = 0; i < n; i++) {
                const char *value = json_string_value(json_is_array(each) ? json_array_get(each, i) : each);
                if ((r = slot_start(q, &round->slots[i], value)) < 0)
                        return r;
        }
        return (int) n;
}

static int question_prepare(HttpQuestion *q, const QuestionSetup *setup) {
        if (setup->match)
                q->match = *setup->match;
        q->setup.match = NULL;
        q->setup.host_names = NULL;
        q->setup.extra = NULL;
        q->setup.memory = NULL;
        if (setup->ticket)
                (void) snprintf(q->ticket, sizeof(q->ticket), "%s", setup->ticket);
        q->values_left = ANSWER_NODES_MAX;
        q->answers = json_object();
        q->values = json_object();
        q->traces = json_array();
        q->input = question_input_new(setup->match, setup->host_names, setup->extra);
        if (!q->input || json_object_set_new(q->input, "answers", q->answers) < 0) {
                json_decref(q->values);
                return -ENOMEM;
        }
        if (json_object_set_new(q->input, "values", q->values) < 0 || !q->traces)
                return -ENOMEM;
        return memory_prepare(q, setup);
}

int http_question_new(const QuestionSetup *setup, question_done_t done, void *userdata, HttpQuestion **ret) {
        JIT_CLEANUP(http_question_freep) HttpQuestion *q = calloc(1, sizeof(*q));
        int r;

        if (!q)
                return -ENOMEM;
        if (setup->file->n_requests == 0 || setup->file->requests[0].each ||
            (!setup->file->program && !setup->no_program))
                return -EINVAL;
        q->setup = *setup;
        q->done = done;
        q->userdata = userdata;
        if ((r = question_prepare(q, setup)) < 0 || (r = round_start(q)) < 0)
                return r;
        *ret = take_ptr(q);
        return 0;
}

void http_question_urgent(HttpQuestion *q) {
        Round *round = &q->rounds[q->current];

        q->setup.urgent = true;
        for (size_t i = 0; i < round->n; i++)
                if (round->slots[i].send)
                        http_send_urgent(round->slots[i].send);
}
