/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>

#include "json.h"
#include "name.h"
#include "strv.h"
#include "timefmt.h"
#include "verdict.h"

enum {
        KEY_MAX = 16 * 1024,
        KEYS_TOTAL_MAX = 64 * 1024, /* a record with all of them stays readable (JSON_MESSAGE_MAX) */
        PROVIDER_NAME_MAX = 31,
};
/* Wider than a provider's file may say; what is asked more often would keep us from everything else. */
#define RECHECK_MIN_USEC USEC_PER_SEC
#define RECHECK_MAX_USEC (12 * USEC_PER_HOUR)
#define GRACE_MAX_USEC (31 * 24 * USEC_PER_HOUR)

static bool reason_is_valid(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz-");

        return n > 0 && n <= 40 && s[n] == 0;
}

static bool provider_name_is_valid(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return s[0] >= 'a' && s[0] <= 'z' && n <= PROVIDER_NAME_MAX && s[n] == 0;
}

static int check_names(const Verdict *v) {
        if (!v->ticket || !v->requester || ticket_id_parse(v->ticket, NULL) < 0 || !person_name_is_valid(v->requester))
                return -EINVAL;
        if (v->role ? !role_name_is_valid(v->role) : v->decision == DECISION_ALLOW)
                return -EINVAL;
        STRV_FOREACH(a, v->approvers)
                if (!person_name_is_valid(*a))
                        return -EINVAL;
        return 0;
}

/* Keys become lines of a file that sshd obeys: only "type base64" is taken over, without options and comments. */
static int normalize_keys(Verdict *v) {
        _cleanup_strv_ char **clean = NULL;
        _cleanup_free_ char *key = malloc(KEY_MAX);
        size_t total = 0;

        if (!key)
                return -ENOMEM;
        STRV_FOREACH(k, v->keys) {
                int r = ssh_key_parse(*k, key, KEY_MAX);
                if (r < 0)
                        return r;
                total += strlen(key);
                if (total > KEYS_TOTAL_MAX)
                        return -ERANGE;
                r = strv_extend(&clean, key);
                if (r < 0)
                        return r;
        }
        strv_free(v->keys);
        v->keys = take_ptr(clean);
        return 0;
}

/* Without a requester nobody's account is meant: what else it says is of no use, and not looked at. */
static void drop_unchecked(Verdict *v) {
        free(take_ptr(v->ticket));
        free(take_ptr(v->title));
        free(take_ptr(v->role));
        free(take_ptr(v->digest));
        v->approvers = strv_free(v->approvers);
        v->commands = strv_free(v->commands);
        v->keys = strv_free(v->keys);
}

static int check(Verdict *v) {
        static const struct {
                const char *text;
                VerdictDecision decision;
        } decisions[] = {{"allow", DECISION_ALLOW}, {"refuse", DECISION_REFUSE}, {"unknown", DECISION_UNKNOWN}};
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(decisions); i++)
                if (streq(v->decision_text, decisions[i].text)) {
                        v->decision = decisions[i].decision;
                        found = true;
                }
        if (!found || !reason_is_valid(v->reason) || (v->provider && !provider_name_is_valid(v->provider)))
                return -EINVAL;
        if ((v->recheck_usec > 0 && v->recheck_usec < RECHECK_MIN_USEC) || v->recheck_usec > RECHECK_MAX_USEC ||
            (v->grace_usec > GRACE_MAX_USEC && v->grace_usec != USEC_INFINITY))
                return -ERANGE;
        if (v->decision == DECISION_UNKNOWN)
                return 0; /* nobody to be told */
        if (verdict_is_no_answer(v) && !v->requester) {
                drop_unchecked(v);
                return 0;
        }
        if (v->decision == DECISION_ALLOW && (v->not_after_usec == 0 || v->ttl_usec == 0))
                return -EINVAL;
        int r = check_names(v);
        return r < 0 ? r : normalize_keys(v);
}

int verdict_parse(const json_t *object, Verdict *ret) {
        static const JsonField table[] = {
                {"decision", JSON_FIELD_STRING, offsetof(Verdict, decision_text), 16, JSON_REQUIRED},
                {"reason", JSON_FIELD_STRING, offsetof(Verdict, reason), 40, JSON_REQUIRED},
                {"message", JSON_FIELD_STRING, offsetof(Verdict, message), 1024, JSON_REQUIRED},
                {"ticket", JSON_FIELD_STRING, offsetof(Verdict, ticket), TICKET_ID_MAX, 0},
                {"title", JSON_FIELD_STRING, offsetof(Verdict, title), 512, 0},
                {"requester", JSON_FIELD_STRING, offsetof(Verdict, requester), PERSON_NAME_MAX, 0},
                {"role", JSON_FIELD_STRING, offsetof(Verdict, role), ROLE_NAME_MAX, 0},
                {"approvers", JSON_FIELD_STRV, offsetof(Verdict, approvers), PERSON_NAME_MAX, 0},
                {"notBefore", JSON_FIELD_UINT, offsetof(Verdict, not_before_usec), INT64_MAX, 0},
                {"notAfter", JSON_FIELD_UINT, offsetof(Verdict, not_after_usec), INT64_MAX, 0},
                {"ttlUSec", JSON_FIELD_UINT, offsetof(Verdict, ttl_usec), INT64_MAX, 0},
                {"commands", JSON_FIELD_STRV, offsetof(Verdict, commands), 1024, 0},
                {"sshKeys", JSON_FIELD_STRV, offsetof(Verdict, keys), KEY_MAX, 0},
                {"digest", JSON_FIELD_STRING, offsetof(Verdict, digest), 128, 0},
                {"provider", JSON_FIELD_STRING, offsetof(Verdict, provider), PROVIDER_NAME_MAX, 0},
                {"recheckUSec", JSON_FIELD_UINT, offsetof(Verdict, recheck_usec), INT64_MAX, 0},
                {"graceUSec", JSON_FIELD_UINT, offsetof(Verdict, grace_usec), INT64_MAX, 0},
                {"comments", JSON_FIELD_BOOL, offsetof(Verdict, comments), 0, 0},
                {},
        };
        Verdict v = {.grace_usec = USEC_INFINITY};
        int r = json_dispatch(object, table, &v, NULL);

        if (r >= 0)
                r = check(&v);
        if (r < 0) {
                verdict_done(&v);
                return r;
        }
        *ret = v;
        return 0;
}

bool verdict_is_for(const Verdict *v, const char *account) {
        const char *rest = account + strlen(ACCOUNT_PREFIX);
        char ticket[TICKET_ID_MAX + 1];
        size_t n;

        if (!v->ticket || !v->requester || ticket_id_parse(v->ticket, ticket) < 0)
                return false;
        n = strlen(ticket);
        return strncmp(account, ACCOUNT_PREFIX, strlen(ACCOUNT_PREFIX)) == 0 && strncmp(rest, ticket, n) == 0 &&
               (rest[n] == 0 || (rest[n] == '-' && streq(rest + n + 1, v->requester)));
}

bool verdict_is_no_answer(const Verdict *v) {
        return v->decision != DECISION_ALLOW && (strncmp(v->reason, "provider-", strlen("provider-")) == 0 ||
                                                 streq(v->reason, "rate-limited") || streq(v->reason, "try-again"));
}

void verdict_done(Verdict *v) {
        free(v->decision_text);
        free(v->reason);
        free(v->message);
        free(v->ticket);
        free(v->title);
        free(v->requester);
        free(v->role);
        free(v->digest);
        free(v->provider);
        strv_free(v->approvers);
        strv_free(v->commands);
        strv_free(v->keys);
        *v = (Verdict){};
}
