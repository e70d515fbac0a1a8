# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's, tickets.sh's and people.sh's
# A host that keeps its sudo rules: with examples/pam.d-gate/ every one of them is inert without an approved ticket.

setup() {
        local file
        for file in "$top"/examples/pam.d-gate/*; do put "/etc/pam.d/${file##*/}" <"$file"; done
        for file in "$top"/examples/sudoers.d-gate/*; do put "/etc/sudoers.d/${file##*/}" 0440 <"$file"; done
        printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\n' alice al alice2 mallory | put /etc/sudoers.d/people 0440
        echo 'carol ALL=(ALL:ALL) ALL' | put /etc/sudoers.d/carol 0440
        echo carol:secret | on chpasswd
        on visudo -c
        printf '#!/bin/sh\nexec sed -n s/^0:://p /proc/self/cgroup\n' | put /usr/local/bin/where 0755
        sudo_before='Matching Defaults entries for'
}

# gated COMMAND...: refused, and told why
gated() {
        out=$(own_login_both "$@" 2>&1 </dev/null) && fail "sudo works without a ticket: $* ($out)"
        echo "$out"
        expect_no_match '(^|[^0-9])uid=0|^0$|root:' "$out"
}

test_gate_inert() {
        local who
        for who in alice mallory olga carol; do
                by=$who gated 'sudo -n id'
                expect_match 'pam_jit: .*JIT_TICKET|password is required' "$out"
        done
        journal_mark
        gated 'sudo -n id'
        expect_match 'pam_jit: .*JIT_TICKET' "$out"
        journal_code ticket-needed
        gated 'sudo -n -i id'
        gated 'sudo -n -u olga id'
        gated 'sudo -n -l | grep -v .; sudo -n -v'
        gated 'sudo -n -b sh -c "touch /root/ran"'
        gated 'sudo -n -e /etc/shadow </dev/null'
        gated 'sudo id </dev/null'
        # What is nobody's login and root already needs no ticket: init scripts, timers; and su by root.
        [[ $(on sudo -n id -u) == 0 ]] || fail "root's own sudo"
        [[ $(on systemd-run --quiet --pipe --wait sudo -n -u olga id -un) == olga ]] || fail "a service's sudo"
        [[ $(on su - mallory -c 'id -un') == mallory ]] || fail "root's su"
        # A service that runs as a person is no login of theirs.
        role=t-gate ticket_ready INERT1
        out=$(on systemd-run --quiet --uid=alice --setenv=JIT_TICKET=INERT1 --pipe --wait sudo -n id 2>&1) && fail "a service of alice's: $out"
        journal_has caller-unknown inert1
        on test ! -e /root/ran
        not_elevated
}

test_gate_ticket() {
        local id scope
        role=t-gate ticket_ready GATE1
        out=$(own_login_both 'exec 2>&1; export JIT_TICKET=GATE1; sudo -n id -u; sudo -n where; sudo -n -l | tail -n1; sudo -n -v && echo valid; sudo -n -i id -un; sudo -n sh -c "exit 7"; echo "=$?"
                unset JIT_TICKET; sudo -n id -u; seq 1 20000 | sudo -n cat | sha256sum' 2>&1)
        echo "$out"
        [[ $(grep -c '^0$' <<<"$out") == 2 ]] || fail "not root twice: $out"
        expect_match '^/jit.slice/jit-[0-9a-f]{16}.slice/jit-[0-9a-f]{16}-[0-9]+.scope$' "$out"
        expect_match 'NOPASSWD: ALL' "$out"
        expect_match '^valid$' "$out"
        expect_match '^root$' "$out"
        expect_match '^=7$' "$out"
        expect_match "$(seq 1 20000 | sha256sum)" "$out"
        expect_ended GATE1 session-ended
        # The scope names the ticket and the person, and has the deadline.
        shell_open a
        shell a 'JIT_TICKET=GATE1 sudo -n -b sleep 990'
        id=$(grant_of GATE1 elevation .id)
        scope=$(scope_of GATE1 elevation)
        expect_scope "$scope" GATE1 alice "jit-$id.slice"
        [[ $(grant_of GATE1 elevation '.rule // false | tostring') == false ]] || fail "a rule of its own"
        on sh -c '! find /run/jit/sudoers.d /run/jit/elevated -type f | grep .' || fail "the gate has made a rule"
        shell_logout a
        expect_ended GATE1 session-ended
        on sh -c '! pgrep -f "^sleep 990"' || fail "what sudo has left outlives its login session"
}

test_gate_refused() {
        local ticket who reason
        role=t-gate ticket_ready SHUT1
        ticket_ready SHUT2 # a role without the gate
        role=t-gate ticket_new SHUT3
        role=t-gate at=db2 ticket_ready SHUT4
        role=t-gate ticket_ready SHUT5
        as alice jitctl ticket close SHUT5 --reason over
        while read -r ticket who reason; do
                by=$who gated "JIT_TICKET=$ticket sudo -n id"
                journal_has "$reason" "$ticket"
        done <<'END'
SHUT1 mallory not-requester|ticket-unknown
SHUT1 al not-requester|ticket-unknown
SHUT1 alice2 not-requester|ticket-unknown
SHUT2 alice way-not-allowed
SHUT3 alice ticket-pending
SHUT4 alice wrong-host
SHUT5 alice ticket-closed
END
        gated 'JIT_TICKET=SHUT1 sudo -n -u olga id'
        journal_has target-not-allowed shut1
        by=mallory gated 'LOGNAME=alice USER=alice SUDO_USER=alice PAM_RUSER=alice JIT_TICKET=SHUT1 sudo -n id'
        # What is no ticket's name.
        for ticket in '' ../../x '%s%n' '*' "$(printf 'SHUT1\nx')" "SHUT1 " "$(head -c 9000 /dev/zero | tr '\0' A)"; do
                gated "JIT_TICKET='$ticket' sudo -n id"
        done
        not_elevated
        role=t-gate-any ticket_ready OPEN1
        out=$(own_login_both 'JIT_TICKET=OPEN1 sudo -n -u olga id -un; sudo -n -u jit-open1 id -un' 2>&1) || :
        expect_match '^olga$' "$out"
        not_elevated
}

test_gate_prompt() {
        role=t-gate ticket_ready ASK1
        shell_open a
        shell a 'sudo id -u'
        [[ ${term_prompt_text[a]} == 'Ticket: ' ]] || fail "no question: ${term_prompt_text[a]}"
        shell a ASK1
        [[ $out == *0 ]] || fail "the ticket does not open the gate: $out"
        # Live on this terminal: not asked again; on another one, and through a pseudo-terminal of one's own, it is.
        expect_shell 0 a 'sudo id -u'
        expect_shell 0 a 'sudo -n id -u'
        shell_open b
        expect_shell 1 b 'sudo -n id'
        shell b 'sudo id -u'
        [[ ${term_prompt_text[b]} == 'Ticket: ' ]] || fail "not asked on another terminal: $out"
        shell b nosuch8
        expect_no_match '^0$' "$out"
        expect_shell 1 a 'script -qec "sudo -n id" /dev/null'
        # Ctrl-C, nothing, an escape sequence.
        shell b 'sudo id -u'
        shell b ''
        expect_no_match '^0$' "$out"
        shell b 'sudo id -u'
        shell b $'\x01\x02\x07ASK1\x7f\x7f'
        expect_no_match '^0$' "$out"
        shell b 'sudo id -u'
        sleep 0.5 # sudo overhears a signal between its prompt and its read(2)
        term_send b $'\x03'
        term_read b >/dev/null
        expect_shell 0 b 'sleep 0.2; true'
        # The end of the ticket's terminal is the end of what it has opened.
        shell_logout a
        expect_ended ASK1 session-ended
        expect_shell 1 b 'sudo -n id'
        shell_logout b
}

# A password that sudo remembers does not stand for a ticket.
test_gate_timestamp() {
        expect_match 'Authentication timestamp timeout: 5' "$(on sudo -V)"
        by=carol role=t-gate ticket_ready STAMP1 --no-key
        by=carol shell_open c
        shell c 'sudo id -u'
        shell c secret
        [[ ${term_prompt_text[c]} == 'Ticket: ' ]] || fail "not asked for a ticket: $out"
        shell c STAMP1
        expect_match '^0$' "$out"
        expect_shell 0 c 'sudo id -u'
        on jitctl revoke STAMP1
        shell c 'sudo id -u'
        [[ ${term_prompt_text[c]} == 'Ticket: ' ]] || fail "sudo's timestamp has skipped pam_jit: $out"
        shell c nosuch9
        expect_no_match '^0$' "$out"
        expect_shell 1 c 'sudo -n id'
        shell_logout c
        not_elevated carol
}

test_gate_wait() {
        printf '[Approval]\nWaitSec=20s\n' | put /etc/jit/jit.conf.d/wait.conf
        on systemctl reload-or-restart jit-reaperd.service
        expect_match 'pam_jit\.so.* gate .*wait|pam_jit\.so.* wait .*gate' "$(on cat /etc/pam.d/sudo)"
        role=t-gate ticket_new WAIT1
        role=t-gate ticket_new WAIT2
        shell_open a
        shell a 'sudo id -u'
        term_send a $'WAIT1\n'
        sleep 1
        [[ $(on pgrep -c -x sudo) != 0 ]] || fail "it did not wait"
        ticket_approve WAIT1
        term_read a >/dev/null
        expect_match '^0$' "$term_text"
        on jitctl revoke WAIT1
        term_send a $'JIT_TICKET=WAIT2 sudo id -u; echo "=$?"\n'
        sleep 0.5
        as bob jitctl ticket deny WAIT2 --reason freeze
        term_read a >/dev/null
        expect_match 'pam_jit: .*denied' "$term_text"
        expect_match '^=1$' "$term_text"
        shell_logout a
        not_elevated
        on rm /etc/jit/jit.conf.d/wait.conf
        on systemctl reload-or-restart jit-reaperd.service
}

# The ticket is asked about at each sudo; what runs dies with it; inside a grant nobody is asked.
test_gate_ends() {
        role=t-gate ticket_ready LIVE1
        shell_open a
        shell_open b
        expect_shell 0 a 'JIT_TICKET=LIVE1 sudo -n sudo -n id -u'
        expect_shell 0 a 'sudo -n su - olga -c "sudo -n where; id -un"'
        expect_match '^/jit.slice/.*scope$' "$out"
        expect_match '^olga$' "$out"
        shell b 'JIT_TICKET=LIVE1 sudo -n setsid sleep 989 & sleep 0.5; sleep 988 &'
        on pgrep -f '^sleep 989'
        as bob jitctl ticket close LIVE1 --reason over
        wait_for 3 has_no_grant LIVE1
        on sh -c '! pgrep -f "^sleep 989"' || fail "a process has outlived its ticket"
        on pgrep -f '^sleep 988' || fail "a process of alice's own was killed"
        expect_shell 1 a 'sudo -n id'
        expect_shell 1 b 'JIT_TICKET=LIVE1 sudo -n id'
        expect_ended LIVE1 ticket-closed
        shell_logout a
        shell_logout b
}

# What RunAs= does not speak of: files by sudoedit, which copies them before its session is opened; groups, folders, hosts.
test_gate_options() {
        local id options
        role=t-gate ticket_ready OPT1
        role=t-gate-olga ticket_ready OPT2
        for id in OPT1 OPT2; do
                gated "JIT_TICKET=$id EDITOR=/bin/cat sudo -n -e /etc/shadow"
                on sh -c '! ls /var/tmp/shadow* 2>/dev/null' || fail "sudoedit has left a copy of the file"
        done
        gated "JIT_TICKET=OPT2 EDITOR=/bin/cat sudoedit -n /etc/shadow"
        # As many questions as one person may have at a time are not to be reached.
        for options in '-g disk' '--group=shadow' '-nu olga -gdisk' '-u olga -D /root'; do
                gated "JIT_TICKET=OPT2 sudo -n $options id"
        done
        out=$(own_login_both 'JIT_TICKET=OPT2; export JIT_TICKET; for o in "-uolga" "--user=olga" "-H -u olga --" "-nEu olga X=1"; do sleep 0.3; sudo -n $o id -un; done' 2>&1) || :
        echo "$out"
        [[ $(grep -c '^olga$' <<<"$out") == 4 ]] || fail "what the role covers is refused: $out"
        not_elevated
}

# Workloads by a role that allows them; and an account of a ticket's on such a host.
test_gate_others() {
        role=t-work ticket_ready SVC1
        out=$(on systemd-run --quiet --uid=alice --setenv=JIT_TICKET=SVC1 --pipe --wait sudo -n where 2>&1) || fail "the role allows workloads: $out"
        expect_match '^/jit.slice/.*scope$' "$out"
        wait_for 5 has_no_grant SVC1
        not_elevated
        out=$(on systemd-run --quiet --uid=mallory --setenv=JIT_TICKET=SVC1 --pipe --wait sudo -n id 2>&1) && fail "mallory: $out"
        ticket_ready ACC1
        out=$(login ACC1 'sudo -n id -u; id -u' 2>&1)
        expect_match '^0$' "$out"
        expect_gone ACC1 "$(tail -n1 <<<"$out")" session-ended
        # jitctl elevate opens the gate as well.
        role=t-all ticket_ready RULE1
        out=$(own_login_both 'jitctl elevate RULE1 >/dev/null; sudo -n id -u; jitctl drop >/dev/null; sudo -n id' 2>&1) && fail "open after the end: $out"
        expect_match '^0$' "$out"
        expect_no_match '^uid=' "$out"
        not_elevated
}

# Without jit-reaperd the gate is shut, at once, and root and services go on.
test_gate_without_daemon() {
        local start
        role=t-gate ticket_ready DOWN1
        on systemctl stop jit-reaperd.socket jit-reaperd.service
        start=$(now_ms)
        gated 'JIT_TICKET=DOWN1 sudo -n id'
        expect_ms_below 3000 $(($(now_ms) - start)) "a gate without its daemon"
        [[ $(on sudo -n id -u) == 0 ]] || fail "root's own sudo"
        [[ $(on su - mallory -c 'id -un') == mallory ]] || fail "root's su"
        on systemctl start jit-reaperd.socket
        out=$(own_login_both 'JIT_TICKET=DOWN1 sudo -n id -u' 2>&1)
        expect_match '^0$' "$out"
        not_elevated
}

# sudo-rs calls the same PAM service. It takes no rules with NOTAFTER, so it has a file of its own.
test_gate_sudo_rs() {
        on sh -c 'command -v sudo-rs' || skip "$suite has no sudo-rs"
        printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\n' root alice mallory | put /etc/sudoers-rs 0440
        role=t-gate ticket_ready RUST1
        gated 'sudo-rs -n id'
        by=mallory gated 'JIT_TICKET=RUST1 sudo-rs -n id'
        gated 'JIT_TICKET=RUST1 sudo-rs -n -u olga id'
        out=$(own_login_both 'exec 2>&1; JIT_TICKET=RUST1 sudo-rs -n id -u; sudo-rs -n where; sudo-rs -n setsid sleep 987 >/dev/null 2>&1 & sleep 0.7' 2>&1)
        echo "$out"
        expect_match '^0$' "$out"
        expect_match '^/jit.slice/.*scope$' "$out"
        expect_ended RUST1 session-ended
        on sh -c '! pgrep -f "^sleep 987"' || fail "a process of sudo-rs has outlived the grant"
        [[ $(on sudo-rs -n id -u) == 0 ]] || fail "root's own sudo-rs"
}
