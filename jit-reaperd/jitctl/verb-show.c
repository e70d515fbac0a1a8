/* SPDX-License-Identifier: Apache-2.0 */

#include "chain.h"
#include "cleanup.h"
#include "client.h"
#include "json.h"
#include "live-grant.h"

typedef struct ShowAnswer {
        json_t *grant;
} ShowAnswer;

static const JsonField show_fields[] = {
                {"grant", JSON_FIELD_OBJECT, offsetof(ShowAnswer, grant), 0, JSON_REQUIRED},
                {0},
};

static int show_live(const Ctl *ctl, const json_t *reply) {
        ShowAnswer answer = {0};
        int status = client_dispatch(SERVICE_REAPER, reply, show_fields, &answer);

        if (status == STATUS_OK)
                status = ctl->json ? say_json(answer.grant)
                                   : live_grant_print(answer.grant, color_wanted(stdout, ctl->no_color));
        json_decref(answer.grant);
        return status;
}

static const char *refusal(const Chain *c, const char *name) {
        const char *value = json_string_value(json_object_get(c->refusal, name));

        return value ? value : "?";
}

/* There is no live grant, for the reason why. */
static int show_past(const Ctl *ctl, const char *wanted, int status, const char *why) {
        JIT_CLEANUP(chain_done) Chain chain = {0};
        int r = chain_find(ctl, wanted, &chain);

        if (r >= 0) {
                if (status != STATUS_NO)
                        say_warning("%s", why);
                return ctl->json ? say_json(chain.lines) : chain_print(ctl, &chain);
        }
        (void) say_error(status, "%s", why);
        if (r == -ENOENT && chain.refusal)
                return say_error(status, "its last login was refused at %s: %s", refusal(&chain, "time"),
                                 refusal(&chain, "reason"));
        if (r == -EACCES)
                return say_error(status,
                                 "receipts of grants that are over are in %s/audit.jsonl, which you may not read",
                                 ctl->state_dir);
        if (r != -ENOENT)
                return say_error(status, "%s/audit.jsonl: %s", ctl->state_dir, strerror(-r));
        return status;
}

static int verb_show(const Ctl *ctl, char *const *args, const void *options) {
        _cleanup_json_ json_t *reply = NULL;
        _cleanup_free_ char *why = NULL;
        int status = client_try(ctl, SERVICE_REAPER, "GetGrant", json_pack("{s:s}", "grant", args[0]), CALL_USEC,
                                &reply, &why);

        (void) options;
        if (status == STATUS_OK)
                return show_live(ctl, reply);
        return why ? show_past(ctl, args[0], status, why) : say_no_memory();
}

const Verb verbs_show[] = {
                {"show", "GRANT", 1, 1, "A live grant, or the receipt of one that is over", NULL, 0,
                 "GRANT is a grant's id, or an account or ticket and then means its last grant. --json prints a live "
                 "grant as\n"
                 "jit-reaperd describes it, and for one that is over the array of its lines in the audit file.\n\n"
                 "Example: the proof that nothing is left\n"
                 "  sudo jitctl show CHG0012345\n",
                 verb_show},
                {0},
};
