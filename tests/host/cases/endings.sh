# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's and tickets.sh's
# How a grant ends, with and without the daemon.

# ended_by MILLISECONDS: the session has ended close to the deadline in $until_ms
ends_on_time() {
        local late
        session_ends 15
        late=$(($(now_ms) - until_ms))
        echo "ended $late ms after the deadline"
        ((late > -1500 && late < 2000)) || fail "the session ended $late ms after its deadline"
}

short_ticket() { # ID SECONDS
        ticket_ready "$1" --for "${2}s"
        until_ms=$(date -d "$(as alice jitctl ticket show "$1" --json | jq -r .document.ticket.not_after)" +%s%3N)
}

test_deadline() {
        short_ticket TTL1 6
        session_start_tty TTL1
        ends_on_time
        expect_gone TTL1 "$session_uid" deadline
        expect_match 'pam_jit: .*(deadline|time of this grant|ended)' "$(cat "$session_out")"
}

# Expiry does not depend on the daemon.
test_deadline_daemon_stopped() {
        local pid
        own_host
        short_ticket TTL2 8
        session_start TTL2
        wait_for 10 on systemctl is-active "jit-deadline-$session_uid.timer" || fail "PID 1 has no timer for the deadline"
        pid=$(daemon_pid jit-reaperd)
        on kill -STOP "$pid"
        ends_on_time
        on sh -c "! pgrep -u $session_uid" || fail "processes have outlived the deadline: $(on ps -f -u "$session_uid")"
        on kill -CONT "$pid" || :
        LEFT_WAIT=20 nothing_left jit-ttl2 "$session_uid"
        wait_for 5 receipt TTL2
}

# The same with a daemon that cannot even be started.
test_deadline_daemon_masked() {
        own_host
        short_ticket TTL3 6
        session_start TTL3
        wait_for 10 on systemctl is-active "jit-deadline-$session_uid.timer" || fail "PID 1 has no timer for the deadline"
        on systemctl mask --quiet --runtime --now jit-reaperd.service jit-reaperd.socket
        ends_on_time
        on sh -c "! pgrep -u $session_uid"
        on systemctl unmask --quiet --runtime jit-reaperd.service jit-reaperd.socket
        on systemctl start jit-reaperd.socket
        on getent passwd nosuchuser || :
        LEFT_WAIT=20 nothing_left jit-ttl3 "$session_uid"
}

# Sudo's rule and the key end by themselves, too: NOTAFTER and expiry-time, looked at while the daemon sleeps.
test_deadline_sudo_and_key() {
        local pid
        own_host
        short_ticket TTL4 6
        session_start TTL4
        expect_match 'NOTAFTER=' "$(on cat /run/jit/sudoers.d/jit-ttl4)"
        expect_match 'expiry-time="[0-9]{14}Z?"' "$(on cat /run/jit/keys/jit-ttl4)"
        expect_match 'RuntimeMaxUSec=[0-9]' "$(on sh -c 'systemctl show -p RuntimeMaxUSec "$(loginctl show-session -P Scope "$(loginctl --no-legend list-sessions | awk "/jit-ttl4/ { print \$1; exit }")")"')"
        pid=$(daemon_pid jit-reaperd)
        session_ends 15
        nothing_left jit-ttl4 "$session_uid"
}

test_warnings() {
        ticket_ready WARN1 --for 8s
        session_start_tty WARN1
        wait_for 8 grep -q 'pam_jit: .*ends in 5 s' "$session_out" || fail "no warning on the terminal: $(cat "$session_out")"
        session_lives
        session_ends 12
        [[ $(grep -c 'ends in' "$session_out") == 1 ]] || fail "warned more than once for one limit: $(cat "$session_out")"
        nothing_left jit-warn1 "$session_uid"
}

test_idle() {
        local start
        role=idle ticket_ready IDLE1
        start=$(now_ms)
        session_start_tty IDLE1
        session_ends 40
        expect_ms_below 35000 $(($(now_ms) - start)) "idle limit of 10 s"
        (($(now_ms) - start > 9000)) || fail "ended before its idle limit"
        expect_gone IDLE1 "$session_uid" idle
}

# Who works is not idle.
test_not_idle() {
        local end
        role=idle ticket_ready IDLE2
        session_out=$work/idle2.out
        { for _ in $(seq 32); do echo 'echo working'; sleep 0.5; done; } |
                as alice ssh -tt "${ssh_options[@]}" jit-idle2@db1 >"$session_out" 2>&1 &
        session_pid=$!
        end=$((SECONDS + 15))
        while ((SECONDS < end)); do session_lives || fail "a busy session has been ended"; sleep 0.5; done
        expect_match 'working' "$(cat "$session_out")"
        expect_match jit-idle2 "$(on jitctl list)"
        on jitctl revoke IDLE2
}

test_revoke() {
        local start
        ticket_ready REV1
        session_start_tty REV1
        start=$(now_ms)
        on jitctl revoke REV1 --reason 'host is suspect'
        expect_ms_below 1500 $(($(now_ms) - start)) "revoking"
        LEFT_WAIT=1 nothing_left jit-rev1 "$session_uid"
        session_ends 2
        expect_gone REV1 "$session_uid" revoked
        expect_match 'pam_jit.*(revoked|suspect)' "$(cat "$session_out")"
        # Somebody else's is not theirs to revoke.
        role=again ticket_ready REV2
        session_start REV2
        expect_status 1 as mallory jitctl revoke REV2 || expect_status 4 as mallory jitctl revoke REV2
        session_lives
        on jitctl revoke --all
        session_ends 2
        nothing_left jit-rev2 "$session_uid"
}

test_closed_in_session() {
        local start
        ticket_ready SHUT1
        session_start_tty SHUT1
        start=$(now_ms)
        as bob jitctl ticket close SHUT1 --reason 'incident over'
        session_ends 3
        expect_ms_below 2000 $(($(now_ms) - start)) "closing the ticket"
        expect_gone SHUT1 "$session_uid" ticket-closed
        expect_match 'pam_jit.*(closed|incident over)' "$(cat "$session_out")"
        ticket_ready SHUT2
        session_start SHUT2
        as bob jitctl ticket deny SHUT2
        session_ends 3
        expect_gone SHUT2 "$session_uid" ticket-denied
}

# The client does not say goodbye; the server's session process is killed; the terminal's shell ignores everything.
test_session_killed() {
        ticket_ready KILL1
        session_start KILL1
        session_logout
        expect_gone KILL1 "$session_uid" session-ended
        ticket_ready KILL2
        session_start KILL2
        on pkill -KILL -f '^sshd.*: jit-kill2'
        expect_gone KILL2 "$session_uid" session-ended
        ticket_ready KILL3
        session_command='echo uid=$(id -u); trap "" HUP INT TERM PIPE; while :; do sleep 1; done' session_start_tty KILL3
        session_logout
        expect_gone KILL3 "$session_uid" session-ended
        ticket_ready KILL4
        session_start KILL4
        on loginctl terminate-user jit-kill4
        expect_gone KILL4 "$session_uid" session-ended
}

# A thousand processes that breed, and root itself.
test_session_fights_back() {
        local start
        role=root ticket_ready FIGHT1
        session_command='echo uid=$(id -u); for i in $(seq 500); do (trap "" TERM HUP; exec setsid sleep 2000) & done; sudo -n setsid sh -c "trap \"\" TERM HUP; while :; do sleep 1; done" & sleep 1; echo grown; exec sleep 1000' session_start FIGHT1
        wait_for 20 grep -q grown "$session_out"
        start=$(now_ms)
        on jitctl revoke FIGHT1
        expect_ms_below 3000 $(($(now_ms) - start)) "revoking 500 processes"
        nothing_left jit-fight1 "$session_uid"
        on sh -c '! pgrep -f "[t]rap.*TERM HUP; while"' || fail "the process that ran as root in the session lives on"
        expect_gone FIGHT1 "$session_uid" revoked
}

test_daemon_restarted() {
        local how uid
        own_host
        for how in 'systemctl restart jit-reaperd.service' 'systemctl kill --signal=KILL jit-reaperd.service' \
                'systemctl stop jit-reaperd.service' 'systemctl restart jit-reaperd.socket' 'systemctl restart jit-approverd.service' \
                'systemctl restart systemd-logind.service' 'systemctl daemon-reexec'; do
                echo "== $how"
                local id="AGAIN$RANDOM"
                ticket_ready "$id"
                session_start "$id"
                uid=$session_uid
                # shellcheck disable=SC2086  # words
                on $how
                sleep 1
                session_lives || fail "$how has ended the session"
                wait_for 10 as mallory getent passwd "$(account "$id")" || fail "after $how the account does not resolve"
                session_start "$id" # a second one joins
                [[ $session_uid == "$uid" ]] || fail "after $how the account has another uid"
                session_logout
                sleep 0.3
                is_known "$(account "$id")" || fail "after $how the end of the second session ended the grant"
                on pkill -KILL -u alice ssh
                LEFT_WAIT=10 expect_gone "$id" "$uid" session-ended
        done
}

# The session ends while no daemon runs.
test_ended_without_daemon() {
        own_host
        ticket_ready ALONE1
        session_start ALONE1
        on systemctl stop jit-reaperd.socket jit-reaperd.service
        session_logout
        sleep 1
        on systemctl start jit-reaperd.socket
        on systemctl start jit-reaperd.service
        LEFT_WAIT=10 expect_gone ALONE1 "$session_uid"
}

test_host_rebooted() {
        own_host
        ticket_ready BOOT1
        session_start BOOT1
        host_reboot "$host"
        nothing_left jit-boot1 "$session_uid"
        on systemctl start jit-reaperd.service
        nothing_left jit-boot1 "$session_uid"
        wait_for 5 receipt BOOT1 || fail "no receipt after the reboot"
        expect_gone BOOT1 "$session_uid"
        expect_status 255 login BOOT1 true
        expect_match 'pam_jit: .*used' "$out"
        # The numbers go on.
        ticket_ready BOOT2
        out=$(login BOOT2 'id -u' 2>/dev/null)
        ((out > session_uid)) || fail "uid $out after the reboot, $session_uid before"
}

test_power_cut() {
        own_host
        ticket_ready CUT1
        session_start CUT1
        host_crash "$host"
        on systemctl start jit-reaperd.service
        wait_for 5 receipt CUT1 || fail "no receipt after the power cut"
        expect_gone CUT1 "$session_uid" reboot
        ticket_ready CUT2
        out=$(login CUT2 'id -u' 2>/dev/null)
        ((out > session_uid)) || fail "uid $out after the power cut, $session_uid before"
        expect_gone CUT2 "$out"
}

# Logins while the grant is being taken away: in, or a clean no; and nothing is left.
test_login_while_revoking() {
        local i pids=()
        role=again ticket_ready RACE1
        for _ in 1 2 3; do
                session_command='echo uid=$(id -u); for i in $(seq 300); do (exec setsid sleep 2000) & done; echo grown; exec sleep 1000' session_start RACE1
                wait_for 20 grep -q grown "$session_out"
                for i in 1 2 3 4 5 6; do
                        (sleep "0.$((i * 3 / 2))"; login RACE1 'id -u; sleep 0.2') >"$work/race.$i" 2>&1 &
                        pids+=($!)
                done
                sleep 0.3
                on jitctl revoke RACE1
                for i in "${pids[@]}"; do wait "$i" || :; done
                pids=()
                for i in 1 2 3 4 5 6; do echo "$i: $(tr '\n' ';' <"$work/race.$i")"; done
                nothing_left jit-race1 "$session_uid"
        done
        out=$(login RACE1 'id -u' 2>/dev/null)
        nothing_left jit-race1 "$out"
}
