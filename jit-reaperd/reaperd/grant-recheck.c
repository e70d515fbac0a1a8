/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include "approver-link.h"
#include "grant-log.h"
#include "grant-record.h"
#include "grant-recheck.h"
#include "log.h"
#include "provider-name.h"
#include "timefmt.h"

/* ---- silence ---- */

/* Grant.silence is the place in it, counted from 1. */
static const char *const silences[] = {
                "provider-unreachable", "provider-tls", "provider-login", "provider-limit", "provider-answer",
};

const char *silence_to_string(uint8_t silence) {
        return silence > 0 && silence <= ELEMENTSOF(silences) ? silences[silence - 1] : NULL;
}

uint8_t silence_from_string(const char *reason) {
        for (size_t i = 0; i < ELEMENTSOF(silences); i++)
                if (streq(silences[i], reason))
                        return (uint8_t) (i + 1);
        return 0;
}

static bool is_followed(const Grant *g) {
        return g->state == GRANT_ACTIVE && g->recheck_sec > 0;
}

/* The record has it, so that a silence is not forgotten by a restart of ours, and a grant not ended for one that was
 * over. */
static void silence_changed(const Grant *g) {
        if (grant_record_save(g) < 0)
                log_warning("Cannot write the record of %s, ignoring: /run is full?", grant_user(g));
}

static const char *asked_name(const Grant *g) {
        return provider_name(g->manager, g->provider) ?: "the approval service";
}

void grant_answered(Grant *g) {
        if (!is_followed(g))
                return;
        g->answered_usec = now_usec(CLOCK_BOOTTIME);
        if (g->silence == 0)
                return;
        g->silence = 0;
        silence_changed(g);
        grant_log(g, LOG_NOTICE, "approved", "%s answers again about %s", asked_name(g), g->ticket);
}

bool grant_end_if_silent(Grant *g, uint64_t now) {
        char span[TIME_TEXT_MAX], text[160];
        uint64_t grace = (uint64_t) g->grace_sec * USEC_PER_SEC;

        if (!is_followed(g) || g->silence == 0 || g->grace_sec == GRACE_NONE || now < g->answered_usec + grace)
                return false;
        if (grace > 0)
                (void) snprintf(text, sizeof(text), "%s could not be asked for %s", asked_name(g),
                                time_format_span(grace, span));
        else
                (void) snprintf(text, sizeof(text), "%s could not be asked", asked_name(g));
        grant_revoke(g, silence_to_string(g->silence), text, NULL);
        return true;
}

static void unanswered(Grant *g, const char *reason) {
        uint8_t before = g->silence;

        if (!is_followed(g))
                return;
        /* What is not about the provider is about jit-approverd. */
        g->silence = silence_from_string(reason) ?: 1;
        if (before == 0) {
                grant_log(g, LOG_WARNING, silence_to_string(g->silence),
                          "%s gives no answer about %s; its grant lives on for now", asked_name(g), g->ticket);
                silence_changed(g);
        }
        if (!grant_end_if_silent(g, now_usec(CLOCK_BOOTTIME)))
                grant_recheck_schedule(g);
}

/* ---- one question ---- */

static void judge_active(Grant *g, Verdict *v) {
        uint16_t before = g->recheck_sec;

        if (v->decision != DECISION_ALLOW) {
                grant_revoke(g, v->reason, v->message, NULL);
                return;
        }
        if (grant_update(g, v) < 0) {
                grant_revoke(g, "ticket-changed", "the ticket is not the one that was approved", NULL);
                return;
        }
        if (before == 0)
                grant_recheck_begin(g);
        else {
                grant_answered(g);
                grant_recheck_schedule(g);
        }
}

/* Somebody may be between the check of the key and the account phase: name and UID stay, key and verdict are the new
 * ones. */
static void judge_reserved(Grant *g, Verdict *v) {
        if (v->decision != DECISION_ALLOW)
                g->authorized = false;
        if (v->decision == DECISION_UNKNOWN || (g->way == WAY_ELEVATION && v->decision != DECISION_ALLOW) || grant_update(g, v) < 0) {
                grant_release(g);
                return;
        }
        strv_free(g->keys);
        g->keys = g->way == WAY_ACCOUNT ? take_ptr(v->keys) : NULL;
        if (grant_reserved_changed(g) < 0)
                grant_release(g);
}

void grant_judge(Grant *g, Verdict *v) {
        if (!v || verdict_is_no_answer(v))
                unanswered(g, v ? v->reason : "provider-unreachable");
        else if (g->state == GRANT_ACTIVE)
                judge_active(g, v);
        else if (g->state == GRANT_RESERVED)
                judge_reserved(g, v);
}

/* ---- asked at once ---- */

/* An answer has made room for the next question. */
static void recheck_those_due(Manager *m) {
        for (Grant *g = m->grants; g && m->n_rechecks_due > 0; g = g->next)
                if (g->recheck_due) {
                        g->recheck_due = false;
                        m->n_rechecks_due--;
                        grant_recheck(g);
                        if (g->recheck_due)
                                break;
                }
}

static void on_recheck(Manager *m, Verdict *v, void *userdata) {
        _cleanup_free_ GrantRef *asked = userdata;
        Grant *g;

        recheck_those_due(m);
        g = grant_get(m, asked);
        if (g)
                grant_judge(g, v);
}

void grant_recheck(Grant *g) {
        const EvaluateContext context = {.phase = "recheck", .person = g->way == WAY_ELEVATION ? g->requester : NULL};
        GrantRef *asked;
        int r;

        if (g->state != GRANT_RESERVED && g->state != GRANT_ACTIVE)
                return;
        asked = malloc(sizeof(*asked));
        if (!asked)
                return;
        *asked = grant_ref(g);
        r = approver_evaluate(g->manager, g->account, &context, on_recheck, asked);
        if (r >= 0)
                return;
        free(asked);
        if (r == -EBUSY && !g->recheck_due) {
                g->recheck_due = true;
                g->manager->n_rechecks_due++;
        } else if (r != -EBUSY)
                log_warning("Cannot ask about %s again, ignoring: its deadline holds", grant_user(g));
}
