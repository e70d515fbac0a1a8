/* SPDX-License-Identifier: Apache-2.0 */

#include "cleanup.h"
#include "client.h"
#include "json.h"
#include "member.h"
#include "paths.h"
#include "text.h"
#include "varlink.h"

typedef struct ServiceInfo {
        const char *daemon, *socket_unit, *interface;
} ServiceInfo;

static const ServiceInfo services[] = {
                [SERVICE_REAPER] = {"jit-reaperd", "jit-reaperd.socket", "io.pamjit.Reaper"},
                [SERVICE_APPROVER] = {"jit-approverd", "jit-approverd.socket", "io.pamjit.Approver"},
};

/* What Varlink errors carry, of any of our interfaces. */
typedef struct ErrorDetail {
        char *id, *grant, *reason, *message, *field, *parameter, *method;
} ErrorDetail;

static const JsonField error_fields[] = {
                {"id", JSON_FIELD_STRING, offsetof(ErrorDetail, id), 256, 0},
                {"grant", JSON_FIELD_STRING, offsetof(ErrorDetail, grant), 256, 0},
                {"reason", JSON_FIELD_STRING, offsetof(ErrorDetail, reason), 256, 0},
                {"message", JSON_FIELD_TEXT, offsetof(ErrorDetail, message), 4096, 0},
                {"field", JSON_FIELD_STRING, offsetof(ErrorDetail, field), 256, 0},
                {"parameter", JSON_FIELD_STRING, offsetof(ErrorDetail, parameter), 256, 0},
                {"method", JSON_FIELD_STRING, offsetof(ErrorDetail, method), 256, 0},
                {0},
};

static void error_detail_done(ErrorDetail *d) {
        for (const JsonField *f = error_fields; f->name; f++)
                free(*(char **) ((char *) d + f->offset));
}

/* before DETAIL after, where DETAIL is the member at detail; a member that the daemon did not send leaves a gap that
 * still reads well. */
typedef struct ErrorMeaning {
        const char *name, *reason; /* reason: NULL for any */
        int status;
        size_t detail;
        const char *before, *after;
} ErrorMeaning;

#define NOT_ALLOWED "io.pamjit.Approver.NotAllowed"

static const ErrorMeaning meanings[] = {
                {"io.pamjit.Approver.NoSuchTicket", NULL, STATUS_NO, offsetof(ErrorDetail, id), "there is no ticket ",
                 " here that you may see; `jitctl ticket list` shows those you may"},
                {"io.pamjit.Approver.TicketExists", NULL, STATUS_NO, offsetof(ErrorDetail, id),
                 "there is already another ticket ", "; choose another id"},
                {"io.pamjit.Approver.BadTicket", NULL, STATUS_NO, offsetof(ErrorDetail, message),
                 "the ticket was refused: ", ""},
                {"io.pamjit.Approver.BadSignature", NULL, STATUS_NO, offsetof(ErrorDetail, message),
                 "the signature was refused: ", "; /etc/jit/approvers lists whose signatures count"},
                /* about the caller, and then about anything else */
                {NOT_ALLOWED, "not-requester", STATUS_FORBIDDEN, offsetof(ErrorDetail, message), "not allowed: ", ""},
                {NOT_ALLOWED, "approver-unknown", STATUS_FORBIDDEN, offsetof(ErrorDetail, message),
                 "not allowed: ", ""},
                {NOT_ALLOWED, "self-approved", STATUS_FORBIDDEN, offsetof(ErrorDetail, message), "not allowed: ", ""},
                {NOT_ALLOWED, "policy-denied", STATUS_FORBIDDEN, offsetof(ErrorDetail, message), "not allowed: ", ""},
                {NOT_ALLOWED, NULL, STATUS_NO, offsetof(ErrorDetail, message), "refused: ", ""},
                {"io.pamjit.Approver.TryAgain", NULL, STATUS_UNREACHABLE, offsetof(ErrorDetail, message),
                 "not now: ", "; try again"},
                {"io.pamjit.Reaper.NoSuchGrant", NULL, STATUS_NO, offsetof(ErrorDetail, grant),
                 "there is no live grant ", " that you may see; `jitctl list` shows those you may"},
                {"io.pamjit.Reaper.TryAgain", NULL, STATUS_UNREACHABLE, offsetof(ErrorDetail, message),
                 "not now: ", ""},
                {"io.pamjit.Reaper.Refused", NULL, STATUS_NO, offsetof(ErrorDetail, message), "refused: ", ""},
                {VARLINK_ERROR_PERMISSION_DENIED, NULL, STATUS_FORBIDDEN, offsetof(ErrorDetail, message),
                 "you are not permitted to do this", "; root and the people of the ticket or grant may"},
                {VARLINK_ERROR_INVALID_PARAMETER, NULL, STATUS_NO, offsetof(ErrorDetail, parameter),
                 "the daemon cannot read our ", "; are jitctl and the daemons of the same version?"},
                {VARLINK_ERROR_METHOD_NOT_FOUND, NULL, STATUS_NO, offsetof(ErrorDetail, method),
                 "the daemon does not know ", "; are jitctl and the daemons of the same version?"},
};

static const ErrorMeaning *find_meaning(const char *name, const char *reason) {
        for (size_t i = 0; i < ELEMENTSOF(meanings); i++)
                if (streq(meanings[i].name, name) &&
                    (!meanings[i].reason || (reason && streq(meanings[i].reason, reason))))
                        return meanings + i;
        return NULL;
}

/* before, "field: ", what the daemon said, " (reason-code)", after */
static int explain_varlink_error(const char *name, const json_t *parameters, ClientFailure *ret) {
        ErrorDetail detail = {0};
        const ErrorMeaning *m;
        const char *said, *field = NULL;
        char *why = NULL;
        int n;

        if (parameters && json_dispatch(parameters, error_fields, &detail, NULL) < 0) {
                error_detail_done(&detail); /* not as its interface says: then only the error's name is told */
                detail = (ErrorDetail){0};
        }
        m = find_meaning(name, detail.reason);
        said = m ? *(char **) ((char *) &detail + m->detail) : detail.message;
        if (said && detail.field && strncmp(said, detail.field, strlen(detail.field)) != 0)
                field = detail.field;
        n = asprintf(&why, "%s%s%s%s%s%s%s%s%s%s", m ? m->before : "the daemon answered ", m ? "" : name,
                     m || !said ? "" : ": ", field ? field : "", field ? ": " : "", said ? said : "",
                     detail.reason ? " (" : "", detail.reason ? detail.reason : "", detail.reason ? ")" : "",
                     m ? m->after : "");
        ret->why = n < 0 ? NULL : why;
        ret->reason = take_ptr(detail.reason);
        error_detail_done(&detail);
        return m ? m->status : STATUS_NO;
}

static int explain_errno(const ServiceInfo *s, const char *path, int error, uint64_t timeout_usec, char **ret_why) {
        char span[TIME_TEXT_MAX];
        int status = STATUS_UNREACHABLE, n;
        char *why = NULL;

        switch (error) {
        case -EACCES:
        case -EPERM:
                n = asprintf(&why, "you may not talk to %s at %s: %s", s->daemon, path, strerror(-error));
                status = STATUS_FORBIDDEN;
                break;
        case -ETIMEDOUT:
                n = asprintf(&why, "%s did not answer within %s; see `journalctl -u %s`", s->daemon,
                             time_format_span(timeout_usec, span), s->daemon);
                break;
        case -ECONNRESET:
        case -EPIPE:
                n = asprintf(&why, "%s hung up without an answer; see `journalctl -u %s`", s->daemon, s->daemon);
                break;
        case -EBADMSG:
        case -ELOOP:
        case -EPROTO:
                n = asprintf(&why, "what answers at %s does not speak Varlink as %s does", path, s->daemon);
                break;
        case -EMSGSIZE:
                n = asprintf(&why, "a message from or for %s is longer than is allowed", s->daemon);
                status = STATUS_NO;
                break;
        default:
                n = asprintf(&why, "cannot reach %s at %s: %s; is %s started?", s->daemon, path, strerror(-error),
                             s->socket_unit);
        }
        *ret_why = n < 0 ? NULL : why;
        return status;
}

void client_failure_done(ClientFailure *failure) {
        free(failure->error);
        free(failure->reason);
        free(failure->why);
        *failure = (ClientFailure){0};
}

/* Until the answer that nothing follows. The first sentence says until when it may take. */
static int await_answer(VarlinkPeer *peer, uint64_t timeout_usec, client_sentence_t say, bool continues,
                        json_t **answer, char **error) {
        bool extended = false;
        int r = 0;

        while (r >= 0 && continues) {
                const char *message = member_text(*answer, "message");
                uint64_t now = now_usec(CLOCK_REALTIME), until = now, left;

                if (message)
                        say(message);
                if (!extended) {
                        (void) member_uint(*answer, "until", &until);
                        left = until <= now ? 0 : until - now < WAIT_MAX_USEC ? until - now : WAIT_MAX_USEC;
                        varlink_peer_set_deadline(peer, now_usec(CLOCK_BOOTTIME) + left + timeout_usec, false);
                        extended = true;
                }
                json_decref(take_ptr(*answer));
                r = varlink_next(peer, answer, error, &continues);
        }
        return r;
}

int client_wait(const Ctl *ctl, Service service, const char *method, json_t *parameters, uint64_t timeout_usec,
                client_sentence_t say, json_t **ret, ClientFailure *ret_failure) {
        const ServiceInfo *s = services + service;
        const char *path = service == SERVICE_REAPER ? ctl->reaper_socket : ctl->approver_socket;
        _cleanup_free_ char *name = NULL, *error = NULL;
        _cleanup_json_ json_t *call = parameters, *answer = NULL;
        VarlinkPeer *peer = NULL;
        bool continues = false;
        int r;

        if (asprintf(&name, "%s.%s", s->interface, method) < 0) {
                name = NULL;
                return STATUS_NO;
        }
        r = varlink_dial(path, now_usec(CLOCK_BOOTTIME) + timeout_usec, &peer);
        if (r >= 0)
                r = varlink_call_more(peer, name, take_ptr(call), &answer, &error, say ? &continues : NULL);
        if (r >= 0)
                r = await_answer(peer, timeout_usec, say, continues, &answer, &error);
        (void) varlink_peer_free(peer);
        if (r == -EREMOTEIO) {
                int status = explain_varlink_error(error ? error : "an error without a name", answer, ret_failure);

                ret_failure->error = take_ptr(error);
                return status;
        }
        if (r < 0)
                return explain_errno(s, path, r, timeout_usec, &ret_failure->why);
        *ret = take_ptr(answer);
        return STATUS_OK;
}

int client_try(const Ctl *ctl, Service service, const char *method, json_t *parameters, uint64_t timeout_usec,
               json_t **ret, char **ret_why) {
        JIT_CLEANUP(client_failure_done) ClientFailure failure = {0};
        int status = client_wait(ctl, service, method, parameters, timeout_usec, NULL, ret, &failure);

        *ret_why = take_ptr(failure.why);
        return status;
}

int client_call(const Ctl *ctl, Service service, const char *method, json_t *parameters, uint64_t timeout_usec,
                json_t **ret) {
        _cleanup_free_ char *why = NULL;
        int status = client_try(ctl, service, method, parameters, timeout_usec, ret, &why);

        if (status != STATUS_OK)
                return why ? say_error(status, "%s", why) : say_no_memory();
        return STATUS_OK;
}

int client_dispatch(Service service, const json_t *answer, const struct JsonField *table, void *target) {
        const char *field = NULL;
        int r = json_dispatch(answer, table, target, &field);

        if (r == -ENOMEM)
                return say_no_memory();
        if (r < 0)
                return say_error(STATUS_NO,
                                 "cannot read the answer of %s: member \"%s\": %s; are jitctl and the daemon of the "
                                 "same version?",
                                 services[service].daemon, field ? field : "", strerror(-r));
        return STATUS_OK;
}
