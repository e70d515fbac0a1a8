/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROCESS_H
#define JIT_PROCESS_H

/* Runs another program to its end, as ssh-keygen(1) and visudo(8) want it: the terminal stays reachable for prompts
 * (/dev/tty), stdin is a file with the input, and stdout is collected. */

#include <stdbool.h>
#include <stddef.h>

enum { PROCESS_OUTPUT_MAX = 256 * 1024 };

/* argv[0] is looked up in PATH, and also in the sbin directories that people's PATH lacks. with_stderr: collected as
 * well, else it is the caller's. ret_output: NUL-ended, free(). ret_status: the exit status, or 128 + the signal's
 * number. -ENOENT without such a program, -EFBIG for more output than PROCESS_OUTPUT_MAX, other errno. */
int process_run(const char *const *argv, const void *input, size_t input_length, bool with_stderr, char **ret_output,
                int *ret_status);

#endif
