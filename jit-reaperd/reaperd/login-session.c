/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include "grant-record.h"
#include "json.h"
#include "log.h"
#include "login-session.h"
#include "logind.h"
#include "pam-service.h"
#include "process-watch.h"
#include "session.h"
#include "strv.h"
#include "timefmt.h"

#define ASKING_USEC (5 * USEC_PER_SEC)

struct LoginSession {
        Session *session;
        LoginSession *next, **prev; /* Manager.login_sessions, while it is watched */
        char *id;
        char **over; /* those before it: logind may list them yet */
        uid_t uid;
        bool any;
        pid_t leader; /* 0: not known */
        uint64_t leader_start;
        sd_event_source *pidfd; /* the leader's; NULL: logind's word is waited for */
        sd_bus_slot *asking;
};

static Manager *manager_of(const LoginSession *l) {
        return l->session->grant->manager;
}

const char *login_session_id(const LoginSession *l) {
        return l->id;
}

bool login_session_is(const LoginSession *l, const char *id) {
        return l->any || (id && streq(l->id, id));
}

static void unwatch(LoginSession *l) {
        l->asking = sd_bus_slot_unref(l->asking);
        l->pidfd = sd_event_source_disable_unref(l->pidfd);
        l->leader = 0;
        if (l->prev) {
                *l->prev = l->next;
                if (l->next)
                        l->next->prev = l->prev;
                l->prev = NULL;
        }
}

LoginSession *login_session_free(LoginSession *l) {
        if (!l)
                return NULL;
        unwatch(l);
        strv_free(l->over);
        free(l->id);
        free(l);
        return NULL;
}

/* ---- which one ---- */

/* logind's files below /run/systemd/sessions: sd-login(3) asks nobody. */
static bool is_open(const char *id, uid_t uid) {
        _cleanup_free_ char *state = NULL;
        uid_t owner;

        return sd_session_get_uid(id, &owner) >= 0 && owner == uid && sd_session_get_state(id, &state) >= 0 && !streq(state, "closing");
}

/* "user", "user-early", ...: not user managers (systemd 256 and later), cron and greeters. Nor what su(1) has made of somebody else. */
static bool is_persons(const char *id) {
        _cleanup_free_ char *class = NULL, *service = NULL;

        return sd_session_get_class(id, &class) >= 0 && strncmp(class, "user", 4) == 0 &&
               (sd_session_get_service(id, &service) < 0 || !pam_service_elevates(service));
}

static char *pick(const LoginSession *l) {
        char **sessions = NULL, *found = NULL;

        if (sd_uid_get_sessions(l->uid, 0, &sessions) < 0)
                return NULL;
        for (char **s = sessions; s && *s && !found; s++)
                if (is_open(*s, l->uid) && is_persons(*s) && !strv_contains(l->over, *s))
                        found = strdup(*s);
        strv_free(sessions);
        return found;
}

/* ---- its end ---- */

static int follow(LoginSession *l, char *id);

static bool follow_another(LoginSession *l) {
        char *id;

        if (!l->any || strv_extend(&l->over, l->id) < 0)
                return false;
        id = pick(l);
        return id && follow(l, id) >= 0;
}

/* l may be gone after it. */
static void ended(LoginSession *l) {
        unwatch(l);
        if (!follow_another(l))
                session_kill(l->session);
}

static int on_leader_gone(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) source, (void) fd, (void) revents;
        ended(userdata);
        return 0;
}

/* -ESRCH: it is gone. start: 0: not known yet. */
static int watch_leader(LoginSession *l, pid_t pid, uint64_t start) {
        int r = process_watch(manager_of(l)->event, pid, &start, on_leader_gone, l, &l->pidfd);

        if (r < 0)
                return r;
        l->leader = pid;
        l->leader_start = start;
        return 0;
}

/* ---- its leader ---- */

static int on_leader(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        LoginSession *l = userdata;
        _cleanup_free_ char *of_leader = NULL;
        uint32_t pid = 0;
        uid_t uid;
        int r;

        (void) error;
        l->asking = sd_bus_slot_unref(l->asking);
        if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "v", "u", &pid) < 0 || pid == 0) {
                if (sd_session_get_uid(l->id, &uid) < 0)
                        ended(l);
                return 0;
        }
        r = watch_leader(l, (pid_t) pid, 0);
        if (r == -ESRCH) {
                ended(l);
                return 0;
        }
        /* Not in its own session: its number has come again, or somebody has moved it. */
        if (r >= 0 && (sd_pid_get_session((pid_t) pid, &of_leader) < 0 || !streq(of_leader, l->id))) {
                l->pidfd = sd_event_source_disable_unref(l->pidfd);
                l->leader = 0;
                return 0;
        }
        if (r >= 0 && l->session->grant->state == GRANT_ACTIVE && l->session->from == l)
                r = grant_record_save(l->session->grant);
        if (r < 0)
                log_warning("Cannot watch the leader of session %s, ignoring: logind tells of its end: %s", l->id, strerror(-r));
        return 0;
}

static void ask_for_leader(LoginSession *l) {
        int r = logind_bus_get(manager_of(l), &l->asking, "org.freedesktop.login1", "/org/freedesktop/login1/session", l->id,
                               "org.freedesktop.login1.Session", "Leader", on_leader, l, ASKING_USEC);

        if (r < 0 && r != -ENOTCONN) /* asked when the bus is back: login_session_reconcile() */
                log_warning("Cannot ask logind for the leader of session %s, ignoring: it tells of its end: %s", l->id, strerror(-r));
}

/* ---- watching ---- */

static void into_list(LoginSession *l) {
        Manager *m = manager_of(l);

        l->next = m->login_sessions;
        l->prev = &m->login_sessions;
        if (l->next)
                l->next->prev = &l->next;
        m->login_sessions = l;
}

/* Another that watches the same one may know: one sudo after the other. */
static const LoginSession *find_leader(const LoginSession *l) {
        for (const LoginSession *i = manager_of(l)->login_sessions; i; i = i->next)
                if (i->leader > 0 && streq(i->id, l->id))
                        return i;
        return NULL;
}

/* id: taken over. */
static int follow(LoginSession *l, char *id) {
        const LoginSession *known;

        if (!id)
                return -ENOMEM;
        free(l->id);
        l->id = id;
        known = find_leader(l);
        into_list(l);
        if (!known || watch_leader(l, known->leader, known->leader_start) < 0)
                ask_for_leader(l);
        return 0;
}

static LoginSession *login_session_new(Session *s, uid_t uid, bool any) {
        LoginSession *l = calloc(1, sizeof(*l));

        if (l) {
                l->session = s;
                l->uid = uid;
                l->any = any;
        }
        return l;
}

int login_session_watch(Session *s, uid_t uid, const char *id, bool any, LoginSession **ret) {
        LoginSession *l;
        char *first;
        int r;

        if (id && !is_open(id, uid))
                return -ENXIO;
        l = login_session_new(s, uid, any);
        if (!l)
                return -ENOMEM;
        first = id ? strdup(id) : pick(l);
        r = first ? follow(l, first) : id ? -ENOMEM : -ENXIO;
        if (r < 0) {
                login_session_free(l);
                return r;
        }
        *ret = l;
        return 0;
}

void login_session_removed(Manager *m, const char *id) {
        for (LoginSession *l = m->login_sessions; l;)
                if (l->id && streq(l->id, id)) {
                        ended(l); /* it follows another one then, or is in the list no more */
                        l = m->login_sessions;
                } else
                        l = l->next;
}

void login_session_reconcile(Manager *m) {
        uid_t uid;

        for (LoginSession *l = m->login_sessions; l;)
                if (!l->pidfd && sd_session_get_uid(l->id, &uid) < 0) {
                        ended(l);
                        l = m->login_sessions;
                } else {
                        if (!l->pidfd && !l->asking)
                                ask_for_leader(l);
                        l = l->next;
                }
}

/* ---- the record ---- */

json_t *login_session_to_json(const LoginSession *l) {
        json_t *j = json_object();

        if (json_set_str(j, "id", l->id) < 0 || json_set_uint(j, "uid", l->uid) < 0 || json_set_opt(j, "any", json_boolean(l->any)) < 0 ||
            (l->leader > 0 && (json_set_uint(j, "leader", (uint64_t) l->leader) < 0 || json_set_uint(j, "leaderStart", l->leader_start) < 0))) {
                json_decref(j);
                return NULL;
        }
        return j;
}

typedef struct Fields {
        char *id;
        uint64_t uid, leader, leader_start;
        bool any;
} Fields;

static int take_up(LoginSession *l, const Fields *f) {
        uid_t uid;
        int r;

        l->id = strdup(f->id);
        if (!l->id)
                return -ENOMEM;
        if (f->leader > 0)
                r = watch_leader(l, (pid_t) f->leader, f->leader_start);
        else
                r = sd_session_get_uid(l->id, &uid) >= 0 && uid == l->uid ? 0 : -ESRCH;
        if (r == -ESRCH)
                return follow_another(l) ? 0 : -ENXIO;
        if (r < 0)
                return r;
        into_list(l);
        if (f->leader == 0)
                ask_for_leader(l);
        return 0;
}

int login_session_resume(Session *s, json_t *object, LoginSession **ret) {
        static const JsonField table[] = {
                {"id", JSON_FIELD_STRING, offsetof(Fields, id), 255, JSON_REQUIRED},
                {"uid", JSON_FIELD_UINT, offsetof(Fields, uid), UINT32_MAX - 1, JSON_REQUIRED},
                {"leader", JSON_FIELD_UINT, offsetof(Fields, leader), INT32_MAX, 0},
                {"leaderStart", JSON_FIELD_UINT, offsetof(Fields, leader_start), INT64_MAX, 0},
                {"any", JSON_FIELD_BOOL, offsetof(Fields, any), 0, 0},
                {},
        };
        LoginSession *l = NULL;
        Fields f = {};
        int r = json_dispatch(object, table, &f, NULL);

        if (r >= 0) {
                l = login_session_new(s, (uid_t) f.uid, f.any);
                r = l ? take_up(l, &f) : -ENOMEM;
        }
        free(f.id);
        if (r < 0) {
                login_session_free(l);
                return r;
        }
        *ret = l;
        return 0;
}
