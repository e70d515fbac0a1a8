# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154  # dollars for the host's shell; host, out...: cases.sh's and tickets.sh's
# Logins on a ticket that is not approved yet, on a host that lets them wait (jit.conf(5), WaitSec=; pam_jit(8), wait).

setup() {
        printf '[Approval]\nWaitSec=20s\n' | put /etc/jit/jit.conf.d/wait.conf
        on sed -i '/^account.*pam_jit\.so/s/$/ wait/' /etc/pam.d/sshd
        expect_match 'pam_jit\.so wait$' "$(on cat /etc/pam.d/sshd)"
        on systemctl restart jit-reaperd.service # a look-up during the boot may have started it
}

# wait_start ID [COMMAND...]: a login in the background that waits; its output in $wait_out, its process in $wait_pid.
wait_start() {
        local id=$1
        shift
        wait_out=$work/wait.$host.$id
        login "$id" "${@:-echo got in as \$(id -un)}" >"$wait_out" 2>&1 </dev/null &
        wait_pid=$!
        wait_since=$(now_ms)
        wait_for 10 wait_is_noted "$id" || fail "the login does not wait: $(tr '\n' ';' <"$wait_out")"
}

# journald writes a little later than the daemon speaks.
journal_says() { grep -Eq "$1" <<<"$(on journalctl --no-pager -o cat -u jit-reaperd)"; }

wait_is_noted() { journal_says "^$(account "$1") waits for its approval"; }

# wait_ends SECONDS: how the login ended in $wait_status, how long that took in $took_ms, what it said in $out.
wait_ends() {
        local start
        start=$(now_ms)
        while session_lives "$wait_pid"; do
                (($(now_ms) - start < $1 * 1000)) || fail "it still waits after $1 s"
                sleep 0.02
        done
        took_ms=$(($(now_ms) - start)) wait_status=0
        wait "$wait_pid" || wait_status=$?
        out=$(tr -d '\r' <"$wait_out")
        echo "$out"
}

test_waiting_approved() {
        ticket_new WAIT1
        wait_start WAIT1
        sleep 1
        session_lives "$wait_pid" || fail "it did not wait"
        expect_no_match 'jit-wait1 +active' "$(on jitctl list)"
        ticket_approve WAIT1
        wait_ends 10
        expect_ms_below 3000 "$took_ms" "from the approval to the end of the login"
        [[ $wait_status == 0 ]] || fail "not let in: status $wait_status"
        expect_match '^got in as jit-wait1$' "$out"
        expect_gone WAIT1 "" session-ended
}

# The second of two approvers comes while somebody waits.
test_waiting_for_the_second() {
        role=two ticket_ready WAIT2
        wait_start WAIT2
        sleep 0.5
        session_lives "$wait_pid" || fail "it did not wait"
        ticket_approve WAIT2 carol
        wait_ends 10
        [[ $wait_status == 0 ]] || fail "not let in: status $wait_status"
        expect_gone WAIT2 "" session-ended
}

test_waiting_denied() {
        ticket_new WAIT3
        wait_start WAIT3
        as bob jitctl ticket deny WAIT3 --reason freeze
        wait_ends 10
        expect_ms_below 3000 "$took_ms" "from the denial to the refusal"
        [[ $wait_status == 255 ]] || fail "status $wait_status"
        expect_match 'pam_jit: WAIT3 .*denied' "$out"
        expect_match 'pam_jit: WAIT3 waits for .* left; Ctrl-C ends it' "$out"
        expect_no_match 'got in' "$out"
        wait_for 10 journal_says '^Refused jit-wait3: WAIT3 was denied' || fail "the journal does not say why"
        LEFT_WAIT=25 nothing_left jit-wait3 ""
}

test_waiting_limit() {
        local took
        ticket_new WAIT4
        wait_start WAIT4
        wait_ends 30
        took=$(($(now_ms) - wait_since))
        ((took >= 18000)) || fail "refused after $took ms already"
        expect_ms_below 26000 "$took" "a wait of 20 s"
        [[ $wait_status == 255 ]] || fail "status $wait_status"
        expect_match 'pam_jit: WAIT4 .*it was not approved within 20 s' "$out"
        expect_match '10 s left' "$out"
        wait_for 10 journal_says '^Refused jit-wait4: WAIT4 .*not approved within' || fail "the journal does not say why"
        # An approval after that lets nobody in who is not there any more; whoever comes anew is.
        ticket_approve WAIT4
        sleep 2
        expect_no_match 'jit-wait4 +active' "$(on jitctl list)"
        expect_no_match 'got in' "$(cat "$wait_out")"
        expect_status 0 login WAIT4 'echo got in as $(id -un)'
        expect_match '^got in as jit-wait4$' "$out"
}

# Who waits goes away, and the approval comes after: nobody is in.
test_waiting_client_gone() {
        ticket_new WAIT5
        wait_start WAIT5
        session_logout "$wait_pid"
        ticket_approve WAIT5
        sleep 2
        expect_no_match 'jit-wait5 +active' "$(on jitctl list)"
        expect_match '^0$' "$(on sh -c 'pgrep -c -u jit-wait5 || true')"
        LEFT_WAIT=45 nothing_left jit-wait5 ""
}

# jit-approverd is started anew in the middle: who waits hears of the approval all the same.
test_waiting_over_a_restart() {
        ticket_new WAIT6
        wait_start WAIT6
        on systemctl restart jit-approverd.service
        ticket_approve WAIT6
        wait_ends 15
        [[ $wait_status == 0 ]] || fail "not let in: status $wait_status"
}

# jit-reaperd dies while somebody waits: that login is refused, the next one waits again.
test_waiting_over_a_kill() {
        ticket_new WAIT7
        wait_start WAIT7
        on systemctl restart jit-reaperd.service
        wait_ends 15
        [[ $wait_status == 255 ]] || fail "status $wait_status"
        ticket_approve WAIT7
        expect_status 0 login WAIT7 true
}

# On a terminal.
test_waiting_terminal() {
        ticket_new WAIT8
        session_out=$work/tty.$host
        printf 'id -un\nexit\n' | as alice ssh -tt "${ssh_options[@]}" jit-wait8@db1 >"$session_out" 2>&1 &
        wait_pid=$! wait_out=$session_out
        wait_for 10 wait_is_noted WAIT8
        ticket_approve WAIT8
        wait_ends 15
        expect_match '^pam_jit: WAIT8 "test of WAIT8" approved by bob' "$out"
}

# Others do not notice: an ordinary login, and a ticket that is approved already.
test_waiting_disturbs_nobody() {
        local start
        ticket_new WAIT9
        wait_start WAIT9
        start=$(now_ms)
        expect_status 0 as olga ssh "${ssh_options[@]}" olga@db1 true
        ticket_ready WAIT10
        expect_status 0 login WAIT10 true
        expect_ms_below 8000 $(($(now_ms) - start)) "two logins beside one that waits"
        session_lives "$wait_pid" || fail "it did not wait"
        ticket_approve WAIT9
        wait_ends 10
        [[ $wait_status == 0 ]] || fail "not let in: status $wait_status"
}
