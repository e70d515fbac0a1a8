/* SPDX-License-Identifier: Apache-2.0 */

/* WAY_ACCOUNT: everything that runs as the account is the grant's, wherever it is. */

#include <errno.h>
#include <systemd/sd-login.h>

#include "artefact.h"
#include "deadline-guard.h"
#include "journal-acl.h"
#include "leftovers.h"
#include "log.h"
#include "logind.h"
#include "process-kill.h"
#include "reap-kind.h"
#include "session.h"
#include "uid-range.h"

static bool remove_rights(Grant *g) {
        /* Both, whatever becomes of the first. */
        bool sudoers = reap_is_removed(g, "sudo rule", sudoers_file_remove(g));

        return reap_is_removed(g, "key", keys_file_remove(g)) && sudoers;
}

static bool is_dead(Grant *g) {
        unsigned left = 0;
        pid_t first = 0;

        if (uid_has_no_process(g->uid) || (uid_count_processes(g->uid, &left, &first) >= 0 && left == 0))
                return true;
        reap_alarm_if_late(g, left, first);
        return false;
}

static bool kill_and_prove(Grant *g) {
        Reaping *r = g->reaping;
        int slice, e;

        reap_kill_callers(g);
        slice = reap_kill_slice(g);
        if (slice == 0 && !r->signalled) {
                /* All that is in the slice is dying, and the kernel tells when the last is dead. kill(2) of everything would queue behind them. */
                r->signalled = true;
                return false;
        }
        e = uid_kill_all(g->uid, uid_range_sender(g->manager->uids));
        if (slice < 0 || e < 0)
                log_error("Cannot kill the processes of %s, trying again: %s", g->account, strerror(slice < 0 ? -slice : -e));
        if (slice == 0)
                reap_alarm_if_late(g, 0, 0);
        return slice == 1 && e >= 0 && is_dead(g);
}

/* What the account cannot make anew: may be removed while its processes die. */
static bool remove_places(Grant *g) {
        return reap_is_removed(g, "home", home_remove(g)) && reap_is_removed(g, "user manager's mask", manager_mask_remove(g));
}

static void remove_leftovers(Grant *g) {
        leftovers_remove(g, &g->reaping->receipt);
}

static void tell_others(Grant *g) {
        logind_forget_user(g->manager, g->uid);
        runtime_dir_stop(g);
        deadline_guard_stop(g);
}

static bool is_settled(Grant *g, bool last) {
        Reaping *r = g->reaping;
        _cleanup_free_ char *state = NULL;
        unsigned left = 1;
        pid_t first = 0;

        deadline_guard_stop(g);
        slice_stop(g);
        journal_acl_remove(g->uid, &r->receipt); /* journald makes a UID's file when it gets to its first message */
        (void) uid_kill_all(g->uid, uid_range_sender(g->manager->uids));
        r->receipt.process_absent = uid_count_processes(g->uid, &left, &first) >= 0 && left == 0;
        for (const Session *s = g->past; s; s = s->next)
                if (s->logind_id)
                        logind_forget_session(g->manager, s->logind_id);
        if (left == 0 && (sd_uid_get_state(g->uid, &state) < 0 || streq(state, "offline")))
                return true;
        if (!last) {
                logind_forget_user(g->manager, g->uid);
                return false;
        }
        if (left > 0)
                receipt_residue(&r->receipt, "%u processes with this UID, PID %d among them", left, first);
        else
                receipt_residue(&r->receipt, "logind still lists the user as %s", state);
        return true;
}

const ReapKind reap_account = {
        .remove_rights = remove_rights,
        .kill_and_prove = kill_and_prove,
        .remove_places = remove_places,
        .remove_leftovers = remove_leftovers,
        .tell_others = tell_others,
        .is_settled = is_settled,
};
