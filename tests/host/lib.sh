# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034  # dollars for inner shells; variables for those who source this
# Disposable real hosts: systemd, logind, D-Bus, sshd, sudo as Debian ships them, booted by systemd-nspawn over an overlay, so that
# a boot takes about a second and what a test does to its host is gone with it. Works where this machine's own PID 1 is not systemd
# and where its cgroups are the hybrid of v1 and v2.
#
#   lib_init [SUITE]            a work folder; everything in it ends by process id when the calling shell exits (on_lib_exit, if there
#                               is such a function, is called before)
#   host_boot NAME              boots (as HOST_NAME, default db1) and waits until PID 1 says running; several may run at once
#   host_run NAME CMD...        as root inside
#   host_as NAME USER CMD...    as USER inside, with a login's plain environment and no session
#   host_reboot NAME            reboot(8) from inside; host_crash NAME: power cut, and on again; the disk is kept in both
#   host_stop NAME

[[ -n ${BASH_VERSION-} ]] || { echo "lib.sh wants bash" >&2; exit 1; }
lib_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$lib_dir/../.." && pwd)

lib_init() {
        suite=${1:-${HOST_SUITE:-bookworm}}
        [[ $EUID == 0 ]] || { echo "a host is booted by root: sudo $0" >&2; exit 1; }
        lib_pid=$BASHPID
        # Memory, if the machine has it: an overlay's upper folder on disk pays for every fsync of journald.
        work=$(mktemp -d -p "$(lib_tmp)" pam_jit-host.XXXXXX)
        mkdir "$work/hosts"
        trap lib_exit EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        root=$("$lib_dir/image.sh" "$suite")
}

lib_tmp() {
        if [[ -w /dev/shm && $(df --output=avail -B1M /dev/shm | tail -n1) -gt 1500 ]]; then
                echo /dev/shm
        else
                echo "${TMPDIR:-/tmp}"
        fi
}

lib_exit() {
        local rc=$? host
        [[ $BASHPID == "$lib_pid" ]] || return "$rc"
        trap '' INT TERM HUP
        if declare -F on_lib_exit >/dev/null; then on_lib_exit; fi
        for host in "$work"/hosts/*/; do
                [[ -d $host ]] && host_stop "$(basename "$host")"
        done
        if [[ ${HOST_KEEP:-no} == yes ]]; then echo "kept: $work" >&2; else rm -rf --one-file-system "$work"; fi
        return "$rc"
}

# ---- what is on the host beside the stock image ----

# layer_make SCRIPT: a second layer over the image, $work/layer: SCRIPT runs with $1 = the root as it will be seen. Mounted in a mount
# namespace of its own, so that nothing can stay mounted.
layer_make() {
        local rc=0
        mkdir "$work/layer" "$work/layer.work" "$work/layer.root"
        unshare --mount --propagation private "$BASH" -c '
                set -euo pipefail
                work=$1 root=$2 script=$3
                mount -t overlay -o "lowerdir=$root,upperdir=$work/layer,workdir=$work/layer.work" overlay "$work/layer.root"
                "$script" "$work/layer.root"' layer_make "$work" "$root" "$1" || rc=$?
        rmdir "$work/layer.root"
        rm -rf "$work/layer.work"
        return "$rc"
}

# ---- boot ----

host_boot() {
        local name=$1 dir=$work/hosts/$1
        mkdir -p "$dir/upper" "$dir/work" "$dir/root"
        host_power_on "$name" && host_wait "$name"
}

# systemd-nspawn puts PID 1 and itself into two fixed sub-groups of the cgroup that it is started in; two hosts at once, and a machine
# whose manager owns the tree, want one each.
host_cgroup() {
        local base
        if [[ -d /run/systemd/system ]]; then
                echo systemd
        elif base=$(findmnt -n -o TARGET -t cgroup2 | head -n1); [[ $base ]]; then
                echo "$base/pam_jit-host.${work##*.}.$1"
        fi
}

host_power_on() {
        rm -f "$work/hosts/$1/pid"
        local name=$1 dir=$work/hosts/$1 lower=$root group
        local -a prefix=()
        [[ -d $work/layer ]] && lower=$work/layer:$root
        group=$(host_cgroup "$name")
        [[ $group == systemd ]] && prefix=(systemd-run --quiet --scope -p Delegate=yes --)
        "${prefix[@]}" unshare --mount --propagation private "$BASH" -c '
                set -euo pipefail
                lower=$1 dir=$2 group=$3 name=$4
                if [[ $group == /* ]]; then mkdir -p "$group" && echo $$ >"$group/cgroup.procs"; fi
                echo $$ >"$dir/pid"
                # systemd-nspawn keeps its own notes there, and on a reboot refuses to clear them unless they are on a tmpfs.
                mkdir -p /run/systemd/nspawn && mount -t tmpfs -o mode=0755 tmpfs /run/systemd/nspawn
                mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" overlay "$dir/root"
                SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_LOCK=0 exec systemd-nspawn --quiet --register=no --keep-unit \
                        --directory="$dir/root" --machine="${name//_/-}" --hostname="${HOST_NAME:-db1}" --private-network \
                        --console=pipe --boot -- systemd.firstboot=off' \
                host_boot "$lower" "$dir" "$group" "$name" </dev/null >>"$dir/console.log" 2>&1 &
        echo $! >"$dir/job"
}

host_is_leader() { # PID, which is PID 1 somewhere else
        [[ $1 != 1 && $(awk '$1 == "NSpid:" && NF > 2 { print $NF }' "/proc/$1/status" 2>/dev/null) == 1 ]]
}

# The leader is systemd-nspawn's child that is PID 1 in there.
host_find_leader() {
        local dir=$work/hosts/$1 pid child
        local -a children
        read -r pid 2>/dev/null <"$dir/pid" || return 1
        [[ -d /proc/$pid ]] || return 1
        # No newline ends that file, so read returns 1 where it has read.
        read -ra children 2>/dev/null <"/proc/$pid/task/$pid/children" || :
        for child in "${children[@]}"; do
                if host_is_leader "$child"; then
                        echo "$child"
                        return 0
                fi
        done
        return 1
}

# Waits until the boot is through: at most 30 s.
host_wait() {
        local name=$1 dir=$work/hosts/$1 leader state end=$((SECONDS + 30))
        while ((SECONDS < end)); do
                if leader=$(host_find_leader "$name"); then
                        echo "$leader" >"$dir/leader"
                        state=$(host_run "$name" systemctl is-system-running 2>/dev/null) || :
                        case $state in
                        running | degraded)
                                host_run "$name" ip link set lo up
                                return 0
                                ;;
                        esac
                elif [[ -s $dir/pid ]] && ! host_alive "$(<"$dir/pid")"; then
                        break
                fi
                sleep 0.05
        done
        echo "host $name did not boot (${state:-no PID 1}):" >&2
        tail -n 20 "$dir/console.log" >&2
        return 1
}

# With --keep-unit systemd-nspawn ends when its host reboots (exit status 133), and leaves the next boot to its caller.
host_reboot() {
        local pid i
        pid=$(cat "$work/hosts/$1/pid")
        host_run "$1" systemctl reboot --no-block || :
        for ((i = 0; i < 1000; i++)); do
                host_alive "$pid" || break
                sleep 0.02
        done
        host_stop "$1"
        ((i < 1000)) || { echo "host $1 did not go down in 20 s" >&2; return 1; }
        host_power_on "$1" && host_wait "$1"
}

host_alive() {
        local state
        state=$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null) && [[ $state && $state != Z ]]
}

host_crash() {
        host_stop "$1"
        host_power_on "$1" && host_wait "$1"
}

# Power off without asking: the kernel ends everything in the PID namespace with its PID 1.
host_stop() {
        local dir=$work/hosts/$1 pid leader group i
        pid=$(cat "$dir/pid" 2>/dev/null) || return 0
        # If systemd-nspawn was killed, its host lives on: then what was noted at the boot, if it still is a PID 1.
        if leader=$(host_find_leader "$1") || { leader=$(host_leader "$1" 2>/dev/null) && host_is_leader "$leader"; }; then
                kill -KILL "$leader" 2>/dev/null || :
        fi
        for ((i = 0; i < 200; i++)); do
                host_alive "$pid" || break
                ((i != 100)) || { pkill -KILL -P "$pid"; kill -KILL "$pid" 2>/dev/null || :; }
                sleep 0.02
        done
        wait "$(cat "$dir/job")" 2>/dev/null || :
        rm -f "$dir/pid" "$dir/leader" "$dir/job"
        group=$(host_cgroup "$1")
        [[ $group == /* && -d $group ]] || return 0
        echo 1 2>/dev/null >"$group/cgroup.kill" || :
        # The kernel empties it a moment later.
        for ((i = 0; i < 50; i++)); do
                find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
                sleep 0.02
        done
}

# ---- inside ----

host_leader() {
        cat "$work/hosts/$1/leader"
}

host_run() {
        local leader
        leader=$(host_leader "$1") || { echo "host $1 is not up" >&2; return 125; }
        shift
        nsenter -t "$leader" -a -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root \
                LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 TERM=dumb "$@"
}

host_as() {
        local name=$1 user=$2 home=/home/$2
        [[ $user != root ]] || home=/root
        shift 2
        host_run "$name" setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all env --chdir="$home" \
                HOME="$home" USER="$user" LOGNAME="$user" "$@"
}

# A file into the host: host_put NAME PATH [MODE [OWNER]] <content
host_put() {
        host_run "$1" sh -c 'umask 077; mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1" && chown "$3" "$1"' \
                put "$2" "${3:-0644}" "${4:-root}"
}
