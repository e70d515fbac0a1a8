/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scripted-reaper.h"

enum { CLIENTS_MAX = 16 };

typedef struct Service {
        const Script *script;
        struct Seen *seen;
        int listener, events;
        struct pollfd polls[1 + CLIENTS_MAX]; /* 0: the listener */
} Service;

static void report(const Service *s, char event) {
        (void) !write(s->events, &event, 1);
}

static void client_end(const Service *s, struct pollfd *client) {
        (void) close(client->fd);
        client->fd = -1;
        report(s, SAW_END);
}

static void say_first(int fd, const Answer *a) {
        const struct timespec pause = {.tv_sec = a->pause_msec / 1000, .tv_nsec = a->pause_msec % 1000 * 1000000L};

        for (size_t i = 0; i < sizeof(a->first) / sizeof(a->first[0]) && a->first[i]; i++) {
                (void) !send(fd, a->first[i], strlen(a->first[i]) + 1, MSG_NOSIGNAL);
                (void) nanosleep(&pause, NULL);
        }
}

static void say(int fd, const Answer *a) {
        size_t length = a->length > 0 ? a->length : strlen(a->text) + 1, step = a->drip_msec > 0 ? 1 : length;
        const struct timespec nap = {.tv_sec = a->drip_msec / 1000, .tv_nsec = a->drip_msec % 1000 * 1000000L};

        for (size_t done = 0; done < length;) {
                ssize_t n;

                if (a->drip_msec > 0)
                        (void) nanosleep(&nap, NULL);
                n = send(fd, a->text + done, step < length - done ? step : length - done, MSG_NOSIGNAL);
                if (n < 0)
                        return;
                done += (size_t) n;
        }
}

static const Answer *answer_for(const Service *s) {
        const struct {
                const char *method;
                const Answer *answer;
        } table[] = {
                        {"Authenticate", &s->script->authenticate},
                        {"Authorize", &s->script->authorize},
                        {"AuthorizeElevation", strstr(s->seen->request, "\"ticket\":")
                                                               ? &s->script->with_ticket
                                                               : &s->script->authorize_elevation},
                        {"OpenSession", &s->script->open_session},
                        {"OpenElevation", &s->script->open_elevation},
        };
        static const Answer none = {.text = "{\"error\":\"org.varlink.service.MethodNotFound\"}"};

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                size_t used = strlen(s->seen->methods);
                char quoted[64];

                (void) snprintf(quoted, sizeof(quoted), "\"io.pamjit.Reaper.%s\"", table[i].method);
                if (!strstr(s->seen->request, quoted))
                        continue;
                (void) snprintf(s->seen->methods + used, sizeof(s->seen->methods) - used, "%s ", table[i].method);
                return table[i].answer;
        }
        return &none;
}

static void on_client(Service *s, struct pollfd *client) {
        char *request = s->seen->request;
        size_t used = 0;
        const Answer *a;

        do {
                ssize_t n = recv(client->fd, request + used, REQUEST_MAX - used, 0);
                if (n <= 0) {
                        client_end(s, client);
                        return;
                }
                used += (size_t) n;
        } while (request[used - 1] != 0 && used < REQUEST_MAX);
        request[REQUEST_MAX - 1] = 0;
        s->seen->calls++;
        a = answer_for(s);
        report(s, SAW_CALL);
        say_first(client->fd, a);
        if (a->text)
                say(client->fd, a);
        if (a->hang_up)
                client_end(s, client);
}

static void on_listener(Service *s) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
                return;
        s->seen->connections++;
        report(s, SAW_CONNECTION);
        for (size_t i = 1; i <= CLIENTS_MAX; i++)
                if (s->polls[i].fd < 0) {
                        s->polls[i].fd = fd;
                        return;
                }
        (void) close(fd);
}

static void serve(Service *s) {
        s->polls[0] = (struct pollfd){.fd = s->script->deaf ? -1 : s->listener, .events = POLLIN};
        for (size_t i = 1; i <= CLIENTS_MAX; i++)
                s->polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
        for (;;) {
                if (poll(s->polls, 1 + CLIENTS_MAX, -1) < 0 && errno != EINTR)
                        _exit(1);
                if (s->polls[0].revents)
                        on_listener(s);
                for (size_t i = 1; i <= CLIENTS_MAX; i++)
                        if (s->polls[i].fd >= 0 && s->polls[i].revents)
                                on_client(s, &s->polls[i]);
        }
}

/* Until connect() would have to wait. The descriptors stay open with the process. */
static void fill_backlog(const struct sockaddr_un *address) {
        int fd;

        do
                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        while (connect(fd, (const struct sockaddr *) address, sizeof(*address)) == 0);
}

int reaper_start(ScriptedReaper *r, const char *path, const Script *script) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int events[2];

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        r->seen = mmap(NULL, sizeof(*r->seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (r->seen == MAP_FAILED || pipe(events) < 0)
                return -errno;
        Service s = {.script = script, .seen = r->seen, .events = events[1]};
        s.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s.listener < 0 || bind(s.listener, (struct sockaddr *) &address, sizeof(address)) < 0 ||
            listen(s.listener, script->deaf ? 0 : 16) < 0)
                return -errno;
        if (script->deaf)
                fill_backlog(&address);
        r->pid = fork();
        if (r->pid < 0)
                return -errno;
        if (r->pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) close(events[0]);
                serve(&s);
        }
        (void) close(s.listener);
        (void) close(events[1]);
        r->events = events[0];
        return 0;
}

void reaper_stop(ScriptedReaper *r) {
        if (r->pid <= 0)
                return;
        (void) kill(r->pid, SIGKILL);
        (void) waitpid(r->pid, NULL, 0);
        (void) close(r->events);
        (void) munmap(r->seen, sizeof(*r->seen));
        *r = (ScriptedReaper){};
}

int reaper_next_event(ScriptedReaper *r, int msec) {
        struct pollfd p = {.fd = r->events, .events = POLLIN};
        char event = 0;

        if (poll(&p, 1, msec) <= 0 || read(r->events, &event, 1) != 1)
                return 0;
        return event;
}
