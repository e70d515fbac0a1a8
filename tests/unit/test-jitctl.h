/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_JITCTL_H
#define JIT_TEST_JITCTL_H

/* jitctl's verbs against a daemon that says prepared things. */

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "jitctl.h"
#include "test.h"
#include "varlink.h"

static const Verb *const tables[] = {verbs_ticket,   verbs_elevate, verbs_grants, verbs_show, verbs_explain,
                                     verbs_provider, verbs_policy,  verbs_audit,  verbs_check};
static char folder[] = "/tmp/test-jitctl.XXXXXX", socket_path[64], calls_path[64];

static inline void make_folder(void) {
        CHECK(mkdtemp(folder));
        (void) snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
        (void) snprintf(calls_path, sizeof(calls_path), "%s/calls", folder);
}

static inline void remove_folder(void) {
        (void) unlink(socket_path);
        (void) unlink(calls_path);
        CHECK_EQ_INT(rmdir(folder), 0);
}

/* Takes a call, notes it, and answers with these bytes and a NUL; a newline stands for the NUL between two answers. */
static inline void answer_call(int listener, const char *answer) {
        int peer = accept(listener, NULL, NULL);
        FILE *calls = fopen(calls_path, "ae");
        char c = 1;

        while (read(peer, &c, 1) == 1 && c)
                if (calls)
                        (void) fputc(c, calls);
        if (calls) {
                (void) fputc('\n', calls);
                (void) fclose(calls);
        }
        for (; *answer; answer += strcspn(answer, "\n"), answer += *answer == '\n')
                if (write(peer, answer, strcspn(answer, "\n")) < 0 || write(peer, "", 1) < 0)
                        _exit(1);
        (void) close(peer);
}

/* A child that takes as many calls on socket_path as there are answers, and goes. An empty one hangs up. Returns its
 * pid. */
static inline pid_t serve(const char *const *answers) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        (void) unlink(socket_path);
        (void) unlink(calls_path);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
        CHECK_EQ_INT(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ_INT(listen(fd, 4), 0);
        pid = fork();
        if (pid == 0) {
                (void) alarm(60);
                while (*answers)
                        answer_call(fd, *answers++);
                _exit(0);
        }
        (void) close(fd);
        return pid;
}

/* Runs a verb with stdout and stderr in output (size bytes). */
static inline int run_verb(const char *name, bool json, char *const *args, const void *options, char *output,
                           size_t size) {
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

/* More than two blanks become two: how wide columns are is test-table.c's business. */
static inline void squeeze(char *text) {
        size_t blanks = 0;
        char *to = text;

        for (const char *p = text; *p; p++) {
                blanks = *p == ' ' ? blanks + 1 : 0;
                if (blanks <= 2)
                        *to++ = *p;
        }
        *to = 0;
}

/* parts: NULL-ended; each must be in what is printed, squeezed. */
static inline void check_all(const char *name, bool json, char *const *args, const void *options,
                             const char *const *answers, int status, const char *const *parts) {
        static char output[64 * 1024];
        pid_t pid = serve(answers);

        CHECK_EQ_INT(run_verb(name, json, args, options, output, sizeof(output)), status);
        squeeze(output);
        for (; *parts; parts++)
                if (!strstr(output, *parts))
                        TEST_FAIL("%s: no \"%s\"", name, *parts);
        if (test_failed)
                fputs(output, stderr);
        (void) kill(pid, SIGTERM); /* a call that was not made is seen by what it should have brought */
        (void) waitpid(pid, NULL, 0);
}

static inline void check_answer(const char *name, bool json, const char *arg, const char *answer, int status,
                                const char *part) {
        char *args[] = {(char *) arg, NULL};
        const char *const answers[] = {answer, NULL}, *const parts[] = {part, NULL};

        check_all(name, json, args, NULL, answers, status, parts);
}

/* Whether a call of the last check had this in it. */
static inline bool was_called_with(const char *part) {
        static char text[64 * 1024];
        FILE *f = fopen(calls_path, "re");
        size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

        text[n] = 0;
        if (f)
                (void) fclose(f);
        return strstr(text, part) != NULL;
}

#define ERROR(name, parameters) "{\"error\":\"" name "\",\"parameters\":" parameters "}"

#endif
