# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # dollars for the host's shell; host, out...: cases.sh's, tickets.sh's and people.sh's
# Rules as sudo reads them: what jit.conf(5) says of a command, a pattern and a ticket's command is what sudo does. And where rules cannot
# be written, sudo works on for everybody else.

# Prints its arguments, each between angle brackets.
setup() { printf '#!/bin/sh\nfor a; do printf "<%%s>" "$a"; done; echo\n' | put /usr/local/bin/t-args 0755; }

t_role() { # NAME LINE...: a role with these lines, in force
        printf '%s\n' '[Role]' 'Reactivate=yes' "${@:2}" | put "/etc/jit/roles.d/$1.conf"
        t_reload
        expect_no_match "$1" "$(on jitctl check || :)"
}

t_role_gone() {
        on rm -f "/etc/jit/roles.d/$1.conf"
        t_reload
}

t_reload() {
        on systemctl reload-or-restart jit-reaperd.service
        on systemctl restart jit-approverd.service
}

# sudo_says yes|no ARGUMENTS: whether the elevated shell a may run t-args with them, as bash reads them
sudo_says() {
        local status=1
        [[ $1 == no ]] || status=0
        expect_shell $status a "sudo -n /usr/local/bin/t-args $2"
        # A yes shows the arguments as the command got them: nobody has taken quotes or backslashes away.
        [[ $1 == no || $out == "$(bash -c 'for a; do printf "<%s>" "$a"; done' t "${@:3}")" ]] || fail "$2 arrived as $out"
}

test_patterns_of_arguments() {
        t_role t-pattern 'Command=/usr/local/bin/t-args ^restart [a-z0-9-]{1,8}(@[[:digit:]]+)?\.service$' \
                'Command=/usr/local/bin/t-args ^-u (one|two)( --now)?$' 'Command=/usr/local/bin/t-args ^a\\b\.c\$\#d,e:f=g!\[\^$' \
                'Command=/usr/local/bin/t-args x\\\\y \* \? \[z\] \! \^ a\,b\:c\=d\#e'
        role=t-pattern ticket_ready PAT1
        shell_open a
        expect_shell 0 a 'jitctl elevate PAT1'
        sudo_says yes 'restart nginx.service' restart nginx.service
        sudo_says yes 'restart web-1@22.service' restart web-1@22.service
        sudo_says yes '-u two --now' -u two --now
        sudo_says yes "'a\\b.c\$#d,e:f=g![^'" 'a\b.c$#d,e:f=g![^'
        sudo_says yes "'x\\y' '*' '?' '[z]' '!' '^' a,b:c=d#e" 'x\y' '*' '?' '[z]' '!' '^' a,b:c=d#e
        local no
        for no in '' restart 'restart nginx' 'restart nginxxxxx.service' 'restart nginx.service x' "restart nginx.service ''" "restart ' nginx.service'" \
                "\$'restart\\nnginx.service'" "restart \$'nginx.service\\n'" "restart \$'x\\nnginx.service'" "restart \$'nginx.service\\nx.service'" \
                "restart 'a.service b.service'" "restart '\"a\".service'" "restart \"'a'.service\"" "restart '*.service'" "restart '[a-z].service'" \
                'restart ../a.service' 'restart a@.service' 'restart nginxXservice' "'^restart a.service\$'" "-u one two" "-u one --now --now" \
                "'(one|two)'" "'a\\\\b.c\$#d,e:f=g![^'" "'ab.c\$#d,e:f=g![^'" "'x\\\\y' '*' '?' '[z]' '!' '^' a,b:c=d#e" "xy '*' '?' '[z]' '!' '^' a,b:c=d#e" \
                "'x\\y' zzz '?' '[z]' '!' '^' a,b:c=d#e" "'x\\y' '*' q '[z]' '!' '^' a,b:c=d#e" "'x\\y' '*' '?' z '!' '^' a,b:c=d#e"; do
                sudo_says no "$no"
        done
        sudo_works
        shell_logout a
        expect_ended PAT1 session-ended
        t_role_gone t-pattern
}

# A ticket names one command that the pattern matches: that one runs, and no other that the pattern matches too.
test_patterns_narrowed_by_a_ticket() {
        t_role t-pattern 'Command=/usr/local/bin/t-args ^restart [a-z-]+\.service$' 'Command=/usr/bin/id'
        role=t-pattern ticket_ready PAT2 --command '/usr/local/bin/t-args restart nginx.service'
        shell_open a
        expect_shell 0 a 'jitctl elevate PAT2'
        sudo_says yes 'restart nginx.service' restart nginx.service
        sudo_says no 'restart cron.service'
        sudo_says no 'restart nginx.service x'
        expect_shell 1 a 'sudo -n id'
        shell_logout a
        expect_ended PAT2 session-ended
        # Beyond the pattern: left out, with the reason in the journal; nothing remains, so there is no elevation.
        role=t-pattern ticket_ready PAT3 --command '/usr/local/bin/t-args stop nginx.service'
        out=$(own_login_both 'exec 2>&1; jitctl elevate PAT3 && echo elevated; sudo -n /usr/local/bin/t-args stop nginx.service' || :)
        echo "$out"
        expect_no_match 'elevated$|<stop>' "$out"
        journal_has command-not-allowed pat3
        not_elevated
        t_role_gone t-pattern
}

# The line that lets alice in by sudo -u: for that account alone, and only while the ticket lasts.
test_patterns_become_that_account_alone() {
        local uid
        role=t-account ticket_ready BECOME1
        role=t-account by=mallory ticket_ready BECOME2
        out=$(own_login_both 'exec 2>&1; sudo -n -u jit-become1 id -un')
        [[ $out == *jit-become1 ]] || fail "sudo -u: $out"
        uid=$(uid_of jit-become2)
        [[ $uid ]] || fail "mallory's account does not resolve"
        local other
        for other in '-u jit-become2' "-u '#$uid'" '-u root' '' '-u olga' '-u jit-become1 -g root' '-u jit-become1 -g olga' '-g root' '-i' '-s'; do
                out=$(own_login_both "exec 2>&1; sudo -n $other id" || :)
                echo "$other: $out"
                expect_no_match '^uid=' "$out"
        done
        by=mallory own_login 'sudo -n -u jit-become1 id' && fail "mallory has become alice's account"
        sudo_works
        on jitctl revoke BECOME2 || :
}

# What /etc/sudoers has set before our folder is read does not keep pam_jit out of that session.
test_patterns_become_whatever_sudo_is_set_to() {
        local setting n=0
        for setting in '!pam_session' 'pam_service=login, pam_login_service=login' '!pam_session, pam_service=none'; do
                echo "== $setting"
                ((n += 1))
                printf 'Defaults %s\n' "$setting" | put /etc/sudoers.d/00-settings 0440
                ticket_ready "SET$n"
                ticket_ready "SETI$n" # another one: the first one's account is just ending
                out=$(own_login_both "exec 2>&1; sudo -n -u jit-set$n cat /proc/self/cgroup; sudo -n -u jit-seti$n -i id -u")
                echo "$out"
                expect_match "/jit-[0-9a-f]{16}-[0-9]+\.scope\$" "$out"
                nothing_left "jit-seti$n" "$(tail -n 1 <<<"$out")"
                nothing_left "jit-set$n"
        done
        on rm /etc/sudoers.d/00-settings
}

# A setting that comes later takes pam_jit out of sudo: `jitctl check` calls it an error, and what was started without a session is dead when
# the reservation is over.
test_patterns_become_without_a_session() {
        local uid
        printf 'Defaults !pam_session\n' | put /etc/sudoers.d/zz-settings 0440
        expect_status 1 on jitctl check
        expect_match 'pam_session' "$out"
        role=again ticket_ready NOSESS1
        out=$(own_login_both "sudo -n -u jit-nosess1 sh -c 'id -u; setsid sleep 1234 >/dev/null 2>&1 </dev/null &'")
        uid=$out
        expect_match '^[0-9]+$' "$uid"
        on pgrep -u "$uid" sleep || fail "nothing runs as $uid: this test tests nothing"
        wait_for 20 on sh -c "! pgrep -u $uid" || fail "it outlives the reservation"
        nothing_left jit-nosess1 "$uid"
        on rm /etc/sudoers.d/zz-settings
        out=$(on jitctl check || :)
        expect_no_match 'pam_session' "$out"
}

# /run is full: no rule, no half of one, and sudo works for others; what was there before stays whole.
test_patterns_full_run() {
        own_host
        role=t-elevate ticket_ready FULLRUN1
        role=t-elevate ticket_ready FULLRUN2
        shell_open a
        expect_shell 0 a 'jitctl show FULLRUN1 >/dev/null; true' # jit-reaperd is up
        on sh -c 'mount -o remount,size=$(($(df --output=used -k /run | tail -n 1) + 256))k /run
                dd if=/dev/zero of=/run/filler bs=4k 2>/dev/null; df -k /run'
        shell a 'jitctl elevate FULLRUN1 && echo elevated; sudo -n id -u'
        expect_no_match '^elevated|^0$' "$out"
        expect_match 'no-space|No space|full' "$out"
        sudo_works
        [[ -z $(on ls -A /run/jit/sudoers.d) ]] || fail "left in sudoers.d: $(on ls -A /run/jit/sudoers.d)"
        on rm /run/filler
        not_elevated
        expect_shell 0 a 'jitctl elevate FULLRUN2 && sudo -n id -u'
        expect_match '^0$' "$out"
        shell_logout a
}

# A host whose sudo knows no NOTAFTER, as sudo-rs: visudo refuses every rule of ours. None is written, nobody else's terminal shows any,
# and what needs no rule works.
test_patterns_sudo_without_notafter() {
        [[ $suite != bookworm ]] || skip "Debian 12 has no sudo-rs"
        own_host
        on sh -c 'ln -sf /usr/lib/cargo/bin/sudo /usr/bin/sudo && ln -sf /usr/lib/cargo/bin/visudo /usr/sbin/visudo'
        on systemctl restart jit-reaperd.service
        expect_match 'no rules that end by themselves' "$(on journalctl -o cat -u jit-reaperd.service)"
        ticket_ready RS1
        role=t-elevate ticket_ready RS2
        out=$(login RS1 'exec 2>&1; id -u; sudo -n id; sudo -n true; echo "sudo=$?"')
        echo "$out"
        expect_match '^sudo=1$' "$out"
        expect_no_match '^uid=0' "$out"
        out=$(own_login_both 'exec 2>&1; jitctl elevate RS2; echo "elevate=$?"; sudo -n -u jit-rs1 id; echo "become=$?"')
        echo "$out"
        expect_match 'way-not-allowed|by themselves' "$out"
        expect_match '^elevate=[1-9]' "$out"
        expect_match '^become=1$' "$out"
        # While an account is live, others' sudo says no word about it.
        ticket_ready RS3
        session_start RS3
        expect_status 0 as olga sudo -n true
        [[ -z $out ]] || fail "olga's sudo says: $out"
        expect_status 0 on visudo -c
        session_logout
}

# sudo beside sudo-rs: with /etc/sudoers-rs, as jit.conf(5) says, sudo-rs says no word about our rules either.
test_patterns_sudo_rs_beside_sudo() {
        [[ $suite != bookworm ]] || skip "Debian 12 has no sudo-rs"
        own_host
        ticket_ready RS4
        session_start RS4
        expect_match 'NOTAFTER' "$(as olga sudo-rs -n true 2>&1)" # what the file is for
        printf 'olga ALL=(ALL:ALL) NOPASSWD: ALL\n' | put /etc/sudoers-rs 0440
        expect_status 0 as olga sudo-rs -n true
        [[ -z $out ]] || fail "olga's sudo-rs says: $out"
        session_logout
}

# examples/roles.d/deploy.conf as it stands.
test_patterns_example_deploy() {
        role=deploy ticket_ready DEPLOY1
        out=$(own_login_both 'exec 2>&1; jitctl elevate DEPLOY1; sudo -n -l; export CI_JOB_ID=7 OTHER=8; sudo -n systemctl restart shop-x.service; echo "restart=$?"; sudo -n systemctl restart cron.service; echo "cron=$?"')
        echo "$out"
        expect_match '\^\(restart\|reload\) shop-' "$out"
        expect_match 'shop-x.service not found' "$out" # sudo let it through
        expect_match '^cron=1$' "$out"
        expect_match 'password is required|not allowed' "$out"
        expect_ended DEPLOY1 session-ended
}
