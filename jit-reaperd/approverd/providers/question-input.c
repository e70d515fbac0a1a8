/* SPDX-License-Identifier: Apache-2.0 */

#include "http-send.h"
#include "json.h"
#include "question-input.h"

static json_t *match_to_json(const ProviderMatch *m) {
        json_t *list = json_array();

        for (size_t i = 0; m && i < m->n; i++)
                (void) json_array_append_new(list, json_string(m->text[i]));
        return list;
}

json_t *question_input_new(const ProviderMatch *match, char *const *host_names, const json_t *extra) {
        json_t *input = json_pack("{s:{s:o}, s:I}", "host", "names", json_from_strv(host_names), "now",
                                  (json_int_t) (now_usec(CLOCK_REALTIME) / USEC_PER_SEC));

        if (!input)
                return NULL;
        if ((match && (json_set_str(input, "ticket", match->text[0]) < 0 ||
                       json_object_set_new(input, "match", match_to_json(match)) < 0)) ||
            (extra && json_object_update(input, (json_t *) extra) < 0)) {
                json_decref(input);
                return NULL;
        }
        return input;
}

void question_texts(const json_t *input, const ProviderMatch *match, const char *each, const char *each_value,
                    TemplateValue ret[static INPUT_TEXTS_MAX]) {
        static const char *const numbers[] = {"ticket", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
        const char *host =
                        json_string_value(json_array_get(json_object_get(json_object_get(input, "host"), "names"), 0));
        size_t n = 0;
        const char *name;
        json_t *value;

        for (size_t i = 0; match && i < match->n && i < ELEMENTSOF(numbers); i++)
                ret[n++] = (TemplateValue){numbers[i], match->text[i]};
        if (host)
                ret[n++] = (TemplateValue){"host", host};
        if (each)
                ret[n++] = (TemplateValue){each, each_value};
        json_object_foreach (json_object_get(input, "values"), name, value)
                if (json_is_string(value) && n < INPUT_TEXTS_MAX - 1)
                        ret[n++] = (TemplateValue){name, json_string_value(value)};
        ret[n] = (TemplateValue){0};
}

static bool template_lacks(const UrlTemplate *t, const char *each, const json_t *values) {
        STRV_FOREACH (name, url_template_names(t)) {
                bool ours = (**name >= '1' && **name <= '9') || streq(*name, "ticket") || streq(*name, "host") ||
                            (each && streq(*name, each));
                if (!ours && !json_object_get(values, *name))
                        return true;
        }
        return false;
}

bool question_lacks(const ProviderRequest *r, const json_t *values) {
        if ((r->each && !json_object_get(values, r->each)) || template_lacks(r->url, r->each, values))
                return true;
        for (size_t i = 0; i < r->n_queries; i++)
                if (template_lacks(r->queries[i].value, r->each, values))
                        return true;
        for (size_t i = 0; i < r->n_headers; i++)
                if (template_lacks(r->headers[i].value, r->each, values))
                        return true;
        return false;
}

/* ---- Value= ---- */

/* A string or a whole number that may stand in a template, as a string; NULL: it may not (or no memory, which is as
 * bad). */
static json_t *scalar_to_text(const json_t *j) {
        char number[32];
        const char *text = json_string_value(j);

        if (json_is_integer(j)) {
                (void) snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(j));
                text = number;
        } else if (json_is_real(j)) {
                double d = json_real_value(j);
                if (!(d > -9007199254740992.0 && d < 9007199254740992.0)) /* 2^53: exact below it */
                        return NULL;
                if ((double) (json_int_t) d < d || (double) (json_int_t) d > d)
                        return NULL;
                (void) snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, (json_int_t) d);
                text = number;
        }
        return text && template_value_is_valid(text) ? json_string(text) : NULL;
}

static json_t *list_to_texts(const json_t *list) {
        json_t *texts = json_array(), *value;
        size_t i;

        if (json_array_size(list) > PROVIDER_EACH_MAX) {
                json_decref(texts);
                return NULL;
        }
        json_array_foreach (list, i, value)
                if (json_array_append_new(texts, scalar_to_text(value)) < 0) {
                        json_decref(texts);
                        return NULL;
                }
        return texts;
}

static int run_value(const ProviderRequest *r, const ProviderValue *v, const json_t *answer, size_t max, json_t *values,
                     char *ret_why) {
        _cleanup_json_ json_t *output = NULL;
        char why[JQ_WHY_MAX] = "";
        json_t *text;
        int k = jq_program_run(v->program, answer, max, &output, why);

        if (k < 0) {
                (void) snprintf(ret_why, SEND_WHY_MAX, "the program of value %s of request %s %.400s", v->name, r->name,
                                why);
                return k;
        }
        if (json_is_null(output))
                return 0;
        text = json_is_array(output) ? list_to_texts(output) : scalar_to_text(output);
        if (!text) {
                (void) snprintf(ret_why, SEND_WHY_MAX,
                                "value %s of request %s is neither a string nor a whole number that may stand in a "
                                "request, nor a list of at most %d of them",
                                v->name, r->name, PROVIDER_EACH_MAX);
                return -EBADMSG;
        }
        return json_object_set_new(values, v->name, text) < 0 ? -ENOMEM : 0;
}

int question_values(const ProviderRequest *r, const json_t *answer, size_t max, json_t *values, char *ret_why) {
        for (size_t i = 0; i < r->n_values; i++) {
                int k = run_value(r, &r->values[i], answer, max, values, ret_why);
                if (k < 0)
                        return k;
        }
        return 0;
}
