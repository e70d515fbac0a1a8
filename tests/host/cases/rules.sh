# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's, tickets.sh's and people.sh's
# A role's commands as sudo understands them: exactly these, and no text of a role or a ticket breaks sudo for others.

setup() { printf '#!/bin/sh\nfor a; do printf "<%%s>" "$a"; done; echo\n' | put /usr/local/bin/t-run 0755; }

# reload: both services have read the configuration anew
reload() {
        on systemctl restart jit-approverd.service
        on systemctl reload-or-restart jit-reaperd.service
}

# Roles t-narrow and t-run: run-as user, regular expression, a literal wildcard, NOEXEC, SETENV, env_keep.
test_rules_narrow() {
        local how refused
        role=t-narrow ticket_ready NARROW1
        shell_open a
        expect_shell 0 a 'jitctl elevate NARROW1'
        for how in "t-run nginx.service=<nginx.service>" "t-run 'one*two'=<one*two>"; do
                expect_shell 0 a "sudo -n -u olga /usr/local/bin/${how%%=*}"
                [[ $out == "${how#*=}" ]] || fail "$how: $out"
        done
        for refused in "t-run" "t-run nginx.service x" "t-run 'nginx.service x'" "t-run nginx.serviceX" "t-run 'a;b.service'" "t-run \$'a.service\\nb.service'" \
                "t-run \$'x\\na.service'" "t-run \"a'b.service\"" "t-run 'a\"b.service'" "t-run '*.service'" "t-run oneXtwo" "t-run 'one?two'" "t-run \$'one*two\\n'"; do
                expect_shell 1 a "sudo -n -u olga /usr/local/bin/$refused"
        done
        expect_shell 1 a 'sudo -n /usr/bin/env'
        expect_shell 1 a 'sudo -n -u mallory /usr/bin/env'
        expect_shell 1 a 'sudo -n -u olga -g root /usr/bin/env'
        shell a 'T_KEEP=kept T_OTHER=other sudo -n -u olga T_SET=set /usr/bin/env | grep ^T_ | sort'
        [[ $out == $'T_KEEP=kept\nT_SET=set' ]] || fail "environment: $out"
        shell a 'sudo -n -u olga /usr/bin/env /usr/bin/id; echo "status=$?"'
        expect_no_match 'uid=|status=0' "$out"
        # Others' sudo is as it was.
        out=$(by=olga own_login 'T_KEEP=1 sudo -n sh -c "env; env true"')
        expect_no_match 'T_KEEP' "$out"
        shell_logout a
        expect_ended NARROW1 session-ended
}

# A command's digest, of the program as it was when the role was written.
test_rules_digest() {
        printf '[Role]\nWays=account elevate\nReactivate=yes\nCommand=sha256:%s /usr/local/bin/t-run\n' "$(on sha256sum /usr/local/bin/t-run | cut -d' ' -f1)" |
                put /etc/jit/roles.d/t-digest.conf
        reload
        role=t-digest ticket_ready DIGEST1
        out=$(own_login_both 'jitctl elevate DIGEST1; sudo -n /usr/local/bin/t-run x' 2>&1) || fail "$out"
        expect_match '^<x>$' "$out"
        not_elevated
        on sh -c 'echo "# changed" >>/usr/local/bin/t-run'
        out=$(own_login_both 'jitctl elevate DIGEST1; sudo -n /usr/local/bin/t-run x' 2>&1) && fail "another program ran: $out"
        expect_no_match '^<x>$' "$out"
        out=$(own_login_both 'su - jit-digest1 -c "sudo -n /usr/local/bin/t-run x"' 2>&1) && fail "another program ran: $out"
        on rm /etc/jit/roles.d/t-digest.conf
        reload
        not_elevated
}

# A ticket narrows its role's commands, and never widens them, whatever it has in them.
test_rules_of_a_ticket() {
        local n=0 command
        role=t-elevate ticket_ready LESS1 --command /usr/bin/id
        out=$(own_login_both 'exec 2>&1; jitctl elevate LESS1; sudo -n id -u; sudo -n systemctl restart cron; echo "restart=$?"; sudo -n -l' 2>&1)
        expect_match '^0$' "$out"
        expect_match '^restart=1$' "$out"
        for command in ALL '/usr/bin/cat /etc/shadow' '/usr/bin/*' '/usr/bin/id, ALL' '!ALL' '/usr/bin/id "' "/usr/bin/id '" '/usr/bin/id \' '/usr/bin/id *' \
                $'/usr/bin/id\nalice ALL=(ALL) NOPASSWD: ALL' $'/usr/bin/id\r' 'sudoedit /etc/shadow' '/usr/bin/id # x' '@include /tmp/x' '%alice' '/usr/bin/id^x$'; do
                echo "== $command"
                ((n += 1))
                # As a document, past the checks of `jitctl ticket new`.
                as alice jitctl ticket new "MORE$n" --role t-elevate --host db1 --title more --command /usr/bin/id -o more.json
                as alice cat more.json | jq -c --arg c "$command" '(.. | objects | select(has("commands")) | .commands) = [$c]' | put /home/alice/more.json 0644 alice
                as alice cat more.json | put /home/bob/more.json 0644 bob
                as bob jitctl ticket approve --file more.json --yes || continue
                as bob cat more.json | put /home/alice/more.json 0644 alice
                as alice jitctl ticket import more.json || continue
                out=$(own_login_both "exec 2>&1; jitctl elevate MORE$n; sudo -n cat /etc/shadow; sudo -n true; sudo -n -u olga id; sudo -n -l; jitctl drop" 2>&1) || :
                echo "$out"
                expect_no_match '^root:|\(ALL\)|NOPASSWD: ALL' "$out"
                sudo_works
        done
        not_elevated
}

# Roles that no sudoers file can be made of are refused, and sudo does not notice.
test_rules_broken() {
        local line
        for line in 'Command=/usr/bin/id, ALL' 'Command=/usr/bin/id\' 'Command=!ALL' 'Command=sha256:12 /usr/bin/id' 'RunAs=(ALL' \
                'RunAs=ALL) NOPASSWD: ALL #' 'EnvKeep=A=B' 'EnvKeep="x' 'Command=/usr/bin/id ^(x$' 'Command=/usr/bin/id ^x$ y' 'Ways=everything' 'Record=tape'; do
                echo "== $line"
                printf '[Role]\n%s\n' "$line" | put /etc/jit/roles.d/t-broken.conf
                reload || :
                sudo_works
                out=$(on jitctl check 2>&1) && fail "jitctl check finds nothing wrong with $line"
                expect_match 't-broken' "$out"
        done
        on rm /etc/jit/roles.d/t-broken.conf
        reload
        ticket_ready FIXED1
        out=$(own_login_both 'jitctl elevate FIXED1; sudo -n id -u' 2>&1) || fail "$out"
        not_elevated
}

# Recorded sessions, and where the records are.
test_rules_record() {
        local path
        role=t-sudo-log ticket_ready REC1
        out=$(own_login_both 'jitctl elevate REC1; sudo -n id' 2>&1) || fail "$out"
        expect_ended REC1 session-ended
        path=$(receipt REC1 | jq -r '[.recording] | flatten | .[0]')
        expect_match '^/var/log/sudo-io/jit/' "$path"
        expect_match 'COMMAND=/usr/bin/id' "$(on sudoreplay -l -d "$path")"
        expect_match '^7[05]0 root$|^700 root$' "$(on stat -c '%a %U' "$path")"
        out=$(own_login_both 'su - jit-rec1 -c "sudo -n id"' 2>&1) || fail "$out"
        nothing_left jit-rec1
        wait_for 5 receipt REC1
        path=$(receipt REC1 | jq -r '[.recording] | flatten | .[0]')
        expect_match 'COMMAND=/usr/bin/id' "$(on sudoreplay -l -d "$path")"
        # Not of others.
        by=olga own_login 'sudo -n id'
        expect_no_match olga "$(on sh -c 'sudoreplay -l -d /var/log/sudo-io 2>/dev/null; true')"
        if [[ $suite != bookworm ]]; then
                role=t-tlog ticket_ready REC2
                out=$(own_login_both 'su - jit-rec2 -c id' 2>&1) && fail "let in without a recording: $out"
                journal_has recording-missing rec2
                return
        fi
        role=t-tlog ticket_ready REC2
        shell_open a
        shell a 'su - jit-rec2'
        shell a 'echo recorded-$((40 + 2)); id -u'
        expect_match 'recorded-42' "$out"
        shell a exit
        expect_gone REC2 "$(grep -m1 -x '[0-9]*' <<<"$out")"
        path=$(receipt REC2 | jq -r '[.recording] | flatten | .[0]')
        wait_for 5 on sh -c "grep -rs 'recorded-42' $path /var/log || journalctl -o cat | grep recorded-42" || fail "no recording at $path"
        shell_logout a
}
