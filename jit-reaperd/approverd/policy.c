/* SPDX-License-Identifier: Apache-2.0 */

#include "jq-program.h"
#include "policy.h"
#include "strv.h"
#include "ticket.h"

struct Policy {
        JqProgram *program;
};

_Static_assert((int) POLICY_WHY_MAX >= (int) JQ_WHY_MAX && (int) POLICY_TEXT_MAX == (int) JQ_TEXT_MAX,
               "a policy is a jq program");

/* Takes program over, also on failure. */
static int policy_wrap(JqProgram *program, Policy **ret) {
        Policy *p = malloc(sizeof(*p));

        if (!p) {
                jq_program_free(program);
                return -ENOMEM;
        }
        p->program = program;
        *ret = p;
        return 0;
}

int policy_new(const char *program, Policy **ret, char *ret_why) {
        JqProgram *p;
        int r = jq_program_new(program, &p, ret_why);

        return r < 0 ? r : policy_wrap(p, ret);
}

Policy *policy_free(Policy *p) {
        if (!p)
                return NULL;
        jq_program_free(p->program);
        free(p);
        return NULL;
}

int policy_load(const char *etc, const char *vendor, Policy **ret, char *ret_why) {
        const char *const folders[] = {etc, vendor};

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                JqProgram *p;
                int r = jq_program_load(folders[i], "policy.jq", &p, ret_why);

                if (r >= 0)
                        return policy_wrap(p, ret);
                if (r != -ENOENT)
                        return r;
        }
        (void) snprintf(ret_why, POLICY_WHY_MAX, "there is no policy.jq in %.200s or %.200s", etc, vendor);
        return -ENOENT;
}

/* ---- its answer ---- */

void policy_result_done(PolicyResult *r) {
        strv_free(r->reasons);
        free(r->message);
        free(r->error);
        *r = (PolicyResult){0};
}

static int refuse(PolicyResult *ret, const char *error) {
        policy_result_done(ret);
        ret->ttl_usec = USEC_INFINITY;
        if (asprintf(&ret->error, "the policy %s", error) < 0) {
                ret->error = NULL;
                return -ENOMEM;
        }
        return strv_extend(&ret->reasons, "policy-denied");
}

static bool reason_is_valid(const char *code) {
        size_t n = strspn(code, "abcdefghijklmnopqrstuvwxyz-");

        return n > 0 && n <= 40 && code[n] == '\0';
}

/* Codes by which jit-reaperd takes a refusal for no answer, on which nothing live ends: no policy's to give. */
static bool reason_is_reserved(const char *code) {
        return strncmp(code, "provider-", strlen("provider-")) == 0 || streq(code, "rate-limited") ||
               streq(code, "try-again");
}

static bool is_absent(const json_t *j) {
        return !j || json_is_null(j);
}

static int take_reasons(const json_t *reasons, PolicyResult *ret) {
        const json_t *code;
        size_t i;
        int r;

        if (is_absent(reasons))
                return 0;
        if (!json_is_array(reasons) || json_array_size(reasons) > POLICY_REASONS_MAX)
                return -EBADMSG;
        json_array_foreach (reasons, i, code) {
                if (!json_is_string(code) || strlen(json_string_value(code)) != json_string_length(code) ||
                    !reason_is_valid(json_string_value(code)))
                        return -EBADMSG;
                r = strv_extend(&ret->reasons, reason_is_reserved(json_string_value(code)) ? "policy-denied"
                                                                                           : json_string_value(code));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_ttl(const json_t *ttl, PolicyResult *ret) {
        double v = json_number_value(ttl);

        ret->ttl_usec = USEC_INFINITY;
        if (is_absent(ttl))
                return 0;
        if (!json_is_number(ttl) || !(v >= 0 && v <= 9e15)) /* exact as a double, and 285 years */
                return -EBADMSG;
        ret->ttl_usec = (uint64_t) v;
        return 0;
}

static int take_message(const json_t *message, PolicyResult *ret) {
        const char *text = json_string_value(message);

        if (is_absent(message))
                return 0;
        if (!text || json_string_length(message) > POLICY_MESSAGE_MAX || strlen(text) != json_string_length(message) ||
            !ticket_text_is_plain(text, false))
                return -EBADMSG;
        ret->message = strdup(text);
        return ret->message ? 0 : -ENOMEM;
}

/* -EBADMSG if it is not what the manual says. */
static int take_output(const json_t *output, PolicyResult *ret) {
        const json_t *allow = json_object_get(output, "allow");
        int r;

        if (!json_is_boolean(allow))
                return -EBADMSG;
        ret->allow = json_is_true(allow);
        if ((r = take_reasons(json_object_get(output, "reasons"), ret)) < 0 ||
            (r = take_ttl(json_object_get(output, "ttl_usec"), ret)) < 0)
                return r;
        return take_message(json_object_get(output, "message"), ret);
}

int policy_result_parse(const json_t *output, PolicyResult *ret) {
        int r;

        *ret = (PolicyResult){.ttl_usec = USEC_INFINITY};
        r = take_output(output, ret);
        if (r >= 0 && !ret->reasons)
                r = strv_extend(&ret->reasons, ret->allow ? "approved" : "policy-denied");
        if (r < 0)
                policy_result_done(ret);
        return r;
}

int policy_run(Policy *p, const json_t *input, PolicyResult *ret) {
        _cleanup_json_ json_t *output = NULL;
        char why[JQ_WHY_MAX];
        int r;

        *ret = (PolicyResult){.ttl_usec = USEC_INFINITY};
        r = jq_program_run(p->program, input, POLICY_INPUT_MAX, &output, why);
        if (r == -EBADMSG)
                return refuse(ret, why);
        if (r >= 0 && (r = policy_result_parse(output, ret)) == -EBADMSG)
                return refuse(ret, "gave an answer that is not {allow, reasons, ttl_usec}");
        return r;
}
