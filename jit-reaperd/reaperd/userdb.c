/* SPDX-License-Identifier: Apache-2.0 */

/* Who sees what: an ACTIVE or REVOKING account everybody, as with any account. A RESERVED one root alone, and only a question by root makes one
 * (sshd's monitor, su, sudo, login): naming tickets teaches a local user nothing.
 *
 * MUST be quick for names that are not ours: every login, ls and ps on the host comes by here. */

#include <errno.h>

#include "grant.h"
#include "json.h"
#include "lookup.h"
#include "paths.h"
#include "timefmt.h"
#include "userdb.h"

#define USERDB "io.systemd.UserDatabase."
#define NO_RECORD USERDB "NoRecordFound"

typedef struct Query {
        char *user, *group, *service;
        uint64_t uid, gid;
} Query;

static void query_done(Query *q) {
        free(q->user);
        free(q->group);
        free(q->service);
}
#define _cleanup_query_ JIT_CLEANUP(query_done)

static int query_parse(json_t *parameters, Query *ret) {
        static const JsonField table[] = {
                {"userName", JSON_FIELD_STRING, offsetof(Query, user), 1024, 0},
                {"groupName", JSON_FIELD_STRING, offsetof(Query, group), 1024, 0},
                {"uid", JSON_FIELD_UINT, offsetof(Query, uid), UINT32_MAX, 0},
                {"gid", JSON_FIELD_UINT, offsetof(Query, gid), UINT32_MAX, 0},
                {"service", JSON_FIELD_STRING, offsetof(Query, service), 255, JSON_REQUIRED},
                {},
        };

        ret->uid = ret->gid = UINT32_MAX;
        return json_dispatch(parameters, table, ret, NULL);
}

static int no_record(VarlinkLink *l) {
        return varlink_error(l, NO_RECORD, NULL);
}

static bool is_visible(const Grant *g, const VarlinkLink *l) {
        return g->state != GRANT_RESERVED || varlink_link_uid(l) == 0;
}

/* ---- records ---- */

static const char *shell_of(const Role *role) {
        if (!role)
                return "/usr/sbin/nologin";
        return role->record == ROLE_RECORD_TLOG ? TLOG_PROGRAM : role->shell;
}

static json_t *user_record(const Grant *g) {
        const Role *role = grant_role(g);
        char home[64], real_name[128];
        json_t *record;

        (void) snprintf(home, sizeof(home), "%s/%s", HOME_ROOT, g->account);
        /* What last(1), ps(1) and logs show beside the account: the person and the ticket. */
        (void) snprintf(real_name, sizeof(real_name), "%s for %s", g->requester, g->ticket);
        /* https://systemd.io/USER_RECORD: logind kills what a session leaves, and forgets the user with the last session, not 10 s later. */
        record = json_pack("{s:s,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:i,s:b,s:{s:[s]}}", "userName", g->account, "uid", (json_int_t) g->uid,
                           "gid", (json_int_t) g->uid, "realName", real_name, "homeDirectory", home, "shell",
                           shell_of(role), "disposition", "regular", "service", USERDB_SERVICE,
                           "stopDelayUSec", 0, "killProcesses", 1, "privileged", "hashedPassword", "!*");
        /* Until the PAM account phase has said yes, and again from the revocation on, the account is one that has expired long ago: pam_unix
         * refuses it without pam_jit, sshd without PAM. The shadow entry counts whole days, and 0 means never: so the second day of 1970. */
        if (record && !grant_is_authorized(g))
                (void) json_set_uint(record, "notAfterUSec", 24 * USEC_PER_HOUR);
        return json_pack("{s:o,s:b}", "record", record, "incomplete", 0);
}

static json_t *group_record(const Grant *g) {
        return json_pack("{s:{s:s,s:I,s:s,s:s},s:b}", "record", "groupName", g->account, "gid", (json_int_t) g->uid, "disposition",
                         "regular", "service", USERDB_SERVICE, "incomplete", 0);
}

static json_t *membership(const char *user, const char *group) {
        return json_pack("{s:s,s:s}", "userName", user, "groupName", group);
}

/* ---- by name, by number, all ---- */

static void on_user_found(VarlinkLink *l, Grant *g, int error) {
        if (error < 0)
                (void) varlink_error(l, USERDB "ServiceNotAvailable", NULL);
        else if (!g)
                (void) no_record(l);
        else
                (void) varlink_reply(l, user_record(g));
}

/* The grant that a name means to this peer; NULL: none, or (for root) one that is yet to be asked for. */
static Grant *find_visible(Manager *m, const VarlinkLink *l, const char *account, uint64_t id) {
        Grant *g = account ? grant_by_account(m, account) : grant_by_uid(m, (uid_t) id);

        if (!g || !is_visible(g, l) || (id != UINT32_MAX && g->uid != id))
                return NULL;
        return g;
}

/* Streams what record makes of each account that everybody may see. */
static int reply_all(VarlinkLink *l, Manager *m, json_t *(*record)(const Grant *g)) {
        const Grant *last = NULL;

        for (const Grant *g = m->grants; g; g = g->next) {
                if (g->way != WAY_ACCOUNT || g->state == GRANT_RESERVED || g->state == GRANT_FORGOTTEN)
                        continue;
                if (last)
                        (void) varlink_notify(l, record(last));
                last = g;
        }
        return last ? varlink_reply(l, record(last)) : no_record(l);
}

static int vl_method_get_user_record(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        char account[ACCOUNT_NAME_MAX + 1];
        _cleanup_query_ Query q = {};
        Manager *m = userdata;
        int r;

        r = query_parse(parameters, &q);
        if (r < 0)
                return r;
        if (!streq(q.service, USERDB_SERVICE))
                return varlink_error(l, USERDB "BadService", NULL);
        if (!q.user && q.uid == UINT32_MAX)
                return more ? reply_all(l, m, user_record) : -EINVAL;
        if (q.user && account_name_parse(q.user, account) < 0)
                return no_record(l);
        Grant *g = find_visible(m, l, q.user ? account : NULL, q.uid);
        if (g)
                return varlink_reply(l, user_record(g));
        if (!q.user || q.uid != UINT32_MAX || varlink_link_uid(l) != 0)
                return no_record(l);
        lookup_account(m, account, l, on_user_found);
        return 0;
}

static int vl_method_get_group_record(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        char account[ACCOUNT_NAME_MAX + 1];
        _cleanup_query_ Query q = {};
        Manager *m = userdata;
        int r;

        r = query_parse(parameters, &q);
        if (r < 0)
                return r;
        if (!streq(q.service, USERDB_SERVICE))
                return varlink_error(l, USERDB "BadService", NULL);
        if (!q.group && q.gid == UINT32_MAX)
                return more ? reply_all(l, m, group_record) : -EINVAL;
        if (q.group && account_name_parse(q.group, account) < 0)
                return no_record(l);
        const Grant *g = find_visible(m, l, q.group ? account : NULL, q.gid);
        return g ? varlink_reply(l, group_record(g)) : no_record(l);
}

/* ---- memberships: rights, so of ACTIVE accounts only; and of those that su(1) and sudo(8) are about to become ---- */

/* Both take the groups over before PAM's session phase, in which the account becomes ACTIVE or they fail. */
static bool has_groups(const Grant *g, const VarlinkLink *l) {
        return g->state == GRANT_ACTIVE || (g->state == GRANT_RESERVED && g->allowed && varlink_link_uid(l) == 0);
}

static int reply_groups_of(VarlinkLink *l, const Grant *g, const char *group) {
        const Role *role = g && has_groups(g, l) ? grant_role(g) : NULL;
        const char *last = NULL;

        STRV_FOREACH(i, role ? role->groups : NULL) {
                if (group && !streq(group, *i))
                        continue;
                if (last)
                        (void) varlink_notify(l, membership(g->account, last));
                last = *i;
        }
        return last ? varlink_reply(l, membership(g->account, last)) : no_record(l);
}

static bool some_role_has(const Manager *m, const char *group) {
        for (Role *const *r = m->config->roles; r && *r; r++)
                if (!group || strv_contains((*r)->groups, group))
                        return true;
        return false;
}

static int reply_members_of(VarlinkLink *l, const Manager *m, const char *group) {
        json_t *last = NULL;

        for (const Grant *g = some_role_has(m, group) ? m->grants : NULL; g; g = g->next) {
                const Role *role = g->way == WAY_ACCOUNT && g->state == GRANT_ACTIVE ? grant_role(g) : NULL;

                STRV_FOREACH(i, role ? role->groups : NULL) {
                        if (group && !streq(group, *i))
                                continue;
                        if (last)
                                (void) varlink_notify(l, last);
                        last = membership(g->account, *i);
                }
        }
        return last ? varlink_reply(l, last) : no_record(l);
}

static int vl_method_get_memberships(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        char account[ACCOUNT_NAME_MAX + 1];
        _cleanup_query_ Query q = {};
        int r;

        r = query_parse(parameters, &q);
        if (r < 0)
                return r;
        if (!streq(q.service, USERDB_SERVICE))
                return varlink_error(l, USERDB "BadService", NULL);
        if (!more)
                return varlink_error(l, "org.varlink.service.ExpectedMore", NULL);
        if (!q.user)
                return reply_members_of(l, userdata, q.group);
        if (account_name_parse(q.user, account) < 0)
                return no_record(l);
        return reply_groups_of(l, grant_by_account(userdata, account), q.group);
}

static const VarlinkMethod methods[] = {
        {"GetUserRecord", vl_method_get_user_record, 0},
        {"GetGroupRecord", vl_method_get_group_record, 0},
        {"GetMemberships", vl_method_get_memberships, 0},
        {},
};

const VarlinkInterface userdb_interface = {
        .name = "io.systemd.UserDatabase",
        .description = "interface io.systemd.UserDatabase\n"
                       "\n"
                       "method GetUserRecord(uid: ?int, userName: ?string, service: string) -> (record: object, incomplete: bool)\n"
                       "method GetGroupRecord(gid: ?int, groupName: ?string, service: string) -> (record: object, incomplete: bool)\n"
                       "method GetMemberships(userName: ?string, groupName: ?string, service: string) -> (userName: string, "
                       "groupName: string)\n"
                       "\n"
                       "error NoRecordFound()\n"
                       "error BadService()\n"
                       "error ServiceNotAvailable()\n"
                       "error ConflictingRecordFound()\n"
                       "error EnumerationNotSupported()\n",
        .methods = methods,
};
