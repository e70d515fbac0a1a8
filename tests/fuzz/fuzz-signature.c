/* SPDX-License-Identifier: Apache-2.0 */

#include "../../jit-reaperd/approverd/signed/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is a key as in authorized_keys, the rest an armoured signature. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *) data;
        const char *newline = size > 0 ? memchr(text, '\n', size) : NULL;
        size_t line = newline ? (size_t) (newline - text) : 0;
        SignatureKey key = {.length = 0};
        char *copy;

        if (newline && signature_parse(newline + 1, size - line - 1, &key) >= 0 &&
            (key.length == 0 || key.length > sizeof(key.blob)))
                abort();
        copy = strndup(text, line);
        if (!copy)
                return 0;
        if (strlen(copy) == line)
                (void) signature_key_is(&key, copy);
        free(copy);
        return 0;
}
