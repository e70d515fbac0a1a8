/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_RECEIPT_H
#define JIT_RECEIPT_H

/* The proof of removal: collected while a grant is removed, then one sealed line of the audit file. */

#include "grant.h"
#include "strv.h"

enum { RECEIPT_ITEMS_MAX = 256 };

typedef struct Receipt {
        char **removed; /* what was found and removed */
        char **residue; /* what could not be removed or looked at */
        bool process_absent; /* looked through all of the host's processes; WAY_ELEVATION: at the grant's slice */
        unsigned dropped; /* more than RECEIPT_ITEMS_MAX */
} Receipt;

void receipt_removed(Receipt *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void receipt_residue(Receipt *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void receipt_done(Receipt *r);

/* Looks once more that nothing is there (account, key, sudo rule, marker, home), and writes the line. */
int receipt_write(const Grant *g, const Receipt *r, unsigned killed);

#endif
