/* SPDX-License-Identifier: Apache-2.0 */

/* approver SOCKET [SECONDS]: in the place of jit-approverd, says yes to every account jit-TICKET, to be asked again
 * every so many seconds. For measurements of jit-reaperd with more grants than there can be tickets, whose approvals
 * take 5 ms of ssh-keygen each. Its answers are as long as real ones. */

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "json.h"
#include "reaper-client.h"
#include "timefmt.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2Jk6mDNrXkkFZOQ7lhPYv8m1bFf5C0Zr1T3h6q0v1n"
#define DIGEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

/* recheck_usec: as a provider of kind http; 0: as a signed ticket. */
static json_t *verdict(const char *account, const char *person, uint64_t recheck_usec) {
        uint64_t now = now_usec(CLOCK_REALTIME);
        char title[64];
        json_t *v;

        (void) snprintf(title, sizeof(title), "measurement %.30s", account + 4);
        v = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:[s],s:I,s:I,s:I,s:[s],s:s}", "decision", "allow", "reason",
                      "approved", "message", "approved", "ticket", account + 4, "title", title, "requester", person ?: "alice",
                      "role", "bench", "approvers", "bob", "notBefore", (json_int_t) (now - USEC_PER_HOUR), "notAfter",
                      (json_int_t) (now + 4 * USEC_PER_HOUR), "ttlUSec", (json_int_t) (4 * USEC_PER_HOUR), "sshKeys",
                      KEY, "digest", DIGEST);
        if (recheck_usec > 0) {
                (void) json_set_str(v, "provider", "bench");
                (void) json_set_uint(v, "recheckUSec", recheck_usec);
                (void) json_set_uint(v, "graceUSec", 10 * USEC_PER_MINUTE);
        }
        return v;
}

static int vl_method_evaluate(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        const char *account = json_string_value(json_object_get(parameters, "account"));
        const json_t *context = json_object_get(parameters, "context");
        const char *person = json_string_value(json_object_get(context, "person"));

        (void) more;
        if (!account || strncmp(account, "jit-", 4) != 0)
                return -EINVAL;
        return varlink_reply(l, json_pack("{s:o}", "verdict", verdict(account, person, *(const uint64_t *) userdata)));
}

static int vl_method_recheck(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        const json_t *questions = json_object_get(parameters, "questions");
        size_t n = json_array_size(questions);

        (void) more;
        if (n == 0)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                const json_t *question = json_array_get(questions, i);
                const char *account = json_string_value(json_object_get(question, "account"));
                const char *person = json_string_value(json_object_get(question, "person"));
                json_t *answer = json_pack("{s:s,s:s*,s:o}", "account", account, "person", person, "verdict",
                                           verdict(account, person, *(const uint64_t *) userdata));
                int r = i + 1 < n ? varlink_notify(l, answer) : varlink_reply(l, answer);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Held until the peer goes: no ticket ever changes. */
static int vl_method_watch(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) l, (void) parameters, (void) more, (void) userdata;
        return 0;
}

static int listen_at(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        (void) unlink(path);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 1024) < 0)
                bench_fail("%s: %m", path);
        return fd;
}

int main(int argc, char *argv[]) {
        static const VarlinkMethod methods[] = {{"Evaluate", vl_method_evaluate, 0},
                                                {"Recheck", vl_method_recheck, 0},
                                                {"Watch", vl_method_watch, 0},
                                                {}};
        static const VarlinkInterface approver = {"io.pamjit.Approver", "interface io.pamjit.Approver\n", methods};
        static const VarlinkInterface *const interfaces[] = {&approver, NULL};
        static const VarlinkLimits limits = {1024, 1024, 64 * 1024, USEC_PER_HOUR};
        uint64_t recheck_usec = 0;
        sd_event *event = NULL;
        VarlinkServer *server = NULL;

        if (argc != 2 && argc != 3)
                bench_fail("approver SOCKET [RECHECK-SECONDS]");
        if (argc == 3)
                recheck_usec = bench_number(argv[2]) * USEC_PER_SEC;
        if (sd_event_default(&event) < 0 ||
            varlink_server_new(event, interfaces, &limits, &recheck_usec, &server) < 0 ||
            varlink_server_listen(server, listen_at(argv[1])) < 0)
                bench_fail("cannot serve");
        return sd_event_loop(event) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
