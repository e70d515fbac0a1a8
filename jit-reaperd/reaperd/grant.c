/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <search.h>
#include <sys/random.h>

#include "approver-link.h"
#include "artefact.h"
#include "grant-record.h"
#include "idle.h"
#include "json.h"
#include "log.h"
#include "process-kill.h"
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

int grant_update(Grant *g, Verdict *v) {
        if (strcasecmp(g->ticket, v->ticket) != 0 || !streq(g->requester, v->requester) ||
            (g->role && v->role && !streq(g->role, v->role)))
                return -ESTALE;
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
        *g = (Grant){.manager = m, .state = GRANT_RESERVED};
        (void) snprintf(g->account, sizeof(g->account), "%s", account);
        g->ticket = take_ptr(v->ticket);
        g->title = take_ptr(v->title);
        g->requester = take_ptr(v->requester);
        g->role = take_ptr(v->role);
        g->digest = take_ptr(v->digest);
        g->approvers = take_ptr(v->approvers);
        g->commands = take_ptr(v->commands);
        g->keys = take_ptr(v->keys);
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

/* ---- asked again ---- */

typedef struct Recheck {
        char account[ACCOUNT_NAME_MAX + 1], id[17];
} Recheck;

static void recheck_active(Grant *g, Verdict *v) {
        if (v->decision != DECISION_ALLOW)
                grant_revoke(g, v->reason, v->message, NULL);
        else if (grant_update(g, v) < 0)
                grant_revoke(g, "ticket-changed", "the ticket is not the one that was approved", NULL);
}

/* Somebody may be between the check of the key and the account phase: name and UID stay, key and verdict are the new ones. */
static void recheck_reserved(Grant *g, Verdict *v) {
        if (v->decision != DECISION_ALLOW)
                g->authorized = false;
        if (v->decision == DECISION_UNKNOWN || grant_update(g, v) < 0) {
                grant_release(g);
                return;
        }
        TAKE_STRV(g->keys, v->keys);
        if (grant_record_save(g) < 0 || keys_file_make(g, g->until_usec) < 0)
                grant_release(g);
}

/* An answer has made room for the next question. */
static void recheck_those_due(Manager *m) {
        for (Grant *g = m->grants; g && m->n_rechecks_due > 0; g = g->next)
                if (g->recheck_due) {
                        g->recheck_due = false;
                        m->n_rechecks_due--;
                        grant_recheck(g);
                        if (g->recheck_due)
                                break;
                }
}

static void on_recheck(Manager *m, Verdict *v, void *userdata) {
        /* The grant may have gone meanwhile, and another of its name have come. */
        _cleanup_free_ Recheck *asked = userdata;
        Grant *g = grant_by_account(m, asked->account);

        recheck_those_due(m);
        if (!g || !streq(g->id, asked->id))
                return;
        if (!v || verdict_is_no_answer(v))
                return; /* no answer is not a no: the deadline holds */
        if (g->state == GRANT_ACTIVE)
                recheck_active(g, v);
        else if (g->state == GRANT_RESERVED)
                recheck_reserved(g, v);
}

void grant_recheck(Grant *g) {
        static const EvaluateContext context = {.phase = "recheck"};
        Recheck *asked;
        int r;

        if (g->state != GRANT_RESERVED && g->state != GRANT_ACTIVE)
                return;
        asked = malloc(sizeof(*asked));
        if (!asked)
                return;
        memcpy(asked->account, g->account, sizeof(asked->account));
        memcpy(asked->id, g->id, sizeof(asked->id));
        r = approver_evaluate(g->manager, g->account, &context, on_recheck, asked);
        if (r >= 0)
                return;
        free(asked);
        if (r == -EBUSY && !g->recheck_due) {
                g->recheck_due = true;
                g->manager->n_rechecks_due++;
        } else if (r != -EBUSY)
                log_warning("Cannot ask about %s again, ignoring: its deadline holds", g->account);
}
