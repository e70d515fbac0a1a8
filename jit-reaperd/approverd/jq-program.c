/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <jq.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>

#include "file-io.h"
#include "jq-json.h"
#include "jq-program.h"

struct JqProgram {
        jq_state *jq;
        timer_t clock;
        bool has_clock;
        char message[JQ_WHY_MAX]; /* what jq complained of when it compiled */
};

static int fail(char *ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(char *ret_why, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(ret_why, JQ_WHY_MAX, format, ap);
        va_end(ap);
        for (char *c = ret_why; *c; c++)
                if ((unsigned char) *c < 0x20 || *c == 0x7f)
                        *c = ' ';
        return -EBADMSG;
}

/* ---- the limit of a run: jq looks at "halted" before each instruction ---- */

static jq_state *volatile running;

static void on_clock(int number) {
        jq_state *jq = running;

        (void) number;
        if (jq && !jq_halted(jq)) /* jq_halt() only stores its arguments; twice is an assertion */
                jq_halt(jq, jv_invalid(), jv_null());
}

static int clock_new(JqProgram *p) {
        struct sigaction action = {.sa_handler = on_clock, .sa_flags = SA_RESTART};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};

        if (sigaction(SIGVTALRM, &action, NULL) < 0)
                return -errno;
        if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &p->clock) < 0)
                return -errno;
        p->has_clock = true;
        return 0;
}

static void clock_set(const JqProgram *p, uint64_t usec) {
        struct itimerspec t = {.it_value = {.tv_sec = (time_t) (usec / USEC_PER_SEC),
                                            .tv_nsec = (long) (usec % USEC_PER_SEC * 1000)}};

        (void) timer_settime(p->clock, 0, &t, NULL);
}

/* ---- compiling ---- */

/* The first says what is wrong; the last only how many there were. */
static void on_jq_message(void *userdata, jv message) {
        JqProgram *p = userdata;
        jv text = jq_format_error(message);

        if (p->message[0] == '\0')
                (void) snprintf(p->message, sizeof(p->message), "%s",
                                jv_get_kind(text) == JV_KIND_STRING ? jv_string_value(text) : "error");
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

int jq_program_new(const char *text, JqProgram **ret, char *ret_why) {
        JIT_CLEANUP(jq_program_freep) JqProgram *p = calloc(1, sizeof(*p));
        int r;

        if (!p || !(p->jq = jq_init()))
                return -ENOMEM;
        jq_set_error_cb(p->jq, on_jq_message, p);
        jq_set_debug_cb(p->jq, on_jq_debug, p);
        jq_set_input_cb(p->jq, on_jq_input, p);
        /* No modules: what decides is one file. jq looks for ~/.jq too; the daemon has no HOME. */
        jq_set_attr(p->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
        if (!jq_compile(p->jq, text))
                return fail(ret_why, "%s", p->message[0] ? p->message : "does not compile");
        if ((r = clock_new(p)) < 0)
                return r;
        *ret = take_ptr(p);
        return 0;
}

JqProgram *jq_program_free(JqProgram *p) {
        if (!p)
                return NULL;
        if (p->has_clock)
                (void) timer_delete(p->clock);
        if (p->jq)
                jq_teardown(&p->jq);
        free(p);
        return NULL;
}

int jq_program_load(const char *folder, const char *name, JqProgram **ret, char *ret_why) {
        _cleanup_close_ int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        char why[JQ_WHY_MAX] = "";
        int r = fd < 0 ? -errno : file_read_capped(fd, name, JQ_TEXT_MAX, true, &text, NULL);

        if (r >= 0)
                r = jq_program_new(text, ret, why);
        if (r < 0)
                (void) snprintf(ret_why, JQ_WHY_MAX, "%.200s/%.64s: %.220s", folder, name, *why ? why : strerror(-r));
        return r;
}

/* ---- running ---- */

/* Consumes error, an invalid value with a message. */
static int fail_with(jv error, char *ret_why) {
        jv text = jv_invalid_get_msg(error);

        (void) fail(ret_why, "failed: %.200s", jv_get_kind(text) == JV_KIND_STRING ? jv_string_value(text) : "error");
        jv_free(text);
        return -EBADMSG;
}

/* Leaves nothing of the run in libjq. What halt_error was given is freed at each jq_start() anew in jq 1.6: so something
 * that needs no freeing has to be there before the next. */
static void clear(JqProgram *p) {
        jq_start(p->jq, jv_null(), 0);
        jq_halt(p->jq, jv_invalid(), jv_null());
}

/* Consumes input. */
static int run(JqProgram *p, jv input, jv *ret, char *ret_why) {
        jv output, more;
        int r = 0;

        running = p->jq;
        clock_set(p, JQ_TIME_MAX_USEC);
        jq_start(p->jq, input, 0);
        output = jq_next(p->jq);
        more = jv_is_valid(output) ? jq_next(p->jq) : jv_invalid();
        clock_set(p, 0);
        running = NULL;
        if (jq_halted(p->jq))
                r = fail(ret_why, "took too long, or stopped by itself");
        else if (jv_is_valid(more))
                r = fail(ret_why, "gave more than one answer");
        else if (jv_invalid_has_msg(jv_copy(more)))
                r = fail_with(jv_copy(more), ret_why);
        else if (!jv_is_valid(output))
                r = jv_invalid_has_msg(jv_copy(output)) ? fail_with(jv_copy(output), ret_why)
                                                        : fail(ret_why, "gave no answer");
        jv_free(more);
        if (r >= 0)
                *ret = output;
        else
                jv_free(output);
        return r;
}

/* Consumes output. */
static int take_output(jv output, json_t **ret, char *ret_why) {
        int r = json_from_jv(output, JQ_OUTPUT_MAX, ret);

        if (r >= 0 || r == -ENOMEM)
                return r;
        return fail(ret_why, r == -EMSGSIZE ? "gave too long an answer"
                             : r == -ELOOP  ? "gave an answer that is nested too deeply"
                                            : "gave a number or a text that JSON does not have");
}

int jq_program_run(JqProgram *p, const json_t *input, size_t max, json_t **ret, char *ret_why) {
        jv value, output;
        int r = jv_from_json(input, max, &value);

        if (r < 0)
                return fail(ret_why, r == -ELOOP ? "got an input that is nested too deeply" : "got too long an input");
        if ((r = run(p, jv_copy(value), &output, ret_why)) >= 0)
                r = take_output(output, ret, ret_why);
        clear(p);
        jv_reclaim(value);
        return r;
}
