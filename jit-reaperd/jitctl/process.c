/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "file-io.h"
#include "process.h"

/* A memory file: no pipe that fills while the program writes, and no name that others could open. */
static int make_input(const void *input, size_t length) {
        _cleanup_close_ int fd = memfd_create("input", MFD_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, input, length);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        return take_fd(&fd);
}

static int spawn(const char *path, const char *const *argv, int in, int out, bool with_stderr, pid_t *ret) {
        posix_spawn_file_actions_t actions;
        int r = posix_spawn_file_actions_init(&actions);

        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (r == 0 && with_stderr)
                r = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
        if (r == 0) /* posix_spawn(3) promises not to write to argv */
                r = posix_spawnp(ret, path, &actions, NULL, (char *const *) argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static int spawn_anywhere(const char *const *argv, int in, int out, bool with_stderr, pid_t *ret) {
        static const char *const places[] = {"", "/usr/sbin/", "/sbin/"};
        int r = -ENOENT;

        for (size_t i = 0; i < ELEMENTSOF(places) && r == -ENOENT; i++) {
                char path[256];

                if (i > 0 && argv[0][0] == '/')
                        break;
                (void) snprintf(path, sizeof(path), "%s%s", places[i], argv[0]);
                r = spawn(path, argv, in, out, with_stderr, ret);
        }
        return r;
}

static int read_output(int fd, char **ret) {
        _cleanup_free_ char *data = malloc(PROCESS_OUTPUT_MAX + 1);
        size_t length = 0;

        if (!data)
                return -ENOMEM;
        for (;;) {
                ssize_t n = read(fd, data + length, PROCESS_OUTPUT_MAX + 1 - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t) n;
                if (length > PROCESS_OUTPUT_MAX)
                        return -EFBIG;
        }
        data[length] = 0;
        *ret = take_ptr(data);
        return 0;
}

int process_run(const char *const *argv, const void *input, size_t input_length, bool with_stderr, char **ret_output,
                int *ret_status) {
        _cleanup_free_ char *output = NULL;
        _cleanup_close_ int in = -1, out = -1, out_write = -1;
        int ends[2], status = 0, r;
        pid_t pid = -1;

        in = make_input(input, input_length);
        if (in < 0)
                return in;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        out = ends[0];
        out_write = ends[1];
        r = spawn_anywhere(argv, in, out_write, with_stderr, &pid);
        if (r < 0)
                return r;
        closep(&out_write);
        r = read_output(out, &output);
        if (r < 0)
                (void) kill(pid, SIGTERM);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (r < 0)
                return r;
        /* How a spawned child says that it could not exec, where posix_spawn(3) cannot hear of it: under valgrind. */
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
                return -ENOENT;
        *ret_output = take_ptr(output);
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return 0;
}
