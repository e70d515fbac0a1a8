/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_VARLINK_WIRE_H
#define JIT_VARLINK_WIRE_H

/* Framing, shared by the server and both clients: bytes in, whole messages out. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct VarlinkBuffer {
        char *data;
        size_t used, allocated;
        size_t scanned; /* no NUL in the first so many bytes */
        size_t max;     /* of one message */
} VarlinkBuffer;

void varlink_buffer_done(VarlinkBuffer *b);
/* One non-blocking read. 1: got bytes, 0: the peer has closed, -EAGAIN, -EMSGSIZE (a message longer than max), other errno. */
int varlink_buffer_fill(VarlinkBuffer *b, int fd);
/* Takes the first whole message off the buffer. 1: *ret is it, 0: none yet, -EBADMSG and friends: not our JSON. */
int varlink_buffer_take(VarlinkBuffer *b, json_t **ret);

/* {"method":..., "parameters":..., "more":true} as text, with its NUL; steals parameters. -ENOMEM, -EMSGSIZE. */
int varlink_encode_call(const char *method, json_t *parameters, bool more, char **ret, size_t *ret_length);
int varlink_encode_answer(const char *error, json_t *parameters, bool continues, char **ret, size_t *ret_length);

typedef struct VarlinkAnswer {
        char *error; /* NULL: success */
        json_t *parameters; /* never NULL */
        bool continues;
} VarlinkAnswer;
/* Checks the shape of an answer. -EBADMSG. */
int varlink_answer_parse(const json_t *message, VarlinkAnswer *ret);
void varlink_answer_done(VarlinkAnswer *a);

/* A connected or connecting stream socket, non-blocking, close-on-exec. */
int varlink_connect(const char *path);

#endif
