/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_STRV_H
#define JIT_STRV_H

/* NULL-ended arrays of strings, each string and the array on the heap. NULL is the empty array. */

#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"

char **strv_free(char **v); /* returns NULL */
size_t strv_length(char *const *v);
bool strv_contains(char *const *v, const char *s);
/* Appends a copy. 0 or -ENOMEM, and then *v is as before. */
int strv_extend(char ***v, const char *s);

static inline void strv_freep(char ***v) {
        strv_free(*v);
}
#define _cleanup_strv_ JIT_CLEANUP(strv_freep)

#define STRV_FOREACH(s, v) for (char *const *s = (v); s && *s; s++)

#endif
