/* SPDX-License-Identifier: Apache-2.0 */

/* The blocking client. Runs inside sshd (pam_jit) and jitctl: no global state, no signals, close-on-exec, one deadline. */

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "json.h"
#include "timefmt.h"
#include "varlink-wire.h"
#include "varlink.h"

struct VarlinkPeer {
        int fd;
        uint64_t deadline_usec;
        bool interruptible;
        VarlinkBuffer buffer;
};

static int wait_for(const VarlinkPeer *peer, short events) {
        for (;;) {
                struct pollfd p = {.fd = peer->fd, .events = events};
                uint64_t now = now_usec(CLOCK_BOOTTIME), left = peer->deadline_usec > now ? peer->deadline_usec - now : 0;
                struct timespec t = {.tv_sec = (time_t) (left / USEC_PER_SEC),
                                     .tv_nsec = (long) (left % USEC_PER_SEC * 1000)};
                int r = ppoll(&p, 1, &t, NULL);

                if (r > 0)
                        return 0;
                if (r == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR || peer->interruptible)
                        return -errno;
        }
}

int varlink_dial(const char *path, uint64_t deadline_usec, VarlinkPeer **ret) {
        VarlinkPeer *p;
        int fd;

        while ((fd = varlink_connect(path)) == -EAGAIN) {
                /* The server's backlog is full, and nothing can be polled for that: look again until the deadline. */
                struct timespec nap = {.tv_nsec = 20 * 1000 * 1000};

                if (now_usec(CLOCK_BOOTTIME) >= deadline_usec)
                        return -ETIMEDOUT;
                (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
        }
        if (fd < 0)
                return fd;
        p = calloc(1, sizeof(*p));
        if (!p) {
                (void) close(fd);
                return -ENOMEM;
        }
        *p = (VarlinkPeer){.fd = fd, .deadline_usec = deadline_usec, .buffer.max = 4 * JSON_MESSAGE_MAX};
        *ret = p;
        return 0;
}

VarlinkPeer *varlink_peer_free(VarlinkPeer *p) {
        if (!p)
                return NULL;
        (void) close(p->fd);
        varlink_buffer_done(&p->buffer);
        free(p);
        return NULL;
}

void varlink_peer_set_deadline(VarlinkPeer *p, uint64_t deadline_usec, bool interruptible) {
        p->deadline_usec = deadline_usec;
        p->interruptible = interruptible;
}

int varlink_peer_fd(const VarlinkPeer *p) {
        return p->fd;
}

static int send_whole(VarlinkPeer *p, const char *data, size_t length) {
        while (length > 0) {
                ssize_t n = send(p->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n >= 0) {
                        data += n;
                        length -= (size_t) n;
                } else if (errno == EAGAIN) {
                        int r = wait_for(p, POLLOUT);
                        if (r < 0)
                                return r;
                } else if (errno != EINTR)
                        return -errno;
        }
        return 0;
}

static int receive_message(VarlinkPeer *p, json_t **ret) {
        for (;;) {
                int r = varlink_buffer_take(&p->buffer, ret);
                if (r != 0)
                        return r < 0 ? r : 0;
                r = varlink_buffer_fill(&p->buffer, p->fd);
                if (r == 0)
                        return -ECONNRESET;
                if (r == -EAGAIN)
                        r = wait_for(p, POLLIN);
                if (r < 0)
                        return r;
                if (now_usec(CLOCK_BOOTTIME) >= p->deadline_usec) /* a peer that drips bytes gets no more time */
                        return -ETIMEDOUT;
        }
}

int varlink_next(VarlinkPeer *p, json_t **ret_parameters, char **ret_error, bool *ret_continues) {
        _cleanup_json_ json_t *message = NULL;
        VarlinkAnswer a;
        int r;

        r = receive_message(p, &message);
        if (r < 0)
                return r;
        r = varlink_answer_parse(message, &a);
        if (r < 0)
                return r;
        if (a.continues && !ret_continues) {
                varlink_answer_done(&a);
                return -EBADMSG;
        }
        r = a.error ? -EREMOTEIO : 0;
        if (ret_continues)
                *ret_continues = a.continues && !a.error;
        if (ret_error)
                *ret_error = take_ptr(a.error);
        if (ret_parameters)
                *ret_parameters = take_ptr(a.parameters);
        varlink_answer_done(&a);
        return r;
}

int varlink_call_more(VarlinkPeer *p, const char *method, json_t *parameters, json_t **ret_parameters, char **ret_error,
                      bool *ret_continues) {
        _cleanup_free_ char *text = NULL;
        size_t length;
        int r;

        r = varlink_encode_call(method, parameters, ret_continues != NULL, &text, &length);
        if (r < 0)
                return r;
        if (p->buffer.used > 0) /* words that nobody asked for would be taken for the answer */
                return -EBADMSG;
        r = send_whole(p, text, length);
        if (r < 0)
                return r;
        return varlink_next(p, ret_parameters, ret_error, ret_continues);
}

int varlink_call(VarlinkPeer *p, const char *method, json_t *parameters, json_t **ret_parameters, char **ret_error) {
        return varlink_call_more(p, method, parameters, ret_parameters, ret_error, NULL);
}
