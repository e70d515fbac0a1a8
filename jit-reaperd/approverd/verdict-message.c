/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "strv.h"
#include "verdict-message.h"

enum { LIST_SHOWN = 4, HOSTS_SHOWN = 2 };

/* Text that a ticket's author wrote, on one line. */
static void put_text(FILE *f, const char *text) {
        for (; *text; text++)
                (void) fputc((unsigned char) *text < 0x20 ? ' ' : *text, f);
}

static void put_strv(FILE *f, char *const *v, size_t shown) {
        size_t n = strv_length(v);

        for (size_t i = 0; i < n && i < shown; i++)
                (void) fprintf(f, "%s%s", i > 0 ? ", " : "", v[i]);
        if (n > shown)
                (void) fprintf(f, " and %zu more", n - shown);
}

static void put_approvers(FILE *f, const Approval *a) {
        size_t n = 0;

        for (size_t i = 0; i < a->n_approvers && n < LIST_SHOWN; i++)
                if (!strv_contains(a->requesters, a->approvers[i].name))
                        (void) fprintf(f, "%s%s", n++ > 0 ? ", " : "", a->approvers[i].name);
        if (approval_count(a) > n)
                (void) fprintf(f, " and %zu more", approval_count(a) - n);
}

/* The person whose approval does not count for this reason. */
static const char *invalid_name(const Approval *a, const char *reason) {
        for (size_t i = 0; i < a->n_invalid; i++)
                if (streq(a->invalid[i].reason, reason))
                        return a->invalid[i].name;
        return "somebody";
}

static void put_approved(FILE *f, const VerdictInput *in) {
        char until[TIME_TEXT_MAX], span[TIME_TEXT_MAX];
        const Approval *a = in->approval;

        (void) fprintf(f, "%s \"", a->ticket);
        put_text(f, a->title);
        (void) fprintf(f, "\" approved by ");
        put_approvers(f, a);
        (void) fprintf(f, "; role %s; until %s, in %s", a->role, time_format_rfc3339(a->not_after, until),
                       time_format_span(a->not_after > in->now ? a->not_after - in->now : 0, span));
}

static bool has_approved(const Approval *a, const char *name) {
        for (size_t i = 0; i < a->n_approvers; i++)
                if (streq(a->approvers[i].name, name))
                        return true;
        return false;
}

/* " by bob or carol": who could still say yes. */
static void put_may_approve(FILE *f, const Approval *a) {
        size_t n = 0;

        STRV_FOREACH (name, a->may_approve)
                if (!strv_contains(a->requesters, *name) && !has_approved(a, *name) && n++ < LIST_SHOWN)
                        (void) fprintf(f, "%s%s", n == 1 ? " by " : " or ", *name);
        if (n > LIST_SHOWN)
                (void) fprintf(f, " or %zu more", n - LIST_SHOWN);
}

static void put_pending(FILE *f, const VerdictInput *in) {
        size_t n = approval_count(in->approval);

        (void) fprintf(f, "%s waits for approval", in->approval->ticket);
        put_may_approve(f, in->approval);
        (void) fprintf(f, ": %zu of %u approvers so far", n, role_approvers(in->role));
        if (n == 0)
                return;
        (void) fprintf(f, " (");
        put_approvers(f, in->approval);
        (void) fprintf(f, ")");
}

static void put_ended(FILE *f, const VerdictInput *in) {
        const Approval *a = in->approval;
        char at[TIME_TEXT_MAX];

        (void) fprintf(f, "%s was %s", a->ticket, a->state == APPROVAL_DENIED ? "denied" : "closed");
        if (a->state_by)
                (void) fprintf(f, " by %s", a->state_by);
        if (a->state_at > 0)
                (void) fprintf(f, " at %s", time_format_rfc3339(a->state_at, at));
        if (a->state_reason && *a->state_reason) {
                (void) fprintf(f, ": ");
                put_text(f, a->state_reason);
        }
}

static void put_tampered(FILE *f, const VerdictInput *in) {
        const char *name = invalid_name(in->approval, "ticket-tampered");
        const Provider *p = in->reference->provider;

        if (p && !streq(p->kind, "signed"))
                (void) fprintf(f, "%s was changed after %s had approved it; it needs a new approval",
                               in->approval->ticket, name);
        else
                (void) fprintf(f,
                               "%s is not the ticket that %s signed: it was changed, or the signature was; it needs a "
                               "new approval",
                               in->approval->ticket, name);
}

static void put_approver_unknown(FILE *f, const VerdictInput *in) {
        (void) fprintf(f, "%s carries an approval by %s, whose key this host does not know as an approver's",
                       in->approval->ticket, invalid_name(in->approval, "approver-unknown"));
}

static void put_approver_revoked(FILE *f, const VerdictInput *in) {
        (void) fprintf(f, "%s was approved by %s with a key that is revoked", in->approval->ticket,
                       invalid_name(in->approval, "approver-revoked"));
}

static void put_self_approved(FILE *f, const VerdictInput *in) {
        (void) fprintf(f, "%s was approved by those who ask for it: %zu of %u approvers are somebody else",
                       in->approval->ticket, approval_count(in->approval), role_approvers(in->role));
}

static void put_role_unknown(FILE *f, const VerdictInput *in) {
        (void) fprintf(f, "%s is for the role %s, which this host does not have", in->approval->ticket,
                       in->approval->role);
}

static void put_not_requester(FILE *f, const VerdictInput *in) {
        (void) fprintf(f, "%s is not for %s", in->approval->ticket, in->reference->person);
}

static void put_wrong_host(FILE *f, const VerdictInput *in) {
        (void) fprintf(f, "%s is for ", in->approval->ticket);
        put_strv(f, in->approval->hosts, HOSTS_SHOWN);
        (void) fprintf(f, ", not for this host (");
        put_strv(f, in->host_names, HOSTS_SHOWN);
        (void) fprintf(f, ")");
}

static void put_too_early(FILE *f, const VerdictInput *in) {
        char from[TIME_TEXT_MAX], span[TIME_TEXT_MAX];
        const Approval *a = in->approval;

        (void) fprintf(f, "%s is approved, but its window opens at %s, in %s", a->ticket,
                       time_format_rfc3339(a->not_before, from),
                       time_format_span(a->not_before > in->now ? a->not_before - in->now : 0, span));
}

static void put_too_late(FILE *f, const VerdictInput *in) {
        char until[TIME_TEXT_MAX], span[TIME_TEXT_MAX];
        const Approval *a = in->approval;

        (void) fprintf(f, "%s is over: its window ended at %s, %s ago", a->ticket,
                       time_format_rfc3339(a->not_after, until),
                       time_format_span(in->now > a->not_after ? in->now - a->not_after : 0, span));
}

static void put_other(FILE *f, const VerdictInput *in) {
        (void) fprintf(f, "%s is refused by this host's policy", in->approval->ticket);
}

/* Cuts at a character's beginning: half of one would not be UTF-8. */
static void shorten(char *text) {
        size_t n = strlen(text);

        if (n <= VERDICT_MESSAGE_MAX)
                return;
        n = VERDICT_MESSAGE_MAX;
        while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80)
                n--;
        text[n] = '\0';
}

char *verdict_message(const VerdictInput *in, const char *reason) {
        static const struct {
                const char *reason;
                void (*put)(FILE *f, const VerdictInput *in);
        } table[] = {
                        {"approved", put_approved},
                        {"ticket-pending", put_pending},
                        {"too-few-approvers", put_pending},
                        {"ticket-denied", put_ended},
                        {"ticket-closed", put_ended},
                        {"ticket-tampered", put_tampered},
                        {"approver-unknown", put_approver_unknown},
                        {"approver-revoked", put_approver_revoked},
                        {"self-approved", put_self_approved},
                        {"role-unknown", put_role_unknown},
                        {"not-requester", put_not_requester},
                        {"wrong-host", put_wrong_host},
                        {"too-early", put_too_early},
                        {"too-late", put_too_late},
                        {NULL, put_other},
        };
        char *text = NULL;
        size_t size, i = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        while (table[i].reason && !streq(table[i].reason, reason))
                i++;
        table[i].put(f, in);
        if (!table[i].reason)
                (void) fprintf(f, " (%s)", reason);
        if (fclose(f) != 0) {
                free(text);
                return NULL;
        }
        shorten(text);
        return text;
}
