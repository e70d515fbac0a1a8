/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "cleanup.h"
#include "module-args.h"
#include "paths.h"
#include "timefmt.h"

/* The default lies far below sshd's LoginGraceTime (120 s) and above approval's own limit (10 s), so that the daemon's
 * reason wins over our "does not answer". Above 100 s sshd would hang up first. */
enum { TIMEOUT_DEFAULT_SEC = 20, TIMEOUT_MIN_SEC = 1, TIMEOUT_MAX_SEC = 100 };

static int parse_timeout(const char *value, ModuleArgs *a) {
        uint64_t sec = 0;

        for (const char *p = value; *p; p++) {
                if (*p < '0' || *p > '9' || p - value >= 3)
                        return -EINVAL;
                sec = sec * 10 + (uint64_t) (*p - '0');
        }
        if (sec < TIMEOUT_MIN_SEC || sec > TIMEOUT_MAX_SEC)
                return -EINVAL;
        a->timeout_usec = sec * USEC_PER_SEC;
        return 0;
}

static int parse_socket(const char *value, ModuleArgs *a) {
        if (value[0] != '/' || strlen(value) >= sizeof(((struct sockaddr_un *) NULL)->sun_path))
                return -EINVAL;
        a->socket = value;
        return 0;
}

static int parse_elevated(const char *value, ModuleArgs *a) {
        if (value[0] != '/')
                return -EINVAL;
        a->elevated = value;
        return 0;
}

/* The value of those below is always empty: their names have no '='. */

static int parse_wait(const char *value, ModuleArgs *a) {
        (void) value;
        a->wait = true;
        return 0;
}

static int parse_gate(const char *value, ModuleArgs *a) {
        (void) value;
        a->gate = true;
        return 0;
}

static int parse_logins(const char *value, ModuleArgs *a) {
        (void) value;
        a->logins = true;
        return 0;
}

static int parse_elevations(const char *value, ModuleArgs *a) {
        (void) value;
        a->elevations = true;
        return 0;
}

static int parse_inside(const char *value, ModuleArgs *a) {
        (void) value;
        a->inside = true;
        return 0;
}

static int parse_debug(const char *value, ModuleArgs *a) {
        (void) value;
        a->debug = true;
        return 0;
}

static const struct {
        const char *name; /* with its '=' if it takes a value */
        int (*parse)(const char *value, ModuleArgs *a);
} arguments[] = {
                {"timeout=", parse_timeout},
                {"socket=", parse_socket},
                {"elevated=", parse_elevated},
                {"wait", parse_wait},
                {"gate", parse_gate},
                {"logins", parse_logins},
                {"elevations", parse_elevations},
                {"inside", parse_inside},
                {"debug", parse_debug},
};

static int parse_one(const char *text, ModuleArgs *a) {
        for (size_t i = 0; i < ELEMENTSOF(arguments); i++) {
                size_t length = strlen(arguments[i].name);

                if (strncmp(text, arguments[i].name, length) != 0)
                        continue;
                if (arguments[i].name[length - 1] != '=' && text[length] != 0)
                        continue; /* "debugger" */
                return arguments[i].parse(text + length, a);
        }
        return -EINVAL;
}

int module_args_parse(int argc, const char **argv, ModuleArgs *ret, const char **ret_bad) {
        const char *bad = NULL;

        *ret = (ModuleArgs){.socket = REAPER_SOCKET,
                            .elevated = ELEVATED_DIR,
                            .timeout_usec = TIMEOUT_DEFAULT_SEC * USEC_PER_SEC};
        for (int i = 0; i < argc; i++)
                if (parse_one(argv[i], ret) < 0 && !bad)
                        bad = argv[i];
        /* The gate is for elevations, and a line that is for neither kind of service would do nothing. */
        if (ret->logins && (ret->elevations || ret->gate)) {
                ret->logins = false;
                bad = bad ?: "logins";
        }
        if (!bad)
                return 0;
        *ret_bad = bad;
        return -EINVAL;
}
