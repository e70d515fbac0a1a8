/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "file-io.h"
#include "grant-notice.h"
#include "grant-record.h"
#include "json.h"
#include "log.h"
#include "notice-queue.h"
#include "provider-name.h"
#include "session.h"
#include "timefmt.h"

/* The login has better things to do first. */
#define LATER_USEC (200 * USEC_PER_MSEC)

struct Notices {
        Manager *manager;
        sd_event_source *later;
        NoticeQueue *queue;
};

/* ---- what is said ---- */

/* The session that the grant began with, as far as it is remembered. */
static const Session *first_session(const Grant *g) {
        const Session *s = g->past;

        while (s && s->next)
                s = s->next;
        return s ?: g->sessions;
}

/* Times as people read them: most of it ends in a comment. */
static json_t *event_begin(const Grant *g) {
        char *const *names = g->manager->config->host_names;
        const Session *s = first_session(g);
        char since[TIME_TEXT_MAX], until[TIME_TEXT_MAX];

        return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s*,s:s*,s:s*}", "ticket", g->ticket, "account", grant_user(g),
                         "person", g->requester, "role", g->role ?: "", "host", names && names[0] ? names[0] : "",
                         "since", time_format_rfc3339(g->since_usec, since), "until",
                         time_format_rfc3339(g->until_usec, until), "service", s ? s->service : NULL, "rhost",
                         s ? s->rhost : NULL, "tty", s ? s->tty : NULL);
}

static unsigned count_sessions(const Grant *g) {
        unsigned n = g->n_forgotten;

        for (const Session *s = g->past; s; s = s->next)
                n++;
        for (const Session *s = g->sessions; s; s = s->next)
                n++;
        return n;
}

static json_t *event_end(const Grant *g, const char *receipt, unsigned killed) {
        json_t *event = event_begin(g);
        char ended[TIME_TEXT_MAX];

        if (event && (json_set_str(event, "reason", g->end_reason ?: "internal") < 0 ||
                      json_set_str(event, "ended", time_format_rfc3339(g->end_usec, ended)) < 0 ||
                      json_set_uint(event, "sessions", count_sessions(g)) < 0 ||
                      json_set_uint(event, "killed", killed) < 0 || json_set_str(event, "receipt", receipt) < 0)) {
                json_decref(event);
                return NULL;
        }
        return event;
}

/* ---- writing ---- */

/* event: stolen. */
static int notice_write(const Grant *g, const char *kind, json_t *event) {
        const char *provider = provider_name(g->manager, g->provider);
        _cleanup_json_ json_t *notice = NULL;
        _cleanup_free_ char *text = NULL;
        char name[NOTICE_NAME_MAX];
        int r;

        notice = event ? json_pack("{s:s,s:s,s:s,s:o}", "provider", provider ?: "", "grant", g->id, "kind", kind,
                                   "event", event)
                       : NULL;
        text = notice ? json_dumps(notice, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        (void) snprintf(name, sizeof(name), "%s-%s.json", g->id, kind);
        r = notice_queue_has_room(g->manager->notices->queue) ? 0 : -EDQUOT;
        if (r >= 0)
                r = file_write_atomic(g->manager->dirs.notices, name, text, strlen(text), 0600, 0, 0, false);
        return r < 0 ? r : notice_queue_add(g->manager->notices->queue, name);
}

static void notice_put(const Grant *g, const char *kind, json_t *event) {
        int r = notice_write(g, kind, event);

        if (r < 0)
                log_warning("The notice for %s of the %s of %s is lost, ignoring: %s",
                            provider_name(g->manager, g->provider) ?: "nobody", kind, grant_user(g), strerror(-r));
}

static void put_start(Grant *g) {
        g->notices = NOTICE_STARTED;
        notice_put(g, "start", event_begin(g));
}

static int on_later(sd_event_source *s, uint64_t usec, void *userdata) {
        Notices *n = userdata;

        (void) s, (void) usec;
        n->later = sd_event_source_disable_unref(n->later);
        for (Grant *g = n->manager->grants; g; g = g->next)
                if (g->state == GRANT_ACTIVE && g->notices == NOTICE_WANTED) {
                        put_start(g);
                        if (grant_record_save(g) < 0)
                                log_warning("Cannot write the record of %s, ignoring", grant_user(g));
                }
        notice_queue_send(n->queue);
        return 0;
}

void grant_notice_start(Grant *g) {
        Notices *n = g->manager->notices;

        if (g->notices != NOTICE_WANTED || n->later)
                return;
        if (sd_event_add_time_relative(g->manager->event, &n->later, CLOCK_BOOTTIME, LATER_USEC, LATER_USEC, on_later,
                                       n) < 0)
                log_warning("The notice of the start of %s comes with that of its end: cannot arm a timer", g->account);
}

void grant_notice_end(Grant *g, const char *receipt, unsigned killed) {
        if (g->notices == NOTICE_NONE)
                return;
        if (g->notices == NOTICE_WANTED) /* over before its start was told */
                put_start(g);
        notice_put(g, "end", event_end(g, receipt, killed));
        notice_queue_send(g->manager->notices->queue);
}

/* ---- all of them ---- */

int notices_new(Manager *m, Notices **ret) {
        Notices *n = calloc(1, sizeof(*n));
        int r;

        if (!n)
                return -ENOMEM;
        n->manager = m;
        r = notice_queue_new(m, &n->queue);
        if (r < 0) {
                notices_free(n);
                return r;
        }
        *ret = n;
        return 0;
}

Notices *notices_free(Notices *n) {
        if (!n)
                return NULL;
        sd_event_source_disable_unref(n->later);
        notice_queue_free(n->queue);
        free(n);
        return NULL;
}

void notices_kick(Notices *n) {
        notice_queue_send(n->queue);
}
