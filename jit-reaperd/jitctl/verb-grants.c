/* SPDX-License-Identifier: Apache-2.0 */

#include <time.h>

#include "client.h"
#include "fetched.h"
#include "json.h"
#include "live-grant.h"
#include "name.h"
#include "provider-list.h"

typedef struct ListAnswer {
        json_t *grants;
} ListAnswer;

static const JsonField list_fields[] = {
                {"grants", JSON_FIELD_ARRAY, offsetof(ListAnswer, grants), 0, JSON_REQUIRED},
                {0},
};

static int add_grant(Table *t, const json_t *grant) {
        JIT_CLEANUP(live_grant_done) LiveGrant g = {0};
        char ends[TIME_TEXT_MAX + 8];
        int status = live_grant_parse(grant, &g);

        if (status != STATUS_OK)
                return status;
        table_cell(t, g.account, COLOR_STRONG);
        table_cell(t, g.state, state_color(g.state));
        table_cell(t, g.requester, COLOR_NONE);
        table_cell(t, g.ticket, COLOR_NONE);
        table_cell(t, g.role, COLOR_NONE);
        table_cell_number(t, json_array_size(g.sessions));
        table_cell(t, grant_way(g.way, g.rule, NULL), COLOR_NONE);
        table_cell(t, live_grant_ends(&g, ends, sizeof(ends)), COLOR_NONE);
        return STATUS_OK;
}

static int verb_list(const Ctl *ctl, char *const *args, const void *options) {
        static const char *const header[] = {"ACCOUNT",  "STATE", "PERSON", "TICKET", "ROLE",
                                             "SESSIONS", "WAY",   "ENDS",   NULL};
        _cleanup_json_ json_t *reply = NULL, *grants = NULL;
        JIT_CLEANUP(table_freep) Table *t = NULL;
        ListAnswer answer = {0};
        json_t *grant;
        size_t i;
        int status = client_call(ctl, SERVICE_REAPER, "ListGrants", NULL, CALL_USEC, &reply);

        (void) args;
        (void) options;
        if (status != STATUS_OK || ctl->json)
                return status == STATUS_OK ? say_json(reply) : status;
        status = client_dispatch(SERVICE_REAPER, reply, list_fields, &answer);
        grants = answer.grants;
        if (status != STATUS_OK)
                return status;
        if (json_array_size(grants) == 0) {
                say_hint("There is no live grant that you may see.");
                return STATUS_OK;
        }
        t = table_new(header);
        if (!t)
                return say_no_memory();
        json_array_foreach (grants, i, grant) {
                status = add_grant(t, grant);
                if (status != STATUS_OK)
                        return status;
        }
        return table_print(t, stdout, color_wanted(stdout, ctl->no_color)) < 0 ? say_no_memory() : STATUS_OK;
}

typedef struct RevokeOptions {
        bool all;
        const char *reason;
} RevokeOptions;

static const Option revoke_options[] = {
                {"all", OPTION_BOOL, offsetof(RevokeOptions, all), 0, NULL, "every grant of this host (root)"},
                {"reason", OPTION_STRING, offsetof(RevokeOptions, reason), 0, "TEXT", "why, for the receipt"},
                {0},
};

typedef struct RevokeAnswer {
        json_t *revoked;
} RevokeAnswer;

static const JsonField revoke_fields[] = {
                {"revoked", JSON_FIELD_ARRAY, offsetof(RevokeAnswer, revoked), 0, JSON_REQUIRED},
                {0},
};

static int say_revoked(const json_t *reply, uint64_t took_usec) {
        RevokeAnswer answer = {0};
        json_t *name;
        size_t i;
        int status = client_dispatch(SERVICE_REAPER, reply, revoke_fields, &answer);

        if (status == STATUS_OK && json_array_size(answer.revoked) == 0)
                say_line("nothing to revoke");
        json_array_foreach (answer.revoked, i, name) {
                const char *user = json_string_value(name);

                if (user) /* a person whose own account could do more stays, of course */
                        say_line(account_name_is_ours(user) ? "%s is gone" : "%s is elevated no more", user);
        }
        if (json_array_size(answer.revoked) > 0) {
                say_line("after %.1f ms", (double) took_usec / (double) USEC_PER_MSEC);
                say_hint("Its receipt: jitctl show GRANT");
        }
        json_decref(answer.revoked);
        return status;
}

static int verb_revoke(const Ctl *ctl, char *const *args, const void *options) {
        const RevokeOptions *o = options;
        _cleanup_json_ json_t *parameters = NULL, *reply = NULL;
        uint64_t start;
        int status;

        if ((args[0] != NULL) == o->all)
                return say_error(STATUS_USAGE, "give one grant, account or ticket, or --all");
        parameters = json_pack("{s:s}", "grant", o->all ? "*" : args[0]);
        if (!parameters || json_set_str(parameters, "reason", o->reason) < 0)
                return say_error(STATUS_USAGE, "the grant or the reason is not UTF-8 text");
        start = now_usec(CLOCK_BOOTTIME);
        status = client_call(ctl, SERVICE_REAPER, "Revoke", take_ptr(parameters), REVOKE_USEC, &reply);
        if (status != STATUS_OK)
                return status;
        return ctl->json ? say_json(reply) : say_revoked(reply, now_usec(CLOCK_BOOTTIME) - start);
}

typedef struct StatusAnswer {
        char *version, *approver, *audit, *configuration;
        uint64_t grants, uid_next;
} StatusAnswer;

static const JsonField status_fields[] = {
                {"version", JSON_FIELD_STRING, offsetof(StatusAnswer, version), 64, JSON_REQUIRED},
                {"grants", JSON_FIELD_UINT, offsetof(StatusAnswer, grants), UINT32_MAX, JSON_REQUIRED},
                {"uidNext", JSON_FIELD_UINT, offsetof(StatusAnswer, uid_next), UINT32_MAX, JSON_REQUIRED},
                {"approver", JSON_FIELD_TEXT, offsetof(StatusAnswer, approver), 4096, JSON_REQUIRED},
                {"audit", JSON_FIELD_TEXT, offsetof(StatusAnswer, audit), 4096, JSON_REQUIRED},
                {"configuration", JSON_FIELD_TEXT, offsetof(StatusAnswer, configuration), 4096, JSON_REQUIRED},
                {0},
};

static int print_status(const Ctl *ctl, const StatusAnswer *a) {
        _cleanup_json_ json_t *providers = NULL;
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);

        if (!t)
                return say_no_memory();
        table_pairf(t, "jit-reaperd", COLOR_GOOD, "runs, version %s", a->version);
        table_pair(t, "jit-approverd", a->approver, streq(a->approver, "connected") ? COLOR_GOOD : COLOR_WAIT);
        table_pair(t, "Configuration", a->configuration, streq(a->configuration, "ok") ? COLOR_GOOD : COLOR_BAD);
        table_pair(t, "Audit file", a->audit, streq(a->audit, "ok") ? COLOR_GOOD : COLOR_BAD);
        table_pairf(t, "Live grants", COLOR_NONE, "%ju", (uintmax_t) a->grants);
        table_pairf(t, "Next user id", COLOR_NONE, "%ju", (uintmax_t) a->uid_next);
        if (providers_fetch(ctl, true, &providers) == STATUS_OK) /* if not, the row jit-approverd says why */
                providers_show(providers, t);
        return table_print(t, stdout, color_wanted(stdout, ctl->no_color)) < 0 ? say_no_memory() : STATUS_OK;
}

static int verb_status(const Ctl *ctl, char *const *args, const void *options) {
        _cleanup_json_ json_t *reply = NULL;
        StatusAnswer answer = {0};
        int status = client_call(ctl, SERVICE_REAPER, "GetStatus", NULL, CALL_USEC, &reply);

        (void) args;
        (void) options;
        if (status != STATUS_OK || ctl->json)
                return status == STATUS_OK ? say_json(reply) : status;
        status = client_dispatch(SERVICE_REAPER, reply, status_fields, &answer);
        if (status == STATUS_OK)
                status = print_status(ctl, &answer);
        free(answer.version);
        free(answer.approver);
        free(answer.audit);
        free(answer.configuration);
        return status;
}

const Verb verbs_grants[] = {
                {"list", "", 0, 0, "The live grants that you may see", NULL, 0, "Example:\n  jitctl list\n", verb_list},
                {"revoke", "GRANT|--all", 0, 1, "End a grant now: kill, remove, write the receipt", revoke_options,
                 sizeof(RevokeOptions),
                 "GRANT is a grant's id, an account or a ticket; a ticket's grants, which may be several, end "
                 "together. It returns\nwhen all of it is gone.\n\n"
                 "Example:\n  jitctl revoke jit-chg0012345 --reason 'wrong host'\n",
                 verb_revoke},
                {"status", "", 0, 0, "What the daemons say about themselves", NULL, 0, "Example:\n  jitctl status\n",
                 verb_status},
                {0},
};
