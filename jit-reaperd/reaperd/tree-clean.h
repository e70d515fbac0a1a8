/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_TREE_CLEAN_H
#define JIT_TREE_CLEAN_H

#include "receipt.h"

/* Removes everything below path (not path itself) that belongs to uid, and what is inside directories that belong to uid. Works by descriptor,
 * follows no symlink and crosses no mount. Bounded in depth and number; where a bound is met, the receipt says so. */
void tree_clean(const char *path, uid_t uid, Receipt *receipt);
/* Removes name below dir_fd, whosever and whatever it is, with all in it, on its own file system only. 0 or -errno. */
int tree_remove(int dir_fd, const char *name);

#endif
