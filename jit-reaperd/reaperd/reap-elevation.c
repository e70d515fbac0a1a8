/* SPDX-License-Identifier: Apache-2.0 */

/* WAY_ELEVATION: what is in the grant's slice is the grant's, and the right; nothing else.
 *
 * MUST NOT: kill, tell or remove anything by the person's UID: they were here before the grant and stay. The one exception is a sudo that has read
 * the grant's rule and can be seen in no slice: elevated-marker.c. */

#include "artefact.h"
#include "deadline-guard.h"
#include "log.h"
#include "process-kill.h"
#include "reap-kind.h"
#include "session.h"

static bool remove_rights(Grant *g) {
        return !g->has_rule || reap_is_removed(g, "sudo rule", elevated_right_remove(g));
}

static bool kill_and_prove(Grant *g) {
        int slice;

        reap_kill_callers(g);
        slice = reap_kill_slice(g);
        if (slice < 0)
                log_error("Cannot kill what %s started by %s, trying again: %s", g->requester, g->ticket, strerror(-slice));
        else if (slice == 0)
                reap_alarm_if_late(g, 0, 0);
        return slice == 1;
}

/* PID 1 would keep the empty slice for good. */
static void tell_others(Grant *g) {
        deadline_guard_stop(g);
        slice_stop(g);
}

static bool slice_is_gone(const Grant *g) {
        char name[SLICE_NAME_MAX];
        _cleanup_close_ int slice = slice_open(grant_slice(g, name));
        _cleanup_close_ int events = slice < 0 ? -1 : slice_events_open(slice);

        return slice == -ENOENT || events == -ENOENT || (events >= 0 && slice_is_empty(events));
}

static bool is_settled(Grant *g, bool last) {
        Reaping *r = g->reaping;
        unsigned left = 0;
        pid_t first = 0;

        tell_others(g);
        r->receipt.process_absent = slice_is_gone(g);
        if (!r->receipt.process_absent && reap_kill_slice(g) == 0 && !last)
                return false;
        if (!r->receipt.process_absent)
                receipt_residue(&r->receipt, "processes in the grant's slice");
        if (g->has_rule && elevated_marker_remove(g, &left, &first) < 0)
                receipt_residue(&r->receipt, "the marker of an elevated person");
        if (left > 0)
                receipt_residue(&r->receipt, "%u sudo that may have read the rule and not asked PAM yet, PID %d among them: it would be refused",
                                left, first);
        return true;
}

const ReapKind reap_elevation = {
        .remove_rights = remove_rights,
        .kill_and_prove = kill_and_prove,
        .tell_others = tell_others,
        .is_settled = is_settled,
};
