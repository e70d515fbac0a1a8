/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "json.h"
#include "varlink-wire.h"

enum { READ_CHUNK = 4096 };

void varlink_buffer_done(VarlinkBuffer *b) {
        free(b->data);
        *b = (VarlinkBuffer){.max = b->max};
}

static int buffer_reserve(VarlinkBuffer *b) {
        size_t want = b->used + READ_CHUNK;
        char *p;

        if (b->allocated >= want)
                return 0;
        if (want < b->allocated * 2)
                want = b->allocated * 2;
        p = realloc(b->data, want);
        if (!p)
                return -ENOMEM;
        b->data = p;
        b->allocated = want;
        return 0;
}

int varlink_buffer_fill(VarlinkBuffer *b, int fd) {
        ssize_t n;
        int r;

        /* What is left of a finished message was moved to the front, so used is one unfinished message plus at most a chunk. */
        if (b->used > b->max)
                return -EMSGSIZE;
        r = buffer_reserve(b);
        if (r < 0)
                return r;
        do
                n = recv(fd, b->data + b->used, b->allocated - b->used, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n == 0)
                return 0;
        b->used += (size_t) n;
        return 1;
}

int varlink_buffer_take(VarlinkBuffer *b, json_t **ret) {
        char *end;
        size_t length;
        int r;

        if (b->used == b->scanned)
                return 0;
        end = memchr(b->data + b->scanned, 0, b->used - b->scanned);
        if (!end) {
                b->scanned = b->used;
                return b->used > b->max ? -EMSGSIZE : 0;
        }
        length = (size_t) (end - b->data);
        r = json_parse_strict(b->data, length, b->max, ret, NULL);
        b->used -= length + 1;
        b->scanned = 0;
        memmove(b->data, end + 1, b->used);
        if (b->used == 0) /* a connection that waits, perhaps for days, holds no buffer */
                varlink_buffer_done(b);
        return r < 0 ? r : 1;
}

static int encode(json_t *message, char **ret, size_t *ret_length) {
        char *text;

        if (!message)
                return -ENOMEM;
        text = json_dumps(message, JSON_COMPACT);
        json_decref(message);
        if (!text)
                return -ENOMEM;
        *ret = text;
        *ret_length = strlen(text) + 1;
        return 0;
}

int varlink_encode_call(const char *method, json_t *parameters, bool more, char **ret, size_t *ret_length) {
        if (!parameters)
                parameters = json_object();
        return encode(more ? json_pack("{s:s,s:o,s:b}", "method", method, "parameters", parameters, "more", 1)
                           : json_pack("{s:s,s:o}", "method", method, "parameters", parameters),
                      ret, ret_length);
}

int varlink_encode_answer(const char *error, json_t *parameters, bool continues, char **ret, size_t *ret_length) {
        if (!parameters)
                parameters = json_object();
        if (error)
                return encode(json_pack("{s:s,s:o}", "error", error, "parameters", parameters), ret, ret_length);
        return encode(continues ? json_pack("{s:o,s:b}", "parameters", parameters, "continues", 1)
                                : json_pack("{s:o}", "parameters", parameters),
                      ret, ret_length);
}

int varlink_answer_parse(const json_t *message, VarlinkAnswer *ret) {
        static const JsonField table[] = {
                {"error", JSON_FIELD_STRING, offsetof(VarlinkAnswer, error), 255, 0},
                {"parameters", JSON_FIELD_OBJECT, offsetof(VarlinkAnswer, parameters), 0, 0},
                {"continues", JSON_FIELD_BOOL, offsetof(VarlinkAnswer, continues), 0, 0},
                {},
        };
        VarlinkAnswer a = {};
        int r = json_dispatch(message, table, &a, NULL);

        if (r >= 0 && !a.parameters) {
                a.parameters = json_object();
                if (!a.parameters)
                        r = -ENOMEM;
        }
        if (r < 0) {
                varlink_answer_done(&a);
                return r == -ENOMEM ? r : -EBADMSG;
        }
        *ret = a;
        return 0;
}

void varlink_answer_done(VarlinkAnswer *a) {
        free(a->error);
        json_decref(a->parameters);
        *a = (VarlinkAnswer){};
}

int varlink_connect(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -1;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        /* unix(7): a non-blocking connect() either succeeds at once or fails with EAGAIN when the backlog is full. */
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return take_fd(&fd);
}
