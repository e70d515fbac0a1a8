#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# assert_nothing_left NAME UID, inside a host and as root: looks everywhere an account can leave something. Prints "LEFT kind: detail"
# for each finding and returns 1. Looks again for LEFT_WAIT seconds (default 3) before it believes that something is left: logind and
# the kernel forget a little later than the last process dies. UID may be "" for an account that never came to be.
#
# --elevation PERSON: the same for an elevation of a person's own account, and for all of them on this host: rule, marker, scope, timer,
# record; and what PERSON may do by sudo begins with LEFT_SUDO again.
#
# Not looked at, because they are records and not leftovers: the journal's text, wtmp, /var/lib/jit.
# plant.sh beside this file proves that each kind is found.

left() {
        local kind=$1 line
        while IFS= read -r line; do
                [[ -z $line ]] || printf 'LEFT %s: %s\n' "$kind" "$line"
        done
}

# ---- by name ----

# As nobody: who is not root sees live accounts alone, so this lookup does not itself make one.
left_account_by_name() {
        local db
        for db in passwd group; do
                setpriv --reuid nobody --regid nogroup --clear-groups getent "$db" "$1" | left account
        done
}

left_mentions() {
        local word="(^|[^A-Za-z0-9_.-])$1([^A-Za-z0-9_.-]|\$)"
        grep -EHs "$word" /etc/passwd /etc/passwd- /etc/group /etc/group- /etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- \
                /etc/subuid /etc/subgid /etc/sudoers | left mention
        grep -ErHs "$word" /etc/sudoers.d /etc/pam.d /etc/security /etc/cron.d /etc/cron.allow /etc/at.allow | left mention
        grep -EHs "$word" /etc/ssh/sshd_config /etc/ssh/sshd_config.d/* /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys |
                left mention
}

left_files_by_name() {
        find /run/jit \( -name "$1" -o -name "$1.*" -o -name ".$1.*" \) 2>/dev/null | left run-jit
        find "/home/$1" "/var/mail/$1" -maxdepth 0 2>/dev/null | left file
        find "/var/spool/cron/crontabs/$1" -maxdepth 0 2>/dev/null | left cron
        find "/var/lib/systemd/linger/$1" -maxdepth 0 2>/dev/null | left linger
        find "/run/sudo/ts/$1" "/var/lib/sudo/lectured/$1" "/var/lib/sudo/ts/$1" -maxdepth 0 2>/dev/null | left sudo-timestamp
}

left_logins_by_name() {
        local name=$1
        loginctl --no-legend list-sessions 2>/dev/null | awk -v n="$name" '$3 == n' | left session
        loginctl --no-legend list-users 2>/dev/null | awk -v n="$name" '$2 == n' | left user
        # who(1) cuts no names; Debian 13 has no utmp, its `who` asks logind.
        who 2>/dev/null | awk -v n="$name" '$1 == n' | left utmp
        if command -v lastlog2 >/dev/null; then
                lastlog2 -u "$name" 2>/dev/null | awk -v n="$name" '$1 == n && !/Never logged in/' | left lastlog
        fi
}

left_mounts() {
        awk -v n="$1" -v u="$2" '
                index($2, "/run/jit/home/" n "/") == 1 || $2 == "/run/jit/home/" n ||
                (u != "" && ($2 == "/run/user/" u || $4 ~ "(^|,)(uid|user_id)=" u "(,|$)"))' /proc/mounts | left mount
}

left_units() {
        local escaped
        escaped=$(systemd-escape -- "$1")
        systemctl list-units --no-legend --plain --full | awk -v n="$1" -v e="$escaped" -v u="$2" '
                index($1, e) || $1 ~ "(^|[^a-z0-9-])" n "([^a-z0-9-]|$)" ||
                (u != "" && $1 ~ "(^|[^0-9])" u "([^0-9]|$)") { print $1, $3, $4 }' | left unit
}

# ---- by number ----

left_account_by_id() {
        local db
        for db in passwd group; do
                getent "$db" "$1" | left account
        done
        id "$1" 2>/dev/null | left account
}

left_processes() {
        # Any of real, effective, saved and file system id, of any thread.
        awk -v u="$1" '
                FNR == 1 { name = $2 }
                /^(Uid|Gid):/ && ($2 == u || $3 == u || $4 == u || $5 == u) {
                        split(FILENAME, p, "/"); print p[3], name, $0; nextfile }' /proc/[0-9]*/task/[0-9]*/status 2>/dev/null |
                sort -u | left process
        find /sys/fs/cgroup -type d \( -name "user-$1.slice" -o -name "user@$1.service" -o -name "user-runtime-dir@$1.service" \) \
                2>/dev/null | left cgroup
}

left_logind() {
        loginctl --no-legend list-sessions 2>/dev/null | awk -v u="$1" '$2 == u' | left session
        loginctl --no-legend list-users 2>/dev/null | awk -v u="$1" '$1 == u' | left user
        find "/run/systemd/users/$1" -maxdepth 0 2>/dev/null | left user
        # Beside each lies a FIFO, NUMBER.ref, that a reader would wait on.
        find /run/systemd/sessions -type f -exec grep -lsx "UID=$1" {} + 2>/dev/null | left session
        find "/run/user/$1" -maxdepth 0 2>/dev/null | left runtime-dir
        find "/run/jit/uids/$1" "/run/sudo/ts/$1" "/var/lib/sudo/lectured/$1" -maxdepth 0 2>/dev/null | left run-jit
}

# Every file system that can be written to, each by itself.
left_files_by_owner() {
        local uid=$1 mount type
        while read -r _ mount type _; do
                case $type in
                overlay | tmpfs | ext* | xfs | btrfs | mqueue | devpts | ramfs | fuse* | hugetlbfs)
                        find "$(printf '%b' "$mount")" -xdev \( -uid "$uid" -o -gid "$uid" \) 2>/dev/null
                        ;;
                esac
        done </proc/mounts | sort -u | while IFS= read -r file; do
                case $file in
                /dev/pts/*) echo "$file" | left tty ;;
                /dev/mqueue/*) echo "$file" | left mqueue ;;
                /dev/shm/*) echo "$file" | left dev-shm ;;
                /var/tmp/*) echo "$file" | left var-tmp ;;
                /tmp/*) echo "$file" | left tmp ;;
                /var/spool/cron/at*) echo "$file" | left at ;;
                /var/spool/cron/*) echo "$file" | left cron ;;
                /var/mail/* | /var/spool/mail/*) echo "$file" | left mail ;;
                *) echo "$file" | left file ;;
                esac
        done
}

left_ipc() {
        local kind
        for kind in shm sem msg; do
                awk -v u="$1" 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
                        $column["uid"] == u || $column["cuid"] == u { print "key", $1, "id", $2 }' "/proc/sysvipc/$kind" |
                        left "ipc-$kind"
        done
        awk -v u="$1" '$8 == u { print FILENAME, "from", $2, "to", $3 }' /proc/net/{tcp,tcp6,udp,udp6,udplite,raw,raw6} 2>/dev/null |
                left socket
        # /proc/keys hides what the reader may not view, even from root; the count does not. In a container it is the whole machine's
        # count, and systemd-nspawn lets nobody make keys: there only on demand.
        if systemd-detect-virt --quiet --container && [[ ${LEFT_KEYRINGS:-no} != yes ]]; then return 0; fi
        awk -v u="$1:" '$1 == u { print "keys", $3 }' /proc/key-users | left keyring
}

# Held open by somebody else, after it was removed.
left_open_deleted() {
        find /proc/[0-9]*/fd -lname '* (deleted)' -print0 2>/dev/null | xargs -0r stat -L -c '%u %n' 2>/dev/null |
                awk -v u="$1" '$1 == u { print $2 }' | left open-deleted
}

left_logs() {
        local size=292 # sizeof(struct lastlog), lastlog(8)
        if [[ -e /var/log/lastlog ]] &&
                tail -c +$((size * $1 + 1)) /var/log/lastlog 2>/dev/null | head -c "$size" | tr -d '\0' | grep -q .; then
                echo "slot of $1 in /var/log/lastlog" | left lastlog
        fi
        find /var/lib/systemd/coredump /var/crash -name "core.*.$1.????????????????????????????????.*" 2>/dev/null | left coredump
        # A later owner of the number could read the old one's journal (systemd issue 15802).
        find /var/log/journal /run/log/journal -print0 2>/dev/null | xargs -0r getfacl -nps 2>/dev/null |
                awk -v u="$1" '/^# file: / { file = $3 } $0 ~ "^(default:)?(user|group):" u ":" { print file, $0 }' | left journal-acl
}

left_findings() {
        local name=$1 uid=${2-}
        left_account_by_name "$name"
        left_mentions "$name"
        left_files_by_name "$name"
        left_logins_by_name "$name"
        left_mounts "$name" "$uid"
        left_units "$name" "$uid"
        [[ $uid ]] || return 0
        left_account_by_id "$uid"
        left_processes "$uid"
        left_logind "$uid"
        left_files_by_owner "$uid"
        left_ipc "$uid"
        left_open_deleted "$uid"
        left_logs "$uid"
}

# ---- of an elevation ----

left_elevation() {
        local uid rights
        uid=$(id -u "$1")
        find /run/jit/sudoers.d -mindepth 1 \( -name 'elevate*' -o -name '.*' \) 2>/dev/null | left sudo-rule
        grep -EHs "^#${uid}[[:space:]]" /run/jit/sudoers.d/* | left sudo-rule
        rights=$(sudo -n -l -U "$1" 2>&1)
        # A ticket's account, live or about to be, is a right as well, and another grant's.
        [[ -z ${LEFT_SUDO-} || $(find /run/jit/sudoers.d -name 'jit-*') || $rights == "$LEFT_SUDO"* ]] || echo "$rights" | left sudo-right
        find /run/jit/elevated -mindepth 1 2>/dev/null | left marker
        find /run/jit/grants -type f -exec grep -ls '"way": *"elevation"' {} + 2>/dev/null | left record
        find /sys/fs/cgroup -mindepth 2 -path '*/jit.slice/*' -type d 2>/dev/null | left cgroup
        # jit-deadline-UID is an account's.
        systemctl list-units --no-legend --plain --full --all 'jit-[0-9a-f]*.slice' 'jit-deadline-*' |
                grep -Ev '^jit-deadline-[0-9]{1,9}\.' | left unit
        systemctl list-units --no-legend --plain --full --all 'jit-[0-9a-f]*.scope' | while read -r unit rest; do
                case $(systemctl show -P Slice "$unit") in
                jit[.-]*) echo "$unit $rest" | left unit ;;
                esac
        done
}

# ---- all of it ----

left_everything() {
        if [[ $1 == --elevation ]]; then left_elevation "$2"; else left_findings "$@"; fi
}

assert_nothing_left() {
        local findings end
        end=$(($(date +%s%3N) + ${LEFT_WAIT:-3} * 1000))
        while :; do
                findings=$(left_everything "$@" 2>/dev/null | sort -u)
                [[ $findings ]] || return 0
                (($(date +%s%3N) < end)) || break
                sleep 0.1
        done
        printf '%s\n' "$findings"
        return 1
}

if [[ ${BASH_SOURCE[0]-} == "$0" || -z ${BASH_SOURCE[0]-} ]]; then
        assert_nothing_left "$@"
fi
