/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "ask-limit.h"
#include "elevation.h"
#include "grant-recheck.h"
#include "json.h"
#include "log.h"
#include "target.h"
#include "timefmt.h"
#include "used-ticket.h"

#define UNREACHABLE "the approval service does not answer, so nothing can be granted now; try again later"

enum { SENTENCE_MAX = 320 };

bool elevation_identify(Authorization *a, bool workloads, const Grant *in) {
        Origin *o = &a->origin;

        if (in && in->way == WAY_ELEVATION && in->person_uid == o->login_uid)
                o->transient = false; /* what was started by the person's elevation asks by it */
        else if (o->transient || o->inside) {
                authorization_refuse(a, "transient-caller", "a session by a ticket gets no rights by another one; ask from your own login");
                return false;
        }
        a->person_uid = o->login_uid != UID_NONE ? o->login_uid : o->real_uid;
        a->person = origin_who(o, workloads);
        if (a->person)
                return true;
        authorization_refuse(a, "caller-unknown",
                             o->login_uid == UID_NONE ? "this process belongs to no login, so nobody is known to ask"
                                                      : "who is logged in is no account of this host's own (/etc/passwd)");
        return false;
}

bool elevation_take_ticket(Authorization *a, const char *ticket) {
        char folded[TICKET_ID_MAX + 1];

        if (ticket_id_parse(ticket, folded) < 0) {
                authorization_refuse(a, "name-invalid", "a ticket's name is letters and digits with '-' in between, 27 at most");
                return false;
        }
        (void) snprintf(a->account, sizeof(a->account), ACCOUNT_PREFIX "%s", folded);
        return true;
}

static void refuse_unknown(Authorization *a) {
        char message[SENTENCE_MAX];

        (void) snprintf(message, sizeof(message), "there is no ticket %s of %s", a->account + strlen(ACCOUNT_PREFIX), a->person);
        authorization_refuse(a, "ticket-unknown", message);
}

/* Who has a grant by this ticket asks about it as often as they like: that is known to be one. */
void elevation_ask(Authorization *a) {
        bool is_new = !authorization_grant(a);

        a->counted = is_new && ask_limit_take(a->manager, a->person_uid);
        if (is_new && !a->counted) {
                authorization_log(a, LOG_DEBUG, "rate-limited", "Refused %s: too many tickets in a short time", a->person);
                authorization_dismiss(a, "rate-limited", "you have named too many tickets in a short time; try again in half a minute");
        } else if (is_new && ask_limit_is_miss(a->manager, a->person_uid, a->account))
                refuse_unknown(a);
        else
                authorization_ask(a);
}

void elevation_refuse_second(Authorization *a, const Grant *g) {
        char message[SENTENCE_MAX], until[TIME_TEXT_MAX];

        if (g->state != GRANT_ACTIVE) {
                authorization_refuse(a, "try-again", "an earlier elevation of yours is not over yet; try again in a moment");
                return;
        }
        (void) snprintf(message, sizeof(message), "you are elevated by %s until %s; jitctl drop ends that", g->ticket,
                        time_format_rfc3339(g->until_usec, until));
        authorization_refuse(a, "already-elevated", message);
}

/* ---- a yes of jit-approverd's: what only this host knows may still be against it ---- */

/* NULL: nothing is. */
static const char *role_fault(const Authorization *a, const Role *role, unsigned way, char message[static SENTENCE_MAX]) {
        const char *sentence = NULL, *fault = origin_fault(&a->origin, a->person, role->workloads, &sentence);

        if (fault) {
                (void) snprintf(message, SENTENCE_MAX, "%s", sentence ?: "who asks may not use it");
                return fault;
        }
        if (!(role->ways & way)) {
                (void) snprintf(message, SENTENCE_MAX, "the role %s %s on this host", role->name,
                                way == ROLE_WAY_GATE ? "does not open its own sudo rules" : "gives a person's own account no rights");
                return "way-not-allowed";
        }
        if (a->sudo_use == SUDO_USE_EDIT) {
                (void) snprintf(message, SENTENCE_MAX, "sudoedit opens files before it is known whom it runs as; use sudo EDITOR FILE");
                return "target-not-allowed";
        }
        if (a->sudo_use == SUDO_USE_OTHER && !target_is_allowed(role->run_as, "root")) {
                (void) snprintf(message, SENTENCE_MAX, "with the role %s sudo takes -u USER and the options nisHkSAblvE alone", role->name);
                return "target-not-allowed";
        }
        if (a->caller.target && !target_is_allowed(role->run_as, a->caller.target)) {
                (void) snprintf(message, SENTENCE_MAX, "the role %s runs commands as %s, not as %.100s", role->name, role->run_as,
                                a->caller.target);
                return "target-not-allowed";
        }
        return NULL;
}

/* The grant that it is about from now on; NULL: a was refused. */
static Grant *grant_for(Authorization *a, Verdict *v, uint64_t allowed_usec) {
        uint64_t until = now_usec(CLOCK_BOOTTIME) + AUTHORIZED_USEC;
        Grant *g = grant_by_person(a->manager, a->person_uid);
        int r;

        /* What has a yes and was not begun (a sudo that went no further) stands in nobody's way. */
        if (g && g->state == GRANT_RESERVED && !streq(g->account, a->account)) {
                grant_release(g);
                g = NULL;
        }
        if (g && (g->state == GRANT_REVOKING || !streq(g->account, a->account))) {
                elevation_refuse_second(a, g);
                return NULL;
        }
        if (!g) {
                r = grant_elevate(a->manager, a->account, a->person_uid, v, until, allowed_usec, &g);
                if (r < 0) {
                        authorization_refuse_open(a, r);
                        return NULL;
                }
                authorization_bind(a, g);
                return g;
        }
        authorization_bind(a, g);
        if (grant_update(g, v) < 0) {
                authorization_refuse(a, "ticket-changed", "the ticket is not the one that was approved; jitctl drop ends its grant");
                return NULL;
        }
        if (g->state == GRANT_ACTIVE)
                grant_answered(g);
        else { /* another sudo of this person's came first, and opens it in a moment */
                g->deadline_usec = g->authorized_usec = until;
                g->allowed_usec = allowed_usec;
                (void) grant_arm(g);
        }
        return g;
}

static void judge_allowed(Authorization *a, Verdict *v, unsigned way, elevation_allowed_t allowed) {
        const Role *role = config_role(a->manager->config, v->role);
        char message[SENTENCE_MAX] = "this host does not know the ticket's role";
        const char *fault = role ? role_fault(a, role, way, message) : "role-unknown";
        uint64_t left = role ? authorization_allowed_usec(role, v) : 0;
        bool is_new = !authorization_grant(a); /* as elevation_ask() saw it */
        Grant *g;

        if (fault) {
                authorization_refuse(a, fault, message);
                return;
        }
        if (left < USEC_PER_SEC) {
                authorization_refuse(a, "too-late", "the ticket's time is over");
                return;
        }
        g = grant_for(a, v, left);
        if (!g)
                return;
        if (g->state == GRANT_RESERVED && used_ticket_is_marked(g) && !grant_sibling(g)) {
                (void) snprintf(message, sizeof(message), "%s has been used, and the role %s lets a ticket be used only once; ask for a new one",
                                g->ticket, g->role);
                grant_release(g);
                authorization_refuse(a, "ticket-used", message);
                return;
        }
        left = authorization_left_usec(g, left);
        if (left < USEC_PER_SEC) {
                authorization_refuse(a, "too-late", "the ticket's time is over");
                return;
        }
        if (is_new)
                ask_limit_give_back(a->manager, a->person_uid);
        allowed(a, g, left);
}

void elevation_judge(Authorization *a, Verdict *v, unsigned way, elevation_allowed_t allowed) {
        Grant *g = authorization_grant(a);
        bool revoke;

        if (!v) {
                authorization_refuse(a, "provider-unreachable", UNREACHABLE);
                return;
        }
        if (varlink_link_is_gone(a->link)) {
                authorization_dismiss(a, "try-again", "who asked has gone away");
                return;
        }
        if (v->decision != DECISION_UNKNOWN && v->requester && !streq(v->requester, a->person)) {
                log_error("jit-approverd was asked about %s for %s, and answers for %s: refused", a->account, a->person, v->requester);
                refuse_unknown(a);
                return;
        }
        if (v->decision == DECISION_ALLOW && !verdict_is_for(v, a->account)) {
                log_error("jit-approverd was asked about %s, and answers about %s: refused", a->account, v->ticket);
                refuse_unknown(a);
                return;
        }
        if (v->decision == DECISION_ALLOW) {
                judge_allowed(a, v, way, allowed);
                return;
        }
        revoke = g && g->state == GRANT_ACTIVE && !verdict_is_no_answer(v);
        if (v->decision == DECISION_UNKNOWN && !verdict_is_no_answer(v)) {
                if (approver_link_is_connected(a->manager->approver)) /* else nobody would tell us when it changes */
                        ask_limit_add_miss(a->manager, a->person_uid, a->account);
                refuse_unknown(a);
        } else
                authorization_refuse(a, v->reason, v->message);
        if (revoke)
                grant_revoke(g, v->reason, v->message, NULL);
}

json_t *elevation_environment(const Grant *g) {
        char until[TIME_TEXT_MAX];

        return json_pack("{s:s,s:s,s:s}", "JIT_TICKET", g->ticket, "JIT_GRANT", g->id, "JIT_DEADLINE",
                         time_format_rfc3339(g->until_usec, until));
}
