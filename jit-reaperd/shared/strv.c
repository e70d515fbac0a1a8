/* SPDX-License-Identifier: Apache-2.0 */
#include "strv.h"

char **strv_free(char **v) {
        STRV_FOREACH(s, v)
        free(*s);
        free(v);
        return NULL;
}

size_t strv_length(char *const *v) {
        size_t n = 0;

        STRV_FOREACH(s, v)
        n++;
        return n;
}

bool strv_contains(char *const *v, const char *s) {
        STRV_FOREACH(i, v)
        if (streq(*i, s))
                return true;
        return false;
}

int strv_extend(char ***v, const char *s) {
        size_t n = strv_length(*v);

        char *copy = strdup(s); /* first: s may be one of *v */
        if (!copy)
                return -ENOMEM;

        char **grown = reallocarray(*v, n + 2, sizeof(char *));
        if (!grown) {
                free(copy);
                return -ENOMEM;
        }

        grown[n] = copy;
        grown[n + 1] = NULL;
        *v = grown;
        return 0;
}
