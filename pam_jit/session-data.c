/* SPDX-License-Identifier: Apache-2.0 */

#include <jansson.h>
#include <security/pam_ext.h>
#include <syslog.h>

#include "cleanup.h"
#include "kept-text.h"
#include "pam-text.h"
#include "session-data.h"

#define HELD_CONNECTION "pam_jit.session"

typedef bool (*value_check_t)(const char *value);

/* A number above zero of at most digits_max digits, then one of the units ("" is one of them). */
static bool number_is_valid(const char *value, size_t digits_max, const char *const *units) {
        size_t digits = strspn(value, "0123456789");

        if (digits == 0 || digits > digits_max || strspn(value, "0") == digits)
                return false;
        for (; *units; units++)
                if (streq(value + digits, *units))
                        return true;
        return false;
}

/* systemd.time(7), one number; "infinity" is no limit and none of ours. */
static bool span_is_valid(const char *value) {
        static const char *const units[] = {"", "us", "ms", "s", "sec", "min", "h", NULL};

        return number_is_valid(value, 16, units);
}

static bool count_is_valid(const char *value) {
        static const char *const units[] = {"", NULL};

        return number_is_valid(value, 10, units);
}

static bool size_is_valid(const char *value) {
        static const char *const units[] = {"", "K", "M", "G", "T", NULL};

        return number_is_valid(value, 16, units);
}

/* Ticket, grant id, time: nothing that a shell, a log or a terminal reads as more than a word. */
static bool word_is_valid(const char *value) {
        static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:+-";
        size_t length = strlen(value);

        return length > 0 && length <= 64 && strspn(value, word) == length;
}

typedef struct KnownName {
        const char *name;
        value_check_t is_valid;
        bool required;
} KnownName;

/* pam_systemd(8), "MODULE-SPECIFIC DATA" */
static const KnownName limits[] = {
                {"systemd.runtime_max_sec", span_is_valid, true},
                {"systemd.tasks_max", count_is_valid, false},
                {"systemd.memory_max", size_is_valid, false},
                {},
};

static const KnownName variables[] = {
                {"JIT_TICKET", word_is_valid, false},
                {"JIT_GRANT", word_is_valid, false},
                {"JIT_DEADLINE", word_is_valid, false},
                {},
};

typedef int (*apply_t)(pam_handle_t *pamh, const char *name, const char *value);

static void warn_unknown(pam_handle_t *pamh, json_t *map, const KnownName *table) {
        const char *name;
        json_t *value;

        json_object_foreach (map, name, value) {
                const KnownName *k = table;
                char text[ITEM_TEXT_MAX + 1];

                while (k->name && !streq(k->name, name))
                        k++;
                if (!k->name)
                        pam_syslog(pamh, LOG_WARNING, "the reaper sent a name this module does not know, ignoring: %s",
                                   text_from_item(name, text) ?: "");
        }
}

static int map_apply(pam_handle_t *pamh, json_t *map, const KnownName *table, apply_t apply) {
        warn_unknown(pamh, map, table);
        for (const KnownName *k = table; k->name; k++) {
                json_t *value = json_object_get(map, k->name);
                int r;

                if (!value && !k->required)
                        continue;
                if (!json_is_string(value) || !k->is_valid(json_string_value(value))) {
                        pam_syslog(pamh, LOG_ERR, "the reaper sent no fitting value for %s", k->name);
                        return PAM_PERM_DENIED;
                }
                r = apply(pamh, k->name, json_string_value(value));
                if (r != PAM_SUCCESS) {
                        pam_syslog(pamh, LOG_ERR, "cannot set %s: %s", k->name, pam_strerror(pamh, r));
                        return PAM_PERM_DENIED;
                }
        }
        return PAM_SUCCESS;
}

static int variable_apply(pam_handle_t *pamh, const char *name, const char *value) {
        _cleanup_free_ char *assignment = NULL;

        if (asprintf(&assignment, "%s=%s", name, value) < 0) {
                assignment = NULL;
                return PAM_BUF_ERR;
        }
        return pam_putenv(pamh, assignment);
}

int session_limits_apply(pam_handle_t *pamh, json_t *pam_data) {
        return map_apply(pamh, pam_data, limits, kept_text_set);
}

int session_environment_apply(pam_handle_t *pamh, json_t *env) {
        return map_apply(pamh, env, variables, variable_apply);
}

/* Runs at close, at pam_end(), when another connection takes the place, and in forked children that end their copy of
 * the handle (PAM_DATA_SILENT): all it ever does is to close this process's descriptor, so a child's copy does the
 * session no harm. */
static void on_connection_dropped(pam_handle_t *pamh, void *data, int error_status) {
        (void) pamh;
        (void) error_status;
        varlink_peer_free(data);
}

int session_hold(pam_handle_t *pamh, VarlinkPeer *peer) {
        int r = pam_set_data(pamh, HELD_CONNECTION, peer, on_connection_dropped);

        if (r != PAM_SUCCESS) {
                varlink_peer_free(peer);
                pam_syslog(pamh, LOG_ERR, "cannot keep the connection: %s", pam_strerror(pamh, r));
                return PAM_PERM_DENIED;
        }
        return PAM_SUCCESS;
}

bool session_release(pam_handle_t *pamh) {
        const void *peer;

        if (pam_get_data(pamh, HELD_CONNECTION, &peer) != PAM_SUCCESS || !peer)
                return false;
        return pam_set_data(pamh, HELD_CONNECTION, NULL, NULL) == PAM_SUCCESS;
}
