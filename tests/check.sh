#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check.sh BUILD [check-unit|check-pam|check-host|check-tickets]...: all tests, or a part of them. Every test is a line "ok NAME", "not ok NAME ..." or
# "skip NAME (why)"; the last line counts them. Long outputs go to BUILD/log. Ends with 1 if anything failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=${1:?usage: check.sh BUILD [PART...]}
shift
parts=("$@")
((${#parts[@]})) || parts=(check-unit check-pam check-host check-tickets)
jobs=$(nproc)
log=$build/log
results=$log/results
mkdir -p "$log"
: >"$results"

# report PREFIX: takes the result lines out of a test's output, with the test's name before each.
report() {
        sed -unE "s#^(ok|not ok|skip) #\1 $1: #p" | tee -a "$results"
}

# step NAME COMMAND...: a test that is one command.
step() {
        local name=$1 file
        shift
        file=$log/${name//[^a-zA-Z0-9]/-}.log
        if "$@" >"$file" 2>&1; then
                echo "ok $name"
        else
                echo "not ok $name (see $file)"
                tail -n 15 "$file" | sed 's/^/    /' >&2
        fi | tee -a "$results"
}

# programs NAME DIR [WRAPPER...]: each unit test of a build, as many at a time as there are processors: half of them wait for time to
# pass. A program that dies without a result line is a failure of its own.
programs() {
        local name=$1 dir=$2 test file
        local -a wanted=()
        shift 2
        for test in "$dir"/tests/test-*; do
                [[ -x $test && $test != *.d ]] || continue
                if [[ $name == valgrind && ${test##*/} =~ ^($unfit)$ ]]; then
                        echo "skip $name ${test##*/} (valgrind does not know the system calls it is about)" | tee -a "$results"
                else
                        wanted+=("$test")
                fi
        done
        # shellcheck disable=SC2016  # the inner shell's
        printf '%s\0' "${wanted[@]}" | log=$log name=$name xargs -0 -P "$jobs" -I {} bash -c '
                file=$log/$name-${1##*/}.log status=0
                "${@:2}" "$1" >"$file" 2>&1 || status=$?
                echo "$status" >"$file.status"' - {} "$@"
        for test in "${wanted[@]}"; do
                file=$log/$name-${test##*/}.log
                if [[ $(cat "$file.status" 2>/dev/null) != 0 ]] && ! grep -q '^not ok ' "$file"; then
                        echo "not ok $name ${test##*/} (ended badly, see $file)" | tee -a "$results"
                        tail -n 15 "$file" | sed 's/^/    /' >&2
                fi
                report "$name ${test##*/}" <"$file"
        done
}

check_unit() {
        step "build with gcc" make -j"$jobs" BUILD="$build" all unit-tests
        step "build with clang" make -j"$jobs" BUILD="$build/clang" CC=clang all
        step "build with sanitizers" make -j"$jobs" BUILD="$build/asan" SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" \
                CFLAGS="-O1 -g" unit-tests
        programs unit "$build"
        programs asan "$build/asan"
        # valgrind 3.19 (Debian 12) does not know pidfd_open(2) and runs no raw setresuid(2) in one thread: these run under the sanitizers only.
        unfit='test-grant|test-lookup|test-process-kill'
        programs valgrind "$build" valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite
        tests/unit/lint.sh "$build" 2>"$log/lint.err" | report lint
        tests/fuzz/run.sh "$build" "${FUZZ_SEC:-5}" 2>"$log/fuzz.err" | report fuzz
}

check_pam() {
        step "build the module" make -j"$jobs" BUILD="$build" all
        tests/pam/run.sh "$build" 2>"$log/pam.err" | report pam
}

check_host() {
        local suite
        step "build for the hosts" make -j"$jobs" BUILD="$build" all
        for suite in ${HOST_SUITE:-bookworm trixie}; do
                tests/host/run.sh --suite "$suite" 2>"$log/host-$suite.err" | report "$suite"
        done
}

check_tickets() {
        step "build for the tickets" make -j"$jobs" BUILD="$build" all
        tests/tickets/run.sh "$build" 2>"$log/tickets.err" | report tickets
}

for part in "${parts[@]}"; do
        before=$(wc -l <"$results")
        started=$SECONDS
        case $part in
        check-unit) check_unit ;;
        check-pam) check_pam ;;
        check-host) check_host ;;
        check-tickets) check_tickets ;;
        *) echo "no such part: $part" >&2; exit 2 ;;
        esac
        # A part that could not even start has not passed.
        (($(wc -l <"$results") > before)) || echo "not ok $part: it ran no test" | tee -a "$results"
        echo "# $part took $((SECONDS - started)) s"
done

passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^not ok ' "$results")
skipped=$(grep -c '^skip ' "$results")
if ((failed)); then
        echo
        echo "failed:"
        grep '^not ok ' "$results"
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
