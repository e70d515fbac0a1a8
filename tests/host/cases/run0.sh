# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's, tickets.sh's and people.sh's
# run0 (Debian 13): PID 1 starts the process, and knows it by another name than who called; the same grant all the same.

setup() {
        on sh -c 'command -v run0' || return 0
        put /etc/polkit-1/rules.d/10-run0.rules <<'END'
polkit.addRule(function(action, subject) {
        if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user != "bob") return polkit.Result.YES;
});
END
        printf '#!/bin/sh\nexec sed -n s/^0:://p /proc/self/cgroup\n' | put /usr/local/bin/where 0755
}

needs_run0() { on sh -c 'command -v run0' || skip "$suite has no run0"; }

test_run0() {
        local uid who
        needs_run0
        role=again ticket_ready RUN1
        out=$(own_login_both 'run0 --pipe --user=jit-run1 sh -c "id; where; sudo -n id -u; exit 7"' 2>&1) && fail "exit status lost"
        echo "$out"
        expect_match '^uid=[0-9]+\(jit-run1\) gid=[0-9]+\(jit-run1\)' "$out"
        uid=$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$out")
        expect_match "^/user.slice/user-$uid.slice/jit-[0-9a-f]{16}-[0-9]+.scope\$" "$out"
        expect_gone RUN1 "$uid" session-ended
        expect_match 'systemd-run0 jit-run1' "$(receipt RUN1 | jq -r '.sessions[0] | .service + " " + .target')"
        for who in mallory al alice2 olga; do
                out=$(by=$who own_login_both 'LOGNAME=alice USER=alice SUDO_USER=alice run0 --pipe --setenv=SUDO_USER=alice --setenv=SUDO_UID=1000 --user=jit-run1 id' 2>&1) &&
                        fail "$who got in: $out"
                expect_no_match 'uid=' "$out"
        done
        journal_has caller-mismatch run1
        out=$(on run0 --pipe --user=jit-run1 id 2>&1) && fail "root got in: $out"
        out=$(on systemd-run --quiet --uid=alice --pipe --wait run0 --pipe --user=jit-run1 id 2>&1) && fail "a service of alice's got in: $out"
        journal_has caller-unknown run1
        # From inside another account of a ticket's.
        role=root ticket_ready RUN2
        out=$(login RUN2 'sudo -n run0 --pipe --user=jit-run1 id' 2>&1) && fail "in from inside another grant: $out"
        expect_no_match 'uid=' "$out"
        # Nobody else's run0 is changed.
        [[ $(by=mallory own_login 'run0 --pipe id -un') == root ]] || fail "mallory's run0"
}

# On a terminal; what it leaves behind; the end of the ticket.
test_run0_ends() {
        local uid
        needs_run0
        role=t-all ticket_ready RUN3
        shell_open a
        shell_open b
        expect_shell 0 a 'run0 --user=jit-run3 sh -c "id -u; setsid nohup sleep 986 >/dev/null 2>&1 & sleep 0.2"'
        uid=$(grep -o '[0-9]*' <<<"$out" | tail -n1)
        on pgrep -u "$uid" -f '^sleep 986' || fail "nothing was left in the background"
        is_known jit-run3 || fail "the account went before its last process"
        shell_logout b
        is_known jit-run3 || fail "ended by another login session's end"
        shell_logout a
        expect_gone RUN3 "$uid"
        ticket_ready RUN4 --for 5s
        out=$(own_login_both 'run0 --pipe --user=jit-run4 sh -c "id -u; setsid sleep 985"' 2>&1) && fail "it has outlived its deadline"
        on sh -c '! pgrep -f "^sleep 985"' || fail "a process has outlived the deadline"
        expect_gone RUN4 "$(grep -m1 -x '[0-9]*' <<<"$out")" deadline
}

# With the gate in its stack.
test_run0_gate() {
        local file
        needs_run0
        on cp -r /etc/pam.d /root/pam.d.before
        for file in "$top"/examples/pam.d-gate/*; do put "/etc/pam.d/${file##*/}" <"$file"; done
        echo 'alice ALL=(ALL:ALL) NOPASSWD: ALL' | put /etc/sudoers.d/people 0440
        role=t-gate ticket_ready RUN5
        for by in alice mallory; do
                out=$(own_login_both 'run0 --pipe id' 2>&1) && fail "$by: run0 without a ticket: $out"
                expect_no_match 'uid=' "$out"
        done
        by=alice
        # A ticket that sudo has opened in this login session holds for run0.
        out=$(own_login_both 'exec 2>&1; JIT_TICKET=RUN5 sudo -n id -u; run0 --pipe id -u; run0 --pipe where; run0 --pipe --user=olga id -un' 2>&1) && fail "run0 as somebody else: $out"
        echo "$out"
        [[ $(grep -c '^0$' <<<"$out") == 2 ]] || fail "not twice: $out"
        expect_match '^/jit.slice/.*scope$' "$out"
        expect_no_match '^olga$' "$out"
        sudo_before='Matching Defaults'
        expect_ended RUN5 session-ended
        [[ $(on run0 --pipe id -u) == 0 ]] || fail "root's own run0"
        on sh -c 'rm -rf /etc/pam.d /etc/sudoers.d/people; mv /root/pam.d.before /etc/pam.d'
}
