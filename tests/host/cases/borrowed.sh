# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out, sudo_before...: cases.sh's, tickets.sh's and people.sh's
# People's own sudo rules from inside a grant: who becomes somebody else there, by a password or a set-user-ID program, has that person's rules, of
# which the ticket knows nothing.

setup() {
        gate_on
        printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\n' alice mallory | put /etc/sudoers.d/people 0440
        on visudo -c
        # What su makes of somebody who knows alice's password, without the password.
        on install -m 4755 -o alice /usr/bin/setpriv /usr/local/bin/as-alice
        printf '#!/bin/sh\nexec sed -n s/^0:://p /proc/self/cgroup\n' | put /usr/local/bin/where 0755
        printf '[Role]\nWays=gate\nReactivate=yes\nRunAs=olga\n' | put /etc/jit/roles.d/t-as-olga.conf
        on systemctl try-restart jit-reaperd.service jit-approverd.service
        sudo_before='Matching Defaults entries for'
}

gate_on() {
        local file
        for file in "$top"/examples/pam.d-gate/*; do put "/etc/pam.d/${file##*/}" <"$file"; done
}

gate_off() {
        local file
        for file in "$top"/examples/pam.d-gate/*; do put "/etc/pam.d/${file##*/}" <"$top/examples/pam.d/${file##*/}"; done
}

test_borrowed_in_an_account() {
        role=t-account ticket_ready OWN1
        journal_mark
        out=$(own_login_both 'su - jit-own1 -c "as-alice --reuid=alice id -ru; as-alice --reuid=alice sudo -n id -u"' 2>&1) || :
        echo "$out"
        expect_match "^$(on id -u alice)\$" "$out"
        expect_no_match '^0$' "$out"
        expect_match 'pam_jit: .*own login' "$out"
        journal_code transient-caller
        # Nor with a ticket that would open the gate.
        role=t-gate ticket_ready OWN2
        out=$(own_login_both 'su - jit-own1 -c "as-alice --reuid=alice env JIT_TICKET=OWN2 sudo -n id -u"' 2>&1) || :
        expect_no_match '^0$' "$out"
        not_elevated
        [[ $(own_login 'JIT_TICKET=OWN2 sudo -n id -u' 2>/dev/null) == 0 ]] || fail "the ticket does not open the gate at all"
        expect_ended OWN2 session-ended
}

test_borrowed_beyond_run_as() {
        role=t-as-olga ticket_ready OWN3
        journal_mark
        out=$(own_login_both 'JIT_TICKET=OWN3 sudo -n -u olga sh -c "id -un; as-alice --reuid=alice sudo -n id -u; as-alice --reuid=alice sudo -n -u olga where"' 2>&1) || :
        echo "$out"
        expect_match '^olga$' "$out"
        expect_no_match '^0$' "$out"
        journal_code target-not-allowed
        # What the role does cover goes on, and stays where it ends with the grant.
        expect_match '^/jit.slice/jit-[0-9a-f]{16}.slice/.*\.scope$' "$out"
        expect_ended OWN3 session-ended
}

test_borrowed_rule() {
        local sudo_before='User alice is not allowed to run sudo on'
        gate_off
        on mv /etc/sudoers.d/people /root/people
        role=t-account ticket_ready OWN4
        role=t-elevate ticket_ready OWN5
        journal_mark
        out=$(own_login_both 'exec 2>&1; jitctl elevate OWN5; sudo -n id -u; su - jit-own4 -c "as-alice --reuid=alice sudo -n id -u && echo borrowed"')  || :
        echo "$out"
        [[ $(grep -c '^0$' <<<"$out") == 1 ]] || fail "not root once: $out"
        expect_no_match '^borrowed$' "$out"
        journal_code transient-caller
        expect_ended OWN5 session-ended
        on mv /root/people /etc/sudoers.d/people
        gate_on
}
