#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD [TEST...]: tickets of other systems on a real host with real ssh: a real Request Tracker 5 (made once, kept in
# BUILD/cache), then every shipped profile and every hostile answer against a server of the tests' own. Prints "ok NAME", "not ok NAME:
# why" or "skip NAME (why)", and how long things took; writes BUILD/tickets.json. Exit status 1 if a test has failed.
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "${1:?usage: run.sh BUILD [TEST...]}")
shift
# shellcheck source=../host/lib.sh
. "$here/../host/lib.sh"
# shellcheck source=../host/cases.sh
. "$here/../host/cases.sh"
# shellcheck source=../host/tickets.sh
. "$here/../host/tickets.sh"
# shellcheck source=words.sh
. "$here/words.sh"
# shellcheck source=request-tracker.sh
. "$here/request-tracker.sh"
# shellcheck source=push.sh
. "$here/push.sh"

wanted=("$@")
is_wanted() { [[ ${#wanted[@]} == 0 || " ${wanted[*]} " == *" $1 "* ]]; }

report() { # LINE
        echo "$1" | tee -a "$work/results/all"
}

# The host with pam_jit as an administrator would set it up for RT: the shipped files with RT's address in them, its token as a
# credential, its certificate authority.
setup() {
        host=rt
        mkdir -p "$work/tls"
        certificate "$work/tls"
        host_boot "$host"
        rt_start
        front_start
        on sh -c 'echo "127.0.0.1 rt.test" >>/etc/hosts'
        put /etc/jit/rt-ca.pem <"$work/tls/ca.pem"
        put /etc/credstore/rt.token 0600 <"$work/rt/token"
        put /etc/jit/providers.d/request-tracker.conf < <(sed -e 's,https://rt.example.com/,https://rt.test:8443/,' \
                -e 's,^GraceSec=.*,GraceSec=20s,' -e 's,^\[Server\]$,&\nCAFile=/etc/jit/rt-ca.pem,' \
                "$top/examples/providers/request-tracker.conf")
        for program in "$top"/examples/providers/request-tracker*.jq; do
                put "/etc/jit/providers.d/${program##*/}" <"$program"
        done
        put /etc/systemd/system/jit-approverd.service.d/credentials.conf <"$top/examples/systemd/jit-approverd.service.d/credentials.conf"
        for name in bob carol; do
                on install -m 0644 "/home/$name/.ssh/id_ed25519.pub" "/etc/jit/keys.d/$name"
        done
        on systemctl daemon-reload
        on systemctl restart jit-approverd.service
}

# A test ends at once, a script cleans up after itself; what is left of either after that is ended by its number.
on_lib_exit() {
        local pid
        local -a pids
        for pid in $(jobs -p); do
                mapfile -t pids < <(process_tree "$pid")
                kill -TERM "$pid" 2>/dev/null
                wait_for 3 not_alive "$pid" >/dev/null
                kill -KILL "${pids[@]}" 2>/dev/null
        done
        service_end front
        service_end rt
}

test_run() { # NAME
        local name=$1 log=$logs/$1.log start status=0 why
        is_wanted "$name" || return 0
        start=$(now_ms)
        case_run "$name" "$log" || status=$?
        case $status in
        0) report "ok $name ($(($(now_ms) - start)) ms)" ;;
        77) report "skip $name ($(case_why SKIP "$log"))" ;;
        *)
                why=$(case_why FAIL "$log")
                report "not ok $name: ${why:-exit status $status}; $log"
                host_run "$host" journalctl --no-pager -o short-precise -n 200 >>"$log" 2>&1
                # Whatever the test has stopped.
                rt_signal CONT
                [[ -e $work/rt.pid ]] || rt_start >>"$log" 2>&1
                ;;
        esac
        sed -n 's/^# /# /p' "$log"
}

# Other scripts' lines, with their name before each.
script_run() { # NAME COMMAND...
        local name=$1
        is_wanted "$name" || return 0
        shift
        [[ -x $1 ]] || { report "skip $name (there is no $(basename "$1"))"; return 0; }
        TMPDIR=$work "$@" >"$logs/$name.out" 2>"$logs/$name.err" </dev/null &
        wait $! || echo "not ok ended: exit status $?; $logs/$name.err" >>"$logs/$name.out"
        grep -qE '^(ok|not ok|skip) ' "$logs/$name.out" || echo "not ok ran no test: $logs/$name.err" >>"$logs/$name.out"
        sed -E "s#^(ok|not ok|skip) #\1 $name: #" "$logs/$name.out" | tee -a "$work/results/all"
}

started=$SECONDS
lib_init bookworm
logs=$top/build/host-logs/tickets
rm -rf "$logs"
mkdir -p "$logs" "$work/results"
rt_root=$("$here/rt/image.sh" "$build") || { echo "not ok image: Request Tracker could not be installed"; exit 1; }
BUILD=$build LAYER_ETC=$lib_dir/etc layer_make "$lib_dir/layer.sh" >"$logs/layer.log" 2>&1 || {
        tail -n 20 "$logs/layer.log" >&2
        echo "not ok layer: pam_jit could not be installed on the host; $logs/layer.log"
        exit 1
}
echo "# images: $((SECONDS - started)) s"
if (set -e; setup) >"$logs/setup.log" 2>&1; then
        host=rt
        for name in $(sed -n 's/^test_\([a-z0-9_]*\)() {$/\1/p' "$here/request-tracker.sh" "$here/push.sh"); do
                # In a process group of its own, so that a test that hangs can be ended with all that it has started.
                (set -m; test_run "$name") &
                wait $! # so that a signal is heard at once
        done
        host_run "$host" journalctl --no-pager -o short-precise >"$logs/journal.log" 2>&1
else
        report "not ok setup: no host with Request Tracker; $logs/setup.log"
fi
service_end front
service_end rt
host_stop rt
script_run profiles "$here/profiles.sh" "$build"
script_run hostile "$here/hostile.sh" "$build"

count() { grep -c "^$1 " "$work/results/all"; }
echo "$(count ok) passed, $(count 'not ok') failed, $(count skip) skipped ($((SECONDS - started)) s)"
(($(count 'not ok') == 0 && $(count ok) > 0))
