# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154  # dollars for the host's shell; host, out...: cases.sh's and tickets.sh's
# jit.conf and roles: drop-ins, refusals with file and line, the last good configuration in force.

setup() {
        on systemctl start jit-reaperd.service
}

test_check_ok() {
        expect_status 0 on jitctl check
        expect_status 0 on jitctl status
}

# bad_file PATH CONTENT LINE WORD: refused by jitctl check and by the daemon, which goes on with what it had
bad_file() {
        echo "== $1: $2"
        printf '%b' "$2" | put "$1"
        expect_status 1 on jitctl check
        expect_match "$1:$3\$" "$out"
        expect_match "^error .*$4" "$out"
        on systemctl reload jit-reaperd.service || :
        [[ $(on systemctl is-active jit-reaperd.service) == active ]] || fail "a wrong file has ended jit-reaperd"
        expect_match "$1" "$(on jitctl status)"
        on rm "$1"
}

test_bad_configuration() {
        ticket_ready CONF1
        bad_file /etc/jit/jit.conf.d/x.conf '[Accounts]\nUIDRange=0-10\n' 2 UIDRange
        bad_file /etc/jit/jit.conf.d/x.conf '[Accounts]\nReserveSec=1s\n' 2 ReserveSec
        bad_file /etc/jit/jit.conf.d/x.conf '[Acounts]\n\nReserveSec=10s\n' 3 Acounts
        bad_file /etc/jit/jit.conf.d/x.conf 'x' 1 .
        bad_file /etc/jit/roles.d/x.conf '[Role]\nTTLSec=forever\n' 2 TTLSec
        bad_file /etc/jit/roles.d/x.conf '[Role]\n# fine\nCommand=rm -rf\n' 3 Command
        bad_file /etc/jit/roles.d/x.conf '[Role]\nApprovers=0\n' 2 Approvers
        bad_file /etc/jit/roles.d/test.conf.d/x.conf '[Role]\nShell=bash\n' 2 Shell
        expect_status 0 login CONF1 'sudo -n id -u'
        on systemctl reload jit-reaperd.service
        expect_status 0 on jitctl check
}

test_wrong_owner() {
        printf '[Role]\nCommand=ALL\n' | put /etc/jit/roles.d/mine.conf 0644 mallory
        expect_status 1 on jitctl check
        expect_match 'mine.conf' "$out"
        on rm /etc/jit/roles.d/mine.conf
}

test_drop_ins() {
        printf '[Role]\nCommand=\nCommand=/usr/bin/true\n' | put /etc/jit/roles.d/test.conf.d/50-less.conf
        on systemctl reload jit-reaperd.service jit-approverd.service || on systemctl reload jit-reaperd.service
        ticket_ready DROP1
        out=$(login DROP1 'sudo -n true && echo yes; sudo -n id -u || echo no; id -u' 2>/dev/null)
        [[ ${out%$'\n'*} == $'yes\nno' ]] || fail "the drop-in does not count: $out"
        nothing_left jit-drop1 "$(tail -n1 <<<"$out")"
        on rm -r /etc/jit/roles.d/test.conf.d
        on systemctl reload jit-reaperd.service
}

test_host_name() {
        printf '[Host]\nName=payroll payroll.prod.example\n' | put /etc/jit/jit.conf.d/50-name.conf
        on systemctl reload jit-reaperd.service
        on systemctl restart jit-approverd.service
        at='payroll.*.example' ticket_ready NAMED1
        expect_status 0 login NAMED1 true
        ticket_ready NAMED2
        expect_status 255 login NAMED2 true
        expect_match 'NAMED2' "$out"
        on rm /etc/jit/jit.conf.d/50-name.conf
        on systemctl reload jit-reaperd.service
        on systemctl restart jit-approverd.service
}

# Signed tickets need no network; nor does jit-approverd, where there are no others.
test_offline() {
        local dir=/etc/systemd/system/jit-approverd.service.d pid
        put $dir/offline.conf <"$top/examples/systemd/jit-approverd.service.d/offline.conf"
        put $dir/credentials.conf <"$top/examples/systemd/jit-approverd.service.d/credentials.conf" # its secrets are not there
        on systemctl daemon-reload
        expect_status 0 on systemd-analyze verify --man=no jit-approverd.service
        expect_no_match 'jit-approverd' "$out"
        on systemctl restart jit-approverd.service
        pid=$(on systemctl show -P MainPID jit-approverd.service)
        [[ $(on readlink "/proc/$pid/ns/net") != "$(on readlink /proc/1/ns/net)" ]] || fail "jit-approverd is in the host's network"
        ticket_ready OFFL1
        expect_status 0 login OFFL1 true
        on rm -r $dir
        on systemctl daemon-reload
        on systemctl restart jit-approverd.service
}

# The audit file: any change is found, with its line.
test_audit_changed() {
        own_host
        ticket_ready AUDIT1
        expect_status 0 login AUDIT1 true
        nothing_left jit-audit1 ""
        wait_for 10 receipt AUDIT1
        expect_status 0 on jitctl audit verify
        on cp /var/lib/jit/audit.jsonl /root/good.jsonl
        on sed -i '2s/"event"/"evenT"/' /var/lib/jit/audit.jsonl
        expect_status 1 on jitctl audit verify
        expect_match '(line )?[23]\b' "$out"
        on sh -c 'sed 2d /root/good.jsonl >/var/lib/jit/audit.jsonl'
        expect_status 1 on jitctl audit verify
        on sh -c 'sed "\$d" /root/good.jsonl >/var/lib/jit/audit.jsonl'
        expect_status 1 on jitctl audit verify
        on sh -c 'cat /root/good.jsonl >/var/lib/jit/audit.jsonl'
        expect_status 0 on jitctl audit verify
}

test_explain() {
        ticket_new EXPL1
        expect_status 1 on jitctl explain EXPL1
        expect_match 'ticket-pending' "$out"
        ticket_approve EXPL1
        expect_status 0 on jitctl explain EXPL1
        expect_match 'approved' "$out"
}
