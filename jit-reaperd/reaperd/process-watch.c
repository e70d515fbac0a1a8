/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "process-kill.h"
#include "process-watch.h"

int process_watch(sd_event *event, pid_t pid, uint64_t *start, sd_event_io_handler_t gone, void *userdata, sd_event_source **ret) {
        _cleanup_close_ int fd = (int) syscall(SYS_pidfd_open, pid, 0);
        uint64_t now;
        int r;

        if (fd < 0)
                return -errno;
        /* Asked after the descriptor is open: now the number cannot change hands. */
        r = process_start_time(pid, &now);
        if (r < 0)
                return r;
        if (*start > 0 && *start != now)
                return -ESRCH;
        r = sd_event_add_io(event, ret, fd, EPOLLIN, gone, userdata);
        if (r < 0)
                return r;
        (void) take_fd(&fd);
        (void) sd_event_source_set_io_fd_own(*ret, 1);
        *start = now;
        return 0;
}
