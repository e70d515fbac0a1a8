/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_CLEANUP_H
#define JIT_CLEANUP_H

/* Scope-bound ownership. A destructor takes NULL (or -1) and half-built objects. */

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JIT_CLEANUP(f) __attribute__((cleanup(f)))

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void closep(int *fd) {
        if (*fd >= 0) {
                int saved = errno;
                (void) close(*fd);
                errno = saved;
                *fd = -1;
        }
}

static inline void fclosep(FILE **f) {
        if (*f)
                (void) fclose(*f);
}

#define _cleanup_free_ JIT_CLEANUP(freep)
#define _cleanup_close_ JIT_CLEANUP(closep)
#define _cleanup_fclose_ JIT_CLEANUP(fclosep)
#define _cleanup_json_ JIT_CLEANUP(json_decrefp) /* jansson's own */

#define DEFINE_CLEANUP(type, func)                                                                           \
        static inline void func##p(type **p) {                                                               \
                if (*p)                                                                                      \
                        func(*p);                                                                            \
        }                                                                                                    \
        struct jit_swallow_semicolon

/* Hands the pointer over and leaves NULL behind, so that a cleanup finds nothing. */
#define take_ptr(p)                                                                                          \
        ({                                                                                                   \
                __typeof__(p) *_pp = &(p);                                                                   \
                __typeof__(p) _v = *_pp;                                                                     \
                *_pp = NULL;                                                                                 \
                _v;                                                                                          \
        })

static inline int take_fd(int *fd) {
        int v = *fd;
        *fd = -1;
        return v;
}

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))

static inline int streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

#endif
