/* SPDX-License-Identifier: Apache-2.0 */

/* jitctl's verbs against a daemon that says one prepared thing: what a person gets to read, and the exit status of
 * jitctl(1). */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "jitctl.h"
#include "test.h"
#include "varlink.h"

static const Verb *const tables[] = {verbs_ticket, verbs_grants, verbs_show, verbs_audit, verbs_check};
static char folder[] = "/tmp/test-verbs.XXXXXX", socket_path[64];

/* A child that takes one call on socket_path, answers with these bytes and a NUL, and goes. Returns its pid. */
static pid_t serve(const char *answer) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        (void) unlink(socket_path);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
        CHECK_EQ_INT(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ_INT(listen(fd, 1), 0);
        pid = fork();
        if (pid == 0) {
                int peer = accept(fd, NULL, NULL);
                char c = 1;

                while (read(peer, &c, 1) == 1 && c)
                        ;
                _exit(*answer && write(peer, answer, strlen(answer) + 1) < 0);
        }
        (void) close(fd);
        return pid;
}

/* Runs a verb with stdout and stderr in output (size bytes). */
static int run_verb(const char *name, bool json, char *const *args, const void *options, char *output, size_t size) {
        const Ctl ctl = {.json = json,
                         .reaper_socket = socket_path,
                         .approver_socket = socket_path,
                         .state_dir = folder,
                         .root = folder};
        static const char zeros[256];
        int saved_out = dup(1), saved_err = dup(2), status = -1;
        FILE *f = tmpfile();
        size_t n;

        (void) fflush(stdout);
        (void) dup2(fileno(f), 1);
        (void) dup2(fileno(f), 2);
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                for (const Verb *v = tables[i]; v->name; v++)
                        if (streq(v->name, name))
                                status = v->run(&ctl, args, options ? options : zeros);
        (void) fflush(stdout);
        (void) dup2(saved_out, 1);
        (void) dup2(saved_err, 2);
        (void) close(saved_out);
        (void) close(saved_err);
        rewind(f);
        n = fread(output, 1, size - 1, f);
        output[n] = 0;
        (void) fclose(f);
        return status;
}

static void check_answer(const char *name, bool json, const char *arg, const char *answer, int status,
                         const char *part) {
        char *args[] = {(char *) arg, NULL}, output[8192];
        pid_t pid = serve(answer);

        CHECK_EQ_INT(run_verb(name, json, args, NULL, output, sizeof(output)), status);
        if (!strstr(output, part))
                TEST_FAIL("%s: \"%s\" lacks \"%s\"", name, output, part);
        (void) waitpid(pid, NULL, 0);
}

#define ERROR(name, parameters) "{\"error\":\"" name "\",\"parameters\":" parameters "}"
#define GRANT                                                                                                          \
        "{\"id\":\"g1\",\"account\":\"jit-chg1\",\"uid\":70000,\"state\":\"active\",\"ticket\":\"CHG1\",\"title\":"    \
        "\"t\","                                                                                                       \
        "\"requester\":\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\"],\"since\":1,\"until\":2,\"sessions\":[{"     \
        "\"id\":\"5\","                                                                                                \
        "\"service\":\"sshd\",\"rhost\":\"::1\",\"tty\":\"ssh\",\"pid\":7,\"since\":1}]}"

TEST(setup) {
        CHECK(mkdtemp(folder));
        (void) snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
}

TEST(unreachable_is_3) {
        char *args[] = {(char *) "CHG1", NULL}, output[4096];

        CHECK_EQ_INT(run_verb("list", false, args + 1, NULL, output, sizeof(output)), 3);
        CHECK(strstr(output, "is jit-reaperd.socket started?"));
        CHECK_EQ_INT(run_verb("ticket close", false, args, NULL, output, sizeof(output)), 3);
        CHECK(strstr(output, "is jit-approverd.socket started?"));
        check_answer("list", false, NULL, "", 3, "hung up");
        check_answer("list", false, NULL, "nonsense", 3, "does not speak Varlink");
        check_answer("list", false, NULL,
                     ERROR("io.pamjit.Reaper.TryAgain", "{\"reason\":\"try-again\",\"message\":\"busy\"}"), 3,
                     "busy (try-again); try again");
}

TEST(no_is_1) {
        check_answer("ticket show", false, "CHG1", ERROR("io.pamjit.Approver.NoSuchTicket", "{\"id\":\"CHG1\"}"), 1,
                     "no ticket CHG1 ");
        check_answer("ticket close", false, "CHG1",
                     ERROR("io.pamjit.Approver.BadTicket", "{\"field\":\"role\",\"message\":\"bad\"}"), 1, "role: bad");
        check_answer("revoke", false, "CHG1", ERROR("io.pamjit.Reaper.NoSuchGrant", "{\"grant\":\"CHG1\"}"), 1,
                     "grant CHG1 ");
        check_answer("show", false, "CHG1", ERROR("io.pamjit.Reaper.NoSuchGrant", "{\"grant\":\"CHG1\"}"), 1,
                     "grant CHG1 ");
        check_answer("status", false, NULL, ERROR("org.example.Odd", "{\"x\":1}"), 1, "org.example.Odd");
        check_answer("explain", false, "CHG1",
                     "{\"parameters\":{\"verdict\":{\"decision\":\"refuse\",\"reason\":\"too-late\",\"message\":\"m\"},"
                     "\"inputs\":{}}}",
                     1, "too-late");
}

TEST(forbidden_is_4) {
        check_answer("list", false, NULL, ERROR(VARLINK_ERROR_PERMISSION_DENIED, "{}"), 4, "not permitted");
        check_answer("ticket deny", false, "CHG1",
                     ERROR("io.pamjit.Approver.NotAllowed", "{\"reason\":\"not-requester\",\"message\":\"not yours\"}"),
                     4, "not yours");
}

TEST(usage_is_2) {
        char *args[] = {NULL, NULL}, output[4096];

        CHECK_EQ_INT(run_verb("revoke", false, args, NULL, output, sizeof(output)), 2);
        CHECK_EQ_INT(run_verb("ticket approve", false, args, NULL, output, sizeof(output)), 2);
        CHECK_EQ_INT(run_verb("ticket new", false, args, NULL, output, sizeof(output)), 2);
        CHECK(strstr(output, "--role is missing"));
}

TEST(yes_is_0) {
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":[" GRANT "]}}", 0,
                     "jit-chg1  active  alice   CHG1    dba          1  now\n");
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":[]}}", 0, "");
        check_answer("show", false, "CHG1", "{\"parameters\":{\"grant\":" GRANT "}}", 0, "sshd from ::1 on ssh");
        check_answer("revoke", false, "CHG1", "{\"parameters\":{\"revoked\":[\"jit-chg1\"]}}", 0,
                     "jit-chg1 is gone\nafter ");
        check_answer("ticket close", true, "CHG1", "{}", 0, "{}\n");
        check_answer("explain", false, "CHG1",
                     "{\"parameters\":{\"verdict\":{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"m\","
                     "\"notAfter\":0},"
                     "\"inputs\":{\"role\":{\"name\":\"dba\"}}}}",
                     0, "role.name  dba\n");
}

TEST(json_is_what_was_said) {
        check_answer("list", true, NULL, "{\"parameters\":{\"z\":1,\"grants\":[]}}", 0,
                     "{\n  \"grants\": [],\n  \"z\": 1\n}\n");
}

TEST(answers_are_checked_and_escaped) {
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":[{\"id\":\"x\"}]}}", 1, "member \"account\"");
        check_answer("list", false, NULL, "{\"parameters\":{\"grants\":{}}}", 1, "member \"grants\"");
        check_answer("list", false, NULL, ERROR("evil.\\u001b[2J", "{}"), 3, "");
        check_answer("explain", false, "CHG1",
                     "{\"parameters\":{\"verdict\":{\"decision\":\"\\u001b[2J\"},\"inputs\":{}}}", 1, "\\x1b[2J");
}

TEST(teardown) {
        (void) unlink(socket_path);
        CHECK_EQ_INT(rmdir(folder), 0);
}

TEST_MAIN
