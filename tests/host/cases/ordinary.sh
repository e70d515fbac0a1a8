# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154  # dollars for the host's shell; host, out...: cases.sh's and tickets.sh's
# Everybody else logs in as before, whatever state pam_jit is in.

# mallory by ssh, olga by ssh, sudo and su, root by su; each within a bound.
ordinary_works() {
        local what=$1 limit=${2:-2500} start
        start=$(now_ms)
        out=$(as mallory timeout 100 ssh "${ssh_options[@]}" db1 'exec 2>&1; id -un; pwd; sudo -n true; exit 5' 2>&1) && fail "$what: exit status lost"
        expect_ms_below "$limit" $(($(now_ms) - start)) "$what: ssh"
        out=$(grep -v '^sudo: unable to write' <<<"$out") # on a full /run
        [[ $out == $'mallory\n/home/mallory\nsudo: a password is required' ]] || fail "$what: mallory's login says: $out"
        start=$(now_ms)
        out=$(as olga timeout 100 ssh "${ssh_options[@]}" db1 'exec 2>&1; sudo -n id -un; sudo -n -u mallory id -un; sudo -n -i id -un; sudo -n su - mallory -c "id -un"; sudo -n -l | tail -n1' 2>&1) || fail "$what: olga's sudo failed: $out"
        expect_ms_below "$limit" $(($(now_ms) - start)) "$what: ssh and sudo"
        [[ $out == $'root\nmallory\nroot\nmallory\n    (ALL : ALL) NOPASSWD: ALL' ]] || fail "$what: olga's sudo says: $out"
        start=$(now_ms)
        [[ $(on timeout 100 su - mallory -c 'id -un') == mallory ]] || fail "$what: su"
        expect_ms_below "$limit" $(($(now_ms) - start)) "$what: su"
}

test_ordinary_running() {
        on systemctl start jit-reaperd.service
        ordinary_works running
        out=$(as mallory ssh "${ssh_options[@]}" db1 'exec 2>&1; id -un; echo "$XDG_SESSION_ID"; ls -d /run/user/$(id -u); systemctl --user is-system-running' 2>&1)
        expect_match '^/run/user/' "$out"
        expect_match '^(running|degraded|starting)' "$out"
        # Nobody's sudo or su is moved anywhere, and a stranger's su is refused as ever.
        out=$(as olga ssh "${ssh_options[@]}" db1 'where="sed -n s/^0:://p /proc/self/cgroup"; [ "$($where)" = "$(sudo -n $where)" ] && [ "$($where)" = "$(sudo -n su mallory -c "$where")" ] && echo same' 2>&1)
        [[ $out == same ]] || fail "olga's sudo is in another cgroup: $out"
        out=$(as mallory ssh "${ssh_options[@]}" db1 'su olga -c id </dev/null' 2>&1) && fail "mallory is olga: $out"
        expect_match 'Authentication (failure|token manipulation error)|Permission denied' "$out"
        expect_no_match 'pam_jit' "$out"
}

test_ordinary_stopped() {
        own_host
        on systemctl stop jit-reaperd.service
        ordinary_works 'service stopped'
        on systemctl stop jit-reaperd.socket jit-approverd.socket
        ordinary_works 'sockets stopped'
        on systemctl mask --quiet --now jit-reaperd.socket jit-reaperd.service jit-approverd.socket jit-approverd.service
        ordinary_works masked
        # Ours get a no, and no wait.
        local start
        start=$(now_ms)
        expect_status 255 as alice ssh "${ssh_options[@]}" jit-x1@db1 true
        expect_ms_below 5000 $(($(now_ms) - start)) "our account, masked"
        host_reboot "$host"
        ordinary_works 'masked, rebooted'
}

test_ordinary_broken_configuration() {
        own_host
        echo 'Nonsense=[' | put /etc/jit/jit.conf
        on systemctl restart jit-reaperd.service || :
        ordinary_works 'broken jit.conf'
        echo garbage | put /etc/jit/roles.d/broken.conf
        on systemctl reload-or-restart jit-reaperd.service || :
        ordinary_works 'broken role'
        host_reboot "$host"
        ordinary_works 'broken jit.conf, rebooted'
        on rm -f /etc/ssh/sshd_config.d/50-pam-jit.conf /usr/lib/x86_64-linux-gnu/security/pam_jit.so
        ordinary_works 'module gone'
}

# nss-systemd waits for a service that does not answer. The watchdog ends that.
test_ordinary_daemon_hung() {
        own_host
        on systemctl start jit-reaperd.service
        on kill -STOP "$(daemon_pid jit-reaperd)"
        ordinary_works 'reaperd hung' 90000
        on systemctl kill --signal=CONT jit-reaperd.service
        on systemctl start jit-approverd.service
        on kill -STOP "$(daemon_pid jit-approverd)"
        ordinary_works 'approverd hung'
}

# approverd hung: our logins get a no with its reason within the time limit, live sessions go on.
test_approver_hung() {
        local start
        own_host
        role=again ticket_ready HUNG1
        session_start HUNG1
        ticket_ready HUNG2
        on systemctl stop jit-approverd.socket
        on systemctl mask --quiet --runtime --now jit-approverd.service jit-approverd.socket
        start=$(now_ms)
        expect_status 255 login HUNG2 true
        expect_ms_below 15000 $(($(now_ms) - start)) "approverd gone: login"
        session_lives
        on systemctl unmask --quiet --runtime jit-approverd.service jit-approverd.socket
        on systemctl start jit-approverd.socket
        on systemctl start jit-approverd.service
        on kill -STOP "$(daemon_pid jit-approverd)"
        start=$(now_ms)
        expect_status 255 login HUNG2 true
        expect_ms_below 30000 $(($(now_ms) - start)) "approverd hung: login"
        journal_has 'provider-unreachable|try-again' hung2
        session_lives || fail "the live session ended"
        session_logout
        nothing_left jit-hung1 "$session_uid"
}

test_ordinary_run_full() {
        own_host
        on systemctl start jit-reaperd.service
        ticket_ready FULL1
        ticket_ready FULL2
        session_start FULL1
        on sh -c 'mount -o remount,size=40M /run; head -c 60000000 /dev/zero >/run/filler; df /run' || :
        expect_match '100%' "$(on df /run)"
        ordinary_works '/run full' 4000
        # Refused whole, nothing half made.
        expect_status 255 login FULL2 true
        # Revoking needs no free space.
        on jitctl revoke FULL1
        nothing_left jit-full1 "$session_uid"
        on rm /run/filler
        LEFT_WAIT=15 nothing_left jit-full2 ""
        expect_status 0 login FULL2 true
}

# Accounts that the daemon has not made are never touched, whatever their names.
test_foreign_accounts() {
        own_host
        on useradd -m -s /bin/bash jit-local
        on sh -c 'mkdir -p /home/jit-local/.ssh && cp /home/alice/.ssh/id_ed25519.pub /home/jit-local/.ssh/authorized_keys && chown -R jit-local: /home/jit-local && touch /run/jit/home/x; sed -i "s|/run/jit/keys/%u|& .ssh/authorized_keys|" /etc/ssh/sshd_config.d/50-pam-jit.conf; systemctl reload ssh'
        out=$(as alice ssh "${ssh_options[@]}" jit-local@db1 'id -un; pwd' 2>&1)
        [[ $out == $'jit-local\n/home/jit-local' ]] || fail "an ordinary account named jit-local: $out"
        ticket_new LOCAL || :
        ticket_approve LOCAL || :
        as alice ssh "${ssh_options[@]}" jit-local@db1 true || fail "a ticket of the same name has locked it out"
        on jitctl revoke --all || :
        on getent passwd jit-local
        on test -d /home/jit-local/.ssh
}
