/* SPDX-License-Identifier: Apache-2.0 */

/* http URL CAFILE ROUNDS SOCKET PREFIX: what a question about the ticket costs over a kept connection. Asked are URL1,
 * URL2 and so on, in turns, each side in a process of its own, because libcurl's settings are a process's:
 *
 *   bare      a loop of libcurl alone: what anybody would write
 *   client    our HTTP client on its event loop
 *   approver  jit-approverd at SOCKET, whose provider asks the same URL about PREFIX1, PREFIX2 and so on: Varlink in,
 *             answer parsed, jq program, policy, verdict out
 *   again     the same about tickets that it knows already (an unchanged answer is not parsed again)
 *
 * One in flight: curl_easy_perform(3) on one handle, one Varlink connection. Then a thousand, over eight connections:
 * curl_multi_perform(3) on a thousand handles, a thousand Varlink connections, as of a thousand logins.
 *
 * Prints lines "one|many SIDE MICROSECONDS", of each round the mean time for each question. */

#include <curl/curl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "http-client.h"
#include "reaper-client.h"
#include "timefmt.h"

enum { CONNECTIONS = 8, WARM = 4 * CONNECTIONS, ONE_COUNT = 100, MANY_COUNT = 1000 };
/* jit-approverd's limit for all its servers together; after each round it rests until that is forgotten. */
enum { QUESTIONS_PER_SEC = 500 };

typedef struct Job {
        const char *url, *ca_file, *socket, *prefix;
        unsigned first; /* ticket; those before are for connecting */
        unsigned count, flight;
} Job;

/* ---- bare libcurl ---- */

static size_t on_bare_body(char *data, size_t size, size_t n, void *userdata) {
        (void) data;
        *(size_t *) userdata += size * n;
        return size * n;
}

static void bare_url(CURL *e, const Job *j, unsigned ticket) {
        char url[256];

        (void) snprintf(url, sizeof(url), "%s%u", j->url, ticket);
        if (curl_easy_setopt(e, CURLOPT_URL, url) != CURLE_OK)
                bench_fail("libcurl");
}

static CURL *bare_handle(const Job *j, unsigned ticket, size_t *length) {
        CURL *e = curl_easy_init();

        if (!e || curl_easy_setopt(e, CURLOPT_CAINFO, j->ca_file) != CURLE_OK ||
            curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
            curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bare_body) != CURLE_OK ||
            curl_easy_setopt(e, CURLOPT_WRITEDATA, length) != CURLE_OK)
                bench_fail("libcurl");
        bare_url(e, j, ticket);
        return e;
}

static void bare_check(CURL *e, CURLcode code) {
        long status = 0;

        (void) curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK || status != 200)
                bench_fail("bare: %s, status %ld", curl_easy_strerror(code), status);
}

static double bare_one(const Job *j) {
        size_t length = 0;
        CURL *e = bare_handle(j, 1, &length);
        uint64_t start;

        bare_check(e, curl_easy_perform(e)); /* connects */
        start = bench_now_usec();
        for (unsigned i = 0; i < j->count; i++) {
                bare_url(e, j, j->first + i);
                bare_check(e, curl_easy_perform(e));
        }
        return (double) (bench_now_usec() - start) / j->count;
}

static void bare_flight(CURLM *m, CURL **handles, unsigned count) {
        int running = 1, left;
        CURLMsg *message;
        unsigned done = 0;

        for (unsigned i = 0; i < count; i++)
                (void) curl_multi_add_handle(m, handles[i]);
        while (running) {
                if (curl_multi_perform(m, &running) != CURLM_OK ||
                    curl_multi_poll(m, NULL, 0, running ? 1000 : 0, NULL) != CURLM_OK)
                        bench_fail("libcurl");
                while ((message = curl_multi_info_read(m, &left))) {
                        bare_check(message->easy_handle, message->data.result);
                        done++;
                }
        }
        if (done != count)
                bench_fail("%u of %u answers", done, count);
        for (unsigned i = 0; i < count; i++)
                (void) curl_multi_remove_handle(m, handles[i]);
}

static double bare_many(const Job *j) {
        CURL **handles = calloc(j->count, sizeof(*handles));
        CURLM *m = curl_multi_init();
        size_t length = 0;
        uint64_t start;

        if (!handles || !m)
                bench_fail("no memory");
        (void) curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, (long) CONNECTIONS);
        for (unsigned i = 0; i < j->count; i++)
                handles[i] = bare_handle(j, j->first + i, &length);
        bare_flight(m, handles, WARM); /* connects */
        start = bench_now_usec();
        bare_flight(m, handles, j->count);
        return (double) (bench_now_usec() - start) / j->count;
}

/* ---- through an event loop: count questions, so many at once ---- */

typedef struct Loop Loop;
struct Loop {
        const Job *job;
        sd_event *event;
        HttpServer *server;
        void (*start)(Loop *l, unsigned ticket);
        unsigned left, unstarted, next;
};

static void loop_next(Loop *l) {
        if (l->unstarted == 0)
                return;
        l->unstarted--;
        l->start(l, l->next++);
}

static void loop_run(Loop *l, unsigned first, unsigned count) {
        l->left = l->unstarted = count;
        l->next = first;
        for (unsigned i = 0; i < l->job->flight; i++)
                loop_next(l);
        while (l->left > 0)
                if (sd_event_run(l->event, UINT64_MAX) < 0)
                        bench_fail("event loop");
}

static double loop_measure(Loop *l) {
        uint64_t start;

        loop_run(l, 1, WARM); /* connects */
        start = bench_now_usec();
        loop_run(l, l->job->first, l->job->count);
        return (double) (bench_now_usec() - start) / l->job->count;
}

static void on_client_answer(const HttpAnswer *answer, void *userdata) {
        Loop *l = userdata;

        if (answer->result != PROVIDER_OK || answer->status != 200)
                bench_fail("client: %s, status %u", answer->why ?: "", answer->status);
        l->left--;
        loop_next(l);
}

static void client_start(Loop *l, unsigned ticket) {
        char url[256];
        HttpRequest r = {.method = "GET",
                         .url = url,
                         .safe = true,
                         .deadline_usec = now_usec(CLOCK_BOOTTIME) + USEC_PER_MINUTE};
        HttpCall *call;

        (void) snprintf(url, sizeof(url), "%s%u", l->job->url, ticket);
        if (http_call_start(l->server, &r, on_client_answer, l, &call) < 0)
                bench_fail("cannot start a call");
}

static double client(const Job *j) {
        HttpServerSettings settings = {.name = "bench",
                                       .ca_file = j->ca_file,
                                       .queue_max = MANY_COUNT,
                                       .connections_max = j->flight == 1 ? 1 : CONNECTIONS,
                                       .rate_per_sec = 1000000,
                                       .rate_burst = 1000000}; /* measured, not limited */
        Loop l = {.job = j, .start = client_start};
        HttpClient *c;

        if (sd_event_default(&l.event) < 0 || http_client_new(l.event, 1000000, &c) < 0 ||
            http_server_new(c, &settings, &l.server) < 0)
                bench_fail("cannot make a client");
        return loop_measure(&l);
}

static void on_verdict(const char *error, json_t *parameters, bool continues, void *userdata) {
        const json_t *verdict = json_object_get(parameters, "verdict");
        const char *decision = json_string_value(json_object_get(verdict, "decision"));
        Loop *l = userdata;

        (void) continues;
        if (error || !decision || strcmp(decision, "allow") != 0)
                bench_fail("approver: %s", error ?: json_string_value(json_object_get(verdict, "reason")));
        l->left--;
        loop_next(l);
}

static void approver_start(Loop *l, unsigned ticket) {
        char account[32];
        json_t *parameters;

        (void) snprintf(account, sizeof(account), "jit-%.15s%u", l->job->prefix, ticket);
        parameters = json_pack("{s:s,s:{s:s,s:s,s:s,s:s}}", "account", account, "context", "phase", "account",
                               "service", "sshd", "rhost", "192.0.2.7", "tty", "ssh");
        if (varlink_call_async(l->event, l->job->socket, "io.pamjit.Approver.Evaluate", parameters, false,
                               USEC_PER_MINUTE, on_verdict, l, NULL) < 0)
                bench_fail("%s: cannot be asked", l->job->socket);
}

static double approver(const Job *j) {
        Loop l = {.job = j, .start = approver_start};

        if (sd_event_default(&l.event) < 0)
                bench_fail("event loop");
        return loop_measure(&l);
}

/* ---- in turns ---- */

static void in_child(const char *name, const char *side, double (*measure)(const Job *), const Job *j) {
        int pipes[2], status;
        double value;
        pid_t pid;

        if (pipe(pipes) < 0 || (pid = fork()) < 0)
                bench_fail("fork: %m");
        if (pid == 0) {
                value = measure(j);
                _exit(write(pipes[1], &value, sizeof(value)) == sizeof(value) ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        (void) close(pipes[1]);
        if (read(pipes[0], &value, sizeof(value)) != sizeof(value) || waitpid(pid, &status, 0) < 0 || status != 0)
                bench_fail("a measurement has failed");
        (void) close(pipes[0]);
        (void) printf("%s %s %.1f\n", name, side, value);
        (void) fflush(stdout);
        if (measure == approver)
                (void) usleep((j->count + WARM) * 1100000U / QUESTIONS_PER_SEC);
}

static void compare(const char *name, Job *j, double (*bare)(const Job *), unsigned rounds) {
        j->flight = j->count == ONE_COUNT ? 1 : j->count;
        for (unsigned i = 0; i < rounds; i++) {
                in_child(name, "approver", approver, j);
                in_child(name, "bare", bare, j);
                in_child(name, "again", approver, j);
                in_child(name, "client", client, j);
                j->first += j->count;
        }
}

int main(int argc, char *argv[]) {
        unsigned rounds;
        Job j;

        if (argc != 6)
                bench_fail("http URL CAFILE ROUNDS SOCKET PREFIX");
        rounds = bench_number(argv[3]);
        j = (Job){.url = argv[1], .ca_file = argv[2], .socket = argv[4], .prefix = argv[5], .first = WARM + 1};
        j.count = ONE_COUNT;
        compare("one", &j, bare_one, rounds);
        j.count = MANY_COUNT;
        compare("many", &j, bare_many, rounds);
        return EXIT_SUCCESS;
}
