/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_LEFTOVERS_H
#define JIT_LEFTOVERS_H

/* What an account may leave outside its home: jobs, mail, lingering, sudo's memory, IPC, files in the shared temporary directories. */

#include "receipt.h"

/* All of it; what was found is in the receipt as removed, what could not be removed as residue. */
void leftovers_remove(const Grant *g, Receipt *receipt);

#endif
