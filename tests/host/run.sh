#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The tests on real booted hosts: run.sh [--suite SUITE] [--list] [TEST|GROUP...]
#
# A group is a file in cases/: its tests (functions test_NAME) share one host, unless one boots its own. Groups run side by side, one
# more than there are processors: much of their time they wait. Prints "ok NAME", "not ok NAME (why; log)" or "skip NAME (why)", and a summary; exit status 1 if a test
# has failed. HOST_SUITE: the Debian release (bookworm). HOST_JOBS: groups at a time. TEST_TIMEOUT: seconds for one test (180).
# BUILD: where the binaries are built (build).
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=cases.sh
. "$lib_dir/cases.sh"
# shellcheck source=tickets.sh
. "$lib_dir/tickets.sh"
# shellcheck source=terminal.sh
. "$lib_dir/terminal.sh"
# shellcheck source=people.sh
. "$lib_dir/people.sh"

usage() {
        sed -n 's/^# \{0,1\}//; 3,8p' "$0"
}

wanted=() list=no
while (($#)); do
        case $1 in
        --suite) HOST_SUITE=${2:?--suite SUITE}; shift ;;
        --suite=*) HOST_SUITE=${1#*=} ;;
        --list) list=yes ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) wanted+=("${1#test_}") ;;
        esac
        shift
done

group_tests() {
        sed -n 's/^test_\([a-z0-9_]*\)() {$/\1/p' "$lib_dir/cases/$1.sh"
}

is_wanted() { # GROUP TEST
        local w
        ((${#wanted[@]})) || return 0
        for w in "${wanted[@]}"; do
                # shellcheck disable=SC2053  # patterns are welcome
                [[ $1 == "$w" || $2 == $w ]] && return 0
        done
        return 1
}

groups=()
for file in "$lib_dir"/cases/*.sh; do
        group=$(basename "$file" .sh)
        for name in $(group_tests "$group"); do
                if is_wanted "$group" "$name"; then groups+=("$group"); break; fi
        done
done
if [[ $list == yes ]]; then
        for group in "${groups[@]}"; do group_tests "$group" | sed "s/^/$group /"; done
        exit 0
fi
((${#groups[@]})) || { echo "no such test: ${wanted[*]}" >&2; exit 2; }

started=$SECONDS
lib_init "${HOST_SUITE:-bookworm}"
logs=$top/build/host-logs/$suite
mkdir -p "$logs" "$work/results"
LAYER_ETC=$lib_dir/etc layer_make "$lib_dir/layer.sh" >"$logs/layer.log" 2>&1 || {
        tail -n 20 "$logs/layer.log" >&2
        echo "not ok layer (pam_jit could not be installed on the host; $logs/layer.log)"
        exit 1
}

# Interrupted: the groups' shells first, or they would boot the next host.
on_lib_exit() {
        local pid
        for pid in $(jobs -p); do
                # shellcheck disable=SC2046  # numbers
                kill -KILL $(descendants "$pid") 2>/dev/null
        done
}

jobs=0
for group in "${groups[@]}"; do
        if ((jobs >= ${HOST_JOBS:-$(($(nproc) + 1))})); then wait -n; jobs=$((jobs - 1)); fi
        # In a process group of its own each, so that a test that hangs can be ended with all that it has started.
        (set -m; group_run "$group") &
        jobs=$((jobs + 1))
done
wait

count() { cat "$work"/results/* 2>/dev/null | grep -c "^$1 "; }
passed=$(count ok) failed=$(count 'not ok') skipped=$(count skip)
echo "$passed passed, $failed failed, $skipped skipped (hosts: $suite, $((SECONDS - started)) s)"
((failed == 0 && passed > 0))
