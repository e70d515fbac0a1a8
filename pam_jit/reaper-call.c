/* SPDX-License-Identifier: Apache-2.0 */

#include "json.h"
#include "login-uid.h"
#include "reaper-call.h"
#include "timefmt.h"

#define REAPER_INTERFACE "io.pamjit.Reaper"

/* A longer message is no message of ours; what is shown of it is cut further, by text_for_terminal(). */
enum { REASON_MAX = 64, MESSAGE_MAX = 8192, DECISION_MAX = 64 };

/* Far more than one every 10 s. */
enum { SENTENCES_MAX = 64 };

void reaper_verdict_done(ReaperVerdict *v) {
        free(v->reason);
        free(v->message);
        free(v->decision);
        *v = (ReaperVerdict){};
}

void reaper_session_done(ReaperSession *s) {
        s->peer = varlink_peer_free(s->peer);
        json_decref(s->pam_data);
        json_decref(s->env);
        s->pam_data = s->env = NULL;
        free(take_ptr(s->unit));
        reaper_verdict_done(&s->refusal);
}

static json_t *call_parameters(const ReaperCall *c) {
        _cleanup_json_ json_t *p = json_object();

        if (!p || json_set_str(p, "account", c->account) < 0 || json_set_str(p, "service", c->service) < 0 ||
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

typedef struct AuthorizeAnswer {
        ReaperVerdict verdict;
        uint64_t until; /* with a yes, the grant's end; with a sentence, that of the waiting; wall clock */
} AuthorizeAnswer;

static int authorize_answer_parse(const json_t *parameters, AuthorizeAnswer *ret) {
        static const JsonField table[] = {
                        {"allow", JSON_FIELD_BOOL, offsetof(AuthorizeAnswer, verdict.allow), 0, JSON_REQUIRED},
                        {"reason", JSON_FIELD_STRING, offsetof(AuthorizeAnswer, verdict.reason), REASON_MAX,
                         JSON_REQUIRED},
                        {"message", JSON_FIELD_TEXT, offsetof(AuthorizeAnswer, verdict.message), MESSAGE_MAX,
                         JSON_REQUIRED},
                        {"until", JSON_FIELD_UINT, offsetof(AuthorizeAnswer, until), INT64_MAX, 0},
                        {"decision", JSON_FIELD_STRING, offsetof(AuthorizeAnswer, verdict.decision), DECISION_MAX, 0},
                        {},
        };

        return json_dispatch(parameters, table, ret, NULL);
}

/* One of the answers that say what is waited for. */
static int sentence_show(const ReaperCall *c, const json_t *parameters, uint64_t *ret_until) {
        AuthorizeAnswer a = {};
        int r = authorize_answer_parse(parameters, &a);

        if (r >= 0 && a.verdict.allow) /* a yes has nothing to follow */
                r = -EBADMSG;
        if (r >= 0) {
                c->say(a.verdict.message, c->userdata);
                *ret_until = a.until;
        }
        reaper_verdict_done(&a.verdict);
        return r;
}

/* The time for an answer goes on when the waiting is over, which takes not a second more than it may at most. A signal
 * that does not end the process, as Ctrl-C under sudo(8), ends the waiting. */
static void deadline_extend(const ReaperCall *c, VarlinkPeer *peer, uint64_t until) {
        uint64_t now = now_usec(CLOCK_REALTIME), left = until > now ? until - now : 0;

        varlink_peer_set_deadline(peer, c->deadline_usec + (left < REAPER_WAIT_MAX_USEC ? left : REAPER_WAIT_MAX_USEC),
                                  true);
}

/* Until the answer that nothing follows. */
static int answer_await(const ReaperCall *c, VarlinkPeer *peer, bool continues, json_t **answer, char **error) {
        uint64_t until = 0;
        int r = 0;

        for (unsigned n = 0; r >= 0 && continues; n++) {
                r = n < SENTENCES_MAX ? sentence_show(c, *answer, &until) : -EBADMSG;
                if (r >= 0 && n == 0)
                        deadline_extend(c, peer, until);
                json_decref(take_ptr(*answer));
                if (r >= 0)
                        r = varlink_next(peer, answer, error, &continues);
        }
        return r;
}

/* One connection, one call. p: call_parameters() and what the method has beside them; stolen; NULL: -ENOMEM. On success
 * the connection is the caller's. */
static int reaper_ask(const ReaperCall *c, const char *method, json_t *p, bool wait, VarlinkPeer **ret_peer,
                      json_t **ret_answer, ReaperVerdict *ret_refusal) {
        _cleanup_json_ json_t *parameters = p, *answer = NULL;
        _cleanup_free_ char *error = NULL;
        VarlinkPeer *peer = NULL;
        bool continues = false;
        int r;

        if (!parameters || (wait && json_set_opt(parameters, "wait", json_true()) < 0))
                return -ENOMEM;
        r = varlink_dial(c->socket, c->deadline_usec, &peer);
        if (r < 0)
                return r;
        r = varlink_call_more(peer, method, take_ptr(parameters), &answer, &error, wait ? &continues : NULL);
        if (r >= 0)
                r = answer_await(c, peer, continues, &answer, &error);
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

static int verdict_ask(const ReaperCall *c, const char *method, json_t *p, bool wait, ReaperVerdict *ret) {
        _cleanup_json_ json_t *parameters = NULL;
        AuthorizeAnswer a = {};
        VarlinkPeer *peer = NULL;
        int r;

        r = reaper_ask(c, method, p, wait, &peer, &parameters, &a.verdict);
        varlink_peer_free(peer);
        if (r == 0)
                r = authorize_answer_parse(parameters, &a);
        else if (r == -EACCES)
                r = 0; /* refused: allow is still false */
        if (r < 0) {
                reaper_verdict_done(&a.verdict);
                return r;
        }
        *ret = a.verdict;
        return 0;
}

int reaper_authenticate(const ReaperCall *call, ReaperVerdict *ret) {
        return verdict_ask(call, REAPER_INTERFACE ".Authenticate", call_parameters(call), false, ret);
}

int reaper_authorize(const ReaperCall *call, ReaperVerdict *ret) {
        return verdict_ask(call, REAPER_INTERFACE ".Authorize", call_parameters(call), call->say != NULL, ret);
}

int reaper_authorize_elevation(const ReaperCall *call, const char *ticket, ReaperVerdict *ret) {
        _cleanup_json_ json_t *p = call_parameters(call);

        if (!p || json_set_str(p, "ticket", ticket) < 0)
                return -ENOMEM;
        return verdict_ask(call, REAPER_INTERFACE ".AuthorizeElevation", take_ptr(p), call->say != NULL, ret);
}

typedef struct SessionAnswer {
        ReaperSession session;
        uint64_t number, until;
        char *home;
} SessionAnswer;

static int session_ask(const ReaperCall *c, const char *method, json_t *p, const JsonField *table, ReaperSession *ret) {
        _cleanup_json_ json_t *parameters = NULL;
        SessionAnswer a = {};
        int r;

        r = reaper_ask(c, method, p, false, &a.session.peer, &parameters, &a.session.refusal);
        if (r == 0)
                r = json_dispatch(parameters, table, &a, NULL);
        free(a.home);
        if (r < 0 && r != -EACCES)
                reaper_session_done(&a.session);
        else
                *ret = a.session;
        return r;
}

int reaper_open_session(const ReaperCall *call, ReaperSession *ret) {
        static const JsonField table[] = {
                        {"session", JSON_FIELD_UINT, offsetof(SessionAnswer, number), INT64_MAX, JSON_REQUIRED},
                        {"home", JSON_FIELD_STRING, offsetof(SessionAnswer, home), 255, JSON_REQUIRED},
                        {"until", JSON_FIELD_UINT, offsetof(SessionAnswer, until), INT64_MAX, JSON_REQUIRED},
                        {"pamData", JSON_FIELD_OBJECT, offsetof(SessionAnswer, session.pam_data), 0, JSON_REQUIRED},
                        {"env", JSON_FIELD_OBJECT, offsetof(SessionAnswer, session.env), 0, JSON_REQUIRED},
                        {},
        };

        return session_ask(call, REAPER_INTERFACE ".OpenSession", call_parameters(call), table, ret);
}

int reaper_open_elevation(const ReaperCall *call, const ReaperElevation *e, ReaperSession *ret) {
        static const JsonField table[] = {
                        {"unit", JSON_FIELD_STRING, offsetof(SessionAnswer, session.unit), 255, 0},
                        {"until", JSON_FIELD_UINT, offsetof(SessionAnswer, until), INT64_MAX, 0},
                        {"env", JSON_FIELD_OBJECT, offsetof(SessionAnswer, session.env), 0, JSON_REQUIRED},
                        {},
        };
        _cleanup_json_ json_t *p = call_parameters(call);

        if (!p || json_set_opt(p, "gate", json_boolean(e->gate)) < 0 || json_set_str(p, "inside", e->inside) < 0 ||
            json_set_str(p, "decision", e->decision) < 0 ||
            (e->uid != UID_NONE && json_set_uint(p, "uid", e->uid) < 0) || json_set_uint(p, "started", e->started) < 0)
                return -ENOMEM;
        return session_ask(call, REAPER_INTERFACE ".OpenElevation", take_ptr(p), table, ret);
}
