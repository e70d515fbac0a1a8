/* SPDX-License-Identifier: Apache-2.0 */

/* PAM's session phase: OpenSession. Root only. */

#include <errno.h>

#include "json.h"
#include "log.h"
#include "pam-caller.h"
#include "paths.h"
#include "reaper-api.h"
#include "session.h"
#include "timefmt.h"

static json_t *pam_data(const Grant *g, uint64_t left_usec) {
        const Role *role = grant_role(g);
        json_t *data = json_object();
        char text[32];

        /* pam_systemd(8): systemd.runtime_max_sec. PID 1 ends the session's scope by itself at the deadline. */
        (void) snprintf(text, sizeof(text), "%llums", (unsigned long long) (left_usec / USEC_PER_MSEC));
        (void) json_set_str(data, "systemd.runtime_max_sec", text);
        if (role && role->tasks_max > 0) {
                (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) role->tasks_max);
                (void) json_set_str(data, "systemd.tasks_max", text);
        }
        if (role && role->memory_max > 0) {
                (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) role->memory_max);
                (void) json_set_str(data, "systemd.memory_max", text);
        }
        return data;
}

static int reply_opened(VarlinkLink *l, const Grant *g) {
        char home[64], until[TIME_TEXT_MAX];
        uint64_t now = now_usec(CLOCK_BOOTTIME), left = g->deadline_usec > now ? g->deadline_usec - now : 0;

        (void) snprintf(home, sizeof(home), "%s/%s", HOME_ROOT, g->account);
        return varlink_reply(l, json_pack("{s:I,s:s,s:I,s:o,s:{s:s,s:s,s:s}}", "session", (json_int_t) varlink_link_pid(l), "home",
                                          home, "until", (json_int_t) g->until_usec, "pamData", pam_data(g, left), "env",
                                          "JIT_TICKET", g->ticket, "JIT_GRANT", g->id, "JIT_DEADLINE",
                                          time_format_rfc3339(g->until_usec, until)));
}

int vl_method_open_session(VarlinkLink *l, json_t *parameters, bool more, void *userdata) {
        _cleanup_caller_ Caller c = {};
        Manager *m = userdata;
        Grant *g;
        int r;

        (void) more;
        r = caller_parse(parameters, &c, NULL);
        if (r < 0)
                return r;
        g = grant_by_account(m, c.account);
        if (!g || !grant_is_authorized(g))
                return varlink_error(l, REAPER "TryAgain",
                                     json_pack("{s:s,s:s}", "reason", "session-unknown", "message",
                                               "there is no grant for this session; log in again"));
        if (g->state == GRANT_RESERVED) {
                /* The clock starts here, at the login. */
                g->since_usec = now_usec(CLOCK_REALTIME);
                g->until_usec = g->since_usec + g->allowed_usec;
                g->deadline_usec = now_usec(CLOCK_BOOTTIME) + g->allowed_usec;
        }
        r = session_open(g, l, &c);
        if (r < 0) {
                log_error("Cannot open a session for %s: %s", c.account, strerror(-r));
                return varlink_error(l, REAPER "Refused",
                                     json_pack("{s:s,s:s}", "reason", r == -ENOSPC ? "no-space" : "internal", "message",
                                               "the account could not be made on this host"));
        }
        varlink_link_mute(l);
        return reply_opened(l, g);
}
