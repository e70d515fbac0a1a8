# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154  # the dollars are for the host's shell; host, lib_dir: cases.sh's
# assert_nothing_left finds each kind of leftover when it is planted, and passes when it is cleaned up.

# Kernel keys are counted for the whole machine, so two runs at once want different numbers.
plant_name=planted0 plant_uid=$((200000 + $$ % 100000))

# What planted things come to be a little later than their command returns: looked for until each KIND is there, or 15 s have passed.
plant_find() { # KIND...
        local end=$((SECONDS + 15)) kind missing
        while :; do
                missing=
                findings=$(on env LEFT_WAIT=0 LEFT_KEYRINGS=yes bash -s -- $plant_name $plant_uid <"$lib_dir/assert-nothing-left.sh") &&
                        missing="anything"
                for kind in "$@"; do
                        grep -q "^LEFT $kind: " <<<"$findings" || missing+=" $kind"
                done
                [[ $missing ]] || return 0
                ((SECONDS < end)) || fail "planted and not found: $missing; found was: $findings"
                sleep 0.2
        done
}

# KIND, how to plant it, how to clean up; run on the host by bash with $n and $u.
plant_check() {
        local kind=$1 findings
        echo "== $kind: $2"
        on env n=$plant_name u=$plant_uid bash -c "$2" || fail "cannot plant $kind: $2"
        plant_find "$kind"
        echo "$findings"
        on env n=$plant_name u=$plant_uid bash -c "$3" || fail "cannot clean up $kind: $3"
        LEFT_KEYRINGS=yes LEFT_WAIT=${4:-2} nothing_left $plant_name $plant_uid
}

# Perl is part of every Debian; it makes what has no command.
perl_as='exec setpriv --reuid $u --regid $u --clear-groups perl -e'

test_plant_nothing() {
        LEFT_WAIT=0 nothing_left $plant_name $plant_uid
}

test_plant_accounts() {
        local db
        plant_check account 'echo "$n:x:$u:$u::/:/bin/sh" >>/etc/passwd' 'sed -i "/^$n:/d" /etc/passwd'
        plant_check account 'echo "other:x:$u:$u::/:/bin/sh" >>/etc/passwd' 'sed -i "/^other:/d" /etc/passwd'
        plant_check account 'echo "$n:x:$u:" >>/etc/group' 'sed -i "/^$n:/d" /etc/group'
        for db in passwd group shadow gshadow subuid subgid sudoers; do
                plant_check mention "cp -a /etc/$db /root/$db.before; echo \"\$n:100000:65536\" >>/etc/$db" "mv /root/$db.before /etc/$db"
        done
        plant_check mention 'sed -i "s/^adm:.*/&$n/" /etc/group' 'sed -i "s/^\(adm:.*:\)$n/\1/" /etc/group'
        plant_check mention 'echo "$n ALL=(ALL) ALL" >/etc/sudoers.d/x' 'rm /etc/sudoers.d/x'
        plant_check mention 'mkdir -p /root/.ssh; echo "ssh-ed25519 AAAA $n" >/root/.ssh/authorized_keys' 'rm -r /root/.ssh'
        plant_check mention 'echo "AllowUsers $n" >/etc/ssh/sshd_config.d/x.conf' 'rm /etc/ssh/sshd_config.d/x.conf'
}

test_plant_names() {
        local path
        for path in keys/planted0 sudoers.d/planted0 sudoers.d/.planted0.tmp home/planted0 grants/planted0.json uids/$plant_uid; do
                plant_check run-jit "mkdir -p /run/jit/${path%/*}; : >/run/jit/$path" "rm /run/jit/$path"
        done
        plant_check linger 'mkdir -p /var/lib/systemd/linger; : >/var/lib/systemd/linger/$n' 'rm /var/lib/systemd/linger/$n'
        plant_check sudo-timestamp 'mkdir -p /run/sudo/ts; : >/run/sudo/ts/$n' 'rm /run/sudo/ts/$n'
        plant_check sudo-timestamp 'mkdir -p /var/lib/sudo/lectured; : >/var/lib/sudo/lectured/$n' 'rm /var/lib/sudo/lectured/$n'
        plant_check cron 'echo "* * * * * true" >/var/spool/cron/crontabs/$n' 'rm /var/spool/cron/crontabs/$n'
        plant_check file 'mkdir /home/$n' 'rmdir /home/$n'
        plant_check mount 'mkdir -p /run/jit/home/$n; mount -t tmpfs none /run/jit/home/$n' \
                'umount /run/jit/home/$n; rmdir /run/jit/home/$n'
        plant_check mount 'mkdir /run/x; mount -t tmpfs -o uid=$u none /run/x' 'umount /run/x; rmdir /run/x'
}

test_plant_processes() {
        # Each of the four ids by itself; the file system id has only a system call (122, x86-64).
        plant_check process 'setpriv --reuid $u --regid $u --clear-groups sleep 99 >/dev/null 2>&1 & echo $! >/run/x' 'kill $(</run/x); rm /run/x'
        plant_check process 'perl -e "\$< = $u; exec qw(sleep 99)" >/dev/null 2>&1 & echo $! >/run/x; sleep 0.1' 'kill $(</run/x); rm /run/x'
        plant_check process 'setpriv --euid $u sleep 99 >/dev/null 2>&1 & echo $! >/run/x; sleep 0.1' 'kill $(</run/x); rm /run/x'
        plant_check process 'perl -e "syscall(122, $u); sleep 99" >/dev/null 2>&1 & echo $! >/run/x; sleep 0.1' 'kill $(</run/x); rm /run/x'
        plant_check cgroup 'mkdir /sys/fs/cgroup/system.slice/user-$u.slice' 'rmdir /sys/fs/cgroup/system.slice/user-$u.slice'
        plant_check unit 'systemd-run --quiet --unit=x --slice=user-$u.slice sleep 99' 'systemctl stop x'
        plant_check unit 'systemd-run --quiet --unit=$n sleep 99' 'systemctl stop $n'
        plant_check open-deleted 'touch /tmp/x; chown $u /tmp/x; sleep 99 </tmp/x >/dev/null 2>&1 & echo $! >/run/x; sleep 0.1; rm /tmp/x' \
                'kill $(</run/x); rm /run/x'
}

test_plant_session() {
        on useradd -M -d / -s /bin/bash -u $plant_uid $plant_name
        on sh -c 'mkdir -p /etc/keys; cp /home/alice/.ssh/id_ed25519.pub /etc/keys/planted0; echo "AuthorizedKeysFile /etc/keys/%u .ssh/authorized_keys" >/etc/ssh/sshd_config.d/00-planted.conf; systemctl reload ssh'
        as alice ssh -tt planted0@db1 'sleep 99' </dev/null &
        local findings
        plant_find account mention process cgroup session user utmp unit runtime-dir tty mount
        echo "$findings"
        on loginctl terminate-user $plant_name
        wait_for 15 on sh -c "! pgrep -u $plant_uid"
        on userdel $plant_name
        # logind keeps the user for its UserStopDelaySec (10 s); userdel keeps its backups, sshd and journald their notes.
        on sh -c 'rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid- /var/log/lastlog; setfacl -R -b /var/log/journal'
        LEFT_WAIT=15 nothing_left $plant_name $plant_uid
}

test_plant_files() {
        plant_check tmp 'touch /tmp/x; chown $u /tmp/x' 'rm /tmp/x'
        plant_check tmp 'mkdir -p "/tmp/a b/c"; touch "/tmp/a b/c/x"; chgrp $u "/tmp/a b/c/x"' 'rm -r "/tmp/a b"'
        plant_check var-tmp 'touch /var/tmp/x; chown -h $u /var/tmp/x' 'rm /var/tmp/x'
        plant_check dev-shm 'touch /dev/shm/x; chown $u /dev/shm/x' 'rm /dev/shm/x'
        plant_check mqueue 'touch /dev/mqueue/q; chown $u /dev/mqueue/q' 'rm /dev/mqueue/q'
        plant_check at 'touch /var/spool/cron/atjobs/a0000101; chown $u /var/spool/cron/atjobs/a0000101' 'rm /var/spool/cron/atjobs/a0000101'
        plant_check at 'touch /var/spool/cron/atspool/x; chown $u /var/spool/cron/atspool/x' 'rm /var/spool/cron/atspool/x'
        plant_check cron 'touch /var/spool/cron/crontabs/x; chown $u /var/spool/cron/crontabs/x' 'rm /var/spool/cron/crontabs/x'
        plant_check mail 'touch /var/mail/x; chown $u /var/mail/x' 'rm /var/mail/x'
        plant_check file 'ln -s x /etc/x; chown -h $u /etc/x' 'rm /etc/x'
        plant_check file 'touch /run/lock/x; chown $u /run/lock/x' 'rm /run/lock/x'
        plant_check runtime-dir 'mkdir /run/user/$u' 'rmdir /run/user/$u'
        plant_check user 'touch /run/systemd/users/$u' 'rm /run/systemd/users/$u'
        plant_check session 'echo "UID=$u" >/run/systemd/sessions/x' 'rm /run/systemd/sessions/x'
        plant_check tty 'chown $u /dev/pts/ptmx' 'chown root /dev/pts/ptmx'
}

test_plant_ipc() {
        plant_check ipc-shm "$perl_as 'shmget(7, 4096, 01600) // die'" 'ipcrm -M 7'
        plant_check ipc-sem "$perl_as 'semget(7, 1, 01600) // die'" 'ipcrm -S 7'
        plant_check ipc-msg "$perl_as 'msgget(7, 01600) // die'" 'ipcrm -Q 7'
        # A socket that another process holds: made by the user, handed over (here: kept by a process that changed its user).
        plant_check socket 'perl -MIO::Socket::INET -e "\$> = $u; \$s = IO::Socket::INET->new(Listen => 1, LocalPort => 7777) or die; \$> = 0; sleep 99" >/dev/null 2>&1 & echo $! >/run/x; sleep 0.3' \
                'kill $(</run/x); rm /run/x'
        # add_key(2) is 248 and keyctl(2) 250 on x86-64, 21 is KEYCTL_INVALIDATE; the host's own processes are kept from it by systemd-nspawn, this one is not.
        plant_check keyring "($perl_as '(\$t, \$d) = qw(user x); syscall(248, \$t, \$d, \$d, 1, -4) > 0 or die \$!')" \
                "$perl_as 'open K, q(/proc/keys); while (<K>) { @f = split; syscall(250, 21, hex(\$f[0])) if \$f[5] == \$< }'" 10
}

test_plant_logs() {
        plant_check lastlog 'lastlog -u 0 >/dev/null 2>&1; perl -e "open F, q(+>>), q(/var/log/lastlog); close F; open F, q(+<), q(/var/log/lastlog); seek F, 292 * $u, 0; print F pack(q(L), time)"' \
                'truncate -s 0 /var/log/lastlog'
        plant_check coredump 'mkdir -p /var/lib/systemd/coredump; : >/var/lib/systemd/coredump/core.sleep.$u.0123456789abcdef0123456789abcdef.99.1.zst' \
                'rm /var/lib/systemd/coredump/core.*'
        plant_check journal-acl 'mkdir -p /var/log/journal/x; touch /var/log/journal/x/user-$u.journal; setfacl -m u:$u:r /var/log/journal/x/user-$u.journal' \
                'rm -r /var/log/journal/x'
}

# The same for what an elevation of a person's own account leaves.
plant_elevation() { # KIND HOW CLEAN
        local found
        echo "== $1: $2"
        on bash -c "$2" || fail "cannot plant $1: $2"
        found=$(on env LEFT_WAIT=0 LEFT_SUDO="User alice is not allowed" bash -s -- --elevation alice <"$lib_dir/assert-nothing-left.sh") &&
                fail "planted and not found: $1"
        expect_match "^LEFT $1: " "$found"
        on bash -c "$3" || fail "cannot clean up $1: $3"
        LEFT_WAIT=2 not_elevated
}

test_plant_elevation() {
        local rules=/run/jit/sudoers.d dir=/sys/fs/cgroup/jit.slice/jit-0123456789abcdef.slice
        LEFT_WAIT=0 not_elevated
        plant_elevation sudo-rule ": >$rules/elevate-1000-jit-x" "rm $rules/elevate-1000-jit-x"
        plant_elevation sudo-rule ": >$rules/.x.tmp" "rm $rules/.x.tmp"
        plant_elevation sudo-rule "echo '#1000 ALL=(root) /bin/x' >$rules/jit-x" "rm $rules/jit-x"
        plant_elevation sudo-right 'echo "alice ALL=(root) /bin/x" >/etc/sudoers.d/x' 'rm /etc/sudoers.d/x'
        plant_elevation marker 'mkdir -p /run/jit/elevated; : >/run/jit/elevated/1000' 'rm /run/jit/elevated/1000'
        plant_elevation record 'echo "{\"way\":\"elevation\"}" >/run/jit/grants/x.json' 'rm /run/jit/grants/x.json'
        plant_elevation cgroup "mkdir -p $dir" "rmdir $dir ${dir%/*}"
        plant_elevation unit 'systemd-run --quiet --unit=x --slice=jit-0123456789abcdef.slice sleep 99' \
                'systemctl stop x jit-0123456789abcdef.slice'
        plant_elevation unit 'systemd-run --quiet --unit=jit-0123456789abcdef-99 --scope --slice=jit.slice sleep 99 >/dev/null 2>&1 & sleep 0.3' \
                'systemctl stop jit-0123456789abcdef-99.scope'
        plant_elevation unit 'systemd-run --quiet --unit=jit-deadline-0123456789abcdef --on-active=99 true' \
                'systemctl stop jit-deadline-0123456789abcdef.timer'
}
