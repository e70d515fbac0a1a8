# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154  # dollars for the host's shell; host, out...: cases.sh's, tickets.sh's and people.sh's
# su and sudo -u to a transient account: who may, by the kernel's word, and what becomes of it.

setup() { printf '#!/bin/sh\nexec sed -n s/^0:://p /proc/self/cgroup\n' | put /usr/local/bin/where 0755; }

# nobody_in ID: nobody has become anything by this ticket
nobody_in() {
        expect_no_match 'uid=' "$out"
        expect_no_match 'approved by' "$out"
        has_no_grant "$1" account || [[ $(grant_of "$1" account .state) != active ]] || fail "the grant of $1 is active"
}

test_su() {
        local scope uid
        ticket_ready SU1
        shell_open a
        shell a 'su - jit-su1'
        expect_match '^pam_jit: SU1 "test of SU1" approved by bob; role test; ends .*Z \(in ' "$out"
        shell a 'id; pwd; sudo -n id -u; sudo -n true; echo "refused: $?"; where; cat /proc/self/loginuid; echo'
        expect_match '^uid=[0-9]+\(jit-su1\) gid=[0-9]+\(jit-su1\) groups=.*\(adm\)' "$out"
        expect_match '^/run/jit/home/jit-su1$' "$out"
        expect_match '^0$' "$out"
        expect_match '^refused: 1$' "$out"
        uid=$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$out")
        scope=$(scope_of SU1 account)
        expect_match "^/user.slice/user-$uid.slice/$scope\$" "$out"
        expect_scope "$scope" SU1 alice "user-$uid.slice"
        expect_match 'su-l jit-su1' "$(grant_of SU1 account '.sessions[0] | .service + " " + .target')"
        is_known jit-su1 || fail "others do not know the account"
        # It ends with its last process, not with su.
        shell a 'nohup sleep 1000 >/dev/null 2>&1 & disown'
        shell a exit
        expect_shell 0 a '[ "$(id -un)" = alice ]'
        is_known jit-su1 || fail "the account went before its last process"
        on pkill -KILL -u "$uid" sleep
        expect_gone SU1 "$uid" session-ended
        expect_match '^scope su-l jit-su1$' "$(receipt SU1 | jq -r '.sessions[0] | "\(.kind) \(.service) \(.target)"')"
        shell_logout a
}

test_sudo_u() {
        local uid
        role=again ticket_ready SUDO1
        expect_status 7 own_login_both 'sudo -n -u jit-sudo1 sh -c "id; where; sudo -n id -u; exit 7"'
        expect_match '^uid=[0-9]+\(jit-sudo1\) gid=[0-9]+\(jit-sudo1\)' "$out"
        uid=$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$out")
        expect_match "^/user.slice/user-$uid.slice/jit-[0-9a-f]{16}-[0-9]+.scope\$" "$out"
        expect_match '^0$' "$out"
        expect_gone SUDO1 "$uid" session-ended
        out=$(seq 1 20000 | own_login 'sudo -n -u jit-sudo1 cat' 2>/dev/null | sha256sum)
        [[ $out == "$(seq 1 20000 | sha256sum)" ]] || fail "data through stdin and stdout was changed"
        # A shell of its own, with the account's groups.
        ticket_ready SUDO2
        shell_open a
        shell a 'sudo -u jit-sudo2 -i'
        expect_match 'pam_jit: SUDO2 "test of SUDO2" approved by bob' "$out"
        shell a 'id; pwd; echo "$SUDO_USER"'
        expect_match '^uid=[0-9]+\(jit-sudo2\) .*\(adm\)' "$out"
        expect_match '^/run/jit/home/jit-sudo2$' "$out"
        expect_match '^alice$' "$out"
        uid=$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$out")
        shell a exit
        expect_gone SUDO2 "$uid" session-ended
        # sudoedit copies its file before its session is opened: the account is for sessions, and this ticket is used up.
        on sh -c 'echo secret >/var/log/secret.log; chgrp adm /var/log/secret.log; chmod 0640 /var/log/secret.log'
        expect_shell 1 a 'EDITOR=/bin/true sudo -n -u jit-sudo2 -e /var/log/secret.log'
        on sh -c '! ls /var/tmp/secret* 2>/dev/null' || fail "a copy of the file is left"
        shell_logout a
        not_elevated
}

# One account for ssh and su; the last of them ends it.
test_su_joins() {
        local uid
        ticket_ready JOIN1
        session_start JOIN1
        uid=$session_uid
        out=$(own_login 'su - jit-join1 -c "id -u"; sudo -n -u jit-join1 id -u' 2>/dev/null)
        [[ $out == "$uid"$'\n'"$uid" ]] || fail "not one account: $uid, $out"
        session_lives || fail "the end of su has ended the ssh session"
        session_logout
        expect_gone JOIN1 "$uid" session-ended
        [[ $(receipt JOIN1 | jq -r '[.sessions[].kind] | sort | join(" ")') == 'login scope scope' ]] || fail "not these sessions: $(receipt JOIN1)"
}

# su has looked the account up and is stopped; meanwhile that grant ends, and the same ticket reserves another UID.
test_su_stale() {
        local uid later
        own_host
        printf '#!/bin/sh\ntest -e /run/hold || exit 0\ntouch /run/held\nwhile test -e /run/hold; do sleep 0.02; done\n' | put /usr/local/sbin/hold 0755
        on sed -i '0,/^auth/s//auth optional pam_exec.so quiet seteuid \/usr\/local\/sbin\/hold\n&/' /etc/pam.d/su
        on touch /run/hold
        role=again ticket_ready STALE1
        shell_open a
        term_send a $'su - jit-stale1 -c "echo uid=\\$(id -u); exec sleep 984"; echo last=$?\n'
        wait_for 10 on test -e /run/held
        uid=$(uid_of jit-stale1)
        [[ $(login STALE1 'id -u' 2>/dev/null) == "$uid" ]]
        nothing_left jit-stale1 "$uid"
        later=$(uid_of jit-stale1)
        on rm /run/hold
        # In as the one it is now, or not in at all.
        if wait_for 2 on pgrep -f '^sleep 984'; then
                [[ $uid == "$later" ]] || ! on pgrep -u "$uid" -f '^sleep 984' || fail "uid $uid, which is no grant's"
                on jitctl revoke STALE1
        fi
        term_read a >/dev/null
        echo "$term_text"
        on sh -c '! pgrep -f "^sleep 984"' || fail "it lives on"
        shell_logout a
}

# Strangers, people with names like the requester's, and what a caller's environment claims.
test_su_by_others() {
        local who pids=() lies='LOGNAME=alice USER=alice USERNAME=alice SUDO_USER=alice SUDO_UID=1000 PAM_RUSER=alice PAM_USER=alice JIT_TICKET=MINE1'
        ticket_ready MINE1
        for who in mallory al alice2; do
                by=$who own_login_both "$lies su - jit-mine1 -c id; $lies sudo -n -u jit-mine1 id; $lies sudo -n -u jit-mine1 -i" >"$work/others.$who" 2>&1 &
                pids+=($!)
        done
        for who in mallory al alice2; do
                wait "${pids[0]}" && fail "$who got in: $(cat "$work/others.$who")"
                pids=("${pids[@]:1}")
                out=$(cat "$work/others.$who")
                echo "$out"
                nobody_in MINE1
                expect_match 'Authentication failure|Permission denied' "$out"
        done
        journal_has caller-mismatch mine1
        # Root is not asked for a password, and is nobody's requester.
        out=$(by=olga own_login_both "sudo -n $lies su - jit-mine1 -c id; sudo -n -u jit-mine1 id; sudo -n sudo -n -u jit-mine1 id" 2>&1) && fail "olga got in: $out"
        echo "$out"
        nobody_in MINE1
        expect_status 1 on su - jit-mine1 -c id
        nobody_in MINE1
        journal_has caller-unknown mine1
        # A ticket of al's is not alice's.
        on cp /home/al/.ssh/id_ed25519.pub /etc/jit/keys.d/al
        by=al ticket_ready MINE2
        out=$(own_login_both 'su - jit-mine2 -c id; sudo -n -u jit-mine2 id' 2>&1) && fail "alice got in: $out"
        nobody_in MINE2
        expect_match '^uid=.*jit-mine2' "$(by=al own_login 'su - jit-mine2 -c id')"
        on rm /etc/jit/keys.d/al
        # And hers works after all that.
        expect_match '^uid=.*jit-mine1' "$(own_login 'su - jit-mine1 -c id')"
        sudo_works
}

test_su_refused() {
        local id reason words
        ticket_new NOTYET1
        role=t-elevate ticket_ready NOTYET2
        at=db2 ticket_ready NOTYET3
        while read -r id reason words; do
                out=$(own_login_both "su - $(account "$id") -c id; sudo -n -u $(account "$id") id" 2>&1 </dev/null) && fail "$id got in: $out"
                echo "$out"
                nobody_in "$id"
                expect_match "$words" "$out"
                journal_has "$reason" "$id"
        done <<'END'
NOTYET1 ticket-pending pam_jit:.NOTYET1.*approv
NOTYET2 way-not-allowed pam_jit:.*no.account
NOTYET3 wrong-host pam_jit:.NOTYET3.*db1
END
        out=$(own_login_both 'su - jit-nosuch7 -c id' 2>&1) && fail "an unknown ticket"
        expect_match 'does not exist' "$out"
        sudo_works
}

# A service has no login; a role may allow for that, but root is nobody in particular.
test_workloads() {
        local uid
        ticket_ready CRON1
        role=t-work ticket_ready CRON2
        out=$(on systemd-run --quiet --uid=alice --pipe --wait sh -c 'su - jit-cron1 -c id; sudo -n -u jit-cron1 id' 2>&1) && fail "let in: $out"
        nobody_in CRON1
        journal_has caller-unknown cron1
        for uid in 0 mallory al; do
                out=$(on systemd-run --quiet --uid="$uid" --pipe --wait sh -c 'su - jit-cron2 -c id; sudo -n -u jit-cron2 id' 2>&1) && fail "$uid was let in: $out"
                nobody_in CRON2
        done
        out=$(on systemd-run --quiet --uid=alice --pipe --wait sh -c 'su - jit-cron2 -c id' 2>&1) || fail "the role allows workloads: $out"
        expect_match '^uid=[0-9]+\(jit-cron2\)' "$out"
        expect_gone CRON2 "$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$out")" session-ended
        out=$(on systemd-run --quiet --uid=alice --pipe --wait sudo -n -u jit-cron2 id 2>&1) || fail "the role allows workloads: $out"
        expect_match '^uid=[0-9]+\(jit-cron2\)' "$out"
        # At a login it is as any other role.
        expect_match '^uid=[0-9]+\(jit-cron2\)' "$(own_login 'su - jit-cron2 -c id')"
        not_elevated
}

# Inside a session of a ticket one stays inside it: no other account, and the same account without another question.
test_su_inside() {
        local uid
        role=root ticket_ready FROM1
        ticket_ready FROM2
        out=$(login FROM1 'exec 2>&1; id -u; own=$(where)
                su - jit-from2 -c id; sudo -n su - jit-from2 -c id; sudo -n sudo -n -u jit-from2 id; jitctl elevate FROM2; sudo -n jitctl elevate FROM2
                for c in "sudo -n" "sudo -n su - jit-from1 -c" "sudo -n su - mallory -c" "sudo -n sudo -n -u jit-from1"; do
                        test "$($c where)" = "$own" || echo "elsewhere: $c: $($c where)"; done
                sudo -n su - jit-from1 -c "id -un"; sudo -n su - mallory -c "id -un"' 2>&1)
        echo "$out"
        uid=$(grep -m1 -x '[0-9]*' <<<"$out")
        expect_no_match 'uid=|elsewhere' "$out"
        [[ ${out: -18} == $'\njit-from1\nmallory' ]] || fail "not as whom: $out"
        journal_has transient-caller from2
        expect_gone FROM1 "$uid" session-ended
        has_no_grant FROM2 elevation || fail "elevated from inside"
        not_elevated
}

# What su has left in the background ends with the login session it came from, unless the role says otherwise; never with another one.
test_end_with_caller() {
        local id stay=() uid1 uid2
        role=t-all ticket_ready CALLER1
        role=t-stay ticket_ready CALLER2
        shell_open a
        shell_open b
        for id in 1 2; do
                expect_shell 0 a "su - jit-caller$id -c 'id -u; setsid nohup sleep 1000 >/dev/null 2>&1 & sleep 0.2'"
                stay+=("$(grep -m1 -x '[0-9]*' <<<"$out")")
        done
        uid1=${stay[0]} uid2=${stay[1]}
        shell_logout b
        is_known jit-caller1 || fail "ended by another login session's end"
        shell_logout a
        expect_gone CALLER1 "$uid1"
        is_known jit-caller2 || fail "EndWithCaller=no, and it has ended"
        on pgrep -u "$uid2" sleep
        on jitctl revoke CALLER2
        expect_gone CALLER2 "$uid2" revoked
}

# The ticket is closed while su and sudo -u run: both end, and the person's own shell goes on.
test_su_closed() {
        local uid start
        ticket_ready SHUT1
        shell_open a
        shell_open b
        shell a 'su - jit-shut1'
        shell b 'sudo -u jit-shut1 -i'
        shell a 'id -u'
        uid=$(grep -m1 -x '[0-9]*' <<<"$out")
        start=$(now_ms)
        as bob jitctl ticket close SHUT1 --reason 'incident over'
        term_read a
        expect_ms_below 2500 $(($(now_ms) - start)) "closing the ticket"
        expect_match 'closed|incident over|Killed' "$term_text"
        term_read b >/dev/null
        expect_shell 0 a '[ "$(id -un)" = alice ]'
        expect_shell 0 b '[ "$(id -un)" = alice ]'
        expect_gone SHUT1 "$uid" ticket-closed
        shell_logout a
        shell_logout b
}

# login(1), examples/pam.d/login as it stands: for people as ever, for an account of a ticket's with its session.
test_login_service() {
        local uid
        ticket_ready CONSOLE1
        term_start c host_run "$host" script -qec 'login -f mallory' /dev/null
        expect_shell 0 c '[ "$(id -un)" = mallory ]'
        term_close c
        term_start d host_run "$host" script -qec 'login -f jit-console1' /dev/null
        expect_match 'pam_jit: CONSOLE1 "test of CONSOLE1" approved by bob' "$term_text"
        shell d 'id; where'
        expect_match '^uid=[0-9]+\(jit-console1\) .*\(adm\)' "$out"
        uid=$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$out")
        expect_match "^/user.slice/user-$uid.slice/session-" "$out"
        term_close d
        expect_gone CONSOLE1 "$uid" session-ended
}

# Debian's way: the stacks as Debian ships them, and the profiles of examples/pam-configs/ by pam-auth-update(8).
test_debian_profile() {
        local file name uid
        own_host
        setup
        for file in "$top"/examples/pam.d/*; do
                name=/etc/pam.d/${file##*/}
                if [[ -e $root$name ]]; then put "$name" <"$root$name"; else on rm "$name"; fi
        done
        for file in "$top"/examples/pam-configs/*; do put "/usr/share/pam-configs/${file##*/}" <"$file"; done
        on env DEBIAN_FRONTEND=noninteractive pam-auth-update --package --enable pam_jit pam_jit-elevation
        on sh -c 'grep -H pam_jit /etc/pam.d/*'
        expect_no_match 'pam_jit' "$(on cat /etc/pam.d/sudo /etc/pam.d/su /etc/pam.d/sshd)"
        ticket_ready PROFILE1
        role=t-all ticket_ready PROFILE2
        ticket_ready PROFILE3
        out=$(login PROFILE1 'id; sudo -n id -u' 2>&1) || fail "ssh: $out"
        expect_match '^uid=[0-9]+\(jit-profile1\) .*\(adm\)' "$out"
        expect_match '^0$' "$out"
        expect_gone PROFILE1 "$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$out")" session-ended
        out=$(own_login_both 'su - jit-profile2 -c "id -u; where"; sudo -n -u jit-profile3 where; jitctl elevate PROFILE2 >/dev/null; sudo -n where; sudo -n su - mallory -c where; sudo -n -i where' 2>&1) || fail "su and sudo: $out"
        echo "$out"
        uid=$(grep -m1 -x '[0-9]*' <<<"$out")
        expect_match "^/user.slice/user-$uid.slice/jit-.*scope" "$out"
        [[ $(grep -c '^/jit.slice/.*scope$' <<<"$out") == 3 ]] || fail "not all in a scope: $out"
        [[ $(grep -c '^/user.slice/.*/jit-.*scope$' <<<"$out") == 2 ]] || fail "not both in a scope: $out"
        nothing_left jit-profile2 "$uid"
        nothing_left jit-profile3
        not_elevated
        # Others, and one whose ticket is somebody else's.
        out=$(by=mallory own_login_both 'su - jit-profile2 -c id; sudo -n -u jit-profile2 id; sudo -n true' 2>&1) && fail "mallory: $out"
        nobody_in PROFILE2
        [[ $(by=olga own_login_both 'sudo -n id -un; sudo -n su - mallory -c "id -un"' 2>&1) == $'root\nmallory' ]] || fail "olga's sudo"
        expect_match '^session [0-9c]+ of mallory$' "$(by=mallory own_login_both 'echo "session $XDG_SESSION_ID of $(id -un)"' 2>&1)"
}
