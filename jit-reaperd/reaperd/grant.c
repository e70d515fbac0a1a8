/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <search.h>
#include <sys/random.h>

#include "artefact.h"
#include "grant-record.h"
#include "idle.h"
#include "json.h"
#include "log.h"
#include "process-kill.h"
#include "provider-name.h"
#include "reap.h"
#include "session.h"
#include "terminal.h"
#include "timefmt.h"
#include "uid-range.h"

const Role *grant_role(const Grant *g) {
        return g->role ? config_role(g->manager->config, g->role) : NULL;
}

bool grant_is_authorized(const Grant *g) {
        return g->authorized && (g->state == GRANT_ACTIVE || (g->state == GRANT_RESERVED && now_usec(CLOCK_BOOTTIME) < g->authorized_usec));
}

/* ---- finding ---- */

static int compare_account(const void *a, const void *b) {
        return strcmp(((const Grant *) a)->account, ((const Grant *) b)->account);
}

static int compare_uid(const void *a, const void *b) {
        uid_t x = ((const Grant *) a)->uid, y = ((const Grant *) b)->uid;

        return (x > y) - (x < y);
}

static Grant *find(void *const *tree, const Grant *key, int (*compare)(const void *, const void *)) {
        Grant *const *node = tfind(key, tree, compare);

        return node ? *node : NULL;
}

Grant *grant_by_account(const Manager *m, const char *account) {
        Grant key = {};

        if (strlen(account) > ACCOUNT_NAME_MAX)
                return NULL;
        memcpy(key.account, account, strlen(account) + 1);
        return find(&m->grants_by_account, &key, compare_account);
}

Grant *grant_by_uid(const Manager *m, uid_t uid) {
        Grant key = {.uid = uid};

        return find(&m->grants_by_uid, &key, compare_uid);
}

Grant *grant_find(const Manager *m, const char *what) {
        char account[ACCOUNT_NAME_MAX + 1];
        Grant *g = account_name_parse(what, account) < 0 ? NULL : grant_by_account(m, account);

        for (Grant *i = m->grants; !g && i; i = i->next)
                if (streq(i->id, what) || strcasecmp(i->ticket, what) == 0)
                        g = i;
        return g;
}

static bool tree_insert(void **tree, Grant *g, int (*compare)(const void *, const void *)) {
        Grant **node = tsearch(g, tree, compare);

        return node && *node == g;
}

int grant_link(Grant *g) {
        Manager *m = g->manager;

        if (g->state != GRANT_FORGOTTEN) {
                if (grant_by_account(m, g->account) || grant_by_uid(m, g->uid))
                        return -EEXIST;
                if (!tree_insert(&m->grants_by_account, g, compare_account))
                        return -ENOMEM;
                if (!tree_insert(&m->grants_by_uid, g, compare_uid)) {
                        (void) tdelete(g, &m->grants_by_account, compare_account);
                        return -ENOMEM;
                }
        }
        g->next = m->grants;
        g->prev = &m->grants;
        if (g->next)
                g->next->prev = &g->next;
        m->grants = g;
        m->n_grants++;
        return 0;
}

void grant_forget_account(Grant *g) {
        Manager *m = g->manager;

        if (find(&m->grants_by_account, g, compare_account) == g)
                (void) tdelete(g, &m->grants_by_account, compare_account);
        if (find(&m->grants_by_uid, g, compare_uid) == g)
                (void) tdelete(g, &m->grants_by_uid, compare_uid);
}

Grant *grant_free(Grant *g) {
        if (!g)
                return NULL;
        grant_forget_account(g);
        g->manager->n_rechecks_due -= g->recheck_due;
        if (g->prev) {
                *g->prev = g->next;
                if (g->next)
                        g->next->prev = g->prev;
                g->manager->n_grants--;
        }
        sd_event_source_disable_unref(g->timer);
        session_free_all(g->sessions);
        session_free_all(g->past);
        reaping_free(g->reaping);
        free(g->ticket);
        free(g->title);
        free(g->requester);
        free(g->role);
        free(g->digest);
        free(g->end_reason);
        free(g->end_by);
        strv_free(g->approvers);
        strv_free(g->commands);
        strv_free(g->keys);
        free(g);
        return NULL;
}

/* ---- reserving ---- */

static bool uid_is_taken(uid_t uid, void *userdata) {
        return grant_by_uid(userdata, uid) != NULL;
}

static int random_id(char ret[static 17]) {
        uint64_t n;

        if (getrandom(&n, sizeof(n), 0) != sizeof(n))
                return -EIO;
        (void) snprintf(ret, 17, "%016llx", (unsigned long long) n);
        return 0;
}

#define TAKE(to, from)                                                                                       \
        do {                                                                                                 \
                free(to);                                                                                    \
                (to) = take_ptr(from);                                                                       \
        } while (0)
#define TAKE_STRV(to, from)                                                                                  \
        do {                                                                                                 \
                strv_free(to);                                                                               \
                (to) = take_ptr(from);                                                                       \
        } while (0)

/* How often and how long it is asked for, and by whom. */
static void take_provider(Grant *g, const Verdict *v) {
        g->provider = provider_name_number(g->manager, v->provider);
        g->recheck_sec = (uint16_t) ((v->recheck_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
        g->grace_sec = v->grace_usec == USEC_INFINITY ? GRACE_NONE : (uint32_t) (v->grace_usec / USEC_PER_SEC);
        if (g->state == GRANT_RESERVED)
                g->notices = v->comments ? NOTICE_WANTED : NOTICE_NONE;
}

static bool is_same_digest(const Grant *g, const Verdict *v) {
        return !g->digest || (v->digest && streq(g->digest, v->digest));
}

/* A ticket of the same name in another system is another ticket. */
static bool is_same_provider(const Grant *g, const Verdict *v) {
        const char *name = provider_name(g->manager, g->provider);

        return !name || (v->provider && streq(name, v->provider));
}

int grant_update(Grant *g, Verdict *v) {
        if (strcasecmp(g->ticket, v->ticket) != 0 || !streq(g->requester, v->requester) ||
            (g->role && v->role && !streq(g->role, v->role)) ||
            (g->state == GRANT_ACTIVE && !(is_same_digest(g, v) && is_same_provider(g, v))))
                return -ESTALE;
        take_provider(g, v);
        TAKE(g->title, v->title);
        TAKE(g->digest, v->digest);
        TAKE_STRV(g->approvers, v->approvers);
        TAKE_STRV(g->commands, v->commands);
        if (!g->role)
                g->role = take_ptr(v->role);
        return 0;
}

static int grant_new(Manager *m, const char *account, Verdict *v, Grant **ret) {
        Grant *g = calloc(1, sizeof(*g));
        int r;

        if (!g)
                return -ENOMEM;
        *g = (Grant){.manager = m, .state = GRANT_RESERVED, .grace_sec = GRACE_NONE};
        (void) snprintf(g->account, sizeof(g->account), "%s", account);
        g->ticket = take_ptr(v->ticket);
        g->title = take_ptr(v->title);
        g->requester = take_ptr(v->requester);
        g->role = take_ptr(v->role);
        g->digest = take_ptr(v->digest);
        g->approvers = take_ptr(v->approvers);
        g->commands = take_ptr(v->commands);
        g->keys = take_ptr(v->keys);
        take_provider(g, v);
        g->since_usec = now_usec(CLOCK_REALTIME);
        g->until_usec = g->since_usec + m->config->reserve_usec;
        g->deadline_usec = now_usec(CLOCK_BOOTTIME) + m->config->reserve_usec;
        r = random_id(g->id);
        if (r >= 0)
                r = uid_range_take(m->uids, account, uid_is_taken, m, &g->uid);
        if (r >= 0)
                r = grant_link(g);
        if (r < 0) {
                grant_free(g);
                return r;
        }
        *ret = g;
        return 0;
}

int grant_reserve(Manager *m, const char *account, Verdict *v, Grant **ret) {
        Grant *g;
        int r;

        if (!verdict_is_for(v, account))
                return -EINVAL;
        if (grant_by_account(m, account))
                return -EEXIST;
        if (m->n_grants >= m->config->grants_max)
                return -ENOSPC;
        r = grant_new(m, account, v, &g);
        if (r < 0)
                return r;
        r = grant_record_save(g);
        if (r >= 0)
                r = keys_file_make(g, g->until_usec);
        if (r >= 0 && v->decision == DECISION_ALLOW)
                r = manager_mask_make(g);
        if (r >= 0)
                r = grant_arm(g);
        if (r < 0) {
                grant_release(g);
                return r;
        }
        *ret = g;
        return 0;
}

void grant_release(Grant *g) {
        int r;

        if (g->authorized) /* a session that a wrong PAM configuration let in */
                (void) uid_kill_all(g->uid, uid_range_sender(g->manager->uids));
        r = keys_file_remove(g);
        if (r >= 0)
                r = manager_mask_remove(g);
        if (r >= 0)
                r = grant_record_remove(g);
        if (r < 0)
                log_error("Cannot remove what was reserved for %s, ignoring: %s", g->account, strerror(-r));
        uid_range_give_back(g->manager->uids, g->account, g->uid);
        grant_free(g);
}

/* ---- time ---- */

static uint64_t end_usec(const Grant *g) {
        return g->state == GRANT_ACTIVE ? g->deadline_usec - GRANT_TELL_USEC : g->deadline_usec;
}

static int on_grant_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Grant *g = userdata;
        const Role *role = grant_role(g);
        uint64_t now = now_usec(CLOCK_BOOTTIME);

        (void) s, (void) usec;
        if (now >= end_usec(g)) {
                if (g->state == GRANT_RESERVED)
                        grant_release(g);
                else
                        grant_revoke(g, "deadline", "the time of this grant is up", NULL);
                return 0;
        }
        if (g->state != GRANT_ACTIVE)
                return 0;
        if (role && role->idle_usec > 0 && idle_due_usec(g, role->idle_usec) <= now) {
                grant_revoke(g, "idle", "nobody has typed anything for too long", NULL);
                return 0;
        }
        terminal_warn_if_due(g, now);
        return grant_arm(g);
}

/* The next warning, deadline or look at idleness, whichever comes first. */
static uint64_t next_due_usec(Grant *g) {
        const Role *role = grant_role(g);
        uint64_t due = end_usec(g);

        if (g->state != GRANT_ACTIVE)
                return due;
        if (g->manager->config->warn_usec) {
                uint64_t before = g->manager->config->warn_usec[g->warned];
                if (before > 0 && before < g->deadline_usec && g->deadline_usec - before < due)
                        due = g->deadline_usec - before;
        }
        if (role && role->idle_usec > 0) {
                uint64_t idle = idle_due_usec(g, role->idle_usec);
                if (idle < due)
                        due = idle;
        }
        return due;
}

int grant_arm(Grant *g) {
        uint64_t due = next_due_usec(g);
        int r;

        if (!g->timer)
                return sd_event_add_time(g->manager->event, &g->timer, CLOCK_BOOTTIME, due, 1, on_grant_timer, g);
        r = sd_event_source_set_time(g->timer, due);
        return r < 0 ? r : sd_event_source_set_enabled(g->timer, SD_EVENT_ONESHOT);
}

int grant_extend(Grant *g, uint64_t deadline_usec) {
        int r;

        if (g->state != GRANT_RESERVED || g->deadline_usec >= deadline_usec)
                return 0;
        g->until_usec += deadline_usec - g->deadline_usec;
        g->deadline_usec = deadline_usec;
        r = grant_record_save(g);
        if (r >= 0)
                r = keys_file_make(g, g->until_usec);
        return r < 0 ? r : grant_arm(g);
}
