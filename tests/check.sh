#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check.sh BUILD [check-unit|check-pam|check-host|check-tickets]...: all tests, or a part of them. Every test is a line "ok NAME", "not ok NAME ..." or
# "skip NAME (why)"; the last line counts them. Long outputs go to BUILD/log. Ends with 1 if anything failed.
#
# What computes and what waits for time to pass run side by side: unit tests beside the linters and fuzzers, and the hosts' images are made from the
# start. Nothing runs beside valgrind, whose programs wait and compute, nor beside the hosts, whose deadlines are measured.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=${1:?usage: check.sh BUILD [PART...]}
shift
parts=("$@")
((${#parts[@]})) || parts=(check-unit check-pam check-host check-tickets)
jobs=$(nproc)
log=$build/log
mkdir -p "$log"

is_wanted() { [[ " ${parts[*]} " == *" $1 "* ]]; }

# ---- results ----

# say LINE: a result, on the terminal and in the part's file; each in one write, as several write at a time.
say() {
        printf '%s\n' "$1"
        printf '%s\n' "$1" >>"$results"
}

# report PREFIX: takes the result lines out of a test's output, with the test's name before each.
report() {
        local line
        sed -unE "s#^(ok|not ok|skip) #\1 $1: #p" | while IFS= read -r line; do say "$line"; done
}

# step NAME COMMAND...: a test that is one command.
step() {
        local name=$1 file
        shift
        file=$log/${name//[^a-zA-Z0-9]/-}.log
        if "$@" >"$file" 2>&1; then
                say "ok $name"
        else
                say "not ok $name (see $file)"
                tail -n 15 "$file" | sed 's/^/    /' >&2
        fi
}

# ---- unit tests ----

# Programs that only wait for time to pass, and the ones that compute longest under valgrind: first, so that at the end no processor waits for them.
waiting=(recheck notice wait)
long=(jq-program provider-http provider-file audit-chain audit-head)
# valgrind 3.19 (Debian 12) does not know pidfd_open(2) and runs no raw setresuid(2) in one thread: these run under the sanitizers only.
unfit=(grant login-session lookup origin process-kill session wait)

# tests_of DIR: names of the unit tests of a build, the longest first.
tests_of() {
        local test name
        for name in "${long[@]}"; do
                [[ ! -x $1/tests/test-$name ]] || echo "$name"
        done
        for test in "$1"/tests/test-*; do
                name=${test##*/test-}
                [[ ! -x $test || $test == *.d || " ${long[*]} " == *" $name "* ]] || echo "$name"
        done
}

# run_programs JOBS WRAPPER... -- TEST...: so many at a time; output and exit status of each into $log/$kind-TEST.log and .log.status.
run_programs() {
        local count=$1
        local -a wrapper=()
        shift
        while [[ $1 != -- ]]; do wrapper+=("$1"); shift; done
        shift
        # shellcheck disable=SC2016  # the inner shell's
        (($# == 0)) || printf '%s\0' "$@" | log=$log kind=$kind dir=$dir xargs -0 -P "$count" -I {} bash -c '
                file=$log/$kind-test-$1.log status=0
                "${@:2}" "$dir/tests/test-$1" >"$file" 2>&1 || status=$?
                echo "$status" >"$file.status"' - {} "${wrapper[@]}"
}

# programs KIND DIR [WRAPPER...]: each unit test of a build, as many at a time as there are processors, and one more that waits. A program that dies
# without a result line is a failure of its own.
programs() {
        local kind=$1 dir=$2 name file sleeper
        local -a here=() resting=()
        shift 2
        for name in $(tests_of "$dir"); do
                if [[ $kind == valgrind && " ${unfit[*]} " == *" $name "* ]]; then
                        say "skip $kind test-$name (valgrind does not know the system calls it is about)"
                elif [[ " ${waiting[*]} " == *" $name "* ]]; then
                        resting+=("$name")
                else
                        here+=("$name")
                fi
        done
        ((${#here[@]})) || { say "not ok $kind (there are no unit tests in $dir)"; return; }
        rm -f "$log/$kind-test-"*
        run_programs 1 "$@" -- "${resting[@]}" &
        sleeper=$!
        run_programs "$jobs" "$@" -- "${here[@]}"
        wait "$sleeper"
        for name in "${here[@]}" "${resting[@]}"; do
                file=$log/$kind-test-$name.log
                if [[ $(cat "$file.status" 2>/dev/null) != 0 ]] && ! grep -q '^not ok ' "$file"; then
                        say "not ok $kind test-$name (ended badly, see $file)"
                        tail -n 15 "$file" | sed 's/^/    /' >&2
                fi
                report "$kind test-$name" <"$file"
        done
}

# They wait for four fifths of their time.
native_programs() {
        programs unit "$build"
        programs asan "$build/asan"
}

check_unit() {
        local native
        step "build with gcc" make -j"$jobs" BUILD="$build" all unit-tests
        step "build with clang" make -j"$jobs" BUILD="$build/clang" CC=clang all
        step "build with sanitizers" make -j"$jobs" BUILD="$build/asan" SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" \
                CFLAGS="-O1 -g" unit-tests
        native_programs &
        native=$!
        tests/unit/lint.sh "$build" 2>"$log/lint.err" | report lint
        tests/fuzz/run.sh "$build" "${FUZZ_SEC:-5}" 2>"$log/fuzz.err" | report fuzz
        wait "$native" || say "not ok unit asan (the script has failed)"
        programs valgrind "$build" valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite
}

# ---- the other parts ----

build_all() { make -j"$jobs" BUILD="$build" all; }

check_pam() {
        step "build the module" build_all
        tests/pam/run.sh "$build" 2>"$log/pam.err" | report pam
}

check_host() {
        local suite
        step "build for the hosts" build_all
        for suite in ${HOST_SUITE:-bookworm trixie}; do
                tests/host/run.sh --suite "$suite" 2>"$log/host-$suite.err" | report "$suite"
        done
}

check_tickets() {
        step "build for the tickets" build_all
        tests/tickets/run.sh "$build" 2>"$log/tickets.err" | report tickets
}

# Whoever needs an image waits for it (image.sh has a lock), makes it where this could not, and says why if that fails too.
make_images() {
        local suite
        if is_wanted check-host; then
                for suite in ${HOST_SUITE:-bookworm trixie}; do tests/host/image.sh "$suite"; done
        fi
        if is_wanted check-tickets; then tests/tickets/rt/image.sh "$build"; fi
        return 0
}

# ---- what runs when ----

part() { # NAME
        local started=$SECONDS
        results=$log/results.$1
        : >"$results"
        # In a shell of its own: a part that its shell gives up on has not passed either.
        ("${1/-/_}"; exit 0) || say "not ok $1 (its script has failed)"
        [[ -s $results ]] || say "not ok $1: it ran no test"
        echo "# $1 took $((SECONDS - started)) s"
}

parts_of() { # NAME...: those that are wanted, one after the other
        local name
        for name in "$@"; do
                if is_wanted "$name"; then part "$name"; fi
        done
}

# lane COMMAND...: beside what follows, in a process group of its own, so that it can be ended with all that it has started.
lanes=()
lane() {
        set -m
        "$@" </dev/null &
        set +m
        lanes+=($!)
}

lanes_wait() {
        local pid
        for pid in "${lanes[@]}"; do
                wait "$pid" || say "not ok check.sh (a part ended badly)"
        done
        lanes=()
}

# Interrupted: the hosts and servers of the tests are ended by who has started them.
lanes_end() {
        local pid i
        for pid in "${lanes[@]}"; do kill -TERM -- "-$pid" 2>/dev/null; done
        for pid in "${lanes[@]}"; do
                for ((i = 0; i < 200; i++)); do
                        kill -0 -- "-$pid" 2>/dev/null || break
                        sleep 0.1
                done
        done
}
trap lanes_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for name in "${parts[@]}"; do
        [[ $name =~ ^check-(unit|pam|host|tickets)$ ]] || { echo "no such part: $name" >&2; exit 2; }
done
rm -f "$log"/results*
results=$log/results.rest
lane make_images >"$log/images.log" 2>&1
lane parts_of check-unit
lanes_wait
lane parts_of check-pam check-host check-tickets
lanes_wait

cat "$log"/results.* >"$log/results"
passed=$(grep -c '^ok ' "$log/results")
failed=$(grep -c '^not ok ' "$log/results")
skipped=$(grep -c '^skip ' "$log/results")
if ((failed)); then
        echo
        echo "failed:"
        grep '^not ok ' "$log/results"
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
