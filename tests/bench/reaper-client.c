/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "paths.h"
#include "reaper-client.h"
#include "timefmt.h"

#define USERDB_SOCKET "/run/systemd/userdb/io.pamjit.Reaper"
#define REAPER "io.pamjit.Reaper."

uint64_t bench_now_usec(void) {
        return now_usec(CLOCK_MONOTONIC);
}

void bench_fail(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) fputs("bench: ", stderr);
        (void) vfprintf(stderr, format, ap);
        (void) fputc('\n', stderr);
        va_end(ap);
        exit(EXIT_FAILURE);
}

unsigned bench_number(const char *text) {
        char *end;
        unsigned long n = strtoul(text, &end, 10);

        if (end == text || *end || n > 1000000)
                bench_fail("not a number: %s", text);
        return (unsigned) n;
}

/* ---- calls ---- */

/* One call on a connection of its own. *ret_error: NULL if it went well. */
static json_t *call(const char *path, const char *method, json_t *parameters, char **ret_error,
                    VarlinkPeer **ret_peer) {
        uint64_t deadline = now_usec(CLOCK_BOOTTIME) + USEC_PER_MINUTE;
        VarlinkPeer *peer = NULL;
        json_t *answer = NULL;
        int r;

        r = varlink_dial(path, deadline, &peer);
        if (r >= 0)
                r = varlink_call(peer, method, parameters, &answer, ret_error);
        if (r < 0 && r != -EREMOTEIO)
                bench_fail("%s: %s", method, strerror(-r));
        if (ret_peer)
                *ret_peer = peer;
        else
                varlink_peer_free(peer);
        return answer;
}

static json_t *userdb_user(json_t *parameters, char **ret_error) {
        (void) json_object_set_new(parameters, "service", json_string("io.pamjit.Reaper"));
        return call(USERDB_SOCKET, "io.systemd.UserDatabase.GetUserRecord", parameters, ret_error, NULL);
}

uid_t client_lookup(const char *account) {
        _cleanup_free_ char *error = NULL;
        _cleanup_json_ json_t *answer = userdb_user(json_pack("{s:s}", "userName", account), &error);
        json_int_t uid = json_integer_value(json_object_get(json_object_get(answer, "record"), "uid"));

        if (error || uid <= 0)
                bench_fail("no account %s: %s", account, error ?: "no uid");
        return (uid_t) uid;
}

static json_t *login_parameters(const char *account) {
        return json_pack("{s:s,s:s,s:s,s:s}", "account", account, "service", "sshd", "rhost", "127.0.0.1", "tty",
                         "ssh");
}

void client_authorize(const char *account) {
        _cleanup_free_ char *error = NULL;
        _cleanup_json_ json_t *answer =
                        call(REAPER_SOCKET, REAPER "Authorize", login_parameters(account), &error, NULL);

        if (error || !json_is_true(json_object_get(answer, "allow")))
                bench_fail("%s is not allowed: %s", account,
                           error ?: json_string_value(json_object_get(answer, "message")));
}

VarlinkPeer *client_open_session(const char *account) {
        _cleanup_free_ char *error = NULL;
        VarlinkPeer *peer = NULL;
        _cleanup_json_ json_t *answer =
                        call(REAPER_SOCKET, REAPER "OpenSession", login_parameters(account), &error, &peer);

        if (error || !json_object_get(answer, "home"))
                bench_fail("no session for %s: %s", account, error ?: "no home");
        return peer;
}

void client_revoke(const char *account) {
        _cleanup_free_ char *error = NULL;
        _cleanup_json_ json_t *answer =
                        call(REAPER_SOCKET, REAPER "Revoke", json_pack("{s:s}", "grant", account), &error, NULL);

        if (error || json_array_size(json_object_get(answer, "revoked")) != 1)
                bench_fail("%s is not revoked: %s", account, error ?: "no grant");
}

/* ---- what lies on the host ---- */

/* By number: a name that root asks for would be reserved again. */
static bool account_is_there(uid_t uid) {
        _cleanup_free_ char *error = NULL;

        json_decref(userdb_user(json_pack("{s:I}", "uid", (json_int_t) uid), &error));
        return !error;
}

static bool file_is_there(const char *directory, const char *account) {
        char path[128];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s/%s", directory, account);
        return lstat(path, &st) >= 0;
}

/* A zombie is dead, and its parent's business: the kernel's "populated 0" does not count it either. */
static bool is_process_of(const char *pid, uid_t uid) {
        char path[300], status[2048];
        const char *line, *state;
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/%s/status", pid);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
        if (n <= 0)
                return false;
        status[n] = 0;
        line = strstr(status, "\nUid:");
        state = strstr(status, "\nState:\t");
        return line && state && state[8] != 'Z' && state[8] != 'X' && strtoul(line + 5, NULL, 10) == uid;
}

static bool process_is_there(uid_t uid) {
        DIR *d = opendir("/proc");
        struct dirent *e;
        bool found = false;

        if (!d)
                bench_fail("/proc: %m");
        while (!found && (e = readdir(d)))
                found = isdigit((unsigned char) e->d_name[0]) && is_process_of(e->d_name, uid);
        (void) closedir(d);
        return found;
}

bool artefacts_are(bool present, const char *account, uid_t uid, const char **ret_what) {
        static const struct {
                const char *directory, *what;
        } table[] = {
                        {JIT_RUN "/keys", "key"},
                        {JIT_RUN "/sudoers.d", "sudo rule"},
                        {JIT_RUN "/home", "home"},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (file_is_there(table[i].directory, account) != present) {
                        *ret_what = table[i].what;
                        return false;
                }
        *ret_what = "account";
        if (account_is_there(uid) != present)
                return false;
        *ret_what = "process";
        return present || !process_is_there(uid);
}
