/* SPDX-License-Identifier: Apache-2.0 */

/* examples/pam.d and examples/pam.d-gate, but for sshd, which has test-examples.c: sudo, sudo-i, su, su-l, runuser-l,
 * login, systemd-run0. The promises: without the gate, whatever is wrong with pam_jit, ordinary people have their sudo
 * and su; with it, whatever is wrong, nobody gets through; and accounts of tickets get in with a clear yes only. */

#include "answers.h"
#include "example.h"
#include "test.h"

static const Script good = {.authenticate = {.text = YES},
                            .authorize = {.text = YES},
                            .authorize_elevation = {.text = YES},
                            .open_session = {.text = SESSION},
                            .open_elevation = {.text = SCOPE}};
static const Script refusing = {.authenticate = {.text = NO("caller-mismatch")},
                                .authorize = {.text = NO("caller-mismatch")},
                                .authorize_elevation = {.text = NO("caller-mismatch")},
                                .open_session = {.text = ERROR("Refused")},
                                .open_elevation = {.text = ERROR("Refused")}};

/* How far one gets. */
enum { NO_PASSWORD, KEPT_OUT, NO_SESSION, IN };

typedef struct Stack {
        const char *folder, *service;
        unsigned lines; /* pam_jit's */
        bool is_sudo;   /* account phase for the caller */
        bool asks;      /* an auth phase that knows accounts of ours */
} Stack;

static const Stack stacks[] = {
                {"pam.d", "sudo", 2, true, false},   {"pam.d", "sudo-i", 3, true, false},
                {"pam.d", "su", 4, false, true},     {"pam.d", "su-l", 4, false, true},
                {"pam.d", "login", 2, false, false}, {"pam.d", "systemd-run0", 2, false, false},
};
static const Stack gates[] = {
                {"pam.d-gate", "sudo", 2, true, false},
                {"pam.d-gate", "sudo-i", 3, true, false},
                {"pam.d-gate", "systemd-run0", 2, false, false},
};
enum { STACKS = sizeof(stacks) / sizeof(stacks[0]), GATES = sizeof(gates) / sizeof(gates[0]) };

/* As sudo does it, and as all others do. Who they are has been found out before, but for su to an account of ours. */
static int go(Fixture *f, const Stack *s, const char *target, const Script *script, const char *module,
              const char *arguments) {
        const char *user = s->is_sudo ? "alice" : target;

        fixture_dir(f, script);
        CHECK_EQ_INT(example_write(f, s->folder, s->service, user, module, arguments), s->lines);
        fixture_start(f, s->service, user);
        if (s->asks && strncmp(target, "jit-", 4) == 0) {
                if (pam_authenticate(f->pamh, 0) != PAM_SUCCESS)
                        return NO_PASSWORD;
                CHECK_EQ_INT(pam_setcred(f->pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
        }
        if (pam_acct_mgmt(f->pamh, s->is_sudo ? (int) PAM_SILENT : 0) != PAM_SUCCESS)
                return KEPT_OUT;
        CHECK_EQ_INT(pam_set_item(f->pamh, PAM_USER, target), PAM_SUCCESS);
        switch (pam_open_session(f->pamh, s->is_sudo ? (int) PAM_SILENT : 0)) {
        case PAM_SUCCESS:
                CHECK_EQ_INT(pam_close_session(f->pamh, 0), PAM_SUCCESS);
                return IN;
        case PAM_SESSION_ERR: /* sudo runs the command */
                TEST_FAIL("%s: PAM_SESSION_ERR", s->service);
                return IN;
        default:
                return NO_SESSION;
        }
}

static void check(const Stack *s, const char *target, const Script *script, const char *module, const char *arguments,
                  int expected) {
        Fixture f;
        int got = go(&f, s, target, script, module, arguments);

        if (got != expected)
                TEST_FAIL("%s/%s to %s with %s %s: %d, not %d", s->folder, s->service, target, module ? module : "",
                          arguments, got, expected);
        fixture_end(&f);
}

TEST(stacks_let_ordinary_people_through_whatever_is_wrong) {
        for (size_t i = 0; i < STACKS; i++) {
                static const char *const targets[] = {"root", "alice"};

                for (size_t t = 0; t < 2; t++) {
                        check(&stacks[i], targets[t], &good, NULL, "", IN);
                        check(&stacks[i], targets[t], &refusing, NULL, "", IN);
                        check(&stacks[i], targets[t], NULL, NULL, "", IN);
                        check(&stacks[i], targets[t], NULL, NULL, "tiemout=1", IN);
                        check(&stacks[i], targets[t], NULL, "/nonexistent/pam_jit.so", "", IN);
                        check(&stacks[i], targets[t], NULL, "/etc/passwd", "", IN);
                }
        }
}

TEST(stacks_ask_nobody_about_ordinary_people) {
        for (size_t i = 0; i < STACKS; i++) {
                Fixture f;

                CHECK_EQ_INT(go(&f, &stacks[i], "root", &good, NULL, ""), IN);
                CHECK_EQ_INT(f.reaper.seen->connections, 0);
                CHECK_STREQ(f.shown, "");
                fixture_end(&f);
        }
}

TEST(stacks_let_accounts_of_tickets_in_with_a_yes_only) {
        for (size_t i = 0; i < STACKS; i++) {
                const Stack *s = &stacks[i];
                int no = s->is_sudo ? NO_SESSION : s->asks ? NO_PASSWORD : KEPT_OUT;

                check(s, ALLOWED, &good, NULL, "", IN);
                check(s, ALLOWED, &refusing, NULL, "", no);
                check(s, ALLOWED, NULL, NULL, "", no);
                check(s, ALLOWED, &good, NULL, "tiemout=1", no);
                check(s, "jit-none", &good, NULL, "", no);
        }
}

/* Without the module the expired entry keeps them out, where the phase is theirs; jit-reaperd writes no rule for sudo
 * -u where the stack does not name pam_jit. */
TEST(stacks_keep_accounts_of_tickets_out_without_the_module) {
        for (size_t i = 0; i < STACKS; i++) {
                if (stacks[i].is_sudo)
                        continue;
                check(&stacks[i], NOT_YET_ALLOWED, &good, "/nonexistent/pam_jit.so", "",
                      stacks[i].asks ? NO_PASSWORD : KEPT_OUT);
                check(&stacks[i], NOT_YET_ALLOWED, &good, "/etc/passwd", "", stacks[i].asks ? NO_PASSWORD : KEPT_OUT);
        }
}

/* At a login pam_systemd has to hear from us; after it has moved a process for su and sudo -i, we have to move it. */
TEST(session_lines_stand_on_the_right_side_of_pam_systemd) {
        for (size_t i = 0; i < STACKS; i++) {
                bool is_login = strcmp(stacks[i].service, "login") == 0;
                Fixture f;

                CHECK_EQ_INT(go(&f, &stacks[i], ALLOWED, &good, NULL, ""), IN);
                CHECK((pam_getenv(f.pamh, "systemd.runtime_max_sec") != NULL) == is_login);
                fixture_end(&f);
        }
}

TEST(su_asks_for_no_password) {
        Fixture f;

        CHECK_EQ_INT(go(&f, &stacks[2], ALLOWED, &good, NULL, ""), IN);
        CHECK_STREQ(f.reaper.seen->methods, "Authenticate Authorize OpenSession ");
        CHECK_EQ_INT(f.prompts, 0);
        fixture_end(&f);
}

/* A rule of ours: the marker of the person's UID. */
TEST(stacks_bind_who_has_a_rule_of_ours) {
        for (size_t i = 0; i < STACKS; i++) {
                const Stack *s = &stacks[i];
                const char *user = s->is_sudo ? "alice" : "root";
                Fixture f;

                fixture_dir(&f, &refusing);
                CHECK_EQ_INT(example_write(&f, s->folder, s->service, user, NULL, ""), s->lines);
                fixture_start(&f, s->service, user);
                fixture_login_uid(&f, "1000", 0);
                fixture_write(&f, "1000", "%s", "");
                CHECK_EQ_INT(pam_acct_mgmt(f.pamh, 0), PAM_SUCCESS);
                CHECK_EQ_INT(pam_open_session(f.pamh, 0),
                             strcmp(s->service, "login") == 0 ? PAM_SUCCESS : PAM_PERM_DENIED);
                fixture_end(&f);
        }
}

TEST(stacks_bring_back_what_pam_systemd_moved) {
        static const Stack inside[] = {{"pam.d", "sudo-i", 3, true, false},
                                       {"pam.d", "su", 4, false, true},
                                       {"pam.d", "su-l", 4, false, true},
                                       {"pam.d", "runuser-l", 2, false, false},
                                       {"pam.d-gate", "sudo-i", 3, true, false}};

        for (size_t i = 0; i < 5; i++) {
                Fixture f;

                fixture_dir(&f, &good);
                CHECK_EQ_INT(example_write(&f, inside[i].folder, inside[i].service, "root", NULL, ""), inside[i].lines);
                fixture_start(&f, inside[i].service, "root");
                fixture_cgroup(&f, "0::/jit.slice/jit-0123456789abcdef.slice/jit-0123456789abcdef-7.scope\n",
                               "0::/user.slice/user-1000.slice/session-c1.scope\n", 0);
                CHECK_EQ_INT(pam_open_session(f.pamh, 0), PAM_SUCCESS);
                CHECK(strstr(f.reaper.seen->request, "\"inside\":\"jit-0123456789abcdef.slice\"") != NULL);
                fixture_end(&f);
        }
}

/* ---- the gate ---- */

TEST(gates_open_with_a_yes_only) {
        for (size_t i = 0; i < GATES; i++) {
                check(&gates[i], "root", &good, NULL, "", IN);
                check(&gates[i], "root", &refusing, NULL, "", KEPT_OUT);
                check(&gates[i], "root", NULL, NULL, "", KEPT_OUT);
                check(&gates[i], "root", NULL, NULL, "tiemout=1", KEPT_OUT);
                check(&gates[i], "root", &good, "/nonexistent/pam_jit.so", "", KEPT_OUT);
                check(&gates[i], "root", &good, "/etc/passwd", "", KEPT_OUT);
        }
}

TEST(gates_refuse_in_the_session_phase_too) {
        static const Script script = {.authorize_elevation = {.text = YES},
                                      .open_elevation = {.text = ERROR("Refused")}};

        for (size_t i = 0; i < GATES; i++)
                check(&gates[i], "root", &script, NULL, "", NO_SESSION);
}

TEST_MAIN
