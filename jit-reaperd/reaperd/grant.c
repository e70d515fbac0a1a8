/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
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
#include "used-ticket.h"

const Role *grant_role(const Grant *g) {
        return g->role ? config_role(g->manager->config, g->role) : NULL;
}

uint64_t grant_since_boottime(const Grant *g) {
        uint64_t life = g->until_usec > g->since_usec ? g->until_usec - g->since_usec : 0;

        return g->deadline_usec > life ? g->deadline_usec - life : 0;
}

int grant_recording_check(const Grant *g) {
        const Role *role = grant_role(g);

        if (!role || role->record != ROLE_RECORD_TLOG)
                return 0;
        /* A person's own account has a shell of its own. */
        return g->way == WAY_ACCOUNT && access(TLOG_PROGRAM, X_OK) >= 0 ? 0 : -ENOPKG;
}

bool grant_is_authorized(const Grant *g) {
        return g->authorized && (g->state == GRANT_ACTIVE || (g->state == GRANT_RESERVED && now_usec(CLOCK_BOOTTIME) < g->authorized_usec));
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
        free(g->ticket); /* and the requester's name with it */
        free(g->title);
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

/* Also what has none, but a process: a su(1) that was stopped after it had looked an earlier account up. */
static bool uid_is_taken(uid_t uid, void *userdata) {
        return grant_by_uid(userdata, uid) != NULL || !uid_has_no_process(uid);
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
        g->allowed = v->decision == DECISION_ALLOW;
        TAKE(g->title, v->title);
        TAKE(g->digest, v->digest);
        TAKE_STRV(g->approvers, v->approvers);
        TAKE_STRV(g->commands, v->commands);
        if (!g->role)
                g->role = take_ptr(v->role);
        return 0;
}

/* One piece of memory, as neither changes any more. */
int grant_set_names(Grant *g, const char *ticket, const char *requester) {
        size_t n = strlen(ticket) + 1;
        char *names = malloc(n + strlen(requester) + 1);

        if (!names)
                return -ENOMEM;
        g->ticket = names;
        g->requester = names + n;
        memcpy(g->ticket, ticket, n);
        memcpy(g->requester, requester, strlen(requester) + 1);
        return 0;
}

static Grant *grant_new(Manager *m, const char *account, Way way, Verdict *v) {
        Grant *g = calloc(1, sizeof(*g));

        if (!g || random_id(g->id) < 0 || grant_set_names(g, v->ticket, v->requester) < 0) {
                free(g);
                return NULL;
        }
        g->manager = m;
        g->way = way;
        g->uid = g->person_uid = UID_NONE;
        (void) snprintf(g->account, sizeof(g->account), "%s", account);
        g->title = take_ptr(v->title);
        g->role = take_ptr(v->role);
        g->digest = take_ptr(v->digest);
        g->approvers = take_ptr(v->approvers);
        g->commands = take_ptr(v->commands);
        g->allowed = v->decision == DECISION_ALLOW;
        take_provider(g, v);
        return g;
}

/* RESERVED until then, CLOCK_BOOTTIME. */
static void set_deadline(Grant *g, uint64_t deadline_usec) {
        uint64_t now = now_usec(CLOCK_BOOTTIME);

        g->since_usec = now_usec(CLOCK_REALTIME);
        g->until_usec = g->since_usec + (deadline_usec > now ? deadline_usec - now : 0);
        g->deadline_usec = deadline_usec;
}

static bool has_way(const Grant *g, unsigned way) {
        const Role *role = grant_role(g);

        return role && (role->ways & way);
}

/* sudo reads the rule before it asks PAM, and acts on parts of it (sudoedit copies the file first): so none for what PAM will refuse anyway. */
static bool may_be_become(const Grant *g) {
        return g->allowed && has_way(g, ROLE_WAY_ACCOUNT) && (!used_ticket_is_marked(g) || grant_sibling(g));
}

/* What a RESERVED account is known by: to sshd its keys, to sudo that the requester may become it. */
static int make_reserved(const Grant *g) {
        int r = keys_file_make(g, g->until_usec);

        if (r < 0)
                return r;
        return may_be_become(g) ? sudoers_file_make(g) : sudoers_file_remove(g);
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
        g = grant_new(m, account, WAY_ACCOUNT, v);
        if (!g)
                return -ENOMEM;
        g->keys = take_ptr(v->keys);
        set_deadline(g, now_usec(CLOCK_BOOTTIME) + m->config->reserve_usec);
        r = uid_range_take(m->uids, account, uid_is_taken, m, &g->uid);
        if (r >= 0)
                r = grant_link(g);
        if (r < 0) {
                grant_free(g);
                return r;
        }
        r = grant_record_save(g);
        if (r >= 0)
                r = make_reserved(g);
        if (r >= 0 && g->allowed)
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

int grant_elevate(Manager *m, const char *account, uid_t person_uid, Verdict *v, uint64_t until_usec, uint64_t allowed_usec, Grant **ret) {
        Grant *g;
        int r;

        if (v->decision != DECISION_ALLOW || !verdict_is_for(v, account) || person_uid == 0 || person_uid == UID_NONE ||
            uid_range_contains(m->uids, person_uid))
                return -EINVAL;
        if (grant_by_person(m, person_uid))
                return -EEXIST;
        if (m->n_grants >= m->config->grants_max)
                return -ENOSPC;
        g = grant_new(m, account, WAY_ELEVATION, v);
        if (!g)
                return -ENOMEM;
        g->person_uid = person_uid;
        set_deadline(g, until_usec);
        g->authorized = true;
        g->authorized_usec = until_usec;
        g->allowed_usec = allowed_usec;
        r = grant_link(g);
        if (r >= 0)
                r = grant_arm(g);
        if (r < 0) {
                grant_free(g);
                return r;
        }
        *ret = g;
        return 0;
}

static void release_account(Grant *g) {
        int r;

        if (g->authorized || g->allowed) /* a session that a wrong PAM or sudo configuration let in */
                (void) uid_kill_all(g->uid, uid_range_sender(g->manager->uids));
        r = sudoers_file_remove(g);
        if (r >= 0)
                r = keys_file_remove(g);
        if (r >= 0)
                r = manager_mask_remove(g);
        if (r >= 0)
                r = grant_record_remove(g);
        if (r < 0)
                log_error("Cannot remove what was reserved for %s, ignoring: %s", g->account, strerror(-r));
        uid_range_give_back(g->manager->uids, g->account, g->uid);
}

void grant_release(Grant *g) {
        if (g->way == WAY_ACCOUNT)
                release_account(g);
        grant_free(g);
}

int grant_reserved_changed(Grant *g) {
        int r;

        if (g->way == WAY_ELEVATION) /* has neither */
                return 0;
        r = grant_record_save(g);
        return r < 0 ? r : make_reserved(g);
}

/* ---- time ---- */

static uint64_t end_usec(const Grant *g) {
        return g->state == GRANT_ACTIVE ? g->deadline_usec - GRANT_TELL_USEC : g->deadline_usec;
}

/* A person's own terminals say nothing about the elevation. */
static bool has_idle_limit(const Grant *g, const Role *role) {
        return g->way == WAY_ACCOUNT && role && role->idle_usec > 0;
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
        if (has_idle_limit(g, role) && idle_due_usec(g, role->idle_usec) <= now) {
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
        if (has_idle_limit(g, role)) {
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
        r = grant_reserved_changed(g);
        return r < 0 ? r : grant_arm(g);
}
