/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_VARLINK_H
#define JIT_VARLINK_H

/* Varlink (https://varlink.org): one JSON object a message, each ended by a NUL byte, over AF_UNIX SOCK_STREAM. Own code because
 * libsystemd has a public sd-varlink only from 257 and Debian 12 has 252.
 *
 * Server: varlink_server_*, on an sd-event loop, one call at a time per connection, answers may come later.
 * Client: varlink_call_async() on an event loop; varlink_dial()/varlink_call() blocking with a deadline (PAM module, jitctl). */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VARLINK_ERROR_METHOD_NOT_FOUND "org.varlink.service.MethodNotFound"
#define VARLINK_ERROR_INVALID_PARAMETER "org.varlink.service.InvalidParameter"
#define VARLINK_ERROR_PERMISSION_DENIED "org.varlink.service.PermissionDenied"

/* ---- server (varlink-server.c) ---- */

typedef struct VarlinkServer VarlinkServer;
typedef struct VarlinkLink VarlinkLink; /* one connection */
struct sd_event;

/* Answers with one of varlink_reply/notify/error, now or later (then it keeps a reference to the link). Returns a negative
 * errno if the call was malformed: the peer gets InvalidParameter (-EBADMSG, -ERANGE, -ENODATA, -EINVAL) or
 * PermissionDenied (-EPERM), any other errno closes the connection. */
typedef int (*varlink_method_t)(VarlinkLink *link, json_t *parameters, bool more, void *userdata);

enum { VARLINK_ROOT_ONLY = 1 }; /* peers with another uid than 0 get PermissionDenied */

typedef struct VarlinkMethod {
        const char *name; /* without the interface */
        varlink_method_t handler;
        unsigned flags;
} VarlinkMethod;

typedef struct VarlinkInterface {
        const char *name;
        const char *description; /* the interface in Varlink's own notation, for GetInterfaceDescription */
        const VarlinkMethod *methods; /* ends with a NULL name */
} VarlinkInterface;

typedef struct VarlinkLimits {
        unsigned connections;          /* in all */
        unsigned connections_per_user; /* for peers other than root */
        size_t message_max;            /* bytes of one call */
        uint64_t idle_usec;            /* an unprivileged peer that has a connection open without a whole call for so long is dropped */
} VarlinkLimits;

/* vendor/product/version/url as GetInfo gives them are fixed. interfaces: NULL-ended array, kept by reference. */
int varlink_server_new(struct sd_event *event, const VarlinkInterface *const *interfaces, const VarlinkLimits *limits,
                       void *userdata, VarlinkServer **ret);
VarlinkServer *varlink_server_free(VarlinkServer *s);
/* Takes the listening descriptor over, also on failure. */
int varlink_server_listen(VarlinkServer *s, int fd);

uid_t varlink_link_uid(const VarlinkLink *l); /* SO_PEERCRED, fixed at connect() */
pid_t varlink_link_pid(const VarlinkLink *l);
VarlinkLink *varlink_link_ref(VarlinkLink *l);
VarlinkLink *varlink_link_unref(VarlinkLink *l); /* returns NULL */
/* Called once when the peer is gone, unless cleared by (l, NULL, NULL). */
typedef void (*varlink_gone_t)(VarlinkLink *l, void *userdata);
void varlink_link_on_gone(VarlinkLink *l, varlink_gone_t gone, void *userdata);
bool varlink_link_is_gone(const VarlinkLink *l); /* then nobody is called any more */
bool varlink_link_has_hung_up(const VarlinkLink *l); /* is gone, or will be as soon as the loop turns: asks the kernel */
/* From now on the peer may say nothing more on this connection but go away; anything it sends drops it. */
void varlink_link_mute(VarlinkLink *l);

/* All three steal parameters (NULL: empty object) and are silent on a connection that is gone. */
int varlink_reply(VarlinkLink *l, json_t *parameters);
int varlink_notify(VarlinkLink *l, json_t *parameters); /* "continues": true; only for a call with "more" */
int varlink_error(VarlinkLink *l, const char *error, json_t *parameters);

/* ---- client on an event loop (varlink-client.c) ---- */

typedef struct VarlinkCall VarlinkCall;
/* error: NULL on success; a Varlink error name; or "io.pamjit.Disconnected", "io.pamjit.Timeout", "io.pamjit.Protocol". With more,
 * called for each answer, continues tells whether another may come. The call is freed before the last one is delivered; the
 * owner MUST NOT free it from inside an answer that continues. parameters is borrowed, and NULL where error is one of ours. */
typedef void (*varlink_answer_t)(const char *error, json_t *parameters, bool continues, void *userdata);
int varlink_call_async(struct sd_event *event, const char *path, const char *method, json_t *parameters /* stolen */, bool more,
                       uint64_t timeout_usec /* 0: none */, varlink_answer_t answer, void *userdata, VarlinkCall **ret);
VarlinkCall *varlink_call_free(VarlinkCall *c); /* the answer is not called */

/* The same for a server that is asked often: connections are kept and used again, each for one call at a time. A call that a server which went away
 * left without an answer is made once more, on a new connection: so only for calls that may be made twice. path: borrowed. */
typedef struct VarlinkPool VarlinkPool;
int varlink_pool_new(struct sd_event *event, const char *path, VarlinkPool **ret);
VarlinkPool *varlink_pool_free(VarlinkPool *p); /* calls that are under way go on */
int varlink_pool_call(VarlinkPool *p, const char *method, json_t *parameters /* stolen */, uint64_t timeout_usec /* 0: none */,
                      varlink_answer_t answer, void *userdata, VarlinkCall **ret);

/* ---- blocking client (varlink-dial.c; no event loop, no threads, for PAM and jitctl) ---- */

typedef struct VarlinkPeer VarlinkPeer;
/* deadline_usec: CLOCK_BOOTTIME, for this and every call on it. -ETIMEDOUT, -ECONNREFUSED, -ENOENT... */
int varlink_dial(const char *path, uint64_t deadline_usec, VarlinkPeer **ret);
VarlinkPeer *varlink_peer_free(VarlinkPeer *p);
/* parameters stolen. On a Varlink error: -EREMOTEIO, ret_error has its name (free()) and ret_parameters its parameters. */
int varlink_call(VarlinkPeer *p, const char *method, json_t *parameters, json_t **ret_parameters, char **ret_error);
/* With more: as varlink_call, ret_continues tells whether varlink_next() has another. */
int varlink_call_more(VarlinkPeer *p, const char *method, json_t *parameters, json_t **ret_parameters, char **ret_error,
                      bool *ret_continues);
int varlink_next(VarlinkPeer *p, json_t **ret_parameters, char **ret_error, bool *ret_continues);
/* For what follows on it. interruptible: a signal whose handler returns ends the waiting: -EINTR. */
void varlink_peer_set_deadline(VarlinkPeer *p, uint64_t deadline_usec, bool interruptible);
int varlink_peer_fd(const VarlinkPeer *p); /* borrowed; close-on-exec is set */

#endif
