/* SPDX-License-Identifier: Apache-2.0 */

#include "json.h"
#include "reaper-call.h"

#define REAPER_INTERFACE "io.pamjit.Reaper"

/* A longer message is no message of ours; what is shown of it is cut further, by text_for_terminal(). */
enum { REASON_MAX = 64, MESSAGE_MAX = 8192 };

void reaper_verdict_done(ReaperVerdict *v) {
        free(v->reason);
        free(v->message);
        *v = (ReaperVerdict){};
}

void reaper_session_done(ReaperSession *s) {
        s->peer = varlink_peer_free(s->peer);
        json_decref(s->pam_data);
        json_decref(s->env);
        s->pam_data = s->env = NULL;
        reaper_verdict_done(&s->refusal);
}

static json_t *call_parameters(const ReaperCall *c) {
        _cleanup_json_ json_t *p = json_object();

        if (!p || json_set_str(p, "account", c->account) < 0 || json_set_str(p, "service", c->service ?: "") < 0 ||
            json_set_str(p, "rhost", c->rhost) < 0 || json_set_str(p, "tty", c->tty) < 0 ||
            json_set_str(p, "ruser", c->ruser) < 0)
                return NULL;
        return take_ptr(p);
}

/* error Refused and error TryAgain: a no with a sentence. Any other error is no answer to our question. */
static int refusal_from_error(const char *error, const json_t *parameters, ReaperVerdict *ret) {
        static const JsonField table[] = {
                        {"reason", JSON_FIELD_STRING, offsetof(ReaperVerdict, reason), REASON_MAX, JSON_REQUIRED},
                        {"message", JSON_FIELD_TEXT, offsetof(ReaperVerdict, message), MESSAGE_MAX, JSON_REQUIRED},
                        {},
        };

        if (!error || (!streq(error, REAPER_INTERFACE ".Refused") && !streq(error, REAPER_INTERFACE ".TryAgain")))
                return -EREMOTEIO;
        if (json_dispatch(parameters, table, ret, NULL) < 0) {
                reaper_verdict_done(ret);
                return -EREMOTEIO;
        }
        return -EACCES;
}

/* One connection, one call. On success the connection is the caller's. */
static int reaper_ask(const ReaperCall *c, const char *method, VarlinkPeer **ret_peer, json_t **ret_answer,
                      ReaperVerdict *ret_refusal) {
        _cleanup_json_ json_t *parameters = NULL, *answer = NULL;
        _cleanup_free_ char *error = NULL;
        VarlinkPeer *peer = NULL;
        int r;

        parameters = call_parameters(c);
        if (!parameters)
                return -ENOMEM;
        r = varlink_dial(c->socket, c->deadline_usec, &peer);
        if (r < 0)
                return r;
        r = varlink_call(peer, method, take_ptr(parameters), &answer, &error);
        if (r == -EREMOTEIO)
                r = refusal_from_error(error, answer, ret_refusal);
        if (r < 0) {
                varlink_peer_free(peer);
                return r;
        }
        *ret_peer = peer;
        *ret_answer = take_ptr(answer);
        return 0;
}

int reaper_authorize(const ReaperCall *call, ReaperVerdict *ret) {
        struct answer {
                ReaperVerdict verdict;
                uint64_t until;
        };
        static const JsonField table[] = {
                        {"allow", JSON_FIELD_BOOL, offsetof(struct answer, verdict.allow), 0, JSON_REQUIRED},
                        {"reason", JSON_FIELD_STRING, offsetof(struct answer, verdict.reason), REASON_MAX,
                         JSON_REQUIRED},
                        {"message", JSON_FIELD_TEXT, offsetof(struct answer, verdict.message), MESSAGE_MAX,
                         JSON_REQUIRED},
                        {"until", JSON_FIELD_UINT, offsetof(struct answer, until), INT64_MAX, 0},
                        {},
        };
        _cleanup_json_ json_t *parameters = NULL;
        struct answer a = {};
        VarlinkPeer *peer = NULL;
        int r;

        r = reaper_ask(call, REAPER_INTERFACE ".Authorize", &peer, &parameters, &a.verdict);
        varlink_peer_free(peer);
        if (r == 0)
                r = json_dispatch(parameters, table, &a, NULL);
        else if (r == -EACCES)
                r = 0; /* refused: allow is still false */
        if (r < 0) {
                reaper_verdict_done(&a.verdict);
                return r;
        }
        *ret = a.verdict;
        return 0;
}

int reaper_open_session(const ReaperCall *call, ReaperSession *ret) {
        struct answer {
                ReaperSession session;
                uint64_t number, until;
                char *home;
        };
        static const JsonField table[] = {
                        {"session", JSON_FIELD_UINT, offsetof(struct answer, number), INT64_MAX, JSON_REQUIRED},
                        {"home", JSON_FIELD_STRING, offsetof(struct answer, home), 255, JSON_REQUIRED},
                        {"until", JSON_FIELD_UINT, offsetof(struct answer, until), INT64_MAX, JSON_REQUIRED},
                        {"pamData", JSON_FIELD_OBJECT, offsetof(struct answer, session.pam_data), 0, JSON_REQUIRED},
                        {"env", JSON_FIELD_OBJECT, offsetof(struct answer, session.env), 0, JSON_REQUIRED},
                        {},
        };
        _cleanup_json_ json_t *parameters = NULL;
        struct answer a = {};
        int r;

        r = reaper_ask(call, REAPER_INTERFACE ".OpenSession", &a.session.peer, &parameters, &a.session.refusal);
        if (r == 0)
                r = json_dispatch(parameters, table, &a, NULL);
        free(a.home);
        if (r < 0 && r != -EACCES)
                reaper_session_done(&a.session);
        else
                *ret = a.session;
        return r;
}
