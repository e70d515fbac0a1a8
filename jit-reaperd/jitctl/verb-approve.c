/* SPDX-License-Identifier: Apache-2.0 */

/* `jitctl ticket approve`. The signature says: "I have read this". So the order is fixed: get the bytes, check that
 * they are what their form promises, show them, ask, sign these very bytes. */

#include <time.h>

#include "client.h"
#include "fetched.h"
#include "input.h"
#include "json.h"
#include "name.h"
#include "sign.h"
#include "timefmt.h"
#include "verb-ticket.h"

const Option approve_options[] = {
                {"key", OPTION_STRING, offsetof(ApproveOptions, key), 'k', "FILE",
                 "private key, or public one whose private part an agent has"},
                {"as", OPTION_STRING, offsetof(ApproveOptions, as), 0, "NAME",
                 "your name in /etc/jit/approvers; default: your login"},
                {"yes", OPTION_BOOL, offsetof(ApproveOptions, yes), 'y', NULL, "do not ask"},
                {"file", OPTION_STRING, offsetof(ApproveOptions, file), 'f', "DOC",
                 "approve an exported document, ask no service"},
                {"output", OPTION_STRING, offsetof(ApproveOptions, output), 'o', "FILE",
                 "with --file: write there; default: to DOC itself"},
                {0},
};

const char approve_help[] =
                "The ticket is shown before it is signed. On a terminal you are asked; a script is not. Passphrases, "
                "agents and\n"
                "FIDO keys work as they do for ssh(1). Your key must be in /etc/jit/approvers of the host.\n\n"
                "Example: with the service, and by a file that travelled here\n"
                "  jitctl ticket approve CHG0012345 --key ~/.ssh/id_ed25519_sk\n"
                "  jitctl ticket approve --file CHG0012345.json\n";

/* A private key file if there is one, else the public part of one that an agent may hold. */
static int find_key(const ApproveOptions *o, char **ret) {
        if (o->key) {
                *ret = strdup(o->key);
                return *ret ? STATUS_OK : say_no_memory();
        }
        if (key_find("", ret) < 0 || (!*ret && key_find(".pub", ret) < 0))
                return say_no_memory();
        if (!*ret)
                return say_error(STATUS_USAGE,
                                 "there is no key in your ~/.ssh: give --key FILE, private, or public with an agent");
        return STATUS_OK;
}

static int find_approver(const ApproveOptions *o, char **ret) {
        *ret = o->as ? strdup(o->as) : caller_name();
        if (!*ret)
                return say_error(STATUS_USAGE, "your user id has no name: give --as");
        if (!person_name_is_valid(*ret))
                return say_error(STATUS_USAGE, "%s: not an approver's name", *ret);
        return STATUS_OK;
}

/* Shows, asks, signs. */
static int sign_shown(const Ctl *ctl, const ApproveOptions *o, const Fetched *f, char **ret_signature) {
        _cleanup_free_ char *key = NULL;
        int status, r;

        status = find_key(o, &key);
        if (status == STATUS_OK)
                status = fetched_print(f, stderr, color_wanted(stderr, ctl->no_color));
        if (status != STATUS_OK)
                return status;
        if (!o->yes && !input_confirm("Approve this ticket?"))
                return say_error(STATUS_NO, "not approved, nothing was signed");
        r = sign_text(key, f->view->canonical, ret_signature);
        if (r == -EKEYREJECTED)
                return say_error(STATUS_NO, "ssh-keygen did not sign with %s; nothing was approved", key);
        if (r < 0)
                return say_error(STATUS_NO, "cannot run ssh-keygen: %s", strerror(-r));
        return STATUS_OK;
}

typedef struct ApprovalAnswer {
        char *state;
        uint64_t approvals, needed;
} ApprovalAnswer;

static const JsonField approval_answer_fields[] = {
                {"state", JSON_FIELD_STRING, offsetof(ApprovalAnswer, state), 64, JSON_REQUIRED},
                {"approvals", JSON_FIELD_UINT, offsetof(ApprovalAnswer, approvals), 1000, JSON_REQUIRED},
                {"needed", JSON_FIELD_UINT, offsetof(ApprovalAnswer, needed), 1000, JSON_REQUIRED},
                {0},
};

static int send_approval(const Ctl *ctl, const char *id, const char *approver, const char *signature) {
        _cleanup_json_ json_t *reply = NULL;
        ApprovalAnswer answer = {0};
        int status = client_call(ctl, SERVICE_APPROVER, "AddApproval",
                                 json_pack("{s:s, s:s, s:s}", "id", id, "approver", approver, "signature", signature),
                                 CALL_USEC, &reply);

        if (status == STATUS_OK)
                status = client_dispatch(SERVICE_APPROVER, reply, approval_answer_fields, &answer);
        if (status == STATUS_OK && ctl->json)
                status = say_json(reply);
        else if (status == STATUS_OK)
                say_line("%s approved by %s: %s, %ju of %ju", id, approver, answer.state, (uintmax_t) answer.approvals,
                         (uintmax_t) answer.needed);
        free(answer.state);
        return status;
}

static bool is_by(const json_t *approval, const char *approver) {
        const char *name = json_string_value(json_object_get(approval, "approver"));

        return name && streq(name, approver);
}

/* In place of an earlier approval by the same person. */
static int add_to_document(json_t *document, const char *approver, const char *signature) {
        json_t *approvals = json_object_get(document, "approvals");
        char at[TIME_TEXT_MAX];

        if (!json_is_array(approvals)) {
                approvals = json_array();
                if (json_object_set_new(document, "approvals", approvals) < 0)
                        return -ENOMEM;
        }
        for (size_t i = json_array_size(approvals); i-- > 0;)
                if (is_by(json_array_get(approvals, i), approver))
                        (void) json_array_remove(approvals, i);
        (void) time_format_rfc3339(now_usec(CLOCK_REALTIME), at);
        return json_array_append_new(approvals, json_pack("{s:s, s:s, s:s}", "approver", approver, "at", at,
                                                          "signature", signature)) < 0
                               ? -ENOMEM
                               : 0;
}

static int approve_file(const Ctl *ctl, const ApproveOptions *o, const char *id, const char *approver) {
        _cleanup_free_ char *signature = NULL;
        JIT_CLEANUP(fetched_done) Fetched f = {0};
        const char *output = o->output ? o->output : o->file;
        int status, r;

        status = fetched_from_file(o->file, id, &f);
        if (status == STATUS_OK)
                status = sign_shown(ctl, o, &f, &signature);
        if (status != STATUS_OK)
                return status;
        r = add_to_document(f.document, approver, signature);
        if (r >= 0)
                r = output_document(output, f.document);
        if (r < 0)
                return say_error(STATUS_NO, "%s: %s", output, strerror(-r));
        if (streq(output, "-"))
                return STATUS_OK;
        if (ctl->json)
                return say_json(f.document);
        say_line("%s approved by %s in %s", f.view->id, approver, output);
        say_hint("Where jit-approverd runs: jitctl ticket import %s", output);
        return STATUS_OK;
}

int verb_ticket_approve(const Ctl *ctl, char *const *args, const void *options) {
        const ApproveOptions *o = options;
        _cleanup_free_ char *approver = NULL, *signature = NULL;
        JIT_CLEANUP(fetched_done) Fetched f = {0};
        int status;

        if (!args[0] && !o->file)
                return say_error(STATUS_USAGE, "which ticket? Give its id, or --file DOC");
        if (o->output && !o->file)
                return say_error(STATUS_USAGE, "--output goes with --file");
        status = find_approver(o, &approver);
        if (status != STATUS_OK)
                return status;
        if (o->file)
                return approve_file(ctl, o, args[0], approver);
        status = fetched_from_service(ctl, args[0], &f);
        if (status == STATUS_OK)
                status = sign_shown(ctl, o, &f, &signature);
        return status == STATUS_OK ? send_approval(ctl, f.view->id, approver, signature) : status;
}
