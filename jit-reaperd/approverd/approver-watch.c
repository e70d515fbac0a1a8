/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/inotify.h>

#include "approver.h"
#include "log.h"

/* An editor writes a file in several steps; what is judged meanwhile sees the files anyway (approvers_file_refresh()).
 */
#define SETTLE_USEC (50 * USEC_PER_MSEC)

struct Watcher {
        Watcher *next;
        Approver *approver;
        VarlinkLink *link;
};

/* ---- subscribers ---- */

static void watcher_remove(Watcher *w) {
        for (Watcher **p = &w->approver->watchers; *p; p = &(*p)->next)
                if (*p == w) {
                        *p = w->next;
                        w->approver->n_watchers--;
                        break;
                }
        varlink_link_on_gone(w->link, NULL, NULL);
        varlink_link_unref(w->link);
        free(w);
}

static void on_watcher_gone(VarlinkLink *l, void *userdata) {
        (void) l;
        watcher_remove(userdata);
}

void approver_changed(Approver *a, const char *ticket) {
        for (Watcher *w = a->watchers, *next; w; w = next) {
                next = w->next;
                int r = varlink_notify(w->link, json_pack("{s:s}", "ticket", ticket));
                if (r < 0)
                        log_warning("A watcher cannot be told of %s, ignoring: %s", ticket, strerror(-r));
        }
}

int approver_watch(Approver *a, VarlinkLink *l) {
        Watcher *w;

        if (a->n_watchers >= APPROVER_WATCHERS_MAX)
                return -EMFILE;
        if (!(w = malloc(sizeof(*w))))
                return -ENOMEM;
        *w = (Watcher){.next = a->watchers, .approver = a, .link = varlink_link_ref(l)};
        a->watchers = w;
        a->n_watchers++;
        varlink_link_on_gone(l, on_watcher_gone, w);
        /* Whatever changed while nobody watched is unknown to this watcher. */
        return varlink_notify(l, json_pack("{s:s}", "ticket", "*"));
}

void approver_watchers_free(Approver *a) {
        while (a->watchers)
                watcher_remove(a->watchers);
        a->inotify_etc = sd_event_source_disable_unref(a->inotify_etc);
        a->inotify_keys = sd_event_source_disable_unref(a->inotify_keys);
        a->inotify_providers = sd_event_source_disable_unref(a->inotify_providers);
        a->settle = sd_event_source_disable_unref(a->settle);
}

/* ---- files ---- */

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        Approver *a = userdata;

        (void) source, (void) usec;
        a->settle = sd_event_source_disable_unref(a->settle);
        log_info("%s has changed: reading it again", a->etc);
        approver_reload_files(a, false);
        return 0;
}

static int on_file(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        static const char *const names[] = {"approvers", "revoked", "policy.jq", "keys.d", "providers.d"};
        Approver *a = userdata;
        bool wanted = source == a->inotify_keys || source == a->inotify_providers || (event->mask & IN_Q_OVERFLOW) || event->len == 0;
        int r;

        for (size_t i = 0; !wanted && i < ELEMENTSOF(names); i++)
                wanted = streq(names[i], event->name);
        if (!wanted || a->settle)
                return 0;
        r = sd_event_add_time_relative(a->event, &a->settle, CLOCK_MONOTONIC, SETTLE_USEC, 0, on_settled, a);
        if (r < 0)
                log_warning("A change in %s is noticed at the next SIGHUP only: %s", a->etc, strerror(-r));
        return 0;
}

static void follow(Approver *a, const char *path, sd_event_source **source) {
        int r;

        *source = sd_event_source_disable_unref(*source);
        r = sd_event_add_inotify(a->event, source, path,
                                 IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
                                                 IN_DELETE_SELF | IN_ONLYDIR,
                                 on_file, a);
        if (r < 0 && r != -ENOENT)
                log_warning("%s: changes are noticed at SIGHUP only: %s", path, strerror(-r));
}

void approver_follow_files(Approver *a) {
        const struct {
                const char *name;
                sd_event_source **source;
        } folders[] = {{"keys.d", &a->inotify_keys}, {"providers.d", &a->inotify_providers}};

        follow(a, a->etc, &a->inotify_etc);
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_free_ char *path = NULL;

                if (asprintf(&path, "%s/%s", a->etc, folders[i].name) < 0) {
                        path = NULL;
                        return;
                }
                follow(a, path, folders[i].source);
        }
}
