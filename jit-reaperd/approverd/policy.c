/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <jq.h>
#include <signal.h>
#include <time.h>

#include "file-io.h"
#include "json.h"
#include "policy.h"
#include "strv.h"
#include "ticket.h"

struct Policy {
        jq_state *jq;
        timer_t clock;
        bool has_clock;
        char message[POLICY_WHY_MAX]; /* what jq complained of */
};

/* ---- the limit of a run: jq looks at "halted" before each instruction ---- */

static jq_state *volatile running;

static void on_clock(int number) {
        jq_state *jq = running;

        (void) number;
        if (jq && !jq_halted(jq)) /* jq_halt() only stores its arguments; twice is an assertion */
                jq_halt(jq, jv_invalid(), jv_null());
}

static int clock_new(Policy *p) {
        struct sigaction action = {.sa_handler = on_clock, .sa_flags = SA_RESTART};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};

        if (sigaction(SIGVTALRM, &action, NULL) < 0)
                return -errno;
        if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &p->clock) < 0)
                return -errno;
        p->has_clock = true;
        return 0;
}

static void clock_set(const Policy *p, uint64_t usec) {
        struct itimerspec t = {.it_value = {.tv_sec = (time_t) (usec / USEC_PER_SEC),
                                            .tv_nsec = (long) (usec % USEC_PER_SEC * 1000)}};

        (void) timer_settime(p->clock, 0, &t, NULL);
}

/* ---- compiling ---- */

/* The first says what is wrong; the last only how many there were. */
static void on_jq_message(void *userdata, jv message) {
        Policy *p = userdata;
        jv text = jq_format_error(message);

        if (p->message[0] == '\0')
                (void) snprintf(p->message, sizeof(p->message), "%s",
                                jv_get_kind(text) == JV_KIND_STRING ? jv_string_value(text) : "error");
        for (char *c = p->message; *c; c++)
                if ((unsigned char) *c < 0x20)
                        *c = ' ';
        jv_free(text);
}

static void on_jq_debug(void *userdata, jv message) {
        (void) userdata;
        jv_free(message);
}

/* There is one input. libjq calls this without looking whether it is set. */
static jv on_jq_input(jq_state *jq, void *userdata) {
        (void) jq, (void) userdata;
        return jv_invalid();
}

int policy_new(const char *program, Policy **ret, char *ret_why) {
        JIT_CLEANUP(policy_freep) Policy *p = calloc(1, sizeof(*p));
        int r;

        if (!p || !(p->jq = jq_init()))
                return -ENOMEM;
        jq_set_error_cb(p->jq, on_jq_message, p);
        jq_set_debug_cb(p->jq, on_jq_debug, p);
        jq_set_input_cb(p->jq, on_jq_input, p);
        /* No modules: what decides is one file. jq looks for ~/.jq too; the daemon has no HOME. */
        jq_set_attr(p->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
        if (!jq_compile(p->jq, program)) {
                (void) snprintf(ret_why, POLICY_WHY_MAX, "%s", p->message[0] ? p->message : "does not compile");
                return -EBADMSG;
        }
        if ((r = clock_new(p)) < 0)
                return r;
        *ret = take_ptr(p);
        return 0;
}

Policy *policy_free(Policy *p) {
        if (!p)
                return NULL;
        if (p->has_clock)
                (void) timer_delete(p->clock);
        if (p->jq)
                jq_teardown(&p->jq);
        free(p);
        return NULL;
}

int policy_load(const char *etc, const char *vendor, Policy **ret, char *ret_why) {
        const char *const folders[] = {etc, vendor};

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_close_ int fd = open(folders[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
                _cleanup_free_ char *text = NULL;
                char why[POLICY_WHY_MAX];
                int r;

                if (fd < 0)
                        continue;
                r = file_read_capped(fd, "policy.jq", POLICY_TEXT_MAX, true, &text, NULL);
                if (r == -ENOENT)
                        continue;
                if (r < 0) {
                        (void) snprintf(ret_why, POLICY_WHY_MAX, "%.300s/policy.jq: %s", folders[i], strerror(-r));
                        return r;
                }
                r = policy_new(text, ret, why);
                if (r == -EBADMSG)
                        (void) snprintf(ret_why, POLICY_WHY_MAX, "%.200s/policy.jq: %.200s", folders[i], why);
                else if (r < 0)
                        (void) snprintf(ret_why, POLICY_WHY_MAX, "%.300s/policy.jq: %s", folders[i], strerror(-r));
                return r;
        }
        (void) snprintf(ret_why, POLICY_WHY_MAX, "there is no policy.jq in %.200s or %.200s", etc, vendor);
        return -ENOENT;
}

/* ---- running ---- */

void policy_result_done(PolicyResult *r) {
        strv_free(r->reasons);
        free(r->message);
        free(r->error);
        *r = (PolicyResult){0};
}

static int refuse(PolicyResult *ret, const char *error) {
        policy_result_done(ret);
        ret->ttl_usec = USEC_INFINITY;
        ret->error = strdup(error);
        return ret->error && strv_extend(&ret->reasons, "policy-denied") >= 0 ? 0 : -ENOMEM;
}

static bool reason_is_valid(const char *code) {
        size_t n = strspn(code, "abcdefghijklmnopqrstuvwxyz-");

        return n > 0 && n <= 40 && code[n] == '\0';
}

static int take_reasons(jv reasons, PolicyResult *ret) {
        jv_kind kind = jv_get_kind(reasons);
        int n = kind == JV_KIND_ARRAY                             ? jv_array_length(jv_copy(reasons))
                : kind == JV_KIND_NULL || kind == JV_KIND_INVALID ? 0
                                                                  : -1;
        int r = n >= 0 && n <= POLICY_REASONS_MAX ? 0 : -EBADMSG;

        for (int i = 0; i < n && r >= 0; i++) {
                jv code = jv_array_get(jv_copy(reasons), i);
                if (jv_get_kind(code) == JV_KIND_STRING && reason_is_valid(jv_string_value(code)))
                        r = strv_extend(&ret->reasons, jv_string_value(code));
                else
                        r = -EBADMSG;
                jv_free(code);
        }
        jv_free(reasons);
        return r;
}

static int take_ttl(jv ttl, PolicyResult *ret) {
        jv_kind kind = jv_get_kind(ttl);
        double v = kind == JV_KIND_NUMBER ? jv_number_value(ttl) : 0;

        jv_free(ttl);
        ret->ttl_usec = USEC_INFINITY;
        if (kind == JV_KIND_NULL || kind == JV_KIND_INVALID)
                return 0;
        if (kind != JV_KIND_NUMBER || !(v >= 0 && v <= 9e15)) /* exact as a double, and 285 years */
                return -EBADMSG;
        ret->ttl_usec = (uint64_t) v;
        return 0;
}

static int take_message(jv message, PolicyResult *ret) {
        int r = 0;

        if (jv_get_kind(message) == JV_KIND_STRING) {
                const char *text = jv_string_value(message);
                if (strlen(text) > POLICY_MESSAGE_MAX || !ticket_text_is_plain(text, false))
                        r = -EBADMSG;
                else if (!(ret->message = strdup(text)))
                        r = -ENOMEM;
        } else if (jv_get_kind(message) != JV_KIND_NULL && jv_get_kind(message) != JV_KIND_INVALID)
                r = -EBADMSG;
        jv_free(message);
        return r;
}

static jv member(jv object, const char *name) {
        return jv_object_get(jv_copy(object), jv_string(name));
}

/* Consumes output. -EBADMSG if it is not what the manual says. */
static int take_output(jv output, PolicyResult *ret) {
        jv allow;
        int r = -EBADMSG;

        if (jv_get_kind(output) == JV_KIND_OBJECT) {
                allow = member(output, "allow");
                ret->allow = jv_get_kind(allow) == JV_KIND_TRUE;
                if (ret->allow || jv_get_kind(allow) == JV_KIND_FALSE)
                        r = take_reasons(member(output, "reasons"), ret);
                jv_free(allow);
                if (r >= 0)
                        r = take_ttl(member(output, "ttl_usec"), ret);
                if (r >= 0)
                        r = take_message(member(output, "message"), ret);
        }
        jv_free(output);
        return r;
}

/* The program's one answer, or an invalid value and ret_error (static). */
static jv run(Policy *p, jv input, const char **ret_error) {
        jv output, more;

        *ret_error = NULL;
        running = p->jq;
        clock_set(p, POLICY_TIME_MAX_USEC);
        jq_start(p->jq, input, 0);
        output = jq_next(p->jq);
        more = jv_is_valid(output) ? jq_next(p->jq) : jv_invalid();
        clock_set(p, 0);
        running = NULL;
        if (jq_halted(p->jq))
                *ret_error = "the policy took too long, or stopped by itself";
        else if (jv_is_valid(more))
                *ret_error = "the policy gave more than one answer";
        else if (!jv_is_valid(output) || jv_invalid_has_msg(jv_copy(more)))
                *ret_error = "the policy failed";
        jv_free(more);
        if (!*ret_error)
                return output;
        if (!jv_is_valid(output) && jv_invalid_has_msg(jv_copy(output))) {
                jv text = jv_invalid_get_msg(output);
                (void) snprintf(p->message, sizeof(p->message), "the policy failed: %.200s",
                                jv_get_kind(text) == JV_KIND_STRING ? jv_string_value(text) : "error");
                jv_free(text);
                *ret_error = p->message;
        } else
                jv_free(output);
        return jv_invalid();
}

int policy_run(Policy *p, const json_t *input, PolicyResult *ret) {
        _cleanup_free_ char *text = json_canonical(input);
        const char *error;
        jv output;
        int r;

        *ret = (PolicyResult){.ttl_usec = USEC_INFINITY};
        if (!text)
                return -ENOMEM;
        if (strlen(text) > POLICY_INPUT_MAX)
                return refuse(ret, "the policy's input is too long");
        output = run(p, jv_parse_sized(text, (int) strlen(text)), &error);
        if (error)
                return refuse(ret, error);
        r = take_output(output, ret);
        if (r == -EBADMSG)
                return refuse(ret, "the policy's answer is not {allow, reasons, ttl_usec}");
        if (r < 0)
                policy_result_done(ret);
        else if (!ret->reasons)
                r = strv_extend(&ret->reasons, ret->allow ? "approved" : "policy-denied");
        return r;
}
