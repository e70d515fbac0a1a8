/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_PROVIDER_H
#define JIT_TEST_PROVIDER_H

/* Providers of files, against tests/tickets/server.py: an Approver with as much in it as they need. */

#include <sys/stat.h>

#include "../../jit-reaperd/approverd/approver.h"
#include "../../jit-reaperd/approverd/providers/provider-http.h"
#include "strv.h"
#include "test-http.h"

static TestServer server;
static Approver approver;

/* Writes test_folder/NAME; "@" in text becomes the server's address, "~" test_folder. */
static inline void put(const char *name, const char *text) {
        _cleanup_fclose_ FILE *f = fopen(in_folder(name), "we");

        if (!f)
                abort();
        for (; *text; text++)
                if (*text == '@')
                        (void) fprintf(f, "https://localhost:%u", server.port);
                else if (*text == '~')
                        (void) fprintf(f, "%s", test_folder);
                else
                        (void) fputc(*text, f);
}

/* A file beside the provider's, written before it. */
static inline void put_program(const char *name, const char *text) {
        char path[64];

        (void) mkdir(in_folder("providers.d"), 0755);
        (void) snprintf(path, sizeof(path), "providers.d/%s", name);
        put(path, text);
}

/* The providers that are in providers.d now. */
static inline void providers_begin(void) {
        static char host[] = "db1";
        static char *names[] = {host, NULL};

        approver = (Approver){.event = test_event, .etc = test_folder, .host_names = names, .http = test_client};
        CHECK_EQ_INT(provider_set_new(&approver, &approver.providers), 0);
}

static inline void providers_end(void) {
        approver.providers = provider_set_free(approver.providers);
        (void) nftw(in_folder("providers.d"), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define SERVER_PART "[Server]\nCAFile=~/ca.pem\nRatePerSec=1000\nRateBurst=1000\n"

/* One file, "t.conf", with its program. provider: lines of [Provider]; rest: sections. */
static inline void provider_begin(const char *provider, const char *rest, const char *program) {
        char text[8192];

        (void) snprintf(text, sizeof(text), "[Provider]\nKind=http\nTicket=t-([0-9]+)\n%s%s\n%s%s",
                        strstr(provider, "CacheSec=") ? "" : "CacheSec=0\n", provider,
                        strstr(provider, "[Server]") ? "RatePerSec=1000\nRateBurst=1000\n" : SERVER_PART, rest);
        put_program("t.conf", text);
        put_program("t.jq", program);
        providers_begin();
        if (!provider_set_find(approver.providers, "t"))
                abort(); /* the journal says why */
}

static inline Provider *the_provider(void) {
        return provider_set_find(approver.providers, "t");
}

static inline void route(const char *json) {
        char text[16384];

        (void) snprintf(text, sizeof(text), "{\"routes\":[%s]}", json);
        tell(&server, "POST", "/routes", text);
}

/* An approval that fits everything. */
#define APPROVAL(ticket, requesters)                                                                                   \
        "{\"ticket\":\"" ticket "\",\"state\":\"approved\",\"title\":\"a\",\"requesters\":[" requesters                \
        "],\"approvers\":[{\"name\":\"bob\"}],\"hosts\":[\"db1\"],\"role\":\"dba\",\"not_before\":"                    \
        "\"2026-01-01T00:00:00Z\",\"not_after\":\"2026-01-02T00:00:00Z\",\"reason\":\"x\"}"

typedef struct Got { /* what a question brought */
        bool done;
        ProviderResult result;
        char detail[1024], title[256], person[64];
        const Approval *approval; /* to be compared only */
        size_t n_keys;
} Got;

static inline void on_got(const ProviderAnswer *a, void *userdata) {
        Got *g = userdata;

        if (g->done)
                TEST_FAIL("answered twice");
        g->done = true;
        g->result = a->result;
        (void) snprintf(g->detail, sizeof(g->detail), "%s", a->detail ?: "");
        g->approval = a->approval;
        if (a->approval)
                (void) snprintf(g->title, sizeof(g->title), "%s", a->approval->title ?: "");
        (void) snprintf(g->person, sizeof(g->person), "%s", a->person ?: "");
        g->n_keys = strv_length(a->keys);
}

static inline void question_start(const char *account, Got *g) {
        Reference r;

        *g = (Got){0};
        if (the_provider()->resolve(the_provider(), account, &r) < 0) {
                TEST_FAIL("%s is nobody's", account);
                g->done = true;
                return;
        }
        r.provider->ask(r.provider, &r, NULL, true, on_got, g);
}

static inline Got question(const char *account) {
        Got g;

        question_start(account, &g);
        if (!run_until(&g.done))
                TEST_FAIL("%s: no answer", account);
        return g;
}

/* So many requests for paths that begin so were logged. */
static inline size_t asked(const char *path) {
        _cleanup_json_ json_t *log = control(&server, "GET", "/log", "");
        const json_t *entry;
        size_t i, n = 0;

        json_array_foreach (log, i, entry)
                n += strncmp(json_string_value(json_object_get(entry, "path")), path, strlen(path)) == 0;
        return n;
}

/* The i-th logged request for this path, a new reference, or NULL. */
static inline json_t *logged(const char *path, size_t i) {
        _cleanup_json_ json_t *log = control(&server, "GET", "/log", "");
        json_t *entry;
        size_t k;

        json_array_foreach (log, k, entry)
                if (strcmp(json_string_value(json_object_get(entry, "path")), path) == 0 && i-- == 0)
                        return json_incref(entry);
        return NULL;
}

#endif
