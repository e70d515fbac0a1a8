/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>

#include "approver.h"
#include "json.h"
#include "log.h"
#include "outbox-queue.h"
#include "provider-http.h"
#include "question-input.h"

#define KEEP_USEC (7 * 24 * USEC_PER_HOUR)
#define SEND_USEC (30 * USEC_PER_SEC)
#define SWEEP_USEC (24 * USEC_PER_HOUR)

struct Outbox {
        Approver *approver;
        int folder;
        OutboxQueue queue;
        sd_event_source *timer, *sweep;
};

static void item_log(const OutboxItem *i, int priority, const char *sentence, const char *why) {
        char grant[sizeof("JIT_GRANT=") + 16], ticket[sizeof("JIT_TICKET=") + TICKET_ID_MAX];
        const char *const fields[] = {grant, ticket, NULL};

        (void) snprintf(grant, sizeof(grant), "JIT_GRANT=%.16s", i->file.name);
        (void) snprintf(ticket, sizeof(ticket), "JIT_TICKET=%s", i->file.ticket);
        log_fields(priority, fields, "%s: the comment on %s (%s) %s%s%s", i->file.provider, i->file.ticket,
                   i->file.name, sentence, why ? ": " : "", why ? why : "");
}

/* ---- when ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

/* Never sends by itself: whoever calls may be in the middle of freeing a provider. */
static void outbox_arm(Outbox *o) {
        uint64_t soonest = outbox_queue_next(&o->queue);
        int r;

        o->timer = sd_event_source_disable_unref(o->timer);
        if (soonest == USEC_INFINITY)
                return;
        r = sd_event_add_time(o->approver->event, &o->timer, CLOCK_BOOTTIME, soonest, USEC_PER_MSEC, on_timer, o);
        if (r < 0)
                log_error("Comments are not sent before the next one comes: %s", strerror(-r));
}

/* ---- how it ends ---- */

static void item_settled(OutboxItem *i, const char *from, const char *to) {
        Outbox *o = i->outbox;
        int r = to ? outbox_file_move(o->folder, i->file.name, from, to)
                   : outbox_file_remove(o->folder, i->file.name, from);

        if (r < 0)
                log_warning("outbox/%s.%s: %s", i->file.name, from, strerror(-r));
        outbox_queue_remove(&o->queue, i);
}

/* state: of its file. */
static void item_retry(OutboxItem *i, const char *state, bool whole_provider, const char *why) {
        Outbox *o = i->outbox;
        int r = 0;

        if (!streq(state, "json"))
                r = outbox_file_move(o->folder, i->file.name, state, "json");
        if (r < 0) { /* as it is, it would never be sent again after a crash: so it is not sent now either */
                item_log(i, LOG_WARNING, "was not written and cannot be tried again", strerror(-r));
                outbox_queue_remove(&o->queue, i);
                return;
        }
        if (i->file.at + KEEP_USEC < now_usec(CLOCK_REALTIME)) {
                item_log(i, LOG_WARNING, "could not be written for seven days and is given up", why);
                item_settled(i, "json", NULL);
                return;
        }
        if (!i->backoff_usec)
                item_log(i, LOG_NOTICE, "is tried again later", why);
        outbox_queue_later(&o->queue, i, whole_provider);
}

/* Nothing has been written for sure: it did not get there, or the server says so. */
static bool was_refused(const SendAnswer *a) {
        return !a->http || !a->http->sent || a->http->status == 429 || a->http->status == 503 ||
               a->result == PROVIDER_LOGIN;
}

static void on_sent(const SendAnswer *a, void *userdata) {
        OutboxItem *i = userdata;
        Outbox *o = i->outbox;
        unsigned status = a->http ? a->http->status : 0;

        i->send = NULL;
        outbox_queue_landed(&o->queue, i);
        if (a->result == PROVIDER_OK && !a->null) {
                item_log(i, LOG_DEBUG, "is written", NULL);
                item_settled(i, "sent", "done");
        } else if (a->result == PROVIDER_INVALID || (!a->null && was_refused(a)))
                item_retry(i, "sent", a->result != PROVIDER_INVALID, a->why);
        else if (status >= 400 && status < 500) {
                item_log(i, LOG_WARNING, "is refused and given up", a->why);
                item_settled(i, "sent", "done");
        } else {
                item_log(i, LOG_WARNING, "may have been written, and is not sent again", a->why);
                outbox_queue_remove(&o->queue, i); /* its file says so, too */
        }
        outbox_arm(o);
}

/* ---- sending ---- */

/* input: with "event". From here on a crash leaves open whether it was written. */
static int item_send(OutboxItem *i, HttpProvider *p, const ProviderMatch *match, json_t *input) {
        Outbox *o = i->outbox;
        const ProviderFile *f = http_provider_file(p);
        TemplateValue texts[INPUT_TEXTS_MAX];
        SendSetup setup = {.event = o->approver->event,
                           .server = http_provider_server(p),
                           .login = http_provider_login(p),
                           .request = f->comment,
                           .input = input,
                           .values = texts,
                           .deadline_usec = now_usec(CLOCK_BOOTTIME) + SEND_USEC};
        int r = outbox_file_move(o->folder, i->file.name, "json", "sent");

        if (r < 0)
                return r;
        question_texts(input, match, NULL, NULL, texts);
        r = http_send_new(&setup, on_sent, i, &i->send);
        if (r < 0)
                (void) outbox_file_move(o->folder, i->file.name, "sent", "json");
        return r;
}

static HttpProvider *item_provider(const OutboxItem *i, ProviderMatch *ret) {
        Provider *p = provider_set_find(i->outbox->approver->providers, i->file.provider);
        HttpProvider *h = p ? http_provider(p) : NULL;

        if (!h || !http_provider_file(h)->comment ||
            provider_file_match(http_provider_file(h), i->file.ticket, ret) < 0)
                return NULL;
        return h;
}

static void on_question(const QuestionAnswer *a, void *userdata) {
        OutboxItem *i = userdata;
        Outbox *o = i->outbox;
        HttpProvider *p;
        ProviderMatch match;
        int r;

        i->question = NULL;
        if (a->result != PROVIDER_OK || !(p = item_provider(i, &match))) {
                outbox_queue_landed(&o->queue, i);
                item_retry(i, "json", a->result != PROVIDER_UNKNOWN && a->result != PROVIDER_INVALID, a->why);
                outbox_arm(o);
                return;
        }
        r = item_send(i, p, &match, a->output);
        if (r < 0) {
                outbox_queue_landed(&o->queue, i);
                item_retry(i, "json", false, strerror(-r));
                outbox_arm(o);
        }
}

/* What the comment's templates name beyond the ticket has to be asked for first. */
static int item_ask(OutboxItem *i, HttpProvider *p, const ProviderMatch *match, json_t *extra) {
        Outbox *o = i->outbox;
        QuestionSetup setup = {.event = o->approver->event,
                               .file = http_provider_file(p),
                               .server = http_provider_server(p),
                               .login = http_provider_login(p),
                               .keys = http_provider_keys(p),
                               .match = match,
                               .no_program = true,
                               .host_names = o->approver->host_names,
                               .extra = extra,
                               .deadline_usec = now_usec(CLOCK_BOOTTIME) + SEND_USEC};

        return http_question_new(&setup, on_question, i, &i->question);
}

static int item_begin(OutboxItem *i, HttpProvider *p, const ProviderMatch *match) {
        JIT_CLEANUP(outbox_file_done) OutboxFile f = {0};
        _cleanup_json_ json_t *extra = NULL, *input = NULL, *none = json_object();
        int r = outbox_file_read(i->outbox->folder, i->file.name, true, &f);

        if (r < 0)
                return r;
        if (!none || !(extra = json_pack("{s:O}", "event", f.event)))
                return -ENOMEM;
        if (question_lacks(http_provider_file(p)->comment, none))
                return item_ask(i, p, match, extra);
        input = question_input_new(match, i->outbox->approver->host_names, extra);
        if (!input || json_object_set(input, "values", none) < 0 || json_object_set(input, "answers", none) < 0)
                return -ENOMEM;
        return item_send(i, p, match, input);
}

static void item_try(OutboxItem *i) {
        Outbox *o = i->outbox;
        ProviderMatch match;
        HttpProvider *p = item_provider(i, &match);
        int r;

        if (!p) {
                item_retry(i, "json", true, "no provider of that name has a [Comment] for it");
                return;
        }
        r = item_begin(i, p, &match);
        if (r >= 0)
                outbox_queue_started(&o->queue, i);
        else if (r == -ENOENT || r == -EBADMSG) {
                item_log(i, LOG_WARNING, "is given up: its file is gone or damaged", NULL);
                outbox_queue_remove(&o->queue, i);
        } else
                item_retry(i, "json", false, strerror(-r));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Outbox *o = userdata;
        uint64_t now = now_usec(CLOCK_BOOTTIME);

        (void) source, (void) usec;
        for (OutboxItem *i = o->queue.first, *next; i; i = next) {
                next = i->next;
                if (i->next_usec <= now && outbox_queue_may_go(&o->queue, i))
                        item_try(i);
        }
        outbox_arm(o);
        return 0;
}

/* ---- life ---- */

void outbox_kick(Outbox *o) {
        for (OutboxItem *i = o->queue.first; i; i = i->next)
                i->next_usec = 0;
        outbox_arm(o);
}

unsigned outbox_waiting(const Outbox *o) {
        return o->queue.n;
}

static int queue_add(Outbox *o, const OutboxFile *f) {
        OutboxItem *i;
        int r = outbox_queue_add(&o->queue, f, &i);

        if (r >= 0)
                i->outbox = o;
        return r;
}

int outbox_put(Outbox *o, const char *provider, const char *grant, const char *kind, const json_t *event) {
        JIT_CLEANUP(outbox_file_done) OutboxFile f = {0};
        int r = outbox_file_make(provider, grant, kind, event, &f);

        if (r < 0)
                return r;
        if (outbox_file_exists(o->folder, f.name))
                return 0;
        if (o->queue.n >= OUTBOX_MAX)
                return -EDQUOT;
        if ((r = outbox_file_write(o->folder, &f)) < 0)
                return r;
        r = queue_add(o, &f);
        if (r < 0)
                (void) outbox_file_remove(o->folder, f.name, "json");
        outbox_arm(o);
        return r;
}

static void on_found(const char *name, const char *state, void *userdata) {
        Outbox *o = userdata;
        OutboxFile f = {0};
        int r;

        if (streq(state, "sent"))
                log_warning("outbox/%s.sent: this comment may have been written, and is not sent again", name);
        if (!streq(state, "json"))
                return;
        r = outbox_file_read(o->folder, name, false, &f);
        if (r >= 0)
                r = queue_add(o, &f);
        if (r < 0)
                log_warning("outbox/%s.json: not a comment, ignoring: %s", name, strerror(-r));
}

static void on_old(const char *name, const char *state, void *userdata) {
        (void) name, (void) state, (void) userdata;
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        Outbox *o = userdata;
        int r = outbox_folder_scan(o->folder, KEEP_USEC, on_old, NULL);

        (void) usec;
        if (r < 0)
                log_warning("The outbox cannot be swept, ignoring: %s", strerror(-r));
        if ((r = sd_event_source_set_time_relative(source, SWEEP_USEC)) < 0 ||
            (r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT)) < 0)
                log_warning("The outbox is not swept any more, ignoring: %s", strerror(-r));
        return 0;
}

int outbox_new(Approver *a, const char *state, Outbox **ret) {
        Outbox *o = calloc(1, sizeof(*o));
        int r;

        if (!o)
                return -ENOMEM;
        o->approver = a;
        r = o->folder = outbox_folder_open(state);
        if (r < 0 || (r = outbox_folder_scan(o->folder, KEEP_USEC, on_found, o)) < 0 ||
            (r = sd_event_add_time_relative(a->event, &o->sweep, CLOCK_BOOTTIME, SWEEP_USEC, USEC_PER_HOUR, on_sweep,
                                            o)) < 0) {
                outbox_free(o);
                return r;
        }
        outbox_arm(o);
        *ret = o;
        return 0;
}

Outbox *outbox_free(Outbox *o) {
        if (!o)
                return NULL;
        outbox_queue_done(&o->queue);
        sd_event_source_disable_unref(o->timer);
        sd_event_source_disable_unref(o->sweep);
        closep(&o->folder);
        free(o);
        return NULL;
}
