/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>

#include "cgroup-path.h"
#include "cleanup.h"
#include "grant.h"
#include "origin.h"
#include "pam-service.h"
#include "people.h"
#include "process-kill.h"
#include "uid-range.h"

void origin_done(Origin *o) {
        free(o->session);
        free(o->person);
        *o = (Origin){.login_uid = UID_NONE, .real_uid = UID_NONE};
}

/* ---- what the kernel says of a process ---- */

static int read_proc(pid_t pid, const char *what, char *ret, size_t size) {
        char path[64];
        ssize_t n;

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, ret, size - 1);
        if (n < 0)
                return errno == ENOENT || errno == ESRCH ? -ESRCH : -errno;
        ret[n] = 0;
        return 0;
}

/* A kernel without the file keeps no login UIDs: nobody is known to have logged in. */
static uid_t read_login_uid_file(pid_t pid) {
        char text[32], *end;
        unsigned long uid;

        if (read_proc(pid, "loginuid", text, sizeof(text)) < 0)
                return UID_NONE;
        errno = 0;
        uid = strtoul(text, &end, 10);
        return errno == 0 && end > text && !*end && uid < UINT32_MAX ? (uid_t) uid : UID_NONE;
}

/* A container that was started out of somebody's login has that one's in all of its processes, PID 1 first: it says nothing in there. */
static uid_t read_login_uid(pid_t pid) {
        uid_t uid = read_login_uid_file(pid);

        return uid == UID_NONE || uid == read_login_uid_file(1) ? UID_NONE : uid;
}

/* "PPid:", and "Uid:" real, effective, ...; the name in the lines before has its newlines escaped. */
static int read_status(pid_t pid, pid_t *ret_parent, uid_t *ret_real_uid) {
        char text[1024];
        const char *parent, *uids;
        unsigned uid;
        int r = read_proc(pid, "status", text, sizeof(text));

        if (r < 0)
                return r;
        parent = strstr(text, "\nPPid:\t");
        uids = strstr(text, "\nUid:\t");
        if (!parent || !uids || sscanf(parent + 7, "%d", ret_parent) != 1 || sscanf(uids + 6, "%u", &uid) != 1)
                return -EBADMSG;
        *ret_real_uid = uid;
        return 0;
}

static Grant *grant_of_place(const Manager *m, const CgroupPlace *place) {
        Grant *g = *place->grant ? grant_by_id(m, place->grant) : place->owner != UID_NONE ? grant_by_uid(m, place->owner) : NULL;

        return g && g->state == GRANT_ACTIVE ? g : NULL;
}

/* su(1) from outside of any session (a service, a terminal below user@.service): pam_systemd comes before us in its stack, has made a session of the
 * new user's, and moved the process there. That is nobody's login, and where it is says nothing of where it comes from. */
static void forget_session_of_su(const Manager *m, Origin *o, CgroupPlace *place) {
        _cleanup_free_ char *service = NULL;

        if (!o->session || sd_session_get_service(o->session, &service) < 0 || !pam_service_elevates(service))
                return;
        free(take_ptr(o->session));
        if (uid_range_contains(m->uids, place->owner))
                place->owner = UID_NONE;
}

/* Also of a grant that is no more: nothing good comes from there. */
static bool is_transient(const Manager *m, const Origin *o, const CgroupPlace *place) {
        return *place->grant || uid_range_contains(m->uids, place->owner) || uid_range_contains(m->uids, o->login_uid) ||
               uid_range_contains(m->uids, o->real_uid);
}

int origin_of_process(const Manager *m, pid_t pid, Origin *ret) {
        _cleanup_close_ int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        _cleanup_origin_ Origin o = {.pid = pid, .login_uid = UID_NONE, .real_uid = UID_NONE};
        CgroupPlace place;
        int r;

        if (pidfd < 0) /* EINVAL: 0, a peer that our PID namespace does not have */
                return errno == EINVAL ? -ESRCH : -errno;
        r = process_start_time(pid, &o.pid_start);
        if (r >= 0)
                r = read_status(pid, &o.parent, &o.real_uid);
        if (r >= 0)
                r = cgroup_place_of(pid, &place);
        if (r < 0)
                return r;
        o.login_uid = read_login_uid(pid);
        o.session = cgroup_place_session(&place);
        forget_session_of_su(m, &o, &place);
        if (o.login_uid != UID_NONE)
                o.person = person_by_uid(o.login_uid);
        o.inside = grant_of_place(m, &place);
        o.transient = is_transient(m, &o, &place);
        /* It has been alive all the while, and so has been the one that all this was read of. */
        struct pollfd ended = {.fd = pidfd, .events = POLLIN};
        if (poll(&ended, 1, 0) != 0)
                return -ESRCH;
        *ret = o;
        o = (Origin){};
        return 0;
}

int origin_of_link(Manager *m, VarlinkLink *l, Origin *ret) {
        _cleanup_origin_ Origin o = {};
        int r = origin_of_process(m, varlink_link_pid(l), &o);

        if (r < 0)
                return r;
        /* The process had its number when it connected. Were it another's by now, the connection would have ended before. */
        if (varlink_link_has_hung_up(l))
                return -ESRCH;
        *ret = o;
        o = (Origin){};
        return 0;
}

/* ---- what follows from it ---- */

static bool is_workload(const Origin *o, bool workloads) {
        return workloads && o->login_uid == UID_NONE && o->real_uid != 0 && o->real_uid != UID_NONE;
}

char *origin_who(const Origin *o, bool workloads) {
        if (o->person)
                return strdup(o->person);
        return is_workload(o, workloads) ? person_by_uid(o->real_uid) : NULL;
}

const char *origin_fault(const Origin *o, const char *requester, bool workloads, const char **ret_message) {
        _cleanup_free_ char *who = NULL;

        if (o->transient) {
                *ret_message = "an account of a ticket cannot use another ticket; ask from your own login";
                return "transient-caller";
        }
        who = origin_who(o, workloads);
        if (!who) {
                *ret_message = o->login_uid == UID_NONE ? "nobody has logged in where this was started from"
                                                        : "who has logged in is not a local account of this host";
                return "caller-unknown";
        }
        if (!streq(who, requester)) {
                *ret_message = "this ticket is somebody else's";
                return "caller-mismatch";
        }
        return NULL;
}
