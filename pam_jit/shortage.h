/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_SHORTAGE_H
#define JIT_SHORTAGE_H

#include <errno.h>
#include <stdbool.h>

/* What a person can bring about, who starts sudo(8) short of descriptors or memory, must not look like "nothing of ours
 * is here". Any other failure to look is the host's doing, and no reason to keep its people from their own sudo. */
static inline bool is_shortage(int error) {
        return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

#endif
