# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154  # dollars for the host's shell; host, out...: cases.sh's and tickets.sh's
# The main job, and what people do with ssh.

test_happy_path() {
        local uid
        ! is_known jit-happy1 || fail "the account is there before it is asked for"
        ticket_new HAPPY1
        expect_match pending "$(as alice jitctl ticket show HAPPY1)"
        ticket_approve HAPPY1
        ! is_known jit-happy1 || fail "the account is there before anybody logs in"

        out=$(login HAPPY1 'exec 2>&1; id; pwd; echo "$HOME $USER $SHELL"; findmnt -no OPTIONS ~; sudo -n id -u; sudo -n true; echo "refused: $?"; sudo -n cat /etc/shadow; sudo -n -l; touch file; ls -la' 2>&1)
        echo "$out"
        expect_match '^uid=[0-9]+\(jit-happy1\) gid=[0-9]+\(jit-happy1\) groups=.*\(adm\)' "$out"
        expect_match '^/run/jit/home/jit-happy1$' "$out"
        expect_match 'nosuid,nodev.*size=' "$out"
        expect_match '^0$' "$out"
        expect_match '^refused: 1$' "$out"
        expect_no_match '^root:' "$out"
        uid=$(sed -n 's/^uid=\([0-9]*\).*/\1/p' <<<"$out")
        ((uid >= 65536 && uid <= 99999)) || fail "uid $uid is not of our range"
        expect_gone HAPPY1 "$uid" session-ended
        journal_has session-ended happy1
        out=$(on jitctl show HAPPY1)
        echo "$out"
        expect_match 'alice' "$out"
        expect_match 'bob' "$out"
}

# What a person sees on a terminal, and who is who while it lasts.
test_attribution() {
        ticket_ready ATTR1
        session_start_tty ATTR1
        wait_for 10 on sh -c 'who | grep -q jit-attr1'
        expect_match 'alice.*ATTR1|ATTR1.*alice' "$(on getent passwd jit-attr1)"
        expect_match 'alice.*ATTR1|ATTR1.*alice' "$(as mallory getent passwd jit-attr1)"
        expect_match "^jit-attr1" "$(on last -w | head -n1)"
        expect_match 'jit-attr1 +active +alice +ATTR1 +test +1' "$(on jitctl list)"
        expect_match 'jit-attr1' "$(as alice jitctl list)"
        expect_no_match 'jit-attr1' "$(as mallory jitctl list)"
        expect_match 'jit-attr1' "$(on loginctl list-sessions)"
        session_logout
        expect_gone ATTR1 "$session_uid" session-ended
        expect_match "^jit-attr1" "$(on last -w | head -n1)"
}

# What a person is told at the login, and once.
test_welcome() {
        ticket_ready WELCOME1
        out=$(printf 'id -u\nexit\n' | as alice ssh -tt "${ssh_options[@]}" jit-welcome1@db1 2>&1 | tr -d '\r')
        echo "$out"
        [[ $(grep -c '^pam_jit: WELCOME1 "test of WELCOME1" approved by bob; role test; ends .*Z (in ' <<<"$out") == 1 ]] ||
                fail "not told, or not once, what was granted"
        nothing_left jit-welcome1 "$(grep -m1 -x '[0-9]*' <<<"$out")"
}

test_upper_case_names() {
        ticket_ready Upper-1
        out=$(as alice ssh "${ssh_options[@]}" JIT-UPPER-1@db1 'id -un; id -u' 2>/dev/null)
        echo "$out"
        expect_match '^jit-upper-1$' "$out"
        nothing_left jit-upper-1 "$(tail -n1 <<<"$out")"
}

test_exit_status() {
        ticket_ready EXIT1 --for 1h
        expect_status 7 login EXIT1 'exit 7'
        role=again ticket_ready EXIT2
        expect_status 0 login EXIT2 true
        expect_status 1 login EXIT2 false
        expect_status 255 login EXIT2 'kill -KILL $$'
        out=$(seq 1 20000 | login EXIT2 'cat; exit 3' 2>/dev/null | sha256sum) || :
        [[ $out == "$(seq 1 20000 | sha256sum)" ]] || fail "data through stdin and stdout was changed"
}

test_scp_sftp() {
        local target=jit-copy1@db1
        role=again ticket_ready COPY1
        as alice sh -c 'head -c 300000 /dev/urandom >blob'
        # The home goes with the grant, and the grant with its last session: one session stays open.
        session_start COPY1
        as alice scp -q "${ssh_options[@]}" blob "$target:blob"
        as alice scp -q "${ssh_options[@]}" "$target:blob" blob.back
        as alice cmp blob blob.back
        as alice scp -O -q "${ssh_options[@]}" "$target:blob" blob.old
        as alice cmp blob blob.old
        as alice sh -c 'printf "put blob other\nls -l\nget other blob.sftp\n" | sftp -q -b - -o BatchMode=yes jit-copy1@db1'
        as alice cmp blob blob.sftp
        session_logout
        expect_gone COPY1 "$session_uid"
        # And each by itself.
        as alice scp -q "${ssh_options[@]}" blob "$target:/var/tmp/blob"
        nothing_left jit-copy1 "$session_uid"
        on test ! -e /var/tmp/blob || fail "the copied file is still there"
        on rm -f /home/alice/blob*
}

test_forwarding() {
        local target=jit-fwd1@db1 uid
        role=again ticket_ready FWD1
        on systemd-run --quiet --unit=echo-server nc -lkN 127.0.0.1 7001
        session_start FWD1 -o ExitOnForwardFailure=yes -L 7002:127.0.0.1:7001 -R 7003:127.0.0.1:22
        uid=$session_uid
        wait_for 10 on nc -z 127.0.0.1 7002
        expect_match '^SSH-2' "$(on sh -c 'nc -w2 127.0.0.1 7003 </dev/null | head -n1')"
        expect_match '^SSH-2' "$(as alice ssh "${ssh_options[@]}" -W 127.0.0.1:22 "$target" </dev/null 2>/dev/null | head -n1 | tr -d '\r')"
        session_logout
        nothing_left jit-fwd1 "$uid"
        ! on nc -z 127.0.0.1 7003 || fail "the forwarded port still listens"
        # Only a forwarding, without a shell.
        as alice timeout 3 ssh "${ssh_options[@]}" -N -L 7004:127.0.0.1:7001 "$target" >/dev/null 2>&1 &
        wait_for 10 on nc -z 127.0.0.1 7004
        wait $! || :
        nothing_left jit-fwd1 "$uid"
        on systemctl stop echo-server
}

test_two_sessions() {
        local first uid
        ticket_ready PAIR1
        session_start PAIR1
        first=$session_pid uid=$session_uid
        session_start PAIR1
        [[ $session_uid == "$uid" ]] || fail "two accounts for one grant: $uid and $session_uid"
        expect_match 'jit-pair1 +active +alice +PAIR1 +test +2' "$(on jitctl list)"
        session_logout
        sleep 1
        session_lives "$first" || fail "the end of one session has ended the other"
        is_known jit-pair1 || fail "the account went with the first of two sessions"
        expect_status 0 login PAIR1 'sudo -n id -u'
        session_lives "$first"
        session_logout "$first"
        expect_gone PAIR1 "$uid" session-ended
        [[ $(jq '.sessions | length' <<<"$(receipt PAIR1)") == 3 ]] || fail "the receipt does not list three sessions"
}

# A person each: jit-TICKET-PERSON.
test_several_people() {
        on sh -c 'cp /home/mallory/.ssh/id_ed25519.pub /etc/jit/keys.d/mallory'
        ticket_ready TEAM1 --requester alice --requester mallory
        expect_status 255 login TEAM1 true
        out=$(as alice ssh "${ssh_options[@]}" jit-team1-alice@db1 'id -u' 2>/dev/null)
        nothing_left jit-team1-alice "$out"
        out=$(as mallory ssh "${ssh_options[@]}" jit-team1-mallory@db1 'id -un; id -u' 2>/dev/null)
        expect_match '^jit-team1-mallory$' "$out"
        nothing_left jit-team1-mallory "$(tail -n1 <<<"$out")"
        expect_status 255 as mallory ssh "${ssh_options[@]}" jit-team1-alice@db1 true
        on rm /etc/jit/keys.d/mallory
}

test_reactivation() {
        local uid
        ticket_ready ONCE1
        uid=$(login ONCE1 'id -u' 2>/dev/null)
        nothing_left jit-once1 "$uid"
        expect_status 255 login ONCE1 true
        expect_match 'pam_jit: .*used' "$out"
        journal_has ticket-used once1
        role=again ticket_ready AGAIN1
        uid=$(login AGAIN1 'id -u' 2>/dev/null)
        nothing_left jit-again1 "$uid"
        out=$(login AGAIN1 'id -u' 2>/dev/null)
        [[ $out != "$uid" ]] || fail "the uid $uid came back"
        nothing_left jit-again1 "$out"
}

# A ticket may narrow what its role allows.
test_ticket_commands() {
        ticket_ready CMD1 --command /usr/bin/id
        out=$(login CMD1 'exec 2>&1; sudo -n id -u; sudo -n systemctl restart cron; echo "restart: $?"; id -u' 2>&1)
        echo "$out"
        expect_match '^0$' "$out"
        expect_match '^restart: 1$' "$out"
        nothing_left jit-cmd1 "$(tail -n1 <<<"$out")"
}

# examples/roles.d/full-root.conf as it stands: two approvers, everything.
test_full_root() {
        role=full-root ticket_ready FULL1
        expect_status 255 login FULL1 true
        expect_match '1 of 2' "$out"
        ticket_approve FULL1 carol
        out=$(login FULL1 'sudo -n whoami; sudo -n grep -c ^root: /etc/shadow; id -u' 2>/dev/null)
        echo "$out"
        [[ ${out%$'\n'*} == $'root\n1' ]] || fail "full-root is not root: $out"
        expect_gone FULL1 "$(tail -n1 <<<"$out")" session-ended
}

# An SSH certificate with the person as principal, by the CA that jit.conf names; no key of alice's is known to the host.
test_certificate() {
        own_host
        on sh -c 'rm /etc/jit/keys.d/alice; ssh-keygen -q -t ed25519 -N "" -f /root/ca; cp /root/ca.pub /etc/jit/ca.pub
                for who in alice mallory; do ssh-keygen -q -s /root/ca -I test -n $who -V -1m:+10m /home/$who/.ssh/id_ed25519.pub; done
                chown alice /home/alice/.ssh/id_ed25519-cert.pub; chown mallory /home/mallory/.ssh/id_ed25519-cert.pub'
        printf '[Sessions]\nUserCAFile=/etc/jit/ca.pub\n' | put /etc/jit/jit.conf.d/50-ca.conf
        on systemctl reload-or-restart jit-reaperd.service
        ticket_ready CERT1 --no-key
        out=$(login CERT1 'id -u' 2>/dev/null) || fail "the certificate does not open the account"
        expect_gone CERT1 "$out" session-ended
        # Signed by the same CA for somebody else.
        ticket_ready CERT2 --no-key
        expect_status 255 as mallory ssh "${ssh_options[@]}" jit-cert2@db1 true
        on rm /home/alice/.ssh/id_ed25519-cert.pub
        expect_status 255 login CERT2 true
}

test_home_limits() {
        role=small ticket_ready SMALL1
        out=$(login SMALL1 'exec 2>&1; head -c 3000000 /dev/zero >big; echo "big: $?"; for i in $(seq 100); do : >f$i || break; done 2>/dev/null; ls | wc -l; cp /usr/bin/id ./id; chmod 4755 ./id; id -u' 2>&1)
        echo "$out"
        expect_match '^big: 1$' "$out"
        nothing_left jit-small1 "$(tail -n1 <<<"$out")"
}

test_twenty_at_once() {
        local i pids=() start uids
        for i in $(seq 20); do ticket_ready "MANY$i" >/dev/null; done
        start=$(now_ms)
        for i in $(seq 20); do
                login "MANY$i" 'id -u; sudo -n id -u' >"$work/many.$i" 2>"$work/many.$i.err" &
                pids+=($!)
        done
        for i in $(seq 20); do
                wait "${pids[i - 1]}" || { cat "$work/many.$i" "$work/many.$i.err"; fail "login $i of 20 failed: $(tr '\n' ';' <"$work/many.$i.err")"; }
        done
        expect_ms_below 20000 $(($(now_ms) - start)) "twenty logins"
        uids=$(for i in $(seq 20); do head -n1 "$work/many.$i"; done | sort -u | wc -l)
        [[ $uids == 20 ]] || fail "twenty tickets had $uids uids"
        for i in 1 7 20; do expect_gone "MANY$i" "$(head -n1 "$work/many.$i")" session-ended; done
        expect_no_match 'jit-many' "$(on jitctl list)"
}

# Every kind of thing that a session can leave behind without being root.
test_leftovers() {
        local uid
        ticket_ready LEFT1
        out=$(login LEFT1 '
                id -u
                setsid sleep 1001 >/dev/null 2>&1 </dev/null & nohup sleep 1002 >/dev/null 2>&1 </dev/null &
                (trap "" HUP TERM INT; exec setsid sleep 1003) >/dev/null 2>&1 </dev/null &
                tmux new-session -d "sleep 1004"
                for d in /tmp /var/tmp /dev/shm /dev/mqueue; do touch $d/left1.file; done
                mkdir -p "/tmp/left1 dir/a/b" && touch "/tmp/left1 dir/a/b/c" && chmod 0 "/tmp/left1 dir/a"
                ln -s /etc/passwd /tmp/left1.link; mkfifo /tmp/left1.fifo
                echo "* * * * * true" | crontab - ; echo "sleep 1" | at now + 1 hour
                ipcmk -M 4096; ipcmk -S 2; ipcmk -Q
                nc -lU /tmp/left1.sock >/dev/null 2>&1 & nc -l 127.0.0.1 7010 >/dev/null 2>&1 &
                loginctl enable-linger; sudo -n id -u; sudo -n -v; sudo -n true
                sleep 0.3; true' 2>&1)
        echo "$out"
        uid=$(grep -m1 -x '[0-9]*' <<<"$out")
        expect_gone LEFT1 "$uid" session-ended
        on sh -c '! ls -d /tmp/left1* /var/tmp/left1* /dev/shm/left1* 2>/dev/null' || fail "files are left"
        expect_match '.' "$(on cat /etc/passwd)"
        receipt LEFT1 | jq .
}

# Names of tickets teach a local user nothing.
test_unprivileged_naming() {
        ticket_ready NAMES1
        for _ in 1 2 3; do
                expect_status 2 as mallory getent passwd jit-names1
                expect_status 2 as mallory getent group jit-names1
        done
        expect_no_match 'jit-names1' "$(on jitctl list)"
        on sh -c '! ls /run/jit/keys/jit-names1 2>/dev/null' || fail "an unprivileged look-up has made something"
        expect_no_match 'NAMES1' "$(as mallory jitctl ticket list)"
        expect_no_match 'test of NAMES1' "$(as mallory jitctl ticket show NAMES1 2>&1 || :)"
}

# A look-up by root reserves; nobody comes; it ends by itself and gives the uid back.
test_unused_reservation() {
        local uid
        ticket_ready UNUSED1
        uid=$(uid_of jit-unused1)
        [[ $uid ]] || fail "root cannot look the account up"
        # Who asked for it may become it by sudo -u; there is no rule of its own.
        expect_no_match '^jit-unused1|/usr/bin' "$(on cat /run/jit/sudoers.d/jit-unused1)"
        LEFT_WAIT=14 nothing_left jit-unused1 "$uid"
}

# Without pam_jit in the stack nobody gets in, even with the key.
test_without_module() {
        own_host
        on sed -i '/pam_jit.so/d' /etc/pam.d/sshd
        ticket_ready BARE1
        expect_status 255 login BARE1 true
        expect_match 'expired' "$out"
}
