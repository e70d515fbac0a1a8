/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_GATE_H
#define JIT_TEST_GATE_H

/* sudo's two phases, as the module calls them. */

#include "test-person.h"

#define ALLOW_OTHER                                                                                                                    \
        "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"m\",\"ticket\":\"CHG2\",\"requester\":\"alice\",\"role\":\"dba\"," \
        "\"notAfter\":4000000000000000,\"ttlUSec\":600000000}"

static char decision[64]; /* of the last yes: what one PAM transaction has in its memory */

static inline json_t *keep_decision(json_t *answer) {
        (void) snprintf(decision, sizeof(decision), "%s", text_in(answer, "decision"));
        return answer;
}

static inline json_t *authorize(const Person *p, const char *tty, const char *ticket) {
        json_t *call = pam_call("alice", "sudo", tty);

        if (ticket)
                (void) json_object_set_new(call, "ticket", json_string(ticket));
        return keep_decision(person_calls(p, "AuthorizeElevation", call));
}

static inline json_t *open_call(const char *target, const char *tty) {
        json_t *call = pam_call_with(target, "sudo", tty, "gate", json_true());

        if (*decision)
                (void) json_object_set_new(call, "decision", json_string(decision));
        return call;
}

static inline json_t *open_elevation(const Person *p, const char *target, const char *tty) {
        return person_calls(p, "OpenElevation", open_call(target, tty));
}

static inline void check_bound(json_t *j) {
        if (strncmp(text_in(j, "unit"), "jit-", 4) != 0 || *text_in(j, "error"))
                TEST_FAIL("not in a scope: %s %s", text_in(j, "error"), text_in(j, "reason"));
        CHECK(json_integer_value(json_object_get(j, "until")) > 0);
        CHECK_STREQ(text_in(json_object_get(j, "env"), "JIT_TICKET"), "CHG1");
        CHECK(strlen(text_in(json_object_get(j, "env"), "JIT_GRANT")) == 16 && *text_in(json_object_get(j, "env"), "JIT_DEADLINE"));
        json_decref(j);
}

static inline void check_unbound(json_t *j) {
        if (*text_in(j, "unit") || *text_in(j, "error") || !json_is_object(json_object_get(j, "env")))
                TEST_FAIL("%s %s %s", text_in(j, "unit"), text_in(j, "error"), text_in(j, "reason"));
        json_decref(j);
}

static inline char *last_audit_line(void) {
        char *text = get_file(manager->dirs.state, "audit.jsonl"), *line;

        if (*text)
                text[strlen(text) - 1] = 0;
        line = strrchr(text, '\n');
        line = strdup(line ? line + 1 : text);
        free(text);
        return line;
}

#endif
