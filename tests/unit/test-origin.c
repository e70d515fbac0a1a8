/* SPDX-License-Identifier: Apache-2.0 */

/* Who asks, by the kernel's word. */

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "origin.h"
#include "test-reaperd.h"

static uid_t proc_uid(const char *path) {
        unsigned uid = UID_NONE;
        FILE *f = fopen(path, "re");

        if (f && fscanf(f, "%u", &uid) != 1)
                uid = UID_NONE;
        if (f)
                (void) fclose(f);
        return uid;
}

/* A process with these UIDs; login_uid: UID_NONE: as it is. Its end of the pipe is open until it has them. */
static pid_t process(uid_t login_uid, uid_t real_uid) {
        int ready[2];
        char byte;
        pid_t pid;

        CHECK(pipe(ready) >= 0);
        pid = fork();
        if (pid == 0) {
                FILE *f = login_uid != UID_NONE ? fopen("/proc/self/loginuid", "we") : NULL;
                if (f) {
                        (void) fprintf(f, "%u", login_uid);
                        (void) fclose(f);
                }
                if (syscall(SYS_setresuid, real_uid, 0, 0) < 0)
                        _exit(1);
                (void) close(ready[0]);
                (void) close(ready[1]);
                (void) pause();
                _exit(0);
        }
        (void) close(ready[1]);
        CHECK_EQ_INT(read(ready[0], &byte, 1), 0);
        (void) close(ready[0]);
        return pid;
}

static void end(pid_t pid) {
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
}

TEST(a_process) {
        _cleanup_origin_ Origin o = {};

        if (!manager_begin("a_process"))
                return;
        pid_t pid = process(UID_NONE, 4711);
        CHECK_EQ_INT(origin_of_process(manager, pid, &o), 0);
        CHECK_EQ_INT(o.pid, pid);
        CHECK_EQ_INT(o.parent, getpid());
        CHECK_EQ_INT(o.real_uid, 4711); /* not the effective one */
        CHECK(o.pid_start > 0 && !o.inside && !o.transient);
        end(pid);
        manager_end();
}

TEST(a_process_that_has_ended) {
        _cleanup_origin_ Origin o = {};

        if (!manager_begin("a_process_that_has_ended"))
                return;
        pid_t pid = process(UID_NONE, 0);
        (void) kill(pid, SIGKILL);
        siginfo_t info;
        (void) waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT);
        CHECK_EQ_INT(origin_of_process(manager, pid, &o), -ESRCH); /* its number is not free yet */
        end(pid);
        CHECK_EQ_INT(origin_of_process(manager, pid, &o), -ESRCH);
        manager_end();
}

TEST(a_login) {
        _cleanup_origin_ Origin o = {};
        char path[64];

        if (!manager_begin("a_login"))
                return;
        pid_t pid = process(4711, 0);
        (void) snprintf(path, sizeof(path), "/proc/%d/loginuid", pid);
        if (proc_uid(path) == 4711) {
                CHECK_EQ_INT(origin_of_process(manager, pid, &o), 0);
                CHECK_EQ_INT(o.login_uid, 4711);
                CHECK(!o.person); /* /etc/passwd has no such user */
        } else
                printf("skip a_login (this machine lets nobody set a login UID)\n");
        end(pid);
        manager_end();
}

/* A container that somebody started out of a login: what PID 1 has, everybody has. */
TEST(a_login_of_pid_1_is_none) {
        _cleanup_origin_ Origin o = {};

        if (!manager_begin("a_login_of_pid_1_is_none"))
                return;
        pid_t pid = process(UID_NONE, 0);
        CHECK_EQ_INT(origin_of_process(manager, pid, &o), 0);
        CHECK(o.login_uid == UID_NONE || o.login_uid != proc_uid("/proc/1/loginuid"));
        end(pid);
        manager_end();
}

TEST(an_account_of_ours) {
        _cleanup_origin_ Origin o = {};
        const char *message = NULL;

        if (!manager_begin("an_account_of_ours"))
                return;
        pid_t pid = process(UID_NONE, test_uid_base() + 5); /* no grant has it */
        CHECK_EQ_INT(origin_of_process(manager, pid, &o), 0);
        CHECK(o.transient && !o.inside);
        CHECK_STREQ(origin_fault(&o, "alice", true, &message), "transient-caller");
        CHECK(message != NULL);
        end(pid);
        manager_end();
}

/* ---- over a connection ---- */

static VarlinkLink *asking;

static int vl_method_ask(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        (void) parameters, (void) more, (void) userdata;
        asking = varlink_link_ref(l);
        return 0;
}

static const VarlinkMethod ask_methods[] = {{"Ask", vl_method_ask, 0}, {}};
static const VarlinkInterface ask_interface = {.name = "io.test", .description = "", .methods = ask_methods},
                              *const ask_interfaces[] = {&ask_interface, NULL};

static pid_t peer(const char *path) {
        static const char question[] = "{\"method\":\"io.test.Ask\"}";
        pid_t pid = fork();

        if (pid == 0) {
                struct sockaddr_un address = {.sun_family = AF_UNIX};
                int fd = socket(AF_UNIX, SOCK_STREAM, 0);
                memcpy(address.sun_path, path, strlen(path) + 1);
                if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || write(fd, question, sizeof(question)) < 0)
                        _exit(1);
                (void) pause();
                _exit(0);
        }
        return pid;
}

static void on_found(Manager *m, VarlinkLink *l, Origin *o, int r, void *userdata) {
        (void) m, (void) l;
        CHECK(r < 0 || o->pid > 0);
        *(int *) userdata = r;
}

TEST(a_peer) {
        const VarlinkLimits limits = {16, 16, 4096, USEC_PER_HOUR};
        _cleanup_origin_ Origin o = {};
        VarlinkServer *server;
        int found = 1;

        if (!manager_begin("a_peer"))
                return;
        CHECK_EQ_INT(varlink_server_new(manager->event, ask_interfaces, &limits, NULL, &server), 0);
        listen_at(server, "/run/ask");
        pid_t pid = peer("/run/ask");
        for (unsigned i = 0; i < 1000 && !asking; i++)
                (void) sd_event_run(manager->event, 5000);
        if (!asking) {
                TEST_FAIL("nobody asked");
                end(pid);
                return;
        }
        CHECK_EQ_INT(origin_of_link(manager, asking, &o), 0);
        CHECK_EQ_INT(o.pid, pid);
        CHECK_EQ_INT(origin_resolve(manager, asking, "sudo", on_found, &found), 0);
        CHECK_EQ_INT(found, 0); /* at once */
        /* Whoever has no unit of PID 1's was not started by run0, and without a bus nobody can be asked. */
        found = 1;
        CHECK(origin_resolve(manager, asking, "systemd-run0", on_found, &found) == -EBUSY ? found == 1 : found == -ENOENT);
        CHECK_EQ_INT(manager->n_resolving, 0);
        end(pid);
        /* The loop has not turned: only the kernel knows. */
        CHECK(!varlink_link_is_gone(asking));
        origin_done(&o);
        CHECK_EQ_INT(origin_of_link(manager, asking, &o), -ESRCH);
        asking = varlink_link_unref(asking);
        varlink_server_free(server);
        manager_end();
}

/* ---- what follows from it ---- */

TEST(faults) {
        static const struct {
                uid_t login_uid, real_uid;
                const char *person;
                bool workloads;
                const char *fault;
        } table[] = {
                {1000, 1000, "alice", false, NULL},
                {1000, 0, "alice", false, NULL}, /* su has made root of alice */
                {1000, 1000, "alic", false, "caller-mismatch"},
                {1000, 1000, "alicea", false, "caller-mismatch"},
                {1000, 1000, "Alice", false, "caller-mismatch"},
                {1000, 1000, NULL, false, "caller-unknown"}, /* of a directory service */
                {1000, 1000, NULL, true, "caller-unknown"},
                {UID_NONE, 0, NULL, false, "caller-unknown"},
                {UID_NONE, 0, NULL, true, "caller-unknown"}, /* root's own services are nobody's */
                {UID_NONE, UID_NONE, NULL, true, "caller-unknown"},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Origin o = {.login_uid = table[i].login_uid, .real_uid = table[i].real_uid, .person = (char *) table[i].person};
                const char *message = NULL, *fault = origin_fault(&o, "alice", table[i].workloads, &message);

                if (table[i].fault) {
                        CHECK_STREQ(fault, table[i].fault);
                        CHECK(message && *message);
                } else
                        CHECK(!fault);
        }
}

/* A service without a login is the user that it runs as, where the role says so. */
TEST(workloads) {
        Origin o = {.login_uid = UID_NONE, .real_uid = 1 /* "daemon" in every Debian */};
        const char *message;
        _cleanup_free_ char *who = origin_who(&o, true), *nobody = origin_who(&o, false);

        CHECK(!nobody);
        CHECK_STREQ(origin_fault(&o, "daemon", false, &message), "caller-unknown");
        if (!who) {
                printf("skip workloads (UID 1 has no name here)\n");
                return;
        }
        CHECK(!origin_fault(&o, who, true, &message));
        CHECK_STREQ(origin_fault(&o, "alice", true, &message), "caller-mismatch");
        o.transient = true;
        CHECK_STREQ(origin_fault(&o, who, true, &message), "transient-caller");
}

TEST_MAIN
