/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JIT_PROCESS_WATCH_H
#define JIT_PROCESS_WATCH_H

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

/* Calls gone() when the process has ended, by a descriptor of it that *ret owns. *start: when it began (proc_pid_stat(5)), 0: to be filled in.
 * -ESRCH: it is gone, or its number is another's by now. */
int process_watch(sd_event *event, pid_t pid, uint64_t *start, sd_event_io_handler_t gone, void *userdata, sd_event_source **ret);

#endif
