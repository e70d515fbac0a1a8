/* SPDX-License-Identifier: Apache-2.0 */

/* Whose terminals hear of a grant's end, and keep it from being idle. */

#include <pty.h>
#include <sys/stat.h>

#include "idle.h"
#include "session.h"
#include "terminal.h"
#include "test-reaperd.h"

typedef struct Pty {
        int master, slave;
        char name[64], number[16];
} Pty;

static Pty pty_open(uid_t owner) {
        Pty p = {};
        struct stat st;

        CHECK(openpty(&p.master, &p.slave, p.name, NULL, NULL) >= 0);
        CHECK(fchown(p.slave, owner, (gid_t) -1) >= 0 && fstat(p.slave, &st) >= 0);
        (void) snprintf(p.number, sizeof(p.number), "%s", strrchr(p.name, '/') + 1);
        CHECK(fcntl(p.master, F_SETFL, O_NONBLOCK) >= 0);
        return p;
}

static void pty_close(Pty *p) {
        (void) close(p->slave);
        (void) close(p->master);
}

static bool has_heard(const Pty *p, const char *what) {
        char text[2000] = "";
        ssize_t n = read(p->master, text, sizeof(text) - 1);

        return n > 0 && strstr(text, what);
}

static bool can_open_terminals(void) {
        int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);

        if (fd >= 0)
                (void) close(fd);
        return fd >= 0 && access("/dev/pts/ptmx", F_OK) >= 0;
}

static void session_on(Grant *g, SessionKind kind, const char *tty) {
        Session *s = session_new(g);

        s->kind = kind;
        s->tty = tty ? strdup(tty) : NULL;
        session_link(s);
}

static void done(Grant *g) {
        g->sessions = session_free_all(g->sessions);
}

/* su and sudo keep their caller's terminal: it is the person's, and only that one of theirs is spoken to. */
TEST(of_an_elevation) {
        Grant g = {.way = WAY_ELEVATION, .uid = UID_NONE, .person_uid = 4711};

        if (!test_is_root("of_an_elevation") || !can_open_terminals())
                return;
        Pty own = pty_open(4711), other = pty_open(4711);
        CHECK_EQ_INT(terminal_tell(&g, "too early"), 0);
        session_on(&g, SESSION_SCOPE, own.name);
        session_on(&g, SESSION_ELEVATED, NULL);
        CHECK_EQ_INT(terminal_tell(&g, "the end is near"), 1);
        CHECK(has_heard(&own, "pam_jit: the end is near") && !has_heard(&other, "near"));
        session_on(&g, SESSION_ELEVATED, other.name + strlen("/dev/")); /* pts/N */
        session_on(&g, SESSION_SCOPE, other.name);
        CHECK_EQ_INT(terminal_tell(&g, "now"), 2); /* each once */
        CHECK(has_heard(&own, "now") && has_heard(&other, "now"));
        done(&g);
        pty_close(&own);
        pty_close(&other);
}

TEST(of_an_account) {
        Grant g = {.way = WAY_ACCOUNT, .uid = 4712, .person_uid = UID_NONE};

        if (!test_is_root("of_an_account") || !can_open_terminals())
                return;
        Pty by_ssh = pty_open(4712), by_su = pty_open(4711), stranger = pty_open(4713);
        session_on(&g, SESSION_LOGIN, stranger.name); /* a login's terminal is the account's own, or it is none of its */
        session_on(&g, SESSION_SCOPE, by_su.name);
        CHECK_EQ_INT(terminal_tell(&g, "the end"), 2);
        CHECK(has_heard(&by_ssh, "the end") && has_heard(&by_su, "the end") && !has_heard(&stranger, "the end"));
        done(&g);
        pty_close(&by_ssh);
        pty_close(&by_su);
        pty_close(&stranger);
}

TEST(what_is_no_terminal) {
        static const char *const bad[] = {"",          "/dev/pts/",       "pts/",        "/dev/pts/ptmx", "pts/../0", "/dev/pts/../ptmx",
                                          "/dev/tty1", "/dev/pts/0/",     "pts/-1",      "pts/0x1",       "ssh",      "/dev//pts/0",
                                          "pts/99999999999999999999999", "/dev/pts/ 0", "0"};
        Grant g = {.way = WAY_ELEVATION, .uid = UID_NONE, .person_uid = 4711};

        if (!test_is_root("what_is_no_terminal") || !can_open_terminals())
                return;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                session_on(&g, SESSION_SCOPE, bad[i]);
        CHECK_EQ_INT(terminal_tell(&g, "nobody hears this"), 0);
        done(&g);
        CHECK(terminal_is_same("pts/3", "/dev/pts/3") && terminal_is_same("pts/3", "pts/3"));
        CHECK(!terminal_is_same("pts/3", "pts/33") && !terminal_is_same("pts/3", "tty3"));
}

/* The terminal's time is in steps of 8 s. */
TEST(idle_on_a_callers_terminal) {
        Grant g = {.way = WAY_ELEVATION, .uid = UID_NONE, .person_uid = 4711};
        const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
        uint64_t now = now_usec(CLOCK_BOOTTIME);

        if (!test_is_root("idle_on_a_callers_terminal") || !can_open_terminals())
                return;
        CHECK(idle_due_usec(&g, USEC_PER_HOUR) >= now + USEC_PER_HOUR); /* without a terminal it is at work */
        Pty own = pty_open(4711), other = pty_open(4711);
        session_on(&g, SESSION_SCOPE, own.name);
        CHECK(futimens(own.slave, long_ago) >= 0);
        CHECK(idle_due_usec(&g, USEC_PER_HOUR) <= now_usec(CLOCK_BOOTTIME)); /* whatever is typed on the other */
        session_on(&g, SESSION_ELEVATED, other.name);
        CHECK(idle_due_usec(&g, USEC_PER_HOUR) > now_usec(CLOCK_BOOTTIME));
        done(&g);
        pty_close(&own);
        pty_close(&other);
}

TEST_MAIN
