# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's, tickets.sh's and people.sh's
# jitctl elevate: a person's own account may do more for a while, and nothing of it is left.

setup() { printf '#!/bin/sh\nexec sed -n s/^0:://p /proc/self/cgroup\n' | put /usr/local/bin/where 0755; }

test_elevate() {
        local rules before uid id scope
        before=$(sudo_rights alice)
        ticket_ready UP1
        shell_open a
        expect_shell 1 a 'sudo -n id'
        expect_shell 0 a 'jitctl elevate UP1'
        expect_match 'UP1' "$out"
        uid=$(on id -u alice)
        id=$(grant_of UP1 elevation .id)
        # A rule, a marker, nothing else; and in the rule the role, until then.
        out=$(on find /run/jit/sudoers.d /run/jit/elevated /run/jit/keys /run/jit/home -mindepth 1 -printf '%P %m %u\n' | sort)
        [[ $(sed -E "s/ [0-7]+ / mode /" <<<"$out" | tr "\n" ";") == "$uid mode root;elevate-$uid-jit-up1 mode root;" ]] || fail "not one rule and one marker: $out"
        rules=$(on cat "/run/jit/sudoers.d/elevate-$uid-jit-up1")
        echo "$rules"
        expect_match "^#$uid .*\(root\).*NOTAFTER=[0-9]{14}Z.*/usr/bin/id" "$rules"
        expect_no_match '!ALL' "$rules"
        expect_status 2 as mallory getent passwd jit-up1
        rules=$(sudo_rights alice)
        echo "$rules"
        expect_match '\(root\) .*/usr/bin/id' "$rules"
        expect_no_match 'may run|NOPASSWD: ALL' "$(sudo_rights alice2) $(sudo_rights al) $(sudo_rights mallory)"
        expect_match 'alice +active +alice +UP1 +test' "$(on jitctl list)"
        expect_match 'UP1' "$(as alice jitctl list)"
        expect_no_match 'UP1' "$(as mallory jitctl list)"
        # Nobody else's sudo, and none of hers but the role's commands.
        expect_shell 0 a 'sudo -n id -u'
        [[ $out == 0 ]] || fail "not root: $out"
        expect_shell 1 a 'sudo -n true'
        expect_shell 1 a 'sudo -n -u olga id'
        expect_shell 1 a 'sudo -n id; sudo -n cat /etc/shadow'
        expect_shell 1 a 'sudo -n -i'
        out=$(by=al own_login_both 'sudo -n id' 2>&1) && fail "al: $out"
        out=$(by=alice2 own_login_both 'sudo -n id' 2>&1) && fail "alice2: $out"
        expect_shell 0 a 'jitctl drop'
        expect_shell 1 a 'sudo -n id'
        [[ $(sudo_rights alice) == "$before" ]] || fail "alice's sudo is not as it was: $(sudo_rights alice)"
        expect_ended UP1 dropped
        journal_has dropped up1
        expect_shell 1 a 'jitctl drop'
        shell_logout a
        expect_match 'elevation alice alice' "$(receipt UP1 | jq -r '"\(.way) \(.account) \(.requester)"')"
        sudo_works
}

# Each process in a scope that says whose it is, with all that it starts; the person's own processes stay where they are.
test_elevate_scope() {
        local id scope own
        role=t-all ticket_ready SCOPE1
        shell_open a
        expect_shell 0 a 'where'
        own=$out
        expect_shell 0 a 'jitctl elevate SCOPE1'
        id=$(grant_of SCOPE1 elevation .id)
        shell a 'sudo -i'
        scope=$(scope_of SCOPE1 elevation)
        expect_scope "$scope" SCOPE1 alice "jit-$id.slice"
        expect_match '^sudo-i root$' "$(grant_of SCOPE1 elevation '.sessions[] | select(.kind == "scope") | .service + " " + .target')"
        shell a 'where; (setsid sh -c "where") | cat; su - mallory -c where; sudo -n where; sudo -n -u olga where; sudo -n sh -c "sudo -n where"'
        # pam_systemd takes su to a new session of logind's, and pam_jit back: to a scope of the same slice.
        [[ $(grep -c "^/jit.slice/jit-$id.slice/jit-$id-[0-9]*.scope\$" <<<"$out") == 6 ]] || fail "not all in the grant's slice: $out"
        # Inside a grant there is no other: sudo in sudo, elevate as root, su to an account of a ticket's.
        ticket_ready SCOPE2
        expect_shell 1 a 'jitctl elevate SCOPE2'
        expect_match 'already-root|root' "$out"
        expect_shell 1 a 'setpriv --reuid alice --regid alice --init-groups jitctl elevate SCOPE2'
        expect_shell 1 a 'su - jit-scope2 -c id'
        expect_no_match 'uid=' "$out"
        journal_has transient-caller scope2
        shell a exit
        wait_for 5 on sh -c "! test -e /sys/fs/cgroup/jit.slice/jit-$id.slice/$scope" || fail "the scope outlives its last process"
        expect_shell 0 a 'where'
        [[ $out == "$own" ]] || fail "the person's shell has moved from $own to $out"
        # sudo ends, the elevation does not; what it left in the background is bound to it.
        expect_shell 0 a 'sudo -n id -u; sudo -n sh -c "setsid sleep 997 >/dev/null 2>&1 & sleep 0.1"; sleep 998 & true'
        on pgrep -f '^sleep 997'
        on jitctl revoke SCOPE1
        on sh -c '! pgrep -f "^sleep 997"' || fail "a process of the elevation has outlived it"
        on pgrep -u alice -f '^sleep 998' || fail "a process of alice's own was killed"
        expect_shell 1 a 'sudo -n id'
        expect_ended SCOPE1 revoked
        shell_logout a
}

test_elevate_refused() {
        local n=0 id who command words reason
        role=t-elevate ticket_ready NO1
        ticket_new NO2
        role=t-account ticket_ready NO3
        at=db2 ticket_ready NO4
        ticket_ready NO5 --for 1s
        ticket_new NO6
        as bob jitctl ticket deny NO6 --reason freeze
        # Exit status 1: the answer is no.
        while read -r id who reason words; do
                out=$(by=$who own_login_both "jitctl elevate $id" 2>&1) && fail "$who was elevated by $id"
                echo "$who $id: $out"
                expect_match "$words" "$out"
                [[ $reason == - ]] || journal_has "$reason" "$id"
                ((n += 1))
        done <<'END'
NO1 mallory not-requester|ticket-unknown .
NO1 al not-requester|ticket-unknown .
NO1 alice2 not-requester|ticket-unknown .
NO2 alice ticket-pending NO2.*approv
NO3 alice way-not-allowed .
NO4 alice wrong-host db[12]
NO5 alice too-late .
NO6 alice ticket-denied denied
NOSUCH6 alice - .
END
        ((n == 9))
        # Root needs none; who has no login cannot be told from a service.
        journal_mark
        expect_status 1 on jitctl elevate NO1
        journal_code already-root
        out=$(by=olga own_login_both 'sudo -n jitctl elevate NO1' 2>&1) && fail "root was elevated"
        expect_match 'already-root' "$out"
        expect_status 1 as alice jitctl elevate NO1
        journal_code caller-unknown
        expect_status 1 on systemd-run --quiet --uid=alice --pipe --wait jitctl elevate NO1
        # What the environment says is not asked.
        out=$(by=mallory own_login_both 'LOGNAME=alice USER=alice SUDO_USER=alice JIT_TICKET=NO1 jitctl elevate NO1; sudo -n id' 2>&1) && fail "mallory: $out"
        for command in 'jitctl elevate' 'jitctl elevate ../../x' 'jitctl elevate NO1 NO2' "jitctl elevate 'NO1
x'" "jitctl elevate '*'"; do
                out=$(own_login_both "$command" 2>&1) && fail "$command: $out"
                echo "$out"
        done
        not_elevated
        not_elevated mallory
        # After all that it works.
        out=$(own_login_both 'jitctl elevate NO1 && sudo -n id -u' 2>&1) || fail "$out"
        expect_match '^0$' "$out"
        expect_ended NO1 session-ended
        sudo_works
}

# Twice by the same ticket and by another; at once after the end, while the old one may still go; and two at the same moment.
test_elevate_twice() {
        local i
        role=t-all ticket_ready TWICE1
        role=t-all ticket_ready TWICE2
        shell_open a
        shell_open b
        expect_shell 0 a 'jitctl elevate TWICE1'
        journal_mark
        expect_shell 1 a 'jitctl elevate TWICE1'
        expect_shell 1 b 'jitctl elevate TWICE2'
        journal_code already-elevated
        expect_shell 0 b 'sudo -n true'
        # Much to kill: whoever comes in between is told to try again.
        expect_shell 0 a 'sudo -n sh -c "for i in \$(seq 400); do setsid sleep 996 >/dev/null 2>&1 & done; sleep 0.1"'
        shell a 'jitctl drop >/dev/null 2>&1 & for i in $(seq 40); do jitctl elevate TWICE1 >e.$i 2>&1; s=$?; grep -q "already elevated\|already-elevated" e.$i || break; done; cat e.$i; wait; echo "last=$s"'
        expect_match 'last=[03]' "$out" # 3: try again
        # Each refusal costs one of twenty tickets that a person may name in a short time.
        for ((i = 0; i < 10; i++)); do
                [[ $out != *last=0* ]] || break
                sleep 0.5
                shell a 'jitctl elevate TWICE1; echo "last=$?"'
        done
        expect_shell 0 b 'sudo -n true'
        on sh -c '! pgrep -f "^sleep 996"' || fail "processes of the first elevation live in the second"
        expect_shell 0 b 'jitctl drop'
        not_elevated
        # At the same moment: one of them.
        term_send a $'jitctl elevate TWICE1; echo last=$?\n'
        term_send b $'jitctl elevate TWICE2; echo last=$?\n'
        term_read a >/dev/null && out=$term_text
        term_read b >/dev/null && out+=$term_text
        [[ $(grep -c '^last=0' <<<"$out") == 1 && $(grep -c '^last=1' <<<"$out") == 1 ]] || fail "not one of two: $out"
        shell_logout a
        shell_logout b
        not_elevated
        expect_match 'alice' "$(on jitctl show TWICE1)"
}

# It ends with the person's last login session, not with the one that asked for it; what was started in a session goes with that one.
test_elevate_logout() {
        role=t-all ticket_ready OUT1
        shell_open a
        shell_open b
        expect_shell 0 a 'jitctl elevate OUT1; sudo -n -b sleep 995'
        wait_for 5 on pgrep -f '^sleep 995'
        shell_logout a
        wait_for 5 on sh -c '! pgrep -f "^sleep 995"' || fail "what sudo has left outlives its login session"
        expect_shell 0 b 'sudo -n id -u'
        shell_break b
        expect_ended OUT1 session-ended
        # A session that is cut while tmux holds on to it: logind keeps it as "closing".
        shell_open c
        expect_shell 0 c 'jitctl elevate OUT1 >/dev/null && tmux new-session -d "sleep 994" && sudo -n -b sleep 993'
        shell_break c
        expect_ended OUT1 session-ended
        on pgrep -u alice -f '^sleep 994' || fail "a process of alice's own was killed"
        on sh -c '! pgrep -f "^sleep 993"' || fail "a process of the elevation has outlived it"
        on pkill -u alice tmux
}

# --wait: until somebody approves; and what ends it otherwise.
test_elevate_wait() {
        printf '[Approval]\nWaitSec=20s\n' | put /etc/jit/jit.conf.d/wait.conf
        on systemctl try-restart jit-reaperd.service
        ticket_new WAIT1
        ticket_new WAIT2
        shell_open a
        term_send a $'jitctl elevate WAIT1 --wait; echo last=$?\n'
        sleep 1
        not_elevated
        ticket_approve WAIT1
        term_read a >/dev/null
        expect_match 'last=0' "$term_text"
        expect_shell 0 a 'sudo -n id -u; jitctl drop'
        term_send a $'jitctl elevate --wait WAIT2; echo last=$?\n'
        sleep 0.5
        as bob jitctl ticket deny WAIT2 --reason freeze
        term_read a >/dev/null
        expect_match 'denied' "$term_text"
        expect_match 'last=1' "$term_text"
        # Whoever goes away waits no more.
        ticket_new WAIT3
        term_send a $'jitctl elevate --wait WAIT3; echo last=$?\n'
        sleep 0.5
        shell_break a
        ticket_approve WAIT3
        sleep 1
        not_elevated
        on rm /etc/jit/jit.conf.d/wait.conf
        on systemctl try-restart jit-reaperd.service
}

# The deadline, the ticket's end and an approval withdrawn take the right and the processes, while PID 1's clock and NOTAFTER stand behind them.
test_elevate_ends() {
        local until late
        ticket_ready END1 --for 4s
        role=t-all ticket_ready END2
        shell_open a
        expect_shell 0 a 'jitctl elevate END1 >/dev/null; sudo -n id -u'
        until=$(deadline_ms END1 elevation)
        wait_for 8 has_no_grant END1 elevation
        late=$(($(now_ms) - until))
        ((late > -500 && late < 1500)) || fail "ended $late ms after its deadline"
        expect_shell 1 a 'sudo -n id'
        expect_ended END1 deadline
        expect_shell 0 a 'jitctl elevate END2 >/dev/null; sudo -n -b sleep 992'
        as bob jitctl ticket close END2 --reason 'incident over'
        wait_for 3 has_no_grant END2 elevation
        expect_ended END2 ticket-closed
        on sh -c '! pgrep -f "^sleep 992"' || fail "a process has outlived its ticket"
        expect_shell 1 a 'sudo -n true'
        shell_logout a
}

# One ticket, an account and an elevation: one deadline, both in the list, each with a receipt.
test_elevate_and_account() {
        local apart
        role=t-all ticket_ready BOTH1 --for 20min
        shell_open a
        session_start BOTH1
        sleep 1.2
        expect_shell 0 a 'jitctl elevate BOTH1 >/dev/null; sudo -n true'
        apart=$(($(deadline_ms BOTH1 account) - $(deadline_ms BOTH1 elevation)))
        ((apart > -20 && apart < 20)) || fail "two deadlines, $apart ms apart"
        expect_shell 0 a 'jitctl drop'
        not_elevated
        session_lives || fail "the end of the elevation has ended the account"
        expect_shell 0 a 'jitctl elevate BOTH1 >/dev/null'
        on jitctl revoke BOTH1
        expect_ended BOTH1
        session_ends 3
        nothing_left jit-both1 "$session_uid"
        shell_logout a
}

# A full /run: refused whole, and what is there can be taken away.
test_elevate_run_full() {
        own_host
        on systemctl start jit-reaperd.service
        role=t-all ticket_ready FULL1
        by=al role=t-all ticket_ready FULL2 --no-key
        shell_open a
        expect_shell 0 a 'jitctl elevate FULL1'
        on sh -c 'mount -o remount,size=40M /run; head -c 60000000 /dev/zero >/run/filler; df /run' || :
        expect_match '100%' "$(on df /run)"
        out=$(by=al own_login_both 'jitctl elevate FULL2; echo "=$?"; sudo -n id' 2>&1) && fail "al has a rule on a full disk: $out"
        expect_match '^=1$' "$out"
        expect_no_match '#|elevate' "$(on sh -c 'ls -A /run/jit/sudoers.d | grep -v -- "-jit-full1$" || true')"
        sudo_works
        # What cannot be recorded is not begun.
        shell a 'sudo -n true; echo "status=$?"'
        expect_match 'status=0|no room' "$out"
        expect_shell 0 a 'jitctl drop'
        on rm /run/filler
        not_elevated al
        expect_ended FULL1 dropped
        out=$(by=al own_login_both 'jitctl elevate FULL2 >/dev/null; sudo -n id -u' 2>&1)
        [[ $out == 0 ]] || fail "al: $out"
        not_elevated al
}

# The daemon is killed or restarted while somebody is elevated: it goes on, and ends as it should.
test_elevate_restarted() {
        local how
        own_host
        role=t-all ticket_ready KEEP1
        shell_open a
        for how in 'systemctl restart jit-reaperd.service' 'systemctl kill --signal=KILL jit-reaperd.service' 'systemctl restart systemd-logind.service' \
                'systemctl daemon-reexec'; do
                echo "== $how"
                expect_shell 0 a 'jitctl elevate KEEP1 >/dev/null; sudo -n -b sleep 991'
                # shellcheck disable=SC2086  # words
                on $how
                sleep 0.5
                wait_for 5 has_grant KEEP1 elevation
                expect_shell 0 a 'sudo -n id -u'
                on pgrep -f '^sleep 991'
                expect_shell 0 a 'jitctl drop'
                on sh -c '! pgrep -f "^sleep 991"' || fail "after $how a process has outlived the elevation"
                not_elevated
        done
        # The last login ends while no daemon runs; and a reboot.
        expect_shell 0 a 'jitctl elevate KEEP1 >/dev/null'
        on systemctl stop jit-reaperd.socket jit-reaperd.service
        shell_logout a
        on systemctl start jit-reaperd.socket jit-reaperd.service
        LEFT_WAIT=10 expect_ended KEEP1
        shell_open b
        expect_shell 0 b 'jitctl elevate KEEP1 >/dev/null'
        host_reboot "$host"
        on systemctl start jit-reaperd.service
        LEFT_WAIT=10 expect_ended KEEP1 reboot
}
