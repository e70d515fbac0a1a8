# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # work, logs, lib_dir: run.sh's and lib.sh's
# How a group of tests is run, and the words that tests are written in. Sourced by run.sh after lib.sh.
#
# In a test $host is the name of its host. A test ends well, or by fail WHY, skip WHY or any command that fails (set -e).

fail() {
        echo "FAIL: $*"
        trap - ERR
        exit 1
}

skip() {
        echo "SKIP: $*"
        exit 77
}

on() { host_run "$host" "$@"; }
as() { host_as "$host" "$@"; }
put() { host_put "$host" "$@"; }

# own_host: a host for this test alone, for what would disturb others.
own_host() {
        host=$group-$test_name
        host_boot "$host"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
        local end=$(($(date +%s%3N) + $1 * 1000))
        shift
        until "$@" >/dev/null 2>&1; do
                (($(date +%s%3N) < end)) || { echo "not within time: $*"; return 1; }
                sleep 0.05
        done
}

now_ms() { date +%s%3N; }

expect_match() { # PATTERN TEXT: extended regular expression
        grep -Eq -- "$1" <<<"$2" || fail "expected /$1/, got: $2"
}

expect_no_match() {
        ! grep -Eq -- "$1" <<<"$2" || fail "did not expect /$1/: $2"
}

expect_status() { # STATUS COMMAND...: its output in $out
        local want=$1 status=0
        shift
        out=$("$@" 2>&1) || status=$?
        echo "$out"
        [[ $status == "$want" ]] || fail "exit status $status, not $want: $* ($out)"
}

expect_ms_below() { # LIMIT MILLISECONDS WHAT
        echo "$3: $2 ms"
        (($2 < $1)) || fail "$3 took $2 ms, the limit is $1 ms"
}

# ---- nothing left ----

nothing_left() { # NAME UID
        local found
        found=$(host_run "$host" env LEFT_WAIT="${LEFT_WAIT:-3}" LEFT_KEYRINGS="${LEFT_KEYRINGS:-no}" bash -s -- "$@" <"$lib_dir/assert-nothing-left.sh") && return 0
        if [[ ${2-} ]]; then
                echo "units of $2, what needs them, and jobs:"
                host_run "$host" systemctl list-units --all --no-pager --plain "*$2*"
                host_run "$host" systemctl show --no-pager -p ActiveState,Job,StopWhenUnneeded,RequiredBy,WantedBy,BoundBy,RequiresMountsFor \
                        "user-$2.slice"
                host_run "$host" systemctl list-jobs --no-pager
        fi
        fail "of $1 (${2:-no uid}) is left: $(tr '\n' ';' <<<"$found")"
}

# ---- running ----

# One test in a subshell; its exit status is the test's.
case_run() {
        local test_name=$1 log=$2 pid status=0
        (
                set -eE
                trap 'echo "FAIL: line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"' ERR
                "test_$test_name"
        ) >"$log" 2>&1 </dev/null &
        pid=$!
        timeout "${TEST_TIMEOUT:-180}" tail -s 0.05 --pid="$pid" -f /dev/null || {
                echo "FAIL: not done after ${TEST_TIMEOUT:-180} s" >>"$log"
                kill -TERM -- "-$pid" 2>/dev/null
                sleep 0.5
                kill -KILL -- "-$pid" 2>/dev/null
        }
        wait "$pid" || status=$?
        [[ $status == 77 ]] || grep -q '^FAIL: not done' "$log" && status=${status/#0/1}
        return "$status"
}

case_why() { # WORD LOG
        sed -n "s/^$1: //p" "$2" | head -n1 | tr -d '\033\007' | cut -c1-300
}

group_report() { # LINE
        echo "$1" | tee -a "$work/results/$group"
}

group_boot() {
        host=$group
        { host_boot "$host" && { ! declare -F setup || setup; }; } >"$logs/$group.setup.log" 2>&1
}

# Daemons that crashed, hung or were restarted without a test's asking for it, over the host's whole life.
group_health() {
        local log=$logs/$group.journal.log crashes
        host_run "$host" journalctl --no-pager -o short-precise >"$log" 2>&1
        crashes=$(grep -E 'jit-(reaperd|approverd)\.service: (Main process exited|Failed with|Watchdog|Killing|State .* timed out)|AddressSanitizer|runtime error:|jit-.*segfault' "$log" |
                head -n1)
        if [[ $crashes ]]; then
                group_report "not ok ${group}_daemons ($crashes; $log)"
        else
                group_report "ok ${group}_daemons"
        fi
}

group_run() {
        local group=$1 name log status start host
        # shellcheck source=/dev/null
        . "$lib_dir/cases/$group.sh"
        group_boot || { group_report "not ok ${group}_boot (see $logs/$group.setup.log)"; return; }
        for name in $(group_tests "$group"); do
                is_wanted "$group" "$name" || continue
                log=$logs/$name.log start=$(now_ms) status=0
                case_run "$name" "$log" || status=$?
                case $status in
                0) group_report "ok $name ($(($(now_ms) - start)) ms)" ;;
                77) group_report "skip $name ($(case_why SKIP "$log"))" ;;
                *)
                        group_report "not ok $name ($(case_why FAIL "$log"); $log)"
                        host_run "$host" journalctl --no-pager -o short-precise -n 200 >>"$log" 2>&1
                        host_stop "$host"
                        rm -rf "$work/hosts/$host"
                        group_boot || { group_report "not ok ${group}_boot (again)"; return; }
                        ;;
                esac
                if [[ -d $work/hosts/$group-$name ]]; then
                        host_run "$group-$name" journalctl --no-pager -o short-precise >"$logs/$name.journal.log" 2>&1
                        host_stop "$group-$name"
                        rm -rf "$work/hosts/$group-$name"
                fi
        done
        group_health
        host_stop "$host"
        rm -rf "$work/hosts/$host"
}
