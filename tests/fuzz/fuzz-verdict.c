/* SPDX-License-Identifier: Apache-2.0 */

/* jit-approverd's word. What passes must be safe in a file that sshd or sudo obeys. */

#include <stdlib.h>

#include "cleanup.h"
#include "json.h"
#include "name.h"
#include "strv.h"
#include "verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *s) {
        for (; s && *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        abort();
}

static void check(const Verdict *v) {
        check_line(v->title);
        check_line(v->message);
        check_line(v->digest);
        if (v->decision == DECISION_UNKNOWN)
                return;
        if (!v->requester) { /* nobody knows whom it is about: nothing of it may be used */
                if (!verdict_is_no_answer(v) || v->ticket || v->role || v->keys || v->commands || v->approvers)
                        abort();
                return;
        }
        if (ticket_id_parse(v->ticket, NULL) < 0 || !person_name_is_valid(v->requester) ||
            (v->role && !role_name_is_valid(v->role)))
                abort();
        if (v->decision == DECISION_ALLOW && (!v->role || v->not_after_usec == 0 || v->ttl_usec == 0))
                abort();
        STRV_FOREACH (k, v->keys) {
                check_line(*k);
                if (strpbrk(*k, "\"'#,") || (**k != 's' && **k != 'e'))
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *j = NULL;
        _cleanup_verdict_ Verdict v = {};

        if (json_parse_strict((const char *) data, size, JSON_MESSAGE_MAX, &j, NULL) < 0 || verdict_parse(j, &v) < 0)
                return 0;
        check(&v);
        (void) verdict_is_for(&v, "jit-chg1-alice");
        return 0;
}
