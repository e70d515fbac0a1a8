/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_APPROVER_H
#define JIT_APPROVER_H

/* The manager of jit-approverd: everything hangs off one Approver, and objects keep a pointer back to it. */

#include <systemd/sd-event.h>

#include "caller.h"
#include "config.h"
#include "http-client.h"
#include "outbox.h"
#include "policy.h"
#include "provider-set.h"
#include "provider.h"
#include "signature.h"
#include "ticket-store.h"
#include "varlink.h"

enum { APPROVER_WATCHERS_MAX = 16 };

typedef struct Watcher Watcher;

typedef struct Approver {
        sd_event *event;
        char *etc, *vendor; /* /etc/jit, /usr/lib/jit */
        char *root;         /* what config_load() gets */
        Config *config;     /* NULL: it never could be read; then no role exists */
        char **host_names;  /* in lower case */
        Policy *policy;     /* NULL: there is none; then everything is refused */
        ApproversFile *approvers;
        SignatureVerifier *verifier;
        TicketStore *store;
        HttpClient *http;
        ProviderSet *providers;
        Outbox *outbox;
        VarlinkServer *server;
        RateTable rates;
        Watcher *watchers;
        unsigned n_watchers;
        sd_event_source *inotify_etc, *inotify_keys, *inotify_providers, *settle; /* settle: a short wait, so that one edit is one change */
} Approver;

/* root: "" or a directory that holds etc/jit and usr/lib/jit; state: the state directory. Signals SIGHUP, SIGTERM,
 * SIGINT and SIGCHLD must be blocked. */
int approver_new(sd_event *event, const char *root, const char *etc, const char *state, Approver **ret);
Approver *approver_free(Approver *a);
DEFINE_CLEANUP(Approver, approver_free);
/* Takes the listening socket over, also on failure. */
int approver_listen(Approver *a, int fd);

/* Configuration, policy, approvers and tickets anew. What is wrong is logged and stays as it was. */
void approver_reload(Approver *a);
/* Policy, approvers, keys and providers alone: the files that are followed. */
void approver_reload_files(Approver *a, bool always); /* always: providers too, if none of their files has changed */
const Role *approver_role(const Approver *a, const char *name); /* NULL: there is none */

/* ---- who wants to hear of changes (approver-watch.c) ---- */

/* Follows approvers, revoked, policy.jq, keys.d and providers.d. Failures are logged: SIGHUP remains. */
void approver_follow_files(Approver *a);
/* The verdict on this ticket may have changed ("*": on every one). */
void approver_changed(Approver *a, const char *ticket);
int approver_watch(Approver *a, VarlinkLink *l);
void approver_watchers_free(Approver *a);

extern const VarlinkInterface approver_interface; /* approver-api.c */

#endif
