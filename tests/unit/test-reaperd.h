/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_REAPERD_H
#define JIT_TEST_REAPERD_H

/* jit-reaperd without systemd: a Manager in a private host (test-host.h), on a loop of its own, with an approver whose
 * word the test sets. */

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "approver-link.h"
#include "cleanup.h"
#include "grant-notice.h"
#include "grant-recheck.h"
#include "grant-record.h"
#include "grant.h"
#include "json.h"
#include "lookup.h"
#include "manager.h"
#include "paths.h"
#include "reaper-api.h"
#include "test-host.h"
#include "timefmt.h"
#include "uid-range.h"
#include "userdb.h"

#define TEST_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGgGcDQGiShFQLNjzKGEUi0f19HcEUY4Ae5z5i/GfYDs"
#define USERDB_SOCKET "/run/systemd/userdb/" USERDB_SERVICE

static char *test_groups[] = {(char *) "adm", NULL}, *test_commands[] = {(char *) "/usr/bin/id", NULL};
static Role test_role = {
                .name = (char *) "dba",
                .run_as = (char *) "root",
                .commands = test_commands,
                .groups = test_groups,
                .shell = (char *) "/bin/sh",
                .ttl_usec = 3600 * USEC_PER_SEC,
                .approvers = 1,
                .home_size_max = 1024 * 1024,
                .home_inodes_max = 100,
                .reactivate = true,
                .ways = ROLE_WAY_ACCOUNT,
                .end_with_caller = true,
};
static Role *test_roles[] = {&test_role, NULL};
static uint64_t test_warnings[] = {60 * USEC_PER_SEC, 0};
static Config test_config = {
                .reserve_usec = 60 * USEC_PER_SEC,
                .grants_max = 100,
                .approval_usec = 10 * USEC_PER_SEC,
                .warn_usec = test_warnings,
                .roles = test_roles,
};
static Manager *manager;

/* The approver: what it says of any account; NULL: nothing. The account is put in for %s. */
static const char *approver_says;
static unsigned approver_asked;
static VarlinkServer *approver;
static json_t *approver_context;      /* of the last question: {account, context} */
static VarlinkLink *approver_watcher; /* who is to hear of changes */
static unsigned approver_batches;     /* calls of Recheck */
static bool approver_hangs;           /* Recheck is not answered */
static char approver_notices[4096];   /* "KIND:GRANT:PROVIDER " for each, in order; the last event */
static json_t *approver_event;
static const char *approver_notice_error; /* what Notice answers; NULL: it is taken */
static VarlinkLink *approver_waiting[256];
static unsigned approver_n_waiting;

#define ALLOW                                                                                                          \
        "{\"decision\":\"allow\",\"reason\":\"approved\",\"message\":\"yes\",\"ticket\":\"CHG1\",\"title\":\"a "       \
        "title\","                                                                                                     \
        "\"requester\":\"alice\",\"role\":\"dba\",\"approvers\":[\"bob\"],\"notAfter\":4000000000000000,"              \
        "\"ttlUSec\":600000000,\"sshKeys\":[\"" TEST_KEY "\"],\"digest\":\"d1\"}"
#define REFUSE                                                                                                         \
        "{\"decision\":\"refuse\",\"reason\":\"ticket-closed\",\"message\":\"it was closed\",\"ticket\":\"CHG1\","     \
        "\"requester\":\"alice\",\"sshKeys\":[\"" TEST_KEY "\"]}"
#define UNKNOWN "{\"decision\":\"unknown\",\"reason\":\"ticket-unknown\",\"message\":\"no\"}"

static inline int vl_method_evaluate(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) more, (void) userdata;
        approver_asked++;
        json_decref(approver_context);
        approver_context = json_incref(parameters);
        if (approver_says)
                return varlink_reply(l, json_pack("{s:o}", "verdict", json_loads(approver_says, 0, NULL)));
        approver_waiting[approver_n_waiting++ % ELEMENTSOF(approver_waiting)] = varlink_link_ref(l);
        return 0;
}

static inline int vl_method_watch(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        varlink_link_unref(approver_watcher);
        approver_watcher = varlink_link_ref(l);
        return varlink_notify(l, json_pack("{s:s}", "ticket", "*"));
}

static inline json_t *recheck_answer(const json_t *question) {
        json_t *answer = json_deep_copy(question);

        (void) json_object_set_new(answer, "verdict", json_loads(approver_says, 0, NULL));
        return answer;
}

static inline int vl_method_recheck(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        const json_t *questions = json_object_get(parameters, "questions"), *question;
        size_t i, n = json_array_size(questions);

        (void) userdata;
        CHECK(more && n > 0 && n <= 256);
        approver_batches++;
        approver_asked += (unsigned) n;
        if (approver_hangs || !approver_says) {
                approver_waiting[approver_n_waiting++ % ELEMENTSOF(approver_waiting)] = varlink_link_ref(l);
                return 0;
        }
        json_array_foreach ((json_t *) questions, i, question)
                if (i + 1 < n)
                        (void) varlink_notify(l, recheck_answer(question));
        return varlink_reply(l, recheck_answer(json_array_get(questions, n - 1)));
}

static inline int vl_method_notice(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        size_t n = strlen(approver_notices);

        (void) more, (void) userdata;
        if (approver_notice_error)
                return varlink_error(l, approver_notice_error, json_pack("{s:s}", "message", "no"));
        (void) snprintf(approver_notices + n, sizeof(approver_notices) - n, "%s:%s:%s ",
                        json_string_value(json_object_get(parameters, "kind")),
                        json_string_value(json_object_get(parameters, "grant")),
                        json_string_value(json_object_get(parameters, "provider")));
        json_decref(approver_event);
        approver_event = json_incref(json_object_get(parameters, "event"));
        return varlink_reply(l, NULL);
}

/* Watch says that a ticket may have changed. */
static inline void approver_tell(const char *ticket) {
        if (approver_watcher)
                (void) varlink_notify(approver_watcher, json_pack("{s:s}", "ticket", ticket));
}

static const VarlinkMethod approver_methods[] = {{"Evaluate", vl_method_evaluate, 0},
                                                 {"Watch", vl_method_watch, 0},
                                                 {"Recheck", vl_method_recheck, 0},
                                                 {"Notice", vl_method_notice, 0},
                                                 {}};
static const VarlinkInterface approver_interface = {.name = "io.pamjit.Approver",
                                                    .description = "",
                                                    .methods = approver_methods},
                              *const approver_interfaces[] = {&approver_interface, NULL};

static inline void listen_at(VarlinkServer *s, const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, path, strlen(path) + 1);
        (void) unlink(path);
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 128) < 0)
                TEST_FAIL("%s: %s", path, strerror(errno));
        (void) chmod(path, 0666);
        CHECK_EQ_INT(varlink_server_listen(s, fd), 0);
}

static inline void approver_start(void) {
        const VarlinkLimits limits = {1024, 64, 64 * 1024, USEC_PER_HOUR};

        CHECK_EQ_INT(varlink_server_new(manager->event, approver_interfaces, &limits, NULL, &approver), 0);
        listen_at(approver, APPROVER_SOCKET);
}

static inline void approver_stop(void) {
        while (approver_n_waiting > 0)
                varlink_link_unref(approver_waiting[--approver_n_waiting]);
        approver_watcher = varlink_link_unref(approver_watcher);
        approver = varlink_server_free(approver);
        (void) unlink(APPROVER_SOCKET);
}

static inline void manager_open_folders(Manager *m) {
        Directories *d = &m->dirs;

        d->run = make_folder(AT_FDCWD, JIT_RUN);
        d->grants = make_folder(d->run, "grants");
        d->keys = make_folder(d->run, "keys");
        d->sudoers = make_folder(d->run, "sudoers.d");
        d->elevated = make_folder(d->run, "elevated");
        d->homes = make_folder(d->run, "home");
        (void) mkdir("/run/systemd", 0755);
        (void) mkdir("/run/systemd/userdb", 0755);
        d->units = make_folder(AT_FDCWD, "/run/systemd/system");
        d->state = make_folder(AT_FDCWD, JIT_STATE);
        d->used = make_folder(d->state, "used");
        d->live = make_folder(d->state, "live");
        d->notices = make_folder(d->state, "notices");
}

/* As manager_start() does it, without the buses, the signals and systemd's sockets. */
static inline bool manager_begin(const char *name) {
        static const VarlinkInterface *const api[] = {&reaper_interface, NULL}, *const userdb[] = {&userdb_interface,
                                                                                                   NULL};
        const VarlinkLimits limits = {1024, 16, 16 * 1024, 10 * USEC_PER_SEC};
        char why[256];

        if (!private_host(name))
                return false;
        CHECK_EQ_INT(manager_new(&manager), 0);
        manager->config = &test_config;
        manager_open_folders(manager);
        CHECK_EQ_INT(audit_open(manager->dirs.state, &manager->audit), 0);
        CHECK_EQ_INT(uid_range_open(manager->dirs.state, "/nonexistent", test_uid_base(), test_uid_base() + 0xfff,
                                    &manager->uids, why),
                     0);
        CHECK_EQ_INT(varlink_server_new(manager->event, api, &limits, manager, &manager->api), 0);
        CHECK_EQ_INT(varlink_server_new(manager->event, userdb, &limits, manager, &manager->userdb), 0);
        CHECK_EQ_INT(rechecks_new(manager, &manager->rechecks), 0);
        CHECK_EQ_INT(notices_new(manager, &manager->notices), 0);
        listen_at(manager->api, REAPER_SOCKET);
        listen_at(manager->userdb, USERDB_SOCKET);
        approver_start();
        approver_says = ALLOW;
        approver_asked = 0;
        CHECK_EQ_INT(approver_link_new(manager, &manager->approver), 0);
        return true;
}

/* As if it had been killed: the records stay. */
static inline void manager_crash(void) {
        approver_stop();
        json_decref(take_ptr(approver_context));
        manager->config = NULL; /* ours */
        manager = manager_free(manager);
}

static inline void pump(void) {
        for (unsigned i = 0; i < 300 && sd_event_run(manager->event, 1000) > 0; i++)
                ;
}

static inline void run_for(uint64_t usec) {
        uint64_t end = now_usec(CLOCK_BOOTTIME) + usec;

        while (now_usec(CLOCK_BOOTTIME) < end)
                (void) sd_event_run(manager->event, 5000);
}

/* Until all that is being removed is gone, 5 s at most. */
static inline void run_until_gone(void) {
        for (unsigned i = 0; i < 1000 && manager->n_grants > 0; i++)
                (void) sd_event_run(manager->event, 5000);
        CHECK_EQ_INT(manager->n_grants, 0);
}

static inline void manager_end(void) {
        while (manager->grants && manager->grants->state == GRANT_RESERVED)
                grant_release(manager->grants);
        manager_crash();
}

static inline Verdict verdict_of(const char *text) {
        _cleanup_json_ json_t *j = json_loads(text, 0, NULL);
        Verdict v = {};

        CHECK_EQ_INT(verdict_parse(j, &v), 0);
        return v;
}

static inline Grant *reserve(const char *account, const char *text) {
        _cleanup_verdict_ Verdict v = verdict_of(text);
        Grant *g = NULL;

        CHECK_EQ_INT(grant_reserve(manager, account, &v, &g), 0);
        return g;
}

/* The only record; free(). */
static inline char *record_path(const Grant *g) {
        char *name = NULL;

        CHECK(asprintf(&name, "%s.json", g->id) > 0);
        return name;
}

static inline bool is_empty(int dir_fd) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fdopendir(fd);
        unsigned n = 0;

        while (d && readdir(d))
                n++;
        (void) closedir(d);
        return n == 2;
}

/* Nothing of account is left in our folders, if it was the only one. */
static inline void check_nothing_left(const char *account) {
        CHECK(is_empty(manager->dirs.grants) && is_empty(manager->dirs.live));
        CHECK(!is_there(manager->dirs.keys, account));
        CHECK(!is_there(manager->dirs.sudoers, account));
        CHECK(!is_there(manager->dirs.homes, account));
        CHECK(grant_by_account(manager, account) == NULL);
}

#endif
