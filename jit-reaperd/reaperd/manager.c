/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <signal.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "account-end.h"
#include "approval-wait.h"
#include "approver-link.h"
#include "artefact.h"
#include "ask-limit.h"
#include "decision.h"
#include "grant-notice.h"
#include "grant-recheck.h"
#include "grant-record.h"
#include "json.h"
#include "log.h"
#include "logind.h"
#include "lookup.h"
#include "manager.h"
#include "paths.h"
#include "reap.h"
#include "reaper-api.h"
#include "role-check.h"
#include "session.h"
#include "timefmt.h"
#include "uid-range.h"
#include "used-ticket.h"
#include "userdb.h"

/* ---- directories ---- */

static int open_dir(int parent_fd, const char *name, mode_t mode, int *ret_fd) {
        struct stat st;

        if (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST)
                return -errno;
        _cleanup_close_ int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_uid != 0)
                return -EPERM;
        if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
                return -errno;
        *ret_fd = take_fd(&fd);
        return 0;
}

static int open_directories(Manager *m) {
        Directories *d = &m->dirs;
        _cleanup_close_ int state = -1;
        const struct {
                const char *name;
                mode_t mode;
                int *fd;
        } below_run[] = {
                {"grants", 0700, &d->grants}, {"keys", 0711, &d->keys}, {"sudoers.d", 0750, &d->sudoers},
                {"home", 0711, &d->homes}, {"elevated", 0711, &d->elevated},
        };
        int r;

        r = open_dir(AT_FDCWD, JIT_RUN, 0755, &d->run);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(below_run); i++)
                r = open_dir(d->run, below_run[i].name, below_run[i].mode, below_run[i].fd);
        if (r >= 0)
                r = open_dir(AT_FDCWD, "/run/systemd/system", 0755, &d->units);
        if (r >= 0)
                r = open_dir(AT_FDCWD, JIT_STATE, 0755, &state);
        if (r >= 0)
                r = open_dir(state, "used", 0700, &d->used);
        if (r >= 0)
                r = open_dir(state, "live", 0700, &d->live);
        if (r >= 0)
                r = open_dir(state, "notices", 0700, &d->notices);
        if (r >= 0)
                r = audit_open(state, &m->audit);
        if (r >= 0)
                d->state = take_fd(&state);
        return r;
}

/* ---- configuration ---- */

static void audit_config_error(Manager *m) {
        json_t *event = json_pack("{s:s,s:s}", "event", "config.refused", "why", m->config_error);

        log_error("The configuration is refused whole, %s: %s", m->config ? "the last good one stays" : "nothing is granted",
                  m->config_error);
        if (audit_write(m->audit, event, false) < 0)
                log_warning("Cannot write the audit line of a refused configuration, ignoring");
}

static void set_config_error(Manager *m, const char *why) {
        free(m->config_error);
        m->config_error = why ? strdup(why) : NULL;
        /* It quotes files: what is not ASCII might not be UTF-8 either, or be cut in the middle. */
        for (unsigned char *p = (unsigned char *) m->config_error; p && *p; p++)
                if (*p < 0x20 || *p >= 0x7f)
                        *p = '?';
        if (why)
                audit_config_error(m);
}

/* An index into a list that may be shorter now. */
static void clamp_warned(Grant *g) {
        const uint64_t *warn = g->manager->config->warn_usec;
        uint8_t n = 0;

        while (warn && n < g->warned && warn[n] > 0)
                n++;
        g->warned = n;
}

static void on_roles_checked(Manager *m, Config *config, const char *why) {
        if (why) {
                config_free(config);
                set_config_error(m, why);
                return;
        }
        set_config_error(m, NULL);
        config_free(m->config);
        m->config = config;
        lookup_forget_misses(m);
        log_info("The configuration is in force");
        for (Grant *g = m->grants, *next; g; g = next) {
                next = g->next;
                clamp_warned(g);
                grant_recheck(g);
        }
}

int manager_reload(Manager *m) {
        char why[CONFIG_WHY_MAX];
        Config *config = NULL;
        int r;

        r = config_load("", &config, why);
        if (r < 0) {
                set_config_error(m, r == -EBADMSG ? why : strerror(-r));
                return r;
        }
        return role_check_start(m, config, on_roles_checked);
}

static void on_first_roles_checked(Manager *m, Config *config, const char *why) {
        if (why) {
                set_config_error(m, why);
                config_free(config);
        } else
                m->config = config;
}

/* At the start a wrong configuration leaves the defaults and no role: names are answered, nothing is granted. Nobody is served yet, so the loop
 * may run for visudo alone. */
static int load_first_config(Manager *m) {
        char why[CONFIG_WHY_MAX];
        Config *config = NULL;
        int r;

        r = config_load("", &config, why);
        if (r < 0)
                set_config_error(m, r == -EBADMSG ? why : strerror(-r));
        else
                (void) role_check_start(m, config, on_first_roles_checked);
        while (!m->config && !m->config_error) {
                r = sd_event_run(m->event, UINT64_MAX);
                if (r < 0)
                        return r;
        }
        return m->config ? 0 : config_load("/nonexistent", &m->config, why);
}

static int open_uids(Manager *m) {
        char why[256];
        int r = uid_range_open(m->dirs.state, "", m->config->uid_min, m->config->uid_max, &m->uids, why);

        if (r == -EADDRINUSE)
                log_error("%s; choose another UIDRange= in %s/jit.conf", why, JIT_ETC);
        return r;
}

/* ---- signals ---- */

static int on_hangup(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata) {
        (void) s, (void) info;
        (void) sd_notify(0, "RELOADING=1");
        (void) manager_reload(userdata);
        (void) sd_notify(0, "READY=1");
        return 0;
}

static int add_signals(Manager *m) {
        sigset_t set;
        int r;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGINT);
        (void) sigaddset(&set, SIGHUP);
        (void) sigaddset(&set, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        r = sd_event_add_signal(m->event, NULL, SIGTERM, NULL, NULL); /* NULL: ends the loop */
        if (r >= 0)
                r = sd_event_add_signal(m->event, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(m->event, NULL, SIGHUP, on_hangup, m);
        return r;
}

/* ---- watchdog ---- */

/* sd_event_set_watchdog(3) would wake us up to four times a minute for the same promptness; the unit has WatchdogSec=40. */
#define WATCHDOG_USEC (30 * USEC_PER_SEC)

static int on_watchdog(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) usec, (void) userdata;
        (void) sd_notify(0, "WATCHDOG=1");
        (void) sd_event_source_set_time_relative(s, WATCHDOG_USEC);
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int add_watchdog(Manager *m) {
        return sd_event_add_time_relative(m->event, &m->watchdog, CLOCK_MONOTONIC, WATCHDOG_USEC, USEC_PER_SEC, on_watchdog, m);
}

/* ---- sockets ---- */

static int make_servers(Manager *m) {
        static const VarlinkInterface *const api[] = {&reaper_interface, NULL}, *const userdb[] = {&userdb_interface, NULL};
        /* A held connection a session; look-ups by every process of the host. */
        const VarlinkLimits api_limits = {65536, 16, 16 * 1024, 10 * USEC_PER_SEC};
        const VarlinkLimits userdb_limits = {8192, 256, 16 * 1024, 10 * USEC_PER_SEC};
        int r;

        r = varlink_server_new(m->event, api, &api_limits, m, &m->api);
        return r < 0 ? r : varlink_server_new(m->event, userdb, &userdb_limits, m, &m->userdb);
}

static int take_sockets(Manager *m) {
        int n = sd_listen_fds(1), r;

        if (n <= 0) {
                log_error("No sockets: jit-reaperd is started by jit-reaperd.socket");
                return n < 0 ? n : -ENOTCONN;
        }
        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
                bool is_userdb = sd_is_socket_unix(fd, SOCK_STREAM, 1, "/run/systemd/userdb/" USERDB_SERVICE, 0) > 0;

                r = varlink_server_listen(is_userdb ? m->userdb : m->api, fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- state ---- */

/* What a grant of a record needs to go on: its sessions' witnesses, its timer; or its end. */
static void resume(Grant *g) {
        bool alive;

        if (g->state == GRANT_REVOKING || g->state == GRANT_FORGOTTEN) {
                (void) session_resume_all(g); /* for their processes that are in no slice yet */
                reap_start(g, NULL);
                return;
        }
        /* Before the sessions: one that is over takes both away again. */
        if (g->state == GRANT_ACTIVE && g->has_rule && elevated_marker_make(g) < 0)
                log_warning("Cannot make the marker of %s, ignoring: it should be there", grant_user(g));
        alive = session_resume_all(g);
        if (g->state == GRANT_ACTIVE && !alive) /* what PID 1 killed at the deadline had no other end */
                grant_revoke(g, now_usec(CLOCK_BOOTTIME) >= g->deadline_usec ? "deadline" : "session-ended", NULL, NULL);
        else if (grant_arm(g) < 0)
                grant_revoke(g, "internal", NULL, NULL);
        else if (g->state == GRANT_ACTIVE) {
                grant_recheck_begin(g);
                grant_notice_start(g);
        }
}

static void audit_start(Manager *m) {
        json_t *event = json_pack("{s:s,s:s,s:I}", "event", "daemon.start", "version", JIT_VERSION, "grants", (json_int_t) m->n_grants);

        if (audit_trouble(m->audit))
                (void) json_set_str(event, "trouble", audit_trouble(m->audit));
        if (audit_write(m->audit, event, true) < 0)
                log_error("Cannot write to %s: nothing is granted until that works", AUDIT_FILE);
}

int manager_new(Manager **ret) {
        Manager *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return -ENOMEM;
        m->dirs = (Directories){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
        r = sd_event_default(&m->event);
        if (r < 0) {
                manager_free(m);
                return r;
        }
        *ret = m;
        return 0;
}

int manager_start(Manager *m) {
        int r;

        r = add_signals(m);
        if (r >= 0)
                r = add_watchdog(m);
        if (r >= 0)
                r = open_directories(m);
        if (r >= 0)
                r = load_first_config(m);
        if (r >= 0)
                r = open_uids(m);
        if (r >= 0)
                r = make_servers(m);
        if (r >= 0)
                r = logind_link_new(m, &m->logind);
        if (r >= 0)
                r = rechecks_new(m, &m->rechecks);
        if (r >= 0)
                r = notices_new(m, &m->notices);
        if (r >= 0)
                r = grant_record_load_all(m, resume);
        if (r >= 0)
                r = grant_record_load_lost(m);
        if (r < 0)
                return r;
        reap_orphans(m);
        used_ticket_clean(m);
        audit_start(m);
        r = approver_link_new(m, &m->approver);
        return r < 0 ? r : take_sockets(m);
}

int manager_loop(Manager *m) {
        (void) sd_notify(0, "READY=1");
        return sd_event_loop(m->event);
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        lookup_free_all(m);
        approval_wait_free_all(m);
        decisions_free(m);
        ask_limits_free(m);
        m->rechecks = rechecks_free(m->rechecks);
        m->approver = approver_link_free(m->approver);
        while (m->grants)
                grant_free(m->grants); /* the records stay: the next start reads them */
        account_ends_free(m);
        m->notices = notices_free(m->notices);
        varlink_server_free(m->api);
        varlink_server_free(m->userdb);
        logind_link_free(m->logind);
        uid_range_keep(m->uids);
        uid_range_free(m->uids);
        audit_free(m->audit);
        config_free(m->config);
        free(m->config_error);
        strv_free(m->provider_names);
        for (size_t i = 0; i < sizeof(m->dirs) / sizeof(int); i++) {
                int fd = ((int *) &m->dirs)[i];
                if (fd >= 0)
                        (void) close(fd);
        }
        sd_event_source_disable_unref(m->watchdog);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}
