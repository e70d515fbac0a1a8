/* SPDX-License-Identifier: Apache-2.0 */

/* Scopes and elevations: what keeps a grant alive that is no login. Without PID 1 and logind: the former never makes a scope here, the latter's files
 * are the test's. */

#include "artefact.h"
#include "origin.h"
#include "session.h"
#include "test-reaperd.h"

/* Nobody else's: what other hosts on this machine run as their UID 1000 is to be seen in /proc. */
#define PERSON (0x50000000u + (uid_t) getpid())

static VarlinkLink *asking;
static VarlinkServer *server;
static int peer = -1;

static int vl_method_ask(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        asking = varlink_link_ref(l);
        return 0;
}

static const VarlinkMethod ask_methods[] = {{"Ask", vl_method_ask, 0}, {}};
static const VarlinkInterface ask_interface = {.name = "io.test", .description = "", .methods = ask_methods},
                              *const ask_interfaces[] = {&ask_interface, NULL};

/* A connection of this very process. */
static void ask(void) {
        static const char question[] = "{\"method\":\"io.test.Ask\"}";
        const VarlinkLimits limits = {16, 16, 4096, USEC_PER_HOUR};
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/ask"};

        CHECK_EQ_INT(varlink_server_new(manager->event, ask_interfaces, &limits, NULL, &server), 0);
        listen_at(server, "/run/ask");
        peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(connect(peer, (struct sockaddr *) &address, sizeof(address)) >= 0);
        CHECK(write(peer, question, sizeof(question)) > 0);
        for (unsigned i = 0; i < 1000 && !asking; i++)
                (void) sd_event_run(manager->event, 5000);
        if (!asking) {
                TEST_FAIL("nobody asked");
                exit(1);
        }
}

static void ask_no_more(void) {
        asking = varlink_link_unref(asking);
        server = varlink_server_free(server);
        (void) close(peer);
}

static void write_file(const char *folder, const char *name, const char *text) {
        char path[200];
        FILE *f;

        (void) mkdir(folder, 0755);
        (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
        f = fopen(path, "we");
        CHECK(f && fputs(text, f) >= 0);
        if (f)
                (void) fclose(f);
}

static void log_in(void) {
        char session[200], uid[20];

        (void) snprintf(session, sizeof(session), "UID=%u\nUSER=alice\nACTIVE=1\nSTATE=active\nCLASS=user\n", PERSON);
        (void) snprintf(uid, sizeof(uid), "%u", PERSON);
        write_file("/run/systemd/sessions", "4", session);
        write_file("/run/systemd/sessions", "5", session);
        write_file("/run/systemd/users", uid, "NAME=alice\nSTATE=active\nONLINE_SESSIONS=4 5\n");
}

static bool has_marker(void) {
        char uid[20];

        (void) snprintf(uid, sizeof(uid), "%u", PERSON);
        return is_there(manager->dirs.elevated, uid);
}

static Grant *elevate(bool has_rule) {
        _cleanup_verdict_ Verdict v = verdict_of(ALLOW);
        Grant *g = NULL;

        CHECK_EQ_INT(grant_elevate(manager, "jit-chg1", PERSON, &v, now_usec(CLOCK_BOOTTIME) + USEC_PER_MINUTE, USEC_PER_MINUTE, &g), 0);
        g->has_rule = has_rule;
        g->since_usec = now_usec(CLOCK_REALTIME);
        g->until_usec = g->since_usec + USEC_PER_MINUTE;
        g->deadline_usec = now_usec(CLOCK_BOOTTIME) + USEC_PER_MINUTE;
        return g;
}

static Origin origin_in(const char *session) {
        Origin o = {};

        CHECK_EQ_INT(origin_of_link(manager, asking, &o), 0);
        free(o.session);
        free(o.person);
        o.login_uid = PERSON;
        o.session = session ? strdup(session) : NULL;
        o.person = strdup("alice");
        return o;
}

/* ---- elevations ---- */

TEST(not_logged_in) {
        const Caller caller = {.service = (char *) "jitctl"};

        if (!manager_begin("not_logged_in"))
                return;
        ask();
        Grant *g = elevate(false);
        _cleanup_origin_ Origin o = origin_in(NULL), over = origin_in("3");
        CHECK_EQ_INT(session_open_elevated(g, asking, &caller, &o, false), -ENXIO);
        CHECK_EQ_INT(session_open_elevated(g, asking, &caller, &over, true), -ENXIO);
        CHECK(g->state == GRANT_RESERVED && !g->sessions && !manager->login_sessions && is_empty(manager->dirs.grants));
        ask_no_more();
        manager_end();
}

TEST(by_terminal) {
        Caller caller = {.service = (char *) "sudo", .tty = (char *) "/dev/pts/3"}, without = {.service = (char *) "sudo"};

        if (!manager_begin("by_terminal"))
                return;
        log_in();
        ask();
        Grant *g = elevate(false);
        _cleanup_origin_ Origin four = origin_in("4"), five = origin_in("5"), none = origin_in(NULL);
        CHECK(!session_elevated_here(g, "pts/3", &four));
        CHECK_EQ_INT(session_open_elevated(g, asking, &caller, &four, true), 0);
        CHECK(g->state == GRANT_ACTIVE && session_is_elevated(g));
        Session *s = session_elevated_here(g, "pts/3", &four);
        CHECK(s && s == g->sessions && session_elevated_here(g, "/dev/pts/3", &four) == s);
        CHECK(!session_elevated_here(g, "pts/4", &four) && !session_elevated_here(g, NULL, &four));
        CHECK(!session_elevated_here(g, "pts/3", &five)); /* the number has come again */
        CHECK_EQ_INT(session_open_elevated(g, asking, &without, &five, true), 0);
        CHECK(session_elevated_here(g, NULL, &five) == s->next && session_elevated_here(g, "", &five) == s->next);
        CHECK(!session_elevated_here(g, NULL, &four) && !session_elevated_here(g, NULL, &none));
        session_kill(s); /* its login is over */
        CHECK(g->state == GRANT_ACTIVE && !session_elevated_here(g, "pts/3", &four));
        session_kill(g->sessions);
        CHECK(g->state >= GRANT_REVOKING);
        CHECK(!session_elevated_here(g, NULL, &five));
        run_until_gone();
        ask_no_more();
        manager_end();
}

/* EndWithCaller=no: what was started goes on, the right does not. */
TEST(the_rule_goes_before_what_it_started) {
        const Caller caller = {.service = (char *) "jitctl"};

        if (!manager_begin("the_rule_goes_before_what_it_started"))
                return;
        log_in();
        ask();
        Grant *g = elevate(false);
        _cleanup_origin_ Origin o = origin_in("4");
        CHECK_EQ_INT(session_open_elevated(g, asking, &caller, &o, false), 0);
        g->has_rule = true;
        CHECK_EQ_INT(elevated_marker_make(g), 0);
        CHECK(has_marker());
        Session *scope = session_new(g);
        scope->kind = SESSION_SCOPE;
        scope->pid = 0x7ffffff0;
        scope->service = strdup("sudo");
        session_link(scope);
        CHECK_EQ_INT(session_check_rule(g), 0);
        CHECK(has_marker());
        session_kill(g->sessions);
        CHECK(g->state == GRANT_ACTIVE && g->sessions == scope && !session_is_elevated(g));
        CHECK(!has_marker());
        session_end(scope);
        CHECK(g->state >= GRANT_REVOKING);
        run_until_gone();
        ask_no_more();
        manager_end();
}

/* ---- scopes ---- */

static unsigned n_opened;

static void on_opened(Session *s, int r, void *userdata) {
        (void) s, (void) r, (void) userdata;
        n_opened++;
}

TEST(a_scope_of_another_process) {
        const Caller caller = {.service = (char *) "sudo"};

        if (!manager_begin("a_scope_of_another_process"))
                return;
        ask();
        Grant *g = reserve("jit-chg1", ALLOW);
        _cleanup_origin_ Origin o = origin_in(NULL);
        o.pid_start++; /* its number has come again */
        CHECK_EQ_INT(session_open_scope(g, asking, &caller, &o, "jit-chg1", on_opened, g), -ESRCH);
        o.pid_start--;
        o.pid++;
        CHECK_EQ_INT(session_open_scope(g, asking, &caller, &o, "jit-chg1", on_opened, g), -ESRCH);
        CHECK(g->state == GRANT_RESERVED && !g->sessions && n_opened == 0);
        ask_no_more();
        manager_end();
}

TEST(no_scope_no_grant) {
        const Caller caller = {.service = (char *) "sudo"};

        if (!manager_begin("no_scope_no_grant"))
                return;
        ask();
        Grant *g = reserve("jit-chg1", ALLOW);
        g->deadline_usec = now_usec(CLOCK_BOOTTIME) + USEC_PER_MINUTE;
        _cleanup_origin_ Origin o = origin_in(NULL);
        CHECK(session_open_scope(g, asking, &caller, &o, "jit-chg1", on_opened, g) < 0); /* there is no bus */
        CHECK(g->state >= GRANT_REVOKING && !g->sessions && n_opened == 0);
        run_until_gone();
        check_nothing_left("jit-chg1");
        CHECK(is_empty(manager->dirs.used)); /* the ticket has not been used */
        ask_no_more();
        manager_end();
}

/* A record names a scope that PID 1 has forgotten. */
TEST(resumed_without_its_cgroup) {
        if (!manager_begin("resumed_without_its_cgroup"))
                return;
        Grant *g = reserve("jit-chg1", ALLOW);
        g->state = GRANT_ACTIVE;
        Session *s = session_new(g);
        s->kind = SESSION_SCOPE;
        s->pid = getpid();
        s->service = strdup("su");
        s->from_record = json_object();
        session_link(s);
        char unit[SCOPE_UNIT_SIZE];
        CHECK(strlen(scope_unit(s, unit)) < sizeof(unit) - 1 && strncmp(unit, "jit-", 4) == 0 && strstr(unit, g->id));
        CHECK(!session_resume_all(g));
        CHECK(!g->sessions && g->past == s && g->state == GRANT_ACTIVE); /* its end is the caller's */
        manager_crash();
}

/* Without knowing whose login it hangs on, nobody stays elevated. */
TEST(resumed_without_a_login) {
        if (!manager_begin("resumed_without_a_login"))
                return;
        Grant *g = elevate(false);
        g->state = GRANT_ACTIVE;
        Session *s = session_new(g);
        s->kind = SESSION_ELEVATED;
        s->service = strdup("jitctl");
        session_link(s);
        CHECK(!session_resume_all(g) && g->past == s);
        manager_crash();
}

TEST_MAIN
