/* SPDX-License-Identifier: Apache-2.0 */

/* Assembles jit-approverd: options, signals, socket, one Approver, one loop. */

#include <getopt.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "approver.h"
#include "log.h"
#include "paths.h"
#include "policy-test.h"

#ifndef JIT_VERSION
#define JIT_VERSION "0"
#endif

typedef struct Options {
        const char *socket, *state, *etc;
        const char *cases, *policy; /* of --policy-test */
} Options;

static void print_help(void) {
        printf("jit-approverd [OPTIONS]\n\n"
               "Keeps tickets and judges them for jit-reaperd. systemd starts it; the options are for tests.\n\n"
               "  --socket PATH  listen there instead of on systemd's socket\n"
               "  --state DIR    where tickets/ is (default: $STATE_DIRECTORY)\n"
               "  --etc DIR      instead of " JIT_ETC "; with DIR = ROOT" JIT_ETC ", ROOT" JIT_VENDOR " goes with it\n"
               "  --policy-test PATH  run the policy over a case file, or over all (*.json) of a folder, and end\n"
               "  --policy FILE  with --policy-test: this one instead of the installed one\n"
               "  --version      print the version\n"
               "  --help         print this\n\n"
               "See jit-approverd(8).\n");
}

/* 1: go on; 0: done; -EINVAL. */
static int parse_options(int argc, char **argv, Options *ret) {
        static const struct option table[] = {
                        {"socket", required_argument, NULL, 's'},
                        {"state", required_argument, NULL, 'd'},
                        {"etc", required_argument, NULL, 'e'},
                        {"version", no_argument, NULL, 'v'},
                        {"policy-test", required_argument, NULL, 't'},
                        {"policy", required_argument, NULL, 'p'},
                        {"help", no_argument, NULL, 'h'},
                        {0},
        };
        int c;

        while ((c = getopt_long(argc, argv, "", table, NULL)) >= 0)
                switch (c) {
                case 's':
                        ret->socket = optarg;
                        break;
                case 'd':
                        ret->state = optarg;
                        break;
                case 'e':
                        ret->etc = optarg;
                        break;
                case 't':
                        ret->cases = optarg;
                        break;
                case 'p':
                        ret->policy = optarg;
                        break;
                case 'v':
                        puts("jit-approverd " JIT_VERSION);
                        return 0;
                case 'h':
                        print_help();
                        return 0;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                fprintf(stderr, "jit-approverd: unexpected argument: %s\n", argv[optind]);
                return -EINVAL;
        }
        if (ret->policy && !ret->cases) {
                fprintf(stderr, "jit-approverd: --policy is for --policy-test\n");
                return -EINVAL;
        }
        if (!ret->cases && !ret->state && !(ret->state = getenv("STATE_DIRECTORY"))) {
                fprintf(stderr, "jit-approverd: neither --state nor $STATE_DIRECTORY is given\n");
                return -EINVAL;
        }
        return 1;
}

/* ROOT of ROOT/etc/jit, on the heap; "" if etc is not given or does not end so. */
static char *root_of(const char *etc) {
        size_t n = etc ? strlen(etc) : 0;

        if (n > strlen(JIT_ETC) && streq(etc + n - strlen(JIT_ETC), JIT_ETC))
                return strndup(etc, n - strlen(JIT_ETC));
        return strdup("");
}

static int open_socket(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -1;

        if (!path) {
                if (sd_listen_fds(1) != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
                        return -ENOTSOCK;
                return SD_LISTEN_FDS_START;
        }
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) unlink(path);
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || chmod(path, 0666) < 0 ||
            listen(fd, SOMAXCONN) < 0)
                return -errno;
        return take_fd(&fd);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        (void) source, (void) info;
        (void) sd_notify(0, "RELOADING=1");
        approver_reload(userdata);
        (void) sd_notify(0, "READY=1");
        return 0;
}

static int prepare_loop(sd_event *event) {
        sigset_t set;
        int r;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        (void) sigaddset(&set, SIGHUP);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        if ((r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL)) < 0 ||
            (r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL)) < 0)
                return r;
        r = sd_event_set_watchdog(event, true);
        return r < 0 ? r : 0;
}

static int serve(const Options *o) {
        JIT_CLEANUP(approver_freep) Approver *a = NULL;
        JIT_CLEANUP(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_free_ char *root = root_of(o->etc);
        int r;

        if (!root)
                return -ENOMEM;
        if ((r = sd_event_default(&event)) < 0 || (r = prepare_loop(event)) < 0 ||
            (r = approver_new(event, root, o->etc, o->state, &a)) < 0 ||
            (r = sd_event_add_signal(event, NULL, SIGHUP, on_reload, a)) < 0 || (r = open_socket(o->socket)) < 0 ||
            (r = approver_listen(a, r)) < 0)
                return r;
        (void) sd_notify(0, "READY=1");
        return sd_event_loop(event);
}

/* An exit status. */
static int test_policy(const Options *o) {
        _cleanup_free_ char *root = root_of(o->etc), *vendor = NULL;
        PolicyTest test = {.cases = o->cases, .policy = o->policy, .etc = o->etc ? o->etc : JIT_ETC};

        if (!root || asprintf(&vendor, "%s" JIT_VENDOR, root) < 0) {
                vendor = NULL;
                return 2;
        }
        test.vendor = vendor;
        return policy_test_run(&test, stdout, stderr);
}

int main(int argc, char **argv) {
        Options options = {0};
        int r = parse_options(argc, argv, &options);

        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        (void) unsetenv("HOME"); /* libjq would read ~/.jq into the policy */
        if (options.cases)
                return test_policy(&options);
        r = serve(&options);
        if (r < 0)
                log_error("Cannot serve: %s", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
