/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TEST_PERSON_H
#define JIT_TEST_PERSON_H

/* People for jit-reaperd's API: processes with a login UID and a real UID of their own, which call what they are told to. PID 1's scopes and logind's
 * sessions are played, and cgroups: scopes are there at once (or not at all: scope_result), and everybody is logged in (or nobody: logged_in). */

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "cgroup-path.h"
#include "login-session.h"
#include "scope.h"
#include "session.h"
#include "sudo-options.h"
#include "test-reaperd.h"

enum { UID_ALICE = TEST_UID_MIN + 1, UID_ALICEX, UID_BOB, NO_LOGIN = -1 };

/* ---- what PID 1 and logind do ---- */

struct Scope {
        Session *session;
        scope_started_t started;
        void *userdata;
        sd_event_source *source;
};
static int scope_result;
static bool scope_hangs;
static unsigned n_scopes; /* asked for */

static void scope_tell(Scope *c, int r) {
        c->started(c->session, r, take_ptr(c->userdata));
}

static int on_scope_due(sd_event_source *source, void *userdata) {
        (void) source;
        scope_tell(userdata, scope_result);
        return 0;
}

void *scope_starting(const Scope *c) {
        return c->userdata;
}

void scope_give_up(Scope *c, int r) {
        scope_tell(c, r);
}

int scope_start(Session *s, scope_started_t started, void *userdata, Scope **ret) {
        Scope *c = calloc(1, sizeof(*c));

        n_scopes++;
        *c = (Scope){.session = s, .started = started, .userdata = userdata};
        if (!scope_hangs)
                CHECK_EQ_INT(sd_event_add_defer(manager->event, &c->source, on_scope_due, c), 0);
        *ret = c;
        return 0;
}

int scope_resume(Session *s, Scope **ret) {
        (void) s, (void) ret;
        return -ESRCH;
}

static int on_scope_empty(sd_event_source *source, void *userdata) {
        (void) source;
        session_end(((Scope *) userdata)->session);
        return 0;
}

int scope_kill(Scope *c) {
        sd_event_source_disable_unref(c->source);
        c->source = NULL;
        return sd_event_add_defer(manager->event, &c->source, on_scope_empty, c);
}

const char *scope_unit(const Session *s, char ret[static SCOPE_UNIT_SIZE]) {
        (void) snprintf(ret, SCOPE_UNIT_SIZE, "jit-%s-%d.scope", s->grant->id, s->pid);
        return ret;
}

Scope *scope_free(Scope *c) {
        if (c)
                sd_event_source_disable_unref(c->source);
        free(c);
        return NULL;
}

/* In nobody's slice, but for one process. */
static pid_t inside_pid;
static CgroupPlace inside_place;

int cgroup_place_of(pid_t pid, CgroupPlace *ret) {
        *ret = (CgroupPlace){.slice = "-.slice", .owner = UID_NONE};
        if (pid == inside_pid)
                *ret = inside_place;
        return 0;
}

char *cgroup_place_session(const CgroupPlace *place) {
        (void) place;
        return NULL;
}

int cgroup_path_parse(const char *path, CgroupPlace *ret) {
        (void) path, (void) ret;
        return -EINVAL;
}

/* What sudo was called with: these are no sudo. */
static SudoUse sudo_use;

SudoUse sudo_use_of(pid_t pid) {
        (void) pid;
        return sudo_use;
}

SudoUse sudo_use_parse(const char *words, size_t length) {
        (void) words, (void) length;
        return sudo_use;
}

struct LoginSession {
        Session *session;
};
static bool logged_in = true;

int login_session_watch(Session *s, uid_t uid, const char *id, bool any, LoginSession **ret) {
        (void) uid, (void) id, (void) any;
        if (!logged_in)
                return -ENXIO;
        *ret = calloc(1, sizeof(**ret));
        (*ret)->session = s;
        return 0;
}

json_t *login_session_to_json(const LoginSession *l) {
        (void) l;
        return json_pack("{s:s}", "id", "1");
}

int login_session_resume(Session *s, json_t *object, LoginSession **ret) {
        (void) s, (void) object, (void) ret;
        return -ENXIO;
}

const char *login_session_id(const LoginSession *l) {
        (void) l;
        return "1";
}

bool login_session_is(const LoginSession *l, const char *id) {
        (void) l;
        return streq(id, "1");
}

LoginSession *login_session_free(LoginSession *l) {
        free(l);
        return NULL;
}

void login_session_removed(Manager *m, const char *id) {
        (void) m, (void) id;
}

void login_session_reconcile(Manager *m) {
        (void) m;
}

/* ---- a person's process ---- */

typedef struct Person {
        pid_t pid;
        int fd;
        uid_t real_uid;
} Person;

static inline void person_answers(int fd, const char *line) {
        uint64_t deadline = now_usec(CLOCK_BOOTTIME) + 30 * USEC_PER_SEC;
        const char *method = line + 1;
        char *name = NULL, *text, *rest = strchr(line, ' ');
        json_t *parameters = json_loads(rest + 1, 0, NULL), *answer = NULL;
        bool continues = false;
        VarlinkPeer *peer = NULL; /* stays open: a session is held by it */
        int said = 0, r;

        *rest = 0;
        r = varlink_dial(REAPER_SOCKET, deadline, &peer);
        if (r >= 0 && *line == '+')
                r = varlink_call_more(peer, method, parameters, &answer, &name, &continues);
        else if (r >= 0)
                r = varlink_call(peer, method, parameters, &answer, &name);
        for (; r >= 0 && continues; said++) {
                json_decref(answer);
                r = varlink_next(peer, &answer, &name, &continues);
        }
        if (!answer)
                answer = json_object();
        (void) json_object_set_new(answer, "error", json_string(name ?: r < 0 ? strerror(-r) : ""));
        if (name)
                (void) json_object_set_new(answer, "error", json_string(name));
        (void) json_object_set_new(answer, "said", json_integer(said));
        text = json_dumps(answer, JSON_COMPACT);
        (void) !write(fd, text, strlen(text) + 1);
        free(text);
        free(name);
        json_decref(answer);
}

/* login_uid NO_LOGIN: a service. PAM's callers are set-user-ID programs: effective UID 0. */
static inline Person person_start(int login_uid, uid_t real_uid, uid_t effective_uid) {
        Person p = {.real_uid = real_uid};
        int fds[2];

        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) >= 0);
        p.pid = fork();
        if (p.pid == 0) {
                char line[4096];
                ssize_t n;

                (void) close(fds[0]);
                if (login_uid != NO_LOGIN) {
                        int fd = open("/proc/self/loginuid", O_WRONLY);
                        if (fd < 0 || dprintf(fd, "%d", login_uid) < 0)
                                _exit(1);
                        (void) close(fd);
                }
                if (setresuid(real_uid, effective_uid, effective_uid) < 0)
                        _exit(1);
                while ((n = read(fds[1], line, sizeof(line) - 1)) > 0) {
                        line[n] = 0;
                        person_answers(fds[1], line);
                }
                _exit(0);
        }
        (void) close(fds[1]);
        p.fd = fds[0];
        return p;
}

static inline void person_end(Person *p) {
        (void) close(p->fd);
        (void) kill(p->pid, SIGKILL);
        (void) waitpid(p->pid, NULL, 0);
}

static inline void person_asks(const Person *p, bool more, const char *method, json_t *parameters) {
        char *text = json_dumps(parameters, JSON_COMPACT), *line = NULL;

        CHECK(asprintf(&line, "%cio.pamjit.Reaper.%s %s", more ? '+' : '-', method, text) > 0);
        CHECK(write(p->fd, line, strlen(line)) > 0);
        free(line);
        free(text);
        json_decref(parameters);
}

/* With "error", a name or "", and "said", how many answers there were before. */
static inline json_t *person_hears(const Person *p) {
        struct pollfd fd = {.fd = p->fd, .events = POLLIN};
        static char text[64 * 1024];
        ssize_t n;

        uint64_t end = now_usec(CLOCK_BOOTTIME) + 20 * USEC_PER_SEC;
        while (poll(&fd, 1, 0) == 0 && now_usec(CLOCK_BOOTTIME) < end)
                (void) sd_event_run(manager->event, 5000);
        n = fd.revents ? read(p->fd, text, sizeof(text)) : -1;
        if (n <= 0) {
                TEST_FAIL("no answer");
                return json_object();
        }
        return json_loads(text, 0, NULL);
}

static inline json_t *person_calls(const Person *p, const char *method, json_t *parameters) {
        person_asks(p, false, method, parameters);
        return person_hears(p);
}

static inline const char *text_in(const json_t *j, const char *name) {
        return json_string_value(json_object_get(j, name)) ?: "";
}

/* The answer is a yes, or a no for this reason; frees j. */
static inline void check_answer(json_t *j, bool allow, const char *reason) {
        const char *error = text_in(j, "error");

        if ((bool) json_is_true(json_object_get(j, "allow")) != allow || !streq(text_in(j, "reason"), reason) || *error)
                TEST_FAIL("%s %s: %s (expected %s)", json_is_true(json_object_get(j, "allow")) ? "yes" : "no", text_in(j, "reason"), error,
                          reason);
        if (!allow)
                CHECK(*text_in(j, "message"));
        json_decref(j);
}

/* error: without the interface's name. */
static inline void check_error(json_t *j, const char *error, const char *reason) {
        const char *name = text_in(j, "error");

        if (strncmp(name, REAPER, strlen(REAPER)) != 0 || !streq(name + strlen(REAPER), error) || !streq(text_in(j, "reason"), reason))
                TEST_FAIL("%s %s (expected %s %s)", name, text_in(j, "reason"), error, reason);
        CHECK(*text_in(j, "message"));
        json_decref(j);
}

static inline json_t *pam_call(const char *account, const char *service, const char *tty) {
        return json_pack("{s:s,s:s,s:s*,s:s}", "account", account, "service", service, "tty", tty, "ruser", "root");
}

/* sudo's session phase where sudoers was enough; in the very process that had the account phase. */
static inline json_t *open_by_rule(const Person *p, const char *target) {
        return person_calls(p, "OpenElevation",
                            json_pack("{s:s,s:s,s:s,s:b,s:I,s:I}", "account", target, "service", "sudo", "tty", "pts/0", "gate", 0, "started",
                                      (json_int_t) INT64_MAX, "uid", (json_int_t) p->real_uid));
}

static inline json_t *pam_call_with(const char *account, const char *service, const char *tty, const char *name, json_t *value) {
        json_t *j = pam_call(account, service, tty);

        (void) json_object_set_new(j, name, value);
        return j;
}

/* ---- the host ---- */

static inline bool have_login_uids(void) {
        pid_t pid = fork();
        int status = 1;

        if (pid == 0) {
                int fd = open("/proc/self/loginuid", O_WRONLY);
                _exit(fd < 0 || dprintf(fd, "%d", UID_ALICE) < 0);
        }
        (void) waitpid(pid, &status, 0);
        return status == 0;
}

/* A private /etc/passwd with our people, and a sudo that asks pam_jit. */
static inline bool people_begin(const char *name) {
        static bool mounted;
        char text[400];

        if (!without_valgrind(name) || !private_host(name))
                return false;
        if (!have_login_uids()) {
                printf("skip %s (the kernel keeps no login UIDs, or lets nobody set one)\n", name);
                return false;
        }
        if (!mounted) {
                (void) snprintf(text, sizeof(text), "root:x:0:0::/root:/bin/sh\nalice:x:%d:1::/:/bin/sh\nalicex:x:%d:1::/:/bin/sh\nbob:x:%d:1::/:/bin/sh\n",
                                UID_ALICE, UID_ALICEX, UID_BOB);
                put_file(AT_FDCWD, "/tmp/passwd", text);
                CHECK(mount("/tmp/passwd", "/etc/passwd", NULL, MS_BIND, NULL) >= 0);
                (void) mkdir("/etc/pam.d", 0755);
                CHECK(private_tmpfs("/etc/pam.d"));
                put_file(AT_FDCWD, "/etc/pam.d/sudo", "session required pam_jit.so\n");
                put_file(AT_FDCWD, "/etc/pam.d/sudo-i", "session required pam_jit.so\n");
                mounted = true;
        }
        if (!manager_begin(name))
                return false;
        pump(); /* Watch is there, and asks about nothing any more */
        approver_asked = 0;
        scope_result = 0;
        scope_hangs = false;
        inside_pid = 0;
        sudo_use = SUDO_USE_PLAIN;
        logged_in = true;
        n_scopes = 0;
        test_role.ways = ROLE_WAY_ACCOUNT | ROLE_WAY_ELEVATE | ROLE_WAY_GATE;
        test_role.workloads = false;
        test_role.reactivate = true;
        test_role.run_as = (char *) "root";
        return true;
}

static inline void people_end(void) {
        for (Grant *g = manager->grants, *next; g; g = next) {
                next = g->next;
                if (g->state == GRANT_RESERVED)
                        grant_release(g);
                else
                        grant_revoke(g, "revoked", NULL, NULL);
        }
        run_until_gone();
        manager_end();
}

#endif
