/* SPDX-License-Identifier: Apache-2.0 */

#include "client.h"
#include "fetched.h"
#include "input.h"
#include "json.h"

static const JsonField answer_fields[] = {
                {"document", JSON_FIELD_OBJECT, offsetof(Fetched, document), 0, JSON_REQUIRED},
                {"canonical", JSON_FIELD_TEXT, offsetof(Fetched, canonical), TICKET_CANONICAL_MAX, JSON_REQUIRED},
                {"state", JSON_FIELD_STRING, offsetof(Fetched, state), 64, JSON_REQUIRED},
                {0},
};

typedef struct Document {
        json_t *ticket, *approvals;
        char *state, *state_by, *state_at, *state_reason;
} Document;

static const JsonField document_fields[] = {
                {"ticket", JSON_FIELD_OBJECT, offsetof(Document, ticket), 0, JSON_REQUIRED},
                {"approvals", JSON_FIELD_ARRAY, offsetof(Document, approvals), 0, 0},
                {"state", JSON_FIELD_STRING, offsetof(Document, state), 64, 0},
                {"state_by", JSON_FIELD_STRING, offsetof(Document, state_by), 64, 0},
                {"state_at", JSON_FIELD_STRING, offsetof(Document, state_at), 64, 0},
                {"state_reason", JSON_FIELD_TEXT, offsetof(Document, state_reason), 4096, 0},
                {0},
};

static const JsonField approval_fields[] = {
                {"approver", JSON_FIELD_STRING, offsetof(Approval, approver), 64, JSON_REQUIRED},
                {"at", JSON_FIELD_STRING, offsetof(Approval, at), 64, JSON_REQUIRED},
                {"signature", JSON_FIELD_TEXT, offsetof(Approval, signature), 64 * 1024, JSON_REQUIRED},
                {0},
};

static void document_done(Document *d) {
        json_decref(d->ticket);
        json_decref(d->approvals);
        free(d->state);
        free(d->state_by);
        free(d->state_at);
        free(d->state_reason);
}

static void approval_done(Approval *a) {
        free(a->approver);
        free(a->at);
        free(a->signature);
}

void fetched_done(Fetched *f) {
        json_decref(f->answer);
        json_decref(f->document);
        json_decref(f->approvals);
        free(f->canonical);
        free(f->state);
        free(f->state_by);
        free(f->state_at);
        free(f->state_reason);
        ticket_view_free(f->view);
}

/* Takes the document apart; what is signed and shown is canonical, which the document's ticket must say as well. */
static int read_document(Fetched *f, const char *id, const char *where) {
        JIT_CLEANUP(document_done) Document d = {0};
        _cleanup_free_ char *canonical = NULL;
        char why[TICKET_WHY_MAX];
        const char *field = NULL;
        int r = json_dispatch(f->document, document_fields, &d, &field);

        if (r < 0)
                return say_error(STATUS_NO, "%s: not a ticket document: member \"%s\": %s", where, field ? field : "",
                                 strerror(-r));
        canonical = json_canonical(d.ticket);
        if (!canonical)
                return say_no_memory();
        if (!f->canonical)
                f->canonical = take_ptr(canonical);
        else if (!streq(f->canonical, canonical))
                return say_error(STATUS_NO, "%s: the ticket and the text to sign differ", where);
        r = ticket_view_new(f->canonical, id, &f->view, why);
        if (r < 0)
                return r == -ENOMEM ? say_no_memory() : say_error(STATUS_NO, "%s: %s", where, why);
        if (!f->state)
                f->state = take_ptr(d.state);
        f->state_by = take_ptr(d.state_by);
        f->state_at = take_ptr(d.state_at);
        f->state_reason = take_ptr(d.state_reason);
        f->approvals = take_ptr(d.approvals);
        return STATUS_OK;
}

int fetched_from_service(const Ctl *ctl, const char *id, Fetched *ret) {
        int status = client_call(ctl, SERVICE_APPROVER, "GetTicket", json_pack("{s:s}", "id", id), CALL_USEC,
                                 &ret->answer);

        if (status == STATUS_OK)
                status = client_dispatch(SERVICE_APPROVER, ret->answer, answer_fields, ret);
        return status == STATUS_OK ? read_document(ret, id, "jit-approverd") : status;
}

int fetched_from_file(const char *path, const char *id, Fetched *ret) {
        _cleanup_free_ char *text = NULL;
        char why[JSON_WHY_MAX];
        int r = input_read(path, TICKET_FILE_MAX, &text);

        if (r < 0)
                return say_error(STATUS_NO, "%s: %s", path, strerror(-r));
        r = json_parse_strict(text, strlen(text), TICKET_FILE_MAX, &ret->document, why);
        if (r < 0)
                return say_error(STATUS_NO, "%s: not a ticket document: %s", path, why);
        return read_document(ret, id, path);
}

Color state_color(const char *state) {
        static const struct {
                const char *state;
                Color color;
        } colors[] = {
                        {"approved", COLOR_GOOD}, {"active", COLOR_GOOD}, {"allow", COLOR_GOOD},
                        {"pending", COLOR_WAIT},  {"open", COLOR_WAIT},   {"reserved", COLOR_WAIT},
                        {"denied", COLOR_BAD},    {"refuse", COLOR_BAD},  {"revoking", COLOR_BAD},
                        {"closed", COLOR_FAINT},  {"unknown", COLOR_BAD}, {"expired", COLOR_FAINT},
        };

        for (size_t i = 0; state && i < ELEMENTSOF(colors); i++)
                if (streq(state, colors[i].state))
                        return colors[i].color;
        return COLOR_NONE;
}

int fetched_print(const Fetched *fetched, FILE *f, bool colors) {
        JIT_CLEANUP(table_freep) Table *t = table_new(NULL);
        json_t *approval;
        size_t i;

        if (!t)
                return say_no_memory();
        ticket_view_show(fetched->view, t);
        table_pair(t, "State", fetched->state, state_color(fetched->state));
        if (fetched->state_by)
                table_pairf(t, "", COLOR_NONE, "by %s%s%s%s%s", fetched->state_by, fetched->state_at ? " at " : "",
                            fetched->state_at ? fetched->state_at : "", fetched->state_reason ? ": " : "",
                            fetched->state_reason ? fetched->state_reason : "");
        json_array_foreach(fetched->approvals, i, approval) {
                JIT_CLEANUP(approval_done) Approval a = {0};

                if (json_dispatch(approval, approval_fields, &a, NULL) < 0)
                        return say_error(STATUS_NO, "approval %zu of the document is not one", i + 1);
                table_pairf(t, i == 0 ? "Approvals" : "", COLOR_NONE, "%s at %s", a.approver, a.at);
        }
        return table_print(t, f, colors) < 0 ? say_error(STATUS_NO, "cannot write the answer") : STATUS_OK;
}
