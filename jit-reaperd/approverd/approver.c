/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>
#include <limits.h>

#include "approver.h"
#include "log.h"
#include "paths.h"
#include "strv.h"

/* Requests of all providers together. */
enum { HTTP_RATE_PER_SEC = 500 };

static int lower_copy(char *const *list, char ***ret) {
        _cleanup_strv_ char **v = NULL;

        STRV_FOREACH (s, list) {
                _cleanup_free_ char *name = strdup(*s);
                if (!name)
                        return -ENOMEM;
                for (char *c = name; *c; c++)
                        *c = (char) tolower((unsigned char) *c);
                if (strv_extend(&v, name) < 0)
                        return -ENOMEM;
        }
        strv_free(*ret);
        *ret = take_ptr(v);
        return 0;
}

/* Without a configuration the host is called what the kernel says. */
static int load_host_names(Approver *a) {
        _cleanup_strv_ char **names = NULL;
        char name[HOST_NAME_MAX + 1];

        if (a->config && a->config->host_names)
                return lower_copy(a->config->host_names, &a->host_names);
        if (gethostname(name, sizeof(name)) < 0)
                return -errno;
        name[sizeof(name) - 1] = '\0';
        if (strv_extend(&names, name) < 0)
                return -ENOMEM;
        return lower_copy(names, &a->host_names);
}

static void load_config(Approver *a) {
        JIT_CLEANUP(config_freep) Config *c = NULL;
        char why[CONFIG_WHY_MAX] = "";
        int r = config_load(a->root, &c, why);

        if (r < 0)
                log_error("The configuration is refused, %s: %s",
                          a->config ? "the last good one stays" : "so no role is known", *why ? why : strerror(-r));
        else {
                config_free(a->config);
                a->config = take_ptr(c);
        }
        r = load_host_names(a);
        if (r < 0)
                log_error("Cannot tell this host's names: %s", strerror(-r));
}

static void load_policy(Approver *a) {
        JIT_CLEANUP(policy_freep) Policy *p = NULL;
        char why[POLICY_WHY_MAX] = "";
        int r = policy_load(a->etc, a->vendor, &p, why);

        if (r < 0) {
                log_error("The policy is refused, %s: %s",
                          a->policy ? "the last good one stays" : "so everything is refused",
                          *why ? why : strerror(-r));
                return;
        }
        policy_free(a->policy);
        a->policy = take_ptr(p);
}

void approver_reload_files(Approver *a, bool always) {
        load_policy(a);
        approvers_file_forget(a->approvers);
        (void) approvers_file_refresh(a->approvers);
        signature_verifier_flush(a->verifier);
        provider_set_reload(a->providers, always);
        outbox_kick(a->outbox);
        approver_follow_files(a);
        approver_changed(a, "*");
}

void approver_reload(Approver *a) {
        int r;

        load_config(a);
        r = ticket_store_rescan(a->store);
        if (r < 0)
                log_error("The tickets cannot be read again: %s", strerror(-r));
        approver_reload_files(a, true);
}

const Role *approver_role(const Approver *a, const char *name) {
        return a->config ? config_role(a->config, name) : NULL;
}

static int set_paths(Approver *a, const char *root, const char *etc) {
        if (!(a->root = strdup(root)))
                return -ENOMEM;
        if (etc)
                a->etc = strdup(etc);
        else if (asprintf(&a->etc, "%s" JIT_ETC, root) < 0)
                a->etc = NULL;
        if (asprintf(&a->vendor, "%s" JIT_VENDOR, root) < 0)
                a->vendor = NULL;
        return a->etc && a->vendor ? 0 : -ENOMEM;
}

int approver_new(sd_event *event, const char *root, const char *etc, const char *state, Approver **ret) {
        static const VarlinkInterface *const interfaces[] = {&approver_interface, NULL};
        /* A document is at most DOCUMENT_TEXT_MAX; the call around it, and its escaping, come on top. */
        static const VarlinkLimits limits = {.connections = 2048,
                                             .connections_per_user = 16,
                                             .message_max = DOCUMENT_TEXT_MAX + 64 * 1024,
                                             .idle_usec = 30 * USEC_PER_SEC};
        JIT_CLEANUP(approver_freep) Approver *a = calloc(1, sizeof(*a));
        int r;

        if (!a)
                return -ENOMEM;
        a->event = sd_event_ref(event);
        if ((r = set_paths(a, root, etc)) < 0 || (r = approvers_file_new(a->etc, &a->approvers)) < 0 ||
            (r = signature_verifier_new(event, a->approvers, NULL, &a->verifier)) < 0 ||
            (r = ticket_store_new(state, &a->store)) < 0 || (r = http_client_new(event, HTTP_RATE_PER_SEC, &a->http)) < 0 ||
            (r = provider_set_new(a, &a->providers)) < 0 || (r = outbox_new(a, state, &a->outbox)) < 0 ||
            (r = varlink_server_new(event, interfaces, &limits, a, &a->server)) < 0)
                return r;
        load_config(a);
        load_policy(a);
        (void) approvers_file_refresh(a->approvers);
        approver_follow_files(a);
        *ret = take_ptr(a);
        return 0;
}

/* Verifier and providers first: what waits for them still answers, through all the rest. */
Approver *approver_free(Approver *a) {
        if (!a)
                return NULL;
        signature_verifier_free(a->verifier);
        provider_set_free(a->providers);
        outbox_free(a->outbox); /* behind those who tell it that a comment was not sent */
        http_client_free(a->http);
        approver_watchers_free(a);
        varlink_server_free(a->server);
        ticket_store_free(a->store);
        approvers_file_free(a->approvers);
        policy_free(a->policy);
        config_free(a->config);
        strv_free(a->host_names);
        free(a->etc);
        free(a->vendor);
        free(a->root);
        sd_event_unref(a->event);
        free(a);
        return NULL;
}

int approver_listen(Approver *a, int fd) {
        return varlink_server_listen(a->server, fd);
}
